"""Does a baseline fit what a camera sees now: the same person, from the same side, at the same size? Pure; no I/O.

A baseline of another camera or person would be judged against without a word, and wrongly. Five cues change little
while one person sits before one camera, whatever their posture, and much from one camera or person to the next.
:attr:`Fit.score` is the root mean square of their changes, each as a share of its limit; 1 is the border::

    score = sqrt(mean over cues of ((median now - baseline) / (SLACK * limit))^2)

How well that tells, measured on people it was not made with: docs/profiles.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf, isnan, nan, sqrt
from typing import Final

import numpy as np

from posture.angles import Angles, Place, compute_angles
from posture.baseline import Baseline
from posture.cues import CUE_NAMES
from posture.landmarks import BoolArray, FloatArray, Landmarks

LIMITS: Final = {
    "shoulder_sin": (0.241, "seen from another side"),
    "face_z_x": (0.299, "seen from another side"),
    "log_face": (0.433, "at another distance"),
    "shoulder_width": (1.059, "another person, or the camera much higher or lower"),
    "shoulders_y": (0.560, "another person, or the camera at another angle"),
}
"""Cue: change that 98 % of one person's postures before one camera stay under, and what a larger one speaks of.
From `benchmarks/evaluate_fit.py`, people of `models/training/people_1.npz`."""
SLACK: Final = 1.2
"""Times those limits; with it no slouch of the bench's clips is refused (one reaches 1.12 without)."""
PLACE_LIMITS: Final = {Place.SHOULDER_X: 1.768, Place.SHOULDER_Y: 0.472}
"""The same for the place in the picture, shoulder widths. It tells profiles apart and refuses none: chairs roll."""
LOOK_S: Final = 3.0
"""Seconds that are looked at before the fit is told (our choice: past a single glance aside)."""
MIN_FRAMES: Final = 6
"""Measured frames without which nothing is told: two a second, as a camera is looked at (our choice)."""
FORGET_S: Final = 60.0
"""Seconds without anybody after which the next person is looked at afresh (our choice)."""
_COLUMNS: Final = [CUE_NAMES.index(name) for name in LIMITS]
_SCALES: Final = SLACK * np.array([limit for limit, _ in LIMITS.values()])
_MEANINGS: Final = [meaning for _, meaning in LIMITS.values()]


@dataclass(frozen=True, slots=True)
class Fit:
    """How far some seconds are from a baseline's camera and person."""

    score: float
    """0 = as at the calibration, 1 = the border, more = does not fit; NaN = nobody was measured."""
    place: float
    """How far away in the picture, on the same scale; NaN = nobody was measured."""
    why: str
    """What the largest change speaks of; empty while it fits."""
    n_frames: int
    """Frames in which somebody was measured."""

    @property
    def is_misfit(self) -> bool:
        """Whether this is another person or another view; False as long as too little was measured to tell."""
        return self.score > 1.0 and self.n_frames >= MIN_FRAMES

    @property
    def distance(self) -> float:
        """Score and place together, for choosing between baselines; infinite when nobody was measured."""
        return inf if isnan(self.score) else hypot(self.score, self.place)


def fit(baseline: Baseline, landmarks: Landmarks) -> Fit:
    """Return how well `baseline` fits some seconds of landmarks.

    Parameters
    ----------
    baseline : Baseline
        A person's upright before one camera.
    landmarks : Landmarks
        T frames, in any posture; NaN rows and T = 0 are allowed.
    """
    return fit_angles(baseline, compute_angles(landmarks))


def fit_angles(baseline: Baseline, angles: Angles) -> Fit:
    """Do the same as :func:`fit` for landmarks that have been measured already."""
    seen: BoolArray = angles.is_measured & np.isfinite(angles.place[:, : Place.EAR_Y]).all(axis=1)
    n = int(seen.sum())
    if n == 0:
        return Fit(nan, nan, "", 0)
    cues = np.median(angles.cues[seen][:, _COLUMNS], axis=0)
    place = np.median(angles.place[seen], axis=0)
    return _compare(baseline, np.asarray(cues), np.asarray(place), n)


