"""The pipeline gives an answer to every frame, and says when it cannot judge.

Claimed: unclear frames are never slouches and have their reason; impossible landmarks give NaN, no warning
and no after-effects; bad times are refused before anything changes; a calibration span is used from its end on, or
said to be bad; who is there is known from the picture alone.
"""

import dataclasses
import math

import numpy as np
import pytest
from synthetic import person, steady_times, without_person, without_picture

from posture.calibration import fit_baseline
from posture.errors import CalibrationError, TimestampError
from posture.judging import Presence, find_presence
from posture.landmarks import Landmarks, PoseLandmark, no_person
from posture.pipeline import Pipeline
from posture.settings import AlertSettings, BreakSettings, JudgeSettings, Settings
from posture.sinks import word_alert
from posture.slouch import EventKind, Reason, SlouchState

SETTINGS = Settings(alert=AlertSettings(sustain_s=10.0))
SPAN_S = (0.0, 8.0)
K, S, P = EventKind, SlouchState, PoseLandmark


def sitting(end_s=60.0, slouch_s=(20.0, 45.0), **changes):
    """Return a person who sits upright and slouches for a while."""
    times = np.array(steady_times(4, end_s))
    slouch = ((times >= slouch_s[0]) & (times < slouch_s[1])).astype(float)
    return person(
        times, **({"neck_deg": 12 + 32 * slouch, "thoracic_deg": 2 + 20 * slouch, "noise": 5e-4} | changes)
    )


def calibrated(settings=SETTINGS, **changes):
    baseline = fit_baseline(sitting(10.0, **changes), settings.judge)
    return Pipeline(settings, baseline)


def run(landmarks, pipeline=None):
    return list((pipeline or calibrated()).run(landmarks))


def kinds(results):
    return [event.kind for result in results for event in result.events]


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0])
def test_a_slouch_is_seen_and_mentioned_and_its_end_is_seen(azimuth_deg):
    results = run(sitting(azimuth_deg=azimuth_deg), calibrated(azimuth_deg=azimuth_deg))
    assert kinds(results) == [K.SLOUCH_STARTED, K.ALERT, K.SLOUCH_ENDED]
    started, alert, ended = (event for result in results for event in result.events)
    assert started.onset_s == pytest.approx(20.0, abs=1.5)
    assert alert.confirmed_s == pytest.approx(started.onset_s + 10.0, abs=0.3)
    assert ended.onset_s == pytest.approx(45.0, abs=1.5)
    upright, slouched = results[70], results[160]
    assert abs(upright.slouch_ratio) < 0.7
    assert slouched.slouch_ratio > 1.0
    assert slouched.neck_deviation_deg > 8.0
    assert slouched.thoracic_deviation_deg > 6.0
    assert slouched.flexion_deviation_deg == slouched.neck_deviation_deg - slouched.thoracic_deviation_deg
    assert next(r.alert for r in results if r.alert).confirmed_s == alert.confirmed_s


def test_the_first_frame_says_nothing_yet():
    first = run(sitting(1.0))[0]
    assert (first.t_s, first.state, first.reason, first.events, first.alert) == (
        0.0,
        S.UNKNOWN,
        Reason.NONE,
        (),
        None,
    )
    assert not math.isnan(first.slouch_ratio), "but it is measured"
    assert (first.slouched_s, first.sat_s) == (0.0, 0.0)


def test_without_a_baseline_nothing_is_judged():
    results = run(sitting(), Pipeline(SETTINGS))
    assert {(r.state, r.reason) for r in results} == {(S.UNKNOWN, Reason.NOT_CALIBRATED)}
    assert all(math.isnan(r.slouch_ratio) and math.isnan(r.neck_deviation_deg) for r in results)
    assert kinds(results) == []


