"""The history's database: opened, migrated, moved aside when damaged; rows in and out. The only user of SQLite."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from posture.errors import HistoryError
from posture.files import OWNER_ONLY_FOLDER
from posture.history.rows import AlertRow, BoutRow, BreakRow, FeedbackRow, MinuteRow, SessionRow
from posture.history.schema import APPLICATION_ID, MIGRATIONS, TABLES
from posture.slouch import Reason, SlouchState

Row = SessionRow | BoutRow | MinuteRow | AlertRow | BreakRow | FeedbackRow
R = TypeVar("R", SessionRow, BoutRow, MinuteRow, AlertRow, BreakRow, FeedbackRow)

FOREVER_UTC_MS = 1 << 62
BUSY_S = 2.0
"""Seconds to wait for another program that writes (our choice: longer than any write of ours but a VACUUM)."""
_STATES = {state.value: state for state in SlouchState}
_REASONS = {reason.value: reason for reason in Reason}
_HEADER_BYTES = 100  # https://sqlite.org/fileformat2.html: user version at 60, application id at 68
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


class History:
    """The history of one person on one computer; a context manager.

    Parameters
    ----------
    path : Path
        The database.
    is_writable : bool
        True: make file and folder (for the owner only) where missing, and move a damaged file aside. False: to read; a
        missing file reads as an empty history and is not made.
    on_moved_aside : callable
        Told in one line when a damaged database has been moved aside and a new one begun.
    busy_s : float
        How long to wait, seconds, while another program writes.
    migrations : sequence of str
        The schema; for tests.

    Raises
    ------
    HistoryError
        If it cannot be opened, is damaged (reading), is another program's, or a newer version of this program wrote it.
        Nothing has been touched then. Every method may raise it too: what it was about to write is not written.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_writable: bool = False,
        on_moved_aside: Callable[[str], None] = lambda text: None,
        busy_s: float = BUSY_S,
        migrations: Sequence[str] = MIGRATIONS,
    ) -> None:
        self.path = path
        self._migrations = migrations
        self._busy_s = busy_s
        if is_writable:
            try:
                self._connection = self._open_to_write()
            except DamagedHistoryError:
                aside = _move_aside(path)
                self._connection = self._open_to_write()
                on_moved_aside(f"the history {path} was damaged; it is kept as {aside}, and a new one begun")
        else:
            self._connection = self._open_to_read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        with self._errors():
            self._connection.close()

    def sessions(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[SessionRow]:
        """Return the sessions that overlap ``since <= moment < until``, oldest first; so do the other readers."""
        return self._read(SessionRow, since_utc_ms, until_utc_ms)

    def bouts(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[BoutRow]:
        """Return bouts; one that reaches over an end of the range comes whole."""
        found = self._execute(TABLES[BoutRow].overlapping, {"since": since_utc_ms, "until": until_utc_ms})
        # A reason that a newer version has added is none that we know.
        none = Reason.NONE
        return [
            BoutRow(number, session, _STATES[state], _REASONS.get(reason, none), *rest)
            for number, session, state, reason, *rest in found
        ]

    def minutes(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[MinuteRow]:
        """Return the minutes in which something was judged."""
        return self._read(MinuteRow, since_utc_ms, until_utc_ms)

    def alerts(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[AlertRow]:
        """Return the alerts by the moment they were given."""
        return self._read(AlertRow, since_utc_ms, until_utc_ms)

    def breaks(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[BreakRow]:
        """Return breaks due and taken."""
        return self._read(BreakRow, since_utc_ms, until_utc_ms)

    def feedback(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[FeedbackRow]:
        """Return what was said about alerts, by the moment it was said."""
        return self._read(FeedbackRow, since_utc_ms, until_utc_ms)

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last moment known, UTC ms; None = nothing is stored."""
        ((start, end),) = self._execute("SELECT min(start_utc_ms), max(end_utc_ms) FROM sessions")
        return None if start is None else (start, end)

    def last_alerts(self, n: int) -> list[AlertRow]:
        """Return the newest `n` alerts, newest first."""
        found = self._execute(f"{TABLES[AlertRow].select} ORDER BY t.at_utc_ms DESC LIMIT ?", (n,))
        return [AlertRow(*values) for values in found]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside stand or fall together."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk rolls back by itself
                with contextlib.suppress(HistoryError):  # the first failure is the one to tell about
                    self._execute("ROLLBACK")
            raise

    def put(self, row: Row) -> int:
        """Store `row`, or let it take the place of an older copy of itself, and return its id.

        Two rows are copies of one when their natural keys agree (a bout's: its session and start). The longer one, or
        the one that knows more, stays. The row's own `id` and, except for sessions and feedback, its `utc_offset_s` are
        not looked at.
        """
        table = TABLES[type(row)]
        self._execute(table.upsert, [getattr(row, name) for name in table.written])
        if isinstance(row, MinuteRow):
            return 0  # has none
        ((number,),) = self._execute(table.find, [getattr(row, name) for name in table.key])
        return int(number)

    def delete_before(self, before_utc_ms: int, limit: int | None = None) -> int:
        """Delete what ended before a moment and return how many sessions are gone.

        Parameters
        ----------
        before_utc_ms : int
            The moment, UTC ms. A session that goes on later loses its rows that ended before it.
        limit : int or None
            Delete at most this many sessions, so that a running monitor is not held up; None = all.
        """
        with self.transaction():
            gone = self._execute(
                "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE end_utc_ms < ? LIMIT ?) RETURNING id",
                (before_utc_ms, -1 if limit is None else limit),
            )
            cut = "SELECT id FROM sessions WHERE start_utc_ms < ?1 AND end_utc_ms >= ?1"
            for table, end in (
                ("bouts", "end_utc_ms"),
                ("minutes", "start_utc_min * 60000 + 60000"),
                ("alerts", "at_utc_ms"),
                ("breaks", "end_utc_ms"),
            ):
                self._execute(
                    f"DELETE FROM {table} WHERE session_id IN ({cut}) AND {end} < ?1", (before_utc_ms,)
                )
        return len(gone)

    def vacuum(self) -> None:
        """Give the space of what was deleted back to the disk, and leave no copy of it in the file."""
        self._execute("VACUUM")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _read(self, row: type[R], since_utc_ms: int, until_utc_ms: int) -> list[R]:
        """Return the rows of one type that overlap a range."""
        found = self._execute(TABLES[row].overlapping, {"since": since_utc_ms, "until": until_utc_ms})
        return [row(*values) for values in found]

    def _execute(self, sql: str, parameters: Any = ()) -> list[Any]:
        """Run one statement and return what it gives."""
        with self._errors():
            return self._connection.execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translate(error, self.path) from error

    def _open_to_write(self) -> sqlite3.Connection:
        """Return a connection to the database, made where missing, sound and of today's schema."""
        try:
            self.path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            os.close(
                os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            )  # SQLite gives its other files the same mode
        except OSError as error:
            raise HistoryError(
                f"cannot write the history {self.path}: {error.strerror}; check the folder and the free space"
            ) from error
        self._check_header()
        connection = self._connect("rw")
        try:
            with self._errors():
                self._check_whose(connection)
                if (found := connection.execute("PRAGMA quick_check(1)").fetchall()) != [("ok",)]:
                    raise DamagedHistoryError(f"the history {self.path} is damaged: {found[0][0]}")
                # A power cut must not take what has been committed: https://sqlite.org/pragma.html#pragma_synchronous
                for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                    connection.execute(f"PRAGMA {pragma}")
                migrate(connection, self._migrations)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_to_read(self) -> sqlite3.Connection:
        """Return a connection for reading; an empty database in memory when there is no file."""
        try:
            is_there = self.path.exists() and self.path.stat().st_size > 0
            if is_there:
                self._check_header()
        except OSError as error:
            raise HistoryError(f"cannot read the history {self.path}: {error.strerror}") from error
        if not is_there:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            migrate(connection, self._migrations)
            return connection
        connection = self._connect("rw")  # falls back to reading by itself
        try:
            with self._errors():
                self._check_whose(connection)
                if _version(connection) < len(self._migrations):
                    migrate(connection, self._migrations)
        except HistoryError:
            connection.close()
            wal = self.path.with_name(self.path.name + "-wal")
            if os.access(self.path.parent, os.W_OK) or (wal.exists() and wal.stat().st_size > 0):
                raise
            # WAL wants a file beside the database, even to read; nobody can be writing here.
            connection = self._connect("ro&immutable=1")
            with self._errors():
                self._check_whose(connection)
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        """Return a new connection in autocommit mode."""
        with self._errors():
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=self._busy_s,
                isolation_level=None,
            )
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _check_header(self) -> None:
        """Refuse a newer or foreign database before SQLite has it in hand."""
        with self.path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if len(header) == _HEADER_BYTES and header.startswith(b"SQLite format 3\0"):
            self._refuse_newer(int.from_bytes(header[60:64], "big"))

    def _check_whose(self, connection: sqlite3.Connection) -> None:
        """Refuse a newer or foreign database."""
        self._refuse_newer(_version(connection))
        ((owner,),) = connection.execute("PRAGMA application_id").fetchall()
        ((n_tables,),) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        if n_tables and owner != APPLICATION_ID:
            raise HistoryError(f"{self.path} is another program's database; move it away")

    def _refuse_newer(self, version: int) -> None:
        """Raise if `version` is newer than the schema we know."""
        if version > len(self._migrations):
            raise HistoryError(
                f"the history {self.path} is of version {version}, this program knows {len(self._migrations)}: "
                "use the newer program, or move the file away"
            )


class DamagedHistoryError(HistoryError):
    """Error raised when the database's content cannot be relied on."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Bring the schema up to date, each step in one transaction that stands or falls.

    Parameters
    ----------
    connection : sqlite3.Connection
        In autocommit mode.
    migrations : sequence of str
        SQL from each version to the next.

    Raises
    ------
    sqlite3.Error
        If a step fails; the schema is then as it was before that step.
    """
    while (version := _version(connection)) < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == version:  # else another program was first
                for statement in _statements(migrations[version]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would commit before and between them."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" ;\n"):
                yield statement
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    """Return how many migrations a database has seen."""
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    return int(version)


def _move_aside(path: Path) -> Path:
    """Rename a damaged database and its companions and return its new path; nothing is deleted."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    tries = (
        path.with_name(f"{path.stem}.damaged-{stamp}{n}{path.suffix}")
        for n in ("", *map(str, range(-2, -99, -1)))
    )
    aside = next(name for name in tries if not name.exists())
    try:
        for suffix in ("-wal", "-shm", ""):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise HistoryError(
            f"the history {path} is damaged and cannot be moved aside: {error.strerror}"
        ) from error
    return aside


def _translate(error: sqlite3.Error, path: Path) -> HistoryError:
    """Return our error for one of SQLite's."""
    code = (
        getattr(error, "sqlite_errorcode", 0) & 0xFF
    )  # the extended codes carry the primary one in the low byte
    if code in _DAMAGED:
        return DamagedHistoryError(f"the history {path} is damaged ({error}); 'posture run' moves it aside")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return HistoryError(f"the history {path} is in use by another program; try again in a moment")
    if code in _UNWRITABLE:
        return HistoryError(
            f"cannot write the history {path}: {error}; check its permissions and its folder's"
        )
    return HistoryError(f"the history {path}: {error}; check the free space and the disk")
