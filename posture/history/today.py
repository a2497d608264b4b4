"""How today has been so far: what the history has of it, and the run at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import nan
from pathlib import Path

from posture.errors import HistoryError
from posture.history.recorder import DAY_MS, read_wall_clock
from posture.history.store import History
from posture.history.timeline import Moment
from posture.slouch import SlouchState
from posture.step_result import StepResult

_log = logging.getLogger(__name__)


class Today:
    """Add up the local day's time upright; a sink.

    Parameters
    ----------
    path : Path or None
        The history, read once; None = there is none, and today begins with this run.
    max_gap_s : float
        A longer hole between two frames belongs to no state.
    clock : callable
        Return what the clock on the wall says.
    """

    def __init__(
        self, path: Path | None, max_gap_s: float, clock: Callable[[], Moment] = read_wall_clock
    ) -> None:
        self._max_gap_s, self._clock = max_gap_s, clock
        self._previous: StepResult | None = None
        self._upright_s = self._judged_s = 0.0
        self.slouched: dict[str, float] = {}
        """Alerts that the history has of today, by what drove them."""
        now = clock()
        self._day = _day(now)
        if path is not None:
            try:
                self._read(path, self._day * DAY_MS - now.utc_offset_s * 1000)
            except HistoryError as error:  # whoever keeps the history tells
                _log.info("reading today's history: %s", error)

    @property
    def upright_ratio(self) -> float:
        """Share of today's judged time spent upright; NaN = nothing was judged."""
        return self._upright_s / self._judged_s if self._judged_s else nan

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        previous, self._previous = self._previous, result
        if previous is not None and (dt_s := result.t_s - previous.t_s) <= self._max_gap_s:
            self._add(previous.state, dt_s)

    def close(self) -> None:
        """Nothing to let go of."""

    def _add(self, state: SlouchState, seconds: float) -> None:
        """Count some time in a state."""
        if state not in (SlouchState.UPRIGHT, SlouchState.SLOUCHING):
            return
        if (day := _day(self._clock())) != self._day:  # midnight has passed
            self._day, self._upright_s, self._judged_s = day, 0.0, 0.0
        self._upright_s += seconds * (state is SlouchState.UPRIGHT)
        self._judged_s += seconds

    def _read(self, path: Path, midnight_utc_ms: int) -> None:
        """Count what is stored since midnight."""
        with History(path) as history:
            for bout in history.bouts(midnight_utc_ms):
                self._add(
                    bout.state, max(0, bout.end_utc_ms - max(bout.start_utc_ms, midnight_utc_ms)) / 1000.0
                )
            for alert in history.alerts(midnight_utc_ms):
                self.slouched[alert.driver] = self.slouched.get(alert.driver, 0.0) + 1.0


def _day(now: Moment) -> int:
    """Return the number of the local day."""
    return (now.utc_ms + now.utc_offset_s * 1000) // DAY_MS
