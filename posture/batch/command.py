"""What ``posture replay`` does: one clip after the other, several at once, or all into a dataset."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rich.console import Console

from posture.batch.clip_work import ClipItem, ClipRows, FilesItem, Unchanged, discard, judge_files, judge_rows
from posture.batch.dataset import Dataset
from posture.batch.display import BatchProgress, beside, print_failures, print_skipped, totals_line
from posture.batch.encoding import Format, check_format
from posture.batch.finding import Search, is_searched, readable, search, whole
from posture.batch.rows import Row
from posture.clip_replay import Judged, Outputs, ReplayPlan, model_digest
from posture.config import load_settings
from posture.console import make_console
from posture.errors import SourceError
from posture.jobs.cluster import run_on_cluster
from posture.jobs.outcome import Outcome, Progress
from posture.jobs.processes import run_jobs
from posture.profiles import load_baseline
from posture.replaying import first_seconds_note, outputs_for, print_judged, print_notes, replay_in_turn
from posture.session import StopSignals


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """A dataset that is asked for."""

    folder: Path
    format: Format
    scheduler: str | None = None
    """Address of a Dask scheduler that hands out the work; None = this machine does it."""


def run_replay(
    clips: list[str],
    span_s: tuple[float, float] | None,
    baseline_file: Path | None,
    overrides: list[str],
    asked: Outputs,
    n_jobs: int,
    dataset: DatasetRequest | None,
) -> int:
    """Judge clips; one that fails does not stop the rest.

    Parameters
    ----------
    clips : list of str
        Clips, folders of pictures, recordings, or folders to look for clips in.
    span_s : (float, float) or None
        Seconds of each clip to fit a baseline on.
    baseline_file : Path or None
        To judge against.
    overrides : list of str
        As given to ``--set``.
    asked : Outputs
        Files for one clip, or folders for several.
    n_jobs : int
        Processes at most.
    dataset : DatasetRequest or None
        Where all results go, instead of `asked`.
    """
    settings = load_settings(overrides=overrides)
    baseline = load_baseline(baseline_file) if baseline_file is not None else None
    plan = ReplayPlan(settings, tuple(overrides), baseline, span_s)
    if dataset is not None:
        return _fill_dataset(plan, _search(clips, dataset.folder), n_jobs, dataset)
    files = (asked.trace, asked.events, asked.annotate, asked.plot)
    if not any(map(is_searched, clips)):
        outputs = outputs_for(clips, [Path(clip).stem for clip in clips], *files)
        return _replay(plan, clips, outputs, n_jobs)
    found = _search(clips)
    paths = [clip.path for clip in found.clips]
    outputs = outputs_for(paths, _stems([clip.name for clip in found.clips]), *files)
    code = _replay(plan, paths, outputs, n_jobs)
    print_skipped(make_console(is_stderr=True), found.skipped)
    return code


def _search(specs: list[str], leave_out: Path | None = None) -> Search:
    """Return what is to be judged.

    Raises
    ------
    SourceError
        If that is nothing.
    """
    found = search(specs, leave_out=leave_out)
    if not found.clips:
        others = (
            f" ({len(found.skipped)} other file{'s' * (len(found.skipped) > 1)})" if found.skipped else ""
        )
        raise SourceError(
            f"{', '.join(map(readable, specs))}: no pictures in this folder, and no clips or recordings "
            f"in it or below{others}"
        )
    return found


def _stems(names: Sequence[str]) -> list[str]:
    """Return names without their ending, where they are still unique then."""
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    counts = Counter(stems)
    return [stem if counts[stem] == 1 else name for name, stem in zip(names, stems, strict=True)]


def _replay(plan: ReplayPlan, clips: list[str], outputs: list[Outputs], n_jobs: int) -> int:
    """Judge clips into files of their own."""
    if n_jobs == 1 or len(clips) == 1:
        return replay_in_turn(plan, clips, outputs)
    return _replay_at_once(plan, clips, outputs, n_jobs)


def _replay_at_once(plan: ReplayPlan, clips: list[str], outputs: list[Outputs], n_jobs: int) -> int:
    """Judge several clips at a time, each into files of its own."""
    console, errors = make_console(), make_console(is_stderr=True)
    items = [FilesItem(clip, files) for clip, files in zip(clips, outputs, strict=True)]
    failures: list[tuple[str, str]] = []
    note = _FirstSecondsNote(plan, errors)
    with contextlib.ExitStack() as stack:
        signals = stack.enter_context(StopSignals())
        for files in outputs:  # of workers that were killed
            stack.callback(discard, files)
        bars = stack.enter_context(BatchProgress(errors, clips))
        work = functools.partial(judge_files, plan)
        outcomes = run_jobs(work, items, n_jobs, on_progress=bars.show, stop=signals.stop)
        for outcome in stack.enter_context(contextlib.closing(outcomes)):
            clip = clips[outcome.index]
            bars.finish(outcome.index)
            if outcome.value is None:
                failures.append((clip, outcome.error))
            else:
                note.tell_once(outcome.value)
                print_judged(beside(console, errors), errors, clip, outcome.value)
    print_failures(errors, len(clips), failures)
    if signals.received is not None:
        errors.print("posture: interrupted; the clips that were finished are kept")
        return signals.exit_code or 128 + signals.received
    return 1 if failures else 0


def _fill_dataset(plan: ReplayPlan, found: Search, n_jobs: int, request: DatasetRequest) -> int:
    """Judge clips into a dataset; those whose results are there are passed over."""
    console, errors = make_console(), make_console(is_stderr=True)
    check_format(request.format)
    names, n_clips = [clip.name for clip in found.clips], len(found.clips)
    failures: list[tuple[str, str]] = []
    n_unchanged, lines = 0, beside(console, errors)
    note = _FirstSecondsNote(plan, errors)
    with contextlib.ExitStack() as stack:
        dataset = stack.enter_context(Dataset(request.folder, request.format, plan.digest()))
        signals = stack.enter_context(StopSignals())
        items = [ClipItem(whole(clip.path), dataset.finished_sha256(clip.name)) for clip in found.clips]
        bars = stack.enter_context(BatchProgress(errors, names))
        outcomes = _run(plan, items, n_jobs, request, errors, bars.show, signals.stop)
        try:
            for outcome in stack.enter_context(contextlib.closing(outcomes)):
                name, start = names[outcome.index], bars.finish(outcome.index)
                row: Row = {"path": readable(items[outcome.index].path)}
                match outcome.value:
                    case Unchanged():
                        n_unchanged += 1
                        lines.print(f"{start} finished earlier")
                    case ClipRows() as rows:
                        dataset.put(name, row | rows.row, rows.sha256, rows.trace, rows.events)
                        note.tell_once(rows.judged)
                        lines.print(f"{start} {totals_line(rows.judged.summary)}")
                        print_notes(errors, rows.judged)
                    case None:
                        failures.append((name, outcome.error))
                        if Path(items[outcome.index].path).exists():  # or its name was a mistake
                            dataset.put_failure(name, row | {"error": outcome.error})
                        lines.print(f"{start} failed")
        finally:
            n_rows = dataset.write_clips()
    if signals.received is not None:
        errors.print("posture: interrupted; finished clips are kept, and the same command goes on from there")
        return signals.exit_code or 128 + signals.received
    print_skipped(errors, found.skipped)
    print_failures(errors, n_clips, failures)
    n_judged = n_clips - n_unchanged - len(failures)
    console.print(
        f"{n_judged} judged, {n_unchanged} finished earlier, {len(failures)} failed; "
        f"{request.folder} has {n_rows} clips"
    )
    return 1 if failures else 0


def _run(
    plan: ReplayPlan,
    items: list[ClipItem],
    n_jobs: int,
    request: DatasetRequest,
    errors: Console,
    on_progress: Callable[[Progress], None],
    stop: threading.Event,
) -> Generator[Outcome[ClipRows | Unchanged], None, None]:
    """Yield what comes of the clips, wherever they are judged."""
    work = functools.partial(judge_rows, plan, model_digest(plan.settings))
    if request.scheduler is None:
        return run_jobs(work, items, n_jobs, on_progress=on_progress, stop=stop)
    return run_on_cluster(
        work,
        items,
        request.scheduler,
        on_progress=on_progress,
        on_note=lambda text: errors.print(f"note: {text}", style="bold"),
        stop=stop,
    )


class _FirstSecondsNote:
    """Say once that the first seconds of clips are taken for upright."""

    def __init__(self, plan: ReplayPlan, errors: Console) -> None:
        self._text, self._errors = first_seconds_note(plan), errors

    def tell_once(self, judged: Judged) -> None:
        """Say it, if it was so for this clip, and has not been said."""
        if judged.took_first and self._text:
            self._errors.print(self._text)
            self._text = ""