TURNED = sitting(yaw_deg=60.0)
HIDDEN = sitting()
HIDDEN.xyzv[..., 3] = 0.1
UNCLEAR = {
    "nobody": (without_person(sitting(), slice(None)), Reason.NO_PERSON, S.AWAY),
    "no picture": (without_picture(sitting(), slice(None)), Reason.NO_PICTURE, S.UNKNOWN),
    "dark": (without_person(sitting(luminance=0.01), slice(None)), Reason.TOO_DARK, S.UNKNOWN),
    "hidden": (HIDDEN, Reason.LOW_CONFIDENCE, S.UNKNOWN),
    "turned": (TURNED, Reason.TURNED_AWAY, S.UNKNOWN),
    "elsewhere": (sitting(shift_m=(0.0, 0.45, 0.0)), Reason.OUT_OF_PLACE, S.UNKNOWN),
}


@pytest.mark.parametrize("kind", UNCLEAR)
def test_what_is_unclear_is_said_with_its_reason_and_never_a_slouch(kind):
    unclear, reason, state = UNCLEAR[kind]
    if kind == "elsewhere":
        unclear.xyzv[..., 3] = 0.99
    pipeline = calibrated()
    results = run(sitting(10.0), pipeline)
    late = dataclasses.replace(unclear, t_s=unclear.t_s + 10.0)
    results += run(late, pipeline)
    assert {r.reason for r in results[40:]} == {reason}
    assert all(math.isnan(r.slouch_ratio) and r.driver == "" for r in results[40:])
    assert results[-1].state is state
    assert not {K.SLOUCH_STARTED, K.ALERT} & set(kinds(results))


def test_a_lost_camera_is_an_event_and_so_is_its_return():
    rows = slice(80, 120)
    results = run(without_picture(sitting(60.0, slouch_s=(99.0, 99.0)), rows))
    camera = [e for r in results for e in r.events if e.kind in (K.CAMERA_LOST, K.CAMERA_BACK)]
    assert [(e.kind, e.onset_s, e.confirmed_s) for e in camera] == [
        (K.CAMERA_LOST, 20.0, 20.0),
        (K.CAMERA_BACK, 30.0, 30.0),
    ]


def test_presence_is_what_the_picture_shows():
    one = sitting(0.25)
    assert find_presence(one, Reason.NONE) is Presence.SEATED
    assert find_presence(one, Reason.TURNED_AWAY) is Presence.SEATED
    assert find_presence(one, Reason.OUT_OF_PLACE) is Presence.ELSEWHERE
    assert find_presence(no_person(0.0, 0.5, 0.75), Reason.NO_PERSON) is Presence.NOBODY
    assert find_presence(no_person(0.0, 0.01, 0.75), Reason.TOO_DARK) is Presence.UNSEEN
    assert find_presence(no_person(0.0), Reason.NO_PICTURE) is Presence.UNSEEN


@pytest.mark.parametrize(
    "reason", [Reason.CAMERA_FROZEN, Reason.CAMERA_COVERED, Reason.PAUSED, Reason.IN_CALL]
)
def test_old_landmarks_are_nobodys_presence(reason):
    assert find_presence(sitting(0.25), reason) is Presence.UNSEEN


@pytest.mark.parametrize("reason", [Reason.SCREEN_LOCKED, Reason.IDLE])
def test_nobody_sits_before_a_locked_screen(reason):
    assert find_presence(no_person(0.0), reason) is Presence.NOBODY


def test_a_passer_by_before_the_empty_chair_is_no_return_and_nobody_is_told():
    """Three minutes away, with somebody walking past behind the desk for six seconds in the middle of it."""
    pipeline = calibrated(Settings(breaks=BreakSettings(interval_s=60.0)))
    run(sitting(50.0, slouch_s=(99.0, 99.0)), pipeline)
    empty = without_person(sitting(180.0), slice(None))
    elsewhere = sitting(6.0, shift_m=(0.0, 0.45, 0.0))
    elsewhere.xyzv[..., 3] = 0.99
    for k in range(len(elsewhere)):
        empty.xyzv[360 + k], empty.world_m[360 + k] = elsewhere.xyzv[k], elsewhere.world_m[k]
    results = run(dataclasses.replace(empty, t_s=empty.t_s + 50.0), pipeline)
    assert {r.reason for r in results[360 : 360 + len(elsewhere)]} == {Reason.OUT_OF_PLACE}
    assert results[-1].sat_s == 0.0
    back = sitting(58.0, slouch_s=(99.0, 99.0))
    results += run(dataclasses.replace(back, t_s=back.t_s + 230.0), pipeline)
    assert K.BREAK_DUE not in kinds(results)
    assert results[-1].sat_s == pytest.approx(58.0, abs=0.5)


