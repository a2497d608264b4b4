"""Which settings to take, and what to expect of them with people who had no say in it. Pure; no I/O.

Settings are chosen on some people and counted on the others, fold by fold; the sums over the folds are what is
expected of a choice made like this. What a choice gives on the very recordings it was made on is always too good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Final

import numpy as np

from posture.tuning.trial import Figures, IntArray, Trial, add_figures

CURRENT: Final = 0
"""Place of the settings in force among those tried."""
MAX_FOLDS: Final = 5
"""Five to ten folds are the usual compromise (Kohavi 1995, "A study of cross-validation and bootstrap")."""
TAIL: Final = 0.025
"""Chance on either side of a 95 % interval."""
SURE_RECALL: Final = 0.8
"""Of the slouches, what has to be shown to be found if all were (our choice)."""
MIN_MUST: Final = ceil(log(TAIL) / log(SURE_RECALL))
"""Intervals asking for an alert without which nothing is proposed: were all 17 met, the exact 95 % interval of the
recall would begin at 0.8 (Clopper & Pearson 1934)."""


def min_watched_h(max_false_per_hour: float) -> float:
    """Return the hours without which nothing is proposed.

    Were there no false alert in them, the exact 95 % interval of the rate would end at the limit (Garwood 1936).
    """
    return -log(TAIL) / max_false_per_hour


@dataclass(frozen=True, slots=True)
class Group:
    """Recordings that are held out together."""

    name: str
    """The person; of a recording that names none, its own."""
    is_person: bool
    members: tuple[int, ...]
    """Which recordings."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings chosen on all recordings, and what to expect of them."""

    chosen: int
    """Which settings."""
    seen: Figures
    """Theirs on the recordings that they were chosen on: too good."""
    held_out: Figures
    """What the choices of every fold gave on the people left out."""
    current: Figures
    """Those of the settings in force; nobody chose them by these recordings."""
    by_fold: tuple[int, ...]
    """What each fold chose."""
    differences: tuple[tuple[int, int], ...]
    """For every group: held out minus settings in force, in intervals met and in false alerts."""
    is_within_limit: bool
    """Whether any settings tried keep to the limit of false alerts; otherwise those nearest to it were chosen."""


def group_trials(trials: Sequence[Trial]) -> tuple[Group, ...]:
    """Return who is held out together: a person's recordings, or a recording that names nobody."""
    members: dict[tuple[bool, str], list[int]] = {}
    for i, trial in enumerate(trials):
        members.setdefault((bool(trial.person), trial.person or trial.name), []).append(i)
    if sum(is_person for is_person, _ in members) == 1 and len(members) == 1:
        return tuple(Group(trial.name, False, (i,)) for i, trial in enumerate(trials))
    return tuple(Group(name, is_person, tuple(m)) for (is_person, name), m in members.items())


def find_missing(trials: Sequence[Trial], groups: Sequence[Group], max_false_per_hour: float) -> list[str]:
    """Return what is missing before settings can be proposed, as parts of a sentence; empty = nothing."""
    n_must = sum(trial.n_must for trial in trials)
    watched_h = sum(float(trial.watched_s[CURRENT]) for trial in trials) / 3600.0
    wanted_h = min_watched_h(max_false_per_hour)
    missing = []
    if n_must < MIN_MUST:
        missing.append(
            f"{MIN_MUST - n_must} more slouches labelled 'must' (there are {n_must} of {MIN_MUST})"
        )
    if watched_h < wanted_h:
        missing.append(f"{wanted_h - watched_h:.1f} more hours (there are {watched_h:.1f} of {wanted_h:.1f})")
    if len(groups) < 2:
        missing.append("a second recording, best of another person")
    elif sum(any(trials[i].n_must for i in group.members) for group in groups) < 2:
        missing.append("a second person or recording with slouches labelled 'must'")
    return missing


