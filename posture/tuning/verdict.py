r"""What settings make of a tape: the same events and alerts as the pipeline, a thousand times sooner. Pure; no I/O.

A frame can only matter to the state machine where it speaks for something else than the frame before it, where a dwell
time ends, or where it is the last of its kind. Frames are put into runs of one kind by arrays, and the machine and the
alert policy of the pipeline take in those few frames::

    slouch ratio  ____/~~~~~~~~~~~~~~~~~\_/~~~~~\_________
    run           0    1                 2 3    4
    taken in      x.x..xx..............xxx.x...xxx..x....x

The hysteresis is only settled by arrays where the level cannot be in doubt; where a run begins between the two
boundaries after unjudged frames, the machine says which side it is on.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np

from posture.alerts import Alert, AlertPolicy
from posture.judging import Thresholds, make_thresholds
from posture.landmarks import BoolArray, FloatArray
from posture.recording.records import Mute, Snooze, TimeOfDay
from posture.scatter import Scatter, release_ratio
from posture.settings import AlertSettings, JudgeSettings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchMachine, SlouchState
from posture.tuning.tape import REASONS, Order, Tape

_OVER, _BETWEEN, _UNDER, _NOT_JUDGED = range(4)
"""Kinds of frames: of the slouch ratio against both boundaries, then one for every reason."""
_NONE, _NOT_MEASURED = REASONS.index(Reason.NONE), REASONS.index(Reason.NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames in a row, without a gap, in which a slouch may be mentioned."""

    first: int
    last: int
    """Frames, both included."""
    counted_s: float
    counts_from_s: float
    """Slouched time at frame time t is ``counted_s + (t - counts_from_s)``."""
    onset_s: float | None
    """When the slouch began."""

    def slouched_at_s(self, t_s: float) -> float:
        """Return the judged slouch time at a frame time of the stretch, seconds."""
        return self.counted_s + (t_s - self.counts_from_s)


@dataclass(frozen=True, slots=True)
class Course:
    """What ``[judge]`` makes of a tape."""

    events: tuple[tuple[int, SlouchEvent], ...]
    """Frames and what they made certain, in order."""
    moments: tuple[Stretch | int, ...]
    """In order: stretches, and frames at which whoever slouched has recovered or left."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What settings make of a tape; as of the pipeline, without the events of breaks and of the camera."""

    events: tuple[SlouchEvent, ...]
    """In the order of their frames, alerts included."""
    alerts: tuple[Alert, ...]


