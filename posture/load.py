"""What a run costs, for the eye: frames a second, processor time."""

from __future__ import annotations

import time
from collections import deque
from math import nan

from posture.step_result import StepResult

LOAD_SPAN_S, LOAD_STEP_S = 30.0, 2.0
"""Seconds over which the rate and the processor's load are taken, and between two readings (our choice)."""


class Load:
    """Measure a run's own rate and processor time; a sink."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float, int]] = deque([(time.monotonic(), time.process_time(), 0)])
        self._n = 0

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        self._n += 1
        now_s = time.monotonic()
        if now_s - self._marks[-1][0] >= LOAD_STEP_S:
            self._marks.append((now_s, time.process_time(), self._n))
            while now_s - self._marks[0][0] > LOAD_SPAN_S:
                self._marks.popleft()

    def close(self) -> None:
        """Nothing to let go of."""

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