def test_an_empty_room_at_night_is_not_sitting():
    settings = Settings(breaks=BreakSettings(interval_s=60.0))
    pipeline = calibrated(settings)
    run(sitting(30.0, slouch_s=(99.0, 99.0)), pipeline)
    night = [no_person(30.0 + k, 0.01, 0.75) for k in range(600)]
    results = [pipeline.step(frame) for frame in night]
    assert K.BREAK_DUE not in kinds(results)
    assert results[-1].sat_s <= 30.0


def test_sitting_for_long_makes_a_break_due():
    pipeline = calibrated(Settings(breaks=BreakSettings(interval_s=60.0)))
    due = [e for r in run(sitting(70.0), pipeline) for e in r.events if e.kind is K.BREAK_DUE]
    assert [(e.onset_s, e.confirmed_s) for e in due] == [(0.0, 60.0)]


def spoil(index, value, column=slice(None), world=True):
    def change(xyzv, world_m):
        xyzv[index, column] = value
        if world:
            world_m[index] = value

    return change


def collapse_shoulders(xyzv, world_m):
    for points in (xyzv, world_m):
        points[P.LEFT_SHOULDER] = points[P.RIGHT_SHOULDER]


def collapse_face(xyzv, world_m):
    for points in (xyzv, world_m):
        points[: P.LEFT_SHOULDER] = points[P.NOSE]


EVERY = slice(None)
IMPOSSIBLE = {
    "zeros": spoil(EVERY, 0.0),
    "one point": spoil(EVERY, 0.5),
    "shoulders in one point": collapse_shoulders,
    "face in one point": collapse_face,
    "far": spoil(EVERY, 1e6),
    "very far": spoil(EVERY, -1e300),
    "infinite": spoil(EVERY, math.inf),
    "minus infinite": spoil(EVERY, -math.inf),
    "one shoulder infinite": spoil(P.LEFT_SHOULDER, math.inf, world=False),
    "one ear infinite": spoil(P.RIGHT_EAR, -math.inf, 1, world=False),
    "no visibility": spoil(EVERY, math.nan, 3, world=False),
    "no nose": spoil(P.NOSE, math.nan),
    "no ear": spoil(P.LEFT_EAR, math.nan),
    "no hips": spoil([P.LEFT_HIP, P.RIGHT_HIP], math.nan),
}
UNBELIEVABLE = [kind for kind in IMPOSSIBLE if not kind.startswith("no ")]


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_impossible_landmarks_do_no_harm(kind):
    rows = range(60, 64)
    clean = sitting(30.0, slouch_s=(99.0, 99.0))
    xyzv, world_m = clean.xyzv.copy(), clean.world_m.copy()
    for t in rows:
        IMPOSSIBLE[kind](xyzv[t], world_m[t])
    results = run(dataclasses.replace(clean, xyzv=xyzv, world_m=world_m))
    for t in rows:
        numbers = (results[t].neck_deviation_deg, results[t].thoracic_deviation_deg, results[t].slouch_ratio)
        assert not any(math.isinf(number) for number in numbers)
        if kind in UNBELIEVABLE:
            assert results[t].reason is not Reason.NONE
            assert math.isnan(results[t].slouch_ratio)
        else:
            assert math.isnan(results[t].slouch_ratio) == (results[t].reason is not Reason.NONE)
    assert K.SLOUCH_STARTED not in kinds(results)
    expected = run(clean)
    assert results[-1].state is expected[-1].state is S.UPRIGHT
    for name in ("neck_deviation_deg", "thoracic_deviation_deg", "sink_ratio"):
        assert getattr(results[-1], name) == pytest.approx(getattr(expected[-1], name), abs=0.1), name


