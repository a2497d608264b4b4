"""Keep landmarks in a file, so that everything after the model can be run again without pictures.

A trace is a compressed NumPy archive (`.npz`) of the arrays of :class:`~posture.landmarks.Landmarks`
and a version. It holds points, never a picture, and is exact: what is loaded equals what was saved. What grows while
it is used is a recording (:mod:`posture.recording`); :func:`load_trace` reads both.
"""

from __future__ import annotations

import io
import logging
import os
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posture.errors import OutputError, ShapeError, TraceError
from posture.files import write_atomically
from posture.landmarks import FloatArray, Landmarks, concatenate
from posture.recording.codec import MAGIC
from posture.recording.reader import TraceReader
from posture.recording.records import Chunk

TRACE_VERSION = 1
"""Written into every trace; raised by a change that an older program would read wrongly."""

_FIELDS = tuple(field.name for field in fields(Landmarks))
_POINT_FIELDS = ("xyzv", "world_m", "face")
_LATER_FIELDS = frozenset({"face"})
"""Not in every trace of this version."""


def save_trace(path: str | os.PathLike[str], landmarks: Landmarks) -> None:
    """Write landmarks to a file, all of it or nothing.

    Points are stored as float32 where that is exact, as it is for all that the landmarker returns, and
    as float64 otherwise; NaN rows (no person) are kept. A file that is already there is replaced.

    Parameters
    ----------
    path : str or path
        An ``.npz`` file.
    landmarks : Landmarks
        What to keep.

    Raises
    ------
    TraceError
        If the file cannot be written.
    """
    arrays: dict[str, NDArray[np.generic]] = {"version": np.array(TRACE_VERSION)}
    for name in _FIELDS:
        value: FloatArray = getattr(landmarks, name)
        arrays[name] = _narrowed(value) if name in _POINT_FIELDS else value
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    try:
        write_atomically(Path(path), content.getvalue())
    except OutputError as error:
        raise TraceError(f"{path}: the trace cannot be written ({error})") from error


def load_trace(path: str | os.PathLike[str]) -> Landmarks:
    """Read the landmarks of a trace or a recording; which of the two it is, its first bytes tell.

    Parameters
    ----------
    path : str or path
        What :func:`save_trace`, ``posture record`` or ``posture run --record`` wrote.

    Returns
    -------
    Landmarks
        Equal to what was saved, in float64; without faces where the file is older than they are. Of a recording that
        is cut off or damaged, what comes before that; a warning is logged then.

    Raises
    ------
    TraceError
        If the file is missing, cut short, not a trace, or of another version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TraceError(f"{path}: the trace cannot be read ({error.strerror or error})") from error
    if data.startswith(MAGIC):
        return _load_recording(Path(path))
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            version = int(archive["version"])
            wanted = [name for name in _FIELDS if name not in _LATER_FIELDS or name in archive]
            arrays = {name: archive[name] for name in wanted} if version == TRACE_VERSION else {}
    except (
        AttributeError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise TraceError(f"{path}: not a landmark trace, or cut short: save it again") from error
    if version != TRACE_VERSION:
        raise TraceError(
            f"{path}: a trace of version {version}, this program reads version {TRACE_VERSION}: save it again"
        )
    if any(array.dtype not in (np.float32, np.float64) for array in arrays.values()):
        raise TraceError(f"{path}: not a landmark trace (not floating-point): save it again")
    try:
        return Landmarks(**{name: array.astype(np.float64) for name, array in arrays.items()})
    except ShapeError as error:
        raise TraceError(f"{path}: not a landmark trace ({error}): save it again") from error


def _load_recording(path: Path) -> Landmarks:
    """Return the landmarks of a recording."""
    with TraceReader(path) as reader:
        parts = [record.landmarks for record in reader if isinstance(record, Chunk)]
    if reader.note:
        logging.getLogger(__name__).warning("%s %s", path, reader.note)
    return concatenate(parts) if parts else Landmarks.empty()


def _narrowed(values: FloatArray) -> NDArray[np.floating]:
    """Return `values` as float32 if nothing is lost, else as they are."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow, values, equal_nan=True) else values
