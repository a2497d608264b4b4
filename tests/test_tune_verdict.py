"""Trying settings on a tape gives what the pipeline gives, to the last bit, and only sooner.

Claimed: for any frames, gaps, reasons, baselines, settings and commands the events and alerts are those of `Pipeline`;
so they are for every fixture and for a recording of a run; measuring at once gives the bits of measuring one by one;
only a few frames are taken in.
"""

import dataclasses
import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from cli_helpers import FIXTURES
from hypothesis import example, given, settings
from hypothesis import strategies as st
from synthetic import person, steady_times
from test_recording import ORDERS, SETTINGS, play, watch

from posture.calibration import fit_baseline
from posture.errors import CalibrationError
from posture.landmarks import no_person
from posture.measured import Measured
from posture.pipeline import Pipeline
from posture.recording.records import Mute, Rebase, Snooze, Stand, TimeOfDay
from posture.settings import AlertSettings, JudgeSettings, Settings
from posture.slouch import EventKind, Reason, SlouchMachine
from posture.trace import load_trace
from posture.tuning.reading import read_tape
from posture.tuning.tape import REASONS, Tape, TapeMaker
from posture.tuning.verdict import Judge, find_kinds

K = EventKind
NOT_JUDGED_HERE = {K.BREAK_DUE, K.MICRO_BREAK_DUE, K.CAMERA_MOVED, K.CAMERA_LOST, K.CAMERA_BACK}
SEATED = person(np.array(steady_times(4, 10.0)), noise=5e-4)
BASELINE = fit_baseline(SEATED, JudgeSettings())
OTHER = dataclasses.replace(BASELINE, deviation_spread=BASELINE.deviation_spread + 3.0)


class Scripted(Pipeline):
    """A pipeline that is told what it has measured; all else is the real one's."""

    def measure(self, landmarks, condition=Reason.NONE, known=None):
        return landmarks.measured


def events_of(results):
    events = tuple(e for result in results for e in result.events if e.kind not in NOT_JUDGED_HERE)
    return events, tuple(result.alert for result in results if result.alert is not None)


def tell(pipeline, order):
    match order:
        case Snooze(until_s=until_s):
            pipeline.snooze(until_s)
        case Mute(is_muted=is_muted):
            pipeline.set_muted(is_muted)
        case TimeOfDay(t_s=t_s, time_of_day_s=time_of_day_s):
            pipeline.set_time_of_day(t_s, time_of_day_s)


def judged_by_pipeline(tape, judge, alert):
    """Return events and alerts of the real pipeline over a tape."""
    pipeline = Scripted(Settings(judge=judge, alert=alert), None, start_of_day_s=tape.start_of_day_s)
    baselines, results = dict(tape.baselines), []
    for i, (t_s, values, code) in enumerate(
        zip(tape.t_s.tolist(), tape.values.tolist(), tape.reason.tolist(), strict=True)
    ):
        for frame, order in tape.orders:
            if frame == i:
                tell(pipeline, order)
        if i in baselines:
            pipeline.use_baseline(baselines[i])
        row = no_person(t_s)
        raw = tuple(tape.raw[i].tolist()) if tape.is_followed[i] else None
        measured = Measured(t_s, [*values, math.nan], REASONS[code], raw)
        results.append(pipeline.step(_WithMeasured(row, measured)))
    return events_of(results)


class _WithMeasured:
    """Landmarks, and what is measured of them."""

    def __init__(self, landmarks, measured):
        self._landmarks, self.measured = landmarks, measured

    def __getattr__(self, name):
        return getattr(self._landmarks, name)