@pytest.mark.parametrize("bad_s", [math.nan, math.inf, -math.inf, 4.0, 4.25, 4.5])
@pytest.mark.parametrize("calibrating", [False, True])
def test_bad_times_are_refused_before_anything_changes(bad_s, calibrating):
    landmarks = sitting(20.0)
    made = [Pipeline(SETTINGS, calibrate_span_s=SPAN_S) if calibrating else calibrated() for _ in range(2)]
    for pipeline in made:
        run(landmarks[:20], pipeline)  # to 4.75 s
    with pytest.raises(TimestampError):
        made[0].step(dataclasses.replace(landmarks[20:21], t_s=np.array([bad_s])))
    assert repr(run(landmarks[20:], made[0])) == repr(run(landmarks[20:], made[1]))


def test_a_span_in_the_middle_is_used_from_its_end_on():
    landmarks = sitting(40.0, slouch_s=(20.0, 40.0))
    results = run(landmarks, Pipeline(SETTINGS, calibrate_span_s=(5.0, 15.0)))
    judged = [r.t_s for r in results if not math.isnan(r.slouch_ratio)]
    assert judged == [float(t) for t in landmarks.t_s if t >= 15.0]
    assert kinds(results)[:1] == [K.SLOUCH_STARTED]


def test_a_clip_that_ends_too_early_is_an_error():
    pipeline = Pipeline(SETTINGS, calibrate_span_s=(0.0, 30.0))
    run(sitting(20.0), pipeline)
    with pytest.raises(CalibrationError, match=r"0:30 s: the frames end at 19\.8 s"):
        pipeline.finish()
    late = Pipeline(SETTINGS, calibrate_span_s=(100.0, 110.0))
    run(sitting(20.0), late)
    with pytest.raises(CalibrationError, match="before it began"):
        late.finish()
    calibrated().finish()


def test_a_span_without_frames_is_an_error():
    with pytest.raises(CalibrationError, match="no frame falls into it"):
        run(sitting(20.0), Pipeline(SETTINGS, calibrate_span_s=(5.01, 5.02)))


def test_a_bad_span_says_why():
    with pytest.raises(CalibrationError, match="nobody in view"):
        run(without_person(sitting(20.0), slice(0, 20)), Pipeline(SETTINGS, calibrate_span_s=(0.0, 5.0)))


def test_reset_brings_back_the_baseline_given():
    landmarks = sitting(30.0)
    pipeline = Pipeline(SETTINGS, calibrate_span_s=SPAN_S)
    first = run(landmarks, pipeline)
    assert pipeline.baseline is not None
    pipeline.reset()
    assert pipeline.baseline is None
    assert repr(run(landmarks, pipeline)) == repr(first)
    pipeline.step(no_person(100.0))
    pipeline.reset()
    assert K.CAMERA_BACK not in kinds(run(landmarks, pipeline))


def test_a_snooze_silences_alerts_and_nothing_else():
    snoozed = calibrated()
    snoozed.snooze(40.0)
    results, plain = run(sitting(), snoozed), run(sitting())
    assert [e.confirmed_s for r in results for e in r.events if e.kind is K.ALERT] == [40.0]
    for a, b in zip(results, plain, strict=True):
        assert [e for e in a.events if e.kind is not K.ALERT] == [
            e for e in b.events if e.kind is not K.ALERT
        ]
        assert (a.state, a.slouched_s, a.slouch_ratio) == (b.state, b.slouched_s, b.slouch_ratio)


