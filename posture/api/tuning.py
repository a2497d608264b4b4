"""Try settings on labelled recordings, from Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from posture.api.columns import Columns
from posture.api.labelled import find_labelled
from posture.config import change_settings, check_settings
from posture.errors import EvaluationError, OverrideError, PostureError, SettingsError
from posture.evaluation.cases import Case
from posture.evaluation.figures import Estimate
from posture.evaluation.statistics import check_statistics
from posture.evaluation.tally import median_s
from posture.jobs.outcome import Outcome
from posture.jobs.processes import run_jobs
from posture.settings import Settings
from posture.tuning.choice import CURRENT
from posture.tuning.figures import bounds
from posture.tuning.finding import Finding
from posture.tuning.running import gather, make_finding
from posture.tuning.sweep import Sweep, make_sweep
from posture.tuning.trial import Figures, Trial
from posture.tuning.working import Task


@dataclass(frozen=True, slots=True)
class TuneFigures:
    """What one way of judging gave on some recordings."""

    watched_h: float
    """Hours in which an alert could have been false."""
    n_must: int
    """Slouches that ask for an alert."""
    n_met: int
    """Those that got it."""
    n_false: int
    """Alerts that nobody asked for."""
    recall: Estimate
    """`n_met` of `n_must`; NaN = nothing asks for an alert."""
    false_per_hour: Estimate
    """`n_false` in an hour."""
    late_median_s: float
    """Seconds from when a slouch had lasted long enough to its alert; negative = early; NaN = none was met."""


@dataclass(frozen=True, eq=False)
class TuneResult:
    """What settings would have given on labelled recordings.

    ``pandas.DataFrame(result.columns())`` makes a data frame of it, one row a setting.
    """

    changes: dict[str, object]
    """What is proposed to be set, as :func:`make_settings` takes it; empty = nothing, see `missing` for why."""
    settings: Settings
    """The settings in force with `changes` made, ready for :func:`replay`."""
    missing: tuple[str, ...]
    """What is missing before anything can be proposed, each a part of a sentence; empty = enough is there."""
    current: TuneFigures
    """Of the settings in force."""
    held_out: TuneFigures | None
    """Of the proposal on people it was not chosen on: what to expect. None = nothing is proposed."""
    seen: TuneFigures | None
    """Of the proposal where it was chosen, which is too good."""
    front: tuple[int, ...]
    """Rows of :meth:`columns` that no other beats, by false alerts ascending."""
    notes: tuple[str, ...]
    """What to know before believing the figures."""
    failures: dict[str, str]
    """Recordings and label files that could not be used, each with the reason in one line."""
    _columns: Columns

    def __repr__(self) -> str:
        """Return one line."""
        told = "too little to propose one" if self.missing else f"proposed: {self.changes or 'no change'}"
        return f"<TuneResult: {len(self._columns['recall'])} settings tried, {told}, failed: {len(self.failures)}>"

    def columns(self) -> Columns:
        """Return the figures as columns, one row a setting; the settings in force come first.

        Returns
        -------
        dict of str to ndarray, shape (S,)
            What was swept under its own name, then ``recall``, ``false_per_hour`` and ``late_median_s`` on all
            recordings together. NaN = nothing to make it of.
        """
        return dict(self._columns)


def tune(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    sweep: Mapping[str, Iterable[object]] | None = None,
    max_false_per_hour: float = 0.5,
    settings: Settings | None = None,
    n_jobs: int = 1,
    on_progress: Callable[[int, float], None] | None = None,
) -> TuneResult:
    """Try settings on labelled recordings, as ``posture tune`` does; nothing is written.

    Parameters
    ----------
    paths : path or iterable of path
        Recordings and traces with labels, label files, and folders, which are looked through with all that is below
        them.
    sweep : mapping, optional
        Full names of settings and the values to try, as in ``{"alert.sustain_s": [30, 60]}``; ``"thresholds"`` scales
        all four. Every combination is tried. The default is what ``posture tune`` tries.
    max_false_per_hour : float
        False alerts an hour that the proposal may give at most, more than 0.
    settings : Settings, optional
        Those in force, which the others are compared with. The default is what comes with the program.
    n_jobs : int
        Processes at most; the figures do not depend on it. With more than 1 a script must be importable without
        running itself (``if __name__ == "__main__":``).
    on_progress : callable, optional
        Called with a recording's index and the share of it that is done, 1 when it is finished.

    Returns
    -------
    TuneResult
        One recording that fails does not stop the rest; it is among the failures.

    Raises
    ------
    EvaluationError
        If there is no labelled recording at all, or none that can be used; if the limit is not a positive number; or
        SciPy (``posture[lab]``) is missing.
    SettingsError
        If a name cannot be swept, a value is out of its range, or there are too many combinations.
    """
    check_statistics()
    if not 0.0 < max_false_per_hour < float("inf"):
        raise EvaluationError(f"tune: max_false_per_hour is {max_false_per_hour:g}; give a positive number")
    chosen = Settings() if settings is None else check_settings(settings)
    try:
        tried = make_sweep(_listed(sweep or {}), load=partial(change_settings, chosen))
    except OverrideError as error:
        raise SettingsError(str(error).replace("--sweep", "sweep", 1)) from error
    found, failures = find_labelled(paths, "tune", "recording")
    tell = on_progress or (lambda index, share: None)
    task = Task(chosen, tuple((one.judge, one.alert) for one in tried.candidates))
    done = gather(
        tried,
        found.cases,
        _one_by_one(task, found.cases, tell)
        if n_jobs == 1
        else _side_by_side(task, found.cases, n_jobs, tell),
        on_finished=lambda index: tell(index, 1.0),
    )
    if not done.trials:
        raise EvaluationError(f"tune: {next(iter(done.failures.values()))}")
    finding = make_finding(tried, done.trials, max_false_per_hour)
    return _result(tried, chosen, finding, done.notes, failures | done.failures)


def _listed(sweep: Mapping[str, Iterable[object]]) -> list[str]:
    """Return a sweep as the command line has it."""
    return [f"{key}={','.join(str(value) for value in values)}" for key, values in sweep.items()]


def _one_by_one(
    task: Task, cases: Sequence[Case], tell: Callable[[int, float], None]
) -> Iterator[Outcome[tuple[Trial, str]]]:
    """Yield what comes of each recording, worked out here."""
    for index, case in enumerate(cases):
        try:
            yield Outcome(index, task(case, partial(tell, index)))
        except PostureError as error:
            yield Outcome(index, None, str(error))


def _side_by_side(
    task: Task, cases: Sequence[Case], n_jobs: int, tell: Callable[[int, float], None]
) -> Iterator[Outcome[tuple[Trial, str]]]:
    """Yield the same from several processes, as they finish."""
    yield from run_jobs(
        task, cases, n_jobs, on_progress=lambda progress: tell(progress.index, progress.value or 0.0)
    )


def _result(
    sweep: Sweep, settings: Settings, finding: Finding, notes: Sequence[str], failures: dict[str, str]
) -> TuneResult:
    """Return what came of it."""
    choice = finding.choice
    changes = {} if choice is None else sweep.candidates[choice.chosen].written(sweep.current)
    swept = {key: _column([row[k] for row in finding.values]) for k, key in enumerate(finding.keys)}
    totals = [finding.total(s) for s in range(len(finding.values))]
    return TuneResult(
        changes,
        change_settings(settings, [f"{key}={value}" for key, value in changes.items()]),
        tuple(finding.missing),
        _figures(finding.total(CURRENT)),
        None if choice is None else _figures(choice.held_out),
        None if choice is None else _figures(choice.seen),
        tuple(finding.front),
        (*finding.warnings, *notes),
        failures,
        swept
        | {
            "recall": np.array([total.recall for total in totals]),
            "false_per_hour": np.array([total.false_per_hour for total in totals]),
            "late_median_s": np.array([median_s(total.late_s) for total in totals]),
        },
    )


def _column(values: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float64 | np.str_]]:
    """Return values as numbers, or as they are if one is none."""
    try:
        return np.array([float(value) for value in values], dtype=np.float64)
    except ValueError:
        return np.array(values, dtype=np.str_)


def _figures(figures: Figures) -> TuneFigures:
    """Return figures with their intervals."""
    limits = bounds(figures)
    return TuneFigures(
        figures.watched_h,
        figures.n_must,
        figures.n_met,
        figures.n_false,
        Estimate(figures.recall, *limits.recall),
        Estimate(figures.false_per_hour, *limits.rate),
        median_s(figures.late_s),
    )
