"""What is counted of a run against its labels, and how sure the figures are.

Claimed: an alert is due, false or neither as the rule says, to the edge; seconds do not depend on the frame rate, gaps
and ignored spans count for nothing; angle errors are those of settled samples against the labelled upright; sums over
clips give the figures of all; the intervals keep what they promise; a difference is called one only if it is.
"""

import re
from dataclasses import replace
from math import exp, factorial, inf, isnan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import person, steady_times

from posture.evaluation.alerting import match_alerts
from posture.evaluation.comparison import compare
from posture.evaluation.course import MAX_GAP_S, REASONS, STATES, Course, CourseKeeper
from posture.evaluation.limits import Limits, broken_limits
from posture.evaluation.result import Failure, Result
from posture.evaluation.scoring import score_run
from posture.evaluation.statistics import Verdict, poisson_interval, proportion_interval, weigh
from posture.evaluation.tally import AngleTally, Tally, add_up
from posture.labels.labels import Duty, Interval, Labels, TrueAngles
from posture.landmarks import concatenate
from posture.pipeline import Pipeline
from posture.settings import Settings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.summary import Summarizer

U, S, A, X = SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.AWAY, SlouchState.UNKNOWN
MUST = Interval(100.0, 140.0, S, Duty.MUST, "slump")


def course(pieces, *, rate_hz=4.0, alerts=(), neck_deg=0.0, reason=Reason.NONE):
    """A run made of (seconds, state); `neck_deg` is a number or (T,)."""
    end_s = sum(seconds for seconds, _ in pieces)
    t_s = np.arange(round(end_s * rate_hz)) / rate_hz
    edges = np.cumsum([seconds for seconds, _ in pieces])[:-1]
    state = np.array([STATES.index(s) for _, s in pieces], dtype=np.int8)[
        np.searchsorted(edges, t_s, "right")
    ]
    why = np.where(state == STATES.index(X), REASONS.index(reason), REASONS.index(Reason.NONE)).astype(
        np.int8
    )
    degrees = np.broadcast_to(np.asarray(neck_deg, dtype=np.float64), t_s.shape).copy()
    events = tuple(SlouchEvent(EventKind.ALERT, t, t) for t in alerts)
    return Course(t_s, state, why, degrees, -degrees, events)


@pytest.mark.parametrize(
    ("t_s", "is_met", "is_false"),
    [
        (99.9, False, True),
        (107.9, False, True),  # the sustain of 10 s has not nearly passed
        (108.0, True, False),
        (141.0, True, False),
        (141.1, False, False),  # just after it: neither
        (143.0, False, False),
        (143.1, False, True),
        (200.0, False, False),  # to be ignored
        (210.1, False, True),
    ],
)
def test_an_alert_is_due_false_or_neither(t_s, is_met, is_false):
    intervals = (MUST, Interval(200.0, 210.0, duty=Duty.IGNORE), Interval(210.0, 220.0, duty=Duty.MUST_NOT))
    match = match_alerts([t_s], intervals, sustain_s=10.0)
    assert match.late_s == ((pytest.approx(t_s - 110.0),) if is_met else (None,))
    assert match.due_s == ((t_s,) if is_met else ())
    assert match.false_s == ((t_s,) if is_false else ())


def test_the_first_alert_of_a_slouch_is_the_one_that_counts():
    match = match_alerts([112.0, 130.0, 150.0], [MUST], sustain_s=10.0)
    assert (match.late_s, match.due_s, match.false_s) == ((2.0,), (112.0, 130.0), (150.0,))
    with pytest.raises(ValueError, match="sustain_s is -1"):
        match_alerts([], [MUST], sustain_s=-1.0)


def test_a_slouch_too_short_for_its_sustain_counts_as_missed_and_that_is_said():
    score = score_run(course([(200, U)]), Labels(intervals=(MUST,)), sustain_s=60.0)
    assert (score.tally.n_must, score.tally.n_met, score.tally.n_unmeetable) == (1, 0, 1)
    assert "shorter than alert.sustain_s = 60" in score.notes[0]
    assert score.missed == (MUST,)


