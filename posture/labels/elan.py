"""Read ELAN's tab-delimited text (File > Export as > Tab-delimited Text). Pure; no I/O.

References
----------
ELAN - Linguistic Annotator, manual, "Tab-delimited text file", Max Planck Institute for Psycholinguistics.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from posture.errors import LabelError
from posture.labels.foreign import Foreign, Span, bare_name

_CLOCK: Final = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_FRAMES: Final = re.compile(r"\d+:\d{2}:\d{2}[:;]\d{2}")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_HEADER: Final = re.compile(r".* - (hh:mm:ss\.ms|ss\.msec|msec|hh:mm:ss:ff.*)")
EXPORT_AGAIN: Final = "export again with begin and end time as hh:mm:ss.ms or ss.msec"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where things stand in a row."""

    tier: int | None
    """None = every column after the times is a tier."""
    begin: int
    end: int
    after: int
    """The first column after the times."""
    read: Callable[[str], float]
    """Turns a cell into seconds."""
    names: Sequence[str]
    """Of the columns; empty = the file has no line of names."""


def parse_elan(text: str) -> tuple[Foreign, ...]:
    """Return the annotations of every clip in a tab-delimited text, in the order in which they stand in it.

    With and without a line of column names, one column of annotations or one for each tier, of one or several files.
    Times may be ``hh:mm:ss.ms``, ``ss.msec`` or ``msec``; the first of a kind is the begin, the second the end.

    Raises
    ------
    LabelError
        Naming the line.
    """
    clip, spans = "", dict[str, list[Span]]()
    columns: _Columns | None = None
    rows = csv.reader(text.split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, raw in enumerate(rows, start=1):
        row = [cell.strip() for cell in raw]
        if not any(row):
            continue
        if row[0].strip('"').startswith("#"):
            clip = clip or _media(row[0].strip('"'))
            continue
        if columns is None:
            columns, is_header = _find_columns(row, number)
            if is_header:
                continue
        file, found = _read_row(row, columns, number)
        spans.setdefault(file, []).extend(found)
    if len(spans) > 1:
        return tuple(Foreign(name, tuple(found)) for name, found in spans.items())
    return (Foreign(clip or next(iter(spans), ""), tuple(next(iter(spans.values()), ()))),)


def _media(remark: str) -> str:
    """Return the clip named by a header line such as ``#file:///C:/clips/a.mp4 -- offset: 0``."""
    if "file:" not in remark:
        return ""
    return bare_name(unquote(remark.partition(" -- ")[0]))


def _find_columns(row: list[str], number: int) -> tuple[_Columns, bool]:
    """Return where things stand, and whether the row is the line of names; ELAN writes it in its own language."""
    kinds = [match[1] if (match := _HEADER.fullmatch(cell)) else "" for cell in row]
    is_header = any(kinds)
    if not is_header:
        kinds = _guess_kinds(row)
    places = [i for i, kind in enumerate(kinds) if kind]
    for name, read in _READERS.items():
        at = [i for i in places if kinds[i] == name]
        if len(at) >= 2:
            tier = 0 if places[0] > 0 else None
            return _Columns(tier, at[0], at[1], places[-1] + 1, read, row if is_header else ()), is_header
    raise LabelError(f"line {number}: no begin and end time; {EXPORT_AGAIN}")


def _guess_kinds(row: list[str]) -> list[str]:
    """Return which kind of time each cell is; empty = none. The last one is the annotation, whatever it looks like."""
    kinds = []
    for cell in row[:-1]:
        if _CLOCK.fullmatch(cell):
            kinds.append("hh:mm:ss.ms")
        elif _NUMBER.fullmatch(cell):
            kinds.append("ss.msec" if "." in cell else "msec")
        elif _FRAMES.fullmatch(cell):
            kinds.append("hh:mm:ss:ff")
        else:
            kinds.append("")
    return [*kinds, ""]


def _read_row(row: list[str], columns: _Columns, number: int) -> tuple[str, list[Span]]:
    """Return a row's file, where the export is of several, and its annotations."""
    cells = row[columns.after :]
    file = ""
    if len(cells) > 1 and cells[-1].lower().endswith(".eaf"):
        file = bare_name(cells.pop()[: -len(".eaf")])
    try:
        start_s, end_s = columns.read(row[columns.begin]), columns.read(row[columns.end])
    except (ValueError, IndexError):
        raise LabelError(f"line {number}: no begin and end time; {EXPORT_AGAIN}") from None
    if columns.tier is not None:
        return file, [Span(start_s, end_s, cells[0], row[columns.tier])] if cells and cells[0] else []
    names = columns.names[columns.after :]
    pairs = zip(cells, names or [""] * len(cells), strict=False)
    return file, [Span(start_s, end_s, cell, name) for cell, name in pairs if cell]


def _from_clock(cell: str) -> float:
    """Return the seconds of ``hh:mm:ss.ms``."""
    match = _CLOCK.fullmatch(cell)
    if match is None:
        raise ValueError(cell)
    return round(int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]), 3)


def _from_ms(cell: str) -> float:
    """Return the seconds of milliseconds."""
    return int(cell) / 1e3


_READERS: Final[dict[str, Callable[[str], float]]] = {
    "hh:mm:ss.ms": _from_clock,
    "ss.msec": float,
    "msec": _from_ms,
}
"""Kinds of time that are read, the first that is there."""
