"""Which key does what in the labeller. Pure; no I/O."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from posture.labels.labels import Duty
from posture.slouch import SlouchState


class Action(StrEnum):
    """What a labeller can ask for, beside the states and duties."""

    PLAY = "play"
    SLOWER = "slower"
    FASTER = "faster"
    NEXT_FRAME = "next_frame"
    PREVIOUS_FRAME = "previous_frame"
    FORWARD = "forward"
    BACK = "back"
    FORWARD_FAR = "forward_far"
    BACK_FAR = "back_far"
    BEGIN = "begin"
    END = "end"
    NEXT_EDGE = "next_edge"
    PREVIOUS_EDGE = "previous_edge"
    MARK_START = "mark_start"
    MARK_END = "mark_end"
    CLEAR_MARKS = "clear_marks"
    BASELINE = "baseline"
    DELETE_STATE = "delete_state"
    DELETE_ALERT = "delete_alert"
    UNDO = "undo"
    REDO = "redo"
    SAVE = "save"
    CLOSE = "close"


STEP_S: Final = 1.0
FAR_S: Final = 10.0
"""Seconds of the two steps (our choice)."""
GIVEN: Final[dict[str, SlouchState | Duty]] = {
    "1": SlouchState.UPRIGHT,
    "2": SlouchState.SLOUCHING,
    "3": SlouchState.AWAY,
    "4": SlouchState.UNKNOWN,
    "5": Duty.MUST,
    "6": Duty.MUST_NOT,
    "7": Duty.IGNORE,
}
"""Keys that say something of the marked stretch."""
_KEYS: Final[dict[str, Action]] = {
    " ": Action.PLAY,
    "-": Action.SLOWER,
    "+": Action.FASTER,
    "=": Action.FASTER,  # the same key without shift on many keyboards
    ".": Action.NEXT_FRAME,
    ",": Action.PREVIOUS_FRAME,
    "l": Action.FORWARD,
    "j": Action.BACK,
    "L": Action.FORWARD_FAR,
    "J": Action.BACK_FAR,
    "]": Action.NEXT_EDGE,
    "[": Action.PREVIOUS_EDGE,
    "n": Action.NEXT_EDGE,
    "p": Action.PREVIOUS_EDGE,
    "i": Action.MARK_START,
    "o": Action.MARK_END,
    "escape": Action.CLEAR_MARKS,
    "b": Action.BASELINE,
    "x": Action.DELETE_STATE,
    "delete": Action.DELETE_STATE,
    "backspace": Action.DELETE_STATE,
    "X": Action.DELETE_ALERT,
    "u": Action.UNDO,
    "r": Action.REDO,
    "s": Action.SAVE,
    "q": Action.CLOSE,
    "left": Action.BACK,
    "right": Action.FORWARD,
    "down": Action.BACK_FAR,
    "up": Action.FORWARD_FAR,
    "home": Action.BEGIN,
    "end": Action.END,
}
HELP: Final[tuple[tuple[tuple[str, str], ...], ...]] = (
    (
        ("space", "play"),
        ("- +", "speed"),
        (", .", "frame"),
        ("arrows", "1 s, 10 s"),
        ("[ ]", "next label"),
        ("home end", ""),
    ),
    (
        ("i o", "start, end of a stretch, then"),
        ("1", "upright"),
        ("2", "slouching"),
        ("3", "away"),
        ("4", "unknown"),
    ),
    (
        ("5", "must alert"),
        ("6", "must not"),
        ("7", "ignore"),
        ("b", "baseline"),
        ("x X", "delete"),
        ("u r", "undo, redo"),
        ("q", "close"),
    ),
)
"""Lines of keys and what they do, as the window tells them; every change is saved at once."""


def action_of(key: str) -> Action | SlouchState | Duty | None:
    """Return what a key asks for; None = nothing.

    Parameters
    ----------
    key : str
        What it types, or its name, as :data:`posture.view.pane.Key`.
    """
    return GIVEN.get(key) or _KEYS.get(key)
