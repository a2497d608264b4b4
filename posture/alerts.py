r"""When a slouch deserves a notification: sustain, cool-down, hourly cap, snooze, quiet hours. Pure; no I/O.

What is said grows step by step: first a colour, which asks nothing of anybody, then a notification, then the next one
after a cool-down that doubles while it is ignored::

    slouching     ____/~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\______
    urgency       none|noticed |due                                |none
    notification               ^1 min    ^+5 min          ^+10 min        never more than max_per_hour
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, nan

from posture.settings import AlertSettings
from posture.slouch import SlouchState

HOUR_S = 3600.0
DAY_S = 86_400.0
ROUNDING_S = 1e-3
"""Seconds by which the end of a quiet span is told too early rather than too late: times are rounded."""
SNOOZE_S = 900.0
"""Seconds of a snooze that does not say for how long (our choice)."""


class Urgency(StrEnum):
    """How far a slouch has come: what a colour may show at once, long before anything is said."""

    NONE = "none"
    NOTICED = "noticed"
    """A slouch, not yet long enough for a notification."""
    DUE = "due"
    """Long enough; a notification has come, or would, were it not for cool-down, cap, snooze or quiet hours."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A notification that is due now."""

    onset_s: float
    """Frame time at which the slouch began, as far as it was judged."""
    confirmed_s: float
    """Frame time of the alert."""
    slouched_s: float
    """Judged slouch time behind it, seconds."""
    n: int
    """0 for the run's first alert, then 1, 2, ...: varies the wording in the same way live and in replay."""


