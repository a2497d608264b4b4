"""The rules of other posture programs, written afresh from their published descriptions, for the same evaluation.

Each is a function from landmarks to a slouch ratio, (T,): 1 = at its limit, NaN = it says nothing. From there on all
are treated as Posture's own ratio is: the same state machine and the same sustain in seconds, so that what differs is
what they look at. Their own counting of frames would make them depend on the frame rate, and is left out; so is
whatever they do on top (a glow, a score). `benchmarks/figures.py` runs them and writes docs/validation/peers.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posture.alerts import AlertPolicy
from posture.evaluation.course import REASONS, STATES, Course
from posture.evaluation.scoring import ClipScore, score_run
from posture.labels.labels import Labels
from posture.landmarks import BoolArray, FloatArray, Landmarks, PoseLandmark
from posture.settings import Settings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchMachine

P = PoseLandmark
NOSE_DROP_RATIO = 0.03  # picture heights, dorso-linux
NECK_LIMIT_DEG, TRUNK_LIMIT_DEG = 40.0, 10.0  # LearnOpenCV
WORLD_NECK_DEG, WORLD_TRUNK_DEG = 10.0, 8.0  # Posture's own limits: the measurement is what differs


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule makes of T frames."""

    ratio: FloatArray
    """(T,) 1 = at the limit, more = worse; NaN = nothing to say."""
    neck_deg: FloatArray | None = None
    """(T,) deviation from the baseline, if the rule has such an angle."""
    thoracic_deg: FloatArray | None = None


Rule = Callable[[Landmarks, BoolArray], Reading]
"""From landmarks, and (T,) which frames are the upright span."""


def middle(points: FloatArray, left: int, right: int) -> FloatArray:
    """Return (T, C) the middle of two points."""
    return (points[:, left] + points[:, right]) / 2


def nose_height(landmarks: Landmarks, base: BoolArray) -> Reading:
    """Tell a slouch by the nose, lower than in the calibration by more than 0.03 picture heights.

    The rule of Dorso (https://github.com/tldev/dorso) and its ports in its simplest form, that of dorso-linux:
    one calibrated pose, mean nose height, a fixed drop.
    """
    nose = landmarks.xyzv[:, P.NOSE, 1] / landmarks.height_ratio
    return Reading((nose - np.nanmean(nose[base])) / NOSE_DROP_RATIO)


def world_angles(landmarks: Landmarks, base: BoolArray) -> Reading:
    """Tell a slouch by the angles of MediaPipe's world landmarks: what most tutorials and apps do.

    Neck = middle of the shoulders to middle of the ears, trunk = middle of the hips to middle of the shoulders, each in
    the plane of height and depth (https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker), against the
    calibrated upright, with the limits that Posture has.
    """
    ear, shoulder, hip = (
        middle(landmarks.world_m, *pair)
        for pair in (
            (P.LEFT_EAR, P.RIGHT_EAR),
            (P.LEFT_SHOULDER, P.RIGHT_SHOULDER),
            (P.LEFT_HIP, P.RIGHT_HIP),
        )
    )

    def deviation(upper: FloatArray, lower: FloatArray) -> FloatArray:
        part = upper - lower
        inclination = np.degrees(np.arctan2(-part[:, 2], -part[:, 1]))
        return inclination - np.nanmedian(inclination[base])

    neck, trunk = deviation(ear, shoulder), deviation(shoulder, hip)
    return Reading(np.maximum(neck / WORLD_NECK_DEG, trunk / WORLD_TRUNK_DEG), neck, trunk)


