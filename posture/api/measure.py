"""Landmarks and a baseline in, deviations out: the estimator without the rest. Pure; no I/O."""

from __future__ import annotations

from posture.angles import compute_angles
from posture.baseline import Baseline
from posture.coefficients import packaged_coefficients
from posture.deviation import Deviation, compute_deviation, make_estimator
from posture.landmarks import Landmarks


def measure_deviation(landmarks: Landmarks, baseline: Baseline) -> Deviation:
    """Measure how far every frame is from a baseline, with standard errors; nothing is smoothed or judged.

    Parameters
    ----------
    landmarks : Landmarks
        T frames.
    baseline : Baseline
        The same person's upright before the same camera.

    Returns
    -------
    Deviation
        Signed, + = toward slouch; NaN rows where nobody is there or the view is unlike anything the estimator knows.

    Raises
    ------
    ModelFileError
        If the estimator's packaged coefficients are missing or damaged.
    """
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    return compute_deviation(compute_angles(landmarks).cues, estimator)
