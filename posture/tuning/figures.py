"""Figures of settings with what chance leaves open: intervals, differences, and all of it as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from posture.evaluation.comparison import Pair
from posture.evaluation.statistics import poisson_interval, proportion_interval, weigh
from posture.evaluation.tally import median_s
from posture.tuning.choice import CURRENT
from posture.tuning.finding import Finding
from posture.tuning.sweep import Sweep
from posture.tuning.trial import Figures


@dataclass(frozen=True, slots=True)
class Bounds:
    """95 % intervals, exact."""

    recall: tuple[float, float]
    """Clopper & Pearson."""
    rate: tuple[float, float]
    """Of the false alerts an hour, Garwood."""


def bounds(figures: Figures) -> Bounds:
    """Return the intervals of figures."""
    return Bounds(
        proportion_interval(figures.n_met, figures.n_must),
        poisson_interval(figures.n_false, figures.watched_h),
    )


def pairs(finding: Finding) -> tuple[Pair, Pair]:
    """Return the proposal beside the settings in force: recall and false alerts, paired within people left out."""
    choice = finding.choice
    assert choice is not None
    met, false = np.array(choice.differences, dtype=np.float64).T
    held, now = choice.held_out, choice.current
    return (
        Pair("recall", "", False, now.recall, held.recall, met),
        Pair("false alerts per hour", "", True, now.false_per_hour, held.false_per_hour, false),
    )


def against_current(finding: Finding) -> str:
    """Return how the proposal compares with the settings in force, in a sentence."""
    words = [f"{pair.name} {weigh(pair)[1]}" for pair in pairs(finding)]
    units = "people" if any(group.is_person for group in finding.groups) else "recordings"
    return f"Against your settings, by {units} left out: {', '.join(words)}."


def as_json(finding: Finding, sweep: Sweep, notes: list[str], failures: list[str]) -> dict[str, Any]:
    """Return everything as plain types; NaN becomes None."""
    choice = finding.choice
    proposal: dict[str, Any] | None = None
    if choice is not None:
        weighed = {pair.name: weigh(pair) for pair in pairs(finding)}
        proposal = {
            "changes": dict(sweep.candidates[choice.chosen].changes),
            "set": sweep.candidates[choice.chosen].written(sweep.current),
            "is_current": choice.chosen == CURRENT,
            "is_within_limit": choice.is_within_limit,
            "held_out": _figures(choice.held_out),
            "seen": _figures(choice.seen),
            "chosen_by_fold": [finding.names[s] for s in choice.by_fold],
            "against_current": {
                name: {"p": _plain(p), "verdict": str(verdict)} for name, (p, verdict) in weighed.items()
            },
        }
    return {
        "recordings": len(finding.trials),
        "people": finding.n_persons,
        "held_out_by": "person" if any(group.is_person for group in finding.groups) else "recording",
        "max_false_per_hour": finding.max_false_per_hour,
        "current": _figures(finding.total(CURRENT)),
        "proposal": proposal,
        "missing": finding.missing,
        "front": finding.front,
        "settings": [
            {
                "changes": dict(candidate.changes),
                "recall": _plain(recall),
                "false_per_hour": _plain(rate),
                "late_median_s": _plain(median_s(finding.total(s).late_s)),
            }
            for s, (candidate, (rate, recall)) in enumerate(
                zip(sweep.candidates, finding.points, strict=True)
            )
        ],
        "notes": [*finding.warnings, *notes],
        "failures": failures,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    """Return figures with their intervals."""
    limits = bounds(figures)
    return {
        "hours": figures.watched_h,
        "must": figures.n_must,
        "met": figures.n_met,
        "recall": _plain(figures.recall),
        "recall_95": list(limits.recall),
        "false": figures.n_false,
        "false_per_hour": _plain(figures.false_per_hour),
        "false_per_hour_95": [_plain(end) for end in limits.rate],
        "late_median_s": _plain(median_s(figures.late_s)),
    }


def _plain(value: float) -> float | None:
    """Return a number that JSON has; None for NaN and infinity."""
    return None if isnan(value) or value in (float("inf"), float("-inf")) else value
