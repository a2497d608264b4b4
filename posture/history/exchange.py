"""The history as a file for other programs and other computers: JSON, CSV, Parquet; and back from the first two.

CSV and Parquet hold all rows in one table: the column ``table`` says what a row is, and cells that its kind does not
have are empty. ``local_time`` is for people; the rest is described in :mod:`posture.history.rows`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from posture.errors import HistoryError, OutputError
from posture.history.rows import AlertRow, BoutRow, BreakRow, FeedbackRow, MinuteRow, SessionRow
from posture.history.schema import TABLES
from posture.history.store import FOREVER_UTC_MS, History, Row

VERSION = 1
LARGEST = 1 << 53  # what every program reads exactly
LAST_UTC_MS = 253_370_764_800_000  # the year 9999, where calendars end
NAMES = {table.name: kind for kind, table in TABLES.items()}
COLUMNS = tuple(dict.fromkeys(field.name for kind in TABLES for field in fields(kind)))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_CHOICES = {"kind": ("due", "taken", "micro_due"), "verdict": ("wrong", "right")}
Content = dict[str, list[dict[str, Any]]]


def encode_history(
    history: History, kind: str, since_utc_ms: int = 0, until_utc_ms: int = FOREVER_UTC_MS
) -> bytes:
    """Return the history as a file's content.

    Parameters
    ----------
    history : History
        What to write.
    kind : str
        ``json``, ``csv`` or ``parquet``.
    since_utc_ms, until_utc_ms : int
        Rows that overlap the range.

    Raises
    ------
    OutputError
        If Parquet is asked for and its library is not installed.
    """
    tables: dict[str, list[Any]] = {
        name: getattr(history, name)(since_utc_ms, until_utc_ms) for name in NAMES
    }
    if until_utc_ms != FOREVER_UTC_MS or since_utc_ms:  # what is said about an alert goes with it
        alerts = {row.id for row in tables["alerts"]}
        tables["feedback"] = [row for row in history.feedback() if row.alert_id in alerts]
    if kind == "json":
        return _encode_json(tables)
    if kind == "csv":
        return _encode_csv(tables)
    return _encode_parquet(tables)


def _flat(tables: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every row of every table with all columns."""
    for name, rows in tables.items():
        names = [field.name for field in fields(NAMES[name])]
        for row in rows:
            moment_ms = int(row.at_utc_ms if hasattr(row, "at_utc_ms") else row.start_utc_ms)
            zone = timezone(timedelta(seconds=row.utc_offset_s))
            local = datetime.fromtimestamp(moment_ms // 1000, UTC).astimezone(zone)
            yield {
                "table": name,
                "local_time": local.isoformat(" "),
                **{key: getattr(row, key) for key in names},
            }


def _encode_json(tables: Mapping[str, list[Any]]) -> bytes:
    """Return the rows as JSON, a row a line."""
    encode = msgspec.json.encode
    lists = [
        encode(name) + b": [\n" + b",\n".join(encode(row) for row in rows) + b"\n]"
        for name, rows in tables.items()
    ]
    return b",\n".join([b'{"posture_history": %d' % VERSION, *lists]) + b"}\n"


def _encode_csv(tables: Mapping[str, list[Any]]) -> bytes:
    """Return the rows as CSV; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO(newline="")
    # RFC 4180's line ends; with a bare "\n" Python would leave a "\r" in a text unquoted
    writer = csv.DictWriter(out, ["table", "local_time", *COLUMNS], lineterminator="\r\n")
    writer.writeheader()
    for row in _flat(tables):
        writer.writerow(
            {k: f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA) else v for k, v in row.items()}
        )
    return out.getvalue().encode()


def _encode_parquet(tables: Mapping[str, list[Any]]) -> bytes:
    """Return the rows as Parquet."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise OutputError(
            "Parquet needs the library pyarrow: python -m pip install pyarrow, or choose csv or json"
        ) from None
    kinds = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = {"table": pyarrow.string(), "local_time": pyarrow.string()}
    for row_type in TABLES:
        for field in fields(row_type):
            kind = next((k for k in kinds if k.__name__ in str(field.type)), str)
            schema[field.name] = kinds[kind]
    rows = [{k: str(v) if isinstance(v, str) else v for k, v in row.items()} for row in _flat(tables)]
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, pyarrow.schema(list(schema.items()))), out)
    return out.getvalue()


