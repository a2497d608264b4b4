"""The figures of a report, from the history's rows. Pure; no I/O.

Shares are of the *judged* time, upright and slouching together: who is away or cannot be judged is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posture.history.rows import AlertRow, BreakRow, FeedbackRow
from posture.report.ledger import (
    SLOUCHING,
    Ledger,
    Stretch,
)
from posture.report.periods import Counts, Period, Times, day_of, group, month_of, to_times, week_of
from posture.report.trend import MIN_JUDGED_S, Trend, find_trend

MAX_DAYS, MAX_WEEKS = 31, 26
"""A longer span is shown in weeks, a yet longer one in months: more columns are not read. Our choice."""
TREND_WEEKS = 12
"""Weeks looked back on at least: a season. Our choice."""
ENOUGH_HOUR_S = 1800.0
"""An hour of the day judged for less in all is called neither best nor worst. Our choice."""
ENOUGH_HOUR_DAYS = 3
"""An hour of the day is called best or worst only if it was judged on so many days. Our choice."""
LENGTHS_S = (1800.0, 2700.0, 3600.0, 5400.0)
"""Borders between short and long stretches sat, seconds; HSE L26 advises a break every 30 to 60 minutes."""
RESPONSES_S = (15.0, 60.0, 300.0)
"""Borders between quick and slow recoveries after an alert, seconds; a static posture is one of a minute (RULA)."""


_UNITS: dict[str, Callable[[int], int]] = {"day": int, "week": week_of, "month": month_of}


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day, over all days."""

    hour: int
    times: Times
    n_days: int
    """Days on which anything was judged in it."""


@dataclass(frozen=True, slots=True)
class Response:
    """What followed the alerts."""

    n_alerts: int
    n_recovered: int
    """Alerts after which the end of the slouch was seen."""
    median_s: float
    """From the alert to the end of the slouch, over those; NaN if there was none."""
    counts: tuple[int, ...]
    """Recoveries below each border of `RESPONSES_S`, beyond the last, and those not seen; sums to `n_alerts`."""
    n_wrong: int
    """Alerts the person called wrong."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a report shows of a span of days, but the course of single days."""

    first_day: int
    last_day: int
    total: Times
    before: Times
    """The span of the same length just before; all 0 if nothing was recorded or it was not looked at."""
    days: tuple[Period, ...]
    weeks: tuple[Period, ...]
    """From Monday to Sunday, `TREND_WEEKS` of them at least; those at the ends may be cut."""
    periods: tuple[Period, ...]
    """The span in days, weeks (over 31 days) or calendar months (over 26 weeks): a chart's worth of them."""
    unit: str
    """``day``, ``week`` or ``month``: what `periods` are."""
    hours: tuple[Hour, ...]
    best: Hour | None
    worst: Hour | None
    """Hours with the most and the least upright share; None if too little was judged to say."""
    response: Response
    stretches: tuple[Stretch, ...]
    stretch_counts: tuple[int, ...]
    """Stretches shorter than each border of `LENGTHS_S`, and beyond the last."""
    sat_s: float
    n_breaks: int
    n_reminders: int
    """Movement breaks that were due."""
    n_pauses: int
    """Short pauses suggested: what became of them is not seen, so they are in none of the other counts."""
    trend: Trend


def new_ledger(first_day: int, last_day: int, away_s: float) -> Ledger:
    """Return an empty ledger that reaches back far enough for the comparison and the trend."""
    n_days = last_day - first_day + 1
    return Ledger(min(first_day - n_days, _trend_start(first_day, last_day)), last_day, away_s)


def _trend_start(first_day: int, last_day: int) -> int:
    """Return the first day of the weeks looked back on: a Monday, or the first day of a longer span."""
    monday = last_day - (last_day + 3) % 7  # 1970-01-01 was a Thursday
    return min(first_day, monday - 7 * (TREND_WEEKS - 1))


