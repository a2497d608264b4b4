"""What a run over many clips shows: a bar for each worker and one for all, or plain lines; and its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from posture.batch.clip_work import Judging
from posture.batch.finding import Skipped, readable
from posture.jobs.outcome import Progress as JobProgress
from posture.slouch import SlouchState
from posture.summary import Summary
from posture.words import STATES, clock

NAME_WIDTH = 36
"""Characters of a clip's name beside its bar (our choice): with the bar and the time they fill 80 columns."""
MAX_SKIPPED = 20
"""Skipped files that are named one by one; of more, the rest is counted by kind (our choice)."""


class BatchProgress:
    """Bars for the time of a ``with`` block; what is printed meanwhile stands above them.

    Parameters
    ----------
    errors : Console
        Where they go; nothing is shown if it is not a terminal.
    names : sequence of str
        The clips.
    """

    def __init__(self, errors: Console, names: Sequence[str]) -> None:
        self._names = names
        self._n_done = 0
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}", markup=False, justify="right"),
            TimeRemainingColumn(),
            console=errors,
            transient=True,
            disable=not errors.is_terminal,
            redirect_stdout=False,  # it may be a file; what goes to the terminal is printed by `beside`
        )
        self._total = self._bars.add_task("all clips", total=len(names), told=f"0/{len(names)}")
        self._workers: dict[int, tuple[TaskID, int]] = {}

    def __enter__(self) -> Self:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Take them away."""
        self._bars.stop()

    def show(self, progress: JobProgress) -> None:
        """Show how far a worker is."""
        task, index = self._workers.get(progress.worker, (None, -1))
        if task is None or index != progress.index:
            if task is not None:
                self._bars.remove_task(task)
            task = self._bars.add_task(_shortened(self._names[progress.index]), total=None, told="")
            self._workers[progress.worker] = (task, progress.index)
        if isinstance(progress.value, Judging):
            self._bars.update(
                task,
                completed=progress.value.t_s,
                total=progress.value.duration_s,
                told=clock(progress.value.t_s),
            )

    def finish(self, index: int) -> str:
        """Take a clip's bar away and return the beginning of its line."""
        self._n_done += 1
        n = len(self._names)
        for worker, (task, having) in list(self._workers.items()):
            if having == index:
                self._bars.remove_task(task)
                del self._workers[worker]
        self._bars.update(self._total, completed=self._n_done, told=f"{self._n_done}/{n}")
        return f"[{self._n_done:{len(str(n))}}/{n}] {self._names[index]}:"


def beside(console: Console, errors: Console) -> Console:
    """Return where to print, while there are bars, what is for `console`: on one terminal only theirs knows them."""
    return errors if console.is_terminal and errors.is_terminal else console


def totals_line(summary: Summary) -> str:
    """Return a clip's totals on one line."""
    total_s = sum(summary.seconds.values())
    shares = ", ".join(
        f"{STATES[state][1]} {summary.seconds[state] / total_s:.0%}"
        for state in SlouchState
        if total_s and summary.seconds[state] > 0.0
    )
    return f"{clock(total_s)}, {shares or 'nothing judged'}, alerts {len(summary.alerts_s)}"


def print_skipped(errors: Console, skipped: Sequence[Skipped]) -> None:
    """Print a line for each file that is not judged; of very many, the rest by kind."""
    for entry in skipped[:MAX_SKIPPED]:
        errors.print(f"skipped: {readable(entry.path)}: {entry.why}", style="bold")
    rest = skipped[MAX_SKIPPED:]
    if rest:
        kinds = Counter(Path(entry.path).suffix.lower() or "no ending" for entry in rest)
        told = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(5))
        more = ", ..." if len(kinds) > 5 else ""
        errors.print(f"skipped: {len(rest)} more files ({told}{more})", style="bold")


def print_failures(errors: Console, n_clips: int, failures: Sequence[tuple[str, str]]) -> None:
    """Print which clips failed, and why, a line each."""
    if failures:
        errors.print(f"posture: {len(failures)} of {n_clips} clips failed:")
    for name, why in failures:
        errors.print(f"  {why}" if Path(name).name in why else f"  {name}: {why}")


def _shortened(name: str) -> str:
    """Return the end of a name, which tells clips apart."""
    return name if len(name) <= NAME_WIDTH else "…" + name[1 - NAME_WIDTH :]
