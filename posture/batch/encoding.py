"""Rows as the content of a file: CSV or Parquet. Equal rows give equal bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from posture.batch.rows import TRACE_COLUMNS, Kind, Row, TraceColumns
from posture.errors import OutputError
from posture.sinks import TRACE_DIGITS, trace_cells

Format: TypeAlias = Literal["parquet", "csv"]
FORMATS: tuple[Format, ...] = ("parquet", "csv")


def check_format(format: Format) -> None:
    """Raise if a format cannot be written here.

    Raises
    ------
    OutputError
        If its library is not installed.
    """
    if format == "parquet":
        _import_pyarrow()


def encode_trace(trace: TraceColumns, format: Format) -> bytes:
    """Return a row a frame; as CSV the very bytes of ``--trace``."""
    if format == "csv":
        rows = zip(trace.t_s.tolist(), trace.states, trace.reasons, trace.numbers.tolist(), strict=True)
        return _encode_csv(list(TRACE_COLUMNS), (trace_cells(*row) for row in rows))
    numbers = {name: trace.numbers[:, i] for i, name in enumerate(TRACE_DIGITS)}
    columns = {"t_s": trace.t_s, "state": trace.states, "reason": trace.reasons, **numbers}
    return _encode_parquet(columns, TRACE_COLUMNS)


def encode_rows(rows: Sequence[Row], kinds: Mapping[str, Kind], format: Format) -> bytes:
    """Return rows with the columns of `kinds`; what a row does not have is empty."""
    if format == "csv":
        return _encode_csv(list(kinds), ([row.get(name) for name in kinds] for row in rows))
    return _encode_parquet({name: [row.get(name) for row in rows] for name in kinds}, kinds)


def _encode_csv(names: list[str], rows: Any) -> bytes:
    """Return rows as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue().encode()


def _encode_parquet(columns: Mapping[str, Any], kinds: Mapping[str, Kind]) -> bytes:
    """Return columns as Parquet; NaN becomes null."""
    pyarrow = _import_pyarrow()
    types = {"text": pyarrow.string(), "number": pyarrow.float64(), "count": pyarrow.int64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in kinds.items()])
    arrays = [
        pyarrow.array(
            columns[field.name],
            field.type,
            mask=np.isnan(columns[field.name]) if isinstance(columns[field.name], np.ndarray) else None,
        )
        for field in schema
    ]
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(arrays, schema=schema), out, compression="zstd")
    return out.getvalue()


def _import_pyarrow() -> Any:
    """Return pyarrow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise OutputError(
            "Parquet needs the library pyarrow: python -m pip install pyarrow, or use --format csv"
        ) from None
    return pyarrow
