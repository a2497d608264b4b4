"""From the history to a report: which rows are read, some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posture.history.rows import AlertRow, BoutRow, FeedbackRow, MinuteRow, SessionRow
from posture.history.store import History
from posture.report.day import DayCourse, make_course
from posture.report.figures import Figures, make_figures, new_ledger
from posture.report.ledger import DAY_MS, Ledger, local_day, utc_span_ms

LAST_DAYS = 14
"""Days whose course is shown one by one, the newest: what fits a screen. Our choice."""
_CHUNK_MS = 90 * DAY_MS  # read at a time, so that ten years need no more memory than a season


@dataclass(frozen=True, slots=True)
class Report:
    """All that a page or the terminal shows."""

    figures: Figures
    courses: tuple[DayCourse, ...]
    """The last days of the span, oldest first, those without a record too."""
    sessions: Sequence[SessionRow]
    alerts: Sequence[AlertRow]
    feedback: Sequence[FeedbackRow]
    """Rows of the span; those of a day more at either end may be among them."""
    newest_utc_ms: int | None
    """The newest moment in the whole history; None = it is empty."""


def read_report(history: History, first_day: int, last_day: int, away_s: float) -> Report:
    """Return the report of the local days `first_day` to `last_day`, both included.

    Parameters
    ----------
    history : History
        Read only.
    first_day, last_day : int
        Days since 1970-01-01.
    away_s : float
        An absence this long is a break, seconds (``breaks.away_s``).

    Raises
    ------
    HistoryError
        If it cannot be read.
    """
    ledger = new_ledger(first_day, last_day, away_s)
    _fill(ledger, history)
    wide, narrow = utc_span_ms(ledger.first_day, last_day), utc_span_ms(first_day, last_day)
    alerts, breaks = history.alerts(*wide), history.breaks(*wide)
    # What is said about an alert is said after it, perhaps days later.
    feedback = history.feedback(narrow[0])
    span = history.span()
    return Report(
        make_figures(first_day, last_day, ledger, alerts, breaks, feedback),
        _courses(history, max(first_day, last_day - LAST_DAYS + 1), last_day),
        history.sessions(*narrow),
        [a for a in alerts if a.at_utc_ms >= narrow[0]],
        feedback,
        None if span is None else span[1],
    )


def _fill(ledger: Ledger, history: History) -> None:
    """Read the bouts of a ledger into it."""
    start, end = utc_span_ms(ledger.first_day, ledger.last_day)
    known = history.span()
    if known is None:
        return
    first = start = max(start, known[0] // DAY_MS * DAY_MS)
    end = min(end, known[1] + 1)
    while start < end:
        bouts = history.bout_spans(start, min(start + _CHUNK_MS, end))
        # One that began before this part came with the part before.
        ledger.add([b for b in bouts if start == first or b.start_utc_ms >= start])
        start += _CHUNK_MS


def _courses(history: History, first_day: int, last_day: int) -> tuple[DayCourse, ...]:
    """Return single days."""
    span = utc_span_ms(first_day, last_day)
    bouts, minutes = history.bouts(*span), history.minutes(*span)
    alerts, breaks, sessions = history.alerts(*span), history.breaks(*span), history.sessions(*span)
    # Sorted out beforehand: every day would look at the rows of all the others.
    bouts_of: dict[int, list[BoutRow]] = {}
    for bout in bouts:
        begins, ends = (local_day(ms, bout.utc_offset_s) for ms in (bout.start_utc_ms, bout.end_utc_ms))
        for day in range(max(begins, first_day), min(ends, last_day) + 1):
            bouts_of.setdefault(day, []).append(bout)
    minutes_of: dict[int, list[MinuteRow]] = {}
    for minute in minutes:
        minutes_of.setdefault(local_day(minute.start_utc_ms, minute.utc_offset_s), []).append(minute)
    return tuple(
        make_course(d, bouts_of.get(d, []), minutes_of.get(d, []), alerts, breaks, sessions)
        for d in range(first_day, last_day + 1)
    )
