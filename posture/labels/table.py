"""Labels and true angles as CSV, for people with spreadsheets."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from posture.errors import LabelError
from posture.labels.document import IntervalKeys, LabelKeys, checked, forbid_unknown, to_interval, toml_text
from posture.labels.labels import Labels, TrueAngles

COLUMNS: Final = IntervalKeys.__struct_fields__
ANGLE_COLUMNS: Final = ("t_s", "neck_deg", "thoracic_deg", "settled", "posture")
_REMARKS: Final = ("format", "clip", "person", "camera", "baseline_s", "angles")
_TEXTS: Final = ("posture", "note")  # kept to the letter
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")  # what a spreadsheet would take a text for
_BOOLS: Final = {"": True, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


class _AngleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One moment's angles as a CSV file has them."""

    t_s: Annotated[float, msgspec.Meta(description="seconds since the clip's first frame")]
    neck_deg: Annotated[float, msgspec.Meta(description="degrees, empty = not known")] = np.nan
    thoracic_deg: Annotated[float, msgspec.Meta(description="degrees, empty = not known")] = np.nan
    settled: Annotated[str, msgspec.Meta(description="true or false")] = ""
    posture: Annotated[str, msgspec.Meta(description="text")] = ""


def parse_table(text: str) -> tuple[Labels, str]:
    """Return the labels in a CSV text, and the name of the file that their true angles stand in.

    ``# key = value`` lines above the header give person, camera, baseline_s, clip and ``angles``, a file's name.

    Raises
    ------
    LabelError
        As :func:`~posture.labels.document.parse_labels`.
    """
    remarks, body = _split_remarks(text)
    angles_file = str(remarks.pop("angles", ""))
    for key in ("clip", "person", "camera"):
        if key in remarks and not isinstance(remarks[key], str):
            remarks[key] = str(remarks[key])  # "# person = 7"
    read = checked({"format": 1, **remarks}, LabelKeys)
    intervals = []
    for where, cells in _rows(body, COLUMNS, ("start_s", "end_s")):
        intervals.append(to_interval(_numbers(cells, ("start_s", "end_s"), where), where))
    return Labels(read.clip, read.person, read.camera, read.baseline_s, tuple(intervals), None), angles_file


def render_table(labels: Labels) -> str:
    """Return the labels as CSV; :func:`parse_table` gives the same back.

    Raises
    ------
    LabelError
        If true angles stand in the labels themselves: this table has no place for them.
    """
    if labels.angles is not None and not labels.angles.file:
        raise LabelError("CSV has no place for true angles; write the labels as .toml")
    baseline = None if labels.baseline_s is None else list(labels.baseline_s)
    file = "" if labels.angles is None else labels.angles.file
    remarks = {"clip": labels.clip, "person": labels.person, "camera": labels.camera, "baseline_s": baseline}
    out = io.StringIO(newline="")
    out.writelines(f"# {k} = {toml_text(v)}\r\n" for k, v in {**remarks, "angles": file}.items() if v)
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180's
    writer.writerow(COLUMNS)
    for one in labels.intervals:
        texts = (one.state or "", one.duty or "", _plain(one.posture), _plain(one.note))
        writer.writerow((repr(one.start_s), repr(one.end_s), *texts))
    return out.getvalue()


def parse_angles(text: str) -> TrueAngles:
    """Return the true angles in a CSV text with the columns ``t_s,neck_deg,thoracic_deg[,settled,posture]``.

    Other columns are passed over, so that the file may hold more; an empty cell or ``nan`` is an angle not known.

    Raises
    ------
    LabelError
        Naming the row and the column.
    """
    rows: list[_AngleRow] = []
    settled: list[bool] = []
    for where, cells in _rows(text, ANGLE_COLUMNS, ("t_s",), is_open=True):
        row = checked(_numbers(cells, ANGLE_COLUMNS[:3], where), _AngleRow, where)
        if row.settled.lower() not in _BOOLS:
            raise LabelError(f"{where}: settled: {row.settled!r}; give true or false")
        rows.append(row)
        settled.append(_BOOLS[row.settled.lower()])
    return TrueAngles(
        np.array([row.t_s for row in rows], dtype=np.float64),
        np.array([row.neck_deg for row in rows], dtype=np.float64),
        np.array([row.thoracic_deg for row in rows], dtype=np.float64),
        np.array(settled, dtype=np.bool_),
        tuple(row.posture for row in rows),
    )


def render_angles(angles: TrueAngles) -> str:
    """Return true angles as CSV; :func:`parse_angles` gives the same back, but for the file's name."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(ANGLE_COLUMNS)
    columns = zip(
        angles.t_s.tolist(),
        angles.neck_deg.tolist(),
        angles.thoracic_deg.tolist(),
        angles.is_settled.tolist(),
        angles.posture,
        strict=True,
    )
    for t_s, neck_deg, thoracic_deg, is_settled, posture in columns:
        writer.writerow((t_s, neck_deg, thoracic_deg, str(is_settled).lower(), _plain(posture)))
    return out.getvalue()


def _plain(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _split_remarks(text: str) -> tuple[dict[str, Any], str]:
    """Return what the comment lines on top say, and the rest."""
    remarks: dict[str, Any] = {}
    lines = text.split("\n")
    n_used = 0
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        n_used += 1
        key, equals, value = line.lstrip("#").partition("=")
        if not equals:
            continue  # a remark to people
        key, value = (
            key.strip(),
            value.strip().rstrip(",;"),
        )  # a spreadsheet fills its rows up with separators
        forbid_unknown([key], _REMARKS)
        try:
            remarks[key] = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):
            remarks[key] = value  # bare text
    return remarks, "\n".join(lines[n_used:])


def _rows(
    text: str, columns: tuple[str, ...], needed: tuple[str, ...], *, is_open: bool = False
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every row's place and cells that are not empty."""
    header = text.partition("\n")[0]
    delimiter = next((mark for mark in ",;\t" if mark in header), ",")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = [name.strip() for name in reader.fieldnames or ()]
        if missing := [name for name in needed if name not in names]:
            raise LabelError(f"no column {missing[0]!r}; begin with the line {','.join(columns)}")
        if not is_open:
            forbid_unknown(names, columns, what="column")
        reader.fieldnames = names
        for number, cells in enumerate(reader, start=1):
            where = f"row {number}"
            if None in cells:
                raise LabelError(
                    f"{where}: more cells than the header has; quote texts that contain {delimiter!r}"
                )
            row = {k: v if k in _TEXTS else v.strip() for k, v in cells.items() if k in columns and v}
            if delimiter == ";":  # spreadsheets of countries with a decimal comma
                row = {k: v.replace(",", ".") if k.endswith(("_s", "_deg")) else v for k, v in row.items()}
            if any(v.strip() for v in row.values()):
                yield where, {k: v.removeprefix("'") for k, v in row.items() if v}
    except csv.Error as error:
        raise LabelError(f"not a CSV file: {error}") from error


def _numbers(cells: Mapping[str, str], names: tuple[str, ...], where: str) -> dict[str, Any]:
    """Return cells with those in `names` as numbers."""
    row: dict[str, Any] = dict(cells)
    for name in names:
        if name in row:
            try:
                row[name] = float(row[name])
            except ValueError:
                raise LabelError(f"{where}: {name}: {row[name]!r} is not a number") from None
    return row
