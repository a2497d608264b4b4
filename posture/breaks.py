"""The sitting clock: presence before the camera, not mouse activity, says how long you have sat. Pure; no I/O.

::

    present    ppppppppp..ppppppppppppp.........pppp     short absences do not count as a break
    sat_s      0 ---------------------> 45 min           stands still while nobody is there
    break_due                        ^                   absence of away_s or more: back to 0
"""

from __future__ import annotations

from posture.settings import BreakSettings


class SittingClock:
    """Count sitting time and say when a movement break is due.

    Parameters
    ----------
    settings : BreakSettings
        See its annotations.
    """

    def __init__(self, settings: BreakSettings) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Start from a person who has just sat down."""
        self.sat_s = 0.0
        """Time sat since the last break, seconds."""
        self._t_s: float | None = None
        self._was_present: bool | None = None
        self._absent_s = 0.0
        self._due_at_s = self.settings.interval_s

    def step(self, t_s: float, is_present: bool | None) -> bool:
        """Take one frame in and return whether a break reminder is due now.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        is_present : bool or None
            Whether somebody sits there; None = nobody can tell (no picture): neither sitting nor a break.
        """
        dt_s = 0.0 if self._t_s is None else t_s - self._t_s
        self._t_s = t_s
        was_present, self._was_present = self._was_present, is_present
        if dt_s >= self.settings.away_s:  # suspended or unplugged: nobody watched, and it was long
            self._restart()
            dt_s = 0.0
        if is_present is None:
            return False
        if not is_present:
            if was_present is not None:
                self._absent_s += dt_s
            if self._absent_s >= self.settings.away_s:
                self._restart()
            return False
        if was_present:
            self.sat_s += dt_s
        self._absent_s = 0.0
        if not self.settings.enabled or self.sat_s < self._due_at_s:
            return False
        self._due_at_s = self.sat_s + self.settings.repeat_s
        return True

    def _restart(self) -> None:
        """Begin a new stretch of sitting."""
        self.sat_s = 0.0
        self._absent_s = 0.0
        self._due_at_s = self.settings.interval_s
