"""A baseline is made of good frames only, and a refusal says what is wrong.

Claimed: steady upright frames make a baseline whose centre is what was seen; one frame in five may be
anything at all; too few, empty, dark, restless, turning or cut-off pictures are refused, each with its reason.
"""

import dataclasses

import numpy as np
import pytest
from synthetic import person, steady_times, without_person, without_picture

from posture.angles import Place, compute_angles
from posture.calibration import (
    MIN_FRAMES,
    _centre_and_spread,
    assess,
    find_problem,
    fit_baseline,
    robust_spread,
)
from posture.coefficients import packaged_coefficients
from posture.deviation import Measure, compute_deviation, make_estimator
from posture.errors import CalibrationError, PostureError
from posture.landmarks import Landmarks
from posture.settings import JudgeSettings

SETTINGS = JudgeSettings()
TIMES = steady_times(4, 10.0)
NOISE = 0.0007  # image widths: half a pixel of 640


def upright(azimuth_deg=0.0, **changes):
    return person(TIMES, **({"noise": NOISE, "azimuth_deg": azimuth_deg} | changes))


def refusal(landmarks):
    with pytest.raises(CalibrationError) as caught:
        fit_baseline(landmarks, SETTINGS)
    assert isinstance(caught.value, PostureError)
    text = str(caught.value)
    assert text.startswith("calibration refused: ")
    assert "\n" not in text
    problems = assess(landmarks, compute_angles(landmarks), SETTINGS).problems
    assert text == "calibration refused: " + "; ".join(problems)
    return text


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, -45.0])
def test_steady_frames_make_a_baseline_of_what_was_seen(azimuth_deg):
    landmarks = upright(azimuth_deg)
    baseline = fit_baseline(landmarks, SETTINGS, "2025-01-02T03:04:05Z")
    assert baseline.n_frames == len(TIMES)
    assert baseline.duration_s == pytest.approx(9.75)
    assert baseline.luminance == 0.5
    assert baseline.created_utc == "2025-01-02T03:04:05Z"
    assert np.isfinite(baseline.cue_centre).all()
    assert (baseline.cue_spread >= 0.0).all()
    assert (baseline.deviation_spread >= 0.0).all()
    values = compute_angles(landmarks).cues
    assert ((baseline.cue_centre >= values.min(axis=0)) & (baseline.cue_centre <= values.max(axis=0))).all()
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    own = compute_deviation(compute_angles(landmarks).cues, estimator).values
    for measure in (Measure.NECK_DEG, Measure.THORACIC_DEG, Measure.SINK_RATIO):
        assert np.median(own[:, measure]) == pytest.approx(0.0, abs=baseline.deviation_spread[measure] + 1e-9)
        assert 0.0 < baseline.deviation_spread[measure] < 3.0
    assert assess(landmarks, compute_angles(landmarks), SETTINGS).problems == ()


def test_noise_widens_the_spread_and_nothing_else():
    still, noisy = (fit_baseline(upright(noise=noise), SETTINGS) for noise in (0.0003, 0.0012))
    assert (noisy.deviation_spread > 2.0 * still.deviation_spread).all()
    assert noisy.cue_centre == pytest.approx(still.cue_centre, abs=1.0)


def test_exactly_still_has_no_spread():
    baseline = fit_baseline(upright(noise=0.0), SETTINGS)
    assert baseline.cue_spread == pytest.approx(0.0, abs=1e-9)
    assert baseline.deviation_spread == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("kind", ["slouch", "elsewhere", "nobody", "no picture", "collapsed", "far"])
def test_one_frame_in_five_may_be_anything(kind):
    clean = upright()
    rows = np.arange(2, len(TIMES), 5)
    if kind == "nobody":
        odd = without_person(clean, rows)
    elif kind == "no picture":
        odd = without_picture(clean, rows)
    else:
        xyzv, world_m = clean.xyzv.copy(), clean.world_m.copy()
        if kind == "slouch":
            other = upright(neck_deg=50.0, thoracic_deg=30.0)
            xyzv[rows], world_m[rows] = other.xyzv[rows], other.world_m[rows]
        elif kind == "elsewhere":
            xyzv[rows, :, 0] += 0.25
        elif kind == "collapsed":
            xyzv[rows] = 0.5
        else:
            xyzv[rows, :, :2] *= 1e6
        odd = dataclasses.replace(clean, xyzv=xyzv, world_m=world_m)
    expected, found = fit_baseline(clean, SETTINGS), fit_baseline(odd, SETTINGS)
    limit = 2.0 * expected.cue_spread + 1e-9
    assert (np.abs(found.cue_centre - expected.cue_centre) <= limit).all()
    assert (found.cue_spread <= 2.5 * expected.cue_spread + 1e-9).all()
    assert (found.deviation_spread <= 2.5 * expected.deviation_spread + 1e-9).all()


