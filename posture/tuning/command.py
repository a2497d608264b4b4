"""The command ``posture tune``. It returns the exit code and raises PostureError."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from posture.config import config_path, load_settings
from posture.config_edit import check_editor, store_values
from posture.console import make_console
from posture.errors import EvaluationError, OutputError
from posture.evaluation.cases import Cases, find_cases
from posture.evaluation.statistics import check_statistics
from posture.files import check_outputs, write_atomically
from posture.jobs.outcome import Progress as JobProgress
from posture.jobs.processes import run_jobs
from posture.session import StopSignals
from posture.tuning.choice import CURRENT
from posture.tuning.figures import as_json
from posture.tuning.finding import Finding
from posture.tuning.page import render_page
from posture.tuning.running import gather, make_finding
from posture.tuning.sweep import Sweep, make_sweep
from posture.tuning.telling import tell, to_value
from posture.tuning.working import Task
from posture.words import needs_ascii

MAX_NAMED = 3
"""Recordings without labels that are named; the others are counted."""


def run_tune(
    paths: list[Path],
    sweeps: list[str],
    overrides: list[str],
    *,
    max_false_per_hour: float,
    n_jobs: int | None,
    json_file: Path | None,
    html: Path | None,
    is_written: bool,
    output: Path | None,
) -> int:
    """Try settings on labelled recordings, tell what came of it, and write what was asked for.

    Parameters
    ----------
    paths : list of Path
        Recordings, their label files, and folders of both.
    sweeps : list of str
        As for :func:`~posture.tuning.sweep.make_sweep`.
    overrides : list of str
        ``--set``.
    max_false_per_hour : float
        The limit that the proposal has to keep to.
    n_jobs : int or None
        Processes; None = as many as there are cores.
    json_file, html, output : Path or None
        Files to write: every figure, a page, the proposed settings.
    is_written : bool
        Put the proposed settings into the configuration file.

    Returns
    -------
    int
        0; 1 if a recording failed or what was to be written could not be proposed; 130 after Ctrl-C.

    Raises
    ------
    PostureError
        If nothing can be tried at all, or a file cannot be written.
    """
    check_statistics()
    if is_written or output is not None:
        check_editor()
    console, errors = make_console(), make_console(is_stderr=True)
    sweep = make_sweep(sweeps, overrides)
    settings = load_settings(overrides=overrides)
    if output is not None and output.exists():
        raise OutputError(f"{output} exists already; name another file")
    cases = find_cases(paths)
    _check_outputs(paths, cases, [json_file, html, output])
    failures = [failure.problem for failure in cases.failures]
    for problem in failures:
        errors.print(f"posture: {problem}")
    _tell_unlabelled(errors, cases)
    if not cases.cases:
        raise EvaluationError(
            "no labelled recording in what was given; 'posture label' makes labels (docs/tune.md)"
        )
    signals = StopSignals()
    task = Task(settings, tuple((one.judge, one.alert) for one in sweep.candidates))
    with signals, _progress(errors, len(cases.cases), is_shown=errors.is_terminal) as progress:
        tried = gather(
            sweep,
            cases.cases,
            run_jobs(
                task, cases.cases, n_jobs or os.cpu_count() or 1, on_progress=progress.see, stop=signals.stop
            ),
            on_finished=progress.finish,
            on_failure=lambda problem: errors.print(f"posture: {problem}"),
        )
    if signals.received is not None:
        errors.print("posture: interrupted; nothing was written")
        return signals.exit_code or 128 + signals.received
    if not tried.trials:
        raise EvaluationError("none of the labelled recordings could be used")
    failures += tried.failures.values()
    finding = make_finding(sweep, tried.trials, max_false_per_hour)
    notes = list(tried.notes)
    for note in notes:
        errors.print(f"note: {note}", style="bold")
    is_unicode = not needs_ascii(console.encoding, os.environ)
    for part in tell(finding, width_cells=console.width, is_unicode=is_unicode):
        console.print(part)
    if json_file is not None:
        text = json.dumps(as_json(finding, sweep, notes, failures), indent=2, allow_nan=False) + "\n"
        write_atomically(json_file, text.encode(), is_durable=False)
        console.print(f"wrote {json_file}")
    if html is not None:
        write_atomically(html, render_page(finding, sweep, [*notes, *failures]).encode(), is_durable=False)
        console.print(f"wrote {html}")
    is_kept = _keep(finding, sweep, console, is_written=is_written, output=output)
    if failures and len(cases.cases) + len(cases.failures) > 1:
        errors.print(f"posture: {len(failures)} of what was given could not be used")
    return 0 if is_kept and not failures else 1


def _keep(finding: Finding, sweep: Sweep, console: Console, *, is_written: bool, output: Path | None) -> bool:
    """Say what the proposal sets, write it where asked to, and return whether that was done."""
    is_asked = is_written or output is not None
    if finding.choice is None:
        if is_asked:
            console.print(
                "posture: nothing was written: there is too little to propose a setting", style="red"
            )
        return not is_asked
    candidate = sweep.candidates[finding.choice.chosen]
    values = candidate.written(sweep.current)
    if finding.choice.chosen == CURRENT or not values:
        if is_asked:
            console.print("nothing was written: there is nothing to change")
        return True
    listed = ", ".join(f"{key} = {to_value(value)}" for key, value in values.items())
    console.print(f"Proposed: {listed}", style="bold")
    held = finding.choice.held_out
    comment = (
        f"Proposed by 'posture tune' on {len(finding.trials)} recordings.\n"
        f"Expected on people left out: recall {held.recall:.2f}, {held.false_per_hour:.2f} false alerts an hour."
    )
    for path in [*([config_path()] if is_written else []), *([output] if output else [])]:
        store_values(path, values, comment)
        console.print(f"wrote {path}")
    if not is_asked:
        console.print(
            f"Nothing was written; --write puts it into {config_path()}, --output FILE.toml elsewhere."
        )
    return True


def _check_outputs(paths: Sequence[Path], cases: Cases, outputs: list[Path | None]) -> None:
    """Raise if a file to write is one to read, or a folder."""
    check_outputs([*(str(case.clip) for case in cases.cases), *map(str, paths)], outputs)
    for path in outputs:
        if path is not None and path.is_dir():
            raise OutputError(f"{path} is a folder; name a file to write to")


def _tell_unlabelled(console: Console, cases: Cases) -> None:
    """Say which recordings have no labels."""
    bare = [str(path) for path in cases.unlabelled]
    if bare:
        more = f" and {len(bare) - MAX_NAMED} more" if len(bare) > MAX_NAMED else ""
        console.print(f"note: without labels, left out: {', '.join(bare[:MAX_NAMED])}{more}", style="bold")


class _Bar:
    """One bar over all recordings, each as far as it is."""

    def __init__(self, progress: Progress, n: int) -> None:
        self.rich = progress
        self._task = progress.add_task("trying settings", total=n)
        self._shares: dict[int, float] = {}

    def __enter__(self) -> _Bar:
        """Show it."""
        self.rich.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Take it away."""
        self.rich.stop()

    def see(self, progress: JobProgress) -> None:
        """Take in how far one is."""
        self._show(progress.index, progress.value or 0.0)

    def finish(self, index: int) -> None:
        """Take in that one is done."""
        self._show(index, 1.0)

    def _show(self, index: int, share: float) -> None:
        self._shares[index] = share
        self.rich.update(self._task, completed=sum(self._shares.values()))


def _progress(console: Console, n: int, *, is_shown: bool) -> _Bar:
    """Return the bar."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return _Bar(Progress(*columns, console=console, transient=True, disable=not is_shown), n)
