"""The slouch machine keeps its promises for any input and at any frame rate.

Claimed: events pair up and their times are in order; slouched time is judged time and nothing else; brief
glances, brief recoveries, gaps and unclear frames count as documented; the frame rate does not matter.
"""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import jittered_times, signal, steady_times

from posture.errors import PostureError, TimestampError
from posture.settings import JudgeSettings
from posture.slouch import EventKind, Reason, SlouchMachine, SlouchState

K, S = EventKind, SlouchState
NAN = math.nan
SETTINGS = JudgeSettings()
UNCLEAR = [r for r in Reason if r not in (Reason.NONE, Reason.NO_PERSON)]

# One frame's judgement: a ratio, or why there is none.
JUDGED = st.floats(-1.0, 3.0).map(lambda ratio: (ratio, Reason.NONE))
NOT_JUDGED = st.sampled_from([Reason.NO_PERSON, *UNCLEAR]).map(lambda reason: (NAN, reason))
FRAME = st.one_of(JUDGED, NOT_JUDGED)
# Stretches of the same judgement make long states likely; steps include 0 and gaps.
STRETCH = st.tuples(FRAME, st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 3.0, 3.1, 40.0]), max_size=25))
STRETCHES = st.lists(STRETCH, max_size=15)
START = st.sampled_from([0.0, -5.0, 1e6])


def flatten(stretches, start_s=0.0):
    """Return [(t_s, ratio, reason)] of stretches of judgements and time steps."""
    frames, t_s = [], start_s
    for (ratio, reason), steps in stretches:
        for step in steps:
            t_s += step
            frames.append((t_s, ratio, reason))
    return frames


def run(frames, settings=SETTINGS):
    """Return the machine after every frame: [(t_s, state, is_slouch_level, slouched_s, events)]."""
    machine = SlouchMachine(settings)
    rows = []
    for frame in frames:
        events = machine.step(*frame)
        rows.append((frame[0], machine.state, machine.is_slouch_level, machine.slouched_s, events))
    return rows


def run_signal(pieces, times, settings=SETTINGS):
    """Run over a piecewise-constant signal of ratios; None = nobody, a Reason = not judged for it."""
    return run(
        [(t, *as_frame(value)) for t, value in zip(times, signal(pieces, times), strict=True)], settings
    )


def as_frame(value):
    if value is None:
        return NAN, Reason.NO_PERSON
    return (NAN, value) if isinstance(value, Reason) else (value, Reason.NONE)


def events_of(rows):
    return [event for row in rows for event in row[4]]


def kinds_of(rows):
    return [event.kind for event in events_of(rows)]


@given(stretches=STRETCHES, start_s=START)
def test_events_pair_up_and_tell_the_state(stretches, start_s):
    entered = {K.SLOUCH_STARTED: S.SLOUCHING, K.AWAY: S.AWAY, K.UNKNOWN_STARTED: S.UNKNOWN}
    left = {K.SLOUCH_ENDED: S.SLOUCHING, K.RETURNED: S.AWAY, K.UNKNOWN_ENDED: S.UNKNOWN}
    state, seen = None, False
    for _, now, _, _, events in run(flatten(stretches, start_s)):
        before = state
        for event in events:
            if event.kind in left:
                assert state is left[event.kind], "ends what had begun"
                state = None
            else:
                assert state not in entered.values(), "begins once"
                state = entered[event.kind]
        if now is S.UPRIGHT or (now is S.UNKNOWN and not seen):
            assert state is None
        else:
            assert state is now
        assert events or state is before
        seen |= now is not S.UNKNOWN


@given(stretches=STRETCHES, start_s=START)
def test_event_times_are_in_order(stretches, start_s):
    frames = flatten(stretches, start_s)
    rows = run(frames)
    times = {t for t, _, _ in frames}
    for t_s, _, _, _, events in rows:
        for event in events:
            assert event.confirmed_s == t_s
            assert event.onset_s <= event.confirmed_s
            assert event.onset_s in times, "the onset is a frame, also when that is 0.0"
    assert all(
        a.confirmed_s <= b.confirmed_s and a.onset_s <= b.onset_s for a, b in pairwise(events_of(rows))
    )


