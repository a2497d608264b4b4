"""What is counted of a run against its labels: sums that add up over clips, and the figures made of them. Pure.

Every field adds up, so that the figures of a camera, a posture or everything are those of the sum of its clips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from math import nan, sqrt

import numpy as np

from posture.evaluation.course import STATES
from posture.landmarks import FloatArray
from posture.slouch import Reason, SlouchState

HOUR_S = 3600.0
NO_CONFUSION = ((0.0,) * len(STATES),) * len(STATES)


@dataclass(frozen=True, slots=True)
class AngleTally:
    """Errors of one angle over samples with a known truth; deviations in degrees, forward positive."""

    n: int = 0
    """Samples with a truth."""
    n_measured: int = 0
    """Samples with an estimate as well; all sums but `sum_abs_truth_deg` are over these."""
    sum_abs_error_deg: float = 0.0
    sum_error_deg: float = 0.0
    """Estimate minus truth."""
    sum_truth_deg: float = 0.0
    sum_estimate_deg: float = 0.0
    sum_truth_deg2: float = 0.0
    sum_estimate_deg2: float = 0.0
    sum_product_deg2: float = 0.0
    sum_abs_truth_deg: float = 0.0
    """Over all samples: what saying 0 always would cost."""

    @classmethod
    def of(cls, truth_deg: FloatArray, estimate_deg: FloatArray) -> AngleTally:
        """Return the tally of (N,) true deviations, all finite, and (N,) estimates, NaN = not measured."""
        measured = np.isfinite(estimate_deg)
        truth, estimate = truth_deg[measured], estimate_deg[measured]
        error = estimate - truth
        return cls(
            len(truth_deg),
            len(truth),
            float(np.abs(error).sum()),
            float(error.sum()),
            float(truth.sum()),
            float(estimate.sum()),
            float((truth**2).sum()),
            float((estimate**2).sum()),
            float((truth * estimate).sum()),
            float(np.abs(truth_deg).sum()),
        )

    @property
    def mae_deg(self) -> float:
        """Mean absolute error; NaN = nothing measured."""
        return _ratio(self.sum_abs_error_deg, self.n_measured)

    @property
    def bias_deg(self) -> float:
        """Mean error, positive = estimated too far forward; NaN = nothing measured."""
        return _ratio(self.sum_error_deg, self.n_measured)

    @property
    def correlation(self) -> float:
        """Pearson's r; NaN where one of the two does not vary."""
        n = self.n_measured
        truth = n * self.sum_truth_deg2 - self.sum_truth_deg**2
        estimate = n * self.sum_estimate_deg2 - self.sum_estimate_deg**2
        # a variance of rounding errors only is none
        if min(truth, estimate) <= 1e-9 * max(n * self.sum_truth_deg2, n * self.sum_estimate_deg2, 1e-300):
            return nan
        product = n * self.sum_product_deg2 - self.sum_truth_deg * self.sum_estimate_deg
        return product / sqrt(truth * estimate)

    @property
    def measured_ratio(self) -> float:
        """Share of the samples with an estimate; NaN = no samples."""
        return _ratio(self.n_measured, self.n)

    @property
    def zero_mae_deg(self) -> float:
        """Mean absolute error of saying 0 always: the figure to beat."""
        return _ratio(self.sum_abs_truth_deg, self.n)


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of one clip, or of many."""

    watched_s: float = 0.0
    """Frame time in which an alert could have been false: all but the spans to ignore, seconds."""
    n_must: int = 0
    """Intervals that asked for an alert."""
    n_met: int = 0
    """Those that got it."""
    n_unmeetable: int = 0
    """Those shorter than the sustain: none of them can be met. They count as missed all the same."""
    n_false: int = 0
    """False alerts."""
    late_s: tuple[float, ...] = ()
    """For each interval met: seconds from when the sustain had passed to the alert; negative = early."""
    n_slouches: int = 0
    """Slouches labelled, be an alert asked for or not."""
    onset_s: tuple[float, ...] = ()
    """For each that was noticed: seconds from its start until the state was slouching."""
    recovery_s: tuple[float, ...] = ()
    """For each that was seen to end: seconds from its end until the state was slouching no more."""
    n_unrecovered: int = 0
    """Slouches whose state went on to the next one or to the end of the clip, 10 s or more."""
    observed_s: float = 0.0
    """Frame time after the calibration, seconds."""
    not_judged_s: dict[Reason, float] = field(default_factory=dict)
    """Of that, time in which the state was unknown, by the reason of its frames; NONE = judged again, not yet sure."""
    confusion_s: tuple[tuple[float, ...], ...] = NO_CONFUSION
    """Seconds after the calibration by labelled (row) and judged (column) state, in the order of ``course.STATES``."""
    neck: AngleTally = AngleTally()
    thoracic: AngleTally = AngleTally()

    @property
    def recall(self) -> float:
        """Share of the intervals asking for an alert that got it; NaN = there were none."""
        return _ratio(self.n_met, self.n_must)

    @property
    def watched_h(self) -> float:
        """Hours in which an alert could have been false."""
        return self.watched_s / HOUR_S

    @property
    def false_per_hour(self) -> float:
        """False alerts in an hour; NaN = no time."""
        return _ratio(self.n_false, self.watched_h)

    @property
    def not_judged_ratio(self) -> float:
        """Share of the time after the calibration in which the state was unknown; NaN = no time."""
        return _ratio(sum(self.not_judged_s.values()), self.observed_s)

    def called(self, judged: SlouchState, *, of: SlouchState) -> float:
        """Return the share of the time labelled `of` that was judged `judged`; NaN = no such time."""
        row = self.confusion_s[STATES.index(of)]
        return _ratio(row[STATES.index(judged)], sum(row))


def median_s(times_s: tuple[float, ...]) -> float:
    """Return the median; NaN = there are none."""
    return float(np.median(times_s)) if times_s else nan


def worst_s(times_s: tuple[float, ...]) -> float:
    """Return the largest; NaN = there are none."""
    return max(times_s, default=nan)


def add_up(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of several clips together."""
    parts = list(tallies)
    reasons: dict[Reason, float] = {}
    for part in parts:
        for reason, seconds in part.not_judged_s.items():
            reasons[reason] = reasons.get(reason, 0.0) + seconds
    confusion = np.sum([part.confusion_s for part in parts] or [NO_CONFUSION], axis=0)
    return Tally(
        watched_s=sum(part.watched_s for part in parts),
        n_must=sum(part.n_must for part in parts),
        n_met=sum(part.n_met for part in parts),
        n_unmeetable=sum(part.n_unmeetable for part in parts),
        n_false=sum(part.n_false for part in parts),
        late_s=tuple(late for part in parts for late in part.late_s),
        n_slouches=sum(part.n_slouches for part in parts),
        onset_s=tuple(onset for part in parts for onset in part.onset_s),
        recovery_s=tuple(recovery for part in parts for recovery in part.recovery_s),
        n_unrecovered=sum(part.n_unrecovered for part in parts),
        observed_s=sum(part.observed_s for part in parts),
        not_judged_s=reasons,
        confusion_s=tuple(tuple(row) for row in confusion.tolist()),
        neck=_add_angles(part.neck for part in parts),
        thoracic=_add_angles(part.thoracic for part in parts),
    )


def _add_angles(parts: Iterable[AngleTally]) -> AngleTally:
    """Return the tally of several clips' samples together."""
    listed = list(parts)
    return AngleTally(*(sum(getattr(part, f.name) for part in listed) for f in fields(AngleTally)))


def _ratio(part: float, whole: float) -> float:
    """Return a quotient; NaN where there is nothing to divide by."""
    return part / whole if whole else nan
