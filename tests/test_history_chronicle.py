"""From frame times to rows: nothing is counted twice, whatever the computer's clock does.

Claimed, for any run, any clock, daylight saving in both directions and travel: no row ends before it starts, no two
bouts or sessions overlap, none spans a change of the offset, and with a good clock the rows are the summary's bouts.
"""

import math
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.alerts import Alert
from posture.history.chronicle import Chronicle, Watch
from posture.history.rows import AlertRow, BoutRow, BreakRow, MinuteRow
from posture.history.timeline import Moment
from posture.judging import Thresholds
from posture.settings import BreakSettings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.step_result import StepResult
from posture.summary import Summarizer

NAN = math.nan
GAP_S = 3.0
UPRIGHT, SLOUCHING, AWAY, UNKNOWN = (
    SlouchState.UPRIGHT,
    SlouchState.SLOUCHING,
    SlouchState.AWAY,
    SlouchState.UNKNOWN,
)
LIMITS = Thresholds(10.0, 8.0, 17.0, 0.05)
WATCH = Watch(
    "camera 0", "default", "front", GAP_S, BreakSettings().away_s, "", lambda: (LIMITS, "2026-01-01")
)
T0_MS = 1_780_000_000_000


def result(t_s, state=UPRIGHT, ratio=0.5, sat_s=1.0, slouched_s=0.0, events=(), alert=None):
    reason = Reason.LOW_CONFIDENCE if math.isnan(ratio) else Reason.NONE
    return StepResult(
        t_s, state, reason, 10 * ratio, 8 * ratio, 0.01, 0.0, ratio, "neck", slouched_s, sat_s, events, alert
    )


class Run:
    """A chronicle with frames and a wall clock of our own; what it has written so far counts as taken."""

    def __init__(self, earlier=(), is_readable=True):
        self.sessions = list(earlier)
        self.is_readable = is_readable
        self.rows = []
        self.limits = WATCH.limits()
        self.chronicle = Chronicle(replace(WATCH, limits=lambda: self.limits), self._taken)

    def _taken(self, since_ms):
        if not self.is_readable:
            return []
        self.store()
        return [(s.start_utc_ms, s.end_utc_ms) for s in self.sessions if s.end_utc_ms >= since_ms]

    def step(self, one, utc_ms, offset_s=0):
        self.chronicle.step(one, Moment(utc_ms, offset_s))

    def store(self):
        for chapter in self.chronicle.unwritten:
            same = [s for s in self.sessions if s.start_utc_ms == chapter.session.start_utc_ms]
            for old in same:
                self.sessions.remove(old)
            self.sessions.append(chapter.session)
            for row in chapter.waiting.values():
                key = row.at_utc_ms if isinstance(row, AlertRow) else row.start_utc_ms
                key = getattr(row, "kind", ""), key
                kept = []
                for session, k, r in self.rows:
                    if (session, k, type(r)) != (chapter.session.start_utc_ms, key, type(row)):
                        kept.append((session, k, r))
                self.rows = [*kept, (chapter.session.start_utc_ms, key, row)]
            chapter.waiting.clear()
        self.chronicle.unwritten.clear()

    def of(self, kind):
        self.store()
        found = [row for _, _, row in self.rows if isinstance(row, kind)]
        return sorted(found, key=lambda row: row.at_utc_ms if kind is AlertRow else row.start_utc_ms)


def assert_tidy(rows):
    """No row ends before it starts, and no two share any time."""
    rows = sorted(rows, key=lambda row: (row.start_utc_ms, row.end_utc_ms))
    assert all(row.start_utc_ms <= row.end_utc_ms for row in rows)
    for before, after in pairwise(rows):
        assert before.end_utc_ms <= after.start_utc_ms


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.25, 0.5, 0.5, 1.0, 2.75, 3.25, 60.0, 5000.0]),
        st.sampled_from(SlouchState),
        st.one_of(st.just(NAN), st.floats(-1.0, 3.0)),
        st.sampled_from([0] * 6 + [-1, 1, -7, 8, -60, 60, -3600, 3600, -100_000, 1_000_000]),
        st.sampled_from([None] * 6 + [0, 3600, -34_200]),
    ),
    max_size=40,
)


