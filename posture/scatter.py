"""How much the slouch ratio scatters from frame to frame, and how far it must come back because of it. Pure; no I/O.

The estimator's standard error is the error against the truth. Most of it stays the same from frame to frame, as long as
the posture does: it moves the way into a slouch and the way out of it alike, and says nothing about flicker. What
makes a state flicker is the rest, which is measured here while the monitor runs: how far a frame lies from the line
between its neighbours, which neither a steady posture nor a steady change moves.
"""

from __future__ import annotations

from collections import deque
from math import hypot, isnan
from typing import Final

MEDIAN_TO_SD: Final = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
N_FRAMES: Final = 31
"""Newest frames whose median is taken: half of them may be movement."""
MIN_FRAMES: Final = 8
"""Frames before which nothing is told (our choice)."""
MAX_SPAN_S: Final = 1.1
"""Seconds from the first to the last of three frames beyond which people have moved rather than pixels: frames as far
apart as a camera's usual looks count, rarer ones don't (our choice)."""
WIDTH_SDS: Final = 6.0
"""Standard deviations between becoming a slouch and being none any more: 3 either way, 1 in 700 frames by chance."""
LOWEST_RELEASE: Final = 0.6
"""Share of the threshold below which scatter never puts the end of a slouch: upright again after one reads up to 0.55
on the bench's clips, and a slouch must end."""


class Scatter:
    """Follow the scatter of one quantity."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._points: deque[tuple[float, float]] = deque(maxlen=3)
        self._residuals: deque[float] = deque(maxlen=N_FRAMES)
        self.sd = 0.0
        """Standard deviation of a single frame; 0 = not known yet."""

    def step(self, t_s: float, value: float) -> float:
        """Take one frame in and return :attr:`sd`.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        value : float
            Before any smoothing; NaN = not measured. The very same value again is a frame that was not looked at.
        """
        if isnan(value):
            self._points.clear()
            return self.sd
        if self._points and (value == self._points[-1][1] or t_s <= self._points[-1][0]):
            return self.sd
        self._points.append((t_s, value))
        if len(self._points) == 3 and t_s - self._points[0][0] <= MAX_SPAN_S:
            (t0, v0), (t1, v1), (t2, v2) = self._points
            w0, w2 = (t2 - t1) / (t2 - t0), (t1 - t0) / (t2 - t0)
            self._residuals.append(abs(v1 - w0 * v0 - w2 * v2) / hypot(1.0, w0, w2))
            if len(self._residuals) >= MIN_FRAMES:
                self.sd = MEDIAN_TO_SD * sorted(self._residuals)[len(self._residuals) // 2]
        return self.sd


def release_ratio(setting: float, sd: float) -> float:
    """Return the slouch ratio below which a slouch is over.

    Parameters
    ----------
    setting : float
        `judge.release_ratio`: never above this.
    sd : float
        The ratio's scatter, as :class:`Scatter` has it.
    """
    return min(setting, max(LOWEST_RELEASE, 1.0 - WIDTH_SDS * sd))