def import_history(history: History, path: Path) -> dict[str, int]:
    """Merge a file written by :func:`encode_history` into the history and return how many rows it had of each kind.

    What is there already is not stored twice; of two copies the one that knows more stays. All or nothing.

    Raises
    ------
    HistoryError
        If the file cannot be read, or something in it is no row of a history; nothing has been stored then.
    """
    content = _read(path)
    sessions: dict[int, int] = {}
    alerts: dict[int, int] = {}
    with history.transaction():
        for where, row in _rows(content, path):
            if isinstance(row, SessionRow):
                sessions[row.id] = history.put(row)
            elif isinstance(row, FeedbackRow):
                history.put(replace(row, alert_id=_linked(alerts, row.alert_id, path, where)))
            else:
                number = history.put(replace(row, session_id=_linked(sessions, row.session_id, path, where)))
                if isinstance(row, AlertRow):
                    alerts[row.id] = number
    return {name: len(content.get(name, [])) for name in NAMES}


def _linked(numbers: Mapping[int, int], number: int, path: Path, where: str) -> int:
    """Return the id here of a row that another refers to."""
    if number not in numbers:
        raise HistoryError(f"{path}: {where} belongs to row {number}, which is not in the file")
    return numbers[number]


def _read(path: Path) -> Content:
    """Return what a file holds, kind by kind."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise HistoryError(f"cannot read {path}: {error.strerror}") from error
    if raw.startswith(b"PAR1"):
        raise HistoryError(f"{path} is Parquet, which is for analysis; import reads json and csv")
    try:
        text = raw.decode("utf-8-sig")
        if text.lstrip()[:1] == "{":
            content = json.loads(text)
            if (version := content.pop("posture_history", None)) != VERSION:
                raise HistoryError(f"{path}: history version {version}, this program reads {VERSION}")
            return msgspec.convert(content, Content)
        return _read_csv(text, path)
    except (ValueError, RecursionError, csv.Error) as error:
        line = " ".join(str(error).split())
        raise HistoryError(f"{path} is not a history written by 'posture history export': {line}") from error


def _read_csv(text: str, path: Path) -> Content:
    """Return what a CSV file holds, kind by kind."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if "table" not in (reader.fieldnames or ()):
        raise HistoryError(
            f"{path} is not a history written by 'posture history export' as csv or json: no column 'table'"
        )
    content: Content = {}
    for cells in reader:
        row = {k: v.removeprefix("'") for k, v in cells.items() if k in COLUMNS and isinstance(v, str)}
        content.setdefault(str(cells["table"]), []).append(row)
    return content


def _rows(content: Content, path: Path) -> Iterator[tuple[str, Row]]:
    """Yield the rows, those that others refer to first, with where they stand."""
    if unknown := set(content) - set(NAMES):
        raise HistoryError(f"{path}: no rows of a history are called {sorted(unknown)[0]!r}")
    for name, kind in NAMES.items():
        optional = {field.name for field in fields(kind) if "None" in str(field.type)}
        for number, cells in enumerate(content.get(name, []), 1):
            where = f"row {number} of {name}"
            given = {k: None if v == "" and k in optional else v for k, v in cells.items()}
            try:
                row = msgspec.convert(given, kind, strict=False)
                _check(row)
            except (ValueError, RecursionError) as error:
                raise HistoryError(f"{path}: {where}: {error}") from error
            yield where, row


def _check(row: BoutRow | MinuteRow | AlertRow | BreakRow | FeedbackRow | SessionRow) -> None:
    """Raise ValueError if a row cannot be."""
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, int | float) and not (isfinite(value) and abs(value) < LARGEST):
            raise ValueError(f"{field.name} {value} cannot be")
        if field.name.endswith("_utc_ms") and value is not None and not 0 <= value < LAST_UTC_MS:
            raise ValueError(f"{field.name} {value} cannot be")
        if field.name in _CHOICES and value not in _CHOICES[field.name]:
            raise ValueError(f"{field.name} {value!r} is none of {', '.join(_CHOICES[field.name])}")
    if abs(row.utc_offset_s) >= 86_400:
        raise ValueError(f"utc_offset_s {row.utc_offset_s} cannot be")
    spans: tuple[tuple[int, int | None], ...] = ()
    if isinstance(row, AlertRow):
        spans = ((row.onset_utc_ms, row.at_utc_ms), (row.at_utc_ms, row.recovered_utc_ms))
    elif not isinstance(row, MinuteRow | FeedbackRow):
        spans = ((row.start_utc_ms, row.end_utc_ms),)
    if any(end is not None and end < start for start, end in spans):
        raise ValueError("it ends before it starts")


FORMATS = ("csv", "json", "parquet")
