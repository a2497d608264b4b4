"""The same input gives the same answers, however it is served.

Claimed, on recorded landmarks: all at once = again = frame by frame = in chunks, bit for bit; a later start
shifts times and nothing else; a calibration span equals the baseline fitted to it; the mirror image, another
zoom, half the frame rate and extra empty frames change the answers by no more than they must.
"""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from synthetic import mirrored, scaled

from posture.angles import compute_angles
from posture.calibration import fit_baseline
from posture.coefficients import packaged_coefficients
from posture.deviation import Measure, compute_deviation, make_estimator
from posture.landmarks import Landmarks, concatenate, no_person
from posture.pipeline import Pipeline
from posture.settings import AlertSettings, Settings
from posture.slouch import EventKind, Reason, SlouchState
from posture.step_result import StepResult
from posture.trace import load_trace

FIXTURES = Path(__file__).resolve().parent / "fixtures"
SETTINGS = Settings(alert=AlertSettings(sustain_s=10.0, cooldown_s=20.0, max_per_hour=60))
SPAN_S = {"d": (0.0, 12.0), "s": (0.0, 5.0)}
SESSIONS = ["d300_laptop", "d301_monitor", "d302_quarter", "d303_laptop"]
CLIPS = ["front_upright_slouch", "quarter_upright_slouch", "side_upright_slouch", "person_leaving"]
SERIES = ["s200_side", "s201_monitor", "s203_quarter"]
ALL = [SESSIONS[1], *CLIPS, *SERIES]
DEVIATIONS = (Measure.NECK_DEG, Measure.THORACIC_DEG, Measure.SINK_RATIO)


def load(name: str) -> Landmarks:
    return load_trace(FIXTURES / f"{name}.npz")


def make(name: str) -> Pipeline:
    return Pipeline(SETTINGS, calibrate_span_s=SPAN_S.get(name[0], (0.0, 4.0)))


def bits(results):
    """Return everything in `results`; floats by their exact value, NaN equal to NaN."""
    return [repr(dataclasses.astuple(result)) for result in results]


def events(results):
    return [event for result in results for event in result.events]


def numbers(results):
    """Return the deviations and the slouch ratio, (T, 4)."""
    names = ("neck_deviation_deg", "thoracic_deviation_deg", "sink_ratio", "slouch_ratio")
    return np.array([[getattr(result, name) for name in names] for result in results])


def test_what_is_compared_includes_every_field():
    assert {f.name for f in dataclasses.fields(StepResult)} >= {
        "state",
        "reason",
        "slouched_s",
        "sat_s",
        "events",
    }
    found = [event.kind for name in SESSIONS for event in events(make(name).run(load(name)))]
    wanted = {
        EventKind.SLOUCH_STARTED,
        EventKind.SLOUCH_ENDED,
        EventKind.AWAY,
        EventKind.RETURNED,
        EventKind.ALERT,
    }
    assert wanted <= set(found), "or the comparisons below would be about nothing"


@pytest.mark.parametrize("name", ALL)
def test_all_at_once_again_frame_by_frame_and_in_chunks(name):
    landmarks = load(name)
    pipeline = make(name)
    expected = bits(pipeline.run(landmarks))
    assert any("nan" in row for row in expected)
    pipeline.reset()
    assert bits(pipeline.run(landmarks)) == expected, "again"
    fresh = make(name)
    single = [fresh.step(landmarks[t : t + 1]) for t in range(len(landmarks))]
    assert bits(single) == expected, "frame by frame"
    rng = np.random.default_rng(len(landmarks))
    cuts = np.sort(rng.integers(0, len(landmarks) + 1, size=12))
    chunked, parts = make(name), np.split(np.arange(len(landmarks)), cuts)
    chunks = [r for part in parts if len(part) for r in chunked.run(landmarks[part[0] : part[-1] + 1])]
    assert bits(chunks) == expected, "in chunks"
    copied = dataclasses.replace(landmarks, xyzv=np.asfortranarray(landmarks.xyzv))
    assert bits(make(name).run(copied)) == expected, "whatever the memory layout"


@pytest.mark.parametrize("name", [*ALL, "empty_room"])
def test_angles_and_deviations_of_one_frame_are_those_of_the_clip(name):
    landmarks = load(name)
    baseline = fit_baseline(load("front_upright_slouch")[:24], SETTINGS.judge)
    angles = compute_angles(landmarks)
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    deviation = compute_deviation(angles.cues, estimator)
    for t in range(len(landmarks)):
        one = compute_angles(landmarks[t : t + 1])
        assert one.cues.tobytes() == angles.cues[t : t + 1].tobytes()
        assert one.place.tobytes() == angles.place[t : t + 1].tobytes()
        alone = compute_deviation(one.cues, estimator)
        assert alone.values.tobytes() == deviation.values[t : t + 1].tobytes()
        assert alone.standard_error.tobytes() == deviation.standard_error[t : t + 1].tobytes()
    nobody = np.isnan(landmarks.xyzv[:, 0, 0])
    assert not angles.is_measured[nobody].any()
    assert np.isnan(deviation.values[nobody]).all()
    assert (deviation.standard_error[np.isfinite(deviation.values)] > 0.0).all()


