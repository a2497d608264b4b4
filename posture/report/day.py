"""The course of single days: deviation by the minute, limits, states, alerts, breaks. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posture.history.rows import AlertRow, BoutRow, BreakRow, MinuteRow, SessionRow
from posture.report.ledger import DAY_MS, local_day
from posture.slouch import SlouchState

MINUTE_MS = 60_000
MIN_JUDGED_S = 10.0
"""A minute judged for less is no point of the curve: a glance is not a posture. Our choice."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one uninterrupted course."""

    minute: tuple[float, ...]
    """Minutes since local midnight, to the middle of each."""
    neck_deg: tuple[float, ...]
    thoracic_deg: tuple[float, ...]
    """Mean deviation from upright, degrees, forward positive."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A period in one state."""

    state: SlouchState
    start_minute: float
    end_minute: float
    """Minutes since local midnight."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What counted as a slouch for a while."""

    start_minute: float
    end_minute: float
    """Minutes since local midnight."""
    neck_deg: float
    thoracic_deg: float
    """Degrees further forward than upright."""


@dataclass(frozen=True, slots=True)
class HourMean:
    """The judged minutes of one hour."""

    hour: int
    judged_s: float
    neck_deg: float
    thoracic_deg: float
    slouch_share: float
    """Mean share of the limit, 1 = at it."""


@dataclass(frozen=True, slots=True)
class DayCourse:
    """One local day."""

    day: int
    """Days since 1970-01-01."""
    curves: tuple[Curve, ...]
    strips: tuple[Strip, ...]
    alerts_minute: tuple[float, ...]
    breaks_minute: tuple[tuple[float, float], ...]
    """Breaks taken, from and to, minutes since local midnight."""
    hours: tuple[HourMean, ...]
    limits: tuple[Limits, ...]
    """In the order of time; none where they are not known."""
    n_offsets: int
    """How many different offsets from UTC the day had; 2 when the clocks changed or the computer travelled."""


def make_course(
    day: int,
    bouts: Sequence[BoutRow],
    minutes: Sequence[MinuteRow],
    alerts: Sequence[AlertRow] = (),
    breaks: Sequence[BreakRow] = (),
    sessions: Sequence[SessionRow] = (),
) -> DayCourse:
    """Return the course of one local day; rows of other days are left out, those across midnight are cut.

    Parameters
    ----------
    day : int
        Days since 1970-01-01.
    bouts, minutes, alerts, breaks, sessions
        Rows around this day, in the order of time.
    """
    inside = [m for m in minutes if local_day(m.start_utc_ms, m.utc_offset_s) == day and m.judged_s > 0]
    strips = []
    for bout in bouts:
        start = max(0.0, _minute(bout.start_utc_ms, bout.utc_offset_s, day))
        end = min(float(DAY_MS // MINUTE_MS), _minute(bout.end_utc_ms, bout.utc_offset_s, day))
        if end > start:
            strips.append(Strip(bout.state, start, end))
    offsets = {row.utc_offset_s for row in inside}
    offsets |= {b.utc_offset_s for b in bouts if local_day(b.start_utc_ms, b.utc_offset_s) == day}
    return DayCourse(
        day,
        _curves(day, inside),
        tuple(strips),
        tuple(
            _minute(a.at_utc_ms, a.utc_offset_s, day)
            for a in alerts
            if local_day(a.at_utc_ms, a.utc_offset_s) == day
        ),
        tuple(
            (_minute(b.start_utc_ms, b.utc_offset_s, day), _minute(b.end_utc_ms, b.utc_offset_s, day))
            for b in breaks
            if b.kind == "taken" and local_day(b.start_utc_ms, b.utc_offset_s) == day
        ),
        _hours(day, inside),
        _limits(day, sessions),
        len(offsets),
    )


def _limits(day: int, sessions: Sequence[SessionRow]) -> tuple[Limits, ...]:
    """Return the limits of the sessions, cut to the day."""
    found = []
    for s in sessions:
        start = max(0.0, _minute(s.start_utc_ms, s.utc_offset_s, day))
        end = min(float(DAY_MS // MINUTE_MS), _minute(s.end_utc_ms, s.utc_offset_s, day))
        if end > start and s.neck_limit_deg is not None and s.thoracic_limit_deg is not None:
            found.append(Limits(start, end, s.neck_limit_deg, s.thoracic_limit_deg))
    return tuple(found)


def _minute(utc_ms: int, utc_offset_s: int, day: int) -> float:
    """Return a moment in minutes since midnight of a local day."""
    return (utc_ms + utc_offset_s * 1000 - day * DAY_MS) / MINUTE_MS


def _curves(day: int, rows: Sequence[MinuteRow]) -> tuple[Curve, ...]:
    """Return the minutes judged for long enough as courses, broken where a minute or the clock is missing."""
    runs: list[list[MinuteRow]] = []
    for row in rows:
        if row.judged_s < MIN_JUDGED_S:
            continue
        last = runs[-1][-1] if runs else None
        is_next = (
            last is not None
            and row.start_utc_ms - last.start_utc_ms == MINUTE_MS
            and row.utc_offset_s == last.utc_offset_s
        )
        if is_next:
            runs[-1].append(row)
        else:
            runs.append([row])
    return tuple(
        Curve(
            tuple(_minute(r.start_utc_ms, r.utc_offset_s, day) + 0.5 for r in run),
            tuple(r.neck_deg for r in run),
            tuple(r.thoracic_deg for r in run),
        )
        for run in runs
    )


def _hours(day: int, rows: Sequence[MinuteRow]) -> tuple[HourMean, ...]:
    """Return means by hour of the day, weighed by how long each minute was judged."""
    sums: dict[int, list[float]] = {}
    for r in rows:
        hour = int(_minute(r.start_utc_ms, r.utc_offset_s, day) // 60)
        total = sums.setdefault(hour, [0.0, 0.0, 0.0, 0.0])
        for i, value in enumerate((1.0, r.neck_deg, r.thoracic_deg, r.slouch_ratio)):
            total[i] += r.judged_s * value
    return tuple(
        HourMean(hour, judged, neck / judged, thoracic / judged, ratio / judged)
        for hour, (judged, neck, thoracic, ratio) in sorted(sums.items())
    )