class Judge:
    """Judge one tape by many settings.

    Parameters
    ----------
    tape : Tape
        Measured with the settings' values of :data:`~posture.tuning.tape.MEASURING`.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._times: list[float] = tape.t_s.tolist()
        self._measured = np.isfinite(tape.values).all(axis=1)
        self._thresholds: tuple[Thresholds, ...] | None = None
        self._ratio = self._scatter = np.empty(0)

    def judge(self, judge: JudgeSettings, alert: AlertSettings) -> Verdict:
        """Return the events and alerts of the tape by these settings."""
        return self.alert(self.follow(judge), alert)

    def follow(self, judge: JudgeSettings) -> Course:
        """Return the course of the states by these settings; alerts change nothing about it."""
        if not len(self._tape):
            return Course((), ())
        self._use(judge)
        release = self._release(judge.release_ratio)
        starts = self._run_starts(release, judge)
        ends = [*starts[1:], len(self._times)]
        walk = _Walk(self._times, self._ratio, release, self._reasons, judge)
        for first, end in zip(starts, ends, strict=True):
            walk.take_run(first, end)
        return Course(tuple(walk.events), tuple(walk.moments))

    def alert(self, course: Course, settings: AlertSettings) -> Verdict:
        """Return a course's events with the alerts that these settings give."""
        policy = AlertPolicy(settings, self._tape.start_of_day_s)
        orders = list(self._tape.orders)
        alerts: list[tuple[int, Alert]] = []
        for moment in course.moments:
            if isinstance(moment, int):
                policy.step(self._times[moment], SlouchState.UPRIGHT, False, 0.0)
                continue
            first = moment.first
            while first <= moment.last:
                while orders and orders[0][0] <= first:
                    _tell(policy, orders.pop(0)[1])
                end = min(orders[0][0], moment.last + 1) if orders else moment.last + 1
                alerts += self._mention(policy, moment, first, end)
                first = end
        return Verdict(_merge(course.events, alerts), tuple(alert for _, alert in alerts))

    def _mention(
        self, policy: AlertPolicy, stretch: Stretch, first: int, end: int
    ) -> list[tuple[int, Alert]]:
        """Return the alerts of some frames of a stretch, before which nothing is told."""
        times, alerts = self._times, []

        def is_due(frame: int) -> bool:
            return policy.is_due(times[frame], stretch.slouched_at_s(times[frame]))

        while first < end:
            frame = first + bisect_left(range(first, end), True, key=is_due)
            if frame == end:
                break
            t_s = times[frame]
            alert = policy.step(t_s, SlouchState.SLOUCHING, True, stretch.slouched_at_s(t_s), stretch.onset_s)
            first = frame + 1
            if alert is not None:
                alerts.append((frame, alert))
            else:
                first = max(first, bisect_left(times, policy.silent_until_s(t_s), frame, end))
        return alerts

    @cached_property
    def _reasons(self) -> list[Reason]:
        """(T,) why each frame is not judged; what cannot be measured is not judged, and says so."""
        return [REASONS[code] for code in self._codes.tolist()]

    @cached_property
    def _codes(self) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """(T,) the same as codes."""
        reason = self._tape.reason
        return np.where((reason == _NONE) & ~self._measured, np.uint8(_NOT_MEASURED), reason)

    def _use(self, judge: JudgeSettings) -> None:
        """Find the slouch ratio and its scatter, (T,) each, unless they are of these settings; NaN = not judged."""
        tape = self._tape
        thresholds = tuple(make_thresholds(judge, baseline) for _, baseline in tape.baselines)
        if self._thresholds == thresholds:
            return
        n = len(tape)
        self._thresholds, self._ratio, self._scatter = thresholds, np.full(n, np.nan), np.zeros(n)
        ends = [*(start for start, _ in tape.baselines[1:]), n]
        for (start, _), end, limits in zip(tape.baselines, ends, thresholds, strict=True):
            own = slice(start, end)
            self._ratio[own] = slouch_ratios(tape.values[own], limits)
            raw = slouch_ratios(tape.raw[own], limits)
            self._scatter[own] = _follow_scatter(tape.t_s[own], raw, tape.is_followed[own])
        self._ratio[self._codes != _NONE] = np.nan

    def _release(self, setting: float) -> FloatArray:
        """Return below which slouch ratio a slouch is over, (T,)."""
        sds, where = np.unique(self._scatter, return_inverse=True)
        return np.array([release_ratio(setting, sd) for sd in sds.tolist()])[where]

    def _run_starts(self, release: FloatArray, judge: JudgeSettings) -> list[int]:
        """Return the frames at which runs begin."""
        kinds = find_kinds(self._ratio, self._codes, release)
        is_start = np.empty(len(kinds), dtype=np.bool_)
        is_start[0] = True
        np.not_equal(kinds[1:], kinds[:-1], out=is_start[1:])
        is_start[1:] |= np.diff(self._tape.t_s) > judge.max_gap_s
        starts: list[int] = np.flatnonzero(is_start).tolist()
        return starts


def slouch_ratios(values: FloatArray, thresholds: Thresholds) -> FloatArray:
    """Return what :func:`posture.judging.slouch_ratio` gives for each of (T, 3) neck, thoracic and sink deviations."""
    neck, thoracic, sink = values.T
    ratio = np.maximum(neck / thresholds.neck_deg, thoracic / thresholds.thoracic_deg)
    np.maximum(ratio, (neck - thoracic) / thresholds.flexion_deg, out=ratio)
    np.maximum(ratio, sink / thresholds.sink_ratio, out=ratio)
    return np.asarray(ratio)


def _follow_scatter(t_s: FloatArray, ratio: FloatArray, is_followed: BoolArray) -> FloatArray:
    """Return the scatter of the slouch ratio as of every frame, (T,); only some of them are followed."""
    scatter = Scatter()
    followed = np.flatnonzero(is_followed)
    told = [0.0]
    for t, value in zip(t_s[followed].tolist(), ratio[followed].tolist(), strict=True):
        told.append(scatter.step(t, value))
    return np.array(told)[np.cumsum(is_followed)]


