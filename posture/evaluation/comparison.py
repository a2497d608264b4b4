"""Two results over the same clips, side by side and clip by clip. Pure; no I/O.

The clips are the same, so what differs between them cancels: compared are the differences within each person (each clip
where no person is named), as those of one person go together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Final

import numpy as np

from posture.evaluation.result import Result
from posture.evaluation.scoring import ClipScore
from posture.evaluation.tally import Tally, add_up, median_s
from posture.landmarks import FloatArray

SAME: Final = 1e-9
"""A smaller difference is one of rounding."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of both results."""

    name: str
    unit: str
    is_lower_better: bool
    first: float
    second: float
    differences: FloatArray
    """(U,) second less first within each unit; all of one weight, in whatever the figure is counted in."""

    @property
    def n_differ(self) -> int:
        """Units in which there is a difference."""
        return int((np.abs(self.differences) > SAME).sum())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results, paired."""

    first: Result
    """Only what both have."""
    second: Result
    pairs: tuple[Pair, ...]
    n_units: int
    """Persons, or clips where nobody is named."""
    only_first: tuple[str, ...] = ()
    """Clips that only one of them has: left out."""
    only_second: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()
    """Clips whose alerts differ, with how."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    unit: str
    is_lower_better: bool
    figure: Callable[[Tally], float]
    """Of everything together."""
    part: Callable[[Tally], float]
    """Of one unit, such that its differences say in which direction the figure goes; NaN = it has none."""


_KINDS = (
    _Kind("false alerts per hour", "", True, lambda t: t.false_per_hour, lambda t: float(t.n_false)),
    _Kind("recall", "", False, lambda t: t.recall, lambda t: float(t.n_met)),
    _Kind("alert late, median", "s", True, lambda t: median_s(t.late_s), lambda t: median_s(t.late_s)),
    _Kind("onset delay, median", "s", True, lambda t: median_s(t.onset_s), lambda t: median_s(t.onset_s)),
    _Kind(
        "recovery delay, median",
        "s",
        True,
        lambda t: median_s(t.recovery_s),
        lambda t: median_s(t.recovery_s),
    ),
    _Kind("not judged", "share", True, lambda t: t.not_judged_ratio, lambda t: sum(t.not_judged_s.values())),
    _Kind("neck error", "°", True, lambda t: t.neck.mae_deg, lambda t: t.neck.mae_deg),
    _Kind("trunk error", "°", True, lambda t: t.thoracic.mae_deg, lambda t: t.thoracic.mae_deg),
)


def compare(first: Result, second: Result) -> Comparison:
    """Pair two results by the names of their clips; clips that only one of them has are left out."""
    ours, theirs = ({score.clip: score for score in result.scores} for result in (first, second))
    shared = [name for name in ours if name in theirs]
    a = Result(first.name, tuple(ours[name] for name in shared), first.failures)
    b = Result(second.name, tuple(theirs[name] for name in shared), second.failures)
    units = _units(a.scores, b.scores)
    pairs = []
    for kind in _KINDS:
        figures = kind.figure(a.overall), kind.figure(b.overall)
        if all(isnan(figure) for figure in figures):
            continue
        parts = np.array([[kind.part(one), kind.part(other)] for one, other in units]).reshape(-1, 2)
        differences = parts[:, 1] - parts[:, 0]
        pairs.append(
            Pair(kind.name, kind.unit, kind.is_lower_better, *figures, differences[np.isfinite(differences)])
        )
    return Comparison(
        a,
        b,
        tuple(pairs),
        len(units),
        tuple(name for name in ours if name not in theirs),
        tuple(name for name in theirs if name not in ours),
        tuple((name, how) for name in shared if (how := _change(ours[name], theirs[name]))),
    )


def _units(first: tuple[ClipScore, ...], second: tuple[ClipScore, ...]) -> list[tuple[Tally, Tally]]:
    """Return both tallies of every person, or of every clip in which nobody is named."""
    members: dict[tuple[str, str], list[int]] = {}
    for i, score in enumerate(first):
        key = ("person", score.person) if score.person else ("clip", score.clip)
        members.setdefault(key, []).append(i)
    return [
        (add_up(first[i].tally for i in indices), add_up(second[i].tally for i in indices))
        for indices in members.values()
    ]


def _change(first: ClipScore, second: ClipScore) -> str:
    """Return how a clip's alerts differ, in words; empty = not in number."""
    told = []
    for what, a, b in (
        ("false alerts", first.tally.n_false, second.tally.n_false),
        ("alerts that were due", first.tally.n_met, second.tally.n_met),
    ):
        if a != b:
            told.append(f"{what} {a} → {b}")
    return ", ".join(told)
