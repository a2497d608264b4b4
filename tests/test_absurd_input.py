"""Whatever the landmarks are, the pipeline gives an answer, and never a confident one from nonsense.

Claimed, over made-up rows of every absurd kind in any order, at any frame rate, against sound and unsound baselines:
no exception, no warning of NumPy's; a number comes with a reason or is finite and believed; what cannot be a person is
never judged, never slouched time, never an event that it started or an alert; and the same rows give the same again.
"""

import dataclasses
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import person, steady_times

from posture.calibration import MIN_FRAMES, fit_baseline
from posture.cues import MAX_COORDINATE
from posture.errors import CalibrationError
from posture.landmarks import N_LANDMARKS, Landmarks, PoseLandmark, concatenate, no_person
from posture.pipeline import Pipeline
from posture.settings import AlertSettings, Settings
from posture.slouch import EventKind, Reason

P = PoseLandmark
SETTINGS = Settings(alert=AlertSettings(sustain_s=2.0))
UPRIGHT = person(np.array(steady_times(4, 8.0)), noise=3e-4)
BASELINE = fit_baseline(UPRIGHT, SETTINGS.judge)
UPRIGHT_ROW = UPRIGHT[:1]
SLOUCHED = person(np.array([0.0]), neck_deg=44.0, thoracic_deg=22.0)

NUMBER = st.one_of(
    st.floats(-2.0, 3.0),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300, -1e300, 1e300, 1e6, MAX_COORDINATE]),
)


def row(xyzv, world_m, luminance=0.5, height_ratio=0.75):
    return Landmarks(
        np.zeros(1), xyzv[None], world_m[None], np.array([float(luminance)]), np.array([float(height_ratio)])
    )


def changed(change):
    """Return the slouched person after `change` to the points and to the metres."""
    xyzv, world_m = SLOUCHED.xyzv[0].copy(), SLOUCHED.world_m[0].copy()
    for points in (xyzv, world_m):
        change(points)
    return row(xyzv, world_m)


def set_to(rows, columns, value):
    def change(points):
        points[rows, columns] = value

    return changed(change)


def without_width(points):
    points[P.LEFT_SHOULDER, :3] = points[P.RIGHT_SHOULDER, :3]


XYZ, EVERY = slice(0, 3), slice(None)
ABSURD = {
    "nobody": no_person(0.0, 0.5, 0.75),
    "no picture": no_person(0.0),
    "all the same": set_to(EVERY, XYZ, 0.4),
    "all zero": set_to(EVERY, EVERY, 0.0),
    "shoulders without width": changed(without_width),
    "far outside": set_to(EVERY, XYZ, 1e6),
    "one shoulder far outside": set_to(P.LEFT_SHOULDER, XYZ, 40.0),
    "infinite": set_to(EVERY, XYZ, math.inf),
    "overflowing": set_to(EVERY, XYZ, 1e300),
    "shoulders missing": set_to([P.LEFT_SHOULDER, P.RIGHT_SHOULDER], XYZ, math.nan),
}
"""What cannot be a person, whatever their baseline."""


@st.composite
def wild_rows(draw):
    """Return one row of numbers of every kind, most of it perhaps a person."""
    if draw(st.booleans()):
        xyzv = np.array(draw(st.lists(NUMBER, min_size=12, max_size=12)) * 11).reshape(N_LANDMARKS, 4)
        world_m = np.array(draw(st.lists(NUMBER, min_size=9, max_size=9)) * 11).reshape(N_LANDMARKS, 3)
    else:
        xyzv, world_m = SLOUCHED.xyzv[0].copy(), SLOUCHED.world_m[0].copy()
        for _ in range(draw(st.integers(0, 6))):
            xyzv[draw(st.integers(0, 24)), draw(st.integers(0, 3))] = draw(NUMBER)
            world_m[draw(st.integers(0, 24)), draw(st.integers(0, 2))] = draw(NUMBER)
    return row(xyzv, world_m, draw(NUMBER), draw(NUMBER))


ROWS = st.one_of(
    st.sampled_from([UPRIGHT_ROW, SLOUCHED]), st.sampled_from(list(ABSURD.values())), wild_rows()
)
STEPS_S = st.sampled_from([0.0, 1e-9, 0.001, 0.25, 2.0, 10.0, 1e9])


def timed(rows, steps_s):
    times = np.cumsum(steps_s)
    return concatenate([dataclasses.replace(r, t_s=np.array([t])) for r, t in zip(rows, times, strict=True)])


def run(landmarks, baseline=BASELINE):
    """Return the results, any warning being an error."""
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        return list(Pipeline(SETTINGS, baseline).run(landmarks))