def test_quiet_hours_reach_the_policy():
    settings = Settings(alert=AlertSettings(sustain_s=10.0, quiet_hours=["12:00-13:00"]))
    baseline = fit_baseline(sitting(10.0), settings.judge)
    assert K.ALERT not in kinds(run(sitting(), Pipeline(settings, baseline, start_of_day_s=12.5 * 3600)))
    assert K.ALERT in kinds(run(sitting(), Pipeline(settings, baseline, start_of_day_s=13.0 * 3600)))


def test_thresholds_never_go_below_the_noise_of_the_baseline():
    baseline = fit_baseline(sitting(10.0), SETTINGS.judge)
    shaky = dataclasses.replace(baseline, deviation_spread=np.full_like(baseline.deviation_spread, 50.0))
    assert K.SLOUCH_STARTED not in kinds(run(sitting(), Pipeline(SETTINGS, shaky)))
    trusting = Settings(judge=JudgeSettings(min_spreads=0.0), alert=SETTINGS.alert)
    assert K.SLOUCH_STARTED in kinds(run(sitting(), Pipeline(trusting, shaky)))


def test_no_frames_give_no_results():
    assert run(Landmarks.empty()) == []


def shifted(landmarks, dx, dy, confidence=0.9):
    """Return the frames with the background displaced."""
    scene_shift = np.tile([dx, dy, confidence], (len(landmarks), 1))
    return dataclasses.replace(landmarks, scene_shift=scene_shift)


def test_a_moved_camera_is_said_once_and_nobody_is_judged_until_it_is_back():
    still, slouch = sitting(10.0), sitting(60.0, neck_deg=40.0, thoracic_deg=20.0)
    pipeline = calibrated()
    results = run(shifted(still, 0.0, 0.0), pipeline)
    moved = dataclasses.replace(shifted(slouch, 0.0, 0.05), t_s=slouch.t_s + 10.0)
    results = run(moved, pipeline)
    assert kinds(results).count(EventKind.CAMERA_MOVED) == 1
    assert EventKind.ALERT not in kinds(results)
    event = next(e for r in results for e in r.events if e.kind is EventKind.CAMERA_MOVED)
    assert event.onset_s == 10.0
    assert event.confirmed_s - event.onset_s <= 2.0
    assert {r.reason for r in results[-40:]} == {Reason.CAMERA_MOVED}
    assert all(math.isnan(r.neck_deviation_deg) for r in results[-40:]), "nothing is measured against it"
    back = dataclasses.replace(shifted(still, 0.0, 0.0), t_s=still.t_s + 80.0)
    results = run(back, pipeline)
    assert results[-1].state is S.UPRIGHT


def test_an_unsure_shift_of_the_background_is_no_move():
    pipeline = calibrated()
    results = run(shifted(sitting(10.0), 0.2, 0.2, confidence=0.3), pipeline)
    assert EventKind.CAMERA_MOVED not in kinds(results)
    assert results[-1].state is S.UPRIGHT


def test_a_break_due_in_a_snooze_is_said_after_it():
    settings = Settings(breaks=BreakSettings(interval_s=60.0, repeat_s=60.0), alert=SETTINGS.alert)
    plain, snoozed = calibrated(settings), calibrated(settings)
    upright = sitting(200.0, slouch_s=(999.0, 999.0))
    snoozed.snooze(100.0)
    due = [
        [e.confirmed_s for r in run(upright, p) for e in r.events if e.kind is EventKind.BREAK_DUE]
        for p in (plain, snoozed)
    ]
    assert due[0] == [60.0, 120.0, 180.0]
    assert due[1] == [100.0, 160.0]