# What a few frames in a row say: shares of the default thresholds, or why they are not judged.
SHARE = st.sampled_from([-0.5, 0.3, 0.7, 0.75, 0.8, 0.9, 1.0, 1.1, 2.0, math.nan])
JUDGED = st.tuples(st.tuples(SHARE, SHARE, SHARE), st.just(Reason.NONE))
UNCLEAR = st.tuples(
    st.just((0.0, 0.0, 0.0)),
    st.sampled_from([Reason.NO_PERSON, Reason.IDLE, Reason.TOO_DARK, Reason.TURNED_AWAY, Reason.PAUSED]),
)
STEPS = st.lists(
    st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 1.0, 2.9, 3.0, 3.1, 40.0]), min_size=1, max_size=30
)
ORDER = st.one_of(
    st.sampled_from([5.0, 30.0, 100.0, 0.0, math.inf]).map(Snooze),
    st.booleans().map(Mute),
    st.sampled_from([0.0, 3590.0, 7000.0, 86_390.0]).map(lambda day_s: TimeOfDay(10.0, day_s)),
)
LONG = st.tuples(st.sampled_from([(1.2, 0.9, 0.0), (0.8, 0.8, 0.0), (0.1, 0.1, 0.0)]), st.just(Reason.NONE))
STRETCHES = st.lists(
    st.one_of(
        st.tuples(st.one_of(JUDGED, UNCLEAR), STEPS),
        st.tuples(LONG, st.sampled_from([[0.1] * 5, [0.1] * 60, [0.5] * 3, [0.5] * 60, [1.0] * 30])),
    ),
    min_size=1,
    max_size=12,
)
JUDGE = st.builds(
    JudgeSettings,
    neck_deg=st.sampled_from([7.0, 10.0, 12.5]),
    release_ratio=st.sampled_from([0.5, 0.75, 0.95]),
    onset_dwell_s=st.sampled_from([0.0, 0.7, 2.0]),
    recovery_s=st.sampled_from([0.0, 1.1, 3.0]),
    unknown_after_s=st.sampled_from([0.0, 0.3, 2.0, 5.0]),
    away_after_s=st.sampled_from([0.0, 3.0, 10.0]),
    return_after_s=st.sampled_from([0.0, 1.0]),
    max_gap_s=st.sampled_from([0.3, 3.0, 50.0]),
    forget_after_s=st.sampled_from([0.0, 4.0, 30.0]),
)
ALERT = st.builds(
    AlertSettings,
    sustain_s=st.sampled_from([1.0, 1.3, 5.0, 20.0]),
    cooldown_s=st.sampled_from([0.0, 0.3, 6.0]),
    max_cooldown_s=st.sampled_from([0.0, 10.0]),
    max_per_hour=st.sampled_from([0, 1, 3, 60]),
    quiet_hours=st.sampled_from([[], ["01:00-01:01"], ["00:00-00:01", "23:59-00:00"], ["12:00-12:00"]]),
)


@st.composite
def tapes(draw):
    t_s, times, values, reasons = 0.0, [], [], []
    noise = draw(st.sampled_from([0.0, 0.05, 0.3]))
    for (shares, reason), steps in draw(STRETCHES):
        for step in steps:
            t_s += step
            times.append(t_s)
            values.append([share * limit for share, limit in zip(shares, (10.0, 8.0, 0.05), strict=True)])
            reasons.append(REASONS.index(reason))
    frames = st.integers(0, len(times) - 1)
    orders = draw(st.lists(st.tuples(frames, ORDER), max_size=3))
    second = draw(st.one_of(st.just(None), frames))
    baselines = [(0, BASELINE)] if second is None or second == 0 else [(0, BASELINE), (second, OTHER)]
    values, reasons = np.array(values), np.array(reasons, dtype=np.uint8)
    flicker = noise * np.random.default_rng(len(times)).normal(size=(len(times), 3)) * (10.0, 8.0, 0.05)
    # A frame that is measured and not judged for the picture's sake, such as a pause, is followed all the same.
    followed = {REASONS.index(one) for one in (Reason.NONE, Reason.PAUSED, Reason.IDLE)}
    return Tape(
        np.array(times),
        values,
        reasons,
        values + flicker,
        np.isin(reasons, sorted(followed)),
        tuple(baselines),
        tuple(sorted(orders, key=lambda pair: pair[0])),
        draw(st.sampled_from([None, 0.0, 3500.0, 86_300.0])),
    )


@settings(max_examples=250, deadline=None)
@given(tape=tapes(), judge=JUDGE, alerts=st.lists(ALERT, min_size=1, max_size=2))
def test_any_tape_gives_what_the_pipeline_gives(tape, judge, alerts):
    bench = Judge(tape)
    for alert in alerts:
        verdict = bench.judge(judge, alert)
        assert (verdict.events, verdict.alerts) == judged_by_pipeline(tape, judge, alert)
    other = msgspec.structs.replace(judge, neck_deg=judge.neck_deg + 1.0)  # nothing is left over from before
    verdict = bench.judge(other, alerts[0])
    assert (verdict.events, verdict.alerts) == judged_by_pipeline(tape, other, alerts[0])