def check(result):
    numbers = [getattr(result, f.name) for f in dataclasses.fields(result)]
    assert not any(isinstance(n, float) and math.isinf(n) for n in numbers)
    assert math.isnan(result.slouch_ratio) == (result.reason is not Reason.NONE)
    assert math.isnan(result.slouch_ratio_error) == (result.reason is not Reason.NONE)
    if result.reason is Reason.NONE:
        assert result.slouch_ratio_error > 0.0
        assert not math.isnan(result.neck_deviation_deg)


@settings(max_examples=60, deadline=None)
@given(seen=st.lists(st.tuples(ROWS, STEPS_S), min_size=1, max_size=25))
def test_whatever_comes_there_is_an_answer_and_the_same_again(seen):
    landmarks = timed([r for r, _ in seen], [s for _, s in seen])
    results = run(landmarks)
    for result in results:
        check(result)
    assert repr(run(landmarks)) == repr(results)


@pytest.mark.parametrize("kind", ABSURD)
@pytest.mark.parametrize("fps", [0.1, 4.0, 1000.0])
def test_what_is_no_person_is_never_judged_nor_slouched_at_any_frame_rate(kind, fps):
    rows = [ABSURD[kind]] * 60
    results = run(timed(rows, [1.0 / fps] * len(rows)))
    for result in results:
        check(result)
        assert result.reason is not Reason.NONE
        assert result.slouched_s == 0.0
    assert not {e.kind for r in results for e in r.events} & {EventKind.SLOUCH_STARTED, EventKind.ALERT}


@pytest.mark.parametrize("kind", ABSURD)
def test_between_good_frames_it_adds_no_slouch_and_leaves_no_trace(kind):
    clean = [UPRIGHT_ROW] * 40
    spoilt = [ABSURD[kind] if 12 <= k < 16 else r for k, r in enumerate(clean)]
    a, b = (run(timed(rows, [0.25] * 40)) for rows in (clean, spoilt))
    assert b[-1].state is a[-1].state
    assert b[-1].slouch_ratio == pytest.approx(a[-1].slouch_ratio, abs=1e-6)
    assert max(r.slouched_s for r in b) == 0.0
    assert not b[12].events or kind == "no picture"


@pytest.mark.parametrize("fps", [0.1, 1000.0])
def test_absurd_frame_rates_neither_alert_too_early_nor_fail(fps):
    n = 60 if fps < 1 else 5000
    rows = dataclasses.replace(concatenate([SLOUCHED] * n), t_s=np.arange(n) / fps)
    results = run(rows)
    for result in results:
        check(result)
    assert max(r.slouched_s for r in results) <= n / fps
    alerts = [r.t_s for r in results if r.alert]
    if fps < 1:
        assert not alerts, "ten seconds between two frames are a gap, and a gap is no slouch"
    else:
        assert alerts[0] == pytest.approx(SETTINGS.alert.sustain_s, abs=0.1)


@pytest.mark.parametrize("n", [0, 1, 3, MIN_FRAMES - 1])
def test_a_baseline_of_a_few_frames_is_refused_whatever_they_show(n):
    for rows in (UPRIGHT, *ABSURD.values()):
        few = rows[:n] if len(rows) >= n else concatenate([rows] * max(n, 1))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(CalibrationError, match="calibration refused"):
                fit_baseline(few, SETTINGS.judge)


@pytest.mark.parametrize("kind", ABSURD)
def test_a_baseline_of_absurd_frames_is_refused_without_a_warning(kind):
    many = timed([ABSURD[kind]] * 32, [0.25] * 32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CalibrationError, match="calibration refused"):
            fit_baseline(many, SETTINGS.judge)


@pytest.mark.parametrize(
    "unsound",
    [
        {"deviation_spread": np.full(5, 1e9)},
        {"deviation_spread": np.full(5, math.nan)},
        {"place_centre": np.zeros(5)},
        {"place_centre": np.full(5, math.nan)},
        {"place_centre": np.array([0.5, 0.4, 0.0, 0.3, 1.0])},
        {"cue_centre": np.zeros_like(BASELINE.cue_centre)},
        {"cue_centre": np.full_like(BASELINE.cue_centre, math.nan)},
        {"cue_centre": np.full_like(BASELINE.cue_centre, 1e300)},
        {"n_frames": 3},
    ],
    ids=lambda value: next(iter(value)),
)
def test_an_unsound_baseline_does_no_harm(unsound):
    baseline = dataclasses.replace(BASELINE, **unsound)
    for result in run(
        timed([UPRIGHT_ROW, SLOUCHED, *ABSURD.values()] * 4, [0.25] * 4 * (2 + len(ABSURD))), baseline
    ):
        check(result)
