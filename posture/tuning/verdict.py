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
        self._ratios: tuple[tuple[Thresholds, ...], FloatArray] | None = None

    def judge(self, judge: JudgeSettings, alert: AlertSettings) -> Verdict:
        """Return the events and alerts of the tape by these settings."""
        return self.alert(self.follow(judge), alert)

    def follow(self, judge: JudgeSettings) -> Course:
        """Return the course of the states by these settings; alerts change nothing about it."""
        if not len(self._tape):
            return Course((), ())
        ratio = self._ratio(judge)
        starts = self._run_starts(ratio, judge)
        ends = [*starts[1:], len(self._times)]
        walk = _Walk(self._times, ratio, self._reasons, judge)
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

    def _ratio(self, judge: JudgeSettings) -> FloatArray:
        """Return the slouch ratio, (T,); NaN = not judged."""
        tape = self._tape
        thresholds = tuple(make_thresholds(judge, baseline) for _, baseline in tape.baselines)
        if self._ratios is not None and self._ratios[0] == thresholds:
            return self._ratios[1]
        ratio = np.full(len(tape), np.nan)
        ends = [*(start for start, _ in tape.baselines[1:]), len(tape)]
        for (start, _), end, t in zip(tape.baselines, ends, thresholds, strict=True):
            neck, thoracic, sink = tape.values[start:end].T
            np.maximum(neck / t.neck_deg, thoracic / t.thoracic_deg, out=ratio[start:end])
            np.maximum(ratio[start:end], (neck - thoracic) / t.flexion_deg, out=ratio[start:end])
            np.maximum(ratio[start:end], sink / t.sink_ratio, out=ratio[start:end])
        ratio[self._codes != _NONE] = np.nan
        self._ratios = thresholds, ratio
        return ratio

    def _run_starts(self, ratio: FloatArray, judge: JudgeSettings) -> list[int]:
        """Return the frames at which runs begin."""
        kinds = find_kinds(ratio, self._codes, judge.release_ratio)
        is_start = np.empty(len(kinds), dtype=np.bool_)
        is_start[0] = True
        np.not_equal(kinds[1:], kinds[:-1], out=is_start[1:])
        is_start[1:] |= np.diff(self._tape.t_s) > judge.max_gap_s
        starts: list[int] = np.flatnonzero(is_start).tolist()
        return starts


def find_kinds(
    ratio: FloatArray, codes: np.ndarray[tuple[int], np.dtype[np.uint8]], release_ratio: float
) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return what each frame says, (T,): neighbours of one kind say the same to the state machine.

    Parameters
    ----------
    ratio : ndarray, shape (T,)
        Slouch ratio; NaN = not judged.
    codes : ndarray, shape (T,)
        Why it is not judged, index into :data:`~posture.tuning.tape.REASONS`.
    release_ratio : float
        ``judge.release_ratio``.
    """
    is_judged: BoolArray = ~np.isnan(ratio)
    kinds = np.where(is_judged, np.uint8(_BETWEEN), codes + np.uint8(_NOT_JUDGED))
    kinds[ratio >= 1.0] = _OVER
    kinds[ratio < release_ratio] = _UNDER
    # Between the boundaries the level is that of the last frame beyond one, unless frames in between were not judged.
    settled = np.where(kinds == _BETWEEN, 0, np.arange(len(kinds)))
    kinds_before = kinds[np.maximum.accumulate(settled)]
    return np.where((kinds == _BETWEEN) & (kinds_before < _NOT_JUDGED), kinds_before, kinds)


class _Walk:
    """Take the machine through runs of frames."""

    def __init__(
        self, times: list[float], ratio: FloatArray, reasons: list[Reason], judge: JudgeSettings
    ) -> None:
        self._times, self._ratio, self._reasons = times, ratio, reasons
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
        previous_s = self._times[frame - 1] if frame else None
        for event in machine.step(self._times[frame], ratio, reason, previous_s):
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
