"""A baseline is known to be of another view or person, a posture never is; one of several is chosen by what is seen."""

import dataclasses
from math import inf

import numpy as np
import pytest
from cli_helpers import FIXTURES
from hypothesis import given
from hypothesis import strategies as st
from synthetic import mirrored, person, steady_times, without_person

from posture.angles import compute_angles
from posture.calibration import fit_baseline
from posture.fit import FORGET_S, LOOK_S, MIN_FRAMES, Candidate, FitJudge, choose, fit
from posture.landmarks import Landmarks
from posture.pipeline import Pipeline
from posture.settings import CalibrationSettings, Settings
from posture.slouch import Reason, SlouchState
from posture.trace import load_trace

SETTINGS = Settings()
TRACES = ("d300_laptop", "d301_monitor", "d302_quarter", "d303_laptop", "s200_side", "s203_quarter")


def sitting(end_s=8.0, start_s=0.0, **changes):
    return person(np.array(steady_times(4, end_s)) + start_s, **({"noise": 5e-4} | changes))


def baseline_of(landmarks):
    return fit_baseline(landmarks, SETTINGS.judge)


def trace(name):
    return load_trace(FIXTURES / f"{name}.npz")


def own_baseline(name):
    return baseline_of(trace(name)[: 48 if name.startswith("d") else 30])


def windows(landmarks, length_s=LOOK_S):
    for start_s in np.arange(0.0, landmarks.t_s[-1], length_s):
        rows = np.searchsorted(landmarks.t_s, [start_s, start_s + length_s])
        yield landmarks[slice(*rows)]


@pytest.mark.parametrize("name", TRACES)
def test_no_posture_of_ones_own_is_refused(name):
    baseline = own_baseline(name)
    fits = [fit(baseline, part) for part in windows(trace(name))]
    assert not [f for f in fits if f.is_misfit]
    assert max(f.n_frames for f in fits) > MIN_FRAMES


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("s200_side", "d301_monitor"), ("d301_monitor", "s200_side"), ("s203_quarter", "d303_laptop")],
)
def test_another_placement_is_refused(mine, theirs):
    baseline = own_baseline(mine)
    judged = [fit(baseline, part) for part in windows(trace(theirs))]
    measured = [f for f in judged if f.n_frames >= MIN_FRAMES]
    assert np.mean([f.is_misfit for f in measured]) > 0.9
    assert {f.why for f in measured if f.is_misfit} == {"seen from another side"}


@pytest.mark.parametrize("n", [0, 3, 32])
def test_nobody_is_no_misfit(n):
    landmarks = sitting()
    found = fit(baseline_of(landmarks), without_person(landmarks, slice(None))[:n])
    assert (found.is_misfit, found.n_frames, found.why, found.distance) == (False, 0, "", inf)


@given(st.floats(-1.5, 1.5), st.floats(-1.0, 1.0), st.booleans(), st.sampled_from([0.0, 40.0, -40.0, 85.0]))
def test_the_calibration_itself_fits_wherever_it_was_taken(x, y, is_mirrored, azimuth_deg):
    landmarks = sitting(azimuth_deg=azimuth_deg)
    landmarks = mirrored(landmarks) if is_mirrored else landmarks
    baseline = baseline_of(landmarks)
    assert fit(baseline, landmarks).score < 0.1
    xyzv = landmarks.xyzv.copy()
    xyzv[..., :2] += 0.2 * np.array([x, y])
    moved = fit(baseline, dataclasses.replace(landmarks, xyzv=xyzv))
    assert moved.score == pytest.approx(fit(baseline, landmarks).score, abs=1e-6), "a chair that rolled"
    if abs(x) + abs(y) > 0.5:
        assert moved.place > fit(baseline, landmarks).place


def test_the_further_round_the_camera_the_worse_it_fits():
    baseline = baseline_of(sitting())
    scores = [fit(baseline, sitting(azimuth_deg=a)).score for a in (0.0, 10.0, 20.0, 40.0, 60.0)]
    assert scores == sorted(scores)
    assert scores[-1] > 1.0 > scores[1]


