r"""The slouch state machine: from one number a frame to states, events and slouched time. Pure; no I/O.

Everything is timed in seconds of frame time, so the frame rate does not matter::

    slouch ratio  ____/~~~~~~~~~~~~~~~~~\_/~~~~~\_________     1.0 crossed upwards, `release_ratio` downwards
    level         uuuuSSSSSSSSSSSSSSSSSSSuuSSSSSSSuuuuuuuuu     hysteresis only, at once
    state         UPRIGHT  SLOUCHING ...................UPRIGHT  after onset_dwell_s / recovery_s
    event             ^onset_s ^confirmed_s              ^slouch_ended
    slouched_s        0 1 2 3 4 5 6 7 8 .... 8 9 10 11    0      stands still in brief recoveries and gaps
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, isnan

from posture.errors import TimestampError
from posture.settings import JudgeSettings


class SlouchState(StrEnum):
    """What is known about the person now."""

    UNKNOWN = "unknown"
    UPRIGHT = "upright"
    SLOUCHING = "slouching"
    AWAY = "away"


class Reason(StrEnum):
    """Why a frame is not judged; NONE when it is."""

    NONE = ""
    NOT_CALIBRATED = "not_calibrated"
    NO_PICTURE = "no_picture"
    NO_PERSON = "no_person"
    TOO_DARK = "too_dark"
    LOW_CONFIDENCE = "low_confidence"
    TURNED_AWAY = "turned_away"
    OUT_OF_PLACE = "out_of_place"
    CAMERA_MOVED = "camera_moved"
    NOT_MEASURED = "not_measured"
    CAMERA_COVERED = "camera_covered"
    CAMERA_FROZEN = "camera_frozen"
    PAUSED = "paused"
    SCREEN_LOCKED = "screen_locked"
    IDLE = "idle"
    IN_CALL = "in_call"
    ON_BATTERY = "on_battery"
    BASELINE_MISFIT = "baseline_misfit"
    PARTLY_OUT = "partly_out"
    SEVERAL_PEOPLE = "several_people"


NOBODY = frozenset({Reason.NO_PERSON, Reason.IDLE})
"""Reasons that say that nobody is there; a camera let go because of that has not seen anybody come back."""

OTHERS = frozenset({Reason.OUT_OF_PLACE, Reason.SEVERAL_PEOPLE})
"""Reasons that say that somebody is seen who is not in the calibrated place."""
PASSING_S = 10.0
"""Seconds without a judgement for such a reason before the state says so: somebody who walks past must not end a bout
(our choice: twice what crossing a room's width takes)."""


class EventKind(StrEnum):
    """Names of the events, as written by ``posture replay --events``."""

    SLOUCH_STARTED = "slouch_started"
    SLOUCH_ENDED = "slouch_ended"
    AWAY = "away"
    RETURNED = "returned"
    ALERT = "alert"
    BREAK_DUE = "break_due"
    MICRO_BREAK_DUE = "micro_break_due"
    CAMERA_MOVED = "camera_moved"
    CAMERA_LOST = "camera_lost"
    CAMERA_BACK = "camera_back"
    UNKNOWN_STARTED = "unknown_started"
    UNKNOWN_ENDED = "unknown_ended"


@dataclass(frozen=True, slots=True)
class SlouchEvent:
    """Something that changed, with both of its times."""

    kind: EventKind
    onset_s: float
    """Frame time at which it began; what history uses."""
    confirmed_s: float
    """Frame time at which it was certain; what alerts use. Never before `onset_s`."""
    reason: Reason = Reason.NONE
    """Why judging stopped, for ``unknown_started``."""


class SlouchMachine:
    """Follow one person's state from frame to frame.

    Parameters
    ----------
    settings : JudgeSettings
        Dwell times and the release ratio; see its annotations.

    Notes
    -----
    The first UPRIGHT or UNKNOWN is reached without an event: nobody saw what was before. Events pair up.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.state = SlouchState.UNKNOWN
        self.reason = Reason.NONE
        self.is_slouch_level = False
        """Whether the newest judged frame was on the slouching side of the hysteresis."""
        self.slouched_s = 0.0
        """Judged slouch time so far, seconds, without gaps and brief recoveries."""
        self.slouch_onset_s: float | None = None
        """Frame time at which that slouch began; None = there is none."""
        self._t_s: float | None = None
        self._was_slouch = False
        self._was_judged = False
        self._judged_s: float | None = None
        self._unjudged_since_s: float | None = None
        self._absent_since_s: float | None = None
        self._candidate = SlouchState.UNKNOWN
        self._candidate_since_s: float | None = None
        self._has_state = False

    def step(
        self, t_s: float, slouch_ratio: float, reason: Reason, release_ratio: float | None = None
    ) -> list[SlouchEvent]:
        """Take one frame in and return what changed.

        Parameters
        ----------
        t_s : float
            Frame time, seconds; finite and never before the previous one.
        slouch_ratio : float
            Deviation as a share of the slouch threshold: 1 = at the threshold. NaN = not judged.
        reason : Reason
            Why it is not judged. Those of `NOBODY` lead to AWAY, the others to UNKNOWN.
        release_ratio : float or None
            Slouch ratio below which a slouch is over now, at most 1; None = as the settings say.

        Returns
        -------
        list of SlouchEvent
            Usually empty.

        Raises
        ------
        TimestampError
            If `t_s` is not finite or goes backwards.
        """
        self.check_time(t_s)
        dt_s = 0.0 if self._t_s is None else t_s - self._t_s
        is_gap = dt_s > self.settings.max_gap_s
        self._t_s = t_s
        if is_gap:
            self._candidate_since_s = self._unjudged_since_s = self._absent_since_s = None
        release = self.settings.release_ratio if release_ratio is None else release_ratio
        target = self._target(slouch_ratio, reason, release)
        is_judged = target in (SlouchState.UPRIGHT, SlouchState.SLOUCHING)
        self._forget(t_s, is_judged, is_gap)
        self._accrue(t_s, target, 0.0 if is_gap else dt_s)
        since_s = self._judged_since(t_s, target) if is_judged else self._not_judged_since(t_s, target)
        if target is self.state:
            self.reason = reason if target is SlouchState.UNKNOWN else Reason.NONE
            return []
        if t_s - since_s < self._dwell_s(target, reason):
            return []
        return self._enter(target, since_s, t_s, reason)

    def _judged_since(self, t_s: float, target: SlouchState) -> float:
        """Return since when judged frames have said `target`; short holes between them do no harm."""
        self._unjudged_since_s = self._absent_since_s = None
        if target is self.state:
            self._candidate_since_s = None
            return t_s
        if target is not self._candidate or self._candidate_since_s is None:
            self._candidate, self._candidate_since_s = target, t_s
        return self._candidate_since_s

    def _not_judged_since(self, t_s: float, target: SlouchState) -> float:
        """Return since when there has been no judgement, or nobody.

        Without a judgement is without a judgement, also when the reason flickers to "nobody" and back.
        """
        if target is self.state or self._unjudged_since_s is None:
            self._unjudged_since_s = None if target is self.state else t_s
        is_absent = target is SlouchState.AWAY
        self._absent_since_s = (
            (t_s if self._absent_since_s is None else self._absent_since_s) if is_absent else None
        )
        since_s = self._absent_since_s if is_absent else self._unjudged_since_s
        if self._judged_s is None or t_s - self._judged_s >= self.settings.unknown_after_s:
            self._candidate_since_s = None  # too long a hole to reach across
        return t_s if since_s is None else since_s

    def check_time(self, t_s: float) -> None:
        """Raise TimestampError if `t_s` is not finite or before the newest frame."""
        if not isfinite(t_s):
            raise TimestampError(f"frame time {t_s} is not a finite number of seconds")
        if self._t_s is not None and t_s < self._t_s:
            raise TimestampError(
                f"frame time {t_s:g} s comes after {self._t_s:g} s: time must not go backwards"
            )

    def _target(self, slouch_ratio: float, reason: Reason, release_ratio: float) -> SlouchState:
        """Cross the hysteresis, and return the state that this frame alone speaks for."""
        if reason in NOBODY:
            return SlouchState.AWAY
        if isnan(slouch_ratio):
            return SlouchState.UNKNOWN
        boundary = release_ratio if self.is_slouch_level else 1.0
        self.is_slouch_level = slouch_ratio >= boundary
        return SlouchState.SLOUCHING if self.is_slouch_level else SlouchState.UPRIGHT

    def _accrue(self, t_s: float, target: SlouchState, dt_s: float) -> None:
        """Count slouched time between two consecutive slouching frames; a lone spike before that is dropped."""
        is_slouch = target is SlouchState.SLOUCHING
        if is_slouch and self._was_slouch:
            self.slouched_s += dt_s
        elif target is SlouchState.UPRIGHT and self.state is not SlouchState.SLOUCHING:
            self._clear_slouch()
        if is_slouch and self.slouch_onset_s is None:
            self.slouch_onset_s = t_s
        self._was_slouch = is_slouch

    def _clear_slouch(self) -> None:
        """Forget the slouch so far."""
        self.slouched_s, self.slouch_onset_s = 0.0, None

    def _dwell_s(self, target: SlouchState, reason: Reason) -> float:
        """Return how long `target`, for this reason, must last before the state becomes it."""
        s = self.settings
        if not self._has_state and target in (SlouchState.UPRIGHT, SlouchState.SLOUCHING):
            return s.return_after_s
        match target:
            case SlouchState.UNKNOWN:
                is_passing = reason in OTHERS and self.state is SlouchState.SLOUCHING
                return max(s.unknown_after_s, PASSING_S) if is_passing else s.unknown_after_s
            case SlouchState.AWAY:
                return s.away_after_s
            case SlouchState.SLOUCHING:
                return s.onset_dwell_s
            case _:
                return s.recovery_s if self.state is SlouchState.SLOUCHING else s.return_after_s

    def _forget(self, t_s: float, is_judged: bool, is_gap: bool) -> None:
        """Drop the slouched time when nothing could be judged for long, be it unclear frames or a gap."""
        is_hole = is_gap or not (is_judged and self._was_judged)
        if is_hole and self._judged_s is not None and t_s - self._judged_s > self.settings.forget_after_s:
            self._clear_slouch()
        self._was_judged = is_judged
        if is_judged:
            self._judged_s = t_s

    def _enter(self, target: SlouchState, onset_s: float, t_s: float, reason: Reason) -> list[SlouchEvent]:
        """Make `target` the state and return the events of leaving the old one and entering it."""
        left, had_state = self.state, self._has_state
        self.state, self.reason = target, reason if target is SlouchState.UNKNOWN else Reason.NONE
        self._candidate_since_s = self._unjudged_since_s = self._absent_since_s = None
        self._has_state = True
        if target in (SlouchState.UPRIGHT, SlouchState.AWAY):
            self._clear_slouch()
            self.is_slouch_level = False
        kinds: list[EventKind] = []
        if left is SlouchState.SLOUCHING:
            kinds.append(EventKind.SLOUCH_ENDED)
        elif left is SlouchState.AWAY:
            kinds.append(EventKind.RETURNED)
        elif left is SlouchState.UNKNOWN and had_state:
            kinds.append(EventKind.UNKNOWN_ENDED)
        if target is SlouchState.SLOUCHING:
            kinds.append(EventKind.SLOUCH_STARTED)
        elif target is SlouchState.AWAY:
            kinds.append(EventKind.AWAY)
        elif target is SlouchState.UNKNOWN:
            kinds.append(EventKind.UNKNOWN_STARTED)
        return [SlouchEvent(kind, onset_s, t_s, self.reason) for kind in kinds]
