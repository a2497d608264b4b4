"""What the person says about an alert, stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from posture.errors import HistoryError
from posture.history.recorder import read_wall_clock
from posture.history.rows import AlertRow, FeedbackRow
from posture.history.store import History
from posture.words import count

NO_ALERT = "there is no alert in the history yet; 'posture run' keeps it"


def find_alert(history: History, n: int) -> AlertRow:
    """Return the n-th newest alert.

    Raises
    ------
    HistoryError
        If there are not so many.
    """
    found = history.last_alerts(n)
    if not found:
        raise HistoryError(NO_ALERT)
    if len(found) < n:
        which = f"1 to {len(found)}" if len(found) > 1 else "1"
        raise HistoryError(f"the history has only {count(len(found), 'alert')}; choose {which}, not {n}")
    return found[n - 1]


def store_answer(
    path: Path, n: int, note: str, *, is_right: bool, on_moved_aside: Callable[[str], None]
) -> AlertRow:
    """Store what the person says about the n-th newest alert, and return that alert.

    Raises
    ------
    HistoryError
        If there are not so many, or nothing can be stored.
    """
    now = read_wall_clock()
    with History(path) as history:
        alert = find_alert(history, n)
    with History(path, is_writable=True, on_moved_aside=on_moved_aside) as history:
        earlier_ms = (row.at_utc_ms for row in history.feedback() if row.alert_id == alert.id)
        at_ms = max(now.utc_ms, *earlier_ms, 0)  # the newest answer counts, also after the clock was set back
        verdict = "right" if is_right else "wrong"
        history.put(FeedbackRow(0, alert.id, at_ms, now.utc_offset_s, verdict, note))
    return alert
