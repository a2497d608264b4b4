"""The command ``posture evaluate``: labelled clips judged and scored. It returns the exit code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from posture.clip_replay import ReplayPlan
from posture.config import load_settings, read_overrides
from posture.console import make_console
from posture.errors import EvaluationError, OutputError, OverrideError
from posture.evaluation.cases import Case, Cases, find_cases
from posture.evaluation.comparison import Comparison, compare
from posture.evaluation.limits import Limits, broken_limits
from posture.evaluation.page import render_page
from posture.evaluation.record import describe, read_result, write_result
from posture.evaluation.result import Failure, Result
from posture.evaluation.running import evaluate, name_of
from posture.evaluation.statistics import check_statistics
from posture.evaluation.tables import comparison_parts, result_parts
from posture.files import check_outputs, write_atomically
from posture.profiles import load_baseline
from posture.session import StopSignals
from posture.words import needs_ascii

MAX_NAMED = 5
"""Unlabelled clips named in one line (our choice)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    paths: tuple[Path, ...]
    span_s: tuple[float, float] | None = None
    baseline: Path | None = None
    overrides: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    """Overrides, or one configuration file, or one result: what to compare with; empty = nothing."""
    json: Path | None = None
    html: Path | None = None
    limits: Limits = field(default_factory=Limits)
    n_jobs: int = 1


def run_evaluate(request: Request) -> int:
    """Evaluate, compare, print, write.

    Returns
    -------
    int
        1 if a clip failed or a limit is not kept, 130 after Ctrl-C, else 0.

    Raises
    ------
    PostureError
        If there is nothing to evaluate, or a file cannot be read or written.
    """
    check_statistics()
    console, errors = make_console(), make_console(is_stderr=True)
    baseline = load_baseline(request.baseline) if request.baseline is not None else None
    plan = ReplayPlan(
        load_settings(overrides=list(request.overrides)), request.overrides, baseline, request.span_s
    )
    other = _other(request, plan)
    found = find_cases(request.paths)
    _check_outputs(request, found)
    _tell_unlabelled(errors, found)
    if not found.cases:
        _tell_failures(errors, found.failures)
        raise EvaluationError(
            f"no labelled clip in {', '.join(map(str, request.paths))}; see docs/evaluate.md"
        )
    with StopSignals() as signals:
        result = _evaluate(errors, found.cases, plan, request.n_jobs, signals)
        if isinstance(other, ReplayPlan) and not signals.stop.is_set():
            other = _evaluate(errors, found.cases, other, request.n_jobs, signals)
            result = Result(result.name, result.scores, (*result.failures, *_only_there(result, other)))
    result = Result(result.name, result.scores, (*found.failures, *result.failures))
    comparison = compare(result, other) if isinstance(other, Result) and result.scores else None
    broken: tuple[str, ...] = ()
    if result.scores:
        broken = broken_limits(result.overall, request.limits)
        _show(console, result, comparison)
        _write(console, request, plan, result, comparison, broken)
    _tell_failures(errors, result.failures)
    for line in broken:
        errors.print(f"posture: limit not kept: {line}")
    if signals.received is not None:
        errors.print("posture: interrupted; the figures are of the clips that were finished")
        return signals.exit_code or 128 + signals.received
    has_nothing_shared = comparison is not None and not comparison.first.scores
    if has_nothing_shared:
        errors.print(
            f"posture: --against {request.against[0]}: no clip of that name in both; nothing is compared"
        )
    return 1 if broken or result.failures or has_nothing_shared else 0


def _only_there(result: Result, other: Result) -> list[Failure]:
    """Return what failed in the other plan alone."""
    known = {failure.clip for failure in result.failures}
    return [Failure(f.clip, f"with {other.name}: {f.problem}") for f in other.failures if f.clip not in known]


def _other(request: Request, plan: ReplayPlan) -> ReplayPlan | Result | None:
    """Return what is to be compared with: another plan, or a result there is already."""
    if not request.against:
        return None
    path = Path(request.against[0])
    if "=" in request.against[0] and not path.is_file():
        added = request.against
    elif len(request.against) > 1:
        raise EvaluationError(f"--against {path}: give one file, or any number of KEY=VALUE")
    elif path.suffix.lower() == ".json":
        return read_result(path)
    else:
        added = tuple(read_overrides(path))
    overrides = (*plan.overrides, *added)
    try:
        settings = load_settings(overrides=list(overrides))
    except OverrideError as error:
        raise OverrideError(str(error).replace("--set", "--against", 1)) from error
    return ReplayPlan(settings, overrides, plan.baseline, plan.span_s)


def _check_outputs(request: Request, found: Cases) -> None:
    """Raise if a file to write is one to read, or a folder."""
    inputs = [str(case.clip) for case in found.cases] + [str(path) for path in request.paths]
    check_outputs([*inputs, *request.against], [request.json, request.html])
    for path in (request.json, request.html):
        if path is not None and path.is_dir():
            raise OutputError(f"{path} is a folder; name a file to write to")


def _evaluate(
    errors: Console, cases: Sequence[Case], plan: ReplayPlan, n_jobs: int, signals: StopSignals
) -> Result:
    """Evaluate, and show how far it is."""
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    shares, done = [0.0] * len(cases), 0.0
    with progress:
        task = progress.add_task(name_of(plan), total=len(cases))

        def show(index: int, share: float) -> None:
            nonlocal done
            done, shares[index] = done + share - shares[index], share
            # rounded, so that the last clip is not 0.9999999 of one
            progress.update(
                task, completed=round(done, 6), description=f"{name_of(plan)}: {cases[index].name}"
            )

        return evaluate(cases, plan, n_jobs=n_jobs, signals=signals, on_progress=show)


def _show(console: Console, result: Result, comparison: Comparison | None) -> None:
    """Print the figures."""
    is_ascii = needs_ascii(console.encoding, os.environ)
    parts = [*result_parts(result, is_ascii=is_ascii)]
    if comparison is not None and comparison.first.scores:
        parts += [*comparison_parts(comparison, is_ascii=is_ascii)]
    for part in parts:
        console.print(part)


def _write(
    console: Console,
    request: Request,
    plan: ReplayPlan,
    result: Result,
    comparison: Comparison | None,
    broken: tuple[str, ...],
) -> None:
    """Write the files asked for."""
    if request.json is not None:
        settings: dict[str, Any] = msgspec.to_builtins(plan.settings)
        shown = {section: settings[section] for section in ("model", "calibration", "judge", "alert")}
        described = describe(
            result, settings=shown, limits=request.limits, broken=broken, comparison=comparison
        )
        write_result(request.json, described)
        console.print(f"wrote {request.json}")
    if request.html is not None:
        page = render_page(result, comparison, broken)
        write_atomically(request.html, page.encode("utf-8", errors="replace"), is_durable=False)
        console.print(f"wrote {request.html}")


def _tell_unlabelled(errors: Console, found: Cases) -> None:
    """Name the clips in folders that have no labels."""
    names = [path.name for path in found.unlabelled]
    if names:
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        errors.print(f"note: without labels, left out: {', '.join(names[:MAX_NAMED])}{more}", style="bold")


def _tell_failures(errors: Console, failures: Sequence[Failure]) -> None:
    """Print a line for everything that could not be evaluated."""
    for failure in failures:
        is_named = Path(failure.clip).name in failure.problem
        errors.print(
            f"posture: {failure.problem}" if is_named else f"posture: {failure.clip}: {failure.problem}"
        )
    if failures:
        errors.print(f"posture: {len(failures)} could not be evaluated")