@pytest.mark.parametrize("rate_hz", [1.0, 4.0, 30.0])
def test_seconds_do_not_depend_on_the_frame_rate(rate_hz):
    labels = Labels(
        intervals=(
            Interval(0, 100, U),
            Interval(100, 140, S, Duty.MUST),
            Interval(140, 160, A),
            Interval(170, 180, duty=Duty.IGNORE),
        )
    )
    run = course([(10, X), (93, U), (40, S), (17, A), (40, U)], rate_hz=rate_hz, reason=Reason.TOO_DARK)
    tally = score_run(run, labels, sustain_s=10.0, calibrated_s=(0.0, 6.0)).tally
    assert tally.watched_s == pytest.approx(190.0)
    assert tally.observed_s == pytest.approx(194.0)
    assert tally.not_judged_s == {Reason.TOO_DARK: pytest.approx(4.0)}
    assert (tally.onset_s, tally.recovery_s, tally.n_unrecovered) == ((3.0,), (3.0,), 0)
    assert tally.called(S, of=S) == pytest.approx(37 / 40)
    assert tally.called(A, of=A) == pytest.approx(17 / 20)
    assert sum(map(sum, tally.confusion_s)) == pytest.approx(154.0), "labelled, after the calibration"


def test_a_gap_and_the_time_before_it_count_for_nothing():
    run = course([(100, U)])
    t_s = run.t_s.copy()
    t_s[200:] += 3600.0  # an hour's hole after 50 s
    holed = replace(run, t_s=t_s)
    labels = Labels(intervals=(Interval(0, 4000, U),))
    assert score_run(holed, labels, sustain_s=10.0).tally.watched_s == pytest.approx(100.0, abs=0.3)
    assert [span.end_s - span.start_s for span in holed.spans()] == pytest.approx([49.75, 50.0])


def test_a_slouch_that_never_ends_and_one_never_noticed():
    labels = Labels(intervals=(Interval(10, 20, S), Interval(30, 40, S), Interval(60, 80, S)))
    tally = score_run(course([(12, U), (18, S), (30, U), (40, S)]), labels, sustain_s=10.0).tally
    assert tally.n_slouches == 3
    assert tally.onset_s == (2.0, 0.0)
    assert tally.recovery_s == ()
    assert tally.n_unrecovered == 2, "the first went on to the next one, the last to the end"
    cut = score_run(course([(12, U), (18, S), (30, U), (29.5, S)]), labels, sustain_s=10.0).tally
    assert (cut.n_unrecovered, cut.recovery_s) == (1, ()), "9.5 s after it the clip ends: who knows"


@given(st.lists(st.floats(0, 400), max_size=12).map(sorted), st.floats(0, 60))
def test_every_alert_is_counted_once(alerts, sustain_s):
    labels = Labels(
        intervals=(
            Interval(50, 120, S, Duty.MUST, "slump"),
            Interval(120, 200, U, Duty.MUST_NOT, "work"),
            Interval(200, 260, S, Duty.MUST, "turtle"),
            Interval(300, 330, duty=Duty.IGNORE, posture="chat"),
        )
    )
    score = score_run(course([(400, U)], alerts=alerts), labels, sustain_s=sustain_s)
    due, false = set(score.due_s), {alert.t_s for alert in score.false_alerts}
    assert not due & false
    assert due | false <= set(alerts)
    for t_s in set(alerts) - due - false:
        assert 300 <= t_s <= 330 or 121 < t_s <= 123 or 261 < t_s <= 263
    parts = score.by_posture.values()
    assert sum(part.n_met for part in parts) == score.tally.n_met == 2 - len(score.missed)
    assert sum(part.n_false for part in parts) == sum(bool(alert.posture) for alert in score.false_alerts)


def angles(**changes):
    t_s = np.arange(200) / 4.0
    given_ = {
        "t_s": t_s,
        "neck_deg": np.where(t_s < 10, 20.0, 50.0),
        "thoracic_deg": np.full(200, 5.0),
        "is_settled": np.ones(200, dtype=bool),
        "posture": ("",) * 40 + ("slump",) * 100 + ("lean",) * 60,
    }
    return TrueAngles(**{**given_, **changes})


def test_angles_are_compared_as_deviations_from_the_labelled_upright():
    labels = Labels(baseline_s=(0.0, 10.0), angles=angles())
    score = score_run(course([(50, U)], neck_deg=28.0), labels, sustain_s=10.0)
    assert (score.tally.neck.n, score.tally.neck.n_measured) == (160, 160), "not those of the span itself"
    assert score.tally.neck.mae_deg == pytest.approx(2.0)  # 50 - 20 = 30 true
    assert score.tally.neck.bias_deg == pytest.approx(-2.0)
    assert score.tally.neck.zero_mae_deg == pytest.approx(30.0)
    assert score.tally.thoracic.bias_deg == pytest.approx(-28.0)
    assert isnan(score.tally.neck.correlation), "nothing varies"
    assert {name: part.neck.n for name, part in score.by_posture.items()} == {"slump": 100, "lean": 60}