def fixed_limits(landmarks: Landmarks, base: BoolArray) -> Reading:
    """Tell a slouch by angles of the left side in the picture: more than 40 degrees for the neck or 10 for the trunk.

    The rule of LearnOpenCV's "Building a Body Posture Analysis System Using MediaPipe"
    (https://learnopencv.com/building-a-body-posture-analysis-system-using-mediapipe/): the lines from left shoulder to
    left ear and from left hip to left shoulder against the vertical, meant for a camera at the side; no calibration.
    """
    xy = landmarks.xyzv[..., :2]

    def inclination(upper: int, lower: int) -> FloatArray:
        part = xy[:, upper] - xy[:, lower]
        return np.degrees(np.arctan2(np.abs(part[:, 0]), -part[:, 1]))

    neck, trunk = inclination(P.LEFT_EAR, P.LEFT_SHOULDER), inclination(P.LEFT_SHOULDER, P.LEFT_HIP)
    return Reading(np.maximum(neck / NECK_LIMIT_DEG, trunk / TRUNK_LIMIT_DEG))


def ear_shoulder(limit: float) -> Rule:
    """Return the rule that tells a slouch by the height of the ears above the shoulders, in shoulder widths.

    It speaks when that falls below `limit` times the calibrated one. Many small webcam programs have this rule, with
    limits between 0.9 and 0.95, as it needs neither hips nor depth.
    """

    def rule(landmarks: Landmarks, base: BoolArray) -> Reading:
        xy = landmarks.xyzv[..., :2]
        ear = middle(xy, P.LEFT_EAR, P.RIGHT_EAR)
        shoulder = middle(xy, P.LEFT_SHOULDER, P.RIGHT_SHOULDER)
        width = np.linalg.norm(xy[:, P.LEFT_SHOULDER] - xy[:, P.RIGHT_SHOULDER], axis=1)
        height = (shoulder[:, 1] - ear[:, 1]) / width
        return Reading((1.0 - height / np.nanmedian(height[base])) / (1.0 - limit))

    return rule


RULES: dict[str, Rule] = {
    "nose 0.03 lower": nose_height,
    "world landmarks": world_angles,
    "picture, 40° / 10° fixed": fixed_limits,
    "ear-shoulder below 0.90": ear_shoulder(0.90),
    "ear-shoulder below 0.95": ear_shoulder(0.95),
}


def run_rule(rule: Rule, landmarks: Landmarks, base_s: tuple[float, float], settings: Settings) -> Course:
    """Return the course of a run that is judged by `rule`, calibrated on the frames of `base_s`, seconds."""
    t_s = landmarks.t_s
    reading = rule(landmarks, (t_s >= base_s[0]) & (t_s < base_s[1]))
    is_there = np.isfinite(landmarks.xyzv[:, P.NOSE, 0])
    machine, policy = SlouchMachine(settings.judge), AlertPolicy(settings.alert)
    states, reasons, events = [], [], []
    for t, ratio, person in zip(t_s.tolist(), reading.ratio.tolist(), is_there.tolist(), strict=True):
        reason = Reason.NONE if np.isfinite(ratio) else Reason.NOT_MEASURED
        reason = reason if person else Reason.NO_PERSON
        reason = Reason.NOT_CALIBRATED if t < base_s[1] else reason
        events += machine.step(t, ratio if reason is Reason.NONE else np.nan, reason)
        is_slouch = machine.is_slouch_level and reason is Reason.NONE
        alert = policy.step(t, machine.state, is_slouch, machine.slouched_s, machine.slouch_onset_s)
        if alert is not None:
            events.append(SlouchEvent(EventKind.ALERT, alert.onset_s, t))
        states.append(STATES.index(machine.state))
        reasons.append(REASONS.index(reason))
    nothing = np.full(len(t_s), np.nan)
    return Course(
        t_s,
        np.array(states, dtype=np.int8),
        np.array(reasons, dtype=np.int8),
        nothing if reading.neck_deg is None else reading.neck_deg,
        nothing if reading.thoracic_deg is None else reading.thoracic_deg,
        tuple(events),
        settings.judge.max_gap_s,
    )


def score_rule(rule: Rule, landmarks: Landmarks, labels: Labels, name: str, settings: Settings) -> ClipScore:
    """Return how a rule does on one labelled clip, whose labels name an upright span."""
    assert labels.baseline_s is not None
    course = run_rule(rule, landmarks, labels.baseline_s, settings)
    return score_run(
        course,
        labels,
        clip=name,
        sustain_s=settings.alert.sustain_s,
        calibrated_s=labels.baseline_s,
    )
