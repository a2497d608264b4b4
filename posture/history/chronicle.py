"""From step results to the history's rows. Pure; no I/O, and no clock but the one it is told of.

Rows wait in a chapter until somebody has stored them; one that still grows simply takes the place of its older self, in
the chapter and in the store. A chapter becomes one session row. It ends where the clock's offset changes, where the
clock is set, where the limits change, and where the time that follows is in the history already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isnan

from posture.history.rows import AlertRow, BoutRow, BreakRow, MinuteRow, SessionRow
from posture.history.timeline import Moment, Stretch, Timeline
from posture.judging import Thresholds
from posture.slouch import EventKind, SlouchState
from posture.step_result import StepResult
from posture.summary import Bout, BoutTracker

MINUTE_MS = 60_000
Waiting = BoutRow | MinuteRow | AlertRow | BreakRow
Span = tuple[int, int]
_ENDS = (EventKind.SLOUCH_ENDED, EventKind.UNKNOWN_ENDED)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, and how it is judged."""

    source: str
    profile: str
    placement: str
    max_gap_s: float
    """``judge.max_gap_s``."""
    break_s: float
    """``breaks.away_s``: a shorter absence is no break."""
    trace_path: str
    """The trace that is being kept; empty = none."""
    limits: Callable[[], tuple[Thresholds, str] | None]
    """The thresholds in force, and when their baseline was taken (ISO 8601); None = there is no baseline. Asked once a
    frame."""


class Chapter:
    """One session and its rows that wait to be stored; their `session_id` is 0 until then."""

    def __init__(self, session: SessionRow, stretch: Stretch) -> None:
        self.session, self.stretch = session, stretch
        self.limits: Thresholds | None = None
        """What its frames were judged against; None = none was yet."""
        self.waiting: dict[tuple[type, str, int], Waiting] = {}
        self._minute_ms = -1
        self._sums = [0.0, 0.0, 0.0, 0.0]

    def add(self, row: Waiting) -> None:
        """Let a row wait, instead of its older self."""
        kind = row.kind if isinstance(row, BreakRow) else ""
        moment = row.at_utc_ms if isinstance(row, AlertRow) else row.start_utc_ms
        self.waiting[type(row), kind, moment] = row

    def extend(self, end_utc_ms: int, limits: Thresholds | None) -> None:
        """Let the session go on until a moment, judged against `limits` if there are any."""
        self.session = replace(self.session, end_utc_ms=end_utc_ms)
        if self.limits is None and limits is not None:
            self.limits = limits
            self.session = replace(
                self.session,
                neck_limit_deg=limits.neck_deg,
                thoracic_limit_deg=limits.thoracic_deg,
                flexion_limit_deg=limits.flexion_deg,
                sink_limit_ratio=limits.sink_ratio,
            )

    def add_judged(self, judged: StepResult, until_utc_ms: int) -> None:
        """Add the time from the chapter's end until a moment, judged as one frame was, to its minutes."""
        from_ms = self.session.end_utc_ms
        values = (1.0, judged.neck_deviation_deg, judged.thoracic_deviation_deg, judged.slouch_ratio)
        while from_ms < until_utc_ms:
            minute_ms = from_ms // MINUTE_MS * MINUTE_MS
            to_ms = min(until_utc_ms, minute_ms + MINUTE_MS)
            if minute_ms != self._minute_ms:
                self._minute_ms, self._sums = minute_ms, [0.0, 0.0, 0.0, 0.0]
            weight_s = (to_ms - from_ms) / 1000.0
            self._sums = [total + value * weight_s for total, value in zip(self._sums, values, strict=True)]
            judged_s, *totals = self._sums
            means = (total / judged_s for total in totals)
            self.add(MinuteRow(0, minute_ms, self.session.utc_offset_s, judged_s, *means))
            from_ms = to_ms


