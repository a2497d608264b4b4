"""What labels say of a moment: the state, the posture, the deviation from upright. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posture.evaluation.course import Course
from posture.labels.labels import Duty, Interval, TrueAngles
from posture.landmarks import BoolArray, FloatArray
from posture.slouch import SlouchState


def labelled_states(intervals: Sequence[Interval]) -> list[tuple[Interval, SlouchState]]:
    """Return the intervals that say a state, with it, by time.

    An interval that asks for an alert and says no state is a slouch, unless one with a state lies over it.
    """
    stated = [(i, i.state) for i in intervals if i.state is not None]
    implied = [
        (i, SlouchState.SLOUCHING)
        for i in intervals
        if i.state is None
        and i.duty is Duty.MUST
        and not any(other.start_s < i.end_s and i.start_s < other.end_s for other, _ in stated)
    ]
    return sorted(stated + implied, key=lambda pair: pair[0].start_s)


def posture_at(intervals: Sequence[Interval], t_s: float) -> str:
    """Return the posture named for a moment; empty = none."""
    return next((i.posture for i in intervals if i.posture and i.start_s <= t_s < i.end_s), "")


def true_deviations(
    angles: TrueAngles, reference_s: tuple[float, float]
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return (N,) true neck and thoracic deviation, degrees, and (N,) which of them are counted.

    Parameters
    ----------
    angles : TrueAngles
        Absolute angles.
    reference_s : (float, float)
        The upright span whose mean is 0; its own samples are not counted.
    """
    inside = (angles.t_s >= reference_s[0]) & (angles.t_s < reference_s[1])
    neck, thoracic = (values - _mean(values[inside]) for values in (angles.neck_deg, angles.thoracic_deg))
    # what comes before the span has been judged by nothing yet
    return neck, thoracic, angles.is_settled & (angles.t_s >= reference_s[1])


def frames_at(course: Course, t_s: FloatArray) -> tuple[NDArray[np.intp], BoolArray]:
    """Return (N,) which frame stands for each of (N,) sample times, and (N,) whether one does.

    It is the newest frame up to half a sample later; one that is older than a gap stands for nothing.
    """
    half_s = float(np.median(np.diff(t_s))) / 2 if len(t_s) > 1 else 0.0
    index = np.searchsorted(course.t_s, t_s + half_s, side="right") - 1
    found = index >= 0
    found[found] &= t_s[found] - course.t_s[index[found]] <= course.max_gap_s
    return index, found


def _mean(values: FloatArray) -> float:
    """Return the mean of what is finite; NaN = nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