def test_a_break_due_keeps_its_distance_from_an_alert():
    """The slouch from 45 s on is mentioned at 55 s, five seconds before the break is due."""
    settings = Settings(breaks=BreakSettings(interval_s=60.0, spacing_s=30.0), alert=SETTINGS.alert)
    results = run(sitting(120.0, slouch_s=(45.0, 58.0)), calibrated(settings))
    at = {e.kind: e.confirmed_s for r in results for e in r.events}
    assert at[K.BREAK_DUE] == pytest.approx(at[K.ALERT] + 30.0, abs=0.5)
    alone = run(sitting(120.0, slouch_s=(45.0, 50.0)), calibrated(settings))
    assert {e.kind: e.confirmed_s for r in alone for e in r.events}[K.BREAK_DUE] == 60.0


def test_no_break_is_mentioned_in_quiet_hours():
    settings = Settings(
        breaks=BreakSettings(interval_s=60.0), alert=AlertSettings(quiet_hours=["08:00-08:02"])
    )
    baseline = fit_baseline(sitting(10.0), settings.judge)
    results = run(sitting(150.0), Pipeline(settings, baseline, start_of_day_s=8 * 3600.0))
    assert [e.confirmed_s for r in results for e in r.events if e.kind is K.BREAK_DUE] == [120.0]


def test_standing_at_the_desk_is_not_sitting():
    settings = Settings(breaks=BreakSettings(interval_s=60.0, standing_interval_s=90.0))
    pipeline = Pipeline(settings, fit_baseline(sitting(10.0), settings.judge), is_standing=True)
    results = run(sitting(100.0), pipeline)
    due = [e for r in results for e in r.events if e.kind is K.BREAK_DUE]
    assert [(e.onset_s, e.confirmed_s) for e in due] == [(0.0, 90.0)]
    assert (results[-1].sat_s, results[-1].stood_s) == (0.0, 99.75)
    pipeline.set_standing(False)
    late = sitting(50.0)
    after = run(dataclasses.replace(late, t_s=late.t_s + 100.0), pipeline)
    assert after[-1].sat_s == pytest.approx(50.0, abs=0.5)
    assert after[-1].stood_s == 0.0


def test_a_colour_comes_before_the_notification_and_goes_when_the_person_sits_up():
    results = run(sitting())
    urgencies = [r.urgency for r in results]
    changes = [
        (r.t_s, r.urgency) for r, before in zip(results[1:], urgencies, strict=False) if r.urgency != before
    ]
    assert [urgency for _, urgency in changes] == ["noticed", "due", "none"]
    (noticed_s, _), (due_s, _), (over_s, _) = changes
    alert_s = next(r.t_s for r in results if r.alert is not None)
    assert noticed_s < alert_s - 5.0
    assert due_s == pytest.approx(alert_s, abs=0.3)
    assert over_s == pytest.approx(45.0, abs=1.0)
    assert results[int(4 * over_s)].state is S.SLOUCHING, "sooner than the state, which waits for recovery_s"


SLOUCHES = {
    "neck": (35.0, 2.0, "Neck "),
    "thoracic": (12.0, 25.0, "Upper body "),
    "flexion": (27.0, -26.0, "Head poked "),
}


@pytest.mark.parametrize("driver", SLOUCHES)
def test_an_alert_names_what_was_most_pronounced_with_its_own_figure(driver):
    """Low thresholds: each part of a made-up slouch alone is small."""
    neck_deg, thoracic_deg, words = SLOUCHES[driver]
    judge = JudgeSettings(neck_deg=4.0, thoracic_deg=3.2, flexion_deg=4.0, min_spreads=0.0)
    on = (np.array(steady_times(4, 60.0)) >= 20.0).astype(float)
    slouch = {"neck_deg": 12 + on * (neck_deg - 12), "thoracic_deg": 2 + on * (thoracic_deg - 2)}
    results = run(sitting(**slouch), calibrated(Settings(judge=judge, alert=SETTINGS.alert)))
    result = next(r for r in results if r.alert is not None)
    assert result.driver == driver
    amount_deg = getattr(result, f"{driver}_deviation_deg")
    _, message = word_alert(result, result.alert)
    assert message.startswith(f"{words}{round(amount_deg)}° ")
    assert f" for {round(result.alert.slouched_s)} s." in message
