"""A labelled recording read and measured, block by block, for settings to be tried on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from posture.errors import TraceError
from posture.landmarks import Landmarks, concatenate
from posture.pipeline import Pipeline
from posture.recording.player import is_npz
from posture.recording.reader import TraceReader, looks_recorded
from posture.recording.records import Chunk, Command, End, Header
from posture.settings import JudgeSettings, Settings
from posture.slouch import Reason
from posture.trace import load_trace
from posture.tuning.tape import Tape, TapeMaker

BLOCK = 2048
"""Frames measured at a time, more or less: 4 MB of landmarks, and few enough calls to be quick."""


def read_tape(
    path: Path, settings: Settings, judge: JudgeSettings, baseline_s: tuple[float, float] | None
) -> tuple[Tape, str]:
    """Measure a recording as ``posture replay`` does, by these settings instead of those it was made with.

    Parameters
    ----------
    path : Path
        A recording, or landmarks in an ``.npz``.
    settings : Settings
        The settings in force.
    judge : JudgeSettings
        What is tried: takes the place of those in `settings`.
    baseline_s : (float, float) or None
        Calibrate on this span; None = by the recording's own baseline, else its first seconds.

    Returns
    -------
    Tape, str
        And what is wrong with the file: of one that is cut short or damaged, what is whole is used. Empty = nothing.

    Raises
    ------
    TraceError
        If it has no landmarks or cannot be read.
    CalibrationError
        If its calibration span makes no baseline.
    """
    if not looks_recorded(path):
        raise TraceError(
            f"{path}: has no landmarks, and nothing is inferred here; "
            f"'posture record --source {path.name} --trace {path.stem}.posture' takes them from a clip"
        )
    source = _Whole(path) if is_npz(path) else _Blocks(path)
    header = source.header
    has_own = baseline_s is None and header.baseline is not None
    first_s = baseline_s or (0.0, settings.calibration.seconds)
    pipeline = Pipeline(
        msgspec.structs.replace(settings, judge=judge),
        header.baseline if has_own else None,
        calibrate_span_s=None if has_own else first_s,
        start_of_day_s=header.start_of_day_s,
    )
    maker = TapeMaker(pipeline, has_own_baseline=has_own, start_of_day_s=header.start_of_day_s)
    for part in source:
        if isinstance(part, tuple):
            maker.add(*part)
        else:
            maker.tell(part)
    tape = maker.tape()
    if not len(tape):
        raise TraceError(f"{path}: has no frames")
    return tape, source.note


_Part = Command | tuple[Landmarks, list[Reason]]


class _Whole:
    """Landmarks in an ``.npz``: one block."""

    header = Header()
    note = ""

    def __init__(self, path: Path) -> None:
        self._landmarks = load_trace(path)

    def __iter__(self) -> Iterator[_Part]:
        """Yield it."""
        yield self._landmarks, [Reason.NONE] * len(self._landmarks)


class _Blocks:
    """A recording: its frames in blocks, and what was told between them."""

    def __init__(self, path: Path) -> None:
        self._reader = TraceReader(path)
        self.header = self._reader.header

    @property
    def note(self) -> str:
        """What is wrong with the file; known at the end."""
        return f"{self._reader.path.name} {self._reader.note}" if self._reader.note else ""

    def __iter__(self) -> Iterator[_Part]:
        """Yield blocks and commands in order."""
        chunks: list[Chunk] = []
        n = 0
        with self._reader as reader:
            for record in reader:
                if isinstance(record, Chunk):
                    chunks.append(record)
                    n += len(record.landmarks)
                if chunks and (n >= BLOCK or not isinstance(record, Chunk)):
                    yield _joined(chunks)
                    chunks, n = [], 0
                if not isinstance(record, (Chunk, End)):
                    yield record
        if chunks:
            yield _joined(chunks)


def _joined(chunks: list[Chunk]) -> tuple[Landmarks, list[Reason]]:
    """Return the frames of several chunks as one block."""
    conditions = [condition for chunk in chunks for condition in chunk.conditions]
    return concatenate([chunk.landmarks for chunk in chunks]), conditions
