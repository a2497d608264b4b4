"""Alerts come when a slouch deserves one, and never too often, whatever the input.

Claimed: the policy equals a naive reference that looks over its whole history at every frame; the hourly
cap holds in every window; sustain, cool-down, snooze and quiet hours are as documented.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.alerts import AlertPolicy, Urgency
from posture.settings import AlertSettings
from posture.slouch import SlouchState

S = SlouchState
HOUR_S = 3600.0


def reference(settings, frames, snoozes, start_of_day_s):
    """Decide about every frame by looking at everything before it; deliberately slow and plain.

    `frames` are (t_s, state, is_slouch_level, slouched_s), `snoozes` {frame index: until_s}.
    """
    alerts = []
    ignored = []  # alerts about the slouch that goes on
    snoozed_until_s = -math.inf
    for i, (t_s, state, level, slouched_s) in enumerate(frames):
        snoozed_until_s = snoozes.get(i, snoozed_until_s)
        if state in (S.UPRIGHT, S.AWAY):
            ignored = []
        cooldown_s = settings.cooldown_s * 2.0 ** (len(ignored) - 1) if ignored else 0.0
        cooldown_s = min(cooldown_s, max(settings.cooldown_s, settings.max_cooldown_s))
        if (
            state is S.SLOUCHING
            and level
            and slouched_s >= settings.sustain_s
            and (not ignored or t_s >= ignored[-1] + cooldown_s)
            and t_s >= snoozed_until_s
            and not is_quiet(settings.quiet_hours, start_of_day_s, t_s)
            and sum(t_s - 3600.0 < a for a in alerts) < settings.max_per_hour
        ):
            alerts.append(t_s)
            ignored.append(t_s)
    return alerts


def is_quiet(spans, start_of_day_s, t_s):
    if start_of_day_s is None:
        return False
    second = (start_of_day_s + t_s) % 86400
    for span in spans:
        (h0, m0), (h1, m1) = (map(int, clock.split(":")) for clock in span.split("-"))
        start, length = h0 * 3600 + m0 * 60, ((h1 - h0) * 3600 + (m1 - m0) * 60) % 86400 or 86400
        if (second - start) % 86400 < length:
            return True
    return False


def run(settings, frames, snoozes=None, start_of_day_s=None):
    policy = AlertPolicy(settings, start_of_day_s)
    found = []
    for i, frame in enumerate(frames):
        if snoozes and i in snoozes:
            policy.snooze(snoozes[i])
        alert = policy.step(*frame)
        if alert is not None:
            assert alert.confirmed_s == frame[0]
            assert alert.slouched_s == frame[3]
            assert alert.onset_s <= alert.confirmed_s
            found.append(alert)
    assert [a.n for a in found] == list(range(len(found)))
    return [a.confirmed_s for a in found]


def slouch(start_s, end_s, step_s=1.0):
    """Return the frames of a slouch without a break in it."""
    return [
        (start_s + k * step_s, S.SLOUCHING, True, k * step_s) for k in range(int((end_s - start_s) / step_s))
    ]


CLOCK = st.sampled_from(["00:00", "00:30", "01:00", "12:00", "13:00", "22:00", "23:59"])
SETTINGS = st.builds(
    AlertSettings,
    sustain_s=st.sampled_from([1.0, 60.0]),
    cooldown_s=st.sampled_from([0.0, 7.0, 300.0, 5000.0]),
    max_cooldown_s=st.sampled_from([0.0, 60.0, 2400.0]),
    max_per_hour=st.integers(0, 5),
    quiet_hours=st.lists(st.builds("{}-{}".format, CLOCK, CLOCK), max_size=2),
)
FRAME = st.tuples(
    st.sampled_from([S.SLOUCHING, S.UPRIGHT, S.AWAY, S.UNKNOWN]),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 1.0, 59.0, 60.0, 600.0]),
)
IGNORED = st.just((S.SLOUCHING, True, 600.0))
FRAMES = st.one_of(IGNORED, IGNORED, IGNORED, FRAME)
STEPS = st.sampled_from([0.0, 1.0, 7.0, 60.0, 299.0, 300.0, 301.0, 600.0, 900.0, 3600.0, 30_000.0])


@st.composite
def histories(draw):
    t_s, frames, snoozes = draw(st.sampled_from([0.0, 7.5, 1e5])), [], {}
    for i, (step_s, frame) in enumerate(draw(st.lists(st.tuples(STEPS, FRAMES), min_size=20, max_size=60))):
        t_s += step_s
        frames.append((t_s, *frame))
        if draw(st.integers(0, 15)) == 0:
            snoozes[i] = t_s + draw(st.sampled_from([-1.0, 0.0, 300.0, 3600.0]))
    return frames, snoozes


@given(
    settings=SETTINGS, history=histories(), start_of_day_s=st.sampled_from([None, 0.0, 43_000.0, 86_399.0])
)
def test_equals_the_naive_reference(settings, history, start_of_day_s):
    frames, snoozes = history
    expected = reference(settings, frames, snoozes, start_of_day_s)
    assert run(settings, frames, snoozes, start_of_day_s) == expected


@given(settings=SETTINGS, history=histories())
def test_never_more_than_the_cap_in_any_hour(settings, history):
    alerts = run(settings, history[0])
    for first in alerts:
        assert sum(first <= t < first + HOUR_S for t in alerts) <= settings.max_per_hour


@given(settings=SETTINGS, history=histories())
def test_the_same_again_after_reset(settings, history):
    policy = AlertPolicy(settings)
    runs = []
    for _ in range(2):
        for i, frame in enumerate(history[0]):
            if i in history[1]:
                policy.snooze(history[1][i])
            runs.append(policy.step(*frame))
        policy.reset()
    assert runs[: len(runs) // 2] == runs[len(runs) // 2 :]


@pytest.mark.parametrize("start_s", [0.0, -60.0, 1000.0])
def test_a_slouch_is_mentioned_once_it_is_sustained(start_s):
    assert run(AlertSettings(), slouch(start_s, start_s + 200)) == [start_s + 60.0]


def test_the_cooldown_doubles_while_ignored_up_to_its_maximum():
    settings = AlertSettings(sustain_s=60, cooldown_s=100, max_cooldown_s=350, max_per_hour=60)
    assert run(settings, slouch(0, 1500)) == [60, 160, 360, 710, 1060, 1410]


def test_a_cooldown_longer_than_the_maximum_stays_what_it_is():
    assert run(AlertSettings(cooldown_s=900, max_cooldown_s=60), slouch(0, 2000)) == [60, 960, 1860]


def test_no_cooldown_leaves_it_to_the_cap():
    assert run(AlertSettings(cooldown_s=0), slouch(0, 3700)) == [60, 61, 62, 63, 3660, 3661, 3662, 3663]


@pytest.mark.parametrize(("state", "again"), [(S.UPRIGHT, True), (S.AWAY, True), (S.UNKNOWN, False)])
def test_recovering_and_leaving_reset_the_cooldown_and_unclear_frames_do_not(state, again):
    frames = [*slouch(0, 70), (70.0, state, False, 0.0), *slouch(71, 140)]
    assert run(AlertSettings(), frames) == ([60, 131] if again else [60])


def test_nobody_is_told_in_the_moment_they_sit_up():
    frames = [(60.0 + k, S.SLOUCHING, False, 60.0) for k in range(3)]
    assert run(AlertSettings(), frames) == []


def test_zero_per_hour_is_never():
    assert run(AlertSettings(max_per_hour=0), slouch(0, 9000, 10)) == []


def test_a_slouch_that_outlasts_a_snooze_is_mentioned_when_it_ends():
    assert run(AlertSettings(), slouch(0, 300), snoozes={10: 200.0}) == [200]
    assert run(AlertSettings(), slouch(-200, 100), snoozes={10: 0.0}) == [0], "zero is a time like any other"
    assert run(AlertSettings(), slouch(0, 300), snoozes={10: 200.0, 50: 0.0}) == [60], "a snooze can be ended"


@pytest.mark.parametrize(
    ("hours", "start_s", "expected"),
    [
        (["12:00-13:00"], 11.5 * HOUR_S, [60, 5400]),
        (["22:00-07:00"], 23 * HOUR_S, [8 * HOUR_S]),
        (["22:00-07:00"], 6 * HOUR_S, [HOUR_S]),
        (["22:00-00:00", "00:00-07:00"], 23 * HOUR_S, [8 * HOUR_S]),
        (["08:00-08:00"], 12 * HOUR_S, []),
        ([], 12 * HOUR_S, [60]),
    ],
)
def test_quiet_hours_are_by_the_clock_on_the_wall(hours, start_s, expected):
    settings = AlertSettings(quiet_hours=hours, cooldown_s=1800, max_cooldown_s=86_400)
    assert (
        run(settings, slouch(0, 9 * HOUR_S, 30), start_of_day_s=start_s)[: len(expected) or 1][-1:]
        == expected[-1:]
    )
    assert run(settings, slouch(0, 120), start_of_day_s=None) == [60], "unknown time of day: no quiet hours"


def test_quiet_hours_come_again_every_day():
    settings = AlertSettings(sustain_s=1, cooldown_s=0, max_per_hour=60, quiet_hours=["22:00-07:00"])
    alerts = run(settings, slouch(0, 5 * 86_400, 600), start_of_day_s=0.0)
    hours = {int(t // HOUR_S) % 24 for t in alerts}
    assert hours == set(range(7, 22))
    assert {int(t // 86_400) for t in alerts} == set(range(5))


@given(
    settings=SETTINGS,
    step_s=st.sampled_from([1.0, 7.0, 60.0, 300.0]),
    start_of_day_s=st.sampled_from([None, 0.0, 43_000.0]),
    snoozes=st.dictionaries(st.integers(1, 40), st.sampled_from([60.0, 500.0, 4000.0]), max_size=2),
)
def test_an_alert_comes_when_it_was_said_to(settings, step_s, start_of_day_s, snoozes):
    policy = AlertPolicy(settings, start_of_day_s)
    due_s = math.nan
    for i, frame in enumerate(slouch(0.0, 60 * step_s, step_s)):
        t_s, _, is_slouch_level, slouched_s = frame
        alert = policy.step(*frame)
        if i > 0 and alert is not None:
            assert t_s >= due_s - 1e-6
        elif i > 0 and not policy.is_silenced(t_s):  # another quiet span may have begun since
            assert not t_s >= due_s
        if i in snoozes:
            policy.snooze(t_s + snoozes[i])
        due_s = policy.due_s(t_s, is_slouch_level, slouched_s)


def test_nothing_is_due_without_a_slouch():
    policy = AlertPolicy(AlertSettings())
    assert math.isnan(policy.due_s(10.0, False, 0.0))
    policy.is_muted = True
    assert math.isnan(policy.due_s(10.0, True, 5.0)), "and no end of the silence is known"


@given(settings=SETTINGS, history=histories())
def test_the_colour_comes_first_and_grows_with_the_slouch(settings, history):
    """An alert is only ever given when the urgency is at its greatest, and silence does not hide the colour."""
    policy = AlertPolicy(settings)
    for frame in history[0]:
        _, state, level, slouched_s = frame
        alert, urgency = policy.step(*frame), policy.urgency(state, level, slouched_s)
        is_slouch = state is S.SLOUCHING and level
        assert (urgency is Urgency.NONE) == (not is_slouch)
        assert (urgency is Urgency.DUE) == (is_slouch and slouched_s >= settings.sustain_s)
        assert alert is None or urgency is Urgency.DUE
        policy.snooze(frame[0] + 1e9)
        assert policy.urgency(state, level, slouched_s) is urgency


@given(history=histories(), start_of_day_s=st.sampled_from([0.0, 43_000.0, 86_399.0]), hours=SETTINGS)
def test_being_told_what_the_clock_shows_anyway_changes_nothing(history, start_of_day_s, hours):
    told = AlertPolicy(hours)
    found = []
    for frame in history[0]:
        told.set_time_of_day(frame[0], (start_of_day_s + frame[0]) % 86_400.0)
        alert = told.step(*frame)
        found += [] if alert is None else [alert.confirmed_s]
    assert found == run(hours, history[0], start_of_day_s=start_of_day_s)


EVENING = AlertSettings(sustain_s=1, cooldown_s=0, max_per_hour=60, quiet_hours=["22:00-07:00"])


@pytest.mark.parametrize(
    ("change_h", "silent"), [(1, (22 - 1, 31 - 1)), (-1, (22 + 1, 31 + 1)), (9, (13, 22))]
)
def test_quiet_hours_follow_a_clock_that_is_changed(change_h, silent):
    """Frame time 0 is midnight; at noon the clock on the wall is put on by `change_h` (daylight saving, a flight)."""
    policy = AlertPolicy(EVENING, start_of_day_s=0.0)
    heard = set()
    for frame in slouch(0, 47 * HOUR_S, 600):
        t_s = frame[0]
        if t_s >= 12 * HOUR_S:
            policy.set_time_of_day(t_s, (t_s + change_h * HOUR_S) % 86_400.0)
        if policy.step(*frame) is not None:
            heard.add(int(t_s // HOUR_S))
    start, end = silent
    assert heard & set(range(12, 36)) == set(range(12, 36)) - set(range(start, end))