class Chronicle:
    """Follow a run.

    Parameters
    ----------
    watch : Watch
        What is the same for the whole run.
    find_taken : callable
        Return the spans (UTC ms) of other sessions that end at or after a moment: they are not filled again.
    """

    def __init__(self, watch: Watch, find_taken: Callable[[int], Iterable[Span]]) -> None:
        self._watch, self._find_taken = watch, find_taken
        self.unwritten: list[Chapter] = []
        """Chapters that have changed since they were stored; whoever stores one takes it out and empties it."""
        self.is_taken = False
        """Whether the newest frame fell into a time that is in the history already, so that it was left out."""
        self._timeline = Timeline()
        self._stretch: Stretch | None = None
        self._taken: list[Span] = []
        self._own: list[Span] = []
        self._chapter: Chapter | None = None
        self._bouts = BoutTracker(watch.max_gap_s)
        self._previous: StepResult | None = None
        self._sat_until_s: float | None = None
        self._break: tuple[float, float] | None = None
        self._alerts: list[tuple[Chapter, AlertRow, float]] = []

    def step(self, result: StepResult, wall: Moment) -> None:
        """Take in one frame's result, and what the clock on the wall says."""
        stretch = self._timeline.step(result.t_s, wall)
        at_ms = stretch.utc_ms(result.t_s)
        if stretch is not self._stretch:
            self._end_chapter()
            self._stretch = stretch
            self._taken = [span for span in (*self._find_taken(at_ms), *self._own) if span[1] >= at_ms]
        known = self._watch.limits()
        limits = None if known is None else known[0]
        if self._break is None and self._is_judged_otherwise(limits):
            self._end_chapter()
        since_ms = at_ms if self._chapter is None else self._chapter.session.end_utc_ms
        self.is_taken = any(start <= at_ms and since_ms <= end for start, end in self._taken)
        if self.is_taken:
            self._end_chapter()
        else:
            self._record(result, stretch, at_ms, limits)
        self._previous = result

    def _is_judged_otherwise(self, limits: Thresholds | None) -> bool:
        """Return whether the chapter was written under other limits than these."""
        before = None if self._chapter is None else self._chapter.limits
        return before is not None and limits is not None and before != limits

    def _end_chapter(self) -> None:
        """Leave the chapter, if there is one; it ends with its newest frame."""
        if self._chapter is not None:
            self._own.append((self._chapter.session.start_utc_ms, self._chapter.session.end_utc_ms))
        self._chapter = None
        self._bouts.cut()

    def _record(self, result: StepResult, stretch: Stretch, at_ms: int, limits: Thresholds | None) -> None:
        """Put what is known after a frame into the chapter."""
        watch = self._watch
        previous = self._previous
        if self._chapter is None:
            previous = None
            session = SessionRow(
                0, at_ms, at_ms, stretch.utc_offset_s, watch.source, watch.profile, watch.placement
            )
            self._chapter = Chapter(session, stretch)
        chapter = self._chapter
        is_gap = previous is None or result.t_s - previous.t_s > watch.max_gap_s
        if previous is not None and not is_gap and not isnan(previous.slouch_ratio):
            chapter.add_judged(previous, at_ms)
        chapter.extend(at_ms, limits)
        ended = self._bouts.step(result)
        for bout in (ended, self._bouts.open):
            if bout is not None:
                chapter.add(_bout_row(bout, stretch))
        self._add_breaks(chapter, result, at_ms)
        self._follow_alerts(result)
        if result.alert is not None:
            self._add_alert(chapter, result, at_ms)
        self._keep(chapter)

    def _keep(self, chapter: Chapter) -> None:
        """Note that a chapter has to be stored."""
        if chapter not in self.unwritten:
            self.unwritten.append(chapter)

    def _add_breaks(self, chapter: Chapter, result: StepResult, at_ms: int) -> None:
        """Note a break that is due, and one that is being taken: the sitting clock has started anew."""
        stretch, offset_s = chapter.stretch, chapter.session.utc_offset_s
        if any(event.kind is EventKind.BREAK_DUE for event in result.events):
            chapter.add(BreakRow(0, 0, "due", at_ms, at_ms, offset_s, result.sat_s))
        if any(event.kind is EventKind.MICRO_BREAK_DUE for event in result.events):
            chapter.add(BreakRow(0, 0, "micro_due", at_ms, at_ms, offset_s, result.sat_s))
        sat_s = 0.0 if self._previous is None else self._previous.sat_s
        if result.sat_s < sat_s and self._sat_until_s is not None:
            is_break = result.t_s - self._sat_until_s >= self._watch.break_s
            self._break = (self._sat_until_s, sat_s) if is_break else None
        if result.sat_s > 0.0 and result.sat_s > sat_s:
            self._break, self._sat_until_s = None, result.t_s
        if self._break is not None:
            start_ms = max(stretch.utc_ms(self._break[0]), chapter.session.start_utc_ms)
            chapter.add(BreakRow(0, 0, "taken", start_ms, at_ms, offset_s, self._break[1]))

    def _add_alert(self, chapter: Chapter, result: StepResult, at_ms: int) -> None:
        """Note an alert and what it was given for."""
        known = self._watch.limits()
        assert result.alert is not None and known is not None, "an alert needs a baseline"
        limits, baseline_utc = known
        row = AlertRow(
            id=0,
            session_id=0,
            onset_utc_ms=min(chapter.stretch.utc_ms(result.alert.onset_s), at_ms),
            at_utc_ms=at_ms,
            utc_offset_s=chapter.session.utc_offset_s,
            slouched_s=result.alert.slouched_s,
            driver=result.driver,
            neck_deg=_number(result.neck_deviation_deg),
            thoracic_deg=_number(result.thoracic_deviation_deg),
            flexion_deg=_number(result.flexion_deviation_deg),
            sink_ratio=_number(result.sink_ratio),
            slouch_ratio=_number(result.slouch_ratio),
            neck_limit_deg=limits.neck_deg,
            thoracic_limit_deg=limits.thoracic_deg,
            flexion_limit_deg=limits.flexion_deg,
            sink_limit_ratio=limits.sink_ratio,
            baseline_utc=baseline_utc,
            recovered_utc_ms=None,
            trace_path=self._watch.trace_path,
            trace_t_s=result.t_s,
        )
        chapter.add(row)
        self._alerts.append((chapter, row, result.t_s))

    def _follow_alerts(self, result: StepResult) -> None:
        """Fill in when the slouch behind the alerts ended, or give up on them once it is forgotten."""
        if not self._alerts:
            return
        if result.state in (SlouchState.UPRIGHT, SlouchState.AWAY):
            onsets_s = (event.onset_s for event in result.events if event.kind in _ENDS)
            since_s = min(onsets_s, default=result.t_s)
            for chapter, row, t_s in self._alerts:
                recovered_ms = row.at_utc_ms + max(0, round((since_s - t_s) * 1000.0))
                chapter.add(replace(row, recovered_utc_ms=recovered_ms))
                self._keep(chapter)
            self._alerts = []
        elif result.slouched_s < self._alerts[-1][1].slouched_s:
            self._alerts = []


def _bout_row(bout: Bout, stretch: Stretch) -> BoutRow:
    """Return a bout as a row."""
    return BoutRow(
        0,
        0,
        bout.state,
        bout.reason,
        stretch.utc_ms(bout.start_s),
        stretch.utc_ms(bout.end_s),
        stretch.utc_offset_s,
        _number(bout.mean_neck_deg),
        _number(bout.max_neck_deg),
        _number(bout.mean_thoracic_deg),
        _number(bout.max_thoracic_deg),
        _number(bout.mean_slouch_ratio),
        _number(bout.max_slouch_ratio),
    )


def _number(value: float) -> float | None:
    """Return `value`, or None for NaN."""
    return None if isnan(value) else value
