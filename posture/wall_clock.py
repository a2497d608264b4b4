"""The clock on the wall, for quiet hours: the pipeline is told what it shows, for it never asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from posture.pipeline import Pipeline
from posture.step_result import StepResult

PERIOD_S = 60.0
"""Seconds of frame time between two looks: quiet hours are given to the minute."""


def time_of_day_s() -> float:
    """Return the local time of day, seconds after midnight, where the computer is now.

    Daylight saving follows by itself; a new time zone only after ``tzset``, which Windows does not have.
    """
    if hasattr(time, "tzset"):
        time.tzset()
    now = datetime.now().astimezone()
    return now.hour * 3600.0 + now.minute * 60.0 + now.second


class WallClock:
    """Tell a pipeline the local time of day, now and then; a sink.

    Parameters
    ----------
    pipeline : Pipeline
        It is told at once as well, for frame time 0.
    look : callable
        Return the local time of day, seconds after midnight.
    """

    def __init__(self, pipeline: Pipeline, look: Callable[[], float] = time_of_day_s) -> None:
        self._pipeline, self._look = pipeline, look
        self._told_s: float | None = None
        pipeline.set_time_of_day(0.0, look())

    def handle(self, result: StepResult) -> None:
        """Tell it again once a minute, and after any longer hole: the computer may have travelled asleep."""
        if self._told_s is None or result.t_s - self._told_s >= PERIOD_S:
            self._told_s = result.t_s
            self._pipeline.set_time_of_day(result.t_s, self._look())

    def close(self) -> None:
        """Nothing to release."""
