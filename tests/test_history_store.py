"""The history's database: what goes in comes out, and nothing that is wrong with the file loses anything.

Claimed: rows come back as they were and only for the range asked for; a migration happens whole or not at all; a
damaged file is moved aside; another program's, a newer version's, a locked, read-only or full one is left as it is.
"""

import contextlib
import dataclasses
import hashlib
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic_history import make_year
from unprivileged import as_nobody, shared_folder

from posture.errors import DamagedHistoryError, HistoryError
from posture.history.rows import AlertRow, BoutRow, BoutSpan, BreakRow, FeedbackRow, MinuteRow, SessionRow
from posture.history.schema import APPLICATION_ID, MIGRATIONS, TABLES
from posture.history.store import History
from posture.slouch import Reason, SlouchState

T0_MS = 1_780_000_000_000
SESSION = SessionRow(0, T0_MS, T0_MS + 1000, 7200, "camera 0", "default", "front")
KINDS = ("sessions", "bouts", "minutes", "alerts", "breaks", "feedback")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "history.sqlite"


def bout(session, start_ms, end_ms, **changes):
    row = BoutRow(
        0, session, SlouchState.UPRIGHT, Reason.NONE, start_ms, end_ms, 7200, *[1.25] * 4, 0.5, 0.625
    )
    return dataclasses.replace(row, **changes)


def make_history(path):
    """One session of two bouts; return what its file holds."""
    with History(path, is_writable=True) as history:
        session = history.put(SESSION)
        history.put(bout(session, T0_MS, T0_MS + 400))
        history.put(bout(session, T0_MS + 400, T0_MS + 1000))
    return fingerprint(path)


