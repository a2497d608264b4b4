"""The sink that keeps the history: the monitor goes on whatever the database does, and at most 5 s are lost.

Claimed: what was seen is in the database at most 5 s of frame time later, an alert at once; a process killed at any
moment leaves a sound database; a locked, full, read-only, newer, damaged or vanished one is told of once, loses nothing
that can be kept, and ends nothing; what is too old goes, but not because a clock was set wrong.
"""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from history_driver import LIMITS, STEP_S, T0_MS, WATCH, Wall, frame
from synthetic_history import make_year
from unprivileged import as_nobody, shared_folder

from posture.alerts import Alert
from posture.history import recorder
from posture.history.recorder import PERIOD_S, RETIRED_AT_ONCE, RETRY_S, HistorySink, read_wall_clock
from posture.history.schema import MIGRATIONS
from posture.history.store import History
from posture.slouch import EventKind, SlouchEvent, SlouchState

DRIVER = Path(__file__).with_name("history_driver.py")
LOSS_S = 5.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite"


class Monitor:
    """A sink with frames and a wall clock of our own."""

    def __init__(self, path, **options):
        self.told, self.wall, self.t_s = [], Wall(), 0.0
        self.sink = HistorySink(path, WATCH, tell=self.told.append, clock=self.wall, **options)

    def watch(self, seconds, state=None, **changes):
        for _ in range(round(seconds / STEP_S)):
            self.wall.show(self.t_s)
            self.sink.handle(frame(self.t_s, state, **changes))
            self.t_s += STEP_S

    def close(self):
        self.sink.close()
        return self.told


def last_s(path):
    """Frame time up to which the database knows."""
    with History(path) as history:
        ends = [bout.end_utc_ms for bout in history.bouts()]
    return (max(ends) - T0_MS) / 1000 if ends else 0.0