def find_kinds(
    ratio: FloatArray, codes: np.ndarray[tuple[int], np.dtype[np.uint8]], release: FloatArray
) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return what each frame says, (T,): neighbours of one kind say the same to the state machine.

    Parameters
    ----------
    ratio : ndarray, shape (T,)
        Slouch ratio; NaN = not judged.
    codes : ndarray, shape (T,)
        Why it is not judged, index into :data:`~posture.tuning.tape.REASONS`.
    release : ndarray, shape (T,)
        Slouch ratio below which a slouch is over.
    """
    is_judged: BoolArray = ~np.isnan(ratio)
    kinds = np.where(is_judged, np.uint8(_BETWEEN), codes + np.uint8(_NOT_JUDGED))
    kinds[ratio >= 1.0] = _OVER
    kinds[ratio < release] = _UNDER
    # Between the boundaries the level is that of the last frame beyond one, unless frames in between were not judged.
    settled = np.where(kinds == _BETWEEN, 0, np.arange(len(kinds)))
    kinds_before = kinds[np.maximum.accumulate(settled)]
    return np.where((kinds == _BETWEEN) & (kinds_before < _NOT_JUDGED), kinds_before, kinds)


class _Walk:
    """Take the machine through runs of frames."""

    def __init__(
        self,
        times: list[float],
        ratio: FloatArray,
        release: FloatArray,
        reasons: list[Reason],
        judge: JudgeSettings,
    ) -> None:
        self._times, self._ratio, self._release, self._reasons = times, ratio, release, reasons
        self._machine = SlouchMachine(judge)
        self.events: list[tuple[int, SlouchEvent]] = []
        self.moments: list[Stretch | int] = []

    def take_run(self, first: int, end: int) -> None:
        """Take in the frames from `first` to before `end`: all say the same, without a gap."""
        times, machine = self._times, self._machine
        speaks_from = self._take(first)
        taken = first
        pending = machine.pending
        if pending is not None:
            due = bisect_left(range(first + 1, end), True, key=lambda i: pending.is_due(times[i])) + first + 1
            if due < end:
                speaks_from = self._take(due)
                taken = due
        if taken < end - 1:
            self._take(end - 1)
        if speaks_from is not None:
            self.moments.append(
                Stretch(
                    speaks_from,
                    end - 1,
                    *machine.slouch_count,
                    machine.slouch_onset_s,
                )
            )

    def _take(self, frame: int) -> int | None:
        """Take one frame in, and return it if a slouch may be mentioned from it on."""
        machine, before = self._machine, self._machine.state
        ratio, reason = float(self._ratio[frame]), self._reasons[frame]
        release = float(self._release[frame])
        previous_s = self._times[frame - 1] if frame else None
        for event in machine.step(self._times[frame], ratio, reason, release, previous_s):
            self.events.append((frame, event))
        if machine.state is not before and machine.state in (SlouchState.UPRIGHT, SlouchState.AWAY):
            self.moments.append(frame)
        is_slouch = machine.state is SlouchState.SLOUCHING and machine.is_slouch_level and not isnan(ratio)
        return frame if is_slouch else None


def _tell(policy: AlertPolicy, order: Order) -> None:
    """Tell a policy what the monitor was told."""
    match order:
        case Snooze(until_s=until_s):
            policy.snooze(until_s)
        case Mute(is_muted=is_muted):
            policy.is_muted = is_muted
        case TimeOfDay(t_s=t_s, time_of_day_s=time_of_day_s):
            policy.set_time_of_day(t_s, time_of_day_s)


def _merge(
    events: tuple[tuple[int, SlouchEvent], ...], alerts: list[tuple[int, Alert]]
) -> tuple[SlouchEvent, ...]:
    """Return events and alerts in the order of their frames; of one frame, the alert comes last."""
    spoken = [(frame, SlouchEvent(EventKind.ALERT, a.onset_s, a.confirmed_s)) for frame, a in alerts]
    return tuple(event for _, event in sorted([*events, *spoken], key=lambda pair: pair[0]))
