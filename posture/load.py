"""What a run costs and how it goes, for the eye: frames a second, processor time, share of the time upright."""

from __future__ import annotations

import time
from collections import deque
from math import nan

from posture.pipeline import StepResult
from posture.slouch import SlouchState

LOAD_SPAN_S, LOAD_STEP_S = 30.0, 2.0
"""Seconds over which the rate and the processor's load are taken, and between two readings (our choice)."""


class Load:
    """Measure a run's own rate and processor time; a sink that also adds up the time upright.

    Parameters
    ----------
    max_gap_s : float
        A longer hole between two frames belongs to no state.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._marks: deque[tuple[float, float, int]] = deque([(time.monotonic(), time.process_time(), 0)])
        self._n = 0
        self._previous: StepResult | None = None
        self._upright_s = self._judged_s = 0.0

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        self._n += 1
        previous, self._previous = self._previous, result
        if previous is not None and (dt_s := result.t_s - previous.t_s) <= self._max_gap_s:
            is_upright = previous.state is SlouchState.UPRIGHT
            self._upright_s += dt_s * is_upright
            self._judged_s += dt_s * (is_upright or previous.state is SlouchState.SLOUCHING)
        now_s = time.monotonic()
        if now_s - self._marks[-1][0] >= LOAD_STEP_S:
            self._marks.append((now_s, time.process_time(), self._n))
            while now_s - self._marks[0][0] > LOAD_SPAN_S:
                self._marks.popleft()

    def close(self) -> None:
        """Nothing to let go of."""

    @property
    def upright_ratio(self) -> float:
        """Share of the judged time spent upright; NaN = nothing was judged."""
        return self._upright_s / self._judged_s if self._judged_s else nan

    @property
    def cpu_ratio(self) -> float:
        """Processor time over wall time of late; NaN = not known yet."""
        (from_s, from_cpu_s, _), (to_s, to_cpu_s, _) = self._marks[0], self._marks[-1]
        return (to_cpu_s - from_cpu_s) / (to_s - from_s) if to_s > from_s else nan

    @property
    def frame_hz(self) -> float:
        """Frames per second of late."""
        (from_s, _, first), (to_s, _, last) = self._marks[0], self._marks[-1]
        return (last - first) / (to_s - from_s) if to_s > from_s else 0.0
