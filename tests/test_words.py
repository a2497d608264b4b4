"""Words and symbols: everything has one, states can be told apart without colour, plain terminals get ASCII."""

import pytest

from posture.slouch import EventKind, Reason, SlouchState
from posture.words import ASCII_SYMBOLS, EVENTS, REASONS, STATES, clock, needs_ascii


def test_everything_has_its_word():
    assert set(STATES) == set(ASCII_SYMBOLS) == set(SlouchState)
    assert set(REASONS) == set(Reason)
    assert set(EVENTS) == set(EventKind)
    assert all(word for reason, word in REASONS.items() if reason is not Reason.NONE)


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
