"""A folder of results that other programs read: a part for each clip, and a table of the clips.

::

    DIR/trace/clip=NAME/part.parquet     a row a frame
    DIR/events/clip=NAME/part.parquet    a row an event
    DIR/clips.parquet                    a row a clip: totals, or why it failed
    DIR/_done/NAME.json                  that row, and what it was made from; written last: the clip is finished

NAME is percent-encoded, as readers of such "hive" partitions expect; they show the clip's own name in the column
``clip``. Every file is written whole or not at all, by the one process that was started by the user.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import filelock
import msgspec

from posture.batch.encoding import Format, encode_rows, encode_trace
from posture.batch.rows import CLIP_COLUMNS, EVENT_COLUMNS, Row, TraceColumns
from posture.errors import OutputError
from posture.files import make_folder, write_atomically

VERSION = 1
"""Of the layout; clips of another version are judged again."""
LONGEST = 180
"""Characters of a clip's name in a file's: with the rest of it fewer than the 255 that file systems take."""


class Marker(msgspec.Struct, frozen=True):
    """What is known of a finished clip."""

    version: int
    plan_sha256: str
    """Of all that decided the result, the clip excepted."""
    sha256: str
    """Of the clip."""
    format: str
    row: dict[str, str | float | int | None]
    """Its row in the table of clips."""


class Dataset:
    """The results in one folder, for the time of a ``with`` block.

    Parameters
    ----------
    folder : Path
        Made if it is missing; results of earlier runs stay.
    format : str
        What is written.
    plan_sha256 : str
        What the clips are judged with.

    Raises
    ------
    OutputError
        If the folder cannot be made, or another process is writing to it.
    """

    def __init__(self, folder: Path, format: Format, plan_sha256: str) -> None:
        self._folder, self._format, self._plan_sha256 = folder, format, plan_sha256
        if folder.is_file():
            raise OutputError(f"{folder}: is a file; name a folder for the results")
        make_folder(folder / "_done")
        self._lock = filelock.FileLock(folder / "_done" / ".lock", timeout=0)

    def __enter__(self) -> Self:
        """Keep others from writing to the folder."""
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise OutputError(
                f"{self._folder}: another 'posture replay' is writing to it; wait for it, or name another folder"
            ) from None
        except OSError as error:
            raise OutputError(
                f"cannot write to {self._folder}: {error.strerror}; check the folder"
            ) from error
        return self

    def __exit__(self, *exc: object) -> None:
        """Let others write to it."""
        self._lock.release()

    def finished_sha256(self, name: str) -> str:
        """Return the SHA-256 of the clip whose results are there, made as they would be now; "" = there are none."""
        marker = self._read(name)
        is_current = (
            marker is not None
            and (marker.version, marker.format, marker.plan_sha256)
            == (VERSION, self._format, self._plan_sha256)
            and not marker.row.get("error")
            and all(path.is_file() for path in self._parts(name))
        )
        return marker.sha256 if marker is not None and is_current else ""

    def put(self, name: str, row: Row, sha256: str, trace: TraceColumns, events: Sequence[Row]) -> None:
        """Write a clip's results, in place of older ones.

        Raises
        ------
        OutputError
            If they cannot be written; the clip is not finished then.
        """
        contents = (
            encode_trace(trace, self._format),
            encode_rows(events, EVENT_COLUMNS, self._format),
        )
        self._remove(name)
        for path, content in zip(self._parts(name), contents, strict=True):
            write_atomically(path, content)
        self._mark(name, row, sha256)

    def put_failure(self, name: str, row: Row) -> None:
        """Write that a clip has failed; older results of it are removed, since they are not what it is now."""
        self._remove(name)
        self._mark(name, row, "")

    def write_clips(self) -> int:
        """Write the table of all clips, those of earlier runs too, and return how many there are.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        markers = [marker for path in self._folder.glob("_done/*.json") if (marker := _decode(path))]
        rows = sorted((marker.row for marker in markers), key=lambda row: str(row.get("clip")))
        write_atomically(
            self._folder / f"clips.{self._format}", encode_rows(rows, CLIP_COLUMNS, self._format)
        )
        return len(rows)

    def _mark(self, name: str, row: Mapping[str, Any], sha256: str) -> None:
        """Write that a clip is finished."""
        whole = {"clip": name, **row, "sha256": sha256 or None, "plan_sha256": self._plan_sha256}
        marker = Marker(VERSION, self._plan_sha256, sha256, self._format, whole)
        write_atomically(self._marker_path(name), msgspec.json.encode(marker))

    def _remove(self, name: str) -> None:
        """Remove what there is of a clip, the word that it is finished first."""
        self._marker_path(name).unlink(missing_ok=True)
        for path in self._parts(name):
            for old in _listed(path.parent):
                if old.name.lstrip(".").startswith("part."):  # of another format, or left by a crash
                    old.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # is not there, or somebody else's file is in it
                path.parent.rmdir()

    def _parts(self, name: str) -> tuple[Path, Path]:
        """Return a clip's files of rows."""
        segment = f"clip={encode_name(name)}"
        trace, events = (
            self._folder / table / segment / f"part.{self._format}" for table in ("trace", "events")
        )
        return trace, events

    def _marker_path(self, name: str) -> Path:
        return self._folder / "_done" / f"{encode_name(name)}.json"

    def _read(self, name: str) -> Marker | None:
        return _decode(self._marker_path(name))


def encode_name(name: str) -> str:
    """Return a clip's name as part of a file's; a very long one is cut, and told apart by a digest."""
    encoded = quote(name, safe="")
    if len(encoded) <= LONGEST:
        return encoded
    start = name
    while len(quote(start, safe="")) > LONGEST - 17:
        start = start[:-1]
    return f"{quote(start, safe='')}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _decode(path: Path) -> Marker | None:
    """Return a marker; None = there is none, or not one that can be read, which comes to the same."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Marker)
    except (OSError, msgspec.DecodeError):
        return None


def _listed(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder; nothing if it is not there."""
    if folder.is_dir():
        yield from list(folder.iterdir())