@pytest.mark.parametrize("name", ALL)
def test_the_input_is_left_alone(name):
    landmarks = load(name)
    for field in dataclasses.fields(Landmarks):
        getattr(landmarks, field.name).flags.writeable = False
    assert list(make(name).run(landmarks))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_later_start_shifts_times_and_nothing_else(name):
    landmarks = load(name)
    shift_s = 1000.0  # exact for frames at quarters of a second
    start_s, end_s = SPAN_S["d"]
    moved = Pipeline(SETTINGS, calibrate_span_s=(start_s + shift_s, end_s + shift_s))
    later = list(moved.run(dataclasses.replace(landmarks, t_s=landmarks.t_s + shift_s)))
    plain = list(make(name).run(landmarks))
    assert numbers(later).tobytes() == numbers(plain).tobytes()
    assert [(e.kind, e.onset_s, e.confirmed_s, e.reason) for e in events(later)] == [
        (e.kind, e.onset_s + shift_s, e.confirmed_s + shift_s, e.reason) for e in events(plain)
    ]


@pytest.mark.parametrize("name", ALL)
def test_the_mirror_image_gives_the_same_answers(name):
    landmarks = load(name)
    plain, flipped = list(make(name).run(landmarks)), list(make(name).run(mirrored(landmarks)))
    np.testing.assert_allclose(numbers(flipped), numbers(plain), rtol=0.0, atol=1e-6)
    assert [r.state for r in flipped] == [r.state for r in plain]
    assert events(flipped) == events(plain)
    yaw = [compute_angles(side).head_yaw_deg for side in (landmarks, mirrored(landmarks))]
    np.testing.assert_allclose(yaw[1], -yaw[0], atol=1e-6)


@pytest.mark.parametrize("name", ["front_upright_slouch", "quarter_upright_slouch", "person_leaving"])
def test_a_calibration_span_equals_the_baseline_fitted_to_it(name):
    landmarks = load(name)
    span_s = (0.0, 4.0)
    spanned = Pipeline(SETTINGS, calibrate_span_s=span_s)
    results = list(spanned.run(landmarks))
    spanned.finish()
    inside = (landmarks.t_s >= span_s[0]) & (landmarks.t_s < span_s[1])
    given = Pipeline(SETTINGS, fit_baseline(landmarks[: int(inside.sum())], SETTINGS.judge))
    n = int(inside.sum())
    after = list(given.run(landmarks[n:]))
    assert all(
        r.state is SlouchState.UNKNOWN and math.isnan(r.slouch_ratio) and not r.events for r in results[:n]
    )
    for a, b in zip(results[n:], after, strict=True):
        assert repr(dataclasses.replace(a, sat_s=0.0)) == repr(dataclasses.replace(b, sat_s=0.0))
    assert len(after) > 0


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("name", [*SESSIONS, *SERIES])
def test_another_zoom_gives_nearly_the_same_deviations(name, factor):
    landmarks = load(name)
    n = int((landmarks.t_s < SPAN_S[name[0]][1]).sum())
    deviations = []
    for seen in (landmarks, scaled(landmarks, factor)):
        baseline = fit_baseline(seen[:n], SETTINGS.judge)
        estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
        deviations.append(compute_deviation(compute_angles(seen).cues, estimator).values)
    plain, zoomed = deviations
    assert (np.isnan(plain) == np.isnan(zoomed)).all()
    for measure, floor in zip(DEVIATIONS, (1.5, 1.5, 0.02), strict=True):
        change = np.abs(zoomed[:, measure] - plain[:, measure])
        assert np.nanquantile(change - 0.2 * np.abs(plain[:, measure]), 0.98) <= floor, measure


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("first", [0, 1])
def test_half_the_frame_rate_gives_the_same_alerts(name, first):
    landmarks = load(name)
    rows = slice(first, None, 2)
    half = Landmarks(*(getattr(landmarks, field.name)[rows] for field in dataclasses.fields(Landmarks)))
    alerts = []
    for seen in (landmarks, half):
        given = Pipeline(SETTINGS, fit_baseline(landmarks[:48], SETTINGS.judge))
        alerts.append([e.confirmed_s for e in events(given.run(seen)) if e.kind is EventKind.ALERT])
    assert len(alerts[0]) > 1
    # One frame of the slower one for the onset, one of sampling noise in the smoothed deviation.
    assert alerts[1] == pytest.approx(alerts[0], abs=0.5 + 0.5)


@pytest.mark.parametrize("name", SESSIONS)
def test_empty_frames_in_between_leave_no_trace_in_what_is_measured(name):
    landmarks = load(name)
    parts = []
    for t in range(len(landmarks)):
        parts.append(landmarks[t : t + 1])
        if t > 48 and t % 7 == 3:
            parts.append(no_person(float(landmarks.t_s[t]) + 0.125, 0.5, 0.75))
    spotted = concatenate(parts)
    plain, holed = list(make(name).run(landmarks)), list(make(name).run(spotted))
    empty = [r for r in holed if r.t_s % 0.25 == 0.125]
    assert len(empty) > 50
    assert all(r.reason is Reason.NO_PERSON and math.isnan(r.slouch_ratio) for r in empty)
    kept = [r for r in holed if r.t_s % 0.25 == 0.0]
    assert numbers(kept).tobytes() == numbers(plain).tobytes(), "frames without a person leave no trace"
    away = [sum(r.state is SlouchState.AWAY for r in run) for run in (kept, plain)]
    assert away[0] == pytest.approx(away[1], abs=4), "a second more or less"
