"""The sitting clock: presence before the camera, not mouse activity, says how long you have sat. Pure; no I/O.

::

    seen       ppppppppp..ppppppppppppp.....p...pppp     short absences do not count as a break
    sat_s      0 ---------------------> 45 min           stands still while nobody is there
    due                    ^ micro      ^ movement       absence of away_s or more: back to 0
                                             ^           a passer-by before the empty chair is no return

Who was away is back once seen in the place for 10 s, and that time then counts from its first moment; before that,
and if it ends sooner, it is absence like the rest. Somebody elsewhere in the picture is back when that lasts as
long as a break. While the person sits, whoever else passes by changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

from posture.judging import Presence
from posture.settings import BreakSettings

LEFT_S = 3.0
"""Seconds of an empty chair that are more than a detection missed: the default of `judge.away_after_s`."""
RETURN_S = 10.0
"""Seconds in the place that are more than passing by or fetching something (our choice)."""
MICRO_MARGIN_S = 300.0
"""Seconds before a movement break in which a micro-break is not worth a word (our choice)."""


class BreakKind(StrEnum):
    """Which break is due."""

    MICRO = "micro"
    """Some 20-30 seconds, at the desk: eyes, hands, standing tall."""
    MOVEMENT = "movement"
    """A minute or more on your feet; after standing: a change."""


class SittingClock:
    """Count the time in one position and say when a break is due.

    Parameters
    ----------
    settings : BreakSettings
        See its annotations.
    is_standing : bool
        Whether the person stands at the desk: that time is not sitting and has an interval of its own.
    """

    def __init__(self, settings: BreakSettings, *, is_standing: bool = False) -> None:
        self.settings = settings
        self.is_standing = is_standing
        self.reset()

    def reset(self) -> None:
        """Start from a person who has just sat down, or stood up to work standing."""
        self.position_s = 0.0
        """Time in this position since the last break, seconds."""
        self._micro_s = 0.0
        self._due_at_s = self._interval_s
        self._t_s: float | None = None
        self._was = Presence.UNSEEN
        self._is_gone = False
        self._absent_s = 0.0
        self._forget_passer_by()

    @property
    def sat_s(self) -> float:
        """Time sat since the last break, seconds."""
        return 0.0 if self.is_standing else self.position_s

    @property
    def stood_s(self) -> float:
        """Time stood at the desk since the last break, seconds."""
        return self.position_s if self.is_standing else 0.0

    def set_standing(self, is_standing: bool) -> None:
        """Tell that the person sits or stands from now on; changing is a break from what was before."""
        if is_standing is not self.is_standing:
            self.is_standing = is_standing
            self._begin()
            self._micro_s = 0.0

    def step(self, t_s: float, presence: Presence, *, is_held: bool = False) -> BreakKind | None:
        """Take one frame in and return which reminder is due now, if any.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        presence : Presence
            Who is there; UNSEEN = nobody can tell (no picture): neither sitting nor a break.
        is_held : bool
            Whether this is no moment for a reminder (a snooze, quiet hours, just after an alert): what is due
            then is due when it is over.
        """
        dt_s = 0.0 if self._t_s is None else t_s - self._t_s
        self._t_s = t_s
        was, self._was = self._was, presence
        if dt_s >= self.settings.away_s:  # suspended or unplugged: nobody watched, and it was long
            self._begin()
            self._micro_s = dt_s = 0.0
            self._is_gone = True  # whoever is there now has to be seen for a while, like anyone coming back
            self._forget_passer_by()
        if presence is Presence.UNSEEN:
            return None
        if presence is Presence.NOBODY:
            self._miss(0.0 if was is Presence.UNSEEN else dt_s)
            return None
        self._see(presence, dt_s if was in (Presence.SEATED, Presence.ELSEWHERE) else 0.0)
        return None if self._is_gone or is_held else self._find_due()

    def _see(self, presence: Presence, dt_s: float) -> None:
        """Take in that somebody has been there for `dt_s`."""
        self._hole_s = 0.0
        if self._is_gone:
            self._seen_s += dt_s
            self._seated_s += dt_s if presence is Presence.SEATED else 0.0
            if self._seated_s < RETURN_S and self._seen_s < self.settings.away_s:
                return
            dt_s, self._is_gone = self._seen_s, False
            self._forget_passer_by()
        self._absent_s = 0.0
        self.position_s += dt_s
        self._micro_s += dt_s

    def _miss(self, dt_s: float) -> None:
        """Take in that nobody has been there for `dt_s`."""
        self._absent_s += dt_s
        self._hole_s += dt_s
        if self._is_gone and self._hole_s >= LEFT_S:  # whoever was there has gone by: all of it was absence
            self._absent_s += self._seen_s
            self._forget_passer_by()
        self._is_gone = self._is_gone or self._absent_s >= LEFT_S
        if self._absent_s >= self.settings.micro_away_s:
            self._micro_s = 0.0
        if self._absent_s >= self.settings.away_s:
            self._begin()
            self._micro_s = 0.0

    def _find_due(self) -> BreakKind | None:
        """Return the reminder that is due after this frame."""
        s = self.settings
        if not s.enabled:
            return None
        if self.position_s >= self._due_at_s:
            self._due_at_s = self.position_s + s.repeat_s
            self._micro_s = 0.0
            return BreakKind.MOVEMENT
        is_long = 0.0 < s.micro_interval_s <= self._micro_s
        if not is_long or self._due_at_s - self.position_s <= MICRO_MARGIN_S:
            return None
        self._micro_s = 0.0
        return BreakKind.MICRO

    @property
    def _interval_s(self) -> float:
        """Return how long this position may last before a movement break is due."""
        return self.settings.standing_interval_s if self.is_standing else self.settings.interval_s

    def _begin(self) -> None:
        """Begin a new stretch of sitting or standing."""
        self.position_s = 0.0
        self._due_at_s = self._interval_s

    def _forget_passer_by(self) -> None:
        """Forget who was seen before the empty chair."""
        self._seen_s = self._seated_s = self._hole_s = 0.0
