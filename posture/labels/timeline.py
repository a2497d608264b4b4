r"""Labels as a timeline of letters, for a terminal. Pure; no I/O.

::

    state   ●●●●●●●●●▲▲▲▲▲▲▲▲▲▲▲▲▲●●●●●●●○○○○
    alert            !!!!!!!!!!!!!      ~~~~~
            0:00           0:30           1:00
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from posture.labels.labels import Duty, Labels
from posture.slouch import SlouchState
from posture.words import ASCII_SYMBOLS, BLUE, GREY, ORANGE, STATES, clock

DUTY_SYMBOLS: Final[dict[Duty, tuple[str, str]]] = {
    Duty.MUST: ("!", ORANGE),
    Duty.MUST_NOT: ("-", BLUE),
    Duty.IGNORE: ("~", GREY),
}
"""Symbol and colour (``#rrggbb``)."""


@dataclass(frozen=True, slots=True)
class Run:
    """Some letters of one colour."""

    text: str
    colour: str
    """``#rrggbb``; empty = the terminal's own."""


def draw_timeline(
    labels: Labels, duration_s: float, width: int, *, is_ascii: bool
) -> list[tuple[str, tuple[Run, ...]]]:
    """Return the rows of a timeline: a name, and its letters.

    Parameters
    ----------
    labels : Labels
        What to show; each letter is what is labelled at its middle, or anywhere in it if that is short.
    duration_s : float
        What the whole width stands for, above 0.
    width : int
        Letters, at least 10.
    is_ascii : bool
        Keep to letters that every terminal has.
    """
    per_s = width / duration_s
    state, duty = [("", "")] * width, [("", "")] * width
    for one in labels.intervals:
        first = min(int(one.start_s * per_s), width - 1)
        for i in range(first, min(max(round(one.end_s * per_s), first + 1), width)):
            if one.state is not None:
                state[i] = _state_letter(one.state, is_ascii=is_ascii)
            if one.duty is not None:
                duty[i] = DUTY_SYMBOLS[one.duty]
    return [("state", _runs(state)), ("alert", _runs(duty)), ("", (Run(_times(duration_s, width), ""),))]


def _state_letter(state: SlouchState, *, is_ascii: bool) -> tuple[str, str]:
    """Return a state's symbol and colour."""
    symbol, _, colour = STATES[state]
    return (ASCII_SYMBOLS[state] if is_ascii else symbol), colour


def _runs(letters: list[tuple[str, str]]) -> tuple[Run, ...]:
    """Return letters of the same colour together."""
    runs: list[Run] = []
    for letter, colour in letters:
        if runs and runs[-1].colour == colour:
            runs[-1] = Run(runs[-1].text + (letter or " "), colour)
        else:
            runs.append(Run(letter or " ", colour))
    return tuple(runs)


def _times(duration_s: float, width: int) -> str:
    """Return times under the places that they belong to."""
    line = ""
    n = max(1, width // 20)
    for i in range(n + 1):
        at, text = round(i * width / n), clock(i * duration_s / n)
        at = min(at, width - len(text))
        if at >= len(line):
            line = line.ljust(at) + text
    return line.ljust(width)
