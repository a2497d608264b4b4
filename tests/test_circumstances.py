"""What follows from the surroundings.

Claimed: what nobody can tell pauses and silences nothing; each setting switches off its own part and no other; more
reasons to rest never end a rest; nothing is remembered; someone who reads without touching the keyboard is not idle.
"""

import math
from dataclasses import fields, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.desktop.circumstances import Circumstances, Orders, decide
from posture.duty import PACES
from posture.settings import AlertSettings, PauseSettings, PowerSettings, Settings
from posture.slouch import Reason

MAYBE = st.none() | st.booleans()
CIRCUMSTANCES = st.builds(
    Circumstances,
    is_locked=MAYBE,
    idle_s=st.none() | st.floats(0, 1e6) | st.just(math.nan) | st.just(math.inf),
    is_on_battery=MAYBE,
    battery_ratio=st.none() | st.floats(0, 1),
    is_in_call=MAYBE,
    call_name=st.sampled_from(["", "zoom", "microphone"]),
    is_do_not_disturb=MAYBE,
)
SETTINGS = st.builds(
    Settings,
    alert=st.builds(AlertSettings, respect_do_not_disturb=st.booleans(), silent_in_call=st.booleans()),
    pause=st.builds(
        PauseSettings,
        when_locked=st.booleans(),
        when_idle_s=st.just(0.0) | st.floats(1, 86_400),
        in_call=st.booleans(),
    ),
    power=st.builds(
        PowerSettings,
        preset=st.sampled_from(sorted(PACES)),
        battery_preset=st.sampled_from(["", *sorted(PACES)]),
        stop_on_battery=st.booleans(),
    ),
)
# What each reason to rest needs: the part of the circumstances that says it.
SIGN = {
    Reason.SCREEN_LOCKED: "is_locked",
    Reason.IN_CALL: "is_in_call",
    Reason.ON_BATTERY: "is_on_battery",
    Reason.IDLE: "idle_s",
}


@given(settings=SETTINGS, is_present=st.booleans())
def test_what_nobody_can_tell_changes_nothing(settings, is_present):
    orders = decide(Circumstances(), settings, is_present=is_present)
    assert orders == Orders(preset=settings.power.preset)


@given(now=CIRCUMSTANCES, settings=SETTINGS, is_present=st.booleans())
def test_a_rest_is_for_a_reason_that_is_there(now, settings, is_present):
    orders = decide(now, settings, is_present=is_present)
    if orders.rest:
        assert getattr(now, SIGN[orders.rest])
        # Without that one sign it would not be this rest; nothing is remembered.
        without = replace(now, **{SIGN[orders.rest]: None})
        assert decide(without, settings, is_present=is_present).rest is not orders.rest
    assert orders.preset in PACES
    assert orders.detail in ("", now.call_name)
    assert not orders.detail or orders.rest is Reason.IN_CALL


@given(
    now=CIRCUMSTANCES,
    settings=SETTINGS,
    is_present=st.booleans(),
    name=st.sampled_from(sorted(SIGN.values())),
)
def test_one_more_reason_never_ends_a_rest_or_breaks_a_silence(now, settings, is_present, name):
    before = decide(now, settings, is_present=is_present)
    more = replace(now, **{name: 1e9 if name == "idle_s" else True})
    after = decide(more, settings, is_present=is_present)
    assert bool(after.rest) >= bool(before.rest)
    assert after.is_muted >= before.is_muted
    disturbed = decide(replace(now, is_do_not_disturb=True), settings, is_present=is_present)
    assert (disturbed.rest, disturbed.preset) == (before.rest, before.preset)
    assert disturbed.is_muted >= before.is_muted


@given(now=CIRCUMSTANCES, settings=SETTINGS, is_present=st.booleans())
def test_each_setting_switches_its_own_part_and_no_other(now, settings, is_present):
    def rest(**changes):
        pause = msgspec.structs.replace(settings.pause, **changes)
        changed = msgspec.structs.replace(settings, pause=pause)
        return decide(now, changed, is_present=is_present).rest

    unchanged = decide(now, settings, is_present=is_present).rest
    for reason, off in (
        (Reason.SCREEN_LOCKED, {"when_locked": False}),
        (Reason.IN_CALL, {"in_call": False}),
        (Reason.IDLE, {"when_idle_s": 0.0}),
    ):
        assert rest(**off) is not reason
        assert unchanged is reason or rest(**off) is unchanged


@given(now=CIRCUMSTANCES, settings=SETTINGS, is_present=st.booleans())
def test_silence_has_a_setting_for_each_of_its_reasons(now, settings, is_present):
    alert = settings.alert
    wanted = (alert.respect_do_not_disturb and now.is_do_not_disturb) or (
        alert.silent_in_call and now.is_in_call
    )
    assert decide(now, settings, is_present=is_present).is_muted is bool(wanted)


@given(now=CIRCUMSTANCES, settings=SETTINGS)
def test_whoever_is_there_is_not_idle(now, settings):
    present = decide(now, settings, is_present=True)
    absent = decide(now, settings, is_present=False)
    assert present.rest is not Reason.IDLE
    assert replace(absent, rest=present.rest) == present
    assert absent.rest in (present.rest, Reason.IDLE)


@given(now=CIRCUMSTANCES, settings=SETTINGS, is_present=st.booleans())
def test_the_battery_alone_sets_the_pace(now, settings, is_present):
    preset = decide(now, settings, is_present=is_present).preset
    if now.is_on_battery and settings.power.battery_preset:
        assert preset == settings.power.battery_preset
    else:
        assert preset == settings.power.preset


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (Circumstances(is_locked=True), Orders(Reason.SCREEN_LOCKED, preset="balanced")),
        (Circumstances(is_locked=False, idle_s=601.0), Orders(Reason.IDLE, preset="balanced")),
        (Circumstances(idle_s=599.0), Orders(preset="balanced")),
        (Circumstances(is_on_battery=True), Orders(preset="eco")),
        (Circumstances(is_do_not_disturb=True), Orders(is_muted=True, preset="balanced")),
        (
            Circumstances(is_in_call=True, call_name="zoom"),
            Orders(Reason.IN_CALL, is_muted=True, preset="balanced", detail="zoom"),
        ),
    ],
)
def test_the_defaults_do_what_one_expects(now, wanted):
    assert decide(now, Settings(), is_present=False) == wanted


def test_a_call_that_does_not_pause_is_still_not_disturbed():
    settings = Settings(pause=PauseSettings(in_call=False))
    assert decide(Circumstances(is_in_call=True), settings, is_present=True) == Orders(
        is_muted=True, preset="balanced"
    )


def test_stopping_on_battery_is_asked_for():
    settings = Settings(power=PowerSettings(stop_on_battery=True))
    now = Circumstances(is_on_battery=True)
    assert decide(now, settings, is_present=True).rest is Reason.ON_BATTERY
    assert decide(now, Settings(), is_present=True).rest is Reason.NONE


def test_every_part_is_unknown_until_somebody_tells():
    unknown = Circumstances()
    assert {getattr(unknown, field.name) for field in fields(Circumstances)} == {None, ""}