def test_the_scripts_reach_everything():
    """What is compared above is not empty: a slouch with alerts, one silenced, one forgotten, somebody away."""
    shares = [(0.1, 30), (1.2, 200), (0.1, 30), (math.nan, 30), (1.2, 60)]
    n = sum(length for _, length in shares)
    neck = np.concatenate([np.full(length, 10.0 * share) for share, length in shares])
    reason = np.where(np.isnan(neck), REASONS.index(Reason.NO_PERSON), 0).astype(np.uint8)
    values = np.column_stack([np.nan_to_num(neck), np.zeros((n, 2))])
    tape = Tape(
        np.arange(n) * 0.5,
        values,
        reason,
        values,
        reason == 0,
        ((0, BASELINE),),
        ((60, Mute(True)), (120, Mute(False))),
    )
    alert = AlertSettings(sustain_s=5.0, cooldown_s=20.0)
    verdict = Judge(tape).judge(JudgeSettings(), alert)
    assert [event.kind for event in verdict.events] == [
        *(K.SLOUCH_STARTED, K.ALERT, K.ALERT, K.ALERT, K.SLOUCH_ENDED),
        *(K.AWAY, K.RETURNED, K.SLOUCH_STARTED, K.ALERT),
    ]
    assert [round(one.confirmed_s, 1) for one in verdict.alerts] == [20.0, 60.0, 100.0, 150.0]
    assert (verdict.events, verdict.alerts) == judged_by_pipeline(tape, JudgeSettings(), alert)


@pytest.mark.parametrize("pause", [0.5, 0.8, math.nan])
def test_time_goes_on_where_no_frame_is_taken_in(pause):
    """Two slouches with a brief recovery between them, or a hole: together they are just long enough."""
    shares = [(0.1, 40), (1.2, 50), (pause, 9), (1.2, 50), (0.1, 40)]
    neck = np.concatenate([np.full(length, 10.0 * share) for share, length in shares])
    reason = np.where(np.isnan(neck), REASONS.index(Reason.TURNED_AWAY), 0).astype(np.uint8)
    values = np.column_stack([np.nan_to_num(neck), np.zeros((len(neck), 2))])
    tape = Tape(np.arange(len(neck)) * 0.2, values, reason, values, reason == 0, ((0, BASELINE),))
    for sustain_s in (9.5, 19.0, 19.5, 19.6, 19.7, 21.0):
        verdict = Judge(tape).judge(JudgeSettings(), AlertSettings(sustain_s=sustain_s))
        assert (verdict.events, verdict.alerts) == judged_by_pipeline(
            tape, JudgeSettings(), AlertSettings(sustain_s=sustain_s)
        )
        assert len(verdict.alerts) == (sustain_s <= 19.6 or (pause == 0.8 and sustain_s < 21.4))


TRACES = sorted(path.name for path in FIXTURES.glob("*.npz"))
TRIED = [
    Settings(),
    Settings(
        judge=JudgeSettings(neck_deg=6.0, release_ratio=0.9),
        alert=AlertSettings(sustain_s=4.0, cooldown_s=7.0),
    ),
    Settings(
        judge=JudgeSettings(neck_deg=13.0, flexion_deg=30.0, recovery_s=0.5, min_spreads=4.0),
        alert=AlertSettings(sustain_s=12.0),
    ),
]


@pytest.mark.parametrize("name", TRACES)
def test_every_fixture_gives_what_the_pipeline_gives(name):
    landmarks = load_trace(FIXTURES / name)
    span_s = (0.0, 3.0)
    for tried in TRIED:
        try:
            results = list(Pipeline(tried, calibrate_span_s=span_s).run(landmarks))
        except CalibrationError as error:
            with pytest.raises(CalibrationError, match=str(error).split(":")[0]):
                read_tape(FIXTURES / name, tried, tried.judge, span_s)
            continue
        tape, note = read_tape(FIXTURES / name, tried, tried.judge, span_s)
        assert note == ""
        verdict = Judge(tape).judge(tried.judge, tried.alert)
        assert (verdict.events, verdict.alerts) == events_of(results)


