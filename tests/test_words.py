"""Words and symbols: everything has one, states can be told apart without colour, plain terminals get ASCII."""

import pytest

from posture.history import proposal
from posture.judging import Thresholds
from posture.panel_view import Surroundings, make_view
from posture.slouch import EventKind, Reason, SlouchState
from posture.step_result import StepResult
from posture.tables import thresholds_text
from posture.view.gauges import make_gauges
from posture.wording import alert_text
from posture.words import ASCII_SYMBOLS, EVENTS, PARTS, REASONS, STATES, clock, needs_ascii


def test_everything_has_its_word():
    assert set(STATES) == set(ASCII_SYMBOLS) == set(SlouchState)
    assert set(REASONS) == set(Reason)
    assert set(EVENTS) == set(EventKind)
    assert all(word for reason, word in REASONS.items() if reason is not Reason.NONE)


def test_the_parts_of_a_slouch_are_called_the_same_everywhere():
    nothing = StepResult(0.0, SlouchState.UPRIGHT, Reason.NONE, *[1.0] * 5, "flexion", 0.0, 0.0, (), None)
    limits = Thresholds(10.0, 8.0, 17.0, 0.05)
    around = Surroundings("", "", 0.0, 0.0, 0.0, "", 0.0, "")
    view = make_view(nothing, around, limits, 60.0, None)
    names = [name for name, _ in PARTS.values()]
    assert [bar[0] for bar in view.bars] == names
    assert [gauge.name for gauge in make_gauges(nothing, limits)] == names
    assert view.driver == "head poke"
    assert [name for name in names if name in thresholds_text(limits)] == ["neck", "trunk", "head poke"]
    assert list(PARTS) == list(proposal.PARTS) == ["neck", "thoracic", "flexion", "sink"]
    assert not any("flexion" in text for text in sum(PARTS.values(), ()))
    for amount in (12.0, 0.0):
        assert alert_text("flexion", amount, 60.0, 0)[1].startswith(
            PARTS["flexion"][1].split()[0].capitalize()
        )


def test_states_are_told_apart_by_symbol_word_and_colour():
    for column in zip(*STATES.values(), strict=True):
        assert len(set(column)) == len(SlouchState)
    assert len(set(ASCII_SYMBOLS.values())) == len(SlouchState)
    assert "".join(ASCII_SYMBOLS.values()).isascii()


def test_colours_differ_in_brightness_and_blue_not_only_in_red_and_green():
    def rgb(colour):
        return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]

    upright, slouching = (rgb(STATES[s][2]) for s in (SlouchState.UPRIGHT, SlouchState.SLOUCHING))
    assert abs(upright[2] - slouching[2]) > 100, "blue is what red-green blindness leaves"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (3599.6, "1:00:00"), (4000, "1:06:40"), (float("nan"), "-")],
)
def test_a_time_span_is_a_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("encoding", "environ", "needs"),
    [
        ("utf-8", {"LANG": "de_DE.UTF-8"}, False),
        ("utf-8", {"LC_ALL": "C.UTF-8"}, False),
        ("UTF8", {}, False),
        ("utf-8", {"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, True),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),
        ("utf-8", {"LANG": "POSIX"}, True),
        ("utf-8", {"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"}, False),
        ("ascii", {"LANG": "de_DE.UTF-8"}, True),
        ("cp437", {}, True),
        ("latin-1", {"LC_ALL": "C.UTF-8"}, True),
    ],
)
def test_a_terminal_without_the_symbols_gets_ascii(encoding, environ, needs):
    assert needs_ascii(encoding, environ) is needs
