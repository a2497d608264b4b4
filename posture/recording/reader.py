"""Read a recording piece by piece, as far as it is whole, and say what is wrong with the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from math import inf
from pathlib import Path
from types import NoneType
from typing import Any, Self

import msgspec

from posture.errors import ProfileError, TraceError
from posture.profile_json import decode_baseline
from posture.recording.codec import (
    HEADER_START,
    MAGIC,
    READABLE,
    VERSION,
    CutError,
    DamageError,
    read_members,
    split,
)
from posture.recording.records import (
    FACE,
    POINTS,
    WORLD_POINTS,
    End,
    Header,
    Mute,
    Rebase,
    Record,
    Snooze,
    Stand,
    TimeOfDay,
)
from posture.recording.rows import RowUnpacker
from posture.recording.writer import SUFFIX
from posture.slouch import Reason

NPZ_MAGIC = b"PK\x03\x04"


class _HeaderLine(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a file, without the baseline."""

    program: str
    source: str
    start_utc_ms: int | None
    utc_offset_s: int
    start_of_day_s: float | None
    rate_hz: float | None
    points: tuple[int, ...]
    world_points: tuple[int, ...]
    conditions: tuple[str, ...]
    profile: str
    settings: dict[str, Any] | None
    face: tuple[str, ...] = FACE
    """Left out by version 1, which had none."""


def looks_recorded(path: Path) -> bool:
    """Return whether a file holds landmarks rather than pictures: by its first bytes, or its name if it has none."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113 - which raises nothing; a pipe or a camera is not read
            return False
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except (OSError, ValueError):
        return path.suffix == SUFFIX
    return start.startswith((MAGIC, NPZ_MAGIC)) or path.suffix == SUFFIX


class TraceReader:
    """A recording, from its beginning to where it ends or is damaged; never all of it in memory.

    Parameters
    ----------
    path : Path
        Closed with :meth:`close` or by a ``with`` block.

    Raises
    ------
    TraceError
        If it cannot be read, or is not a recording that this program can read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note = ""
        """What is wrong with the part that could not be read (``is cut off ...``); empty = nothing, or nothing yet."""
        self.n_rows = 0
        """Frames read so far."""
        self.end_s = 0.0
        """Frame time of the newest frame read, seconds."""
        try:
            self._file: BufferedReader = path.open("rb")
            self.n_bytes = path.stat().st_size
            """Size of the file when it was opened."""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TraceError(f"{path}: the trace cannot be read ({reason})") from error
        try:
            self._members = read_members(self._file)
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise
        self._unpacker = RowUnpacker(self._conditions)

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        self._file.close()

    def __iter__(self) -> Iterator[Record]:
        """Yield every record after the header, once; afterwards :attr:`note` is known."""
        is_ended = False
        try:
            for content in self._members:
                if is_ended:
                    raise DamageError
                record = self._record(*split(content))
                is_ended = isinstance(record, End)
                yield record
        except CutError:
            self.note = (
                f"is cut off {self._where()}: the program was killed while it wrote, or a part is missing"
            )
        except (DamageError, ProfileError):
            self.note = f"is damaged {self._where()}: what comes after it is not used"
        except OSError as error:
            self.note = f"cannot be read any further {self._where()} ({error.strerror})"
        else:
            if not is_ended:
                self.note = (
                    f"has no end {self._where()}: it is still being written, or the program was killed"
                )

    def _where(self) -> str:
        """Return how far the file is whole."""
        if self.n_rows == 0:
            return "before its first frame"
        return f"after {self.n_rows} frames, {self.end_s:.1f} s"

    def _record(self, line: dict[str, Any], arrays: bytes) -> Record:
        """Return what one member says."""
        kind = line.get("record")
        if kind == "rows":
            chunk = self._unpacker.unpack(line, arrays)
            self.n_rows, self.end_s = self._unpacker.n_rows, float(chunk.landmarks.t_s[-1])
            return chunk
        if kind == "baseline":
            return Rebase(decode_baseline(msgspec.json.encode(line.get("baseline")), str(self.path)))
        if kind == "snooze" and isinstance(until_s := line.get("until_s", ""), (int, float, NoneType)):
            return Snooze(inf if until_s is None else float(until_s))
        if kind == "mute" and isinstance(line.get("is_muted"), bool):
            return Mute(line["is_muted"])
        if kind == "stand" and isinstance(line.get("is_standing"), bool):
            return Stand(line["is_standing"])
        if kind == "time_of_day" and all(
            isinstance(line.get(k), (int, float)) for k in ("t_s", "time_of_day_s")
        ):
            return TimeOfDay(float(line["t_s"]), float(line["time_of_day_s"]))
        if kind == "end" and line.get("rows") == self.n_rows:
            return End(self.n_rows)
        raise DamageError

    def _known(self, read: _HeaderLine) -> tuple[Reason, ...]:
        """Return what the numbers of the conditions stand for."""
        try:
            return tuple(Reason(name) for name in read.conditions)
        except ValueError as error:
            raise TraceError(
                f"{self.path}: made by posture {read.program}, which knows more conditions of a camera than this "
                f"program ({error}): use that version"
            ) from error

    def _read_header(self) -> Header:
        """Return the header."""
        unknown = TraceError(
            f"{self.path}: not a landmark trace, or cut off in its first bytes; "
            "'posture record' and 'posture run --record' make one"
        )
        try:
            is_npz = self._file.peek(len(NPZ_MAGIC)).startswith(NPZ_MAGIC)
            content = b"" if is_npz else next(self._members, b"")
        except OSError as error:
            raise TraceError(f"{self.path}: the trace cannot be read ({error.strerror})") from error
        except (CutError, DamageError) as error:
            raise unknown from error
        if is_npz:
            raise TraceError(
                f"{self.path}: an .npz trace, not a recording: 'posture replay' and NumPy read it"
            )
        if not content.startswith(HEADER_START):
            raise unknown
        try:
            line, _ = split(content)
            if (version := line.get("posture_trace")) in READABLE:
                read = msgspec.convert(line, _HeaderLine)
        except (DamageError, msgspec.ValidationError) as error:
            raise unknown from error
        if version not in READABLE:
            raise TraceError(
                f"{self.path}: a trace of version {version}, this program reads versions up to {VERSION}: "
                "use the version of posture that made it"
            )
        if (read.points, read.world_points, read.face) != (POINTS, WORLD_POINTS, FACE):
            raise unknown
        self._conditions = self._known(read)
        baseline = line.get("baseline")
        return Header(
            program=read.program,
            source=read.source,
            start_utc_ms=read.start_utc_ms,
            utc_offset_s=read.utc_offset_s,
            start_of_day_s=read.start_of_day_s,
            rate_hz=read.rate_hz,
            profile=read.profile,
            settings=read.settings,
            baseline=None
            if baseline is None
            else decode_baseline(msgspec.json.encode(baseline), f"{self.path}: its baseline"),
        )
