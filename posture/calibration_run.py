"""A calibration under way: a countdown, then frames to fit a baseline on. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from posture.angles import compute_angles
from posture.baseline import Baseline
from posture.calibration import CalibrationQuality, assess, find_problem, fit_baseline
from posture.landmarks import Landmarks, concatenate
from posture.settings import JudgeSettings


@dataclass(frozen=True, slots=True)
class CalibrationTick:
    """How a calibration is going, after one frame."""

    is_counting_down: bool
    """Still time to settle; nothing is recorded yet."""
    remaining_s: float
    """Seconds left of this phase."""
    problem: str | None
    """What is wrong with the picture now, as advice; None = nothing."""


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """A baseline and how good its frames were."""

    baseline: Baseline
    quality: CalibrationQuality
    landmarks: Landmarks
    """What it was made from."""


class CalibrationRun:
    """Collect the frames of one calibration.

    Parameters
    ----------
    settings : JudgeSettings
        What counts as good enough.
    seconds, countdown_s : float
        Frame time to record, and to wait before it; counted from the first frame.
    """

    def __init__(self, settings: JudgeSettings, *, seconds: float, countdown_s: float) -> None:
        self._settings, self._seconds, self._countdown_s = settings, seconds, countdown_s
        self._begin_s: float | None = None
        self._collected: list[Landmarks] = []

    def step(self, landmarks: Landmarks) -> CalibrationTick | None:
        """Take one frame (T = 1) in and return how it goes; None = its time lies behind the end: all is collected."""
        t_s = float(landmarks.t_s[0])
        if self._begin_s is None:
            self._begin_s = t_s + self._countdown_s
        end_s = self._begin_s + self._seconds
        if t_s >= end_s:
            return None
        problem = find_problem(landmarks, compute_angles(landmarks), self._settings)
        if t_s < self._begin_s:
            return CalibrationTick(True, self._begin_s - t_s, problem)
        self._collected.append(landmarks)
        return CalibrationTick(False, end_s - t_s, problem)

    @property
    def landmarks(self) -> Landmarks:
        """What has been collected so far."""
        return concatenate(self._collected) if self._collected else Landmarks.empty()

    def result(self, created_utc: str) -> CalibrationResult:
        """Return the baseline of the frames so far, dated `created_utc` (ISO 8601).

        Raises
        ------
        CalibrationError
            If they make none; the text says why.
        """
        taken = self.landmarks
        baseline = fit_baseline(taken, self._settings, created_utc)
        return CalibrationResult(baseline, assess(taken, compute_angles(taken), self._settings), taken)