def make_folds(trials: Sequence[Trial], groups: Sequence[Group]) -> list[list[int]]:
    """Return the recordings of each fold, groups kept whole, about as many hours in each.

    The longest group comes first into the emptiest fold; the same recordings give the same folds.
    """
    n_folds = min(MAX_FOLDS, len(groups))
    folds: list[list[int]] = [[] for _ in range(n_folds)]
    hours = [0.0] * n_folds

    def length(group: Group) -> float:
        return sum(float(trials[i].watched_s[CURRENT]) for i in group.members)

    for group in sorted(groups, key=lambda g: (-length(g), g.name)):
        fold = min(range(n_folds), key=lambda f: (len(folds[f]) > 0, hours[f], f))
        folds[fold] += group.members
        hours[fold] += length(group)
    return folds


def choose(
    trials: Sequence[Trial], n_changes: Sequence[float], max_false_per_hour: float
) -> tuple[int, bool]:
    """Return the best settings, and whether they keep to the limit.

    Of those within the limit the one with the most intervals met; among equals the fewest false alerts, then the
    nearest to the settings in force. If none is within it: the fewest false alerts an hour, then the most met.

    Parameters
    ----------
    trials : sequence of Trial
        Recordings to choose on, not empty.
    n_changes : sequence of float
        (S,) how far each is from the settings in force.
    max_false_per_hour : float
        The limit.
    """
    n_met, n_false = _sums(trials)
    watched_h = np.sum([trial.watched_s for trial in trials], axis=0) / 3600.0
    rate = np.where(watched_h > 0.0, n_false / np.maximum(watched_h, 1e-12), np.inf)
    is_within = rate <= max_false_per_hour
    nearness = np.asarray(n_changes)
    is_any = bool(is_within.any())
    order = np.lexsort((nearness, n_false, -n_met, ~is_within) if is_any else (nearness, -n_met, rate))
    return int(order[0]), is_any


def validate(
    trials: Sequence[Trial],
    groups: Sequence[Group],
    n_changes: Sequence[float],
    max_false_per_hour: float,
) -> Choice:
    """Choose settings, and count what such a choice gives on people left out; needs two groups."""
    folds = make_folds(trials, groups)
    by_fold, used = [], [CURRENT] * len(trials)
    for fold in folds:
        others = [trial for i, trial in enumerate(trials) if i not in fold]
        chosen, _ = choose(others, n_changes, max_false_per_hour)
        by_fold.append(chosen)
        for i in fold:
            used[i] = chosen
    chosen, is_within = choose(trials, n_changes, max_false_per_hour)
    differences = tuple(
        (
            sum(int(trials[i].n_met[used[i]] - trials[i].n_met[CURRENT]) for i in group.members),
            sum(int(trials[i].n_false[used[i]] - trials[i].n_false[CURRENT]) for i in group.members),
        )
        for group in groups
    )
    return Choice(
        chosen,
        add_figures([(trial, chosen) for trial in trials]),
        add_figures(list(zip(trials, used, strict=True))),
        add_figures([(trial, CURRENT) for trial in trials]),
        tuple(by_fold),
        differences,
        is_within,
    )


def pareto_front(trials: Sequence[Trial], n_changes: Sequence[float]) -> list[int]:
    """Return the settings that no other beats: by false alerts ascending, and so by recall.

    Of several with the same figures, the nearest to the settings in force.
    """
    n_met, _ = _sums(trials)
    rate = false_rates(trials)
    front: list[int] = []
    for s in np.lexsort((np.asarray(n_changes), -n_met, rate)).tolist():
        if not front or n_met[s] > n_met[front[-1]]:
            front.append(s)
    return front


def false_rates(trials: Sequence[Trial]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return false alerts per hour, (S,), of all recordings together."""
    _, n_false = _sums(trials)
    watched_h = np.sum([trial.watched_s for trial in trials], axis=0) / 3600.0
    return np.asarray(n_false / watched_h)


def recalls(trials: Sequence[Trial]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the recall, (S,), of all recordings together; NaN where nothing asks for an alert."""
    n_must = sum(trial.n_must for trial in trials)
    n_met, _ = _sums(trials)
    return np.asarray(n_met / n_must if n_must else np.full(len(n_met), np.nan))


def _sums(trials: Sequence[Trial]) -> tuple[IntArray, IntArray]:
    """Return intervals met and false alerts, (S,) each, of all recordings together."""
    return (
        np.sum([trial.n_met for trial in trials], axis=0),
        np.sum([trial.n_false for trial in trials], axis=0),
    )
