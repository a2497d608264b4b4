"""The history: rows in and out, by type and by time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self, TypeVar

from posture.errors import DamagedHistoryError
from posture.history.database import move_aside, open_to_read, open_to_write
from posture.history.rows import AlertRow, BoutRow, BoutSpan, BreakRow, FeedbackRow, MinuteRow, SessionRow
from posture.history.schema import MIGRATIONS, TABLES
from posture.slouch import Reason, SlouchState

Row = SessionRow | BoutRow | MinuteRow | AlertRow | BreakRow | FeedbackRow
R = TypeVar("R", SessionRow, BoutRow, MinuteRow, AlertRow, BreakRow, FeedbackRow)

FOREVER_UTC_MS = 1 << 62
BUSY_S = 2.0
"""Seconds to wait for another program that writes (our choice: longer than any write of ours but a VACUUM)."""
_STATES = {state.value: state for state in SlouchState}
_REASONS = {reason.value: reason for reason in Reason}


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
        if is_writable:
            try:
                self._database = open_to_write(path, busy_s, migrations)
            except DamagedHistoryError:
                aside = move_aside(path)
                self._database = open_to_write(path, busy_s, migrations)
                on_moved_aside(f"the history {path} was damaged; it is kept as {aside}, and a new one begun")
        else:
            self._database = open_to_read(path, busy_s, migrations)
        self._execute = self._database.execute

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def sessions(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[SessionRow]:
        """Return the sessions that overlap ``since <= moment < until``, oldest first; so do the other readers."""
        return self._read(SessionRow, since_utc_ms, until_utc_ms)

    def bouts(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[BoutRow]:
        """Return bouts; one that reaches over an end of the range comes whole."""
        found = self._execute(TABLES[BoutRow].overlapping, {"since": since_utc_ms, "until": until_utc_ms})
        none = Reason.NONE  # a reason that a newer version has added is none that we know
        with self._knowing_states():
            return [
                BoutRow(number, session, _STATES[state], _REASONS.get(reason, none), *rest)
                for number, session, state, reason, *rest in found
            ]

    def bout_spans(self, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS) -> list[BoutSpan]:
        """Return the same bouts without their angles."""
        sql = TABLES[BoutRow].overlapping_spans
        found = self._execute(sql, {"since": since_utc_ms, "until": until_utc_ms})
        none = Reason.NONE
        with self._knowing_states():
            return [
                BoutSpan(_STATES[state], _REASONS.get(reason, none), *times)
                for state, reason, *times in found
            ]

    @contextlib.contextmanager
    def _knowing_states(self) -> Iterator[None]:
        """Say that the history is damaged where a state is none that there is."""
        try:
            yield
        except KeyError as error:
            raise DamagedHistoryError(
                f"the history {self.path} is damaged: no state is called {error}"
            ) from error

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

    def counts(self) -> dict[str, int]:
        """Return how many rows there are, by the name of the table."""
        return {
            table.name: self._execute(f"SELECT count(*) FROM {table.name}")[0][0] for table in TABLES.values()
        }

    def size_bytes(self) -> int:
        """Return how much of the disk the history takes, the log of its newest changes included."""
        return self._database.size_bytes()

    def last_alerts(self, n: int) -> list[AlertRow]:
        """Return the newest `n` alerts, newest first."""
        found = self._execute(f"{TABLES[AlertRow].select} ORDER BY t.at_utc_ms DESC LIMIT ?", (n,))
        return [AlertRow(*values) for values in found]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside stand or fall together."""
        with self._database.transaction():
            yield

    def put(self, row: Row) -> int:
        """Store `row`, or let it take the place of an older copy of itself, and return its id.

        Two rows are copies of one when their natural keys agree (a bout's: its session and start). The longer one, or
        the one that knows more, stays. The row's own `id` and, except for sessions and feedback, its `utc_offset_s` are
        not looked at.
        """
        table = TABLES[type(row)]
        values = {name: _clean(getattr(row, name)) for name in table.written}
        self._execute(table.upsert, list(values.values()))
        if isinstance(row, MinuteRow):
            return 0  # has none
        ((number,),) = self._execute(table.find, [values[name] for name in table.key])
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

    def is_in_place(self) -> bool:
        """Return whether the file that is written is still the one under its name."""
        return self._database.is_in_place

    def vacuum(self) -> None:
        """Give the space of what was deleted back to the disk, and leave no copy of it in the file."""
        self._execute("VACUUM")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def free_ratio(self) -> float:
        """Share of the file that nothing is kept in any more."""
        ((free,),), ((pages,),) = (
            self._execute(f"PRAGMA {name}") for name in ("freelist_count", "page_count")
        )
        return float(free / pages) if pages else 0.0

    def _read(self, row: type[R], since_utc_ms: int, until_utc_ms: int) -> list[R]:
        """Return the rows of one type that overlap a range."""
        found = self._execute(TABLES[row].overlapping, {"since": since_utc_ms, "until": until_utc_ms})
        return [row(*values) for values in found]


def _clean(value: object) -> object:
    """Return text without the halves of characters that a terminal or a camera's name may hold; they are no UTF-8."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
