"""The history's database file: opened, migrated, refused, moved aside when damaged. The only user of SQLite."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from posture.errors import DamagedHistoryError, HistoryError, OutputError
from posture.files import make_folder
from posture.history.hold import HEADER_BYTES, Hold
from posture.history.schema import APPLICATION_ID, MIGRATIONS

_MAGIC = b"SQLite format 3\0"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_COMPANIONS = ("-wal", "-shm")


class Database:
    """An open database of today's schema; made by :func:`open_to_write` or :func:`open_to_read`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, hold: Hold | None = None) -> None:
        self.path, self._connection, self._hold = path, connection, hold
        self._changed_ns = self._change_ns()

    def close(self) -> None:
        """Close the file."""
        try:
            with _errors(self.path):
                self._connection.close()
        finally:
            if self._hold is not None:
                self._hold.release()

    def execute(self, sql: str, parameters: Any = ()) -> list[Any]:
        """Run one statement and return all it gives.

        Raises
        ------
        HistoryError
            If it fails; it has changed nothing then.
        """
        with _errors(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def size_bytes(self) -> int:
        """Return the size of the file and its log; 0 = there is none."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside stand or fall together."""
        with _errors(self.path), _transaction(self._connection):
            yield
        self._changed_ns = self._change_ns()

    @property
    def is_in_place(self) -> bool:
        """Whether the open file is still the one under its name, still a database, and as we left it.

        Programs of ours write to the log beside it while we have it open; who changes the file itself may damage it,
        which opening it anew finds out.
        """
        if self._hold is None or not self._hold.is_of(self.path) or self._change_ns() != self._changed_ns:
            return False
        header = self._hold.header()
        return not header or header.startswith(_MAGIC)

    def _change_ns(self) -> int:
        """Return when the file was changed last, ns; -1 = there is none."""
        return -1 if self._hold is None else self._hold.changed_ns()


def open_to_write(path: Path, busy_s: float, migrations: Sequence[str] = MIGRATIONS) -> Database:
    """Open the database at `path`, made where missing for the owner only, checked and brought up to date.

    Raises
    ------
    DamagedHistoryError
        If it is damaged; :func:`move_aside` makes room for a new one.
    HistoryError
        If it cannot be written, or is another program's or a newer program's; it is untouched then.
    """
    try:
        make_folder(path.parent)
        _make_file(path)
        hold = Hold(path)
    except OutputError as error:
        raise HistoryError(f"the history: {error}") from error
    except OSError as error:
        raise HistoryError(
            f"cannot write the history {path}: {error.strerror}; check the folder and the free space"
        ) from error
    connection: sqlite3.Connection | None = None
    try:
        _check_header(path, hold, migrations)
        connection = _connect(path, "rw", busy_s)
        with _errors(path, is_first_look=True):
            _check(path, connection, migrations)
            if (found := connection.execute("PRAGMA quick_check(1)").fetchall()) != [("ok",)]:
                raise DamagedHistoryError(f"the history {path} is damaged: {found[0][0]}")
        with _errors(path):
            # A power cut must not take what has been committed: https://sqlite.org/pragma.html#pragma_synchronous
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            migrate(connection, migrations)
            _check_schema(path, connection, migrations)
    except BaseException:
        if connection is not None:
            connection.close()
        hold.release()
        raise
    return Database(path, connection, hold)


def open_to_read(path: Path, busy_s: float, migrations: Sequence[str] = MIGRATIONS) -> Database:
    """Open the database at `path` for reading; a missing one reads as empty and is not made.

    Raises
    ------
    HistoryError
        If it cannot be read, is damaged, another program's or a newer program's; it is untouched then.
    """
    try:
        hold = Hold(path) if path.exists() and path.stat().st_size > 0 else None
    except OSError as error:
        raise HistoryError(
            f"cannot read the history {path}: {error.strerror}; check its permissions"
        ) from error
    if hold is None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(connection, migrations)
        return Database(path, connection)
    try:
        _check_header(path, hold, migrations)
        return Database(path, _find_connection_to_read(path, busy_s, migrations), hold)
    except BaseException:
        hold.release()
        raise


def _find_connection_to_read(path: Path, busy_s: float, migrations: Sequence[str]) -> sqlite3.Connection:
    """Return a connection that also reads where nothing may be written."""
    try:
        return _connect_to_read(path, "rw", busy_s, migrations)  # falls back to reading by itself
    except HistoryError:
        wal = path.with_name(path.name + "-wal")
        if os.access(path.parent, os.W_OK) or (wal.exists() and wal.stat().st_size > 0):
            raise
        # With a write-ahead log SQLite wants files beside the database even to read; here nobody can be writing.
        return _connect_to_read(path, "ro&immutable=1", busy_s, migrations)


def move_aside(path: Path) -> Path:
    """Rename a damaged database and its companions and return its new path; nothing is deleted.

    Raises
    ------
    HistoryError
        If it cannot be renamed.
    """
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    n = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{stamp}-{n}{path.suffix}")).exists():
        n += 1
    try:
        for suffix in (*_COMPANIONS, ""):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise HistoryError(
            f"the history {path} is damaged and cannot be moved aside: {error.strerror}"
        ) from error
    return aside


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
        with _transaction(connection):
            if _version(connection) != version:
                continue  # another program was first
            for statement in _statements(migrations[version]):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version + 1}")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or undo all of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back by itself after some errors
            with contextlib.suppress(sqlite3.Error):  # the first failure is the one to tell about
                connection.execute("ROLLBACK")
        raise


