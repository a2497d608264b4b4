"""A receipt says what was measured: a good calibration gets no advice, each shortcoming its own and nothing else."""

import dataclasses
from math import nan

import numpy as np
import pytest
from cli_helpers import FIXTURES
from synthetic import person, steady_times

from posture.angles import Place, compute_angles
from posture.baseline import Baseline
from posture.calibration import assess, fit_baseline
from posture.deviation import Measure
from posture.judging import make_thresholds
from posture.profile_json import Profile
from posture.receipt import Drift, Grade, find_drift, make_receipt
from posture.settings import JudgeSettings
from posture.tables import receipt_rows
from posture.trace import load_trace

JUDGE = JudgeSettings()
TIMES = np.array(steady_times(4, 8.0))


def taken(**changes):
    """Baseline and quality of somebody upright before a camera above their screen, a little higher than their ears."""
    landmarks = person(TIMES, **({"noise": 5e-4, "height_m": 0.7} | changes))
    return fit_baseline(landmarks, JUDGE), assess(landmarks, compute_angles(landmarks), JUDGE)


def receipt(judge=JUDGE, **changes):
    baseline, quality = taken(**changes)
    return make_receipt(baseline, judge, quality)


def test_a_good_calibration_gets_no_advice():
    found = receipt()
    assert (found.grade, found.advice, found.raised, found.is_personal) == (Grade.GOOD, (), (), False)
    assert 0.0 < found.spread.neck_deg < found.thresholds.neck_deg == JUDGE.neck_deg
    assert 1.0 < found.neck_error_deg < 10.0


@pytest.mark.parametrize("name", ["front", "laptop", "quarter", "side"])
def test_pictures_of_people_who_sit_well_are_a_good_calibration(name):
    upright = load_trace(FIXTURES / f"{name}_upright_slouch.npz")[:24]
    baseline, quality = fit_baseline(upright, JUDGE), assess(upright, compute_angles(upright), JUDGE)
    found = make_receipt(baseline, JUDGE, quality)
    assert (found.grade, found.advice, found.raised) == (Grade.GOOD, (), ())
    assert found.neck_error_deg < 0.5 * JUDGE.neck_deg
    assert found.thoracic_error_deg < 0.6 * JUDGE.thoracic_deg


SHORTCOMINGS = {
    "light": {"luminance": 0.1},
    "bring the camera closer": {"distance_m": 1.6},
    "face the screen": {"yaw_deg": 24.0},
    "keep looking": {"yaw_deg": 11.0 * np.sin(TIMES)},
    "sit still": {"shift_m": 0.035 * np.sin(TIMES)[:, None] * [0.0, 1.0, 0.0]},
}


@pytest.mark.parametrize("what", SHORTCOMINGS)
def test_each_shortcoming_has_its_own_advice(what):
    found = receipt(**SHORTCOMINGS[what])
    assert [what in advice for advice in found.advice].count(True) == 1, found.advice
    assert len(found.advice) == 1, found.advice
    assert found.grade is not Grade.GOOD


def test_what_is_seen_badly_is_said():
    baseline, quality = taken()
    place = baseline.place_centre.copy()
    place[Place.VISIBILITY] = 0.5
    dim = dataclasses.replace(baseline, place_centre=place)
    assert "both shoulders" in make_receipt(dim, JUDGE, quality).advice[0]
    place[Place.VISIBILITY], place[Place.SHOULDER_WIDTH] = 1.0, 0.75
    near = dataclasses.replace(baseline, place_centre=place)
    assert [advice[:16] for advice in make_receipt(near, JUDGE, quality).advice] == ["sit further back"]
    missed = dataclasses.replace(quality, n_used=26)
    assert "both shoulders" in make_receipt(baseline, JUDGE, missed).advice[0]
    assert make_receipt(baseline, JUDGE, None).advice == (), "what was not recorded is no shortcoming"


def test_a_baseline_without_a_face_is_said_where_a_face_could_be_seen(monkeypatch):
    front, side = taken(), taken(azimuth_deg=90.0)
    with_face = [make_receipt(baseline, JUDGE, quality).advice for baseline, quality in (front, side)]
    monkeypatch.setattr(Baseline, "has_face", property(lambda baseline: False))
    found = make_receipt(front[0], JUDGE, front[1])
    assert ["lacks your face" in advice for advice in found.advice] == [True]
    assert found.grade is Grade.FAIR
    assert make_receipt(front[0], JUDGE, front[1], wants_face=False).advice == with_face[0] == ()
    assert make_receipt(side[0], JUDGE, side[1]).advice == with_face[1]


def test_unrest_raises_thresholds_and_is_said():
    baseline, quality = taken()
    spread = baseline.deviation_spread.copy()
    spread[Measure.NECK_DEG] = 7.0
    restless = dataclasses.replace(baseline, deviation_spread=spread)
    found = make_receipt(restless, JUDGE, quality)
    assert found.grade is Grade.POOR
    assert found.raised == ("neck",)
    assert "neck" in found.advice[0]
    assert found.thresholds == make_thresholds(JUDGE, restless)
    assert found.thresholds.neck_deg == 2.0 * 7.0


def test_thresholds_are_those_in_force():
    strict = JudgeSettings(neck_deg=8.0)
    assert receipt(strict).thresholds.neck_deg == 8.0
    baseline, quality = taken()
    centre = np.array([30.0, 2.0, 0.0, 0.0, 0.0])
    personal = make_receipt(dataclasses.replace(baseline, slouch_centre=centre), JUDGE, quality)
    assert personal.is_personal
    assert personal.thresholds.neck_deg > JUDGE.neck_deg
    mild = make_receipt(dataclasses.replace(baseline, slouch_centre=0.26 * centre), JUDGE, quality)
    assert mild.thresholds.neck_deg == 0.6 * JUDGE.neck_deg
    assert mild.grade is Grade.GOOD, "sharper is not blunter"


def test_drift_is_what_the_older_baseline_would_have_measured():
    older = dataclasses.replace(taken()[0], created_utc="2026-01-02T03:04:05+00:00")
    again, bent = taken(seed=4)[0], taken(neck_deg=30.0, thoracic_deg=14.0)[0]
    small, large = find_drift(older, again), find_drift(older, bent)
    assert abs(small.neck_deg) < 2.0 < large.neck_deg
    assert large.thoracic_deg > small.thoracic_deg
    assert find_drift(bent, older).neck_deg < 0.0
    assert large.since_utc == older.created_utc
    assert find_drift(older, older).neck_deg == pytest.approx(0.0, abs=1e-6)
    assert small.is_comparable


def test_a_drift_that_cannot_be_measured_is_not_told():
    older, newer = taken()[0], taken(azimuth_deg=88.0)[0]
    strange = dataclasses.replace(newer, cue_centre=newer.cue_centre * nan)
    assert not find_drift(older, strange).is_comparable
    assert older.placement is not newer.placement
    for a, b in ((older, newer), (newer, older)):
        assert not find_drift(a, b).is_comparable, "another view would be taken for another posture"


def test_a_drift_is_told_without_signs_that_say_nothing():
    def told(sink_ratio):
        drift = Drift(-0.2, 3.4, sink_ratio, "")
        baseline, quality = taken()
        rows = receipt_rows(
            Profile(baseline, "", quality, drift), make_receipt(baseline, JUDGE, quality), 7.0
        )
        return dict(rows)["since the last one"].plain

    assert told(0.021).endswith("neck +0°, trunk +3°, shoulders 2% lower")
    assert told(-0.019).endswith("shoulders 2% higher")
    assert told(-0.001).endswith("shoulders as high")