def test_upright_is_what_the_run_was_calibrated_on():
    labels = Labels(baseline_s=(0.0, 10.0), angles=angles())
    run = course([(50, U)], neck_deg=28.0)
    late = score_run(run, labels, sustain_s=10.0, calibrated_s=(20.0, 30.0)).tally.neck
    assert (late.n, late.bias_deg) == (80, pytest.approx(28.0)), "50 degrees is 0 then"


def test_only_what_is_settled_known_and_measured_counts():
    degrees = np.full(200, 28.0)
    degrees[150:] = np.nan
    neck = angles().neck_deg.copy()
    neck[60:70] = np.nan  # nobody there
    known = angles(neck_deg=neck, is_settled=np.arange(200) >= 50)
    labels = Labels(baseline_s=(0.0, 10.0), angles=known)
    neck_tally = score_run(course([(50, U)], neck_deg=degrees), labels, sustain_s=10.0).tally.neck
    assert (neck_tally.n, neck_tally.n_measured) == (140, 90)
    assert neck_tally.measured_ratio == pytest.approx(90 / 140)
    assert neck_tally.mae_deg == pytest.approx(2.0)


def test_a_sample_takes_the_newest_frame_but_none_from_before_a_gap():
    run = course([(50, U)], neck_deg=28.0, rate_hz=1.0)  # four samples to a frame
    labels = Labels(baseline_s=(0.0, 10.0), angles=angles())
    assert score_run(run, labels, sustain_s=10.0).tally.neck.n_measured == 160
    early = replace(run, t_s=run.t_s[:20], state=run.state[:20], reason=run.reason[:20])
    early = replace(early, neck_deg=run.neck_deg[:20], thoracic_deg=run.thoracic_deg[:20])
    # the last frame is at 19 s; samples from 10 to 22 s are within its reach of 3 s
    assert score_run(early, labels, sustain_s=10.0).tally.neck.n_measured == 49


def test_angles_without_an_upright_span_are_left_out_and_that_is_said():
    score = score_run(course([(50, U)]), Labels(angles=angles()), sustain_s=10.0)
    assert score.tally.neck.n == 0
    assert "baseline_s" in score.notes[0]


@given(
    st.lists(st.tuples(st.floats(-60, 60), st.floats(-60, 60)), min_size=4, max_size=40), st.integers(1, 3)
)
def test_sums_over_parts_are_the_sums_over_all(pairs, cut):
    truth, estimate = np.array(pairs).T
    whole = AngleTally.of(truth, estimate)
    parts = [Tally(neck=AngleTally.of(truth[s], estimate[s])) for s in (slice(cut), slice(cut, None))]
    added = add_up(parts).neck
    assert added.mae_deg == pytest.approx(np.abs(estimate - truth).mean(), abs=1e-9)
    assert added.bias_deg == pytest.approx((estimate - truth).mean(), abs=1e-9)
    if min(truth.std(), estimate.std()) > 0.1:
        assert whole.correlation == pytest.approx(np.corrcoef(truth, estimate)[0, 1], abs=1e-6)
    assert added.correlation == pytest.approx(whole.correlation, abs=1e-6, nan_ok=True)


def test_the_keeper_has_what_the_summary_has():
    t_s = np.array(steady_times(4.0, 60.0))
    upright, slouched = (
        person(t, neck_deg=neck, thoracic_deg=trunk)
        for t, neck, trunk in ((t_s[t_s < 30], 12.0, 2.0), (t_s[t_s >= 30], 45.0, 24.0))
    )
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, 8.0))
    keeper, summarizer = CourseKeeper(), Summarizer(MAX_GAP_S)
    for result in pipeline.run(concatenate([upright, slouched])):
        keeper.handle(result)
        summarizer.handle(result)
    kept, summary = keeper.course(), summarizer.summary()
    assert len(kept) == summary.n_frames == 240
    assert S in [span.state for span in kept.spans()]
    seconds = dict.fromkeys(SlouchState, 0.0)
    for span in kept.spans():
        seconds[span.state] += span.end_s - span.start_s
    seconds[STATES[kept.state[-1]]] -= kept.held_s[-1]  # the summary knows nothing after the last frame
    assert seconds == pytest.approx(summary.seconds)


@pytest.mark.parametrize(
    ("n", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)],  # Garwood 1936, table
)
def test_rates_have_garwoods_interval(n, low, high):
    assert poisson_interval(n, 1.0) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))
    assert poisson_interval(n, 0.25) == (pytest.approx(4 * low, abs=4e-3), pytest.approx(4 * high, abs=4e-3))
    assert poisson_interval(0, 0.0) == (0.0, inf)


