"""Times in every state, by day, week and month. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from posture.history.rows import AlertRow, BreakRow
from posture.report.ledger import Ledger, local_day

ENOUGH_DAY_S = 1800.0
"""A day judged for less is shown and called too little to say much. Our choice."""


class Sufficiency(StrEnum):
    """How much of a day there is to go by."""

    NONE = "none"
    LITTLE = "little"
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds in every state."""

    upright_s: float
    slouching_s: float
    away_s: float
    unknown_s: float

    @property
    def judged_s(self) -> float:
        """Return the time judged."""
        return self.upright_s + self.slouching_s

    @property
    def total_s(self) -> float:
        """Return the time the monitor ran."""
        return self.judged_s + self.away_s + self.unknown_s

    @property
    def upright_share(self) -> float:
        """Return the upright share of the judged time, 0..1; NaN if nothing was judged."""
        return self.upright_s / self.judged_s if self.judged_s > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Period:
    """A day, week or month."""

    first_day: int
    last_day: int
    """Local days since 1970-01-01, both included."""
    times: Times
    n_alerts: int
    n_breaks: int
    """Breaks taken."""
    n_reminders: int
    """Movement breaks that were due."""
    longest_sat_s: float
    """The longest stretch that began in it."""

    @property
    def sufficiency(self) -> Sufficiency:
        """Return how much there is to go by."""
        if self.times.total_s <= 0:
            return Sufficiency.NONE
        return Sufficiency.ENOUGH if self.times.judged_s >= ENOUGH_DAY_S else Sufficiency.LITTLE


def day_of(utc_ms: int, row: AlertRow | BreakRow) -> int:
    """Return the local day of a moment of a row."""
    return local_day(utc_ms, row.utc_offset_s)


def week_of(day: int) -> int:
    """Return a number that the days of one week, Monday to Sunday, share."""
    return (day + 3) // 7


def month_of(day: int) -> int:
    """Return a number that the days of one calendar month share."""
    return int(np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64))


def to_times(ms: NDArray[np.int64]) -> Times:
    """Return milliseconds by state as times."""
    return Times(*(float(value) / 1000.0 for value in ms))


class Counts:
    """What happened on each day of a ledger, arrays over its days."""

    def __init__(self, ledger: Ledger, alerts: Sequence[AlertRow], breaks: Sequence[BreakRow]) -> None:
        self.first_day = ledger.first_day
        n_days = len(ledger.ms)
        self.ms = ledger.ms.sum(axis=1)
        self.alerts, self.breaks, self.reminders = (np.zeros(n_days, dtype=np.int64) for _ in range(3))
        self.longest_s = np.zeros(n_days)
        places = [(self.alerts, day_of(a.at_utc_ms, a)) for a in alerts]
        kinds = {"taken": self.breaks, "due": self.reminders}
        places += [(kinds[b.kind], day_of(b.start_utc_ms, b)) for b in breaks if b.kind in kinds]
        for array, day in places:
            if 0 <= day - self.first_day < n_days:
                array[day - self.first_day] += 1
        for stretch in ledger.stretches():
            at = stretch.day - self.first_day
            self.longest_s[at] = max(self.longest_s[at], stretch.sat_s)

    def period(self, first_day: int, last_day: int) -> Period:
        """Return the days from `first_day` to `last_day` as one period."""
        days = slice(first_day - self.first_day, last_day + 1 - self.first_day)
        return Period(
            first_day,
            last_day,
            to_times(self.ms[days].sum(axis=0)),
            int(self.alerts[days].sum()),
            int(self.breaks[days].sum()),
            int(self.reminders[days].sum()),
            float(self.longest_s[days].max()),
        )


def group(counts: Counts, first_day: int, last_day: int, key: Callable[[int], int]) -> tuple[Period, ...]:
    """Return the days grouped by consecutive equal keys."""
    starts = [d for d in range(first_day, last_day + 1) if d == first_day or key(d) != key(d - 1)]
    ends = [start - 1 for start in starts[1:]] + [last_day]
    return tuple(counts.period(start, end) for start, end in zip(starts, ends, strict=True))