def make_figures(
    first_day: int,
    last_day: int,
    ledger: Ledger,
    alerts: Sequence[AlertRow] = (),
    breaks: Sequence[BreakRow] = (),
    feedback: Sequence[FeedbackRow] = (),
) -> Figures:
    """Return the figures of the local days `first_day` to `last_day`, both included.

    Parameters
    ----------
    first_day, last_day : int
        Days since 1970-01-01.
    ledger : Ledger
        With every bout of these days, of `new_ledger`'s reach; rows outside the span are left out here.
    alerts, breaks, feedback
        Rows of the ledger's reach, in any order.
    """
    counts = Counts(ledger, alerts, breaks)
    start = first_day - ledger.first_day
    n_days = last_day - first_day + 1
    unit = "day" if n_days <= MAX_DAYS else "week" if n_days <= 7 * MAX_WEEKS else "month"
    inside = ledger.ms[start:]
    weeks = group(counts, _trend_start(first_day, last_day), last_day, week_of)
    enough = [week for week in weeks if week.times.judged_s >= MIN_JUDGED_S]
    hours = tuple(
        Hour(
            h, to_times(inside[:, h].sum(axis=0)), int(np.sum(inside[:, h, : SLOUCHING + 1].sum(axis=1) > 0))
        )
        for h in range(24)
    )
    best, worst = _extremes(hours)
    stretches = tuple(s for s in ledger.stretches() if s.day >= first_day)
    taken, due, pauses = (
        [b for b in breaks if b.kind == kind and first_day <= day_of(b.start_utc_ms, b) <= last_day]
        for kind in ("taken", "due", "micro_due")
    )
    return Figures(
        first_day,
        last_day,
        to_times(inside.sum(axis=(0, 1))),
        to_times(ledger.ms[max(0, start - n_days) : start].sum(axis=(0, 1))),
        group(counts, first_day, last_day, _UNITS["day"]),
        weeks,
        group(counts, first_day, last_day, _UNITS[unit]),
        unit,
        hours,
        best,
        worst,
        _response([a for a in alerts if first_day <= day_of(a.at_utc_ms, a) <= last_day], feedback),
        stretches,
        _histogram([s.sat_s for s in stretches], LENGTHS_S),
        sum(s.sat_s for s in stretches),
        len(taken),
        len(due),
        len(pauses),
        find_trend([(w.first_day + 3) // 7 for w in enough], [w.times.upright_share for w in enough]),
    )


def _extremes(hours: Sequence[Hour]) -> tuple[Hour | None, Hour | None]:
    """Return the best and the worst of the hours with enough judged, if there are two that differ."""
    known = [h for h in hours if h.times.judged_s >= ENOUGH_HOUR_S and h.n_days >= ENOUGH_HOUR_DAYS]
    if not known:
        return None, None
    best = max(known, key=lambda h: h.times.upright_share)
    worst = min(known, key=lambda h: h.times.upright_share)
    return (None, None) if best.times.upright_share == worst.times.upright_share else (best, worst)


def _response(alerts: Sequence[AlertRow], feedback: Sequence[FeedbackRow]) -> Response:
    """Return what followed these alerts; of several words on one alert the newest counts."""
    took_s = [
        (a.recovered_utc_ms - a.at_utc_ms) / 1000.0
        for a in alerts
        if a.recovered_utc_ms is not None and a.recovered_utc_ms >= a.at_utc_ms
    ]
    verdicts = {f.alert_id: f.verdict for f in sorted(feedback, key=lambda f: (f.at_utc_ms, f.id))}
    return Response(
        len(alerts),
        len(took_s),
        float(np.median(took_s)) if took_s else float("nan"),
        (*_histogram(took_s, RESPONSES_S), len(alerts) - len(took_s)),
        sum(verdicts.get(a.id) == "wrong" for a in alerts),
    )


def _histogram(values: Sequence[float], borders: Sequence[float]) -> tuple[int, ...]:
    """Return how many values lie below each border, from the one before on, and beyond the last."""
    bins = np.searchsorted(np.asarray(borders), np.asarray(values, dtype=np.float64), side="right")
    return tuple(int(n) for n in np.bincount(bins, minlength=len(borders) + 1))
