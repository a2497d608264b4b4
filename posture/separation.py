"""How far a person's usual slouch lies from their upright, and whether the two can be told apart. Pure; no I/O.

Both are given as frames; what is compared is the slouch ratio (:mod:`posture.judging`), frame by frame::

    AUC       chance that a random slouching frame reads higher than a random upright one (0.5 = no difference)
    d'        difference of the means over the root mean square of the standard deviations (Macmillan & Creelman 2005)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan, sqrt
from typing import Final

import numpy as np

from posture.angles import Place, compute_angles
from posture.baseline import Baseline
from posture.calibration import MIN_FRAMES
from posture.coefficients import packaged_coefficients
from posture.deviation import Measure, compute_deviation, make_estimator
from posture.judging import MIN_SLOUCH_SHARE, make_thresholds, slouch_ratio
from posture.landmarks import FloatArray, Landmarks
from posture.settings import JudgeSettings

MIN_AUC: Final = 0.95
"""Below this more than one pair in twenty is told wrongly: no ground to move a threshold on (our choice)."""
MIN_D_PRIME: Final = 2.0
"""Below this the borders of 84 % of either side meet in the middle: a threshold there would alert upright people
(our choice)."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How upright and a usual slouch compare."""

    n_upright: int
    n_slouch: int
    """Frames of each that were measured."""
    upright_ratio: float
    slouch_ratio: float
    """Medians of the slouch ratio, 1 = at the settings' threshold; NaN = nothing was measured."""
    auc: float
    """Chance in [0, 1] that a slouching frame reads higher; NaN = nothing was measured."""
    d_prime: float
    """Distance in standard deviations; infinite = neither varies; NaN = nothing was measured."""
    slouch_centre: FloatArray
    """(M,) median of every :class:`~posture.deviation.Measure` in the slouch; NaN = nothing was measured."""
    problem: str
    """Why the thresholds stay as they are, with what to do; empty = they can be sharpened."""


def separate(
    baseline: Baseline, upright: Landmarks, slouch: Landmarks, settings: JudgeSettings
) -> Separation:
    """Compare a person's upright and usual slouch.

    Parameters
    ----------
    baseline : Baseline
        Their upright.
    upright, slouch : Landmarks
        Frames of each; NaN rows and T = 0 are allowed.
    settings : JudgeSettings
        Thresholds, and what landmarks are believed.

    Returns
    -------
    Separation
        Never raises for what the frames show: what is wrong is in its `problem`.
    """
    (low, _), (high, values) = (_ratios(baseline, part, settings) for part in (upright, slouch))
    if min(len(low), len(high)) < MIN_FRAMES:
        what = "upright" if len(low) < len(high) else "slouch"
        problem = f"your {what} was seen in too few pictures: keep face and shoulders in view and try again"
        return Separation(len(low), len(high), nan, nan, nan, nan, np.full(len(Measure), nan), problem)
    auc, d_prime = _auc(low, high), _d_prime(low, high)
    medians = float(np.median(low)), float(np.median(high))
    problem = ""
    neck, thoracic = (float(np.median(values[:, m])) for m in (Measure.NECK_DEG, Measure.THORACIC_DEG))
    if medians[1] <= medians[0] or (medians[1] < MIN_SLOUCH_SHARE and max(neck, thoracic) <= 0.0):
        problem = "it is no more bent than your upright: sit upright first, then slouch as you usually do"
    elif auc < MIN_AUC or d_prime < MIN_D_PRIME:
        problem = "it can hardly be told from your upright: slouch as you do at the end of a day, and hold it"
    elif medians[1] < MIN_SLOUCH_SHARE:
        problem = f"it reaches only {medians[1]:.0%} of the limit, too near to ordinary sitting"
    centre = np.asarray(np.median(values, axis=0))
    return Separation(len(low), len(high), *medians, auc, d_prime, centre, problem)


def sharpen(baseline: Baseline, separation: Separation) -> Baseline:
    """Return the baseline with the usual slouch in it, or as it was if there is a problem."""
    return baseline if separation.problem else replace(baseline, slouch_centre=separation.slouch_centre)


def _ratios(
    baseline: Baseline, landmarks: Landmarks, settings: JudgeSettings
) -> tuple[FloatArray, FloatArray]:
    """Return the slouch ratio of every measured frame against the settings' thresholds, and its measures."""
    angles = compute_angles(landmarks)
    values = compute_deviation(
        angles.cues, make_estimator(baseline.cue_centre, packaged_coefficients())
    ).values
    with np.errstate(invalid="ignore"):
        is_seen = angles.place[:, Place.VISIBILITY] >= settings.min_visibility
    values = values[np.isfinite(values).all(axis=1) & is_seen]
    thresholds = make_thresholds(settings, replace(baseline, slouch_centre=None))
    ratios = [slouch_ratio(row[0], row[1], row[2], thresholds)[0] for row in values.tolist()]
    return np.array(ratios), values


def _auc(low: FloatArray, high: FloatArray) -> float:
    """Return the chance that a value of `high` is above one of `low`, ties counting half (Mann-Whitney)."""
    low = np.sort(low)
    below, not_above = np.searchsorted(low, high, "left"), np.searchsorted(low, high, "right")
    return float((below + not_above).sum()) / (2.0 * len(low) * len(high))


def _d_prime(low: FloatArray, high: FloatArray) -> float:
    """Return the distance of the means in standard deviations."""
    spread = sqrt(0.5 * float(low.var() + high.var()))
    gap = float(high.mean() - low.mean())
    if spread > 0.0:
        return gap / spread
    return inf if gap > 0.0 else (-inf if gap < 0.0 else 0.0)
