"""What the tray shows for what the monitor tells, whatever that is.

Claimed: every state has an icon of its own shape and the terminal's colour; a slouch is shown from its beginning and
differently once it has lasted; the words fit every desktop and hold nothing a desktop takes for markup; what can be
chosen makes sense in that state; nothing flickers while nothing happens.
"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.control.commands import check_seconds
from posture.slouch import Reason, SlouchState
from posture.status import LATE_LET_GO_S, LATE_S, Status
from posture.tray.programs import reason
from posture.tray.view import COLOURS, COMMANDS, GROUPS, Icon, Item, Standing, make_view
from posture.words import REASONS, STATES

DEGREES = st.one_of(st.none(), st.floats(-90.0, 90.0))
SECONDS = st.floats(0.0, 1e6)
STATUSES = st.builds(
    Status,
    pid=st.integers(1),
    age_s=st.one_of(st.none(), SECONDS),
    source=st.text(),
    profile=st.text(),
    state=st.sampled_from(SlouchState),
    reason=st.sampled_from(Reason),
    neck_deviation_deg=DEGREES,
    thoracic_deviation_deg=DEGREES,
    slouch_ratio=DEGREES,
    slouched_s=SECONDS,
    sat_s=SECONDS,
    alerts=st.integers(0, 9),
    rest_detail=st.text(),
    paused_for_s=st.one_of(st.none(), SECONDS),
    snoozed_for_s=st.one_of(st.none(), SECONDS),
    camera=st.sampled_from(["ok", "let go", "camera lost (gone), retrying"]),
    sustain_s=st.one_of(st.none(), SECONDS),
)
STANDINGS = st.one_of(
    st.builds(Standing, STATUSES), st.just(Standing(None)), st.builds(Standing, st.none(), st.text())
)
UPRIGHT = Status(
    pid=1,
    age_s=0.2,
    source="0",
    profile="default",
    state=SlouchState.UPRIGHT,
    reason=Reason.NONE,
    neck_deviation_deg=1.0,
    thoracic_deviation_deg=-2.0,
    slouch_ratio=0.1,
    slouched_s=0.0,
    sat_s=2100.0,
    alerts=0,
    camera="ok",
    sustain_s=60.0,
)


def view(**changes):
    return make_view(Standing(msgspec.structs.replace(UPRIGHT, **changes)))


def slouch(seconds, **changes):
    return view(state=SlouchState.SLOUCHING, slouched_s=seconds, **changes)


@given(STANDINGS)
def test_the_words_fit_every_desktop_and_are_no_markup(standing):
    shown = make_view(standing)
    assert len(shown.tooltip.encode("utf-16-le")) <= 2 * 127
    for text in (shown.tooltip.replace("\n", " "), *shown.entries.values()):
        assert text.isprintable()
        assert text.strip()
        assert not set(text) & set("<>&")
        assert len(text) <= 127
    assert shown.tooltip.startswith("Posture: ")
    assert shown.icon in COLOURS


def test_of_a_long_tooltip_the_first_lines_are_kept_whole():
    long = {"rest_detail": "a program with a long name, as some are", "snoozed_for_s": 80_000.0}
    shown = view(reason=Reason.IN_CALL, paused_for_s=80_000.0, sat_s=80_000.0, **long).tooltip
    assert len(shown) <= 127
    assert shown.splitlines()[0].endswith("22 h 14 min left")


@given(STANDINGS)
def test_what_can_be_chosen_makes_sense(standing):
    entries = set(make_view(standing).entries)
    assert {Item.STATE, Item.REPORT, Item.QUIT} <= entries
    assert (Item.START in entries) == (standing.status is None and not standing.trouble)
    assert (Item.STOP in entries) != (Item.START in entries)
    if standing.status is None:
        assert not entries & (COMMANDS.keys() - {Item.STOP})
    elif standing.status.reason is Reason.PAUSED:
        assert Item.RESUME in entries
        assert not entries & {Item.PAUSE, Item.PAUSE_SHORT, Item.SNOOZE_SHORT, Item.SNOOZE_LONG}
    else:
        assert {Item.PAUSE, Item.PAUSE_SHORT} <= entries
        assert (Item.RESUME in entries) != ({Item.SNOOZE_SHORT, Item.SNOOZE_LONG} <= entries)
        assert (Item.WRONG in entries) == bool(standing.status.alerts)


def test_every_item_has_one_place_and_what_is_told_can_be_told():
    placed = [item for group in GROUPS for item in group]
    assert sorted(placed, key=lambda item: item.value) == sorted(Item, key=lambda item: item.value)
    assert set(Item) - COMMANDS.keys() == {Item.STATE, Item.START, Item.REPORT, Item.QUIT}
    for command in COMMANDS.values():
        check_seconds(getattr(command, "seconds", None))


@pytest.mark.parametrize("state", SlouchState)
def test_a_state_has_the_terminals_colour_and_word(state):
    shown = view(state=state, reason=Reason.TOO_DARK if state is SlouchState.UNKNOWN else Reason.NONE)
    assert COLOURS[shown.icon] == STATES[state][2]
    assert STATES[state][1] in shown.tooltip


@pytest.mark.parametrize("why", [why for why in Reason if why is not Reason.NONE])
def test_whoever_cannot_judge_says_why(why):
    shown = view(state=SlouchState.UNKNOWN, reason=why)
    assert REASONS[why] in shown.tooltip
    assert REASONS[why] in shown.entries[Item.STATE].lower() or REASONS[why] in shown.entries[Item.STATE]


@given(st.floats(0.0, 3600.0), st.floats(5.0, 600.0))
def test_a_slouch_is_shown_before_it_is_mentioned_and_then_differently(slouched_s, sustain_s):
    shown = slouch(slouched_s, sustain_s=sustain_s)
    assert shown.icon is (Icon.ALERT if slouched_s >= sustain_s else Icon.SLOUCHING)
    assert COLOURS[shown.icon] != COLOURS[Icon.UPRIGHT]


def test_a_slouch_is_told_with_its_length_and_angles():
    shown = slouch(42.0, neck_deviation_deg=14.2, thoracic_deviation_deg=3.4)
    assert shown.tooltip.splitlines() == [
        "Posture: slouching for 40 s",
        "neck +14°, trunk +3° from your upright",
        "sitting for 35 min",
    ]


@pytest.mark.parametrize(
    "why", [Reason.PAUSED, Reason.SCREEN_LOCKED, Reason.IDLE, Reason.IN_CALL, Reason.ON_BATTERY]
)
@pytest.mark.parametrize("state", [SlouchState.UNKNOWN, SlouchState.AWAY])
def test_a_rest_is_a_rest_whatever_was_before(why, state):
    shown = view(state=state, reason=why, rest_detail="zoom")
    assert shown.icon is Icon.RESTING
    assert "(zoom)" in shown.tooltip
    assert (Item.RECALIBRATE in shown.entries) == (why is Reason.PAUSED), "the desktop's rests refuse it"


def test_a_monitor_that_does_nothing_is_not_shown_as_watching():
    assert view(age_s=LATE_S - 1).icon is Icon.UPRIGHT
    assert view(age_s=LATE_S + 1).icon is Icon.TROUBLE
    assert view(age_s=LATE_S + 1, camera="let go").icon is Icon.UPRIGHT, "it looks only now and then"
    assert view(age_s=LATE_LET_GO_S + 1, camera="let go").icon is Icon.TROUBLE
    assert "hang" in view(age_s=99.0).tooltip
    assert "neck" not in view(age_s=99.0).tooltip, "what was is not what is"


def test_nobody_watching_is_said():
    assert make_view(Standing(None)).icon is Icon.OFF
    assert "no monitor" in make_view(Standing(None)).tooltip
    shown = make_view(Standing(None, "the monitor does not answer"))
    assert (shown.icon, shown.entries[Item.STATE]) == (Icon.TROUBLE, "The monitor does not answer")


def test_what_is_left_of_a_pause_and_a_snooze_is_told():
    assert "10 min left" in view(reason=Reason.PAUSED, paused_for_s=599.0).tooltip
    assert "left" not in view(reason=Reason.PAUSED).tooltip
    assert "no notifications, 2 h left" in view(snoozed_for_s=7190.0).tooltip
    assert view(snoozed_for_s=5.0).entries[Item.RESUME] == "End the snooze"
    assert view(reason=Reason.PAUSED).entries[Item.RESUME] == "Resume"


@given(st.floats(60.0, 80_000.0), st.floats(0.0, 5.0))
def test_nothing_flickers_while_nothing_happens(sat_s, passed_s):
    start_s = sat_s // 60.0 * 60.0
    assert view(sat_s=start_s) == view(sat_s=start_s + passed_s, age_s=passed_s)
    assert view(snoozed_for_s=start_s) == view(snoozed_for_s=start_s - passed_s)
    at_s = sat_s // 5.0 * 5.0
    assert slouch(at_s) == slouch(at_s + 0.9 * passed_s)


@given(st.text(), st.integers(-20, 200))
def test_a_failure_is_told_in_a_line(output, code):
    told = reason(output, code)
    assert told.strip()
    assert len(told.splitlines()) <= 1
    line = "posture: camera 0: no such camera"
    assert reason(f"{output}\n{line}\n", 1) == line.removeprefix("posture: ")