@given(runs=st.lists(STEPS, min_size=1, max_size=3))
def test_no_clock_makes_rows_that_overlap(runs):
    sessions, bouts = [], []
    wall_ms, offset_s = T0_MS, 0
    for steps in runs:
        run, t_s = Run(sessions), 0.0
        for dt_s, state, ratio, jump_s, new_offset_s in steps:
            t_s += dt_s
            wall_ms += round(dt_s * 1000) + jump_s * 1000
            offset_s = offset_s if new_offset_s is None else new_offset_s
            run.step(result(t_s, state, ratio), wall_ms, offset_s)
        bouts += run.of(BoutRow)
        sessions = run.sessions
        ends = [s.end_utc_ms for s in sessions]
        assert all(b.end_utc_ms <= max(ends) for b in bouts)
    assert_tidy(sessions)
    assert_tidy(bouts)
    assert all(0 < m.judged_s <= 60.0 + 1e-6 for m in run.of(MinuteRow))


@given(steps=STEPS)
def test_with_a_good_clock_the_rows_are_the_summarys(steps):
    run, summarizer, t_s = Run(), Summarizer(GAP_S), 0.0
    for dt_s, state, ratio, _, _ in steps:
        t_s += dt_s
        one = result(t_s, state, ratio)
        run.step(one, T0_MS + round(t_s * 1000))
        summarizer.handle(one)
    rows, bouts = run.of(BoutRow), summarizer.summary().bouts
    # Bouts that share their first moment are of no length but the last.
    bouts = [b for b, after in pairwise([*bouts, None]) if after is None or after.start_s > b.start_s]
    assert [(r.state, r.reason) for r in rows] == [(b.state, b.reason) for b in bouts]
    for row, bout in zip(rows, bouts, strict=True):
        zero_ms = rows[0].start_utc_ms - round(bouts[0].start_s * 1000)
        assert row.start_utc_ms - zero_ms == pytest.approx(bout.start_s * 1000, abs=2)
        assert row.end_utc_ms - zero_ms == pytest.approx(bout.end_s * 1000, abs=2)
        for name in ("mean_slouch_ratio", "max_slouch_ratio", "mean_neck_deg", "max_thoracic_deg"):
            mine, theirs = getattr(row, name), getattr(bout, name)
            assert (mine is None and math.isnan(theirs)) or mine == theirs


@given(steps=STEPS)
def test_minutes_add_up_to_the_judged_time(steps):
    run, t_s, results = Run(), 0.0, []
    for dt_s, state, ratio, _, _ in steps:
        t_s += dt_s
        results.append(result(t_s, state, ratio))
        run.step(results[-1], T0_MS + 12_345 + round(t_s * 1000))
    judged = [
        (b.t_s - a.t_s, a.slouch_ratio)
        for a, b in pairwise(results)
        if b.t_s - a.t_s <= GAP_S and not math.isnan(a.slouch_ratio)
    ]
    minutes = run.of(MinuteRow)
    assert sum(m.judged_s for m in minutes) == pytest.approx(sum(dt for dt, _ in judged), abs=0.01)
    total = sum(m.judged_s * m.slouch_ratio for m in minutes)
    assert total == pytest.approx(sum(dt * ratio for dt, ratio in judged), abs=0.05)
    assert all(m.start_utc_ms % 60_000 == 0 for m in minutes)
    assert len({m.start_utc_ms for m in minutes}) == len(minutes)


def watch_through(zone, start, hours, step_s=1.0):
    """Be upright from a local time on, whatever the clock is made to show; return the run."""
    run = Run()
    began = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    began_ms = round(began.timestamp() * 1000)
    for i in range(int(hours * 3600 / step_s) + 1):
        utc_ms = began_ms + round(i * step_s * 1000)
        local = datetime.fromtimestamp(utc_ms / 1000, ZoneInfo(zone))
        run.step(result(i * step_s), utc_ms, int(local.utcoffset().total_seconds()))
    return run, began_ms