def test_what_was_seen_is_stored_within_five_seconds(path):
    monitor = Monitor(path)
    monitor.watch(1.0)
    for _ in range(100):
        monitor.watch(STEP_S)
        assert monitor.t_s - STEP_S - last_s(path) <= LOSS_S - STEP_S, (
            "until the next frame it is a second more"
        )
    assert monitor.close() == []
    assert last_s(path) == monitor.t_s - STEP_S, "at the end nothing is lost"
    with History(path) as history:
        (session,) = history.sessions()
        bouts, minutes = history.bouts(), history.minutes()
    assert (session.source, session.profile, session.placement) == (
        WATCH.source,
        WATCH.profile,
        WATCH.placement,
    )
    assert (session.start_utc_ms, session.end_utc_ms) == (T0_MS, T0_MS + 100_000)
    assert len(bouts) == 15
    assert sum(bout.end_utc_ms - bout.start_utc_ms for bout in bouts) == 100_000
    assert {bout.utc_offset_s for bout in bouts} == {3600}
    judged_s = sum(1 for i in range(100) if i // 7 % 4 < 2)
    assert sum(minute.judged_s for minute in minutes) == pytest.approx(judged_s)


def test_an_alert_is_stored_at_once(path):
    monitor = Monitor(path)
    monitor.watch(6.0)
    event = SlouchEvent(EventKind.ALERT, 0.0, 6.0)
    monitor.watch(1.0, SlouchState.SLOUCHING, alert=Alert(0.0, 6.0, 6.0, 0), events=(event,), slouched_s=6.0)
    with History(path) as history:
        (alert,) = history.alerts()
    assert (alert.at_utc_ms, alert.neck_limit_deg) == (T0_MS + 6000, LIMITS.neck_deg)
    assert monitor.close() == []


def test_a_killed_process_leaves_a_sound_database_and_at_most_five_seconds_are_lost(path):
    rng = random.Random(7)
    for _ in range(6):
        path.unlink(missing_ok=True)
        command = [sys.executable, str(DRIVER), str(path), "1000000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=driver_env()) as process:
            line = ""
            for _ in range(rng.randint(5, 200)):
                line = process.stdout.readline()
            for _ in range(rng.randint(0, 20_000)):  # somewhere within the next frames
                pass
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().splitlines()
            seen_s = float(rest[-1] if rest else line)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert seen_s - last_s(path) <= LOSS_S


def driver_env():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def can_mount():
    """Whether this machine lets a process have a disk of its own."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("how", ["limit", *(["tmpfs"] if can_mount() else [])])
def test_a_full_disk_is_told_of_once_and_what_waited_is_written_when_there_is_room(tmp_path, how):
    folder = Path("/mnt") if how == "tmpfs" else tmp_path
    python = [sys.executable, str(DRIVER), str(folder / "history.sqlite"), "300", how]
    script = 'mount -t tmpfs -o size=5m none /mnt && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", *python] if how == "tmpfs" else python
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=driver_env(), timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    first, last = told["told"]
    assert "the history is not being kept" in first
    assert "check" in first
    assert "kept again" in last
    assert told["failed"] >= 100 / RETRY_S - 1
    assert told["seconds"] == 299.0, "nothing is lost"
    assert told["problem"] == ""


def test_a_locked_database_is_told_of_once_and_nothing_is_lost(path, monkeypatch):
    monkeypatch.setattr("posture.history.recorder.BUSY_S", 0.01)
    monitor = Monitor(path)
    monitor.watch(20.0)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monitor.watch(100.0)
        assert len(monitor.told) == 1
        assert "in use by another program" in monitor.told[0]
        assert monitor.sink.problem
        assert 2 <= monitor.sink.failed <= 5, "it is not tried at every frame"
        other.execute("ROLLBACK")
    monitor.watch(40.0)
    assert monitor.close()[1:] == ["the history is being kept again"]
    with History(path) as history:
        bouts = history.bouts()
    assert sum(bout.end_utc_ms - bout.start_utc_ms for bout in bouts) == 159_000
    assert len(history_sessions(path)) == 1


def history_sessions(path):
    with History(path) as history:
        return history.sessions()


def test_a_database_locked_from_the_start_is_kept_once_it_is_free(path, monkeypatch):
    monkeypatch.setattr("posture.history.recorder.BUSY_S", 0.01)
    with History(path, is_writable=True, migrations=()):
        pass
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        monitor = Monitor(path)
        monitor.watch(20.0)
        other.execute("ROLLBACK")
    monitor.watch(60.0)
    told = monitor.close()
    assert [("not being kept" in text, "kept again" in text) for text in told] == [
        (True, False),
        (False, True),
    ]
    assert last_s(path) == 79.0


def test_a_file_that_vanishes_is_made_anew_and_the_session_goes_on_in_it(path):
    monitor = Monitor(path)
    monitor.watch(20.0)
    for file in path.parent.iterdir():
        file.unlink()
    monitor.watch(20.0)
    assert last_s(path) >= 35.0
    monitor.close()
    (session,) = history_sessions(path)
    assert (session.start_utc_ms, session.end_utc_ms) == (T0_MS, T0_MS + 39_000)


def test_a_file_damaged_meanwhile_is_moved_aside(path):
    monitor = Monitor(path)
    monitor.watch(20.0)
    for file in path.parent.iterdir():
        file.write_bytes(b"rubbish " * 5000)
    monitor.watch(80.0)
    told = " | ".join(monitor.close())
    assert "kept as" in told
    assert "a new one begun" in told
    assert last_s(path) == 99.0
    assert [file for file in path.parent.iterdir() if "damaged" in file.name]


def test_a_header_overwritten_meanwhile_is_noticed_by_the_next_write(path):
    with History(
        path, is_writable=True
    ):  # closed: the pages are in the file, not in a log that would mend it
        pass
    monitor = Monitor(path)
    monitor.watch(20.0)
    with path.open("r+b") as file:
        file.write(bytes(100))
    monitor.watch(80.0)
    assert "kept as" in " | ".join(monitor.close())
    assert last_s(path) == 99.0


def test_pages_overwritten_meanwhile_are_noticed_by_the_next_write(path):
    with History(path, is_writable=True):
        pass
    monitor = Monitor(path)
    monitor.watch(20.0)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    monitor.watch(2.0 * PERIOD_S)
    assert last_s(path) >= 20.0 + PERIOD_S, "a sound one is written already"
    assert "kept as" in " | ".join(monitor.close())


def test_reading_does_not_make_it_be_opened_anew(path, monkeypatch):
    opened = []

    def opening(*args, **options):
        opened.append(args)
        return History(*args, **options)

    monkeypatch.setattr(recorder, "History", opening)
    monitor = Monitor(path)
    for _ in range(5):
        monitor.watch(20.0)
        with History(path) as history:
            assert history.sessions()
    assert monitor.close() == []
    assert len(opened) == 1


def test_a_newer_schema_is_told_of_once_and_ends_nothing(path):
    with History(path, is_writable=True, migrations=[*MIGRATIONS, "CREATE TABLE more (x)"]):
        pass
    before = path.read_bytes()
    monitor = Monitor(path)
    monitor.watch(120.0)
    assert monitor.sink.failed == 120.0 / RETRY_S, "it is not tried at every frame"
    (text,) = monitor.close()
    assert "use the newer program" in text
    assert path.read_bytes() == before


def test_a_read_only_folder_is_told_of_once_and_ends_nothing():
    with shared_folder() as folder, as_nobody():
        monitor = Monitor(folder / "data" / "history.sqlite")
        monitor.watch(120.0)
        (text,) = monitor.close()
        assert "Permission denied; check the folder" in text


def test_a_run_without_a_frame_makes_nothing(path):
    assert Monitor(path).close() == []
    assert not path.exists()


def make_old(path, days):
    """A history whose last day is yesterday, as the driver's clock has it."""
    from datetime import UTC, datetime

    last = datetime.fromtimestamp(T0_MS / 1000 - 86_400, UTC).date()
    with History(path, is_writable=True) as history:
        make_year(history, days=days, last_day=last, hours=0.5)


def test_what_is_too_old_goes_little_by_little(path):
    make_old(path, 150)
    n, size = len(history_sessions(path)), path.stat().st_size
    monitor = Monitor(path, retention_days=30)
    counts = []
    for _ in range(20):
        monitor.watch(4.0)
        counts.append(len(history_sessions(path)))
    monitor.close()
    steps = [a - b for a, b in zip([n, *counts], counts, strict=False)]
    assert max(steps) <= RETIRED_AT_ONCE
    oldest_ms = history_sessions(path)[0].end_utc_ms
    assert 29 <= (T0_MS - oldest_ms) / 86_400_000 <= 33, "the last use before was yesterday"
    assert counts[-1] == counts[-2], "and then it is done"
    assert path.stat().st_size < 0.4 * size, "and the file has shrunk"


def test_nothing_goes_when_it_is_to_be_kept_for_good(path):
    make_old(path, 150)
    n = len(history_sessions(path))
    monitor = Monitor(path, retention_days=0)
    monitor.watch(40.0)
    monitor.close()
    assert len(history_sessions(path)) == n + 1


def test_a_clock_years_ahead_deletes_nothing(path):
    make_old(path, 20)
    n = len(history_sessions(path))
    monitor = Monitor(path, retention_days=30)
    monitor.t_s = 20 * 365 * 86_400.0
    monitor.watch(40.0)
    monitor.close()
    assert len(history_sessions(path)) == n + 1


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="POSIX time zones")
def test_the_wall_clock_follows_a_change_of_the_zone(monkeypatch):
    try:
        for zone, offset_s in (("UTC-5:30", 19_800), ("UTC+9", -32_400)):
            monkeypatch.setenv("TZ", zone)
            now = read_wall_clock()
            assert now.utc_offset_s == offset_s
            assert abs(now.utc_ms / 1000 - time.time()) < 60
    finally:
        monkeypatch.undo()
        time.tzset()
