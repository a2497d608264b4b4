"""Write a recording while it happens: what is in the file stays readable, whatever happens next."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec

from posture import __version__
from posture.alerts import DAY_S
from posture.baseline import Baseline
from posture.errors import OutputError
from posture.files import make_folder
from posture.landmarks import Landmarks
from posture.pipeline import Pipeline
from posture.recording.codec import encode_command, encode_end, encode_header
from posture.recording.records import (
    CHUNK_ROWS,
    CHUNK_S,
    SECTIONS,
    Command,
    End,
    Header,
    Mute,
    Rebase,
    Snooze,
    Stand,
    TimeOfDay,
)
from posture.recording.rows import RowPacker
from posture.settings import Settings
from posture.slouch import Reason
from posture.step_result import StepResult

SUFFIX = ".posture"
CLOCK_SLACK_S = 5.0
"""Seconds by which a clock may seem ahead or behind without having been put forward or back (our choice: quiet hours
are given to the minute, and clocks are corrected by fractions of a second)."""


def recording_path(path: Path) -> Path:
    """Return the file to record to: `path`, or in the folder `path` one named after the present time."""
    try:
        is_folder = path.is_dir()
    except OSError:  # too long, or nobody may look: opening it will say so
        is_folder = False
    return path / f"{datetime.now().astimezone():%Y-%m-%d_%H-%M-%S}{SUFFIX}" if is_folder else path


def make_header(
    source: str,
    *,
    rate_hz: float | None = None,
    settings: Settings | None = None,
    baseline: Baseline | None = None,
    profile: str = "",
    start_of_day_s: float | None = None,
) -> Header:
    """Return the header of a recording that begins now.

    Parameters
    ----------
    source : str
        What messages call the source; of an address only host and path are kept, of a file its name.
    rate_hz, settings, baseline, profile, start_of_day_s
        See :class:`Header`; of the settings only those that a pipeline uses are kept.
    """
    now_s = time.time()
    offset = datetime.fromtimestamp(now_s).astimezone().utcoffset()
    kept = None
    if settings is not None:
        kept = {name: msgspec.to_builtins(getattr(settings, name)) for name in SECTIONS}
    return Header(
        program=__version__,
        source=_anonymous(source),
        start_utc_ms=round(now_s * 1000),
        utc_offset_s=0 if offset is None else round(offset.total_seconds()),
        start_of_day_s=start_of_day_s,
        rate_hz=rate_hz,
        profile=profile,
        baseline=baseline,
        settings=kept,
    )


class TraceWriter:
    """A recording that grows by a few kilobytes every some seconds, readable by its owner only.

    Parameters
    ----------
    path : Path
        Must not exist: nothing recorded is ever overwritten. Its folder is made, open to the owner only.
    header : Header
        Written at once.

    Raises
    ------
    OutputError
        If the file exists already, or cannot be made or written, now or later. What was written before stays readable.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self.n_bytes = 0
        """Size of the file."""
        self._rows = RowPacker()
        try:
            make_folder(path.parent)
        except OutputError as error:
            raise OutputError(f"cannot write {path}: {error}") from error
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._file: int | None = os.open(path, flags, 0o600)
        except FileExistsError as error:
            if not os.path.lexists(path):  # a file stands where its folder should be
                raise self._failure(error) from error
            raise OutputError(f"{path} exists already; name another file, or remove it first") from error
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self._failure(error) from error
        try:
            self._write(encode_header(header))
        except OutputError:
            if self.n_bytes == 0:  # nothing of use in it, and it would stand in the way next time
                with contextlib.suppress(OSError):
                    path.unlink()
            raise

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()

    @property
    def n_rows(self) -> int:
        """Frames taken in."""
        return self._rows.n_rows

    @property
    def n_own(self) -> int:
        """Frames taken in whose landmarks are their own."""
        return self._rows.n_own

    def add(self, landmarks: Landmarks, condition: Reason = Reason.NONE) -> None:
        """Take in one frame (T = 1) as it is given to the pipeline."""
        t_s = float(landmarks.t_s[0])
        if len(self._rows) >= CHUNK_ROWS or (len(self._rows) and t_s - self._rows.first_t_s >= CHUNK_S):
            self.flush()
        self._rows.add(landmarks, condition)

    def tell(self, command: Command) -> None:
        """Take in what the pipeline is told; it is in the file when this returns."""
        self.flush()
        self._write(encode_command(command))

    def flush(self) -> None:
        """Write out what has been taken in."""
        if len(self._rows) and self._file is not None:
            self._write(self._rows.take())

    def close(self) -> None:
        """Write out what is left, say that this is the end, and wait until it is on the disk; again does nothing."""
        if self._file is None:
            return
        self.flush()
        self._write(encode_end(End(self.n_rows)))
        file, self._file = self._file, None
        try:
            os.fsync(file)
        except OSError as error:
            raise self._failure(error) from error
        finally:
            os.close(file)

    def _write(self, member: bytes) -> None:
        """Append one member, whole or not at all."""
        if self._file is None:
            return
        try:
            left = memoryview(member)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                os.ftruncate(file, self.n_bytes)  # half a member is of no use
            os.close(file)
            raise self._failure(error) from error
        self.n_bytes += len(member)

    def _failure(self, error: OSError | ValueError) -> OutputError:
        """Return the error a person sees."""
        reason = error.strerror if isinstance(error, OSError) else error
        kept = "; what was recorded so far is kept" if self.n_bytes else ""
        return OutputError(f"cannot write {self.path}: {reason}; check the folder and the free space{kept}")


