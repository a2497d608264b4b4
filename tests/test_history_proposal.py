"""What answers speak for: nothing with little evidence, and never a lower threshold for more wrong alerts.

Claimed, for any answers: a proposed threshold is above the one in force, within the setting's range and at most half
higher; it silences at least three wrong alerts and no fewer than right ones; one more wrong answer never lowers it, one
more right answer never raises it; once it is applied the same answers propose nothing more.
"""

import dataclasses
from typing import get_type_hints

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from posture.history.proposal import MAX_FACTOR, MIN_WRONG, PARTS, Rated, propose
from posture.history.rows import AlertRow
from posture.history.telling import _cell, proposal_lines
from posture.settings import JudgeSettings

JUDGE = JudgeSettings()
T0_MS = 1_780_000_000_000
LIMITS = {"neck": 10.0, "thoracic": 8.0, "flexion": 17.0, "sink": 0.05}
STALE_DAYS = 7.0


def alert(part="neck", share=1.2, at=0, others=0.5, baseline_utc="2026-05-28T12:00:00+00:00"):
    """One alert whose part is at `share` of its limit."""
    values = {name: limit * (share if name == part else others) for name, limit in LIMITS.items()}
    return AlertRow(
        at, 1, T0_MS + at * 1000 - 60_000, T0_MS + at * 1000, 0, 60.0, part,
        *values.values(), share, *LIMITS.values(), baseline_utc, None, "", 0.0,
    )  # fmt: skip


def answers(part, wrong, right=(), **options):
    rated = [Rated(alert(part, share, at, **options), True) for at, share in enumerate(wrong)]
    return rated + [Rated(alert(part, share, 500 + at, **options), False) for at, share in enumerate(right)]


def ask(rated, judge=JUDGE, age_days=1.0):
    return propose(rated, judge, STALE_DAYS, age_days)


def threshold(rated, part, judge=JUDGE):
    """The proposed value, or the one in force."""
    found = [p for p in ask(rated, judge) if p.part == part]
    return found[0].new if found else getattr(judge, PARTS[part][0])


SHARES = st.lists(st.floats(1.0, 2.5), max_size=10)
PART = st.sampled_from(list(PARTS))


@given(part=PART, wrong=SHARES, right=SHARES, others=st.sampled_from([0.5, 0.5, 1.1]))
def test_a_proposal_is_modest_and_has_its_evidence(part, wrong, right, others):
    rated = answers(part, wrong, right, others=others)
    for proposal in ask(rated):
        if proposal.kind == "recalibrate":
            assert len(wrong) == proposal.n_wrong >= MIN_WRONG
            assert proposal.n_wrong > 2 * proposal.n_right
            assert ask(rated) == [proposal], "when no threshold helps, and only then"
            continue
        assert (proposal.kind, proposal.part, others) == ("threshold", part, 0.5)
        hint = get_type_hints(JudgeSettings, include_extras=True)[proposal.setting].__metadata__[0]
        assert proposal.old == getattr(JUDGE, proposal.setting) < proposal.new <= hint.le
        assert proposal.new <= proposal.old * MAX_FACTOR + 1e-9
        assert proposal.n_silenced == sum(value < proposal.new for value in proposal.wrong) >= MIN_WRONG
        assert proposal.n_lost == sum(value < proposal.new for value in proposal.right) <= proposal.n_silenced
        assert (len(proposal.wrong), len(proposal.right)) == (len(wrong), len(right))
        applied = msgspec.structs.replace(JUDGE, **{proposal.setting: proposal.new})
        left = [one for one in rated if getattr(one.alert, PARTS[part][0]) >= proposal.new]
        assert [p.new for p in ask(rated, applied)] == [p.new for p in ask(left, applied)]


@given(part=PART, wrong=SHARES, right=SHARES, more=st.floats(1.0, 2.5))
def test_one_more_answer_never_pulls_the_wrong_way(part, wrong, right, more):
    now = threshold(answers(part, wrong, right), part)
    assert threshold(answers(part, [*wrong, more], right), part) >= now
    assert threshold(answers(part, wrong, [*right, more]), part) <= now


