"""What the notifications say: what was seen, and one thing to do about it. Pure.

The words are about comfort and movement; this is not a medical device and nothing here may sound like
one. Texts rotate with an index that the caller counts, so that a replay says what the live run said.
They hold no ``& < >`` and no control characters, which some desktops would take for markup.
"""

from __future__ import annotations

import math
from typing import Literal

SlouchKind = Literal["neck", "thoracic", "flexion", "sink"]

# Shown whole by the strictest desktop (Windows: 63 and 255 UTF-16 units).
MAX_TITLE_LENGTH = 63
MAX_MESSAGE_LENGTH = 199
MAX_STRETCH_LENGTH = 105

# What was seen: with its amount, and for an amount that rounds to nothing or was not measured.
_SEEN: dict[SlouchKind, tuple[str, str]] = {
    "neck": ("Neck {} further forward than your upright", "Neck forward of your upright"),
    "thoracic": ("Upper body {} further forward than your upright", "Upper body forward of your upright"),
    "flexion": ("Head poked {} further forward than usual", "Head poked forward of your chest"),
    "sink": ("Shoulders {} lower than your upright", "Shoulders lower than your upright"),
}

_TITLES: dict[SlouchKind, tuple[str, ...]] = {
    "neck": (
        "Time to sit tall?",
        "Your head has drifted forward",
        "A moment for your neck",
        "Ears over shoulders?",
        "Bring the screen to you",
    ),
    "thoracic": (
        "Time to sit tall?",
        "You are leaning in",
        "A moment for your back",
        "Let the chair carry you",
        "Room to breathe?",
    ),
    "flexion": (
        "Time to sit tall?",
        "You have settled back a little",
        "Head up, eyes ahead?",
        "A moment for your neck",
        "Let your gaze rise",
    ),
    "sink": (
        "Time to sit tall?",
        "You have sunk a little",
        "A little taller?",
        "A moment for your back",
        "Room to rise?",
    ),
}

_ADVICE: dict[SlouchKind, tuple[str, ...]] = {
    "neck": (
        "Let your shoulders drop and lengthen your neck.",
        "Slide your chin gently back and let your head balance.",
        "Bring the screen closer instead of your face.",
        "Look to the left, then to the right, slowly.",
    ),
    "thoracic": (
        "Slide back in the chair and let the backrest help.",
        "Open your chest and take one slow breath.",
        "Put both feet on the floor and sit up from the hips.",
        "Pull the keyboard closer so that you can lean back.",
    ),
    "flexion": (
        "Move your hips to the back of the seat and look up.",
        "Raise the screen a little, or your eyes to the horizon.",
        "Sit up from the hips and let your head float.",
        "Roll your shoulders back twice and start afresh.",
    ),
    "sink": (
        "Imagine a thread lifting the top of your head.",
        "Move your hips to the back of the seat and sit up.",
        "Roll your shoulders back and let them settle.",
        "Stretch both arms up, then sit down tall.",
    ),
}

_BREAK_TITLES = (
    "Time to move?",
    "Stand up for a minute",
    "A short break is due",
    "Stretch your legs?",
    "Change of scene?",
)

_BREAK_ADVICE = (
    "Walk a few steps and look out of a window.",
    "Stand up and reach both arms to the ceiling.",
    "Fetch a glass of water, the long way round.",
    "Roll your shoulders and shake out your hands.",
    "Stand for your next call, or for a page of reading.",
    "Rise onto your toes ten times, then sit down tall.",
)

_CHANGE_TITLES = (
    "Time for a change?",
    "A chair, for a while?",
    "Change of height?",
    "Off your feet for a bit?",
)

_MICRO_TITLES = (
    "Half a minute for you?",
    "A short pause?",
    "Hands off the keys?",
    "Look up for a moment?",
    "One quiet breath?",
)

_MICRO_ADVICE = (
    "Look at something far away and let your shoulders drop.",
    "Let go of the mouse and shake out your hands.",
    "Sit tall, close your eyes and take five slow breaths.",
    "Roll your shoulders back a few times, slowly.",
)


CAMERA_MOVED_TEXT = (
    "The camera has moved",
    "Judging has stopped. Put it back, or sit upright and run 'posture rezero': it takes 3 s.",
)
"""Title and message, said once per move."""


