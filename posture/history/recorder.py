"""The sink that keeps the history while the monitor runs. Whatever happens to the database, the monitor goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from posture.baseline import Baseline
from posture.errors import HistoryError
from posture.history.chronicle import Chronicle, Watch
from posture.history.store import History
from posture.history.timeline import Moment
from posture.judging import Thresholds, make_thresholds
from posture.pipeline import Pipeline
from posture.step_result import StepResult

PERIOD_S = 4.0
"""Seconds of frame time between two writes: with the longest time between two looks, a second, a power cut takes at
most five seconds."""
RETRY_S = 30.0
"""Seconds of frame time until a history that could not be opened or written is tried again (our choice)."""
BUSY_S = 1.0
"""Seconds to wait for another program's write: nothing is looked at meanwhile (our choice)."""
MAX_WAITING = 20_000
"""Rows kept while they cannot be written: weeks (our choice)."""
RETIRED_AT_ONCE = 20
"""Sessions deleted by one write once they are too old: two weeks' (our choice)."""
FREE_RATIO = 0.25
"""Share of the file that may lie idle: SQLite fills it again, so only much is given back (our choice)."""
DAY_MS = 86_400_000

_log = logging.getLogger(__name__)


def read_wall_clock() -> Moment:
    """Return the time and the local offset, also after the computer's time zone has been changed."""
    if hasattr(time, "tzset"):
        time.tzset()  # else the zone is the one of the program's start
    now_s = time.time()
    return Moment(round(now_s * 1000.0), time.localtime(now_s).tm_gmtoff)


def make_watch(pipeline: Pipeline, source: str, profile: str, trace: Path | None) -> Watch:
    """Return what a run watches.

    Parameters
    ----------
    pipeline : Pipeline
        Its settings, and its baseline at any time.
    source, profile : str
        The camera's name, and that of the baseline.
    trace : Path or None
        The trace that is being kept.
    """
    judge = pipeline.settings.judge
    newest: tuple[Baseline, Thresholds] | None = None

    def limits() -> tuple[Thresholds, str] | None:
        nonlocal newest
        baseline = pipeline.baseline
        if baseline is None:
            return None
        if newest is None or newest[0] is not baseline:
            newest = baseline, make_thresholds(judge, baseline)
        return newest[1], baseline.created_utc

    placement = "" if pipeline.baseline is None else pipeline.baseline.placement.value
    return Watch(
        source,
        profile,
        placement,
        judge.max_gap_s,
        pipeline.settings.breaks.away_s,
        "" if trace is None else str(trace.absolute()),
        limits,
    )


