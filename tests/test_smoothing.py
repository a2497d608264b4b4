"""One-euro smoothing is steady, follows, forgets and starts afresh as documented, at any frame rate."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.smoothing import OneEuroFilter

VALUE = st.floats(-180.0, 180.0)
STEPS = st.lists(st.floats(0.0, 2.9), min_size=1, max_size=30)
START = st.sampled_from([0.0, -10.0, 1e5])
TAU_S, QUICKNESS, MAX_GAP_S = 0.6, 0.02, 3.0


def make(tau_s=TAU_S):
    return OneEuroFilter(tau_s, QUICKNESS, MAX_GAP_S)


def run(samples, smoother=None):
    smoother = smoother or make()
    return [smoother.step(t_s, value) for t_s, value in samples]


def at_rate(rate_hz, signal, end_s=20.0):
    return [(k / rate_hz, signal(k / rate_hz)) for k in range(int(end_s * rate_hz) + 1)]


def step_at_5(t_s):
    return 20.0 if t_s >= 5.0 else 0.0


@given(value=VALUE, steps=STEPS, start_s=START)
def test_a_constant_stays_as_it_is(value, steps, start_s):
    times = [start_s + sum(steps[:k]) for k in range(len(steps) + 1)]
    assert run([(t, value) for t in times]) == [value] * len(times)


@given(values=st.lists(VALUE, min_size=1, max_size=30), step_s=st.floats(0.01, 2.9))
def test_the_result_stays_within_what_came_in(values, step_s):
    for k, smoothed in enumerate(run([(k * step_s, v) for k, v in enumerate(values)])):
        assert min(values[: k + 1]) - 1e-9 <= smoothed <= max(values[: k + 1]) + 1e-9


@pytest.mark.parametrize("rate_hz", [2.0, 4.0, 15.0, 30.0])
def test_a_step_is_followed_without_overshoot_and_not_at_once(rate_hz):
    samples = at_rate(rate_hz, step_at_5)
    after = [v for (t, _), v in zip(samples, run(samples), strict=True) if t >= 5]
    assert all(a <= b <= 20.0 for a, b in pairwise(after))
    assert after[0] < 16.0, "a single frame does not carry it over"
    assert after[-1] == pytest.approx(20.0, abs=0.01)
    assert after[int(3 * rate_hz)] > 18.0, "within 3 s"


def test_quick_moves_are_followed_with_less_lag_than_slow_ones():
    def lag_s(speed):
        return 10.0 - run(at_rate(4.0, lambda t: speed * t, 10.0))[-1] / speed

    assert lag_s(0.1) == pytest.approx(TAU_S, rel=0.05)
    assert lag_s(10.0) < 0.6 * TAU_S
    assert lag_s(10.0) > lag_s(40.0) > 0.0


def test_noise_is_damped_while_still():
    raw = [(k / 10, 0.5 * (-1) ** k) for k in range(200)]
    assert max(abs(v) for v in run(raw)[50:]) < 0.15


@pytest.mark.parametrize("rate_hz", [2.0, 4.0, 8.0, 15.0, 30.0])
@pytest.mark.parametrize(
    ("signal", "slope"),
    [
        (lambda t: 20.0 if t >= 5.5 else 0.0, 20.0),
        (lambda t: 10.0 * math.sin(t), 10.0),
        (lambda t: min(3.0 * t, 30.0), 3.0),
    ],
    ids=["step", "sway", "drift"],
)
def test_the_frame_rate_hardly_matters(rate_hz, signal, slope):
    both = (at_rate(rate_hz, signal), at_rate(240.0, signal))
    coarse, fine = ({t: v for (t, _), v in zip(samples, run(samples), strict=True)} for samples in both)
    for t_s in range(1, 20):  # a frame's worth of change, and that is all
        assert coarse[float(t_s)] == pytest.approx(fine[float(t_s)], abs=0.05 + 0.7 * slope / rate_hz)


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_what_is_not_measured_gives_nan_and_is_survived(missing):
    samples = [(0.0, 1.0), (0.5, 2.0), (1.0, missing), (1.5, missing), (2.0, 3.0), (2.5, 3.0)]
    smoothed = run(samples)
    assert [math.isnan(v) for v in smoothed] == [False, False, True, True, False, False]
    assert smoothed[:2] + smoothed[4:] == run(
        [s for s in samples if s[1] != missing and not math.isnan(s[1])]
    )
    assert math.isnan(run([(0.0, missing)])[0])
    assert run([(0.0, missing), (0.5, 7.0)])[1] == 7.0


@pytest.mark.parametrize("hole", ["gap", "nan"])
def test_after_a_gap_it_starts_afresh(hole):
    before = [(k / 4, 0.0) for k in range(9)]
    missing = [(2.0 + k / 4, math.nan) for k in range(1, 13)] if hole == "nan" else []
    assert run([*before, *missing, (2.0 + MAX_GAP_S, 20.0)])[-1] < 20.0
    assert run([*before, *missing, (2.25 + MAX_GAP_S, 20.0)])[-1] == 20.0


@pytest.mark.parametrize("start_s", [0.0, -0.25, 512.0])
def test_zero_is_a_time_like_any_other(start_s):
    samples = [(k / 4, float(k % 3)) for k in range(20)]
    assert run([(start_s + t, v) for t, v in samples]) == run(samples)
    assert run(samples)[1] != 1.0, "smooths from the very first frame on"


def test_two_frames_at_one_time_are_one():
    assert run([(0.0, 1.0), (0.0, 5.0), (0.5, 5.0)])[1] == 1.0
    assert run([(0.0, 1.0), (0.0, 5.0), (0.5, 5.0)])[2] == run([(0.0, 1.0), (0.5, 5.0)])[1]


@given(values=st.lists(VALUE, max_size=30))
def test_no_smoothing_changes_nothing(values):
    assert run([(k / 4, v) for k, v in enumerate(values)], make(0.0)) == values


@given(values=st.lists(VALUE, min_size=1, max_size=30))
def test_the_same_again_after_reset(values):
    samples = [(k / 4, v) for k, v in enumerate(values)]
    smoother = make()
    first = run(samples, smoother)
    smoother.reset()
    assert run(samples, smoother) == first