BUTTONS = {
    "snooze": "Snooze 15 min",
    "recalibrate": "Recalibrate",
    "rezero": "Re-zero, 3 s",
    "wrong": "This was wrong",
}
"""What the buttons of a notification say, by what they ask for; 15 min is `alerts.SNOOZE_S`."""


def alert_text(kind: SlouchKind, amount: float, slouched_s: float, variant: int) -> tuple[str, str]:
    """Word a slouch alert.

    Parameters
    ----------
    kind : {"neck", "thoracic", "flexion", "sink"}
        Which deviation was the clearest.
    amount : float
        How far beyond the upright baseline, + = toward slouch: degrees for ``neck``, ``thoracic`` and
        ``flexion``, a ratio of the trunk's length for ``sink``. Left out of the text when NaN or not
        positive after rounding.
    slouched_s : float
        How long the slouch has lasted in seconds. Left out of the text when NaN, below 1 s or a day and more.
    variant : int
        Which wording; counts up from alert to alert and may be any integer.

    Returns
    -------
    tuple of (str, str)
        Title of at most `MAX_TITLE_LENGTH` and message of at most `MAX_MESSAGE_LENGTH` characters.

    Examples
    --------
    >>> alert_text("neck", 14.2, 70.0, 0)[1]
    'Neck 14° further forward than your upright for 70 s. Let your shoulders drop and lengthen your neck.'
    """
    with_amount, without = _SEEN[kind]
    scale, unit = (100, "%") if kind == "sink" else (1, "°")
    figure = _rounded(amount * scale)
    seen = with_amount.format(f"{figure}{unit}") if figure > 0 else without
    titles, advice = _TITLES[kind], _ADVICE[kind]
    duration = span_text(slouched_s)
    if duration:
        seen += f" for {duration}"
    return titles[variant % len(titles)], f"{seen}. {advice[variant % len(advice)]}"


def break_text(
    sat_s: float,
    variant: int,
    stretch: str = "",
    *,
    is_standing: bool = False,
    can_change: bool = False,
) -> tuple[str, str]:
    """Word the reminder of a movement break.

    Parameters
    ----------
    sat_s : float
        Time since the person sat down, or stood up to work, in seconds. Left out of the text when NaN, below 1 s or a
        day and more.
    variant : int
        Which wording; counts up from break to break and may be any integer.
    stretch : str
        A stretch in one sentence, at most `MAX_STRETCH_LENGTH` characters; empty = other advice.
    is_standing : bool
        Whether the person works standing, so that sitting is the change.
    can_change : bool
        Whether somebody who sits could work standing as well.

    Returns
    -------
    tuple of (str, str)
        Title and message, within the same limits as those of `alert_text`.
    """
    position = "standing" if is_standing else "sitting"
    seen = f"You have been {position} for {span_text(sat_s) or 'a while'}."
    titles = _CHANGE_TITLES if is_standing else _BREAK_TITLES
    parts = [seen]
    if is_standing:
        parts.append("Sit down for a while?")
    elif can_change:
        parts.append("Go on standing?")
    if stretch:
        parts.append(stretch)
    elif not is_standing:
        parts.append(_BREAK_ADVICE[variant % len(_BREAK_ADVICE)])
    return titles[variant % len(titles)], " ".join(parts)


def micro_break_text(variant: int, stretch: str = "") -> tuple[str, str]:
    """Word the suggestion of a short pause.

    Parameters
    ----------
    variant : int
        Which wording; counts up from break to break and may be any integer.
    stretch : str
        A stretch in one sentence, at most `MAX_STRETCH_LENGTH` characters; empty = other advice.

    Returns
    -------
    tuple of (str, str)
        Title and message, within the same limits as those of `alert_text`.
    """
    title = _MICRO_TITLES[variant % len(_MICRO_TITLES)]
    return title, stretch or _MICRO_ADVICE[variant % len(_MICRO_ADVICE)]


def _rounded(number: float) -> int:
    """Round to a whole number that fits on a popup; 0 for NaN, and at most 999."""
    return 0 if math.isnan(number) else round(max(-999.0, min(number, 999.0)))


def span_text(seconds: float) -> str:
    """Write a duration as a person would say it: 70 s, 3 min, 1 h 20 min; empty below 1 s and above a day."""
    if not 1 <= seconds <= 86400:
        return ""
    if seconds < 119.5:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