@pytest.mark.parametrize("kind", ORDERS)
def test_a_recording_of_a_run_gives_what_its_replay_gives(tmp_path, kind):
    watch(tmp_path / "a.posture", ORDERS[kind], start_of_day_s=3600.0)
    for tried in (
        SETTINGS,
        msgspec.structs.replace(SETTINGS, judge=JudgeSettings(neck_deg=8.0, max_gap_s=0.7)),
    ):
        tape, note = read_tape(tmp_path / "a.posture", tried, tried.judge, None)
        verdict = Judge(tape).judge(tried.judge, tried.alert)
        assert (note, verdict.events, verdict.alerts) == ("", *events_of(play(tmp_path / "a.posture", tried)))


def test_measuring_at_once_is_measuring_one_by_one():
    landmarks = load_trace(FIXTURES / "d301_monitor.npz")
    conditions = [Reason.PAUSED if 300 < t < 320 else Reason.NONE for t in range(len(landmarks))]
    one, whole, parts = (Pipeline(Settings(), calibrate_span_s=(2.0, 9.0)) for _ in range(3))
    expected = repr([one.measure(landmarks[t : t + 1], conditions[t]) for t in range(len(landmarks))])
    assert repr(list(whole.measure_all(landmarks, conditions))) == expected
    cut = (0, 1, 30, 31, 500, len(landmarks))
    pieces = [
        measured for a, b in pairwise(cut) for measured in parts.measure_all(landmarks[a:b], conditions[a:b])
    ]
    assert repr(pieces) == expected


def test_a_new_baseline_is_used_from_its_frame_on_and_not_before():
    landmarks = load_trace(FIXTURES / "front_upright_slouch.npz")
    settings_ = Settings()
    first, second = (fit_baseline(landmarks[a:b], settings_.judge) for a, b in ((0, 24), (60, 100)))
    tapes_ = []
    for has_own in (True, False):
        maker = TapeMaker(Pipeline(settings_, first), has_own_baseline=has_own)
        maker.add(landmarks[:80], [Reason.NONE] * 80)
        maker.tell(Stand(True))
        maker.tell(Rebase(second))
        maker.add(landmarks[80:], [Reason.NONE] * (len(landmarks) - 80))
        tapes_.append(maker.tape())
    own, other = tapes_
    assert own.baselines == ((0, first), (80, second))
    assert other.baselines == ((0, first),)
    assert np.array_equal(own.values[:80], other.values[:80], equal_nan=True)
    assert not np.array_equal(own.values[80:], other.values[80:], equal_nan=True)


@given(
    st.lists(st.one_of(st.sampled_from([0.2, 0.74, 0.75, 0.9, 1.0, 1.5]), st.none()), min_size=1, max_size=40)
)
@example([1.5, 0.9, None, 0.9, 0.2, 0.9])
def test_neighbours_of_one_kind_say_the_same_to_the_machine(frames):
    ratio = np.array([math.nan if frame is None else frame for frame in frames])
    code = REASONS.index(Reason.TURNED_AWAY)
    codes = np.where(np.isnan(ratio), code, 0).astype(np.uint8)
    kinds = find_kinds(ratio, codes, np.full(len(ratio), 0.75)).tolist()
    machine, levels = SlouchMachine(JudgeSettings(unknown_after_s=60.0)), []
    for t, one in enumerate(ratio.tolist()):
        machine.step(t * 0.1, one, Reason.TURNED_AWAY if math.isnan(one) else Reason.NONE)
        levels.append(None if math.isnan(one) else machine.is_slouch_level)
    for before, now, level_before, level in zip(kinds, kinds[1:], levels, levels[1:], strict=False):
        assert before != now or level_before == level


def test_only_a_few_frames_are_taken_in(monkeypatch):
    taken = []
    step = SlouchMachine.step
    monkeypatch.setattr(SlouchMachine, "step", lambda self, *args: taken.append(args[0]) or step(self, *args))
    tape, _ = read_tape(FIXTURES / "d301_monitor.npz", Settings(), JudgeSettings(), (0.0, 12.0))
    taken.clear()
    Judge(tape).judge(JudgeSettings(), AlertSettings())
    assert 10 < len(taken) < len(tape) / 5
    assert taken == sorted(set(taken)), "each once, in order"
