"""What a calibration is worth: how good, how large a slouch must be to count, and what would make it better. Pure.

Advice is given only where something was measured to be short of good, never as a habit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, nan
from typing import Final

import numpy as np

from posture.angles import Place
from posture.baseline import Baseline, Placement
from posture.calibration import CalibrationQuality
from posture.coefficients import packaged_coefficients
from posture.deviation import Measure, compute_deviation, make_estimator
from posture.judging import Thresholds, make_thresholds, personal_thresholds
from posture.settings import JudgeSettings
from posture.words import PARTS

GOOD_LUMINANCE: Final = 0.18
"""Brightness; three times the darkest that is judged (our choice)."""
GOOD_VISIBILITY: Final = 0.8
"""Landmark visibility; rendered people upright stay above 0.97 before every camera, the judge's limit is 0.4."""
GOOD_VISIBLE_RATIO: Final = 0.9
"""Share of the frames in which everything was seen (our choice; 0.7 is refused)."""
GOOD_SWAY_RATIO: Final = 0.06
"""Shoulder widths; twice what breathing and fidgeting make, half of what is refused."""
GOOD_TURN_DEG: Final = 6.0
"""Degrees of the head's own spread; half of what is refused."""
GOOD_FACING_DEG: Final = 16.0
"""Degrees; in front of a camera 99 % of people who look at the screen stay within it (rendered, `people_1`)."""
GOOD_WIDTH: Final = {Placement.FRONT: (0.20, 0.68), Placement.QUARTER: (0.18, 0.45)}
"""Shoulder widths in image widths, 1st to 99th percentile of the people the estimator was fitted on; seen from the
side the width says nothing."""


class Grade(StrEnum):
    """How good a baseline is."""

    GOOD = "good"
    FAIR = "fair"
    """Usable; something could be better."""
    POOR = "poor"
    """Unrest or the view make the monitor blunter than it is set to be."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a newer upright lies from an older baseline, as the older one would have judged it."""

    neck_deg: float
    thoracic_deg: float
    """Degrees, forward positive; NaN = not comparable."""
    sink_ratio: float
    """Trunk lengths, lower positive; NaN = not comparable."""
    since_utc: str
    """When the older baseline was made; empty = not recorded."""

    @property
    def is_comparable(self) -> bool:
        """Whether both were taken from the same view."""
        return isfinite(self.neck_deg) and isfinite(self.thoracic_deg)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one person before one camera has after calibrating."""

    grade: Grade
    placement: Placement
    spread: Thresholds
    """Standard deviation of each judged quantity while upright, as `Thresholds` names them."""
    thresholds: Thresholds
    """What a slouch must exceed, everything taken into account."""
    raised: tuple[str, ...]
    """Quantities whose threshold the person's own unrest has raised."""
    is_personal: bool
    """Whether a usual slouch has been shown, and moved the thresholds."""
    neck_error_deg: float
    thoracic_error_deg: float
    """One standard error of a single picture for this view, as the estimator gives it; NaN = it measures nothing."""
    advice: tuple[str, ...]
    """What would make it better, most telling first."""


def make_receipt(
    baseline: Baseline,
    judge: JudgeSettings,
    quality: CalibrationQuality | None,
    *,
    wants_face: bool = True,
) -> Receipt:
    """Say what a baseline is worth.

    Parameters
    ----------
    baseline : Baseline
        The person's upright.
    judge : JudgeSettings
        The thresholds set.
    quality : CalibrationQuality or None
        How its frames were; None = not recorded.
    wants_face : bool
        Whether faces are measured now, so that a baseline which lacks one could be better.
    """
    neck, thoracic, sink = (
        float(baseline.deviation_spread[m])
        for m in (Measure.NECK_DEG, Measure.THORACIC_DEG, Measure.SINK_RATIO)
    )
    spread = Thresholds(neck, thoracic, float(np.hypot(neck, thoracic)), sink)
    before, after = personal_thresholds(judge, baseline), make_thresholds(judge, baseline)
    names = tuple(PARTS[part][0] for part in ("neck", "thoracic", "flexion", "sink"))
    pairs = zip(names, _numbers(before), _numbers(after), strict=True)
    raised = tuple(name for name, low, high in pairs if high > low)
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    errors = compute_deviation(baseline.cue_centre[None], estimator).standard_error[0]
    advice = _advise(baseline, quality, raised, wants_face=wants_face)
    neck_error, thoracic_error = float(errors[Measure.NECK_DEG]), float(errors[Measure.THORACIC_DEG])
    is_blunt = bool(raised) or not (neck_error < judge.neck_deg and thoracic_error < judge.thoracic_deg)
    grade = Grade.POOR if is_blunt else Grade.FAIR if advice else Grade.GOOD
    is_personal = baseline.slouch_centre is not None
    return Receipt(
        grade,
        baseline.placement,
        spread,
        after,
        raised,
        is_personal,
        neck_error,
        thoracic_error,
        advice,
    )


