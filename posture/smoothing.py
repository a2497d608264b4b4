"""One-euro smoothing with real time steps: steady while you sit still, quick when you move. Pure; no I/O.

Casiez, Roussel & Vogel, "1 Euro Filter", CHI 2012, doi:10.1145/2207676.2208639. The lag behind a steady
posture change is the time constant while still and falls towards zero with the speed of the change.
"""

from __future__ import annotations

from math import isfinite, nan, pi

SPEED_TAU_S = 0.5
"""Seconds; time constant of the speed estimate."""


class OneEuroFilter:
    """Smooth one quantity.

    Parameters
    ----------
    tau_s : float
        Time constant at rest, seconds; 0 = no smoothing.
    quickness : float
        Added cut-off frequency (Hz) per unit of the quantity and second of speed.
    max_gap_s : float
        After a longer hole the filter starts afresh.
    """

    def __init__(self, tau_s: float, quickness: float, max_gap_s: float) -> None:
        self.tau_s, self.quickness, self.max_gap_s = tau_s, quickness, max_gap_s
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._t_s: float | None = None
        self._raw = self._value = nan
        self._speed = 0.0

    def step(self, t_s: float, value: float) -> float:
        """Take one value in and return the smoothed one.

        Parameters
        ----------
        t_s : float
            Seconds, never decreasing.
        value : float
            NaN or infinite = not measured: the result is NaN and the past is kept until it is too old.
        """
        if not isfinite(value):
            return nan
        if self.tau_s == 0.0:
            return value
        if self._t_s is None or t_s - self._t_s > self.max_gap_s:
            self._t_s, self._raw, self._value, self._speed = t_s, value, value, 0.0
            return value
        dt_s = t_s - self._t_s
        if dt_s == 0.0:
            return self._value
        self._t_s = t_s
        # From value to value, not from the smoothed one as in the paper: its lag over a shorter step would be
        # taken for a higher speed, and the smoothing would depend on the frame rate (with the defaults, a drift of
        # 3 degrees a second came out 0.38 s late at 4 frames a second and 0.22 s at 30; now 0.49 s at either).
        self._speed += (dt_s / (dt_s + SPEED_TAU_S)) * ((value - self._raw) / dt_s - self._speed)
        self._raw = value
        cutoff_hz = 1.0 / (2.0 * pi * self.tau_s) + self.quickness * abs(self._speed)
        tau_s = 1.0 / (2.0 * pi * cutoff_hz)
        self._value += (dt_s / (dt_s + tau_s)) * (value - self._value)
        return self._value
