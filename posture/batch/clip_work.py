"""What a worker does with one clip, in a process of its own or on another machine."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from posture.batch.rows import Row, RowSink, TraceColumns, summary_row
from posture.clip_replay import Judged, Outputs, ReplayPlan, judge_clip, model_digest
from posture.errors import ModelFileError, SourceError
from posture.files import make_folder
from posture.jobs.outcome import Report
from posture.pipeline import Pipeline
from posture.session import StopSignals
from posture.sources import FrameSource
from posture.step_result import StepResult

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ClipItem:
    """A clip to be judged for a dataset."""

    path: str
    finished_sha256: str = ""
    """Of the clip whose results are there already; empty = there are none."""


@dataclass(frozen=True, slots=True)
class ClipRows:
    """What a dataset keeps of a clip."""

    sha256: str
    trace: TraceColumns
    events: tuple[Row, ...]
    row: Row
    judged: Judged


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The results that are there are those of this clip."""


@dataclass(frozen=True, slots=True)
class FilesItem:
    """A clip to be judged into files of its own."""

    path: str
    outputs: Outputs


@dataclass(frozen=True, slots=True)
class Judging:
    """How far a clip is."""

    t_s: float
    duration_s: float | None
    """As announced; None = not known."""


def judge_rows(plan: ReplayPlan, model_sha256: str, item: ClipItem, report: Report) -> ClipRows | Unchanged:
    """Return a clip's rows.

    Parameters
    ----------
    plan : ReplayPlan
        What it is judged with.
    model_sha256 : str
        Of the pose model that it has to be judged with.
    item : ClipItem
        The clip.
    report : callable
        Is told a :class:`Judging` for every frame.

    Raises
    ------
    PostureError
        If it cannot be read or judged, or the pose model is another one here.
    """
    sha256 = hash_clip(Path(item.path))
    if sha256 == item.finished_sha256:
        return Unchanged()
    if model_digest(plan.settings) != model_sha256:
        raise ModelFileError(
            f"{plan.settings.model.path}: another pose model than where the work was given out"
        )
    rows = RowSink()
    judged = judge_clip(plan, item.path, Outputs(), StopSignals(), _Reporter(report).begin, (rows,))
    trace = rows.trace()
    until_s = float(trace.t_s[-1]) if len(trace.t_s) else None
    row: Row = {"notes": "; ".join(judged.notes) or None, **summary_row(judged.summary, until_s)}
    short = replace(judged, summary=replace(judged.summary, bouts=()))  # not needed, and long
    return ClipRows(sha256, trace, tuple(rows.events), row, short)


def judge_files(plan: ReplayPlan, item: FilesItem, report: Report) -> Judged:
    """Write a clip's files, all of them whole or none, and return its totals.

    They grow in a folder beside their place; :func:`discard` removes what a killed worker has left.

    Raises
    ------
    PostureError
        As :func:`judge_rows`, or if a file cannot be written.
    """
    unfinished = Outputs(
        **{
            field.name: None if (path := getattr(item.outputs, field.name)) is None else _unfinished(path)
            for field in fields(Outputs)
        }
    )
    try:
        for path in unfinished.paths():
            make_folder(path.parent)
        judged = judge_clip(plan, item.path, unfinished, StopSignals(), _Reporter(report).begin)
        for path, final in zip(unfinished.paths(), item.outputs.paths(), strict=True):
            path.replace(final)
        return judged
    finally:
        discard(item.outputs)


def discard(outputs: Outputs) -> None:
    """Remove what is unfinished of a clip's files."""
    for path in outputs.paths():
        shutil.rmtree(_unfinished(path).parent, ignore_errors=True)


def _unfinished(path: Path) -> Path:
    """Return where a file is until it is whole: under its own name, since that tells what it is to be."""
    return path.parent / f".{path.name}.unfinished" / path.name


def hash_clip(path: Path) -> str:
    """Return the SHA-256 of a clip's content; of a folder of pictures, that of their names and contents.

    Raises
    ------
    SourceError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        if path.is_dir():
            for file in sorted(path.iterdir()):
                if file.is_file():
                    digest.update(repr((file.name, file.stat().st_size)).encode())
                    _feed(digest, file)
        elif path.exists() and not path.is_file():  # a pipe would be waited for
            raise SourceError(f"{path}: is not a file; give a clip, a recording or a folder")
        else:
            _feed(digest, path)
    except SourceError:
        raise
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file or folder; give a clip, a recording or a folder") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _feed(digest: Any, path: Path) -> None:
    """Add a file's content to a digest."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)


class _Reporter:
    """Tell how far the replay is; a sink, once the clip is open."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._duration_s: float | None = None

    def begin(self, _stack: ExitStack, source: FrameSource, _pipeline: Pipeline) -> _Reporter:
        """Note how long the clip is."""
        self._duration_s = source.duration_s
        return self

    def handle(self, result: StepResult) -> None:
        """Tell the frame's time."""
        self._report(Judging(result.t_s, self._duration_s))

    def close(self) -> None:
        """Nothing to take away."""
