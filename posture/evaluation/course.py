"""The course of a run as arrays: what was judged when. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.landmarks import FloatArray
from posture.settings import JudgeSettings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.step_result import StepResult

CodeArray: TypeAlias = NDArray[np.int8]

STATES: Final = tuple(SlouchState)
"""What a code in :attr:`Course.state` stands for."""
REASONS: Final = tuple(Reason)
"""What a code in :attr:`Course.reason` stands for."""
MAX_GAP_S: Final = JudgeSettings().max_gap_s
_TOUCH_S: Final = 1e-6  # rounding of times
_STATE_CODES: Final = {state: code for code, state in enumerate(STATES)}
_REASON_CODES: Final = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Span:
    """A time in one state."""

    start_s: float
    end_s: float
    state: SlouchState


@dataclass(frozen=True, slots=True)
class Course:
    """T frames of a run, as they were judged."""

    t_s: FloatArray
    """(T,) frame times, seconds, never decreasing."""
    state: CodeArray
    """(T,) index into :data:`STATES`."""
    reason: CodeArray
    """(T,) index into :data:`REASONS`: why this very frame was not judged."""
    neck_deg: FloatArray
    """(T,) deviation as judged, forward positive; NaN = not measured."""
    thoracic_deg: FloatArray
    """(T,) deviation as judged, forward positive; NaN = not measured."""
    events: tuple[SlouchEvent, ...] = ()
    """In the order of their frames."""
    max_gap_s: float = MAX_GAP_S
    """A longer hole between two frames belongs to no state (``judge.max_gap_s``)."""

    def __len__(self) -> int:
        """Return T."""
        return len(self.t_s)

    @property
    def alerts_s(self) -> FloatArray:
        """(A,) frame times of the alerts."""
        return np.array([e.confirmed_s for e in self.events if e.kind is EventKind.ALERT], dtype=np.float64)

    @property
    def held_s(self) -> FloatArray:
        """(T,) seconds for which each frame stands: until the next one, 0 before a gap; the last as long as usual."""
        if len(self) < 2:
            return np.zeros(len(self))
        steps_s = np.diff(self.t_s)
        whole = steps_s[steps_s <= self.max_gap_s]
        last_s = float(np.median(whole)) if len(whole) else 0.0
        return np.append(np.where(steps_s <= self.max_gap_s, steps_s, 0.0), last_s)

    @property
    def end_s(self) -> float:
        """When the last frame's time is over, seconds; 0 without a frame."""
        return float(self.t_s[-1] + self.held_s[-1]) if len(self) else 0.0

    def spans(self) -> tuple[Span, ...]:
        """Return the times in every state, in order; gaps are left out."""
        frames = zip(self.t_s.tolist(), self.state.tolist(), self.held_s.tolist(), strict=True)
        return join_spans(Span(t_s, t_s + held, STATES[code]) for t_s, code, held in frames if held > 0.0)


def join_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans, by time, with those that follow upon each other in the same state made one."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and last.state is span.state and abs(last.end_s - span.start_s) < _TOUCH_S:
            joined[-1] = Span(last.start_s, span.end_s, span.state)
        else:
            joined.append(span)
    return tuple(joined)


class CourseKeeper:
    """Keep the course of a run; a sink.

    Parameters
    ----------
    max_gap_s : float
        See :attr:`Course.max_gap_s`; may be changed until the course is asked for.
    """

    def __init__(self, max_gap_s: float = MAX_GAP_S) -> None:
        self.max_gap_s = max_gap_s
        self._rows: list[tuple[float, int, int, float, float]] = []
        self._events: list[SlouchEvent] = []

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        self._rows.append(
            (
                result.t_s,
                _STATE_CODES[result.state],
                _REASON_CODES[result.reason],
                result.neck_deviation_deg,
                result.thoracic_deviation_deg,
            )
        )
        self._events.extend(result.events)

    def close(self) -> None:
        """Nothing to release."""

    def course(self) -> Course:
        """Return the course so far."""
        columns = np.array(self._rows, dtype=np.float64).reshape(-1, 5).T
        return Course(
            columns[0],
            columns[1].astype(np.int8),
            columns[2].astype(np.int8),
            columns[3],
            columns[4],
            tuple(self._events),
            self.max_gap_s,
        )
