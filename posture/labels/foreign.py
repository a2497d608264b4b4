"""Labels that another program wrote: its texts turned into states, alerts and postures. Pure; no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from posture.errors import LabelError
from posture.labels.labels import Duty, Interval, Labels
from posture.slouch import SlouchState

WORDS: Final[dict[str, tuple[SlouchState | None, Duty | None]]] = {
    **{state.value: (state, None) for state in SlouchState},
    "slouch": (SlouchState.SLOUCHING, None),
    **{duty.value: (None, duty) for duty in Duty},
    "must not": (None, Duty.MUST_NOT),
    "must-not": (None, Duty.MUST_NOT),
    "must alert": (None, Duty.MUST),
    "must-alert": (None, Duty.MUST),
    "must not alert": (None, Duty.MUST_NOT),
    "must-not-alert": (None, Duty.MUST_NOT),
}
"""What is understood without being told, in small letters."""
_N_SHOWN = 5  # texts that an error names


@dataclass(frozen=True, slots=True)
class Span:
    """One annotation of another program."""

    start_s: float
    """Seconds since the clip's first frame."""
    end_s: float
    text: str
    tier: str
    """What the program calls the layer it stands in."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What another program wrote of one clip."""

    clip: str
    """The clip's file name; empty = not said."""
    spans: tuple[Span, ...]
    notes: tuple[str, ...] = ()
    """What a person should know, one line each."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text is taken to say; neither = the annotation is left out."""

    state: SlouchState | None
    duty: Duty | None
    posture: str = ""


def bare_name(path: str) -> str:
    """Return the last part of another computer's path; empty if that cannot be a file's name here."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return name if name.isprintable() and name not in (".", "..") else ""


def parse_meaning(rule: str) -> tuple[str, Meaning]:
    """Return a text, in small letters, and its meaning from ``TEXT=STATE``, ``TEXT=STATE:ALERT`` or ``TEXT=``.

    A text that names neither a state nor an alert becomes the interval's posture, which figures are grouped by.

    Raises
    ------
    LabelError
        If the rule is not of this form.
    """
    text, equals, said = rule.rpartition("=")
    state_word, _, duty_word = said.partition(":")
    state_word, duty_word = state_word.strip().lower(), duty_word.strip().lower()
    key = text.strip().lower()
    form = f"--map {rule}: expected TEXT=STATE[:ALERT], for example --map 'slump=slouching:must'"
    if not equals or not key:
        raise LabelError(form)
    if state_word and state_word not in list(SlouchState):
        raise LabelError(f"--map {rule}: {state_word!r} is no state; give one of {', '.join(SlouchState)}")
    if duty_word and duty_word not in list(Duty):
        raise LabelError(f"--map {rule}: {duty_word!r} is no alert; give one of {', '.join(Duty)}")
    state = SlouchState(state_word) if state_word else None
    duty = Duty(duty_word) if duty_word else None
    is_left_out = state is None and duty is None
    return key, Meaning(state, duty, "" if key in WORDS or is_left_out else text.strip())


def translate(foreign: Foreign, rules: Mapping[str, Meaning], tiers: Iterable[str] = ()) -> Labels:
    """Return what another program wrote of a clip as labels.

    Parameters
    ----------
    foreign : Foreign
        Its annotations.
    rules : mapping
        What texts, in small letters, mean; on top of :data:`WORDS`.
    tiers : iterable of str
        Only these are taken; none = all.

    Raises
    ------
    LabelError
        If a tier is not there, a text has no meaning, there is nothing, or labels of a kind overlap.
    """
    chosen = list(tiers)
    there = dict.fromkeys(span.tier for span in foreign.spans)
    if missing := [tier for tier in chosen if tier not in there]:
        raise LabelError(f"no tier {missing[0]!r}; it has {', '.join(map(repr, there)) or 'none'}")
    spans = [span for span in foreign.spans if not chosen or span.tier in chosen]
    if not spans:
        raise LabelError("no annotations in it")
    unknown: Counter[str] = Counter()
    intervals = []
    for span in spans:
        key = span.text.strip().lower()
        meaning = rules.get(key) or (Meaning(*WORDS[key]) if key in WORDS else None)
        if meaning is None:
            unknown[span.text.strip()] += 1
        elif meaning.state is not None or meaning.duty is not None:
            intervals.append(Interval(span.start_s, span.end_s, meaning.state, meaning.duty, meaning.posture))
    if unknown:
        listed = ", ".join(f"{text!r} ({n} times)" for text, n in unknown.most_common(_N_SHOWN))
        more = f" and {len(unknown) - _N_SHOWN} more" if len(unknown) > _N_SHOWN else ""
        first = unknown.most_common(1)[0][0]
        raise LabelError(
            f"no state and no alert is called {listed}{more}; say what they mean, for example "
            f"--map '{first}=slouching', or leave them out with --map '{first}='"
        )
    return Labels(clip=foreign.clip, intervals=tuple(intervals))
