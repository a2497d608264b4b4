"""Today so far: what the history has of it, and the run at hand.

Claimed: stored time and the run's own add up; only the local day counts, whatever the offset; midnight begins anew;
without a history, or with a damaged one, today begins with the run.
"""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_summary import result

from posture.history.rows import AlertRow, BoutRow, SessionRow
from posture.history.store import History
from posture.history.timeline import Moment
from posture.history.today import Today
from posture.slouch import Reason, SlouchState

DAY_MS = 86_400_000
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2
HOUR_MS = 3_600_000


def bout(state, start_ms, end_ms, offset_s=0):
    return BoutRow(0, 1, state, Reason.NONE, start_ms, end_ms, offset_s, 1.0, 1.0, 1.0, 1.0, 0.1, 0.2)


def stored(path, bouts, drivers=()):
    with History(path, is_writable=True) as history, history.transaction():
        session = history.put(
            SessionRow(0, bouts[0].start_utc_ms, bouts[-1].end_utc_ms, 0, "camera", "me", "front")
        )
        for one in bouts:
            history.put(
                BoutRow(
                    *(session if name == "session_id" else getattr(one, name) for name in BoutRow.__slots__)
                )
            )
        for n, driver in enumerate(drivers):
            at = NOON_MS - HOUR_MS + n
            limits = 10.0, 8.0, 17.0, 0.05
            history.put(
                AlertRow(
                    0, session, at, at, 0, 60.0, driver, 11.0, 9.0, 2.0, 0.0, 1.1, *limits, "", None, "", 0.0
                )
            )
    return path


def at(utc_ms, offset_s=0):
    return lambda: Moment(utc_ms, offset_s)


def test_what_is_stored_of_today_counts_and_yesterday_does_not(tmp_path):
    path = stored(
        tmp_path / "h.sqlite",
        [
            bout(
                SlouchState.SLOUCHING, NOON_MS - 14 * HOUR_MS, NOON_MS - 11 * HOUR_MS
            ),  # 2 h of it yesterday
            bout(SlouchState.AWAY, NOON_MS - 11 * HOUR_MS, NOON_MS - 4 * HOUR_MS),
            bout(SlouchState.UPRIGHT, NOON_MS - 4 * HOUR_MS, NOON_MS - HOUR_MS),
        ],
        drivers=("neck", "neck", "sink"),
    )
    today = Today(path, 3.0, at(NOON_MS))
    assert today.upright_ratio == pytest.approx(3 / 4)
    assert today.slouched == {"neck": 2.0, "sink": 1.0}
    two_hours_west = Today(path, 3.0, at(NOON_MS, -2 * 3600))
    assert two_hours_west.upright_ratio == 1.0, "the slouch ended before midnight there"


@given(st.lists(st.tuples(st.sampled_from(list(SlouchState)), st.floats(0.1, 2.9)), min_size=1, max_size=60))
def test_a_run_adds_up_its_judged_time(steps):
    today = Today(None, 3.0, at(NOON_MS))
    t_s, seconds = 0.0, dict.fromkeys(SlouchState, 0.0)
    for (state, dt_s), (following, _) in zip(steps, [*steps[1:], steps[0]], strict=True):
        today.handle(result(t_s, state))
        t_s += dt_s
        today.handle(result(t_s, following))
        seconds[state] += dt_s
    judged = seconds[SlouchState.UPRIGHT] + seconds[SlouchState.SLOUCHING]
    if judged == 0.0:
        assert isnan(today.upright_ratio)
    else:
        assert today.upright_ratio == pytest.approx(seconds[SlouchState.UPRIGHT] / judged)


def test_midnight_begins_anew():
    now = [Moment(NOON_MS, 0)]
    today = Today(None, 3.0, lambda: now[0])
    for t_s in (0.0, 1.0, 2.0):
        today.handle(result(t_s, SlouchState.SLOUCHING))
    assert today.upright_ratio == 0.0
    now[0] = Moment(NOON_MS + DAY_MS // 2, 0)
    for t_s in (3.0, 4.0):
        today.handle(result(t_s, SlouchState.UPRIGHT))
    assert today.upright_ratio == pytest.approx(0.5), "the second that ended after midnight, and the next"


def test_a_gap_belongs_to_no_state():
    today = Today(None, 3.0, at(NOON_MS))
    for t_s, state in (
        (0.0, SlouchState.SLOUCHING),
        (100.0, SlouchState.UPRIGHT),
        (101.0, SlouchState.UPRIGHT),
    ):
        today.handle(result(t_s, state))
    assert today.upright_ratio == 1.0


def test_without_a_history_or_with_a_damaged_one_today_begins_now(tmp_path):
    damaged = tmp_path / "history.sqlite"
    damaged.write_bytes(b"nonsense" * 1000)
    for path in (None, tmp_path / "missing.sqlite", damaged):
        today = Today(path, 3.0, at(NOON_MS))
        assert isnan(today.upright_ratio)
        assert today.slouched == {}
    assert damaged.read_bytes() == b"nonsense" * 1000
