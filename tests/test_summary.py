"""A summary adds up: every second is in one state or a gap, and bouts tile the run.

Claimed, for any sequence of results: seconds by state and bouts agree with the time that passed; bouts
alternate and touch unless a gap parts them; counts and ratios are those of the results that went in.
"""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.step_result import StepResult
from posture.summary import Summarizer

MAX_GAP_S = 3.0
NAN = math.nan


def result(t_s, state, ratio=0.5, events=()):
    reason = Reason.LOW_CONFIDENCE if math.isnan(ratio) else Reason.NONE
    made = tuple(SlouchEvent(kind, t_s - 1.0, t_s) for kind in events)
    return StepResult(t_s, state, reason, 0.0, 0.0, 0.0, 0.0, ratio, "", 0.0, 0.0, made, None)


def summarize(results):
    summarizer = Summarizer(MAX_GAP_S)
    for one in results:
        summarizer.handle(one)
    summarizer.close()
    return summarizer.summary()


STEPS = st.sampled_from([0.0, 0.25, 0.25, 0.25, 1.0, 3.0, 3.25, 100.0])
RESULTS = st.lists(
    st.tuples(
        STEPS,
        st.sampled_from(SlouchState),
        st.one_of(st.just(NAN), st.floats(-1.0, 3.0)),
        st.lists(st.sampled_from(EventKind), max_size=2),
    ),
    max_size=40,
)


@st.composite
def runs(draw):
    t_s, made = draw(st.sampled_from([0.0, -10.0, 4096.0])), []
    for step_s, state, ratio, events in draw(RESULTS):
        t_s += step_s
        made.append(result(t_s, state, ratio, events))
    return made


@given(results=runs())
def test_every_second_is_in_one_state_or_in_a_gap(results):
    summary = summarize(results)
    steps = [b.t_s - a.t_s for a, b in pairwise(results)]
    assert sum(summary.seconds.values()) == pytest.approx(sum(dt for dt in steps if dt <= MAX_GAP_S))
    assert set(summary.seconds) == set(SlouchState)
    unclear = [(a, b) for a, b in pairwise(results) if math.isnan(a.slouch_ratio)]
    not_judged = [b.t_s - a.t_s for a, b in unclear if a.state is SlouchState.UNKNOWN]
    assert sum(summary.not_judged_s.values()) == pytest.approx(
        sum(dt for dt in not_judged if dt <= MAX_GAP_S)
    )
    assert Reason.NONE not in summary.not_judged_s


@given(results=runs())
def test_bouts_tile_the_run(results):
    summary = summarize(results)
    gaps = {b.t_s: a.t_s for a, b in pairwise(results) if b.t_s - a.t_s > MAX_GAP_S}
    for before, after in pairwise(summary.bouts):
        if after.start_s in gaps and before.end_s == gaps[after.start_s]:
            continue
        assert before.end_s == after.start_s
        assert before.state is not after.state
    for state in SlouchState:
        in_bouts = sum(bout.end_s - bout.start_s for bout in summary.bouts if bout.state is state)
        assert in_bouts == pytest.approx(summary.seconds[state])
    assert len([b for b in summary.bouts if b.start_s in gaps]) >= len(gaps), "a gap ends the bout"
    assert sum(bout.n_frames for bout in summary.bouts) == summary.n_frames == len(results)
    if results:
        assert summary.bouts[0].start_s == results[0].t_s
        assert summary.bouts[-1].end_s == results[-1].t_s
        assert summary.bouts[-1].state is results[-1].state


@given(results=runs())
def test_ratios_and_counts_are_those_of_the_results(results):
    summary = summarize(results)
    judged = [r.slouch_ratio for r in results if not math.isnan(r.slouch_ratio)]
    highest = [b.max_slouch_ratio for b in summary.bouts if not math.isnan(b.max_slouch_ratio)]
    assert max(highest, default=None) == max(judged, default=None)
    for bout in summary.bouts:
        assert math.isnan(bout.mean_slouch_ratio) == math.isnan(bout.max_slouch_ratio)
        assert math.isnan(bout.mean_slouch_ratio) or bout.mean_slouch_ratio <= bout.max_slouch_ratio + 1e-9
    kinds = [event.kind for r in results for event in r.events]
    assert summary.n_events == {kind: kinds.count(kind) for kind in set(kinds)}
    alerts = [e.confirmed_s for r in results for e in r.events if e.kind is EventKind.ALERT]
    assert summary.alerts_s == tuple(alerts)


@given(results=runs(), cut=st.integers(0, 40))
def test_looking_on_the_way_changes_nothing(results, cut):
    summarizer = Summarizer(MAX_GAP_S)
    for i, one in enumerate(results):
        if i == cut:
            early = summarizer.summary()
            assert repr(early) == repr(summarize(results[:cut]))
            early.seconds.clear()
            early.n_events.clear()
        summarizer.handle(one)
    assert repr(summarizer.summary()) == repr(summarize(results))


def test_a_run_by_hand():
    up, down, away = SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.AWAY
    rows = [
        (0.0, up, 0.1),
        (1.0, up, 0.3),
        (2.0, down, 1.5),
        (4.0, down, NAN),
        (5.0, up, 0.2),
        (60.0, away, NAN),
        (62.0, away, NAN),
        (62.5, SlouchState.UNKNOWN, NAN),
        (64.0, SlouchState.UNKNOWN, 0.3),
        (65.0, SlouchState.UNKNOWN, 0.3),
    ]
    summary = summarize([result(*row) for row in rows])
    assert [(b.state, b.start_s, b.end_s, b.n_frames) for b in summary.bouts] == [
        (up, 0.0, 2.0, 2),
        (down, 2.0, 5.0, 2),
        (up, 5.0, 5.0, 1),
        (away, 60.0, 62.5, 2),
        (SlouchState.UNKNOWN, 62.5, 65.0, 3),
    ]
    assert summary.bouts[0].mean_slouch_ratio == pytest.approx(0.2)
    assert summary.bouts[1].max_slouch_ratio == summary.bouts[1].mean_slouch_ratio == 1.5
    assert (summary.seconds[up], summary.seconds[down], summary.seconds[away]) == (2.0, 3.0, 2.5)
    assert summary.not_judged_s == {Reason.LOW_CONFIDENCE: 1.5}, "only while the state is UNKNOWN"


def test_nothing_adds_up_to_nothing():
    summary = summarize([])
    assert (summary.n_frames, summary.bouts, summary.alerts_s) == (0, (), ())
    assert set(summary.seconds.values()) == {0.0}
