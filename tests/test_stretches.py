"""Stretches vary, fit the day, and a file of them that was edited badly is said in one line.

Claimed: neighbours never share a muscle group while there are others; the same number gives the same stretch; what
fits comes up more often; every stretch comes up; the packaged file is complete, plain and claims nothing.
"""

import dataclasses
import itertools
import random
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_wording import CLAIMS

from posture.bundled import asset_path
from posture.errors import StretchError
from posture.sinks import stretch_text
from posture.stretch_file import FILE_NAME, load_stretches, load_stretches_or_packaged, read_stretches
from posture.stretches import (
    MICRO_S,
    SEE_SOMEONE,
    MuscleGroup,
    Occasion,
    Stretch,
    StretchAdvisor,
    choose_stretch,
)
from posture.wording import MAX_MESSAGE_LENGTH, MAX_STRETCH_LENGTH, break_text, micro_break_text

PACKAGED = read_stretches(asset_path(FILE_NAME))
DRIVERS = [occasion for occasion in Occasion if occasion is not Occasion.SITTING]

STRETCHES = st.lists(
    st.builds(
        Stretch,
        name=st.text(min_size=1, max_size=5),
        group=st.sampled_from(MuscleGroup),
        seconds=st.integers(10, 300),
        fits=st.lists(st.sampled_from(Occasion), min_size=1, max_size=4).map(tuple),
        purpose=st.just("p"),
        short=st.just("s"),
        steps=st.just(("a", "b")),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda stretch: stretch.name,
)
SLOUCHED = st.dictionaries(st.sampled_from([*map(str, DRIVERS), "nonsense"]), st.floats(0, 100), max_size=4)
NUMBER = st.integers(-(10**12), 10**12)


def sequence(stretches, n, length, slouched=None):
    return [choose_stretch(stretches, k, slouched) for k in range(n, n + length)]


@given(stretches=STRETCHES, n=NUMBER, slouched=SLOUCHED)
def test_neighbours_are_of_different_groups_while_there_are_others(stretches, n, slouched):
    found = sequence(stretches, n, 30, slouched)
    if len({stretch.group for stretch in stretches}) > 1:
        assert all(a.group is not b.group for a, b in itertools.pairwise(found))
    assert found == sequence(list(stretches), n, 30, dict(slouched)), "the same number, the same stretch"
    assert all(stretch in stretches for stretch in found)


@given(stretches=STRETCHES, n=NUMBER, slouched=SLOUCHED, avoid=st.sampled_from(MuscleGroup))
def test_the_group_to_avoid_is_avoided_while_there_are_others(stretches, n, slouched, avoid):
    is_alone = {stretch.group for stretch in stretches} == {avoid}
    assert (choose_stretch(stretches, n, slouched, avoid=avoid).group is avoid) == is_alone


@given(stretches=STRETCHES, n=NUMBER, seed=st.integers(0, 9))
def test_every_group_has_its_turn_whatever_the_order_of_the_file(stretches, n, seed):
    """A full cycle is at most twice as long as there are groups."""
    groups = {stretch.group for stretch in stretches}
    mixed = random.Random(seed).sample(stretches, len(stretches))
    one, other = (sequence(order, n, 2 * len(groups)) for order in (stretches, mixed))
    assert {stretch.group for stretch in one} == groups
    assert [stretch.group for stretch in one] == [stretch.group for stretch in other]


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_was_slouched_most_is_fitted_and_more_often(driver):
    slouched = {str(d): 1.0 for d in DRIVERS} | {driver.value: 1.5}
    found = sequence(PACKAGED, 0, 840, slouched)
    fitting = {s.group for s in PACKAGED if driver in s.fits}
    for stretch in found:
        assert (driver in stretch.fits) == (stretch.group in fitting)
    counts = Counter(stretch.group for stretch in found)
    others = [counts[group] for group in MuscleGroup if group not in fitting]
    assert others, "if every group fits, none comes up more often"
    assert min(counts[group] for group in fitting) >= 1.8 * max(others)
    assert {s for s in PACKAGED if driver in s.fits} <= set(found), "all of those that fit"


def test_after_mere_sitting_every_packaged_stretch_for_it_comes_up():
    for slouched in (None, {}, {"neck": 0.0}, {"nonsense": 3.0}):
        assert {s for s in PACKAGED if Occasion.SITTING in s.fits} <= set(
            sequence(PACKAGED, 7, 840, slouched)
        )


def test_nothing_to_choose_from_is_said():
    with pytest.raises(ValueError, match="no stretches"):
        choose_stretch([], 3)


@given(micros=st.lists(st.booleans(), min_size=2, max_size=30), n=NUMBER)
def test_the_advisor_varies_groups_and_keeps_micro_breaks_short(micros, n):
    advisor = StretchAdvisor(PACKAGED, n)
    advised = []
    for is_micro in micros:
        advised.append(advisor.advise(is_micro=is_micro))
        advisor.note_slouch("sink")
        assert advisor.last is advised[-1]
        assert not is_micro or advised[-1].seconds <= MICRO_S
    assert all(a.group is not b.group for a, b in itertools.pairwise(advised))
    assert advisor.slouched == {"sink": len(micros)}


def test_long_stretches_only_are_better_than_none():
    long = [dataclasses.replace(stretch, seconds=60) for stretch in PACKAGED]
    assert StretchAdvisor(long).advise(is_micro=True).seconds == 60


def test_the_packaged_file_has_something_for_everybody():
    assert 20 <= len(PACKAGED) <= 30
    assert {stretch.group for stretch in PACKAGED} == set(MuscleGroup)
    assert {fit for stretch in PACKAGED for fit in stretch.fits} == set(Occasion)
    micro = [stretch for stretch in PACKAGED if stretch.seconds <= MICRO_S]
    assert {MuscleGroup.EYES, MuscleGroup.WRISTS, MuscleGroup.NECK} <= {stretch.group for stretch in micro}


@pytest.mark.parametrize("stretch", PACKAGED, ids=lambda stretch: stretch.name)
def test_packaged_words_are_plain_and_claim_nothing(stretch):
    sentences = [stretch.purpose, stretch.short, *stretch.steps]
    for text in [stretch.name, *sentences]:
        assert not CLAIMS.search(text), text
        assert not re.search(r"[&<>{}\\]", text)
    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in sentences)
    assert (stretch.sides == 2) == bool(re.search(r"change sides|the other side", " ".join(stretch.steps)))
    assert stretch.seconds % (10 * stretch.sides) == 0
    assert len(stretch_text(stretch)) <= MAX_STRETCH_LENGTH
    for message in (
        micro_break_text(0, stretch_text(stretch)),
        break_text(86_000, 0, stretch_text(stretch), can_change=True),
        break_text(86_000, 0, stretch_text(stretch), is_standing=True),
    ):
        assert stretch.name in message[1]
        assert len(message[1]) <= MAX_MESSAGE_LENGTH