@given(stretches=STRETCHES, start_s=START)
def test_slouched_time_is_judged_slouch_time_and_nothing_else(stretches, start_s):
    frames = flatten(stretches, start_s)
    rows = run(frames)
    judged_s = 0.0
    for i, (t_s, state, level, slouched_s, events) in enumerate(rows):
        dt_s = t_s - rows[i - 1][0] if i else 0.0
        if not math.isnan(frames[i][1]) and dt_s <= SETTINGS.max_gap_s:
            judged_s += dt_s
        before_s = rows[i - 1][3] if i else 0.0
        assert 0.0 <= slouched_s <= judged_s + 1e-6
        assert slouched_s <= before_s + dt_s + 1e-6
        if slouched_s > before_s:
            assert level, "grows in slouching frames only"
            assert not math.isnan(frames[i][1]), "grows in judged frames only"
            assert dt_s <= SETTINGS.max_gap_s, "a gap counts as nothing"
        if state in (S.UPRIGHT, S.AWAY) and events:
            assert slouched_s == 0.0
        if state is S.SLOUCHING and not events and dt_s <= SETTINGS.max_gap_s and level == rows[i - 1][2]:
            assert slouched_s >= before_s or math.isnan(frames[i][1]), "never falls within a slouch"


@given(ratios=st.lists(st.floats(0.0, 2.0), min_size=1))
def test_hysteresis_holds_the_level_between_release_and_onset(ratios):
    level = False
    for ratio, row in zip(
        ratios, run([(0.1 * k, r, Reason.NONE) for k, r in enumerate(ratios)]), strict=True
    ):
        if ratio >= 1.0:
            level = True
        elif ratio < SETTINGS.release_ratio:
            level = False
        elif row[4]:
            level = False if row[1] is S.UPRIGHT else level
        assert row[2] is level


@given(
    length_s=st.floats(0.0, SETTINGS.onset_dwell_s - 0.01),
    ratio=st.floats(1.0, 10.0),
    n=st.integers(1, 5),
    rate_hz=st.floats(2.0, 30.0),
)
def test_brief_glances_leave_nothing(length_s, ratio, n, rate_hz):
    pieces = [(5.0, 0.2)] + n * [(length_s, ratio), (1.0, 0.2)] + [(5.0, 0.2)]
    rows = run_signal(pieces, steady_times(rate_hz, 10.0 + n * (length_s + 1.0)))
    assert events_of(rows) == []
    assert rows[-1][1] is S.UPRIGHT
    assert rows[-1][3] == 0.0


@given(length_s=st.floats(0.0, SETTINGS.recovery_s - 0.01), n=st.integers(1, 5), rate_hz=st.floats(2.0, 30.0))
def test_brief_recoveries_neither_end_nor_reset_a_slouch(length_s, n, rate_hz):
    pieces = [(5.0, 0.2), (5.0, 1.5)] + n * [(length_s, 0.2), (5.0, 1.5)]
    rows = run_signal(pieces, steady_times(rate_hz, 10.0 + n * (length_s + 5.0)))
    assert kinds_of(rows) == [K.SLOUCH_STARTED]
    expected_s = 5.0 * (n + 1)
    lost_s = 2.0 * (n + 1) / rate_hz  # at the ends of every piece
    unseen_s = n / rate_hz  # recoveries that fall between two frames
    assert expected_s - lost_s - 1e-6 <= rows[-1][3] <= expected_s + unseen_s + 1e-6


@pytest.mark.parametrize("value", [1.5, None, Reason.TURNED_AWAY, Reason.NO_PICTURE])
def test_a_gap_does_not_fill_a_dwell_time(value):
    before = [(k / 4, 0.2, Reason.NONE) for k in range(40)] + [(10.0, *as_frame(value))]
    assert events_of(run([*before, (20.0, *as_frame(value))])) == []
    later = events_of(run([*before, *((20.0 + k / 4, *as_frame(value)) for k in range(20))]))
    assert [event.onset_s for event in later] == [20.0]


def test_a_recovery_ends_a_slouch_when_it_began():
    rows = run_signal([(5.0, 0.2), (10.0, 1.5), (10.0, 0.2)], steady_times(4, 25.0))
    assert [(e.kind, e.onset_s, e.confirmed_s) for e in events_of(rows)] == [
        (K.SLOUCH_STARTED, 5.0, 7.0),
        (K.SLOUCH_ENDED, 15.0, 18.0),
    ]


