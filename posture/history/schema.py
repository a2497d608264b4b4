"""The history's tables: their SQL, migration by migration, and how rows go in and out. Pure; no I/O.

Angles and ratios of bouts and minutes are kept as whole hundredths and thousandths: finer than anything measured, and a
third of the size. `utc_offset_s` is kept once, with the session, which never spans a change of it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from posture.history.rows import AlertRow, BoutRow, BreakRow, FeedbackRow, MinuteRow, SessionRow

APPLICATION_ID = 0x706F7374
"""``post``, in the file's header: tells our database from somebody else's."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        start_utc_ms INTEGER NOT NULL,
        end_utc_ms INTEGER NOT NULL CHECK (end_utc_ms >= start_utc_ms),
        utc_offset_s INTEGER NOT NULL,
        source TEXT NOT NULL,
        profile TEXT NOT NULL,
        placement TEXT NOT NULL,
        UNIQUE (start_utc_ms, source, profile)
    );
    CREATE TABLE bouts (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        state TEXT NOT NULL CHECK (state IN ('unknown', 'upright', 'slouching', 'away')),
        reason TEXT NOT NULL,
        start_utc_ms INTEGER NOT NULL,
        end_utc_ms INTEGER NOT NULL CHECK (end_utc_ms >= start_utc_ms),
        mean_neck_cdeg INTEGER,
        max_neck_cdeg INTEGER,
        mean_thoracic_cdeg INTEGER,
        max_thoracic_cdeg INTEGER,
        mean_slouch_permille INTEGER,
        max_slouch_permille INTEGER,
        UNIQUE (session_id, start_utc_ms)
    );
    CREATE TABLE minutes (
        session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        start_utc_min INTEGER NOT NULL,
        judged_ds INTEGER NOT NULL,
        neck_cdeg INTEGER NOT NULL,
        thoracic_cdeg INTEGER NOT NULL,
        slouch_permille INTEGER NOT NULL,
        PRIMARY KEY (session_id, start_utc_min)
    ) WITHOUT ROWID;
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        onset_utc_ms INTEGER NOT NULL,
        at_utc_ms INTEGER NOT NULL CHECK (at_utc_ms >= onset_utc_ms),
        slouched_s REAL NOT NULL,
        driver TEXT NOT NULL,
        neck_deg REAL,
        thoracic_deg REAL,
        flexion_deg REAL,
        sink_ratio REAL,
        slouch_ratio REAL,
        neck_limit_deg REAL NOT NULL,
        thoracic_limit_deg REAL NOT NULL,
        flexion_limit_deg REAL NOT NULL,
        sink_limit_ratio REAL NOT NULL,
        baseline_utc TEXT NOT NULL,
        recovered_utc_ms INTEGER CHECK (recovered_utc_ms >= at_utc_ms),
        trace_path TEXT NOT NULL,
        trace_t_s REAL NOT NULL,
        UNIQUE (session_id, at_utc_ms)
    );
    CREATE TABLE breaks (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('due', 'taken')),
        start_utc_ms INTEGER NOT NULL,
        end_utc_ms INTEGER NOT NULL CHECK (end_utc_ms >= start_utc_ms),
        sat_s REAL NOT NULL,
        UNIQUE (session_id, kind, start_utc_ms)
    );
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY,
        alert_id INTEGER NOT NULL UNIQUE REFERENCES alerts ON DELETE CASCADE,
        at_utc_ms INTEGER NOT NULL,
        utc_offset_s INTEGER NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict IN ('wrong', 'right')),
        note TEXT NOT NULL
    );
    """,
    # The limits in force, for the sessions too; an older one has what its last alert was given against. A table's
    # CHECK cannot be changed: https://sqlite.org/lang_altertable.html#otheralter
    """
    ALTER TABLE sessions ADD COLUMN neck_limit_deg REAL;
    ALTER TABLE sessions ADD COLUMN thoracic_limit_deg REAL;
    ALTER TABLE sessions ADD COLUMN flexion_limit_deg REAL;
    ALTER TABLE sessions ADD COLUMN sink_limit_ratio REAL;
    UPDATE sessions SET (neck_limit_deg, thoracic_limit_deg, flexion_limit_deg, sink_limit_ratio) = (
        SELECT neck_limit_deg, thoracic_limit_deg, flexion_limit_deg, sink_limit_ratio
        FROM alerts WHERE session_id = sessions.id ORDER BY at_utc_ms DESC LIMIT 1
    );
    CREATE TABLE new_breaks (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('due', 'taken', 'micro_due')),
        start_utc_ms INTEGER NOT NULL,
        end_utc_ms INTEGER NOT NULL CHECK (end_utc_ms >= start_utc_ms),
        sat_s REAL NOT NULL,
        UNIQUE (session_id, kind, start_utc_ms)
    );
    INSERT INTO new_breaks (id, session_id, kind, start_utc_ms, end_utc_ms, sat_s)
        SELECT id, session_id, kind, start_utc_ms, end_utc_ms, sat_s FROM breaks;
    DROP TABLE breaks;
    ALTER TABLE new_breaks RENAME TO breaks;
    """,
)
"""SQL from each version to the next; the version is how many have been run. Never change one that was released."""

_CDEG = ("{} / 100.0", "CAST(round(? * 100) AS INTEGER)")
_PERMILLE = ("{} / 1000.0", "CAST(round(? * 1000) AS INTEGER)")
_STORED = {
    "mean_neck_deg": ("mean_neck_cdeg", *_CDEG),
    "max_neck_deg": ("max_neck_cdeg", *_CDEG),
    "mean_thoracic_deg": ("mean_thoracic_cdeg", *_CDEG),
    "max_thoracic_deg": ("max_thoracic_cdeg", *_CDEG),
    "mean_slouch_ratio": ("mean_slouch_permille", *_PERMILLE),
    "max_slouch_ratio": ("max_slouch_permille", *_PERMILLE),
}
_STORED_MINUTE = {
    "start_utc_ms": ("start_utc_min", "{} * 60000", "? / 60000"),
    "judged_s": ("judged_ds", "{} / 10.0", "CAST(round(? * 10) AS INTEGER)"),
    "neck_deg": ("neck_cdeg", *_CDEG),
    "thoracic_deg": ("thoracic_cdeg", *_CDEG),
    "slouch_ratio": ("slouch_permille", *_PERMILLE),
}


@dataclass(frozen=True)
class Table:
    """One table and the row type it holds."""

    name: str
    row: type[Any]
    key: tuple[str, ...]
    """Fields by which two copies of a row are told to be the same."""
    wins: str
    """SQL: whether the copy that comes replaces the one that is there."""
    start: str
    end: str
    """SQL of its span, UTC ms; an empty span is its moment."""
    stored: dict[str, tuple[str, str, str]]
    """Fields that are stored otherwise: column, SQL to read it, SQL to write it."""
    has_own_offset: bool = False

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names of the row's fields."""
        return tuple(field.name for field in fields(self.row))

    @cached_property
    def written(self) -> tuple[str, ...]:
        """Fields that are columns of the table: without `id`, which the database gives."""
        left_out = {"id"} if self.has_own_offset else {"id", "utc_offset_s"}
        return tuple(name for name in self.fields if name not in left_out)

    @cached_property
    def select(self) -> str:
        """SQL that gives the rows, fields in order, over ``t`` and its session ``s``."""
        parts = []
        for name in self.fields:
            column, read, _ = self.stored.get(name, (name, "{}", "?"))
            owner = "s" if name == "utc_offset_s" and not self.has_own_offset else "t"
            parts.append(read.format(f"{owner}.{column}"))
        return f"SELECT {', '.join(parts)} FROM {self.name} t {self._join}"

    @cached_property
    def _join(self) -> str:
        """SQL that finds a row's session as ``s``."""
        if self.row is SessionRow:
            return "JOIN sessions s ON s.id = t.id"
        if self.row is FeedbackRow:
            return "JOIN alerts a ON a.id = t.alert_id JOIN sessions s ON s.id = a.session_id"
        return "JOIN sessions s ON s.id = t.session_id"

    @cached_property
    def overlapping(self) -> str:
        """SQL of the rows that overlap ``:since <= moment < :until``, oldest first."""
        return f"{self.select} {self._in_range}"

    @cached_property
    def overlapping_spans(self) -> str:
        """SQL of the same rows of bouts, in columns those of `BoutSpan`."""
        columns = "t.state, t.reason, t.start_utc_ms, t.end_utc_ms, s.utc_offset_s"
        return f"SELECT {columns} FROM {self.name} t {self._join} {self._in_range}"

    @cached_property
    def _in_range(self) -> str:
        """SQL that picks them."""
        # What is said about an alert may be said long after its session.
        session = "" if self.row is FeedbackRow else "s.end_utc_ms >= :since AND s.start_utc_ms < :until AND "
        start, end = f"t.{self.start}", f"t.{self.end}"
        own = f"{start} < :until AND max({end}, {start} + 1) > :since"
        if self.row is MinuteRow:
            own = "t.start_utc_min * 60000 < :until AND (t.start_utc_min + 1) * 60000 > :since"
        return f"WHERE {session}{own} ORDER BY {start}"

    @cached_property
    def upsert(self) -> str:
        """SQL that puts a row in, or in the place of an older copy of it."""
        columns = [self.stored.get(name, (name, "", ""))[0] for name in self.written]
        values = [self.stored.get(name, ("", "", "?"))[2] for name in self.written]
        key = [self.stored.get(name, (name,))[0] for name in self.key]
        # What a copy does not know stays as it is: one from an older version lacks columns.
        updates = ", ".join(f"{c} = coalesce(excluded.{c}, {self.name}.{c})" for c in columns if c not in key)
        return (
            f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({', '.join(values)}) "
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates} WHERE {self.wins}"
        )

    @cached_property
    def find(self) -> str:
        """SQL that gives the id of the row with a key."""
        # Only the row types that have an id are looked for.
        return f"SELECT id FROM {self.name} WHERE " + " AND ".join(f"{name} = ?" for name in self.key)


