r"""When to look at the next picture, and whether to judge it: as seldom as the state allows. Pure; no I/O.

A *look* compares a picture with the one judged last (:mod:`posture.glimpse`); *judging* runs the pose model, which
costs some twenty times as much. A look that is not judged repeats the last landmarks at the new time, so that the
state machine, the sitting clock and the alerts see time pass::

    picture   ___________________________/^^^\___________________._______________
    state     UPRIGHT ............................SLOUCHING .....................
    looks     l   l   l   l   l   l   l   l   l   l   l   l   l   l   l   l   l
    judged    J               J           J   J   J   J       J       J       J
              `- hold_s ------'           `-- being confirmed `- slouch_hold_s

To repeat is honest only while the picture stays the same. So the more of head and shoulders has changed, and the longer
the last judgement is ago, the sooner it is judged again, and a hold ends after some seconds whatever the picture says.
What is being confirmed, or close to its threshold or to where it cannot be judged, is judged every `confirm_s`. And
nobody is told anything on the strength of an old picture: the frame that an alert would come with is judged (not when
a silence of unknown end, such as "do not disturb", is over before the hold is).

Experiment: the four desk sessions of the fixtures, their clips' pictures with sensor noise of 2 grey levels, alerts
after 10 and 15 s; `PACES` has what came out of it. tests/test_duty.py runs the part of it whose clips are in
the repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, sqrt

from posture.settings import Settings
from posture.slouch import NOBODY, Reason, SlouchState
from posture.step_result import StepResult


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look and to judge; seconds of frame time."""

    look_s: float
    """Between looks while somebody is there."""
    away_look_s: float
    """Between looks while nobody is there: what coming back in a slouch may cost an alert."""
    change_sqrt_s: float
    """Share of changed cells beyond `CHANGE_FLOOR` times the square root of the seconds since the last judgement, that
    makes the next due: a large change at once, a small one the sooner the older the judgement is."""
    confirm_s: float
    """Longest hold while a change of state is being confirmed or close; 0 = every look is judged."""
    hold_s: float
    """Longest hold while steadily upright, or steadily not to be judged."""
    slouch_hold_s: float
    """Longest hold while steadily slouching."""
    away_hold_s: float
    """Longest hold while nobody is there."""
    has_face: bool
    """Whether the face network runs on what is judged: a fifth more processor time for each."""


PACES = {
    "eco": Pace(0.8, 1.0, 0.2, 2.5, 8.0, 8.0, 30.0, False),
    "balanced": Pace(0.5, 1.0, 0.1, 1.5, 6.0, 3.0, 15.0, True),
    "responsive": Pace(0.25, 0.5, 0.06, 0.0, 2.0, 1.0, 5.0, True),
}
"""What `power.preset` chooses. Judgements a second and the latest alert on the clips, against 4 and 0 s when every
frame is judged: eco 0.37, 0.5 s; balanced 0.57, 0.25 s; responsive 1.7, 0 s. Without the floor, and proportional to
the time, eco judged 0.52 a second and was 0.75 s late."""
CHANGE_FLOOR = 0.05
"""Share of changed cells that means nothing: typing changes 0.6-8 % of them (:mod:`posture.glimpse`)."""

NEAR = 0.85
"""Share of the way to the other level from which on nothing is held for long (our choice)."""
AWAY_GAIN = 5.0
"""The whole picture is compared when nobody is there, of which somebody coming back is about a fifth."""
GAP_SHARE = 0.5
"""Of `judge.max_gap_s`: the longest time between two looks, as one that comes late must not become a gap."""
SETTLE_S = 3.0
"""Seconds from the first frame on that every frame is judged: the reference for a moved camera takes 2 s."""
SOONEST_S = 0.05
"""Seconds; the shortest time to the next look (our choice: cameras give 15 to 30 pictures a second)."""