@given(reasons=st.lists(st.sampled_from([Reason.NO_PERSON, *UNCLEAR]), min_size=1, max_size=60))
def test_what_is_not_measured_never_counts_as_a_slouch(reasons):
    rows = run([(0.5 * k, NAN, reason) for k, reason in enumerate(reasons)])
    assert all(row[1] in (S.UNKNOWN, S.AWAY) and not row[2] and row[3] == 0.0 for row in rows)


@pytest.mark.parametrize("before", [0.2, 1.5])
@pytest.mark.parametrize(
    "flicker", [[Reason.TURNED_AWAY], [Reason.TURNED_AWAY, None], [None, Reason.TOO_DARK]]
)
def test_no_judgement_for_long_is_said_even_when_the_reason_flickers(before, flicker):
    pieces = [(5.0, before)] + 20 * [(0.5, as_value) for as_value in flicker]
    rows = run_signal(pieces, steady_times(2, 15.0))
    assert rows[-1][1] is S.UNKNOWN
    started = [e for e in events_of(rows) if e.kind is K.UNKNOWN_STARTED]
    assert [e.onset_s for e in started] == [5.0]
    assert started[0].confirmed_s <= 5.0 + SETTINGS.unknown_after_s + 1.0
    assert started[0].reason in UNCLEAR


def test_one_unclear_frame_does_not_end_being_away():
    rows = run_signal(
        [(5.0, 0.2), (10.0, None), (0.25, Reason.LOW_CONFIDENCE), (10.0, None)], steady_times(4, 25)
    )
    assert kinds_of(rows) == [K.AWAY]


def test_leaving_and_coming_back():
    rows = run_signal([(5.0, 0.2), (60.0, None), (10.0, 0.2)], steady_times(4, 75.0))
    assert [(e.kind, e.onset_s, e.confirmed_s) for e in events_of(rows)] == [
        (K.AWAY, 5.0, 8.0),
        (K.RETURNED, 65.0, 66.0),
    ]


@pytest.mark.parametrize("hole_s", [3.1, 29.0, 31.0, 28_800.0])
@pytest.mark.parametrize("kind", ["gap", Reason.TURNED_AWAY, Reason.NO_PICTURE])
def test_a_slouch_is_forgotten_after_a_long_hole_and_only_then(hole_s, kind):
    times = steady_times(2, 50.0)
    frames = [(t, 1.5, Reason.NONE) for t in times]
    end_s = times[-1]
    if kind != "gap":
        step_s = max(0.5, hole_s / 200)
        frames += [(end_s + 0.5 + k * step_s, NAN, kind) for k in range(int((hole_s - 0.5) / step_s))]
    before_s = run(frames)[-1][3] if hole_s < SETTINGS.forget_after_s else 0.0
    frames += [(end_s + hole_s + t, 1.5, Reason.NONE) for t in times[:21]]
    assert run(frames)[-1][3] == pytest.approx(before_s + 10.0, abs=0.51)


def test_forgetting_at_once_still_counts_what_is_judged():
    rows = run_signal([(20.0, 1.5)], steady_times(4, 20.0), JudgeSettings(forget_after_s=0.0))
    assert rows[-1][3] == pytest.approx(19.75)


@pytest.mark.parametrize("bad_s", [NAN, math.inf, -math.inf, 9.99, -1.0])
def test_bad_times_are_errors_and_change_nothing(bad_s):
    machine, twin = SlouchMachine(SETTINGS), SlouchMachine(SETTINGS)
    for k in range(41):
        machine.step(k / 4, 1.5, Reason.NONE)
        twin.step(k / 4, 1.5, Reason.NONE)
    with pytest.raises(TimestampError) as caught:
        machine.step(bad_s, 0.2, Reason.NONE)
    assert isinstance(caught.value, PostureError)
    assert isinstance(caught.value, ValueError)
    assert vars(machine) == vars(twin)


@given(stretches=STRETCHES, shift_s=st.sampled_from([-64.0, -8.0, 1024.0]))
def test_zero_is_a_time_like_any_other(stretches, shift_s):
    stretches = [(frame, [step if step != 0.1 else 0.125 for step in steps]) for frame, steps in stretches]
    stretches = [(frame, [step if step != 3.1 else 3.125 for step in steps]) for frame, steps in stretches]
    for a, b in zip(run(flatten(stretches)), run(flatten(stretches, shift_s)), strict=True):
        assert a[1:4] == b[1:4]
        moved = [(e.kind, e.onset_s + shift_s, e.confirmed_s + shift_s, e.reason) for e in a[4]]
        assert moved == [(e.kind, e.onset_s, e.confirmed_s, e.reason) for e in b[4]]


