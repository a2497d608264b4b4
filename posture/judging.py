"""From one frame's deviations to one number, and from one frame's landmarks to why it has none. Pure; no I/O.

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

from posture.angles import Angles
from posture.baseline import Baseline
from posture.deviation import Measure
from posture.landmarks import Landmarks
from posture.settings import JudgeSettings
from posture.slouch import NOBODY, Reason

FAR_TURN_DEG = 45.0
"""Degrees of the face's own yaw in the picture; slumps seen from three-quarter reach 39 on rendered people."""
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


def find_reason(
    landmarks: Landmarks,
    angles: Angles,
    head_yaw_deg: float,
    baseline: Baseline | None,
    is_camera_moved: bool,
    judge: JudgeSettings,
) -> Reason:
    """Return why one frame (T = 1) cannot be judged, or ``Reason.NONE``.

    Parameters
    ----------
    landmarks, angles : Landmarks, Angles
        The frame.
    head_yaw_deg : float
        How far the head is turned from the baseline, as the estimator has it; NaN = not measured.
    baseline : Baseline or None
        None = not calibrated.
    is_camera_moved : bool
        Whether the background is elsewhere than it was.
    judge : JudgeSettings
        Limits.
    """
    luminance = float(landmarks.luminance[0])
    if isnan(luminance):
        return Reason.NO_PICTURE
    if isnan(landmarks.xyzv[0, 0, 0]):
        return Reason.TOO_DARK if luminance < judge.min_luminance else Reason.NO_PERSON
    if baseline is None:
        return Reason.NOT_CALIBRATED
    if is_camera_moved:
        return Reason.CAMERA_MOVED
    if isnan(angles.cues[0, 0]):
        return Reason.NOT_MEASURED
    x, y, _, _, visibility = angles.place[0].tolist()
    centre_x, centre_y, width, _, _ = baseline.place_centre.tolist()
    if visibility < judge.min_visibility:
        return Reason.TOO_DARK if luminance < judge.min_luminance else Reason.LOW_CONFIDENCE
    if max(abs(x - centre_x), abs(y - centre_y)) > judge.max_offset_ratio * width:
        return Reason.OUT_OF_PLACE
    if not isnan(head_yaw_deg):
        return Reason.TURNED_AWAY if abs(head_yaw_deg) > judge.max_yaw_deg else Reason.NONE
    # Unlike anything the estimator knows: is it for the head's being turned far, as the picture has it?
    turn_deg = (float(angles.head_yaw_deg[0]) - baseline.head_yaw_deg + 180.0) % 360.0 - 180.0
    return Reason.TURNED_AWAY if abs(turn_deg) > FAR_TURN_DEG else Reason.NOT_MEASURED


def find_presence(landmarks: Landmarks, reason: Reason) -> Presence:
    """Return who is there in one frame (T = 1), given why it was not judged, if so."""
    if reason in UNSEEN:
        return Presence.UNSEEN
    if reason in EMPTY:
        return Presence.NOBODY
    if isnan(landmarks.xyzv[0, 0, 0]):
        return Presence.UNSEEN
    return Presence.ELSEWHERE if reason is Reason.OUT_OF_PLACE else Presence.SEATED
