"""The sitting clock counts what was seen of sitting, and reminds when that is long.

Claimed: it equals a naive reference; short absences do not count as a break, long ones, suspends and
standing up do; where nobody can tell, it is neither sitting nor a break.
"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.breaks import SittingClock
from posture.settings import BreakSettings

SETTINGS = BreakSettings(interval_s=600, repeat_s=200, away_s=60)


def run(frames, settings=SETTINGS):
    """Return ([sat_s], [t_s of reminders]) of frames (t_s, is_present)."""
    clock = SittingClock(settings)
    sat, due = [], []
    for t_s, is_present in frames:
        if clock.step(t_s, is_present):
            due.append(t_s)
        sat.append(clock.sat_s)
    return sat, due


def spell(pieces, step_s=1.0, start_s=0.0):
    """Return frames of (duration_s, is_present) pieces."""
    frames, t_s = [], start_s
    for duration_s, is_present in pieces:
        for _ in range(round(duration_s / step_s)):
            frames.append((t_s, is_present))
            t_s += step_s
    return frames


def reference(settings, frames):
    """Return sat_s after every frame, by looking back over the whole history at each of them."""
    found = []
    for i in range(len(frames)):
        sat_s = absent_s = 0.0
        for (a_s, was), (b_s, now) in pairwise(frames[: i + 1]):
            dt_s = b_s - a_s
            if dt_s >= settings.away_s:
                sat_s = absent_s = 0.0
            elif now is True:
                sat_s += dt_s if was is True else 0.0
                absent_s = 0.0
            elif now is False and was is not None:
                absent_s += dt_s
                if absent_s >= settings.away_s:
                    sat_s = absent_s = 0.0
        found.append(sat_s)
    return found


STEPS = st.sampled_from([0.0, 0.25, 1.0, 10.0, 20.0, 40.0, 59.0, 60.0])
STRETCH = st.tuples(
    st.sampled_from([True, True, False, False, None]), st.lists(STEPS, min_size=1, max_size=12)
)


@given(stretches=st.lists(STRETCH, min_size=4, max_size=10), start_s=st.sampled_from([0.0, -3.0, 1e6]))
def test_equals_the_naive_reference(stretches, start_s):
    frames, t_s = [], start_s
    for is_present, steps in stretches:
        for step_s in steps:
            t_s += step_s
            frames.append((t_s, is_present))
    sat, due = run(frames)
    assert sat == reference(SETTINGS, frames)
    assert (max(sat, default=0.0) >= SETTINGS.interval_s) == bool(due)


@pytest.mark.parametrize("start_s", [0.0, 500.0])
def test_a_break_is_due_after_sitting_and_again_while_not_taken(start_s):
    sat, due = run(spell([(1100, True)], start_s=start_s))
    assert due == [start_s + 600, start_s + 800, start_s + 1000]
    assert sat[-1] == 1099


def test_a_break_taken_starts_it_all_again():
    _, due = run(spell([(650, True), (61, False), (700, True)]))
    assert due == [600, 650 + 61 + 600]


def test_absences_shorter_than_a_break_stop_the_clock_and_no_more():
    sat, due = run(spell([(300, True), (59, False), (400, True)]))
    assert due == [300 + 59 + 301], "one second of sitting is lost at either end of the absence"
    assert sat[358] == sat[299] == 299


def test_many_short_absences_do_not_add_up_to_a_break():
    sat, _ = run(spell(10 * [(30, True), (50, False)] + [(30, True)]))
    assert sat[-1] == 11 * 29


def test_a_suspend_is_a_break_and_a_shorter_hole_is_not():
    before = spell([(590, True)])
    assert run(before + spell([(100, True)], start_s=5000.0))[0][-1] == 99
    assert run(before + spell([(100, True)], start_s=600.0))[1] == [600]


@pytest.mark.parametrize("after", [True, False])
def test_what_nobody_can_tell_is_neither_sitting_nor_a_break(after):
    sat, due = run(spell([(300, True), (5000, None), (1, after), (10, True)]))
    assert due == []
    assert sat[5299] == 299
    assert sat[-1] == pytest.approx(299 + 10, abs=1)


def test_the_steps_into_and_out_of_not_knowing_are_not_absence():
    frames = [
        (0.0, True),
        (10.0, True),
        (60.0, None),
        (110.0, False),
        (125.0, False),
        (126.0, True),
        (136.0, True),
    ]
    assert run(frames)[0][-1] == 20.0, "15 s of absence were seen"


def test_an_absence_goes_on_across_frames_that_cannot_tell():
    sat, _ = run(spell([(300, True), (40, False), (5, None), (40, False), (10, True)]))
    assert sat[-1] == 9


def test_when_disabled_it_counts_and_never_reminds():
    sat, due = run(spell([(1000, True)]), BreakSettings(interval_s=600, away_s=60, enabled=False))
    assert due == []
    assert sat[-1] == 999


@pytest.mark.parametrize("rate_hz", [0.5, 2.0, 3.7, 10.0, 30.0])
def test_the_frame_rate_does_not_matter(rate_hz):
    _, due = run(spell([(1100, True)], step_s=1 / rate_hz))
    assert due == pytest.approx([600, 800, 1000], abs=3 / rate_hz + 1e-6)


def test_the_same_again_after_reset():
    frames = spell([(650, True), (61, False), (70, None), (700, True)])
    clock = SittingClock(SETTINGS)
    first = [(clock.step(*frame), clock.sat_s) for frame in frames]
    clock.reset()
    assert vars(clock) == vars(SittingClock(SETTINGS))
    assert [(clock.step(*frame), clock.sat_s) for frame in frames] == first