@given(stretches=STRETCHES)
def test_the_same_again_after_reset(stretches):
    frames = flatten(stretches)
    machine = SlouchMachine(SETTINGS)
    first = [machine.step(*frame) for frame in frames]
    machine.reset()
    assert vars(machine) == vars(SlouchMachine(SETTINGS))
    assert [machine.step(*frame) for frame in frames] == first


# Every piece is well longer or shorter than the dwell time it is about, so that sampling cannot decide it.
VALUE = st.sampled_from([0.2, 0.5, 1.2, 2.0, None, Reason.TURNED_AWAY])
PIECES = st.lists(st.tuples(st.floats(6.0, 20.0), VALUE), min_size=2, max_size=6)


@settings(max_examples=40)
@given(pieces=PIECES, rate_hz=st.floats(2.0, 30.0), jitter=st.booleans(), seed=st.integers(0, 99))
def test_the_frame_rate_does_not_matter(pieces, rate_hz, jitter, seed):
    end_s = sum(duration for duration, _ in pieces)
    truth = events_of(run_signal(pieces, steady_times(50, end_s)))
    times = jittered_times(rate_hz, end_s, seed, 0.5) if jitter else steady_times(rate_hz, end_s)
    seen = events_of(run_signal(pieces, times))
    assert [e.kind for e in seen] == [e.kind for e in truth]
    interval_s = (1.5 if jitter else 1.0) / rate_hz + 0.021
    for a, b in zip(seen, truth, strict=True):
        assert a.onset_s - b.onset_s == pytest.approx(0.0, abs=interval_s)
        dwell_s = b.confirmed_s - b.onset_s
        assert a.confirmed_s - a.onset_s - dwell_s == pytest.approx(0.0, abs=interval_s)


@pytest.mark.parametrize("odd", [None, Reason.LOW_CONFIDENCE, Reason.TURNED_AWAY])
@pytest.mark.parametrize("every", [3, 4, 7])
def test_single_unclear_frames_change_neither_states_nor_events_by_more_than_a_few_frames(odd, every):
    pieces = [(10.0, 0.2), (20.0, 1.5), (10.0, 0.2)]
    times = steady_times(4.0, 40.0)
    clean = events_of(run_signal(pieces, times))
    frames = [
        (t, *(as_frame(odd) if i % every == 1 else as_frame(value)))
        for i, (t, value) in enumerate(zip(times, signal(pieces, times), strict=True))
    ]
    holed = events_of(run(frames))
    assert [e.kind for e in holed] == [e.kind for e in clean] == [K.SLOUCH_STARTED, K.SLOUCH_ENDED]
    for a, b in zip(holed, clean, strict=True):
        assert a.onset_s == pytest.approx(b.onset_s, abs=0.5)
        assert a.confirmed_s == pytest.approx(b.confirmed_s, abs=0.5)


def test_a_hole_as_long_as_unknown_after_restarts_the_dwell():
    hole_s = SETTINGS.unknown_after_s + 0.5
    pieces = [(5.0, 0.2), (1.0, 1.5), (hole_s, Reason.TURNED_AWAY), (10.0, 1.5)]
    started = [
        e for e in events_of(run_signal(pieces, steady_times(4.0, 20.0))) if e.kind is K.SLOUCH_STARTED
    ]
    assert [e.onset_s for e in started] == [6.0 + hole_s]


def test_the_onset_of_a_slouch_outlives_brief_recoveries_and_goes_with_the_slouch():
    machine = SlouchMachine(SETTINGS)
    for t_s, ratio in ((0.0, 0.2), (1.0, 0.2), (2.0, 1.5), (3.0, 1.5), (4.0, 1.5), (5.0, 0.2), (6.0, 1.5)):
        machine.step(t_s, ratio, Reason.NONE)
    assert machine.slouch_onset_s == 2.0
    for t_s in (7.0, 8.0, 9.0, 10.0, 11.0):
        machine.step(t_s, 0.2, Reason.NONE)
    assert machine.state is S.UPRIGHT
    assert machine.slouch_onset_s is None
