"""The noisier the landmarks, the further one must come back; what is no noise changes nothing.

Claimed: white noise is measured rightly at any frame spacing; steady values, steady changes, postures taken up and
repeated frames are none; the end of a slouch never lies above the setting nor below its lowest; and somebody who sits
at the border with noisy landmarks changes state a few times instead of many.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import jittered_times, signal, steady_times

from posture.scatter import LOWEST_RELEASE, MIN_FRAMES, N_FRAMES, Scatter, release_ratio
from posture.settings import JudgeSettings
from posture.slouch import Reason, SlouchMachine

JUDGE = JudgeSettings()


def scatter_of(times, values):
    scatter = Scatter()
    return [scatter.step(t, v) for t, v in zip(times, values, strict=True)]


@pytest.mark.parametrize("sd", [0.01, 0.1])
@pytest.mark.parametrize("jittered", [False, True])
def test_white_noise_is_measured_rightly(sd, jittered):
    times = jittered_times(4, 500.0, 0) if jittered else steady_times(4, 500.0)
    values = sd * np.random.default_rng(1).normal(size=len(times))
    told = np.array(scatter_of(times, values.tolist()))
    assert np.median(told[N_FRAMES:]) == pytest.approx(sd, rel=0.15)
    assert not told[: MIN_FRAMES - 1].any(), "nothing is told from a few frames"


@pytest.mark.parametrize("course", ["steady", "drift", "a posture now and then", "repeated", "single spikes"])
def test_what_is_no_noise_is_not_taken_for_it(course):
    times = steady_times(4, 120.0)
    values = {
        "steady": [0.5] * len(times),
        "drift": [0.01 * t for t in times],
        "a posture now and then": signal([(10.0, 0.1), (10.0, 1.4)] * 6, times),
        "repeated": [float(k // 8 % 2) for k in range(len(times))],
        "single spikes": [5.0 if k % 11 == 0 else 0.2 + 1e-9 * k for k in range(len(times))],
    }[course]
    assert max(scatter_of(times, values)) < 1e-6


def test_frames_that_were_not_looked_at_say_nothing_about_noise():
    """Between two looks the duty cycle repeats the last landmarks."""
    values = 0.1 * np.random.default_rng(1).normal(size=200)
    told = scatter_of(steady_times(10, 100.0), values.repeat(5).tolist())
    assert told[-1] == pytest.approx(scatter_of(steady_times(2, 100.0), values.tolist())[-1])
    assert told[-1] > 0.05


def test_frames_far_apart_and_holes_tell_nothing():
    rng = np.random.default_rng(0)
    values = rng.normal(size=100).tolist()
    assert not any(scatter_of([6.0 * k for k in range(100)], values))
    holed = [math.nan if k % 3 == 2 else v for k, v in enumerate(values)]
    assert not any(scatter_of(steady_times(4, 25.0), holed))


@given(setting=st.floats(0.01, 0.99), sd=st.floats(0.0, 10.0))
def test_a_slouch_ends_neither_above_the_setting_nor_below_the_lowest(setting, sd):
    release = release_ratio(setting, sd)
    assert min(setting, LOWEST_RELEASE) <= release <= setting
    assert release_ratio(setting, sd + 0.01) <= release


def levels_at_the_border(sd, is_aware):
    """Return how often the level changes in ten minutes of a posture that comes and goes about the border."""
    rng, machine, scatter, levels = np.random.default_rng(0), SlouchMachine(JUDGE), Scatter(), []
    for t in steady_times(4, 600.0):
        value = 0.92 + 0.06 * math.sin(2 * math.pi * t / 40.0) + sd * rng.normal()
        sd_now = scatter.step(t, value)
        machine.step(t, value, Reason.NONE, release_ratio(0.75, sd_now) if is_aware else None)
        levels.append(machine.is_slouch_level)
    return sum(a != b for a, b in pairwise(levels))


def test_nobody_flickers_at_the_border_for_their_landmarks_noise():
    assert levels_at_the_border(0.08, is_aware=False) > 5 * levels_at_the_border(0.08, is_aware=True)
    assert levels_at_the_border(0.01, True) == levels_at_the_border(0.01, False), (
        "nor is it changed for nothing"
    )
