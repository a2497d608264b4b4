"""From one frame's deviations to one number, and who is there. Pure; no I/O.

The **slouch ratio** is the largest of four deviations from the personal baseline, each as a share of its
threshold; 1 is the border::

    max(neck / 10 deg, thoracic / 8 deg, flexion / 17 deg, sink / 0.05 trunk lengths)   flexion = neck - thoracic

- *slumping* and *leaning* drive neck and thoracic inclination up together;
- a *head poked forward* over an upright trunk is neck alone;
- *sinking back* into the chair with the head forward has a small neck inclination and a trunk that leans back:
  flexion (ISO 11226: head relative to trunk) and sink carry it;
- *reclining straight* turns head and trunk back together: both negative, flexion near 0, not a slouch;
- a glance at the keyboard does bend the neck, and is told from a slouch by its duration.

Someone who has shown their usual slouch (``posture calibrate --slouch``) is judged by their own thresholds: half-way
between upright and that slouch for what it is made of, within :data:`PERSONAL_SHARES` of the settings'. A threshold is
never less than `min_spreads` standard deviations of the same quantity while the person sat upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import hypot, isnan, nan

from posture.baseline import Baseline
from posture.deviation import Measure
from posture.landmarks import Landmarks
from posture.settings import JudgeSettings
from posture.slouch import NOBODY, OTHERS, Reason

PERSONAL_SHARES = (0.6, 1.3)
"""A personal threshold as a share of the settings' one, at least and at most (our choice)."""
MIN_SLOUCH_SHARE = 0.75
"""Of the settings' threshold; a slouch that moves a quantity less is not made of it, and leaves it alone (our
choice: 1.25 times the lowest personal threshold)."""


class Presence(StrEnum):
    """Who is there, as the sitting clock wants to know it."""

    SEATED = "seated"
    """Somebody in the calibrated place, or wherever there is no calibrated one to go by."""
    ELSEWHERE = "elsewhere"
    """Somebody in another place: a passer-by, or the person with the chair moved."""
    NOBODY = "nobody"
    UNSEEN = "unseen"
    """Nobody can tell: no picture, or one too dark."""


UNSEEN = (Reason.CAMERA_COVERED, Reason.CAMERA_FROZEN, Reason.PAUSED, Reason.IN_CALL, Reason.ON_BATTERY)
"""Whatever the newest landmarks say, they are not from now."""
EMPTY = NOBODY | {Reason.SCREEN_LOCKED}
"""Nobody works at a locked screen; `idle` says that nobody has been seen either."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Deviations that count as 1, for one person before one camera."""

    neck_deg: float
    thoracic_deg: float
    flexion_deg: float
    sink_ratio: float


def make_thresholds(judge: JudgeSettings, baseline: Baseline) -> Thresholds:
    """Return the settings' thresholds, raised to what the person's own unrest while upright does not reach."""
    neck, thoracic, sink = (
        judge.min_spreads * float(baseline.deviation_spread[m])
        for m in (Measure.NECK_DEG, Measure.THORACIC_DEG, Measure.SINK_RATIO)
    )
    personal = personal_thresholds(judge, baseline)
    return Thresholds(
        max(personal.neck_deg, neck),
        max(personal.thoracic_deg, thoracic),
        max(personal.flexion_deg, hypot(neck, thoracic)),
        max(personal.sink_ratio, sink),
    )


def personal_thresholds(judge: JudgeSettings, baseline: Baseline) -> Thresholds:
    """Return the settings' thresholds, moved half-way to the person's usual slouch where that is known."""
    if baseline.slouch_centre is None:
        return Thresholds(judge.neck_deg, judge.thoracic_deg, judge.flexion_deg, judge.sink_ratio)
    neck, thoracic, sink = baseline.slouch_centre[: Measure.HEAD_PITCH_DEG].tolist()
    return Thresholds(
        _half_way(judge.neck_deg, neck),
        _half_way(judge.thoracic_deg, thoracic),
        _half_way(judge.flexion_deg, neck - thoracic),
        _half_way(judge.sink_ratio, sink),
    )


def _half_way(threshold: float, slouch: float) -> float:
    """Return half of a slouch's deviation, kept to a sane share of `threshold`; that itself for a small deviation."""
    if slouch < MIN_SLOUCH_SHARE * threshold:
        return threshold
    low, high = (share * threshold for share in PERSONAL_SHARES)
    return min(max(0.5 * slouch, low), high)


def slouch_ratio(
    neck_deg: float, thoracic_deg: float, sink_ratio: float, thresholds: Thresholds
) -> tuple[float, str]:
    """Return the slouch ratio of one frame and which of the four drives it.

    Parameters
    ----------
    neck_deg, thoracic_deg, sink_ratio : float
        Deviations, + = toward slouch.
    thresholds : Thresholds
        Deviations that count as 1.

    Returns
    -------
    float, str
        The ratio, negative when all four are on the other side of upright; NaN and ``""`` when a deviation is NaN.
    """
    if isnan(neck_deg) or isnan(thoracic_deg) or isnan(sink_ratio):
        return nan, ""
    return max(
        (neck_deg / thresholds.neck_deg, "neck"),
        (thoracic_deg / thresholds.thoracic_deg, "thoracic"),
        ((neck_deg - thoracic_deg) / thresholds.flexion_deg, "flexion"),
        (sink_ratio / thresholds.sink_ratio, "sink"),
    )


def ratio_error(driver: str, standard_error: list[float], thresholds: Thresholds) -> float:
    """Return one standard error of the slouch ratio against the truth, mostly the same from frame to frame.

    Parameters
    ----------
    driver : str
        Which part of it is largest, as :func:`slouch_ratio` has it; empty = not judged: NaN.
    standard_error : list of float
        Of every :class:`~posture.deviation.Measure` of the frame.
    thresholds : Thresholds
        Deviations that count as 1.
    """
    neck, thoracic, sink = standard_error[: Measure.HEAD_PITCH_DEG]
    match driver:
        case "neck":
            return neck / thresholds.neck_deg
        case "thoracic":
            return thoracic / thresholds.thoracic_deg
        case "flexion":
            return hypot(neck, thoracic) / thresholds.flexion_deg
        case "sink":
            return sink / thresholds.sink_ratio
        case _:
            return nan


def find_presence(landmarks: Landmarks, reason: Reason) -> Presence:
    """Return who is there in one frame (T = 1), given why it was not judged, if so."""
    if reason in UNSEEN:
        return Presence.UNSEEN
    if reason in EMPTY:
        return Presence.NOBODY
    if isnan(landmarks.xyzv[0, 0, 0]):
        return Presence.UNSEEN
    return Presence.ELSEWHERE if reason in OTHERS else Presence.SEATED
