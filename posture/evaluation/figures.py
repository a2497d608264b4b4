"""The figures of a tally, each with how sure it is: what is printed, drawn and written."""

from __future__ import annotations

from dataclasses import dataclass

from posture.evaluation.statistics import poisson_interval, proportion_interval
from posture.evaluation.tally import AngleTally, Tally, median_s, worst_s


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its exact 95 % interval."""

    value: float
    """NaN = there is nothing to make it of."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AngleFigures:
    """How wrong one angle is; degrees, forward positive; NaN = nothing measured."""

    mae_deg: float
    bias_deg: float
    correlation: float
    zero_mae_deg: float
    """What saying 0 always would cost."""
    measured_ratio: float
    n: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of some clips, or of a part of them; NaN where there is nothing to make one of."""

    watched_h: float
    n_false: int
    false_per_hour: Estimate
    n_must: int
    n_met: int
    recall: Estimate
    late_median_s: float
    late_worst_s: float
    n_slouches: int
    n_noticed: int
    onset_median_s: float
    onset_worst_s: float
    recovery_median_s: float
    recovery_worst_s: float
    n_unrecovered: int
    not_judged_ratio: float
    not_judged_s: dict[str, float]
    """By reason, the longest first."""
    neck: AngleFigures
    thoracic: AngleFigures


def make_figures(tally: Tally) -> Figures:
    """Return the figures of a tally.

    Raises
    ------
    EvaluationError
        If SciPy is missing.
    """
    reasons = sorted(tally.not_judged_s.items(), key=lambda item: -item[1])
    return Figures(
        watched_h=tally.watched_h,
        n_false=tally.n_false,
        false_per_hour=Estimate(tally.false_per_hour, *poisson_interval(tally.n_false, tally.watched_h)),
        n_must=tally.n_must,
        n_met=tally.n_met,
        recall=Estimate(tally.recall, *proportion_interval(tally.n_met, tally.n_must)),
        late_median_s=median_s(tally.late_s),
        late_worst_s=worst_s(tally.late_s),
        n_slouches=tally.n_slouches,
        n_noticed=len(tally.onset_s),
        onset_median_s=median_s(tally.onset_s),
        onset_worst_s=worst_s(tally.onset_s),
        recovery_median_s=median_s(tally.recovery_s),
        recovery_worst_s=worst_s(tally.recovery_s),
        n_unrecovered=tally.n_unrecovered,
        not_judged_ratio=tally.not_judged_ratio,
        not_judged_s={reason.value: seconds for reason, seconds in reasons},
        neck=_angle(tally.neck),
        thoracic=_angle(tally.thoracic),
    )


def _angle(tally: AngleTally) -> AngleFigures:
    """Return the figures of one angle."""
    return AngleFigures(
        tally.mae_deg, tally.bias_deg, tally.correlation, tally.zero_mae_deg, tally.measured_ratio, tally.n
    )