_LONGER = "excluded.end_utc_ms >= {0}.end_utc_ms"
TABLES: dict[type[Any], Table] = {
    table.row: table
    for table in (
        Table(
            "sessions",
            SessionRow,
            ("start_utc_ms", "source", "profile"),
            _LONGER.format("sessions"),
            "start_utc_ms",
            "end_utc_ms",
            {},
            has_own_offset=True,
        ),
        Table(
            "bouts",
            BoutRow,
            ("session_id", "start_utc_ms"),
            _LONGER.format("bouts"),
            "start_utc_ms",
            "end_utc_ms",
            _STORED,
        ),
        Table(
            "minutes",
            MinuteRow,
            ("session_id", "start_utc_ms"),
            "excluded.judged_ds >= minutes.judged_ds",
            "start_utc_min",
            "start_utc_min",
            _STORED_MINUTE,
        ),
        Table(
            "alerts",
            AlertRow,
            ("session_id", "at_utc_ms"),
            "excluded.recovered_utc_ms IS NOT NULL OR alerts.recovered_utc_ms IS NULL",
            "at_utc_ms",
            "at_utc_ms",
            {},
        ),
        Table(
            "breaks",
            BreakRow,
            ("session_id", "kind", "start_utc_ms"),
            _LONGER.format("breaks"),
            "start_utc_ms",
            "end_utc_ms",
            {},
        ),
        Table(
            "feedback",
            FeedbackRow,
            ("alert_id",),
            "excluded.at_utc_ms >= feedback.at_utc_ms",
            "at_utc_ms",
            "at_utc_ms",
            {},
            has_own_offset=True,
        ),
    )
}
"""What is kept of every row type, parents before children."""