class RecordedPipeline(Pipeline):
    """A pipeline whose every input is written down.

    Parameters
    ----------
    settings, baseline, start_of_day_s
        As :class:`Pipeline`'s, and as in the writer's header.
    writer : TraceWriter
        Belongs to whoever made it.
    """

    def __init__(
        self,
        settings: Settings,
        baseline: Baseline | None,
        writer: TraceWriter,
        *,
        start_of_day_s: float | None = None,
    ) -> None:
        super().__init__(settings, baseline, start_of_day_s=start_of_day_s)
        self._writer = writer
        self._is_muted = self._is_standing = False
        self._start_of_day_s = start_of_day_s

    @property
    def path(self) -> Path:
        """The recording's file; frame times in it are those of the run."""
        return self._writer.path

    def step(self, landmarks: Landmarks, condition: Reason = Reason.NONE) -> StepResult:
        """Judge one frame and write it down, unless it is refused."""
        result = super().step(landmarks, condition)
        self._writer.add(landmarks, condition)
        return result

    def snooze(self, until_s: float) -> None:
        """Write a snooze down and obey it."""
        self._writer.tell(Snooze(until_s))
        super().snooze(until_s)

    def unsnooze(self) -> None:
        """Write the end of a snooze down and alert again."""
        self._writer.tell(Snooze(0.0))
        super().unsnooze()

    def set_muted(self, is_muted: bool) -> None:
        """Write down when that changes, and obey it."""
        if is_muted is not self._is_muted:
            self._writer.tell(Mute(is_muted))
            self._is_muted = is_muted
        super().set_muted(is_muted)

    def set_standing(self, is_standing: bool) -> None:
        """Write down when that changes, and obey it."""
        if is_standing is not self._is_standing:
            self._writer.tell(Stand(is_standing))
            self._is_standing = is_standing
        super().set_standing(is_standing)

    def set_time_of_day(self, t_s: float, time_of_day_s: float) -> None:
        """Write down when the clock on the wall is not where it should be by now, and obey it only then."""
        if self._start_of_day_s is not None:
            ahead_s = (time_of_day_s - t_s - self._start_of_day_s + DAY_S / 2) % DAY_S - DAY_S / 2
            if abs(ahead_s) < CLOCK_SLACK_S:
                return
        self._writer.tell(TimeOfDay(t_s, time_of_day_s))
        self._start_of_day_s = time_of_day_s - t_s
        super().set_time_of_day(t_s, time_of_day_s)

    def use_baseline(self, baseline: Baseline) -> None:
        """Write a baseline taken anew down and judge against it."""
        self._writer.tell(Rebase(baseline))
        super().use_baseline(baseline)


def _anonymous(source: str) -> str:
    """Return what a source is called without a password, a user's name or a folder."""
    if "://" in source:
        try:
            parts = urlsplit(source)
            port = "" if parts.port is None else f":{parts.port}"
        except ValueError:
            return "a stream"
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
    return Path(source).name or source