def _compare(baseline: Baseline, cues: FloatArray, place: FloatArray, n: int) -> Fit:
    """Return the fit of the medians of n frames."""
    shares = (cues - baseline.cue_centre[_COLUMNS]) / _SCALES
    score = sqrt(float((shares**2).mean()))
    width = max(float(baseline.place_centre[Place.SHOULDER_WIDTH]), 1e-3)
    offsets = [
        float(place[p] - baseline.place_centre[p]) / (width * limit) for p, limit in PLACE_LIMITS.items()
    ]
    why = _MEANINGS[int(np.argmax(np.abs(shares)))] if score > 1.0 else ""
    return Fit(score, hypot(*offsets) / sqrt(2.0), why, n)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored baseline to choose from."""

    name: str
    baseline: Baseline
    camera: str
    """Name of the camera it was taken with; empty = not recorded."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of several baselines to judge against, and why."""

    name: str | None
    """None = none of them fits."""
    why: str
    """One short clause."""


def choose(candidates: Sequence[Candidate], landmarks: Landmarks, camera: str) -> Choice:
    """Choose the baseline that fits what a camera sees.

    Of those that fit, the ones taken with this camera come first, then the nearest.

    Parameters
    ----------
    candidates : sequence of Candidate
        In the order of preference among equals.
    landmarks : Landmarks
        The first seconds.
    camera : str
        The camera's name.

    Returns
    -------
    Choice
        Without a name when nobody was measured long enough or nothing fits.
    """
    angles = compute_angles(landmarks)
    fits = [(fit_angles(c.baseline, angles), c) for c in candidates]
    if not fits or max(f.n_frames for f, _ in fits) < MIN_FRAMES:
        return Choice(None, "nobody was in view")
    fitting = [(f, c) for f, c in fits if not f.is_misfit]
    if not fitting:
        nearest, candidate = min(fits, key=lambda pair: pair[0].distance)
        return Choice(None, f"none fits; the nearest, {candidate.name!r}, is {nearest.why}")
    own = [(f, c) for f, c in fitting if c.camera and c.camera == camera]
    best, chosen = min(own or fitting, key=lambda pair: pair[0].distance)
    if len(fitting) == 1:
        return Choice(chosen.name, "the only one that fits your place and view")
    if len(own) == 1:
        return Choice(chosen.name, "the one that fits and was taken with this camera")
    return Choice(
        chosen.name, f"it fits your place and view best, of {len(fitting)} (distance {best.distance:.1f})"
    )


class FitJudge:
    """Look at whoever sits down first, and say whether the baseline is theirs, before this camera.

    Until it has been found to fit once, every :data:`LOOK_S` seconds are looked at; then no more, until nobody was
    there for :data:`FORGET_S`.

    Parameters
    ----------
    baseline : Baseline
        What is judged against.
    """

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self.reset()

    def reset(self) -> None:
        """Look afresh."""
        self.fit: Fit | None = None
        """What was told last; None = not yet."""
        self._frames: deque[tuple[float, FloatArray, FloatArray]] = deque()
        self._seen_s: float | None = None

    @property
    def is_misfit(self) -> bool:
        """Whether the last seconds looked at were another person's or of another view."""
        return self.fit is not None and self.fit.is_misfit

    def step(self, t_s: float, angles: Angles) -> bool:
        """Take one frame (T = 1) in and return :attr:`is_misfit`.

        Parameters
        ----------
        t_s : float
            Frame time, seconds.
        angles : Angles
            Its measurements; a row without a person counts as nobody.
        """
        if isnan(angles.cues[0, 0]) or isnan(angles.place[0, 0]):
            return self.is_misfit
        if self._seen_s is not None and t_s - self._seen_s > FORGET_S:
            self.reset()
        self._seen_s = t_s
        if self.fit is not None and not self.fit.is_misfit:
            return False
        self._frames.append((t_s, angles.cues[0, _COLUMNS], angles.place[0]))
        while t_s - self._frames[0][0] > 2.0 * LOOK_S:
            self._frames.popleft()
        if len(self._frames) >= MIN_FRAMES and t_s - self._frames[0][0] >= LOOK_S:
            cues = np.median([c for _, c, _ in self._frames], axis=0)
            place = np.median([p for _, _, p in self._frames], axis=0)
            self.fit = _compare(self._baseline, cues, place, len(self._frames))
            self._frames.clear()
        return self.is_misfit
