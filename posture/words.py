"""Words, symbols and colours for every state, reason and event, the same wherever they are shown. Pure.

Each state has its own symbol and word beside its colour, and the colours (Okabe & Ito 2008, *Color universal design*)
can be told apart with any kind of colour vision: nothing depends on red and green. Only symbols and bars have them;
words keep the terminal's own colour: in sixteen colours orange becomes a yellow that white paper swallows.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, isnan
from typing import Final

from posture.slouch import EventKind, Reason, SlouchState

BLUE: Final = "#56b4e9"
ORANGE: Final = "#e69f00"
PURPLE: Final = "#cc79a7"
GREY: Final = "#999999"

STATES: Final[dict[SlouchState, tuple[str, str, str]]] = {
    SlouchState.UPRIGHT: ("●", "upright", BLUE),
    SlouchState.SLOUCHING: ("▲", "slouching", ORANGE),
    SlouchState.AWAY: ("○", "away", GREY),
    SlouchState.UNKNOWN: ("?", "not judging", PURPLE),
}
"""Symbol, word and colour (``#rrggbb``)."""
ASCII_SYMBOLS: Final[dict[SlouchState, str]] = {
    SlouchState.UPRIGHT: "*",
    SlouchState.SLOUCHING: "!",
    SlouchState.AWAY: "o",
    SlouchState.UNKNOWN: "?",
}
"""For a terminal without the symbols of :data:`STATES`."""
REASONS: Final[dict[Reason, str]] = {
    Reason.NONE: "",
    Reason.NOT_CALIBRATED: "calibrating",
    Reason.NO_PICTURE: "no picture from the camera",
    Reason.NO_PERSON: "nobody in view",
    Reason.TOO_DARK: "too dark",
    Reason.LOW_CONFIDENCE: "face or shoulders hidden",
    Reason.TURNED_AWAY: "turned away",
    Reason.OUT_OF_PLACE: "not in the calibrated place",
    Reason.CAMERA_MOVED: "the camera has moved: re-zero or calibrate",
    Reason.NOT_MEASURED: "posture not measurable",
    Reason.CAMERA_COVERED: "the camera is covered, or its picture black",
    Reason.CAMERA_FROZEN: "the camera's picture has frozen",
    Reason.PAUSED: "paused",
    Reason.SCREEN_LOCKED: "paused while the screen is locked",
    Reason.IDLE: "paused while nobody is at the computer",
    Reason.IN_CALL: "paused during a call",
    Reason.ON_BATTERY: "paused on battery",
    Reason.BASELINE_MISFIT: "the baseline does not fit this view or person: calibrate",
    Reason.PARTLY_OUT: "head or shoulders out of the picture",
    Reason.SEVERAL_PEOPLE: "several people, none in the calibrated place",
}
PARTS: Final[dict[str, tuple[str, str]]] = {
    "neck": ("neck", "neck forward"),
    "thoracic": ("trunk", "trunk forward"),
    "flexion": ("head poke", "head poked forward"),
    "sink": ("sink", "shoulders sunk"),
}
"""Name and phrase for each part of the slouch ratio, by its name there. Flexion, ISO 11226's word for the head's
inclination against the trunk's, means something else to most people."""
EVENTS: Final[dict[EventKind, str]] = {
    EventKind.SLOUCH_STARTED: "slouch began",
    EventKind.SLOUCH_ENDED: "slouch ended",
    EventKind.AWAY: "left the desk",
    EventKind.RETURNED: "came back",
    EventKind.ALERT: "alert",
    EventKind.BREAK_DUE: "movement break due",
    EventKind.MICRO_BREAK_DUE: "short pause due",
    EventKind.CAMERA_MOVED: "the camera has moved",
    EventKind.CAMERA_LOST: "camera lost",
    EventKind.CAMERA_BACK: "camera back",
    EventKind.UNKNOWN_STARTED: "judging paused",
    EventKind.UNKNOWN_ENDED: "judging again",
}


def part_phrase(part: str) -> str:
    """Return a part of the slouch ratio as a phrase; one that only a newer version knows as it is called there."""
    return PARTS[part][1] if part in PARTS else part


def clock(seconds: float) -> str:
    """Return a time span as ``m:ss`` or ``h:mm:ss``; a dash for NaN and the like."""
    if not isfinite(seconds):
        return "-"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def count(n: int, one: str, many: str = "") -> str:
    """Return a number and what is counted: ``1 alert``, ``3 alerts``, ``0 people``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def degrees_text(value: float) -> str:
    """Return a signed whole number of degrees; a dash when it was not measured."""
    return "-" if isnan(value) else f"{round(value):+d}°"


def needs_ascii(encoding: str, environ: Mapping[str, str]) -> bool:
    """Return whether a terminal should be given plain ASCII.

    Parameters
    ----------
    encoding : str
        The output's.
    environ : mapping
        The process's environment: ``LC_ALL``, ``LC_CTYPE`` and ``LANG`` are looked at. Where the locale is C,
        Python writes UTF-8 all the same (PEP 538 sets ``LC_CTYPE``, PEP 540), which such a terminal may not show.
    """
    if not encoding.lower().replace("-", "").startswith("utf"):
        return True
    told = [environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if told[0] or not any(told):
        return told[0] in ("C", "POSIX")
    return told[2] in ("", "C", "POSIX") and told[1] in ("", "C", "POSIX", "C.UTF-8")
