"""A usual slouch sharpens the thresholds within bounds, or changes nothing and says why."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_helpers import FIXTURES, FRONT, home_env, posture
from hypothesis import given
from hypothesis import strategies as st
from synthetic import person, steady_times, without_person

from posture.calibration import fit_baseline
from posture.deviation import Measure
from posture.judging import PERSONAL_SHARES, make_thresholds, slouch_ratio
from posture.landmarks import Landmarks
from posture.profiles import load_baseline
from posture.separation import MIN_AUC, _auc, separate, sharpen
from posture.settings import JudgeSettings
from posture.trace import load_trace

JUDGE = JudgeSettings()
NAMES = ("neck_deg", "thoracic_deg", "flexion_deg", "sink_ratio")


def sitting(end_s=8.0, **changes):
    return person(steady_times(4, end_s), **({"noise": 5e-4} | changes))


UPRIGHT, SLOUCH = sitting(), sitting(neck_deg=44.0, thoracic_deg=22.0, seed=1)
BASELINE = fit_baseline(UPRIGHT, JUDGE)


def shares(baseline, judge=JUDGE):
    thresholds = make_thresholds(judge, baseline)
    return {name: getattr(thresholds, name) / getattr(judge, name) for name in NAMES}


def test_a_clear_slouch_is_told_apart_and_lies_beyond_its_own_thresholds():
    found = separate(BASELINE, UPRIGHT, SLOUCH, JUDGE)
    assert found.problem == ""
    assert found.auc == 1.0
    assert found.upright_ratio < 0.5 < 1.0 < found.slouch_ratio
    sharp = sharpen(BASELINE, found)
    neck, thoracic, sink = found.slouch_centre[:3]
    assert slouch_ratio(neck, thoracic, sink, make_thresholds(JUDGE, sharp))[0] > 1.0
    assert shares(sharp) != shares(BASELINE)


@pytest.mark.parametrize("name", ["front", "laptop"])
def test_a_rendered_slouch_is_told_apart(name):
    trace = load_trace(FIXTURES / f"{name}_upright_slouch.npz")
    baseline = fit_baseline(trace[:24], JUDGE)
    assert separate(baseline, trace[:24], trace[64:96], JUDGE).problem == ""
    assert separate(baseline, trace[:24], trace[24:48], JUDGE).problem, "typing is no slouch"


def test_the_wrong_order_is_said():
    swapped = fit_baseline(SLOUCH, JUDGE)
    found = separate(swapped, SLOUCH, UPRIGHT, JUDGE)
    assert "no more bent" in found.problem
    assert sharpen(swapped, found) is swapped


@pytest.mark.parametrize("name", ["front", "laptop"])
def test_the_wrong_order_is_said_of_rendered_people(name):
    trace = load_trace(FIXTURES / f"{name}_upright_slouch.npz")
    slouched, upright = trace[64:88], trace[:24]
    found = separate(fit_baseline(slouched, JUDGE), slouched, upright, JUDGE)
    assert "no more bent" in found.problem


def test_a_slouch_that_is_not_held_is_said():
    rows = np.arange(len(UPRIGHT)) % 5 < 2
    xyzv, world_m, face = SLOUCH.xyzv.copy(), SLOUCH.world_m.copy(), SLOUCH.face.copy()
    xyzv[rows], world_m[rows], face[rows] = UPRIGHT.xyzv[rows], UPRIGHT.world_m[rows], UPRIGHT.face[rows]
    sagging = dataclasses.replace(SLOUCH, xyzv=xyzv, world_m=world_m, face=face)
    found = separate(BASELINE, UPRIGHT, sagging, JUDGE)
    assert found.slouch_ratio > 1.0
    assert "hardly be told" in found.problem


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_auc_is_the_share_of_pairs_in_which_the_second_is_higher(low, high):
    pairs = [(b > a) + 0.5 * (b == a) for a in low for b in high]
    assert _auc(np.array(low), np.array(high)) == pytest.approx(np.mean(pairs))


def test_the_same_again_is_said_to_be_no_slouch():
    found = separate(BASELINE, UPRIGHT, sitting(seed=5), JUDGE)
    assert found.problem
    assert found.auc < MIN_AUC or found.slouch_ratio < 0.75
    assert sharpen(BASELINE, found) is BASELINE


@pytest.mark.parametrize("kind", ["empty", "nobody", "few", "hidden"])
def test_a_slouch_that_was_not_seen_is_said(kind):
    hidden = dataclasses.replace(SLOUCH, xyzv=SLOUCH.xyzv.copy())
    hidden.xyzv[..., 3] = 0.1
    slouch = {
        "empty": Landmarks.empty(),
        "nobody": without_person(SLOUCH, slice(None)),
        "few": SLOUCH[:3],
        "hidden": hidden,
    }[kind]
    found = separate(BASELINE, UPRIGHT, slouch, JUDGE)
    assert "slouch was seen in too few" in found.problem
    assert np.isnan([found.auc, found.d_prime, found.slouch_ratio]).all()


MEASURES = st.tuples(st.floats(-60, 90), st.floats(-40, 60), st.floats(-0.5, 0.5))
SPREADS = st.tuples(st.floats(0, 9), st.floats(0, 9), st.floats(0, 0.1))


@given(MEASURES, SPREADS, st.floats(3, 40), st.floats(3, 40))
def test_personal_thresholds_stay_sane_and_above_the_noise(measures, spreads, neck_deg, thoracic_deg):
    judge = JudgeSettings(neck_deg=neck_deg, thoracic_deg=thoracic_deg)
    spread = np.zeros(len(Measure))
    spread[:3] = spreads
    plain = dataclasses.replace(BASELINE, deviation_spread=spread)
    still = dataclasses.replace(BASELINE, deviation_spread=0.0 * spread)
    slouch = np.zeros(len(Measure))
    slouch[:3] = measures
    floor = make_thresholds(judge, plain)
    found = make_thresholds(judge, dataclasses.replace(plain, slouch_centre=slouch))
    free = make_thresholds(judge, dataclasses.replace(still, slouch_centre=slouch))
    low, high = PERSONAL_SHARES
    for name in NAMES:
        setting = getattr(judge, name)
        assert low * setting <= getattr(free, name) <= high * setting
        assert getattr(found, name) >= getattr(free, name), "never below the person's own unrest"
        assert getattr(found, name) <= max(high * setting, getattr(floor, name))
    assert found.neck_deg >= judge.min_spreads * spreads[0]
    assert found.thoracic_deg >= judge.min_spreads * spreads[1]
    if max(measures[0], 0.0) < 0.5 * neck_deg:
        assert free.neck_deg == neck_deg, "a quantity that the slouch does not move keeps its threshold"


@given(st.floats(1.5, 5.0), st.floats(1.5, 5.0))
def test_a_deeper_slouch_never_lowers_a_threshold(a, b):
    def neck(times):
        centre = np.zeros(len(Measure))
        centre[Measure.NECK_DEG] = times * JUDGE.neck_deg
        return make_thresholds(JUDGE, dataclasses.replace(BASELINE, slouch_centre=centre)).neck_deg

    assert neck(min(a, b)) <= neck(max(a, b))


def cut(path: Path, *spans: tuple[float, float]) -> Path:
    """Write spans of FRONT, seconds, as a clip of its own."""
    capture = cv2.VideoCapture(str(FRONT))
    pictures = [capture.read()[1] for _ in range(160)]
    capture.release()
    size = pictures[0].shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 4.0, size)
    for start_s, end_s in spans:
        for picture in pictures[round(4 * start_s) : round(4 * end_s)]:
            writer.write(picture)
    writer.release()
    return path


def test_the_command_line_takes_both_and_stores_the_slouch(tmp_path):
    env = home_env(tmp_path / "home")
    clip = cut(tmp_path / "both.avi", (0, 6), (16, 23))
    done = posture("calibrate", "--source", clip, "--seconds", "6", "--slouch", env=env)
    path = tmp_path / "home/.local/share/posture/profiles/default.json"
    assert "mixed up never" in done.stdout
    assert "A slouch now counts beyond" in done.stdout
    assert "moved by your usual slouch" in done.stdout
    baseline = load_baseline(path)
    assert baseline.slouch_centre[Measure.NECK_DEG] > 10.0
    assert "moved by your usual slouch" in posture("profiles", "show", env=env).stdout
    again = posture("calibrate", "--source", clip, "--seconds", "6", env=env)
    assert "the new one will not" in again.stdout
    assert "usual slouch" not in posture("profiles", "show", env=env).stdout


def test_the_command_line_keeps_the_upright_when_the_slouch_is_none(tmp_path):
    env = home_env(tmp_path / "home")
    done = posture("calibrate", "--source", FRONT, "--seconds", "6", "--slouch", env=env)
    assert "Your usual slouch changes nothing" in done.stdout
    path = tmp_path / "home/.local/share/posture/profiles/default.json"
    assert load_baseline(path).slouch_centre is None
    assert "usual slouch" not in posture("profiles", "show", env=env).stdout