def _numbers(thresholds: Thresholds) -> tuple[float, float, float, float]:
    """Return the four of them."""
    t = thresholds
    return t.neck_deg, t.thoracic_deg, t.flexion_deg, t.sink_ratio


def lacks_face(baseline: Baseline) -> bool:
    """Return whether a baseline was taken without a face that its camera, in front of the person, can see."""
    return baseline.placement is Placement.FRONT and not baseline.has_face


def _advise(
    baseline: Baseline, quality: CalibrationQuality | None, raised: tuple[str, ...], *, wants_face: bool
) -> tuple[str, ...]:
    """Return what was measured to be short of good, as things to do."""
    found: list[str] = []
    visibility = float(baseline.place_centre[Place.VISIBILITY])
    seen = 1.0 if quality is None else quality.visible_ratio
    if baseline.luminance < GOOD_LUMINANCE:
        found.append(f"raise the light in front of you (brightness {baseline.luminance:.2f})")
    if visibility < GOOD_VISIBILITY or seen < GOOD_VISIBLE_RATIO:
        found.append(
            f"show your face and both shoulders (seen in {seen:.0%}, with certainty {visibility:.0%})"
        )
    facing = abs(baseline.head_yaw_deg)
    if baseline.placement is Placement.FRONT and facing > GOOD_FACING_DEG:
        found.append(f"face the screen and the camera (the head was turned {facing:.0f}°)")
    low, high = GOOD_WIDTH.get(baseline.placement, (0.0, 9.0))
    width = float(baseline.place_centre[Place.SHOULDER_WIDTH])
    if width > high:
        found.append(f"sit further back (your shoulders fill {width:.0%} of the picture)")
    elif width < low:
        found.append(f"bring the camera closer (your shoulders fill {width:.0%} of the picture)")
    if quality is not None and quality.sway_ratio > GOOD_SWAY_RATIO:
        found.append(f"sit still while calibrating (you moved {quality.sway_ratio:.2f} shoulder widths)")
    if quality is not None and quality.turn_deg > GOOD_TURN_DEG:
        found.append(f"keep looking at one point (the head turned by {quality.turn_deg:.0f}°)")
    if wants_face and lacks_face(baseline):
        found.append(
            "calibrate again: this baseline lacks your face's measure, which makes the neck's more exact"
        )
    if raised and not found:
        found.append(
            f"calibrate again and hold still: unrest has raised the threshold of {', '.join(raised)}"
        )
    return tuple(found)


def find_drift(older: Baseline, newer: Baseline) -> Drift:
    """Return how far the newer upright lies from the older one.

    NaN where the newer one is of another view, which the older one cannot measure. Both being the same person's is
    not checked here; see :mod:`posture.fit`.
    """
    if newer.placement is not older.placement:
        return Drift(nan, nan, nan, older.created_utc)
    estimator = make_estimator(older.cue_centre, packaged_coefficients())
    values = compute_deviation(newer.cue_centre[None], estimator).values[0]
    return Drift(
        float(values[Measure.NECK_DEG]),
        float(values[Measure.THORACIC_DEG]),
        float(values[Measure.SINK_RATIO]),
        older.created_utc,
    )