def test_a_line_tells_when_it_is_for_somebody_else():
    assert "doctor" in SEE_SOMEONE
    assert "\n" not in SEE_SOMEONE


GOOD = """
[[stretch]]
name = "Mine"
group = "neck"
seconds = 30
fits = ["neck"]
purpose = "Feels good."
short = "Do it."
steps = ["Sit.", "Breathe."]
"""


@pytest.fixture
def own(tmp_path):
    return tmp_path / "stretches.toml"


def test_ones_own_are_added_or_take_the_place_of_others(own):
    own.write_text(GOOD + GOOD.replace("Mine", "chin SLIDE"), encoding="utf-8")
    stretches = load_stretches(own)
    names = [stretch.name for stretch in stretches]
    assert len(stretches) == len(PACKAGED) + 1
    assert "Mine" in names
    assert names[0] == "chin SLIDE"
    assert "Chin slide" not in names
    assert stretches[0].steps == ("Sit.", "Breathe.")


def test_no_file_of_ones_own_is_fine(own):
    assert load_stretches(own) == PACKAGED
    own.write_text("\ufeff# nothing yet\r\n", encoding="utf-8")
    assert load_stretches(own) == PACKAGED


def entry(**changes):
    """Return the file with one entry changed; a value in TOML, None = left out."""
    lines = [line for line in GOOD.splitlines() if line.split(" =")[0] not in changes]
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in changes.items() if value is not None)])


