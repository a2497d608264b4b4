"""Settings tried on many recordings: what came of each, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from posture.evaluation.cases import Case
from posture.jobs.outcome import Outcome
from posture.tuning.finding import Finding, distance
from posture.tuning.sweep import Sweep
from posture.tuning.trial import Trial


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of some recordings."""

    trials: tuple[Trial, ...]
    """Of those that could be used, in the order they were given."""
    notes: tuple[str, ...]
    """What else to know, of the sweep and of single recordings."""
    failures: dict[str, str]
    """The other recordings' names, each with the reason in one line."""


def gather(
    sweep: Sweep,
    cases: Sequence[Case],
    outcomes: Iterable[Outcome[tuple[Trial, str]]],
    *,
    on_finished: Callable[[int], None] = lambda index: None,
    on_failure: Callable[[str], None] = lambda problem: None,
) -> Tried:
    """Return what came of all recordings.

    Parameters
    ----------
    sweep : Sweep
        What is tried.
    cases : sequence of Case
        The recordings.
    outcomes : iterable of Outcome
        What a :class:`~posture.tuning.working.Task` makes of them, in any order.
    on_finished, on_failure : callable
        Told at once of each recording that is done, and why one could not be used.
    """
    notes: list[str] = []
    if sweep.n_out_of_range:
        notes.append(
            f"{sweep.n_out_of_range} combinations left out: a scaled threshold would be out of its range"
        )
    found: dict[int, Trial] = {}
    failures: dict[str, str] = {}
    for done in outcomes:
        on_finished(done.index)
        if done.value is None:
            case = cases[done.index]
            problem = done.error if case.clip.name in done.error else f"{case.clip}: {done.error}"
            failures[case.name] = problem
            on_failure(problem)
            continue
        found[done.index], note = done.value
        notes += [note] if note else []
    return Tried(tuple(found[i] for i in sorted(found)), tuple(notes), failures)


def make_finding(sweep: Sweep, trials: Sequence[Trial], max_false_per_hour: float) -> Finding:
    """Return all that came of it.

    Parameters
    ----------
    sweep : Sweep
        What was tried.
    trials : sequence of Trial
        At least one.
    max_false_per_hour : float
        The limit that a proposal has to keep to.
    """
    current = sweep.current.judge, sweep.current.alert
    return Finding(
        sweep.keys,
        tuple(sweep.values(candidate) for candidate in sweep.candidates),
        tuple(trials),
        tuple(distance(one.judge, one.alert, current) for one in sweep.candidates),
        max_false_per_hour,
    )