@given(part=PART, wrong=st.lists(st.floats(1.0, 1.4), max_size=MIN_WRONG - 1), right=SHARES)
def test_little_evidence_says_nothing(part, wrong, right):
    assert ask(answers(part, wrong, right)) == []
    assert ask([]) == []


def test_the_highest_value_a_setting_may_have_is_never_passed():
    judge = msgspec.structs.replace(JUDGE, neck_deg=55.0)
    rated = [
        Rated(dataclasses.replace(alert(at=at), neck_deg=58.0 + at, neck_limit_deg=55.0), True)
        for at in range(3)
    ]
    kinds = [p.kind for p in ask(rated, judge)]
    assert kinds == ["recalibrate"], "60 degrees would not have silenced three"
    rated = [Rated(dataclasses.replace(one.alert, neck_deg=57.0), True) for one in rated]
    assert [p.new for p in ask(rated, judge)] == [57.5]


def test_wrong_alerts_by_a_little_raise_the_threshold_by_a_little():
    (proposal,) = ask(answers("neck", [1.05, 1.1, 1.2], [1.5, 1.8]))
    assert (proposal.setting, proposal.old, proposal.new) == ("neck_deg", 10.0, 12.5)
    assert (proposal.n_wrong, proposal.n_right, proposal.n_silenced, proposal.n_lost) == (3, 2, 3, 0)


def test_nothing_is_given_up_for_wrong_alerts_that_look_like_right_ones():
    assert ask(answers("neck", [1.3, 1.3, 1.3], [1.1, 1.1, 1.2, 1.2])) == []


def test_a_threshold_that_would_not_have_silenced_is_not_proposed():
    rated = answers("neck", [1.2] * 5, others=1.2)
    assert "threshold" not in {p.kind for p in ask(rated)}, "another part alone would have given those alerts"


def test_wrong_alerts_far_beyond_the_limit_put_the_baseline_in_doubt_however_young():
    (proposal,) = ask(answers("neck", [3.9, 1.8, 3.8], [2.0]), age_days=0.01)
    assert (proposal.kind, proposal.n_wrong, proposal.n_right) == ("recalibrate", 3, 1)
    assert proposal.wrong == (1.8, 3.8, 3.9)
    told = " ".join(line.plain for line in proposal_lines(proposal))
    for words in ("3 alerts wrong and 1 right", "minutes old", "180% to 390%", "posture calibrate"):
        assert words in told
    assert ask(answers("neck", [3.9, 1.8], []), age_days=0.01) == []
    assert ask(answers("neck", [3.9, 1.8, 3.8], [2.0, 2.0]), age_days=0.01) == []


def test_an_old_baseline_comes_first():
    (proposal,) = ask(answers("neck", [1.2] * 3, [1.5]), age_days=57.0)
    assert (proposal.kind, proposal.n_wrong, proposal.n_right) == ("recalibrate", 3, 1)
    assert proposal.baseline_age_days == 57.0
    assert ask(answers("neck", [1.2] * 2), age_days=57.0) == []
    assert [p.kind for p in ask(answers("neck", [1.2] * 3, [1.5] * 4), age_days=57.0)] == ["threshold"]
    assert [p.kind for p in ask(answers("neck", [1.2] * 3), age_days=STALE_DAYS)] == ["threshold"]
    assert [p.kind for p in ask(answers("neck", [1.2] * 3), age_days=None)] == ["threshold"]


def test_what_was_said_of_another_baseline_says_nothing_of_this_one():
    rated = answers("neck", [1.2] * 5, baseline_utc="2026-04-01T12:00:00+00:00")
    assert ask([*rated, Rated(alert(at=900), True)]) == []


def test_what_is_next_to_nothing_has_no_sign():
    """As in a trace: the first picture after a new baseline can be 1e-9 degrees back."""
    assert [_cell(value) for value in (-1e-9, 0.0, -0.0004, -0.0006)] == ["0.000", "0.000", "0.000", "-0.001"]