def test_the_profile_that_fits_is_chosen_whatever_the_order():
    views = {"front": 0.0, "left": 50.0, "right": -50.0}
    options = [Candidate(n, baseline_of(sitting(azimuth_deg=a)), "") for n, a in views.items()]
    for name, azimuth_deg in views.items():
        seen = sitting(3.0, azimuth_deg=azimuth_deg, seed=7)
        for order in (options, options[::-1]):
            assert choose(order, seen, "cam").name == name
    assert "only one" in choose(options, sitting(3.0, azimuth_deg=50.0), "cam").why


def test_among_those_that_fit_the_camera_decides_and_then_the_place():
    here = baseline_of(sitting())
    place = here.place_centre + np.array([0.1, 0.05, 0.0, 0.05, 0.0])
    there = dataclasses.replace(here, place_centre=place)
    seen = sitting(3.0, seed=3)
    assert fit(here, seen).score == fit(there, seen).score
    options = [Candidate("there", there, ""), Candidate("here", here, "")]
    assert choose(options, seen, "cam").name == "here"
    options = [Candidate("there", there, "cam"), Candidate("here", here, "other")]
    choice = choose(options, seen, "cam")
    assert choice.name == "there"
    assert "this camera" in choice.why


def test_nothing_is_chosen_when_nothing_fits_or_nobody_is_there():
    options = [Candidate("side", baseline_of(sitting(azimuth_deg=85.0)), "")]
    told = choose(options, sitting(3.0), "")
    assert told.name is None
    assert "'side'" in told.why
    assert choose(options, Landmarks.empty(), "").name is None
    assert choose([], sitting(3.0), "").name is None


def states(landmarks, baseline, **calibration):
    settings = Settings(calibration=CalibrationSettings(**calibration))
    return list(Pipeline(settings, baseline).run(landmarks))


def test_another_view_is_said_instead_of_judged_and_only_until_it_fits():
    baseline = baseline_of(sitting())
    wrong, right = sitting(20.0, azimuth_deg=60.0), sitting(20.0, start_s=20.0)
    results = states(wrong, baseline)
    assert {r.reason for r in results if r.t_s > 2 * LOOK_S} == {Reason.BASELINE_MISFIT}
    pipeline = Pipeline(SETTINGS, baseline)
    results = [pipeline.step(part[i : i + 1]) for part in (wrong, right) for i in range(len(part))]
    assert results[-1].state is SlouchState.UPRIGHT
    assert Reason.BASELINE_MISFIT not in {r.reason for r in states(wrong, baseline, check_fit=False)}, (
        "it can be turned off"
    )


def test_a_fresh_baseline_is_what_is_checked_from_then_on():
    wrong = sitting(20.0, azimuth_deg=60.0)
    pipeline = Pipeline(SETTINGS, baseline_of(sitting()))
    before = list(pipeline.run(wrong))
    assert before[-1].reason is Reason.BASELINE_MISFIT
    pipeline.use_baseline(baseline_of(wrong))
    after = list(pipeline.run(sitting(20.0, start_s=20.0, azimuth_deg=60.0)))
    assert Reason.BASELINE_MISFIT not in {r.reason for r in after}
    assert after[-1].state is SlouchState.UPRIGHT


def test_a_run_on_ones_own_baseline_is_the_same_with_and_without_the_check():
    landmarks = trace("d301_monitor")
    baseline = own_baseline("d301_monitor")
    assert repr(states(landmarks, baseline)) == repr(states(landmarks, baseline, check_fit=False))


def test_it_is_looked_at_once_and_again_after_a_long_absence():
    baseline = baseline_of(sitting())
    judge = FitJudge(baseline)

    def watch(start_s, end_s, **changes):
        part = sitting(end_s - start_s, start_s=start_s, **changes)
        angles = compute_angles(part)
        return [judge.step(float(part.t_s[i]), angles[i : i + 1]) for i in range(len(part))]

    assert not any(watch(0, 10))
    assert not any(watch(10, 30, azimuth_deg=60.0)), "never in the middle of a sitting"
    absent = without_person(sitting(FORGET_S + 5.0, start_s=30.0), slice(None))
    angles = compute_angles(absent)
    for i in range(len(absent)):
        judge.step(float(absent.t_s[i]), angles[i : i + 1])
    assert watch(100, 110, azimuth_deg=60.0)[-1], "somebody else, or elsewhere"
