"""A labelled recording read and measured, block by block, for settings to be tried on it."""

from __future__ import annotations

import logging
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
) -> Tape:
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

    Raises
    ------
    TraceError
        If it has no landmarks or cannot be read. Of one that is cut short or damaged, what is whole is used, and a
        warning is logged.
    CalibrationError
        If its calibration span makes no baseline.
    """
    if not looks_recorded(path):
        raise TraceError(
            f"{path}: has no landmarks, and nothing is inferred here; "
            f"'posture record --source {path.name} --trace {path.stem}.posture' takes them from a clip"
        )
    header, parts = _open(path)
    has_own = baseline_s is None and header.baseline is not None
    first_s = baseline_s or (0.0, settings.calibration.seconds)
    pipeline = Pipeline(
        msgspec.structs.replace(settings, judge=judge),
        header.baseline if has_own else None,
        calibrate_span_s=None if has_own else first_s,
        start_of_day_s=header.start_of_day_s,
    )
    maker = TapeMaker(pipeline, has_own_baseline=has_own, start_of_day_s=header.start_of_day_s)
    for part in parts:
        if isinstance(part, tuple):
            maker.add(*part)
        else:
            maker.tell(part)
    tape = maker.tape()
    if not len(tape):
        raise TraceError(f"{path}: has no frames")
    return tape


_Part = Command | tuple[Landmarks, list[Reason]]


def _open(path: Path) -> tuple[Header, Iterator[_Part]]:
    """Return what a recording says of itself, and its frames in blocks with the commands between them."""
    if is_npz(path):
        landmarks = load_trace(path)
        return Header(), iter([(landmarks, [Reason.NONE] * len(landmarks))])
    reader = TraceReader(path)
    return reader.header, _parts(reader)


def _parts(reader: TraceReader) -> Iterator[_Part]:
    """Yield a recording's frames in blocks, and what was told between them."""
    chunks: list[Chunk] = []
    with reader:
        for record in reader:
            if isinstance(record, Chunk):
                chunks.append(record)
                if sum(len(chunk.landmarks) for chunk in chunks) < BLOCK:
                    continue
            if chunks:
                yield _joined(chunks)
                chunks = []
            if not isinstance(record, (Chunk, End)):
                yield record
    if chunks:
        yield _joined(chunks)
    if reader.note:
        logging.getLogger(__name__).warning("%s %s", reader.path, reader.note)


def _joined(chunks: list[Chunk]) -> tuple[Landmarks, list[Reason]]:
    """Return the frames of several chunks as one block."""
    conditions = [condition for chunk in chunks for condition in chunk.conditions]
    return concatenate([chunk.landmarks for chunk in chunks]), conditions
