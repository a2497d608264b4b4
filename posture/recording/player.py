"""Play a recording as if it were a clip: frames that carry what was seen, and an observer that hands it on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from posture.angles import measure_rows
from posture.baseline import Baseline
from posture.landmarks import Frame, Landmarks
from posture.pipeline import Pipeline
from posture.recording.reader import NPZ_MAGIC, TraceReader
from posture.recording.records import (
    Chunk,
    Command,
    End,
    Header,
    Mute,
    Rebase,
    Record,
    SeenFrame,
    Snooze,
    Stand,
    TimeOfDay,
)
from posture.slouch import Reason
from posture.trace import load_trace


class TraceSource:
    """The frames of a recording, in order, without their pictures.

    Parameters
    ----------
    path : Path
        A recording, or a trace of landmarks only (``.npz``).
    stop : threading.Event, optional
        Ends the iteration.

    Raises
    ------
    TraceError
        If it is neither.
    """

    is_live = False
    n_frames: int | None = None
    duration_s: float | None = None

    def __init__(self, path: Path, *, stop: threading.Event | None = None) -> None:
        self.name = path.name
        self.header = Header()
        """What the recording says of itself; empty for an ``.npz``."""
        self._stop = stop or threading.Event()
        self._is_closed = False
        self._warnings: list[str] = []
        self._reader: TraceReader | None = None
        self._records: Iterator[Record]
        if _is_npz(path):
            landmarks = load_trace(path)
            n = len(landmarks)
            self.n_frames, self.duration_s = n, float(landmarks.t_s[-1]) if n else 0.0
            self._records = iter([Chunk(landmarks, (Reason.NONE,) * n, np.ones(n, np.bool_))])
        else:
            self._reader = TraceReader(path)
            self.header, self._records = self._reader.header, iter(self._reader)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong with the file, if anything; complete at the end."""
        note = self._reader.note if self._reader is not None else ""
        return tuple(f"{self.name} {text}" for text in (*self._warnings, note) if text)

    def warn(self, text: str) -> None:
        """Add to the notes."""
        self._warnings.append(text)

    def __enter__(self) -> Self:
        """Return the source."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; the iteration ends."""
        self._is_closed = True
        if self._reader is not None:
            self._reader.close()

    def __iter__(self) -> Iterator[Frame]:
        commands: tuple[Command, ...] = ()
        for record in self._records:
            if not isinstance(record, (Chunk, End)):
                commands += (record,)
            elif isinstance(record, Chunk):
                for row, condition in zip(measure_rows(record.landmarks), record.conditions, strict=True):
                    if self._is_closed or self._stop.is_set():
                        return
                    yield SeenFrame(float(row.t_s[0]), None, row, condition, commands)
                    commands = ()


class TraceObserver:
    """Hand on what a recording's frames carry, and tell the pipeline what it was told then.

    Parameters
    ----------
    pipeline : Pipeline
        The one that judges these frames.
    has_own_baseline : bool
        Whether the recording's baselines are to be used; False = it is judged against another.
    """

    def __init__(self, pipeline: Pipeline, *, has_own_baseline: bool) -> None:
        self._pipeline, self._has_own_baseline = pipeline, has_own_baseline
        self.condition = Reason.NONE

    def __enter__(self) -> Self:
        """Return the observer itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to let go of."""

    def seek(self, baseline: Baseline | None) -> None:
        """Nothing to do: the right person was looked for when it was recorded."""

    def rebase(self) -> None:
        """Nothing to do: the background was measured when it was recorded."""

    def judge_all(self, is_on: bool) -> None:
        """Nothing to do: what was seen was seen."""

    def detect(self, frame: Frame) -> Landmarks:
        """Return what was seen in a frame (T = 1)."""
        assert isinstance(frame, SeenFrame)
        for command in frame.commands:
            match command:
                case Snooze(until_s=until_s):
                    self._pipeline.snooze(until_s)
                case Mute(is_muted=is_muted):
                    self._pipeline.set_muted(is_muted)
                case Stand(is_standing=is_standing):
                    self._pipeline.set_standing(is_standing)
                case TimeOfDay(t_s=t_s, time_of_day_s=time_of_day_s):
                    self._pipeline.set_time_of_day(t_s, time_of_day_s)
                case Rebase(baseline=baseline) if self._has_own_baseline:
                    self._pipeline.use_baseline(baseline)
        self.condition = frame.condition
        return frame.landmarks


def _is_npz(path: Path) -> bool:
    """Return whether a file begins as an archive of arrays does."""
    try:
        with path.open("rb") as file:
            return file.read(len(NPZ_MAGIC)) == NPZ_MAGIC
    except (OSError, ValueError):
        return False