def fingerprint(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE bouts; --",
    "a\nb\x00c",
    "日本 \u202e \U0001f600",
    "x" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_every_row_comes_back_as_it_went_in(path, text):
    with History(path, is_writable=True) as history:
        session = dataclasses.replace(SESSION, source=text, profile=text, placement=text)
        session = dataclasses.replace(session, id=history.put(session))
        rows = {
            "bouts": bout(session.id, T0_MS, T0_MS + 999, mean_neck_deg=-3.21, max_slouch_ratio=1.234),
            "minutes": MinuteRow(session.id, T0_MS // 60_000 * 60_000, 7200, 59.9, -1.23, 12.34, 0.567),
            "alerts": AlertRow(
                0, session.id, T0_MS, T0_MS + 500, 7200, 60.123456, text, 1.1, None, 3.3, 0.05, 1.7,
                10.0, 8.0, 17.0, 0.05, text, None, text, 12.345678,
            ),
            "breaks": BreakRow(0, session.id, "taken", T0_MS, T0_MS + 9, 7200, 2700.25),
        }  # fmt: skip
        for name, row in rows.items():
            number = history.put(row)
            rows[name] = row if name == "minutes" else dataclasses.replace(row, id=number)
        said = FeedbackRow(0, rows["alerts"].id, T0_MS + 10**9, -3600, "wrong", text)
        rows["feedback"] = dataclasses.replace(said, id=history.put(said))
    with History(path) as history:
        assert history.sessions() == [session]
        for name, row in rows.items():
            assert getattr(history, name)() == [row]
        assert history.last_alerts(3) == [rows["alerts"]]
        assert history.span() == (SESSION.start_utc_ms, SESSION.end_utc_ms)


def test_what_was_not_measured_is_not_a_number(path):
    nothing = bout(1, T0_MS, T0_MS, **{f.name: None for f in dataclasses.fields(BoutRow)[7:]})
    with History(path, is_writable=True) as history:
        history.put(SESSION)
        history.put(nothing)
        assert dataclasses.replace(history.bouts()[0], id=0) == nothing


SPANS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(spans=SPANS, since=st.integers(0, 10), length=st.integers(0, 6))
def test_the_readers_give_what_overlaps_the_range(tmp_path, spans, since, length):
    path = tmp_path / "range.sqlite"
    path.unlink(missing_ok=True)
    until = since + length
    with History(path, is_writable=True) as history, history.transaction():
        for i, (start, size) in enumerate(spans):
            row = dataclasses.replace(SESSION, start_utc_ms=start, end_utc_ms=start + size, profile=str(i))
            session = history.put(row)
            history.put(bout(session, start, start + size))
            history.put(BreakRow(0, session, "taken", start, start + size, 7200, 1.0))
    expected = sorted((a, a + n) for a, n in spans if a < until and max(a + n, a + 1) > since)
    with History(path) as history:
        for name in ("sessions", "bouts", "breaks"):
            found = [(row.start_utc_ms, row.end_utc_ms) for row in getattr(history, name)(since, until)]
            assert sorted(found) == expected
            assert [start for start, _ in found] == sorted(start for start, _ in found)
        rows = history.bouts(since, until)
        assert history.bout_spans(since, until) == [
            tuple(getattr(row, name) for name in BoutSpan._fields) for row in rows
        ]


def test_a_row_is_put_once_and_the_longer_copy_stays(path):
    with History(path, is_writable=True) as history:
        first = history.put(SESSION)
        longer = dataclasses.replace(SESSION, end_utc_ms=T0_MS + 5000)
        assert [history.put(row) for row in (longer, SESSION)] == [first, first]
        assert history.sessions() == [dataclasses.replace(longer, id=first)]
        number = history.put(bout(first, T0_MS, T0_MS + 10))
        assert history.put(bout(first, T0_MS, T0_MS + 20, mean_neck_deg=2.0)) == number
        assert history.put(bout(first, T0_MS, T0_MS + 15)) == number
        assert [(b.end_utc_ms, b.mean_neck_deg) for b in history.bouts()] == [(T0_MS + 20, 2.0)]


def test_the_file_is_for_its_owner_alone(path):
    old = os.umask(0)
    try:
        make_history(path)
        with History(path, is_writable=True) as history:
            history.put(dataclasses.replace(SESSION, profile="second"))
            files = list(path.parent.iterdir())
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
            assert len(files) == 3, "with the write-ahead log and its index"
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_history_yet_reads_as_an_empty_one_and_is_not_made(path):
    with History(path) as history:
        assert [getattr(history, name)() for name in KINDS] == [[]] * 6
        assert history.span() is None
        assert history.last_alerts(1) == []
    assert not path.parent.exists()


def test_an_empty_file_is_a_new_history(path):
    path.parent.mkdir()
    path.touch()
    with History(path) as history:
        assert history.bouts() == []
    assert path.stat().st_size == 0
    make_history(path)
    with History(path) as history:
        assert len(history.bouts()) == 2


# -- Migrations ------------------------------------------------------------------------------------------------------

NEXT = "ALTER TABLE sessions ADD COLUMN place TEXT NOT NULL DEFAULT 'home'; UPDATE sessions SET profile = 'moved'"
NEWER = f"is of version {len(MIGRATIONS) + 1}"
BROKEN = [
    f"{NEXT}; INSERT INTO nonsense VALUES (1)",
    f"{NEXT}; THIS IS NOT SQL",
    f"{NEXT}; INSERT INTO sessions SELECT * FROM sessions",
]


def schema(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()
        return version, connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("is_writable", [True, False])
def test_a_migration_that_fails_half_way_leaves_the_old_schema(path, broken, is_writable):
    make_history(path)
    before = schema(path)
    with pytest.raises(HistoryError):
        History(path, is_writable=is_writable, migrations=[*MIGRATIONS, broken])
    assert schema(path) == before
    with History(path) as history:
        assert history.sessions()[0].profile == "default"
        assert len(history.bouts()) == 2


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_migration_keeps_what_is_there(path, is_writable):
    make_history(path)
    with History(path, is_writable=is_writable, migrations=[*MIGRATIONS, NEXT]) as history:
        assert history.sessions()[0].profile == "moved"
    assert schema(path)[0] == (len(MIGRATIONS) + 1,)
    with History(path, is_writable=is_writable, migrations=[*MIGRATIONS, NEXT, "CREATE TABLE c (x)"]):
        assert schema(path)[0] == (len(MIGRATIONS) + 2,)


def test_every_version_grows_into_todays_schema(path):
    for version in range(1, len(MIGRATIONS) + 1):
        old = path.with_name(f"{version}.sqlite")
        with History(old, is_writable=True, migrations=MIGRATIONS[:version]):
            pass
        with History(old, is_writable=True):
            pass
        make_history(path)
        assert schema(old) == schema(path)


def make_first_version(path):
    """A history of version 1: two sessions, one with two alerts and a break of each kind; return all it holds."""
    with History(path, is_writable=True, migrations=MIGRATIONS[:1]):
        pass
    limits = "10.0, 8.0, 17.0, 0.05", "12.0, 9.0, 18.0, 0.06"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"""
            INSERT INTO sessions VALUES (3, 0, 9000, 7200, 'camera 0', 'me', 'front'), (7, 9500, 9900, 0, 'c', 'p', '');
            INSERT INTO alerts VALUES
                (1, 3, 0, 100, 60.0, 'neck', 11, 5, 6, 0, 1.1, {limits[0]}, '', NULL, '', 0.0),
                (2, 3, 0, 900, 60.0, 'neck', 13, 5, 8, 0, 1.1, {limits[1]}, '', NULL, '', 0.0);
            INSERT INTO breaks VALUES (5, 3, 'due', 200, 200, 60.5), (9, 3, 'taken', 300, 800, 61.0);
            INSERT INTO feedback VALUES (4, 2, 950, 7200, 'wrong', 'no');
            """
        )
    return dump(path)


def dump(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump()), connection.execute("PRAGMA user_version").fetchall()


@pytest.mark.parametrize("is_writable", [True, False])
def test_limits_come_from_the_last_alert_and_breaks_stay_when_a_first_version_grows(path, is_writable):
    make_first_version(path)
    with History(path, is_writable=is_writable) as history:
        first, second = history.sessions()
        assert (first.neck_limit_deg, first.thoracic_limit_deg) == (12.0, 9.0)
        assert (first.flexion_limit_deg, first.sink_limit_ratio) == (18.0, 0.06)
        assert second.neck_limit_deg is None
        assert history.breaks() == [
            BreakRow(5, 3, "due", 200, 200, 7200, 60.5),
            BreakRow(9, 3, "taken", 300, 800, 7200, 61.0),
        ]
        assert [said.note for said in history.feedback()] == ["no"]
    with History(path, is_writable=True) as history:
        history.put(BreakRow(0, 3, "micro_due", 400, 400, 7200, 30.0))
        with pytest.raises(HistoryError):
            history.put(BreakRow(0, 3, "coffee", 400, 400, 7200, 30.0))
        history.delete_before(9400)
        assert history.breaks() == [], "they still belong to their session"


def test_wherever_the_second_version_fails_the_first_is_as_it_was(path):
    before = make_first_version(path)
    statements = MIGRATIONS[1].split(";")
    for n in range(len(statements)):
        broken = ";".join([*statements[:n], "INSERT INTO nonsense VALUES (1)"])
        with pytest.raises(HistoryError):
            History(path, is_writable=True, migrations=[MIGRATIONS[0], broken])
        assert dump(path) == before
    with History(path) as history:
        assert len(history.breaks()) == 2


def test_the_tables_are_those_the_rows_need(path):
    make_history(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table in TABLES.values():
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
            needed = {table.stored.get(name, (name,))[0] for name in table.written}
            assert columns - {"id"} == needed


# -- Files that are not as they should be -----------------------------------------------


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_newer_schema_is_left_alone(path, is_writable):
    make_history(path)
    with History(path, is_writable=True, migrations=[*MIGRATIONS, NEXT]):
        pass
    before = fingerprint(path)
    with pytest.raises(
        HistoryError, match=f"{NEWER}, this program knows {len(MIGRATIONS)}: use the newer program"
    ):
        History(path, is_writable=is_writable)
    assert fingerprint(path) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_newer_schema_that_is_only_in_the_log_is_left_alone(path):
    make_history(path)
    with History(path, is_writable=True, migrations=[*MIGRATIONS, NEXT]):
        before = fingerprint(path)
        with pytest.raises(HistoryError, match=NEWER):
            History(path, is_writable=True)
        assert fingerprint(path) == before


def crash(path, folder, **options):
    """Copy the history of a program that was killed after putting in a row: the row is in the log only."""
    with History(path, is_writable=True, **options) as history:
        history.put(dataclasses.replace(SESSION, profile="killed"))
        shutil.copytree(path.parent, folder)
    return folder / path.name, folder / f"{path.name}-wal"


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_newer_program_that_was_killed_loses_nothing_by_us(path, tmp_path, is_writable):
    make_history(path)
    newer = [*MIGRATIONS, NEXT]
    with History(path, is_writable=True, migrations=newer):
        pass
    copy, log = crash(path, tmp_path / "copy", migrations=newer)
    before = fingerprint(copy), fingerprint(log)
    with pytest.raises(HistoryError, match=NEWER):
        History(copy, is_writable=is_writable)
    assert (fingerprint(copy), fingerprint(log)) == before


def test_what_a_killed_program_had_committed_is_there(path, tmp_path):
    make_history(path)
    for is_writable in (False, True):
        copy, _ = crash(path, tmp_path / f"copy {is_writable}")
        with History(copy, is_writable=is_writable) as history:
            assert [row.profile for row in history.sessions()] == ["default", "killed"]


def test_the_log_of_a_damaged_file_is_moved_with_it(path, tmp_path):
    make_history(path)
    copy, log = crash(path, tmp_path / "copy")
    damage_text(copy)
    before = {fingerprint(copy), fingerprint(log)}
    with History(copy, is_writable=True) as history:
        assert history.sessions() == []
        aside = {fingerprint(file) for file in copy.parent.iterdir() if "damaged" in file.name}
    assert before <= aside


@pytest.mark.parametrize("is_writable", [True, False])
def test_another_programs_database_is_left_alone(path, is_writable):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bouts (mine)")
    before = fingerprint(path)
    with pytest.raises(HistoryError, match="another program's database"):
        History(path, is_writable=is_writable)
    assert fingerprint(path) == before
    assert APPLICATION_ID.to_bytes(4, "big") == b"post"


def damage_text(path):
    path.write_bytes(b"not a database, a letter to my aunt " * 100)


def damage_page(path):
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)


def damage_length(path):
    path.write_bytes(path.read_bytes()[:5000])


def damage_schema(path):
    content = bytearray(path.read_bytes())
    content[100:112] = b"\x00" * 12
    path.write_bytes(content)


DAMAGES = [damage_text, damage_page, damage_length, damage_schema]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(path, damage):
    make_history(path)
    damage(path)
    before, told = fingerprint(path), []
    with History(path, is_writable=True, on_moved_aside=told.append) as history:
        history.put(SESSION)
        assert len(history.sessions()) == 1
    (aside,) = [file for file in path.parent.iterdir() if "damaged" in file.name]
    assert fingerprint(aside) == before, "nothing is deleted"
    (text,) = told
    assert str(aside) in text
    assert "\n" not in text
    damage(path)
    with History(path, is_writable=True):
        pass
    assert len([file for file in path.parent.iterdir() if "damaged" in file.name]) == 2, "both are kept"


@pytest.mark.parametrize("damage", DAMAGES)
def test_reading_a_damaged_file_says_so_and_touches_nothing(path, damage):
    make_history(path)
    damage(path)
    before = fingerprint(path)
    with pytest.raises(DamagedHistoryError, match="damaged"), History(path) as history:
        for name in KINDS:
            getattr(history, name)()
    assert fingerprint(path) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_flipped_byte_is_more_than_one_clear_line(path):
    with History(path, is_writable=True) as history:
        make_year(history, days=2, seed=6, hours=0.3)
    good, rng, n_failed = path.read_bytes(), random.Random(9), 0
    for _ in range(60):
        content = bytearray(good)
        for _ in range(rng.choice([1, 3, 200])):
            at = rng.choice([rng.randrange(60), rng.randrange(72, len(content))])  # not what says whose it is
            content[at] = rng.randrange(256)
        path.write_bytes(content)
        try:
            with History(path) as history:
                for name in KINDS:
                    getattr(history, name)()
        except HistoryError as error:
            n_failed += 1
            assert "\n" not in str(error)
        with History(path, is_writable=True, on_moved_aside=str) as history, history.transaction():
            history.put(SESSION)
        for file in path.parent.iterdir():
            file.unlink()
    assert n_failed > 10


def test_a_folder_in_its_place_is_one_clear_line(path):
    path.mkdir(parents=True)
    for is_writable in (True, False):
        with pytest.raises(HistoryError, match=r"Is a directory; check"):
            History(path, is_writable=is_writable)


def test_a_locked_database_can_be_read_and_says_who_is_in_the_way_of_writing(path):
    make_history(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with History(path, busy_s=0.01) as history:
            assert len(history.bouts()) == 2
        with (
            History(path, is_writable=True, busy_s=0.01) as history,
            pytest.raises(HistoryError, match="in use by another program"),
            history.transaction(),
        ):
            history.put(SESSION)
        other.execute("ROLLBACK")
        with History(path, is_writable=True, busy_s=0.01) as history, history.transaction():
            history.put(SESSION)


def test_a_database_that_another_program_has_for_itself_is_not_read_behind_its_back(path):
    make_history(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("UPDATE sessions SET profile = 'other'")
        with (
            pytest.raises(HistoryError, match="in use by another program"),
            History(path, busy_s=0.01) as history,
        ):
            history.sessions()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_read_only_folder_can_be_read_and_says_that_it_cannot_be_written():
    with shared_folder() as folder:
        path = folder / "history.sqlite"
        before = make_history(path)
        path.chmod(0o444)
        folder.chmod(0o555)
        with as_nobody():
            with History(path) as history:
                assert len(history.bouts()) == 2
            with pytest.raises(HistoryError, match="Permission denied; check the folder"):
                History(path, is_writable=True)
            with pytest.raises(HistoryError, match="Permission denied; check the folder"):
                History(folder / "other.sqlite", is_writable=True)
        assert fingerprint(path) == before
        path.chmod(0o000)
        with as_nobody(), pytest.raises(HistoryError, match=r"cannot read the history .* Permission denied"):
            History(path)
        folder.chmod(0o755)


READ = "import sys; from pathlib import Path; from posture.history.store import History; "
READ += "history = History(Path(sys.argv[1])); print(len(history.sessions())); history.close()"


def test_a_second_connection_of_a_process_takes_no_locks_away_from_the_first(path):
    def others_see():
        command = [sys.executable, "-c", READ, str(path)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    log = path.with_name(path.name + "-wal")
    with History(path, is_writable=True) as writer:
        writer.put(SESSION)
        for is_writable in (False, True):  # as an answer to an alert is stored while the monitor runs
            with History(path, is_writable=is_writable) as reader:
                assert reader.sessions()
        assert others_see() == 1
        assert log.exists(), "another program took itself for the last one"
        writer.put(dataclasses.replace(SESSION, start_utc_ms=T0_MS + 5000, end_utc_ms=T0_MS + 6000))
        assert others_see() == 2, "what is written now goes into a file that is gone"
    assert not log.exists()


def test_no_handle_is_kept_after_the_last_connection(path):
    def handles():
        return {file.path for file in psutil.Process().open_files()}

    with History(path, is_writable=True), History(path):
        assert str(path) in handles()
    assert str(path) not in handles()
    path.write_bytes(b"rubbish " * 500)
    with pytest.raises(HistoryError):
        History(path)
    assert str(path) not in handles()


def test_a_failed_transaction_leaves_nothing(path):
    make_history(path)
    with History(path, is_writable=True) as history:
        with pytest.raises(ZeroDivisionError), history.transaction():
            history.put(dataclasses.replace(SESSION, profile="half"))
            _ = 1 / 0
        with pytest.raises(HistoryError), history.transaction():
            history.put(dataclasses.replace(SESSION, profile="half"))
            history.put(bout(4711, T0_MS, T0_MS))  # of no session
        assert [s.profile for s in history.sessions()] == ["default"]


# -- Deleting ----------------------------------------------------------------------------------------------------------


def test_deleting_takes_what_ended_before_and_all_that_hangs_on_it(path):
    with History(path, is_writable=True) as history:
        make_year(history, days=10, seed=3)
        start, end = history.span()
        middle = history.bouts()[len(history.bouts()) // 2].start_utc_ms + 1
        expected = {name: getattr(history, name)(middle) for name in KINDS}
        alerts = {row.id for row in expected["alerts"]}
        expected["feedback"] = [row for row in history.feedback() if row.alert_id in alerts]
        n_sessions = len(history.sessions())
        gone = history.delete_before(middle)
        assert gone == n_sessions - len(expected["sessions"]) > 0
        for name in KINDS:
            assert getattr(history, name)() == expected[name], name
        assert start < history.span()[0]
        assert history.span()[1] == end
        assert history.delete_before(middle) == 0


def test_deleting_in_small_steps_ends_with_the_same(path):
    with History(path, is_writable=True) as history:
        make_year(history, days=20, seed=4)
        end = history.span()[1]
        assert [history.delete_before(end + 1, limit=10) for _ in range(4)] == [10, 10, 8, 0]
        assert [getattr(history, name)() for name in KINDS] == [[]] * 6


def test_what_is_deleted_is_gone_from_the_file(path):
    with History(path, is_writable=True) as history:
        history.put(dataclasses.replace(SESSION, profile="my-secret-desk"))
        make_year(history, days=60)
        size = path.stat().st_size
        history.delete_before(history.span()[1] + 1)
        history.vacuum()
        assert path.stat().st_size < size / 4
        files = list(path.parent.iterdir())
        assert not any(b"my-secret-desk" in file.read_bytes() for file in files)


def test_deleting_leaves_no_copy_in_the_free_space(path):
    with History(path, is_writable=True) as history:
        history.put(dataclasses.replace(SESSION, profile="my-secret-desk"))
        make_year(history, days=3)
        history.delete_before(history.span()[1] + 1)
    assert b"my-secret-desk" not in path.read_bytes()


def test_ten_years_are_stored_and_read(path):
    with History(path, is_writable=True) as history:
        make_year(history, days=3650, seed=5, hours=0.4)
        first, last = history.span()
        assert (last - first) / 86_400_000 > 3640
        week = history.bouts(last - 7 * 86_400_000, last)
        assert 0 < len(week) < len(history.bouts()) / 100
