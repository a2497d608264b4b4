"""The notifications' words: true to what was seen, short, varied, and never medical."""

import itertools
import math
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture import wording
from posture.alerts import SNOOZE_S
from posture.wording import BUTTONS, SlouchKind, alert_text, break_text, micro_break_text

KINDS = get_args(SlouchKind)
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)

# A claim about the body's state or future, rather than about what was seen and what feels good.
CLAIMS = re.compile(
    r"\b(pain\w*|hurt\w*|injur\w*|harm\w*|damag\w*|health\w*|disease\w*|diagnos\w*|medic\w*|treat\w*|cur(e|es|ing)"
    r"|prevent\w*|risk\w*|therap\w*|spin(e|al)|vertebra\w*|disc|hunch\w*|bad|wrong|correct\w*|must|should)\b",
    re.IGNORECASE,
)


@given(kind=st.sampled_from(KINDS), amount=ANY_FLOAT, slouched_s=ANY_FLOAT, variant=st.integers())
def test_alert_text_fits_every_desktop(kind, amount, slouched_s, variant):
    assert_fits(*alert_text(kind, amount, slouched_s, variant))


STRETCH = st.sampled_from(["", "x" * wording.MAX_STRETCH_LENGTH, "Chin slide: Slide your chin back."])


@given(
    sat_s=ANY_FLOAT,
    variant=st.integers(),
    stretch=STRETCH,
    is_standing=st.booleans(),
    can_change=st.booleans(),
)
def test_break_text_fits_every_desktop(sat_s, variant, stretch, is_standing, can_change):
    title, message = break_text(sat_s, variant, stretch, is_standing=is_standing, can_change=can_change)
    assert_fits(title, message)
    assert message.endswith(stretch)
    assert ("sitting" in message) != is_standing
    assert ("Sit down" in message) == is_standing
    assert ("Go on standing?" in message) == (can_change and not is_standing)


@given(variant=st.integers(), stretch=STRETCH)
def test_micro_break_text_fits_every_desktop(variant, stretch):
    title, message = micro_break_text(variant, stretch)
    assert_fits(title, message)
    assert message.endswith(stretch)


def test_buttons_are_short_and_say_how_long_a_snooze_is():
    assert all(0 < len(text) <= 16 for text in BUTTONS.values()), "three of them side by side"
    assert BUTTONS["snooze"] == f"Snooze {SNOOZE_S / 60:.0f} min"


def assert_fits(title, message):
    assert 0 < len(title) <= wording.MAX_TITLE_LENGTH
    assert 0 < len(message) <= wording.MAX_MESSAGE_LENGTH
    for text in (title, message):
        assert text.isprintable()
        assert text == text.strip()
        assert "  " not in text
        assert not re.search(r"[&<>{}\\]|nan|inf\b", text)
        assert not CLAIMS.search(text), text


@pytest.mark.parametrize(
    ("kind", "amount", "seen"),
    [
        ("neck", 14.4, "Neck 14° further forward"),
        ("thoracic", 8.6, "Upper body 9° further forward"),
        ("flexion", 18.0, "Head poked 18° further forward than usual"),
        ("sink", 0.064, "Shoulders 6% lower"),
    ],
)
def test_alert_tells_what_was_seen(kind, amount, seen):
    for variant in range(20):
        assert alert_text(kind, amount, 70, variant)[1].startswith(seen)


@pytest.mark.parametrize("amount", [math.nan, 0.0, 0.001, -5.0, -math.inf])
def test_alert_gives_no_figure_that_was_not_measured(amount):
    for kind in KINDS:
        assert not re.search(r"\d", alert_text(kind, amount, math.nan, 0)[1])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 s"),
        (70.4, "70 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (2520, "42 min"),
        (3569, "59 min"),
        (3571, "1 h"),
        (3660, "1 h 1 min"),
        (4800, "1 h 20 min"),
        (7200, "2 h"),
        (86399, "24 h"),
    ],
)
def test_durations_read_naturally(seconds, words):
    assert f" for {words}. " in alert_text("neck", 12, seconds, 0)[1]
    assert f" for {words}. " in break_text(seconds, 0)[1]


@pytest.mark.parametrize("seconds", [math.nan, math.inf, 0, -3, 86401])
def test_no_duration_without_a_measured_one(seconds):
    assert not re.search(r"\d", break_text(seconds, 0)[1])
    assert "upright." in alert_text("neck", 12, seconds, 0)[1]


@pytest.mark.parametrize(
    "word",
    [lambda i, kind=kind: alert_text(kind, 12, 70, i) for kind in KINDS]
    + [lambda i: break_text(2400, i), lambda i: micro_break_text(i)],
)
def test_wording_varies_and_repeats_exactly(word):
    texts = [word(i) for i in range(20)]
    assert texts == [word(i) for i in range(20)], "the same index must give the same text"
    titles, messages = zip(*texts, strict=True)
    assert len(set(titles)) >= 4
    assert len(set(messages)) >= 4
    for neighbours in (titles, messages):
        assert all(a != b for a, b in itertools.pairwise(neighbours))
    assert len(set(texts)) >= 20, "title and advice rotate with different periods"
