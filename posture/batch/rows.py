"""What a dataset holds of a clip: a row a frame, a row an event, one row of totals."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from posture.landmarks import FloatArray
from posture.sinks import TIME_DIGITS, TRACE_DIGITS, describe_event, trace_numbers
from posture.slouch import EventKind, Reason, SlouchState
from posture.step_result import StepResult
from posture.summary import Summary

Kind: TypeAlias = Literal["text", "number", "count"]

TRACE_COLUMNS: Mapping[str, Kind] = {
    "t_s": "number",
    "state": "text",
    "reason": "text",
    **dict.fromkeys(TRACE_DIGITS, "number"),
}
EVENT_COLUMNS: Mapping[str, Kind] = {
    "kind": "text",
    "onset_s": "number",
    "confirmed_s": "number",
    "reason": "text",
    "slouched_s": "number",
    "driver": "text",
    "neck_deviation_deg": "number",
    "thoracic_deviation_deg": "number",
    "flexion_deviation_deg": "number",
    "slouch_ratio": "number",
}
REASONS = tuple(reason for reason in Reason if reason is not Reason.NONE)
CLIP_COLUMNS: Mapping[str, Kind] = {
    "clip": "text",
    "path": "text",
    "sha256": "text",
    "plan_sha256": "text",
    "error": "text",
    "notes": "text",
    "n_frames": "count",
    "judged_until_s": "number",
    **{f"{state.value}_s": "number" for state in SlouchState},
    **{f"unknown_{reason.value}_s": "number" for reason in REASONS},
    **{f"n_{kind.value}": "count" for kind in EventKind},
}
"""The table of clips; `judged_until_s` is the last frame's time. Empty = not known, as of a clip that failed."""

Row: TypeAlias = dict[str, str | float | int | None]


@dataclass(frozen=True, slots=True)
class TraceColumns:
    """A row a frame, as columns; the numbers are those of ``--trace``, to the digit."""

    t_s: FloatArray
    """(T,) seconds of frame time."""
    states: tuple[str, ...]
    """T states."""
    reasons: tuple[str, ...]
    """T reasons; empty = judged."""
    numbers: FloatArray
    """(T, 9), in the order of `TRACE_DIGITS`; NaN = not measured."""


class RowSink:
    """Keep the rows of a clip, 72 bytes and two references a frame; a sink."""

    def __init__(self) -> None:
        self._t_s, self._numbers = array("d"), array("d")
        self._states: list[str] = []
        self._reasons: list[str] = []
        self.events: list[Row] = []
        """A row an event, with the columns that its kind has."""

    def handle(self, result: StepResult) -> None:
        """Take one frame in."""
        self._t_s.append(round(result.t_s, TIME_DIGITS))
        self._numbers.extend(trace_numbers(result))
        self._states.append(result.state.value)
        self._reasons.append(result.reason.value)
        self.events += [describe_event(event, result) for event in result.events]

    def close(self) -> None:
        """Nothing to release."""

    def trace(self) -> TraceColumns:
        """Return the rows of the frames so far."""
        return TraceColumns(
            np.array(self._t_s, dtype=np.float64),
            tuple(self._states),
            tuple(self._reasons),
            np.array(self._numbers, dtype=np.float64).reshape(-1, len(TRACE_DIGITS)),
        )


def summary_row(summary: Summary, judged_until_s: float | None) -> dict[str, Any]:
    """Return a clip's totals: seconds to a thousandth."""
    return {
        "n_frames": summary.n_frames,
        "judged_until_s": None if judged_until_s is None else round(judged_until_s, 3),
        **{f"{state.value}_s": round(summary.seconds[state], 3) for state in SlouchState},
        **{
            f"unknown_{reason.value}_s": round(summary.not_judged_s.get(reason, 0.0), 3) for reason in REASONS
        },
        **{f"n_{kind.value}": summary.n_events.get(kind, 0) for kind in EventKind},
    }