@pytest.mark.parametrize("n", [0, 1, 7])
def test_too_few_frames_are_refused(n):
    assert f"too short: it takes {MIN_FRAMES} pictures" in refusal(upright()[:n]), (
        "a slow clip has few in any second"
    )
    assert f"seen well in {n} of {n} frames" in refusal(upright()[:n])


def test_no_frames_at_all_are_refused():
    assert "too short" in refusal(Landmarks.empty())


def test_an_empty_chair_is_refused():
    assert "nobody in view" in refusal(without_person(upright(), slice(None)))
    assert "nobody in view" in refusal(without_person(upright(), slice(0, 13))), "27 of 40 is below 70 %"
    fit_baseline(without_person(upright(), slice(0, 11)), SETTINGS)


def test_no_picture_is_refused():
    assert "no picture" in refusal(without_picture(upright(), slice(None)))


def test_darkness_is_refused():
    assert "too dark" in refusal(upright(luminance=0.5 * SETTINGS.min_luminance))
    assert "too dark to see you" in refusal(without_person(upright(luminance=0.01), slice(None)))
    fit_baseline(upright(luminance=1.1 * SETTINGS.min_luminance), SETTINGS)


def test_hidden_shoulders_are_refused():
    hidden = upright()
    hidden.xyzv[..., 3] = 0.5 * SETTINGS.min_visibility
    assert "shoulders or face hidden" in refusal(hidden)


def test_moving_about_is_refused():
    sway = np.zeros((len(TIMES), 3))
    sway[:, 1] = 0.12 * np.sin(np.array(TIMES))
    assert "moved about" in refusal(upright(shift_m=sway))
    fit_baseline(upright(shift_m=0.1 * sway), SETTINGS)


def test_turning_the_head_is_refused():
    turning = np.sin(np.array(TIMES))
    assert "head turned about" in refusal(upright(yaw_deg=35.0 * turning))
    fit_baseline(upright(yaw_deg=5.0 * turning), SETTINGS)


@pytest.mark.parametrize(
    "shift_m", [(0.0, 0.46, 0.0), (0.0, -0.46, 0.0), (0.0, 0.0, -0.35), (0.0, 0.0, 0.32)]
)
def test_being_partly_out_of_the_picture_is_refused(shift_m):
    landmarks = upright(shift_m=shift_m)
    landmarks.xyzv[..., 3] = 0.99  # the model is often sure of what it cannot see
    assert "partly out of the picture" in refusal(landmarks)


def test_advice_is_about_the_newest_frame():
    good = upright()
    bad = without_person(good, [len(good) - 1])
    assert find_problem(good, compute_angles(good), SETTINGS) is None
    assert "nobody" in find_problem(bad, compute_angles(bad), SETTINGS)
    assert find_problem(bad[:-1], compute_angles(bad[:-1]), SETTINGS) is None


def test_quality_says_how_much_was_used():
    landmarks = without_person(upright(), slice(0, 10))
    quality = assess(landmarks, compute_angles(landmarks), SETTINGS)
    assert (quality.n_frames, quality.n_used, quality.visible_ratio) == (40, 30, 0.75)
    assert 0.0 < quality.sway_ratio < 0.03
    assert 0.0 < quality.turn_deg < 3.0
    empty = assess(Landmarks.empty(), compute_angles(Landmarks.empty()), SETTINGS)
    assert (empty.n_frames, empty.visible_ratio) == (0, 0.0)
    assert np.isnan([empty.sway_ratio, empty.turn_deg, empty.luminance]).all()


def test_spread_of_a_normal_distribution_is_its_standard_deviation():
    rng = np.random.default_rng(1)
    values = rng.normal(scale=(1.0, 5.0), size=(20_000, 2))
    values[:1000] = np.nan
    assert robust_spread(values) == pytest.approx([1.0, 5.0], rel=0.03)


@pytest.mark.parametrize("shift_s", [0.0, 1000.0])
def test_the_time_of_day_of_a_calibration_does_not_matter(shift_s):
    landmarks = upright()
    moved = dataclasses.replace(landmarks, t_s=landmarks.t_s + shift_s)
    a, b = fit_baseline(landmarks, SETTINGS), fit_baseline(moved, SETTINGS)
    for field in dataclasses.fields(a):
        assert np.array_equal(getattr(a, field.name), getattr(b, field.name)), field.name
    assert b.place_centre[Place.SHOULDER_X] == pytest.approx(0.5, abs=0.01)


def test_what_too_few_frames_show_is_not_known_and_a_glance_aside_does_no_harm():
    cues = np.random.default_rng(0).normal(size=(20, 4))
    plain = _centre_and_spread(cues)
    assert np.array_equal(plain[0], np.median(cues, axis=0))
    holed = cues.copy()
    holed[:5, 1], holed[:7, 2], holed[:, 3] = np.nan, np.nan, np.nan
    centre, spread = _centre_and_spread(holed)
    assert (centre[0], spread[0]) == (plain[0][0], plain[1][0])
    assert centre[1] == np.median(cues[5:, 1])
    assert spread[1] > 0.0
    assert np.isnan([*centre[2:], *spread[2:]]).all()