BAD = {
    "not TOML": ("[[stretch]\n", "is not a TOML file"),
    "nothing but noise": ("\0\0\0", "is not a TOML file"),
    "too deep": ("a = " + "[" * 5000, "is not a TOML file"),
    "a table": ("[stretch]\nname = 'x'\n", "stretch is not a list; begin every stretch with [[stretch]]"),
    "numbers": ("stretch = [1, 2]\n", "stretch 1: is no table"),
    "another key": ("[[streches]]\nname = 'x'\n", "unknown key 'streches'"),
    "unknown key": (entry(second="30"), "stretch 1 ('Mine'): unknown key 'second'; did you mean seconds?"),
    "no name": (entry(name=None), "stretch 1: name is missing; give 1 to 28 characters"),
    "no steps": (entry(steps=None), "stretch 1 ('Mine'): steps is missing; give 2 to 4 sentences"),
    "group": (entry(group='"nek"'), "stretch 1 ('Mine'): group: give one of neck, shoulders"),
    "group type": (entry(group="3"), "stretch 1 ('Mine'): group: give one of neck, shoulders"),
    "seconds": (
        entry(seconds='"30"'),
        "stretch 1 ('Mine'): seconds: give a whole number of seconds, 10 to 300",
    ),
    "too long": (entry(seconds="3000"), "stretch 1 ('Mine'): seconds: give a whole number of seconds"),
    "nan": (entry(seconds="nan"), "stretch 1 ('Mine'): seconds: give a whole number of seconds"),
    "one step": (entry(steps='["Sit."]'), "stretch 1 ('Mine'): steps: give 2 to 4 sentences"),
    "long step": (
        entry(steps=f'["Sit.", "{"x" * 200}"]'),
        "stretch 1 ('Mine'): steps: give 2 to 4 sentences",
    ),
    "step number": (entry(steps="[1, 2]"), "stretch 1 ('Mine'): steps: give 2 to 4 sentences"),
    "fits": (entry(fits='["knee"]'), "stretch 1 ('Mine'): fits: give a list of neck, thoracic"),
    "no fits": (entry(fits="[]"), "stretch 1 ('Mine'): fits: give a list of neck, thoracic"),
    "sides": (entry(sides="3"), "stretch 1 ('Mine'): sides: give 1 or 2"),
    "control": (entry(name='"a\\u001b[31mb"'), "name: plain text on one line, please"),
    "newline": (entry(short='"a\\nb"'), "short: plain text on one line, please"),
    "blank": (entry(purpose='"  "'), "purpose: plain text on one line, please"),
    "long name": (entry(name=f'"{"x" * 29}"'), "name: give 1 to 28 characters"),
    "twice": (GOOD + GOOD, "stretch 2 ('Mine'): name: there is one of that name above"),
    "the second": (
        GOOD + entry(name='"Other"', group="1").replace("Mine", "x"),
        "stretch 2 ('Other'): group",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_edited_badly_is_said_in_one_line_and_the_packaged_ones_go_on(own, kind):
    text, expected = BAD[kind]
    own.write_text(text, encoding="utf-8")
    with pytest.raises(StretchError) as failure:
        load_stretches(own)
    told = str(failure.value)
    assert told.startswith(f"{own}")
    assert expected in told
    assert told.isprintable(), "one line, nothing for the terminal to act on"
    problems = []
    assert load_stretches_or_packaged(problems.append, own) == PACKAGED
    assert problems == [told]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"name = '\x80'"])
def test_a_file_that_is_no_text_is_said(own, content):
    own.write_bytes(content)
    with pytest.raises(StretchError, match="is not a TOML file"):
        load_stretches(own)


def test_a_folder_of_that_name_is_said(own):
    own.mkdir()
    with pytest.raises(StretchError, match=r"cannot read .*: Is a directory"):
        load_stretches(own)


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(GOOD + text, encoding="utf-8", errors="replace", newline="")
    try:
        assert read_stretches(path)[0].name == "Mine"
    except StretchError as error:
        assert "\n" not in str(error)


@given(
    key=st.sampled_from(["name", "group", "seconds", "fits", "purpose", "short", "steps", "sides"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=4,
    ),
)
def test_any_value_is_taken_or_refused_naming_its_key(key, value):
    from posture.stretch_file import _read_entry

    whole = tomllib.loads(GOOD)["stretch"][0] | {key: value}
    try:
        assert isinstance(_read_entry(whole, "file: stretch 1"), Stretch)
    except StretchError as error:
        assert str(error).startswith(f"file: stretch 1: {key}: ")


def test_the_example_of_the_documentation_is_one(own):
    page = Path(__file__).parents[1].joinpath("docs", "breaks.md").read_text(encoding="utf-8")
    own.write_text(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8")
    assert [stretch.name for stretch in read_stretches(own)] == ["Window"]
    assert f"one of {len(PACKAGED)} stretches" in page
    assert " ".join(SEE_SOMEONE.split()) in " ".join(page.split())