class DutyCycle:
    """Decide, frame by frame, when the next one is looked at and whether it is judged.

    Ask :meth:`is_due` at every look, then tell :meth:`step` what the pipeline made of it. Only frame times count.

    Parameters
    ----------
    settings : Settings
        ``power``, ``camera.rate_hz`` and ``judge`` are used.
    settle_s : float
        Seconds from the first frame on that every frame is judged.
    """

    def __init__(self, settings: Settings, *, settle_s: float = SETTLE_S) -> None:
        self._settle_s = settle_s
        self._pace = PACES[settings.power.preset]
        self._max_hold_s = settings.power.max_hold_s
        self.fastest_s = 1.0 / settings.camera.rate_hz
        """Between two looks, seconds, never less."""
        self._slowest_s = max(GAP_SHARE * settings.judge.max_gap_s, self.fastest_s)
        self._release_ratio = settings.judge.release_ratio
        self.reset()

    def use(self, preset: str) -> None:
        """Go on at another pace, a key of `PACES`, as when the power is unplugged; nothing is forgotten."""
        self._pace = PACES[preset]

    @property
    def has_face(self) -> bool:
        """Whether the face is worth its processor time at the present pace."""
        return self._pace.has_face

    def reset(self) -> None:
        """Forget everything: the next frame is judged."""
        self.look_s = self.fastest_s
        """Until the next look, seconds."""
        self._hold_s = 0.0
        self._judged_s: float | None = None
        self._settled_s: float | None = None
        self._state = SlouchState.UNKNOWN
        self._is_slouch_level = False
        self._alert_due_s = inf

    def is_due(self, t_s: float, changed_ratio: float) -> bool:
        """Return whether the frame at `t_s` must be judged.

        Parameters
        ----------
        t_s : float
            Frame time, seconds.
        changed_ratio : float
            Share of the cells, 0 to 1, that differ from the frame judged last; NaN = not known: it is due.
        """
        if self._judged_s is None:
            return True
        if t_s >= self._alert_due_s - SOONEST_S:
            return True
        age_s = t_s - self._judged_s
        if age_s + self.look_s / 2.0 >= self._hold_s:  # whichever look is nearest to the end of the hold
            return True
        gain = AWAY_GAIN if self._state is SlouchState.AWAY else 1.0
        return not (gain * changed_ratio - CHANGE_FLOOR) * sqrt(age_s) < self._pace.change_sqrt_s

    def step(self, result: StepResult, *, is_judged: bool, is_unsure: bool = False) -> float:
        """Take in what the pipeline made of a frame and return the seconds until the next look.

        Parameters
        ----------
        result : StepResult
            Of the newest frame.
        is_judged : bool
            Whether its landmarks were its own, not repeated.
        is_unsure : bool
            Something that the result does not tell is being confirmed, such as a moved camera.
        """
        if is_judged:
            self._judged_s = result.t_s
        self._state = result.state
        speaks_for = self._target(result)
        pace, hold_s, look_s = self._pace, self._pace.hold_s, self._pace.look_s
        if speaks_for is not result.state or is_unsure or self._is_near(result):
            hold_s = pace.confirm_s
        elif result.state is SlouchState.SLOUCHING:
            hold_s = pace.slouch_hold_s
        self._hold_s = min(hold_s, self._max_hold_s)
        if result.state is SlouchState.AWAY and speaks_for is SlouchState.AWAY:
            look_s = pace.away_look_s
            self._hold_s = pace.away_hold_s if self._max_hold_s > 0.0 else 0.0
        if self._settled_s is None:
            self._settled_s = result.t_s + self._settle_s
        if result.t_s < self._settled_s:
            look_s, self._hold_s = self.fastest_s, 0.0
        look_s = min(max(look_s, self.fastest_s), self._slowest_s)
        self._alert_due_s = inf if isnan(result.alert_due_s) else result.alert_due_s
        look_s = max(min(look_s, self._alert_due_s - result.t_s), SOONEST_S)  # be there when the alert is due
        self.look_s = look_s
        return look_s

    def _target(self, result: StepResult) -> SlouchState:
        """Return the state that this frame alone speaks for, as the state machine sees it."""
        if result.state in (SlouchState.UPRIGHT, SlouchState.AWAY) and result.slouched_s == 0.0:
            self._is_slouch_level = False
        if result.reason in NOBODY:
            return SlouchState.AWAY
        if result.reason is not Reason.NONE:
            return SlouchState.UNKNOWN
        boundary = result.release_ratio if self._is_slouch_level else 1.0
        self._is_slouch_level = result.slouch_ratio >= boundary
        return SlouchState.SLOUCHING if self._is_slouch_level else SlouchState.UPRIGHT

    def _is_near(self, result: StepResult) -> bool:
        """Return whether a small movement would change the level, or whether there is one."""
        if result.is_near_limit or result.reason is not Reason.NONE:
            return result.is_near_limit
        if self._is_slouch_level:
            return result.slouch_ratio < self._release_ratio / NEAR  # also where noise has lowered it
        return result.slouch_ratio > NEAR