class AlertPolicy:
    """Decide frame by frame whether to alert.

    A slouch is mentioned when it has been judged for `sustain_s`. While it goes on it is mentioned again
    after the cool-down, which doubles each time up to its maximum; recovering or leaving the desk resets
    both. No more than `max_per_hour` alerts fall into any 60 minutes. Snoozing and quiet hours suppress
    alerts (and, in the pipeline, break reminders) and nothing else: a slouch that outlasts them is
    mentioned when they end.

    Parameters
    ----------
    settings : AlertSettings
        See its annotations.
    start_of_day_s : float or None
        Local time of day at frame time 0, seconds after midnight; None = unknown (a recorded clip), and
        quiet hours do not apply.
    """

    def __init__(self, settings: AlertSettings, start_of_day_s: float | None = None) -> None:
        self.settings = settings
        self._start_of_day_s = start_of_day_s
        self._quiet = [_parse_span(text) for text in settings.quiet_hours]
        self.reset()

    def reset(self) -> None:
        """Forget every alert and snooze."""
        self.snoozed_until_s: float | None = None
        self.is_muted = False
        """Whether the desktop is not to be disturbed."""
        self._cooldown_s = self.settings.cooldown_s
        self._next_s: float | None = None
        self._recent: deque[float] = deque()
        self._n = 0
        self.last_alert_s: float | None = None
        """Frame time of the newest alert; None = there was none."""

    def snooze(self, until_s: float) -> None:
        """Stay silent until frame time `until_s`, seconds."""
        self.snoozed_until_s = until_s

    def set_time_of_day(self, t_s: float, time_of_day_s: float) -> None:
        """Tell that the clock on the wall shows `time_of_day_s` seconds after midnight at frame time `t_s`.

        Daylight saving begins and ends, and people travel: what was told at the start is not true for ever.
        """
        self._start_of_day_s = time_of_day_s - t_s

    def urgency(self, state: SlouchState, is_slouch_level: bool, slouched_s: float) -> Urgency:
        """Return how far the slouch has come; it is over for the eye in the moment the person sits up.

        Parameters
        ----------
        state, is_slouch_level, slouched_s
            As for :meth:`step`.
        """
        if state is not SlouchState.SLOUCHING or not is_slouch_level:
            return Urgency.NONE
        return Urgency.DUE if slouched_s >= self.settings.sustain_s else Urgency.NOTICED

    def step(
        self,
        t_s: float,
        state: SlouchState,
        is_slouch_level: bool,
        slouched_s: float,
        onset_s: float | None = None,
    ) -> Alert | None:
        """Take one frame in and return the alert that is due, or None.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        state : SlouchState
            The state machine's state after this frame.
        is_slouch_level : bool
            Whether this very frame was judged a slouch: nobody is told in the moment they sit up.
        slouched_s : float
            Judged slouch time so far, seconds.
        onset_s : float or None
            Frame time at which the slouch began; None = `slouched_s` ago.
        """
        if state in (SlouchState.UPRIGHT, SlouchState.AWAY):
            self._cooldown_s, self._next_s = self.settings.cooldown_s, None
            return None
        if state is not SlouchState.SLOUCHING or not is_slouch_level:
            return None
        if not self.is_due(t_s, slouched_s) or self.is_silenced(t_s):
            return None
        self._next_s = t_s + self._cooldown_s
        self._cooldown_s = min(
            2 * self._cooldown_s, max(self.settings.max_cooldown_s, self.settings.cooldown_s)
        )
        while self._recent and t_s - self._recent[0] >= HOUR_S:
            self._recent.popleft()
        self._recent.append(t_s)
        self.last_alert_s = t_s
        alert = Alert(t_s - slouched_s if onset_s is None else onset_s, t_s, slouched_s, self._n)
        self._n += 1
        return alert

    def is_due(self, t_s: float, slouched_s: float) -> bool:
        """Return whether a slouch that goes on would be mentioned at `t_s` if nothing asked for silence.

        It changes nothing; once it is due, a slouch stays due until :meth:`step` mentions it.
        """
        if slouched_s < self.settings.sustain_s or (self._next_s is not None and t_s < self._next_s):
            return False
        return sum(t_s - at_s < HOUR_S for at_s in self._recent) < self.settings.max_per_hour

    def due_s(self, t_s: float, is_slouch_level: bool, slouched_s: float) -> float:
        """Return the frame time from which a slouch that goes on would be mentioned; NaN = none is, or not for now.

        Parameters
        ----------
        t_s, is_slouch_level, slouched_s
            As for :meth:`step`.
        """
        if not is_slouch_level or self.settings.max_per_hour == 0:
            return nan
        due_s = t_s + self.settings.sustain_s - slouched_s
        if self._next_s is not None:
            due_s = max(due_s, self._next_s)
        recent = [at_s for at_s in self._recent if due_s - at_s < HOUR_S]
        if len(recent) >= self.settings.max_per_hour:
            due_s = recent[-self.settings.max_per_hour] + HOUR_S
        due_s = max(due_s, self.silent_until_s(t_s))
        return due_s if isfinite(due_s) else nan

    def silent_until_s(self, t_s: float) -> float:
        """Return a frame time before which :meth:`is_silenced` stays true, unless it is told something else.

        `t_s` itself if it is not silenced; infinite while the desktop is not to be disturbed.
        """
        if not self.is_silenced(t_s):
            return t_s
        if self.is_muted:
            return inf
        if self.snoozed_until_s is not None:
            return self.snoozed_until_s
        assert self._start_of_day_s is not None
        now_s = (self._start_of_day_s + t_s) % DAY_S
        return t_s + max((b - now_s) % DAY_S for a, b in self._quiet if _is_within(now_s, a, b)) - ROUNDING_S

    def is_silenced(self, t_s: float) -> bool:
        """Return whether a snooze or quiet hours cover `t_s`, or the desktop is not to be disturbed."""
        if self.is_muted:
            return True
        if self.snoozed_until_s is not None:
            if t_s < self.snoozed_until_s:
                return True
            self.snoozed_until_s = None
        if self._start_of_day_s is None:
            return False
        now_s = (self._start_of_day_s + t_s) % DAY_S
        return any(_is_within(now_s, a, b) for a, b in self._quiet)


def _is_within(now_s: float, start_s: float, end_s: float) -> bool:
    """Return whether a time of day lies in a span, which may run past midnight."""
    if start_s < end_s:
        return start_s <= now_s < end_s
    return now_s >= start_s or now_s < end_s


def _parse_span(text: str) -> tuple[float, float]:
    """Return the seconds after midnight of ``HH:MM-HH:MM``; the span may run past midnight."""
    start, end = ([int(part) for part in clock.split(":")] for clock in text.split("-"))
    return start[0] * 3600.0 + start[1] * 60.0, end[0] * 3600.0 + end[1] * 60.0