def _connect(path: Path, mode: str, busy_s: float) -> sqlite3.Connection:
    """Return a new connection in autocommit mode."""
    with _errors(path, is_first_look=True):
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect_to_read(path: Path, mode: str, busy_s: float, migrations: Sequence[str]) -> sqlite3.Connection:
    """Return a new connection to a database of ours; an older one is brought up to date."""
    connection = _connect(path, mode, busy_s)
    try:
        with _errors(path, is_first_look=True):
            _check(path, connection, migrations)
        with _errors(path):
            migrate(connection, migrations)
            _check_schema(path, connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(path: Path, connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Refuse a newer or foreign database."""
    _refuse_newer(path, _version(connection), migrations)
    ((owner,),) = connection.execute("PRAGMA application_id").fetchall()
    ((n_tables,),) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    if n_tables and owner != APPLICATION_ID:
        raise HistoryError(f"{path} is another program's database; move it away")


def _check_schema(path: Path, connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Raise if a table is not as the migrations make it: SQLite does not know what it should be."""
    query = "SELECT name, sql FROM sqlite_schema"
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh, migrations)
        if not set(fresh.execute(query)) <= set(connection.execute(query)):
            raise DamagedHistoryError(
                f"the history {path} is damaged (its tables); 'posture run' moves it aside"
            )


def _refuse_newer(path: Path, version: int, migrations: Sequence[str]) -> None:
    """Raise if `version` is newer than the schema we know."""
    if version > len(migrations):
        raise HistoryError(
            f"the history {path} is of version {version}, this program knows {len(migrations)}: "
            "use the newer program, or move the file away"
        )


def _make_file(path: Path) -> None:
    """Make the file where it is missing, for the owner only: SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _check_header(path: Path, hold: Hold, migrations: Sequence[str]) -> None:
    """Refuse a newer database, or what is none, before SQLite has it in hand and writes its log into it."""
    try:
        header = hold.header()
    except OSError as error:
        raise HistoryError(
            f"cannot read the history {path}: {error.strerror}; check its permissions"
        ) from error
    if not header:
        return
    is_known = header.startswith(_MAGIC) and set(header[18:20]) <= {1, 2}  # else it reads as read-only
    if len(header) < HEADER_BYTES or not is_known:
        raise DamagedHistoryError(
            f"the history {path} is damaged (no database); 'posture run' moves it aside"
        )
    _refuse_newer(path, int.from_bytes(header[60:64], "big"), migrations)  # the user version


def _version(connection: sqlite3.Connection) -> int:
    """Return how many migrations a database has seen."""
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    return int(version)


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would commit before them."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" ;\n"):
                yield statement
            statement = ""


@contextlib.contextmanager
def _errors(path: Path, *, is_first_look: bool = False) -> Iterator[None]:
    """Turn SQLite's errors into ours; a statement that is good in any database fails only in a damaged one."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, path, is_first_look=is_first_look) from error
    except UnicodeDecodeError as error:  # SQLite quotes the file in its message, and sqlite3 cannot read that
        raise DamagedHistoryError(
            f"the history {path} is damaged (not text where there should be); 'posture run' moves it aside"
        ) from error


def _translate(error: sqlite3.Error, path: Path, *, is_first_look: bool) -> HistoryError:
    """Return our error for one of SQLite's."""
    # The extended codes carry the primary one in the low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    text = " ".join(str(error).split())  # it may quote the schema
    # One of the module's own, without a code: it could not decode.
    is_no_text = isinstance(error, sqlite3.OperationalError) and not code
    if code in _DAMAGED or is_no_text or (is_first_look and code == sqlite3.SQLITE_ERROR):
        return DamagedHistoryError(f"the history {path} is damaged ({text}); 'posture run' moves it aside")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return HistoryError(f"the history {path} is in use by another program; try again in a moment")
    if code in _UNWRITABLE:
        return HistoryError(
            f"cannot write the history {path}: {text}; check its permissions and its folder's"
        )
    return HistoryError(f"the history {path}: {text}; check the free space and the disk")