class HistorySink:
    """Keep the history of a run; a sink.

    Parameters
    ----------
    path : Path
        The database.
    watch : Watch
        What is watched, and how it is judged.
    retention_days : float
        What is older is deleted, little by little; 0 = nothing is.
    tell : callable
        Told in one line what the person should know: that nothing can be kept, that a damaged file was moved aside.
    clock : callable
        Return what the clock on the wall says.
    """

    def __init__(
        self,
        path: Path,
        watch: Watch,
        *,
        retention_days: float = 0.0,
        tell: Callable[[str], None] = _log.warning,
        clock: Callable[[], Moment] = read_wall_clock,
    ) -> None:
        self._path, self._tell, self._clock = path, tell, clock
        self._chronicle = Chronicle(watch, self._find_taken)
        self._retention_ms = round(retention_days * DAY_MS)
        self._retire_utc_ms = 0
        self._last_utc_ms = 0
        self._history: History | None = None
        self._has_begun = False
        self._next_s: float | None = None
        self._has_told_taken = False
        self.failed = 0
        """How often the history could not be opened or written."""
        self.problem = ""
        """Why it cannot be written now, in one line; empty = it can."""

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in; what is new is written every few seconds, an alert at once. Never raises."""
        wall = self._clock()
        is_due = self._next_s is None or result.t_s >= self._next_s
        if not self._has_begun:  # which times are taken is not known before the history has been open
            if not is_due or not self._try(result.t_s, self._open):
                return
            self._has_begun, is_due = True, False
            self._next_s = result.t_s + PERIOD_S
        self._chronicle.step(result, wall)
        if self._chronicle.is_taken and not self._has_told_taken:
            self._has_told_taken = True
            self._tell(
                "the clock says a time that the history has already; nothing is kept until it has passed"
            )
        if is_due or (result.alert is not None and not self.problem):
            self._try(result.t_s, lambda: self._write(wall.utc_ms))

    def close(self) -> None:
        """Write what waits and close the database."""
        if self._has_begun:
            self._try(0.0, lambda: self._write(None))
        if self._history is not None:
            self._shrink(self._history)
            self._try(0.0, self._history.close)
            self._history = None

    def _shrink(self, history: History) -> None:
        """Give back what was deleted, once nobody waits for the next frame: a year's file takes a second."""
        try:
            if self._retention_ms and history.free_ratio > FREE_RATIO:
                history.vacuum()
        except HistoryError as error:  # another program has it open, or the disk is full: next time
            _log.info("shrinking the history: %s", error)

    def _try(self, t_s: float, act: Callable[[], None]) -> bool:
        """Do something with the database, tell of a failure once, and return whether it worked."""
        try:
            act()
        except HistoryError as error:
            self.failed += 1
            self._next_s = t_s + RETRY_S
            if not self.problem:
                self._tell(f"the history is not being kept: {error}")
            else:
                _log.info("the history is still not being kept: %s", error)
            self.problem = str(error)
            self._drop_connection()
            return False
        self._next_s = t_s + PERIOD_S
        if self.problem:
            self._tell("the history is being kept again")
        self.problem = ""
        return True

    def _drop_connection(self) -> None:
        """Close the database whatever it says: the next attempt opens it anew."""
        history, self._history = self._history, None
        if history is not None:
            try:
                history.close()
            except HistoryError as error:
                _log.info("closing the history: %s", error)

    def _open(self) -> None:
        """Open the database unless it is open."""
        if self._history is not None and not self._history.is_in_place():
            self._drop_connection()
        if self._history is None:
            self._history = History(self._path, is_writable=True, on_moved_aside=self._tell, busy_s=BUSY_S)
            if not self._has_begun and (span := self._history.span()) is not None:
                self._last_utc_ms = span[1]

    def _find_taken(self, since_utc_ms: int) -> list[tuple[int, int]]:
        """Return the spans that the history has from a moment on; the run's own are known without it."""
        try:
            rows = [] if self._history is None else self._history.sessions(since_utc_ms)
        except HistoryError as error:  # the next write fails too, and tells
            _log.info("looking into the history: %s", error)
            return []
        return [(row.start_utc_ms, row.end_utc_ms) for row in rows]

    def _write(self, now_utc_ms: int | None) -> None:
        """Store the chapters that have changed, and a little later delete what is too old."""
        unwritten = self._chronicle.unwritten
        self._open()
        assert self._history is not None
        try:
            with self._history.transaction():
                for chapter in unwritten:
                    session = self._history.put(chapter.session)
                    for row in chapter.waiting.values():
                        self._history.put(replace(row, session_id=session))
        except HistoryError:
            self._forget_oldest()
            raise
        for chapter in unwritten:
            chapter.waiting.clear()
        unwritten.clear()
        if self._retention_ms and now_utc_ms is not None and now_utc_ms >= self._retire_utc_ms:
            # Counted from the last use before this one, if that is earlier: a clock set wrong must not delete anything.
            before = min(now_utc_ms, self._last_utc_ms) - self._retention_ms
            if self._history.delete_before(before, RETIRED_AT_ONCE) < RETIRED_AT_ONCE:
                self._retire_utc_ms = now_utc_ms + DAY_MS

    def _forget_oldest(self) -> None:
        """Keep what waits from growing for weeks."""
        for chapter in self._chronicle.unwritten:
            for key in list(chapter.waiting)[:-MAX_WAITING]:
                del chapter.waiting[key]
