"""Limits that figures must keep, so that they can gate a change. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from posture.evaluation.tally import Tally, worst_s


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of the figures over all clips; None = not asked."""

    max_false_per_hour: float | None = None
    min_recall: float | None = None
    """0..1."""
    max_neck_mae_deg: float | None = None
    max_thoracic_mae_deg: float | None = None
    max_late_s: float | None = None
    """Of the latest alert that still counted."""


def broken_limits(tally: Tally, limits: Limits) -> tuple[str, ...]:
    """Return a line for every limit that is not kept; a figure that there is none of keeps no limit."""
    late_s = worst_s(tally.late_s)
    asked = (
        ("false alerts per hour", tally.false_per_hour, limits.max_false_per_hour, "no time was watched"),
        ("neck error", tally.neck.mae_deg, limits.max_neck_mae_deg, "no true angles in the labels"),
        ("trunk error", tally.thoracic.mae_deg, limits.max_thoracic_mae_deg, "no true angles in the labels"),
        ("latest alert", late_s, limits.max_late_s, "no 'must' interval got its alert"),
    )
    units = {"neck error": "°", "trunk error": "°", "latest alert": " s late"}
    broken = []
    for name, value, limit, reason in asked:
        unit = units.get(name, "")
        if limit is not None and isnan(value):
            broken.append(f"{name}: {reason}, so the limit of {limit:g}{unit} is not known to be kept")
        elif limit is not None and value > limit:
            broken.append(f"{name}: {value:.2f}{unit}, more than {limit:g}{unit}")
    if limits.min_recall is not None and isnan(tally.recall):
        broken.append(
            f"recall: no 'must' interval in the labels, so {limits.min_recall:g} is not known to be kept"
        )
    elif limits.min_recall is not None and tally.recall < limits.min_recall:
        broken.append(
            f"recall: {tally.recall:.2f} ({tally.n_met} of {tally.n_must}), less than {limits.min_recall:g}"
        )
    return tuple(broken)
