r"""Which alerts were asked for, and which were false. Pure; no I/O.

::

    must interval        start_s                          end_s
    slouching     ________/~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\____________
    an alert is       false   | met: from 2 s before      |..| false
                              | sustain has passed, to 1 s   neither, to 3 s after the end
                              | after the end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from posture.labels.labels import Duty, Interval

EARLY_S: Final = 2.0
"""Seconds before a slouch has lasted as long as asked for at which an alert counts: a label's edge is set by eye, and
the back-dated onset may lie before it (our choice, the same as the rendered clips are scored by)."""
LATE_S: Final = 1.0
"""Seconds after the end of a slouch at which an alert still counts (our choice, as above)."""
GRACE_S: Final = 3.0
"""Seconds after the end of a slouch at which an alert is not false: recovering takes ``judge.recovery_s``."""


@dataclass(frozen=True, slots=True)
class AlertMatch:
    """What became of the alerts, and of the intervals that asked for one."""

    must: tuple[Interval, ...]
    """Intervals that asked for an alert, by time."""
    late_s: tuple[float | None, ...]
    """For each of them: seconds from the moment its sustain had passed to its first alert; None = there was none."""
    due_s: tuple[float, ...]
    """Times of the alerts that were asked for."""
    false_s: tuple[float, ...]
    """Times of the false alerts; one that is neither came just after a slouch, or where labels say to ignore it."""

    @property
    def n_met(self) -> int:
        """Intervals that got their alert."""
        return sum(late_s is not None for late_s in self.late_s)


def match_alerts(alerts_s: Sequence[float], intervals: Sequence[Interval], *, sustain_s: float) -> AlertMatch:
    """Match alerts with the intervals of a clip.

    Parameters
    ----------
    alerts_s : sequence of float
        Times of the alerts, seconds, ascending.
    intervals : sequence of Interval
        Of one clip.
    sustain_s : float
        How long a slouch has to last before it is alerted (``alert.sustain_s``), seconds.

    Returns
    -------
    AlertMatch
        An interval is met by its first alert; a further one within it is not false.

    Raises
    ------
    ValueError
        If `sustain_s` is negative or not finite.
    """
    if not (isfinite(sustain_s) and sustain_s >= 0.0):
        raise ValueError(f"sustain_s is {sustain_s:g}; a time of 0 s or more is needed")
    must = sorted((i for i in intervals if i.duty is Duty.MUST), key=lambda i: i.start_s)
    ignored = [i for i in intervals if i.duty is Duty.IGNORE]
    late_s: list[float | None] = []
    due_s: set[float] = set()
    for interval in must:
        passed_s = interval.start_s + sustain_s
        met = [t_s for t_s in alerts_s if passed_s - EARLY_S <= t_s <= interval.end_s + LATE_S]
        late_s.append(met[0] - passed_s if met else None)
        due_s.update(met)
    false_s = [
        t_s
        for t_s in alerts_s
        if not any(i.start_s + sustain_s - EARLY_S <= t_s <= i.end_s + GRACE_S for i in must)
        and not any(i.start_s <= t_s <= i.end_s for i in ignored)
    ]
    return AlertMatch(tuple(must), tuple(late_s), tuple(sorted(due_s)), tuple(false_s))


def is_meetable(interval: Interval, sustain_s: float) -> bool:
    """Return whether an alert can come in time at all: a slouch shorter than its sustain is not alerted."""
    return interval.start_s + sustain_s - EARLY_S <= interval.end_s + LATE_S
