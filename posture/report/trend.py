"""Whether the share of time upright goes up or down over the weeks, and how sure that is. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

MIN_WEEKS = 4
"""Fewer say nothing: with 3, even the clearest order comes about by chance one time in three. Our choice."""
MIN_JUDGED_S = 2 * 3600.0
"""A week judged for less is left out of the trend: two sittings, or one afternoon. Our choice."""
_CLEAR_Z = 1.96  # 95 %, two-sided


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight course through the weeks."""

    n_weeks: int
    """Weeks it is made of: those with enough judged."""
    share_per_week: float
    """Change of the upright share of the judged time, 1 a week; NaN if there are too few weeks."""
    is_clear: bool
    """Whether it can be told from chance (95 %)."""


def find_trend(weeks: Sequence[float], shares: Sequence[float]) -> Trend:
    """Return the median slope through (week, share), and whether the order of the shares is more than chance.

    Parameters
    ----------
    weeks : sequence of float
        Numbers of the weeks, ascending, without those that have too little judged.
    shares : sequence of float
        Upright share of their judged time, 0..1.

    References
    ----------
    Slope: Theil 1950, Sen 1968. Test: Mann 1945, Kendall 1975, with the correction for continuity and without that
    for ties, which makes it more careful.
    """
    n = len(weeks)
    if n < MIN_WEEKS:
        return Trend(n, float("nan"), False)
    later, earlier = np.triu_indices(n, k=1)[::-1]
    x, y = np.asarray(weeks, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    slopes = (y[later] - y[earlier]) / (x[later] - x[earlier])
    score = float(np.sum(np.sign(y[later] - y[earlier])))
    spread = sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
    return Trend(n, float(np.median(slopes)), max(abs(score) - 1.0, 0.0) / spread > _CLEAR_Z)
