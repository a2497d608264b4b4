"""Bouts added up by local day and hour, and the stretches sat. Pure; no I/O.

Days and hours are those of the clock on the wall where the person was: every row brings its own offset, so the hour
that daylight saving repeats is there twice and the one it skips is empty. A day is counted from 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from posture.history.rows import BoutRow, BoutSpan
from posture.slouch import Reason, SlouchState

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STATES = (SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.AWAY, SlouchState.UNKNOWN)
"""The order of the last axis of every table of times."""
UPRIGHT, SLOUCHING, AWAY, UNKNOWN = range(4)
# Without a picture nobody can tell who sits there: neither sitting nor a break, as in `breaks`.
UNSEEN = frozenset(
    {
        Reason.NO_PICTURE,
        Reason.CAMERA_COVERED,
        Reason.CAMERA_FROZEN,
        Reason.PAUSED,
        Reason.SCREEN_LOCKED,
        Reason.IDLE,
        Reason.IN_CALL,
        Reason.ON_BATTERY,
    }
)
_CODES = {state: code for code, state in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sitting without a break."""

    day: int
    """Local day it began on, days since 1970-01-01."""
    start_utc_ms: int
    sat_s: float
    """Time seen sitting, seconds; short absences do not count and do not end it."""


def local_day(utc_ms: int, utc_offset_s: int) -> int:
    """Return the day on the wall, days since 1970-01-01."""
    return (utc_ms + utc_offset_s * 1000) // DAY_MS


def utc_span_ms(first_day: int, last_day: int) -> tuple[int, int]:
    """Return a span of UTC milliseconds that holds these local days anywhere on Earth (UTC-12 to UTC+14)."""
    return first_day * DAY_MS - 14 * HOUR_MS, (last_day + 1) * DAY_MS + 12 * HOUR_MS


class Ledger:
    """Add up bouts, some at a time, in the order of time.

    Parameters
    ----------
    first_day, last_day : int
        Local days since 1970-01-01, both included; what lies outside is left out.
    away_s : float
        An absence this long is a break and ends the stretch sat, seconds (``breaks.away_s``).
    """

    def __init__(self, first_day: int, last_day: int, away_s: float) -> None:
        self.first_day, self.last_day = first_day, last_day
        self.ms: NDArray[np.int64] = np.zeros((last_day - first_day + 1, 24, len(STATES)), dtype=np.int64)
        """Milliseconds by day, hour of the day and state (`STATES`), shape (D, 24, 4)."""
        self._away_ms = away_s * 1000.0
        self._stretches: list[Stretch] = []
        self._start: tuple[int, int] | None = None
        self._sat_ms = self._seen_utc_ms = 0

    def add(self, bouts: Sequence[BoutRow] | Sequence[BoutSpan]) -> None:
        """Take bouts in, none of which begins before those already taken; an empty or reversed one counts nothing."""
        if not bouts:
            return
        rows = np.array(
            [(b.start_utc_ms, b.end_utc_ms, b.utc_offset_s, _CODES[b.state]) for b in bouts], dtype=np.int64
        )
        start = rows[:, 0] + rows[:, 2] * 1000
        end = rows[:, 1] + rows[:, 2] * 1000
        start = np.maximum(start, self.first_day * DAY_MS)
        end = np.minimum(end, (self.last_day + 1) * DAY_MS)
        is_some = end > start
        start, end, code = start[is_some], end[is_some], rows[is_some, 3]
        first_hour = start // HOUR_MS
        n_hours = (end - 1) // HOUR_MS - first_hour + 1
        which = np.repeat(np.arange(len(start)), n_hours)
        hour = first_hour[which] + np.arange(len(which)) - np.repeat(np.cumsum(n_hours) - n_hours, n_hours)
        piece = np.minimum(end[which], (hour + 1) * HOUR_MS) - np.maximum(start[which], hour * HOUR_MS)
        np.add.at(self.ms, (hour // 24 - self.first_day, hour % 24, code[which]), piece)
        is_seen = np.array([b.reason not in UNSEEN for b in bouts])
        self._sit(rows[is_seen & (rows[:, 3] != AWAY) & (rows[:, 1] > rows[:, 0])])

    def stretches(self) -> tuple[Stretch, ...]:
        """Return the stretches sat so far that began in these days, the one still open included."""
        found = self._stretches if self._start is None else [*self._stretches, self._stretch()]
        return tuple(s for s in found if self.first_day <= s.day <= self.last_day and s.sat_s > 0)

    def _sit(self, rows: NDArray[np.int64]) -> None:
        """Follow bouts in which somebody is seen, columns as in `add`, with the sitting clock.

        How long nobody was seen is what lies between a bout and those before it.
        """
        if not len(rows):
            return
        start, end, offset = rows[:, 0], rows[:, 1], rows[:, 2]
        seen = np.maximum.accumulate(end)
        before = np.concatenate(([self._seen_utc_ms], seen[:-1]))
        if self._start is not None:
            seen, before = np.maximum(seen, self._seen_utc_ms), np.maximum(before, self._seen_utc_ms)
        is_first = start - before >= self._away_ms
        is_first[0] |= self._start is None
        # A clock set back makes bouts overlap: what was seen already is not sat twice.
        sat = np.maximum(0, end - np.where(is_first, start, np.maximum(start, before)))
        edges = [0, *np.flatnonzero(is_first), len(rows)]
        for i, stop in pairwise(edges):
            if i < stop and is_first[i]:
                if self._start is not None:
                    self._stretches.append(self._stretch())
                self._start = (int(start[i]), local_day(int(start[i]), int(offset[i])))
                self._sat_ms = 0
            self._sat_ms += int(sat[i:stop].sum())
        self._seen_utc_ms = int(seen[-1])

    def _stretch(self) -> Stretch:
        """Return the open stretch as it is now."""
        assert self._start is not None
        return Stretch(self._start[1], self._start[0], self._sat_ms / 1000.0)