@pytest.mark.parametrize(
    "start, before_s, after_s",
    [("2026-03-29T01:30:00", 3600, 7200), ("2026-10-25T01:30:00", 7200, 3600)],
    ids=["spring", "autumn"],
)
def test_daylight_saving_cuts_the_bout_and_loses_no_time(start, before_s, after_s):
    run, began_ms = watch_through("Europe/Berlin", start, 2.0)
    first, second = run.of(BoutRow)
    assert (first.utc_offset_s, second.utc_offset_s) == (before_s, after_s)
    assert first.start_utc_ms == began_ms
    assert second.end_utc_ms == began_ms + 7_200_000
    assert 0 <= second.start_utc_ms - first.end_utc_ms <= 1000, "no more than a frame's time between them"
    assert second.start_utc_ms % 3_600_000 == 0
    assert [s.utc_offset_s for s in sorted(run.sessions, key=lambda s: s.start_utc_ms)] == [before_s, after_s]


def test_another_zone_at_noon_changes_the_offset_and_not_the_time():
    run = Run()
    for i in range(100):
        run.step(result(float(i)), T0_MS + i * 1000, 7200 if i < 50 else -18_000)
    bouts = run.of(BoutRow)
    assert [b.utc_offset_s for b in bouts] == [7200, -18_000]
    assert bouts[1].end_utc_ms == T0_MS + 99_000


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_clock_set_back_counts_no_hour_twice(is_readable):
    run = Run(is_readable=is_readable)
    for i in range(7200):  # two hours, then the clock says again what it said an hour ago
        run.step(result(float(i)), T0_MS + i * 1000)
    for i in range(7200, 14_400):
        run.step(result(float(i)), T0_MS + (i - 3600) * 1000)
    bouts = run.of(BoutRow)
    assert_tidy(bouts)
    assert bouts[-1].end_utc_ms == T0_MS + (14_399 - 3600) * 1000
    total_s = sum(b.end_utc_ms - b.start_utc_ms for b in bouts) / 1000
    assert total_s == pytest.approx(14_400 - 3600, abs=5)


def test_a_late_frame_is_no_jump():
    run = Run()
    for i in range(20):
        late_ms = {10: 60_000, 11: 30_000}.get(i, 0)
        run.step(result(float(i)), T0_MS + i * 1000 + late_ms)
    assert len(run.of(BoutRow)) == 1


def test_a_run_that_starts_where_another_ended_is_another():
    first = Run()
    first.step(result(0.0), T0_MS)
    first.store()
    second = Run(first.sessions)
    for i in range(3):
        second.step(result(0.5 * i), T0_MS + 500 * i)
    second.store()
    assert [(s.start_utc_ms, s.end_utc_ms) for s in second.sessions] == [
        (T0_MS, T0_MS),
        (T0_MS + 500, T0_MS + 1000),
    ]


def test_a_break_is_from_the_last_moment_sat_to_the_first():
    run = Run()
    # Sitting for 100 s, away for 200 s (the clock starts anew after 120), back.
    for i in range(400):
        sat_s = float(i) if i <= 100 else 100.0 if i < 220 else 0.0 if i <= 300 else float(i - 300)
        state = AWAY if 103 <= i < 300 else UPRIGHT
        run.step(result(float(i), state, NAN if state is AWAY else 0.1, sat_s), T0_MS + i * 1000)
    (taken,) = run.of(BreakRow)
    assert (taken.kind, taken.sat_s) == ("taken", 100.0)
    assert (taken.start_utc_ms, taken.end_utc_ms) == (T0_MS + 100_000, T0_MS + 300_000)


def test_a_sitting_clock_that_starts_anew_by_itself_is_no_break():
    run = Run()
    for i in range(200):
        run.step(result(float(i), sat_s=float(i % 100)), T0_MS + i * 1000)
    assert run.of(BreakRow) == []


def test_a_due_break_is_a_moment():
    run = Run()
    event = SlouchEvent(EventKind.BREAK_DUE, -2600.0, 100.0)
    run.step(result(99.0, sat_s=2699.0), T0_MS)
    run.step(result(100.0, sat_s=2700.0, events=(event,)), T0_MS + 1000)
    (due,) = run.of(BreakRow)
    assert (due.kind, due.start_utc_ms, due.end_utc_ms) == ("due", T0_MS + 1000, T0_MS + 1000)
    assert due.sat_s == 2700.0


