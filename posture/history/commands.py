"""The commands of the history: export, import, delete, info, why, wrong. They return the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from posture.config import history_path, load_settings
from posture.console import make_console
from posture.errors import HistoryError
from posture.files import write_atomically
from posture.history.answers import find_alert, store_answer
from posture.history.exchange import encode_history, import_history
from posture.history.proposal import Rated, propose
from posture.history.store import FOREVER_UTC_MS, History
from posture.history.telling import (
    AFTER_MS,
    BEFORE_MS,
    alert_lines,
    baseline_age_days,
    local_text,
    minute_lines,
    parts_table,
    proposal_lines,
    trace_lines,
)
from posture.words import count

EVIDENCE_DAYS = 90
"""Days of answers that a proposal rests on: desks and habits change with the seasons (our choice)."""


def midnight_utc_ms(day: date) -> int:
    """Return when a day begins here, UTC ms; for days before all histories, 0."""
    if day.year < 1970:
        return 0
    return round(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)


def _day_after_utc_ms(day: date) -> int:
    """Return when the day after a day begins here, UTC ms."""
    return FOREVER_UTC_MS if day == date.max else midnight_utc_ms(day + timedelta(days=1))


def run_export(kind: str, output: Path | None, since: date | None, until: date | None) -> int:
    """Write the history, from the beginning of one day to the end of another, to a file or to standard output."""
    if kind == "parquet" and output is None:
        raise HistoryError("Parquet is no text: name a file with -o FILE")
    start = 0 if since is None else midnight_utc_ms(since)
    end = FOREVER_UTC_MS if until is None else _day_after_utc_ms(until)
    with History(history_path()) as history:
        content = encode_history(history, kind, start, end)
    if output is not None:
        write_atomically(output, content)
        make_console(is_stderr=True).print(f"wrote {output}")
    else:
        sys.stdout.write(content.decode())
    return 0


def run_import(path: Path) -> int:
    """Merge an exported file into the history."""
    console = make_console()
    with History(history_path(), is_writable=True, on_moved_aside=console.print) as history:
        before = history.counts()["sessions"]
        counts = import_history(history, path)
        n_new = history.counts()["sessions"] - before
    told = ", ".join(f"{n:,} {name}" for name, n in counts.items())
    console.print(f"read {told}; {count(n_new, 'session is', 'sessions are')} new")
    return 0


def run_delete(before: date, confirm: Callable[[str], bool]) -> int:
    """Delete what ended before a day, after asking, and give the space back."""
    path = history_path()
    console = make_console()
    moment = midnight_utc_ms(before)
    with History(path) as history:
        n_old = sum(1 for row in history.sessions(0, moment) if row.start_utc_ms < moment)
    if not n_old:
        console.print(f"the history has nothing before {before}")
        return 0
    if not confirm(
        f"Delete the history before {before} ({count(n_old, 'session')}, alerts and all) for good?"
    ):
        console.print("nothing has been deleted")
        return 1
    with History(path, is_writable=True) as history:
        history.delete_before(moment)
        history.vacuum()
    console.print(f"deleted what ended before {before}")
    return 0


def run_info() -> int:
    """Print where the history is, and how much is in it."""
    path = history_path()
    console = make_console()
    with History(path) as history:
        span = history.span()
        if span is None:
            console.print(f"no history yet; 'posture run' keeps it in {path}")
            return 0
        sessions = history.sessions()
        n, n_bytes = history.counts(), history.size_bytes()
    first, last = sessions[0], max(sessions, key=lambda row: row.end_utc_ms)
    console.print(f"{path}, {n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{path}, {n_bytes / 1e3:.0f} kB")
    console.print(
        f"from {local_text(first.start_utc_ms, first.utc_offset_s)} to {local_text(last.end_utc_ms, last.utc_offset_s)}"
    )
    told = (count(n[f"{name}s"], name) for name in ("session", "bout", "minute", "alert", "break"))
    console.print(", ".join((*told, count(n["feedback"], "answer"))))
    days = load_settings().history.retention_days
    console.print(
        f"kept for {days:g} days, then deleted little by little (history.retention_days)"
        if days
        else "kept for good (history.retention_days = 0)"
    )
    return 0


def explain_alert(n: int) -> int:
    """Print why the n-th newest alert was given."""
    console = make_console()
    with History(history_path()) as history:
        alert = find_alert(history, n)
        around = alert.at_utc_ms - BEFORE_MS, alert.at_utc_ms + AFTER_MS
        minutes, bouts = history.minutes(*around), history.bouts(*around)
        watched = history.sessions(alert.at_utc_ms, alert.at_utc_ms + 1)
        session = next((row for row in watched if row.id == alert.session_id), None)
        said = next((row for row in history.feedback() if row.alert_id == alert.id), None)
    for line in alert_lines(alert, n, session, said):
        console.print(line)
    console.print()
    console.print(parts_table(alert))
    console.print()
    for line in (*minute_lines(alert, minutes, bouts), *trace_lines(alert)):
        console.print(line)
    if said is None:
        console.print(f"Was that wrong? posture wrong {n}", style="dim")
    return 0


def answer_alert(n: int, note: str, *, is_right: bool) -> int:
    """Store what the person says about the n-th newest alert, and print what the answers so far speak for."""
    settings = load_settings()
    console = make_console()
    verdict = "right" if is_right else "wrong"
    path = history_path()
    alert = store_answer(path, n, note, is_right=is_right, on_moved_aside=console.print)
    with History(path) as history:
        answers = history.feedback()
        alerts = history.alerts(alert.at_utc_ms - EVIDENCE_DAYS * 86_400_000)
    said = {row.alert_id: row.verdict == "wrong" for row in answers}
    rated = [Rated(row, said[row.id]) for row in alerts if row.id in said]
    console.print(f"Noted: the alert of {local_text(alert.at_utc_ms, alert.utc_offset_s)} was {verdict}.")
    newest = max((one.alert for one in rated), key=lambda row: row.at_utc_ms)
    stale_after_days = settings.calibration.stale_after_days
    for proposal in propose(rated, settings.judge, stale_after_days, baseline_age_days(newest)):
        console.print()
        for line in proposal_lines(proposal):
            console.print(line)
    return 0
