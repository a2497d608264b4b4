"""Stages of the core, for comparing versions: ``python -m pytest benchmarks --benchmark-enable -n 0``."""

from __future__ import annotations

from pathlib import Path

import pytest

from posture.angles import compute_angles
from posture.calibration import fit_baseline
from posture.coefficients import packaged_coefficients
from posture.deviation import compute_deviation, make_estimator
from posture.landmarks import Landmarks, concatenate
from posture.pipeline import Pipeline
from posture.settings import Settings
from posture.trace import load_trace

TRACE = Path(__file__).parents[1] / "tests" / "fixtures" / "d301_monitor.npz"


@pytest.fixture(scope="module")
def landmarks() -> Landmarks:
    return load_trace(TRACE)


@pytest.mark.parametrize("n_frames", [1, 1_000, 100_000])
def test_landmarks_to_deviation(benchmark, landmarks, n_frames):
    baseline = fit_baseline(landmarks[:40], Settings().judge)
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    many = concatenate([landmarks] * (n_frames // len(landmarks) + 1))[:n_frames]
    benchmark(lambda: compute_deviation(compute_angles(many).cues, estimator))


@pytest.mark.parametrize("n_frames", [1, 1_000, 100_000])
def test_copying_the_same_bytes(benchmark, landmarks, n_frames):
    many = concatenate([landmarks] * (n_frames // len(landmarks) + 1))[:n_frames]
    benchmark(many.xyzv.copy)


def test_judging_a_session(benchmark, landmarks):
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, 10.0))

    def judge():
        pipeline.reset()
        return sum(1 for _ in pipeline.run(landmarks))

    assert benchmark(judge) == len(landmarks)