def test_a_short_pause_due_is_a_moment_of_its_own_kind():
    run = Run()
    both = tuple(SlouchEvent(kind, 0.0, 100.0) for kind in (EventKind.MICRO_BREAK_DUE, EventKind.BREAK_DUE))
    run.step(result(99.0, sat_s=1199.0), T0_MS)
    run.step(result(100.0, sat_s=1200.0, events=both[:1]), T0_MS + 1000)
    (due,) = run.of(BreakRow)
    moment = T0_MS + 1000
    assert (due.kind, due.start_utc_ms, due.end_utc_ms, due.sat_s) == ("micro_due", moment, moment, 1200.0)
    run.step(result(101.0, sat_s=1201.0, events=both), T0_MS + 2000)
    assert sorted(row.kind for row in run.of(BreakRow)) == ["due", "micro_due", "micro_due"]


def test_a_session_ends_where_the_limits_change_and_not_where_they_become_known_or_are_lost():
    run, other = Run(), Thresholds(12.0, 9.0, 18.0, 0.06)
    course = [None, None, LIMITS, LIMITS, None, LIMITS, other, other, None]
    for i, limits in enumerate(course):
        run.limits = None if limits is None else (limits, "")
        run.step(result(float(i)), T0_MS + i * 1000)
    run.store()
    found = [(s.start_utc_ms - T0_MS, s.end_utc_ms - T0_MS, s.neck_limit_deg) for s in run.sessions]
    assert found == [(0, 5000, 10.0), (6000, 8000, 12.0)]
    assert run.sessions[1].thoracic_limit_deg == 9.0
    assert (run.sessions[1].flexion_limit_deg, run.sessions[1].sink_limit_ratio) == (18.0, 0.06)
    assert [b.start_utc_ms - T0_MS for b in run.of(BoutRow)] == [0, 6000], "no bout spans the change"


def slouch(run, states, t0_s=0.0):
    """Slouch from 0 s with an alert at 60 s, then whatever `states` say of the seconds from 61 s on."""
    for i in range(61):
        alert = Alert(0.0, 60.0, 60.0, 0) if i == 60 else None
        events = (SlouchEvent(EventKind.ALERT, 0.0, 60.0),) if alert else ()
        run.step(
            result(t0_s + i, SLOUCHING, 1.4, slouched_s=float(i), events=events, alert=alert),
            T0_MS + i * 1000,
        )
    for i, (state, slouched_s, events) in enumerate(states, 61):
        ratio = NAN if state in (UNKNOWN, AWAY) else 0.2
        run.step(result(t0_s + i, state, ratio, slouched_s=slouched_s, events=events), T0_MS + i * 1000)
    (alert,) = run.of(AlertRow)
    return alert


def test_an_alert_says_what_was_measured_and_when_it_was_over():
    ended = SlouchEvent(EventKind.SLOUCH_ENDED, 62.0, 65.0)
    rest = [(SLOUCHING, 60.0, ())] * 4 + [(UPRIGHT, 0.0, (ended,))]
    run = Run()
    alert = slouch(run, rest)
    assert run.of(BoutRow)[0].max_neck_deg == 14.0
    assert 2.0 < run.of(BoutRow)[0].mean_neck_deg < 14.0, (
        "with four frames of 2 degrees before the state followed"
    )
    assert (alert.onset_utc_ms, alert.at_utc_ms) == (T0_MS, T0_MS + 60_000)
    assert alert.recovered_utc_ms == T0_MS + 62_000
    assert (alert.driver, alert.neck_deg, alert.neck_limit_deg) == ("neck", 14.0, 10.0)
    assert alert.baseline_utc == "2026-01-01"


def test_a_slouch_that_nobody_saw_end_has_no_end():
    lost = [(UNKNOWN, 60.0, ())] * 20 + [(UNKNOWN, 0.0, ())] * 5 + [(UPRIGHT, 0.0, ())] * 5
    assert slouch(Run(), lost).recovered_utc_ms is None
    assert slouch(Run(), []).recovered_utc_ms is None


def test_recovery_is_noted_also_after_the_rows_were_stored_and_the_clock_was_set():
    run = Run()
    ended = SlouchEvent(EventKind.SLOUCH_ENDED, 62.0, 65.0)
    slouch(run, [])
    run.store()
    for i in range(61, 66):
        state = UPRIGHT if i == 65 else SLOUCHING
        events = (ended,) if i == 65 else ()
        run.step(result(float(i), state, 0.2, slouched_s=60.0, events=events), T0_MS + 9_000_000 + i * 1000)
    (alert,) = run.of(AlertRow)
    assert alert.recovered_utc_ms == T0_MS + 62_000
