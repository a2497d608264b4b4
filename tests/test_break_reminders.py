"""What a run says through notifications: which words, which stretch, which buttons, with which sound.

Claimed: an alert has all three buttons, a reminder can be snoozed, a moved camera recalibrated; settings take buttons
and sound away; a reminder names a stretch that fits what was slouched; standing is called standing.
"""

import dataclasses
import itertools
import math

import pytest

from posture.alerts import Alert
from posture.bundled import asset_path
from posture.sinks import NotificationSink
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.step_result import StepResult
from posture.stretch_file import FILE_NAME, read_stretches
from posture.stretches import MICRO_S, Occasion, StretchAdvisor

K = EventKind
QUIET = StepResult(
    *(10.0, SlouchState.UPRIGHT, Reason.NONE, 14.2, 5.0, 0.02, math.nan, 1.4, "neck", 70.0, 2700.0, (), None)
)
ALERT = dataclasses.replace(
    QUIET,
    state=SlouchState.SLOUCHING,
    alert=Alert(0.0, 10.0, 70.0, 0),
    events=(SlouchEvent(K.ALERT, 0.0, 10.0),),
)
STRETCHES = read_stretches(asset_path(FILE_NAME))


def happening(kind, **changes):
    return dataclasses.replace(QUIET, events=(SlouchEvent(kind, 0.0, 10.0),), **changes)


class Posted(list):
    """Stands for the queue."""

    post = list.append

    def close(self):
        self.append("closed")


def posted(*results, **options):
    queue = Posted()
    sink = NotificationSink(queue, 7, **options)
    for result in results:
        sink.handle(result)
    return queue


@pytest.mark.parametrize(
    ("result", "actions"),
    [
        (ALERT, ("snooze", "recalibrate", "wrong")),
        (happening(K.BREAK_DUE), ("snooze",)),
        (happening(K.MICRO_BREAK_DUE), ("snooze",)),
        (happening(K.CAMERA_MOVED), ("rezero", "recalibrate")),
    ],
)
def test_buttons_are_those_that_help(result, actions):
    (told,) = posted(result, has_buttons=True)
    assert told.actions == actions
    assert (told.timeout_s, told.has_sound) == (7, False)
    (told,) = posted(result, has_sound=True)
    assert (told.actions, told.has_sound) == ((), True)


def test_what_is_no_ones_business_is_not_said():
    assert posted(QUIET, happening(K.SLOUCH_STARTED), happening(K.RETURNED), happening(K.AWAY)) == []


def test_a_reminder_names_a_stretch_and_the_next_one_another():
    advisor = StretchAdvisor(STRETCHES, 5)
    messages = [told.message for told in posted(*([happening(K.BREAK_DUE)] * 4), advisor=advisor)]
    named = [next(s for s in STRETCHES if f"{s.name}: {s.short}" in message) for message in messages]
    assert all(message.startswith("You have been sitting for 45 min. ") for message in messages)
    assert all(a.group is not b.group for a, b in itertools.pairwise(named))
    assert advisor.last is named[-1]


@pytest.mark.parametrize("driver", ["neck", "thoracic", "flexion", "sink"])
def test_a_reminder_fits_what_was_slouched(driver):
    fitting = {s.group for s in STRETCHES if driver in s.fits}
    for n in range(14):
        advisor = StretchAdvisor(STRETCHES, n)
        slouches = [happening(K.SLOUCH_STARTED, driver=driver)] * 3 + [
            happening(K.SLOUCH_STARTED, driver="other")
        ]
        posted(*slouches, happening(K.BREAK_DUE), advisor=advisor)
        assert advisor.slouched == {driver: 3.0, "other": 1.0}
        assert (Occasion(driver) in advisor.last.fits) == (advisor.last.group in fitting)


def test_a_short_pause_gets_a_short_stretch():
    for n in range(20):
        advisor = StretchAdvisor(STRETCHES, n)
        (told,) = posted(happening(K.MICRO_BREAK_DUE), advisor=advisor)
        assert advisor.last.seconds <= MICRO_S
        assert told.message == f"{advisor.last.name}: {advisor.last.short}"


def test_standing_is_called_standing_and_a_change_is_suggested_to_whoever_can():
    standing = happening(K.BREAK_DUE, sat_s=0.0, stood_s=1800.0)
    (told,) = posted(standing)
    assert told.message.startswith("You have been standing for 30 min. Sit down for a while?")
    assert "Go on standing?" in posted(happening(K.BREAK_DUE), can_stand=True)[0].message
    assert "standing" not in posted(happening(K.BREAK_DUE))[0].message


def test_the_wording_varies():
    told = posted(*([happening(K.BREAK_DUE)] * 5))
    assert len({t.title for t in told}) == len({t.message for t in told}) == 5
