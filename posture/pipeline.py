"""Landmarks in, states, events and alerts out: the one stateful object, the same live and in replay. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan, nan
from typing import Final

from posture.alerts import AlertPolicy
from posture.angles import Angles, MeasuredLandmarks, compute_angles, measure_rows
from posture.baseline import Baseline
from posture.breaks import BreakKind, SittingClock
from posture.calibration import fit_baseline
from posture.camera_move import CameraMoveJudge
from posture.coefficients import packaged_coefficients
from posture.deviation import Deviation, Estimator, Measure, compute_deviation, make_estimator
from posture.errors import CalibrationError
from posture.fit import FitJudge
from posture.gates import Gates
from posture.judging import Thresholds, find_presence, make_thresholds, ratio_error, slouch_ratio
from posture.landmarks import Landmarks, concatenate
from posture.measured import Measured
from posture.scatter import Scatter, release_ratio
from posture.settings import Settings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchMachine
from posture.smoothing import OneEuroFilter
from posture.step_result import StepResult

QUICKNESS = {
    Measure.NECK_DEG: 0.02,
    Measure.THORACIC_DEG: 0.02,
    Measure.SINK_RATIO: 2.0,
    Measure.HEAD_PITCH_DEG: 0.02,
}
"""Added cut-off (Hz) per degree/s or trunk length/s: moving into a slouch in 1 s (10 deg/s) halves the lag."""
MISFIT_EXPLAINS = frozenset({Reason.NONE, Reason.NOT_MEASURED, Reason.OUT_OF_PLACE, Reason.TURNED_AWAY})
"""Reasons that a baseline of another person or view explains better."""

_NOT_MEASURED: Final = [nan] * len(Measure)


class Pipeline:
    """Judge a stream of landmarks frame by frame.

    Parameters
    ----------
    settings : Settings
        ``judge``, ``alert`` and ``breaks`` are used.
    baseline : Baseline or None
        The person's upright; None = not calibrated yet.
    calibrate_span_s : tuple of (float, float) or None
        Fit the baseline on the frames with start <= t_s < end instead; until then nothing is judged.
    start_of_day_s : float or None
        Local time of day at frame time 0 (seconds), for quiet hours; None = unknown.
    is_standing : bool
        Whether the baseline is of somebody who works standing; that time is not sitting.
    """

    def __init__(
        self,
        settings: Settings,
        baseline: Baseline | None = None,
        *,
        calibrate_span_s: tuple[float, float] | None = None,
        start_of_day_s: float | None = None,
        is_standing: bool = False,
    ) -> None:
        self.settings = settings
        self._given_baseline = baseline
        self._span_s = calibrate_span_s
        self._machine = SlouchMachine(settings.judge)
        self._policy = AlertPolicy(settings.alert, start_of_day_s)
        self._clock = SittingClock(settings.breaks, is_standing=is_standing)
        self._move = CameraMoveJudge()
        self._gates, self._scatter = Gates(settings.judge), Scatter()
        self._filters = [
            OneEuroFilter(settings.judge.smoothing_s, quickness, settings.judge.max_gap_s)
            for quickness in QUICKNESS.values()
        ]
        self.reset()

    def reset(self) -> None:
        """Start afresh, with the baseline given at construction."""
        self._estimator: Estimator | None = None
        self._standard_error = _NOT_MEASURED
        self._thresholds: Thresholds | None = None
        self._fit: FitJudge | None = None
        self._use(self._given_baseline if self._span_s is None else None)
        self._collected: list[Landmarks] = []
        self._block: tuple[Angles, Estimator, Deviation] | None = None
        self._pending_span_s = self._span_s
        if self.baseline is not None and self.settings.calibration.check_fit:
            self._fit = FitJudge(self.baseline)  # a span's own needs no check
        self._is_camera_lost = self._is_camera_moved = False
        self._move.reset()
        self._machine.reset()
        self._policy.reset()
        self._clock.reset()
        for smoother in self._filters:
            smoother.reset()

    @property
    def thresholds(self) -> Thresholds | None:
        """Deviations that count as a slouch; None = there is no baseline yet."""
        return self._thresholds

    @property
    def followed(self) -> Baseline | None:
        """Whom to look for when several people are in view; None = whoever is there, as the camera has been moved."""
        return None if self._move.is_moved else self.baseline

    def snooze(self, until_s: float) -> None:
        """Alert nobody for a while.

        Parameters
        ----------
        until_s : float
            Frame time, seconds, from which on alerts may come again; infinite = until :meth:`unsnooze`.
        """
        self._policy.snooze(until_s)

    def set_time_of_day(self, t_s: float, time_of_day_s: float) -> None:
        """Tell what the clock on the wall shows, for quiet hours.

        Parameters
        ----------
        t_s : float
            Frame time, seconds.
        time_of_day_s : float
            What it shows then, seconds after midnight.
        """
        self._policy.set_time_of_day(t_s, time_of_day_s)

    def set_standing(self, is_standing: bool) -> None:
        """Tell whether the person stands or sits at the desk from now on.

        Parameters
        ----------
        is_standing : bool
            As the profile in use says; time stood is not time sat.
        """
        self._clock.set_standing(is_standing)

    @property
    def snoozed_until_s(self) -> float | None:
        """Frame time until which nobody is alerted; None = no snooze."""
        return self._policy.snoozed_until_s

    def unsnooze(self) -> None:
        """Alert again."""
        self._policy.snoozed_until_s = None

    def set_muted(self, is_muted: bool) -> None:
        """Alert nobody while the desktop is not to be disturbed.

        Parameters
        ----------
        is_muted : bool
            However long it is; what is due then comes afterwards.
        """
        self._policy.is_muted = is_muted

    def use_baseline(self, baseline: Baseline) -> None:
        """Judge against another baseline from the next frame on.

        Parameters
        ----------
        baseline : Baseline
            Taken with the camera where it is now.
        """
        self._use(baseline)
        if self._fit is not None:
            self._fit = FitJudge(baseline)
        self._move.reset()
        for smoother in self._filters:
            smoother.reset()

    def run(self, landmarks: Landmarks) -> Iterator[StepResult]:
        """Judge many frames, one after the other; a fold of :meth:`step`.

        Parameters
        ----------
        landmarks : Landmarks
            T frames, in the order of time, none before the newest one judged.

        Yields
        ------
        StepResult
            Of every frame.

        Raises
        ------
        TimestampError, CalibrationError
            As :meth:`step`.
        """
        for row in measure_rows(landmarks):
            yield self.step(row)

    def finish(self) -> None:
        """Tell that no frame will follow.

        Raises
        ------
        CalibrationError
            If a calibration span was asked for and the frames ended before it did.
        """
        if self._pending_span_s is not None:
            start_s, end_s = self._pending_span_s
            last = f"at {self._collected[-1].t_s[-1]:.1f} s" if self._collected else "before it began"
            raise CalibrationError(
                f"calibration span {start_s:g}:{end_s:g} s: the frames end {last}; choose an earlier span"
            )

    def step(self, landmarks: Landmarks, condition: Reason = Reason.NONE) -> StepResult:
        """Judge one frame.

        Parameters
        ----------
        landmarks : Landmarks
            One frame (T = 1), its time never before the previous one's.
        condition : Reason
            Why its picture must not be judged, whatever the landmarks say; NONE = it may.

        Returns
        -------
        StepResult
            Its state, deviations, events and, rarely, an alert.

        Raises
        ------
        TimestampError
            If the time is not finite or goes backwards; nothing has changed then.
        CalibrationError
            If the calibration span has ended and its frames make no baseline.
        """
        measured = self.measure(landmarks, condition)
        t_s, reason = measured.t_s, measured.reason
        neck, thoracic, sink, head_pitch = measured.values
        ratio, driver, error = nan, "", nan
        if measured.raw is not None and self._thresholds is not None:
            self._scatter.step(t_s, slouch_ratio(*measured.raw, self._thresholds)[0])
        if reason is Reason.NONE and self._thresholds is not None:
            ratio, driver = slouch_ratio(neck, thoracic, sink, self._thresholds)
            if isnan(ratio):
                reason, driver = Reason.NOT_MEASURED, ""
            error = ratio_error(driver, self._standard_error, self._thresholds)
        release = release_ratio(self.settings.judge.release_ratio, self._scatter.sd)
        events = self._machine.step(t_s, ratio, reason, release) + self._camera_events(t_s, reason)
        machine = self._machine
        alert = self._policy.step(
            t_s,
            machine.state,
            machine.is_slouch_level and not isnan(ratio),
            machine.slouched_s,
            machine.slouch_onset_s,
        )
        if alert is not None:
            events.append(SlouchEvent(EventKind.ALERT, alert.onset_s, t_s))
        due = self._clock.step(t_s, find_presence(landmarks, reason), is_held=self._is_no_moment(t_s))
        if due is not None:
            kind = EventKind.BREAK_DUE if due is BreakKind.MOVEMENT else EventKind.MICRO_BREAK_DUE
            events.append(SlouchEvent(kind, t_s - self._clock.position_s, t_s))
        return StepResult(
            t_s,
            machine.state,
            reason,
            neck,
            thoracic,
            sink,
            head_pitch,
            ratio,
            driver,
            machine.slouched_s,
            self._clock.sat_s,
            tuple(events),
            alert,
            self._clock.stood_s,
            self._policy.urgency(machine.state, machine.is_slouch_level, machine.slouched_s),
            error,
            release,
            self._gates.is_near_limit,
            self._policy.due_s(t_s, machine.is_slouch_level and not isnan(ratio), machine.slouched_s),
        )

    def measure(
        self,
        landmarks: Landmarks,
        condition: Reason = Reason.NONE,
    ) -> Measured:
        """Measure one frame without judging it: the first half of :meth:`step`, free of thresholds.

        Parameters
        ----------
        landmarks, condition : Landmarks, Reason
            As for :meth:`step`.

        Returns
        -------
        Measured
            What :meth:`step` goes on with.

        Raises
        ------
        TimestampError, CalibrationError
            As :meth:`step`.
        """
        t_s = float(landmarks.t_s[0])
        self._machine.check_time(t_s)
        if self._pending_span_s is not None:
            self._collect(landmarks, t_s, *self._pending_span_s)
        values, reason, raw = self._measure(landmarks, t_s)
        return Measured(t_s, values, condition if condition is not Reason.NONE else reason, raw)

    def measure_all(self, landmarks: Landmarks, conditions: Sequence[Reason]) -> Iterator[Measured]:
        """Yield :meth:`measure` of every frame, deviations worked out in one go: the same bits in a third of the time.

        Parameters
        ----------
        landmarks : Landmarks
            T frames.
        conditions : sequence of Reason
            (T,) one per frame.

        Yields
        ------
        Measured
            One per frame.
        """
        for row, condition in zip(measure_rows(landmarks), conditions, strict=True):
            yield self.measure(row, condition)

    def _is_no_moment(self, t_s: float) -> bool:
        """Return whether a break reminder has to wait: silence was asked for, or an alert has just come."""
        last_s = self._policy.last_alert_s
        is_close = last_s is not None and t_s - last_s < self.settings.breaks.spacing_s
        return is_close or self._policy.is_silenced(t_s)

    def _collect(self, landmarks: Landmarks, t_s: float, start_s: float, end_s: float) -> None:
        """Gather calibration frames, and fit the baseline once the span is over."""
        if t_s < end_s:
            if t_s >= start_s:
                self._collected.append(landmarks)
            return
        if not self._collected:
            raise CalibrationError(f"calibration span {start_s:g}:{end_s:g} s: no frame falls into it")
        self._pending_span_s = None
        self._use(fit_baseline(concatenate(self._collected), self.settings.judge))
        self._collected = []

    def _use(self, baseline: Baseline | None) -> None:
        """Judge against `baseline` from now on."""
        self.baseline = baseline
        self._gates.reset()
        self._scatter.reset()
        self._estimator = self._thresholds = None
        if baseline is not None:
            self._estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
            self._thresholds = make_thresholds(self.settings.judge, baseline)

    def _deviations(
        self, landmarks: Landmarks, angles: Angles, estimator: Estimator
    ) -> tuple[list[float], list[float]]:
        """Return the values and standard errors of one frame; those of a block are worked out in one go."""
        if not isinstance(landmarks, MeasuredLandmarks) or landmarks.block is None:
            alone = compute_deviation(angles.cues, estimator)
            return alone.values[0].tolist(), alone.standard_error[0].tolist()
        if self._block is None or self._block[0] is not landmarks.block or self._block[1] is not estimator:
            self._block = landmarks.block, estimator, compute_deviation(landmarks.block.cues, estimator)
        together = self._block[2]
        return together.values[landmarks.row].tolist(), together.standard_error[landmarks.row].tolist()

    def _measure(
        self, landmarks: Landmarks, t_s: float
    ) -> tuple[list[float], Reason, tuple[float, float, float] | None]:
        """Measure one frame, in what :class:`Measured` is made of.

        The smoothed deviations (the first four measures), why they are not judged, and the first three as they were
        before smoothing, None if they are not to be followed for their scatter.
        """
        dx, dy, confidence = landmarks.scene_shift[0].tolist()
        is_moved = self._move.step(t_s, dx, dy, confidence)
        angles = compute_angles(landmarks)
        raw = _NOT_MEASURED
        if self._estimator is not None and not is_moved:
            raw, self._standard_error = self._deviations(landmarks, angles, self._estimator)
        reason = self._gates.step(landmarks, angles, raw[Measure.HEAD_YAW_DEG], self.baseline, is_moved)
        if (
            self._fit is not None
            and not is_moved
            and self._fit.step(t_s, angles)
            and reason in MISFIT_EXPLAINS
        ):
            reason = Reason.BASELINE_MISFIT
        is_followed = reason is Reason.NONE
        neck, thoracic, sink = raw[: Measure.HEAD_PITCH_DEG]
        values = [f.step(t_s, value) for f, value in zip(self._filters, raw, strict=False)]
        return values, reason, (neck, thoracic, sink) if is_followed else None

    def _camera_events(self, t_s: float, reason: Reason) -> list[SlouchEvent]:
        """Return the events of losing the picture, having it back, and of a moved camera."""
        events = []
        is_lost = reason is Reason.NO_PICTURE
        if is_lost != self._is_camera_lost:
            kind = EventKind.CAMERA_LOST if is_lost else EventKind.CAMERA_BACK
            events.append(SlouchEvent(kind, t_s, t_s))
        is_moved = self._move.is_moved
        if is_moved and not self._is_camera_moved:
            onset_s = t_s if self._move.since_s is None else self._move.since_s
            events.append(SlouchEvent(EventKind.CAMERA_MOVED, onset_s, t_s))
        self._is_camera_lost, self._is_camera_moved = is_lost, is_moved
        return events