@pytest.mark.parametrize("mean", [0.1, 0.7, 2.0, 4.4, 9.0])
def test_the_interval_of_a_rate_holds_the_truth_as_often_as_it_says(mean):
    chances = [exp(-mean) * mean**n / factorial(n) for n in range(60)]
    held = [low <= mean <= high for low, high in (poisson_interval(n, 1.0) for n in range(60))]
    assert sum(c for c, is_held in zip(chances, held, strict=True) if is_held) >= 0.95


def test_shares_have_an_exact_interval():
    assert proportion_interval(8, 8) == (pytest.approx(0.025 ** (1 / 8)), 1.0)
    assert proportion_interval(0, 0) == (0.0, 1.0)
    low, high = proportion_interval(3, 10)
    assert (low, high) == (pytest.approx(0.0667, abs=1e-4), pytest.approx(0.6525, abs=1e-4))


def result(name, n_false, *, persons=None, n_met=1):
    scores = []
    for i, n in enumerate(n_false):
        who = persons[i] if persons else ""
        score = score_run(course([(200, U)]), Labels(person=who), clip=f"c{i}", sustain_s=10.0)
        scores.append(replace(score, tally=replace(score.tally, n_false=n, n_must=1, n_met=n_met)))
    return Result(name, tuple(scores))


def verdict(comparison, name="false alerts per hour"):
    return weigh(next(pair for pair in comparison.pairs if pair.name == name))


def test_a_difference_is_called_one_only_if_it_is():
    base = [2, 3, 2, 4, 2, 3]
    fewer = compare(result("a", base), result("b", [n - 1 for n in base]))
    assert verdict(fewer) == (pytest.approx(2 / 2**6), Verdict.BETTER)
    assert verdict(compare(result("a", [1] * 6), result("b", base))) == (
        pytest.approx(2 / 2**6),
        Verdict.WORSE,
    )
    assert verdict(fewer, "recall")[1] is Verdict.SAME
    mixed = compare(result("a", [2] * 8), result("b", [1, 3, 1, 3, 1, 3, 1, 1]))
    assert verdict(mixed)[1] is Verdict.NOISE
    few = compare(result("a", base[:5]), result("b", [0] * 5))
    assert verdict(few) == (pytest.approx(2 / 2**5), Verdict.TOO_FEW)
    more = compare(result("a", base, n_met=0), result("b", base, n_met=1))
    assert verdict(more, "recall")[1] is Verdict.BETTER, "more is better here"


def test_clips_of_one_person_go_together():
    persons = ["p"] * 6 + ["q"]
    paired = compare(result("a", [1] * 7, persons=persons), result("b", [0] * 7, persons=persons))
    assert paired.n_units == 2
    assert verdict(paired)[1] is Verdict.TOO_FEW, "seven clips, but two people"


def test_only_clips_that_both_have_are_compared():
    longer, shorter = result("a", [1, 2, 3]), result("b", [1, 5])
    paired = compare(longer, shorter)
    assert (paired.only_first, paired.only_second) == (("c2",), ())
    assert [score.clip for score in paired.first.scores] == ["c0", "c1"]
    assert paired.changed == (("c1", "false alerts 2 → 5"),)
    assert paired.pairs[0].first == pytest.approx(3 * 3600 / 400)


def test_limits_are_kept_or_named():
    tally = Tally(
        watched_s=7200.0, n_false=3, n_must=4, n_met=3, late_s=(0.5, 2.0), neck=AngleTally(2, 2, 10.0, 1.0)
    )
    assert broken_limits(tally, Limits()) == ()
    assert broken_limits(tally, Limits(1.5, 0.75, 5.0, None, 2.0)) == ()
    broken = broken_limits(tally, Limits(1.4, 0.76, 4.9, 10.0, 1.9))
    assert [line.partition(":")[0] for line in broken] == [
        "false alerts per hour",
        "neck error",
        "trunk error",
        "latest alert",
        "recall",
    ]
    assert "no true angles" in broken[2], "a figure that there is none of keeps no limit"


def test_groups_add_up_and_failures_stay():
    scores = [
        replace(s, camera=c) for s, c in zip(result("a", [1, 2, 3]).scores, ["side", "", "side"], strict=True)
    ]
    whole = Result("a", tuple(scores), (Failure("x", "is gone"),))
    assert {name: tally.n_false for name, tally in whole.by_camera.items()} == {"side": 4, "not given": 2}
    assert whole.overall.n_false == 6


def test_the_example_of_the_documentation_runs(monkeypatch, capsys):
    root = Path(__file__).parents[1]
    page = (root / "docs" / "evaluate.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(root)
    exec(compile(example, "docs/evaluate.md", "exec"), {})
    assert capsys.readouterr().out == "0.0 0.0\n", "slouches of 25 s are shorter than the sustain"
