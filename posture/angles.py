"""From landmarks to posture quantities of the picture, one row a frame. Pure; no I/O.

Definitions (sagittal plane, degrees from vertical, forward positive; ISO 11226 "inclination"):

- **neck inclination**: mid-shoulder to mid-tragus,
- **thoracic inclination**: mid-hip to mid-shoulder.

Here they are measured *in the picture*, which is right for a camera from the side and only a cue from the
front; :mod:`posture.deviation` turns the cues into deviations from a personal baseline. None of these is a
craniovertebral angle: that needs the seventh cervical vertebra, which the model does not give.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from posture.landmarks import FloatArray, Landmarks, PoseLandmark

MIN_SHOULDER_WIDTH = 1e-3
"""Image widths; less is a collapsed pose, not a person (a shoulder line seen end-on is still ~0.02)."""
MAX_COORDINATE = 3.0
"""Image widths; landmarks further outside the picture than this are not believed."""


class Quantity(IntEnum):
    """Column of :attr:`Angles.values`."""

    NECK_INCLINATION_DEG = 0
    """In the picture, forward (the way the face points) positive."""
    THORACIC_INCLINATION_DEG = 1
    """In the picture, forward positive; needs the hips, so it means little when they are out of view."""
    HEAD_PITCH_DEG = 2
    """Nose below the ear line, seen against the size of the face; looking down positive."""
    HEAD_YAW_DEG = 3
    """Face turned to its own left positive."""
    SHOULDER_YAW_DEG = 4
    """Shoulder line turned to the person's own left positive, 0 = square to the camera, +-90 = side view."""
    SHOULDER_TILT_DEG = 5
    """Left shoulder lower positive, in the picture, range (-90, 90]."""
    SHOULDER_X = 6
    """Mid-shoulder, image widths from the left edge."""
    SHOULDER_Y = 7
    """Mid-shoulder, image widths from the top edge."""
    TORSO_SCALE = 8
    """Apparent shoulder width with its yaw taken out, image widths."""
    FACE_SCALE = 9
    """Apparent size of the face with its yaw and pitch taken out, image widths."""
    NECK_GAP = 10
    """Height of the mid-tragus above the mid-shoulder, image widths."""
    HIP_VISIBILITY = 11
    """Smaller visibility of the two hips."""
    VISIBILITY = 12
    """Smallest visibility among the shoulders, the nose and the nearer ear."""


N_QUANTITIES = len(Quantity)

_P = PoseLandmark
_POINTS = np.array(
    [
        _P.LEFT_EAR,
        _P.RIGHT_EAR,
        _P.LEFT_SHOULDER,
        _P.RIGHT_SHOULDER,
        _P.LEFT_HIP,
        _P.RIGHT_HIP,
        _P.NOSE,
        _P.LEFT_EYE_OUTER,
        _P.RIGHT_EYE_OUTER,
        _P.MOUTH_LEFT,
        _P.MOUTH_RIGHT,
    ]
)


@dataclass(frozen=True, slots=True)
class Angles:
    """Posture quantities over T frames; NaN = not measured."""

    t_s: FloatArray
    """(T,) seconds."""
    values: FloatArray
    """(T, 13) one column per :class:`Quantity`."""

    def __getitem__(self, quantity: Quantity) -> FloatArray:
        """Return one quantity, (T,)."""
        return self.values[:, quantity]


@np.errstate(invalid="ignore", over="ignore")  # infinite coordinates end as NaN
def compute_angles(landmarks: Landmarks) -> Angles:
    """Compute the posture quantities of every frame.

    Stateless: row t of the result depends on row t of the input only, so calling it with T = 1 gives the
    same bits as calling it with the whole clip.

    Parameters
    ----------
    landmarks : Landmarks
        T frames; x right, y down, in image widths. NaN rows mean "no person".

    Returns
    -------
    Angles
        NaN rows where there is no person, where the shoulders coincide or where a needed landmark lies
        absurdly far outside the picture.
    """
    points = landmarks.xyzv[:, _POINTS].transpose(1, 2, 0)  # (11, 4, T): elementwise over T from here on
    x, y, v = points[:, 0], points[:, 1], points[:, 3]
    shoulder_world = (landmarks.world_m[:, _P.LEFT_SHOULDER] - landmarks.world_m[:, _P.RIGHT_SHOULDER]).T
    nose_x, nose_y = x[6], y[6]
    ear_x, ear_y = (x[0] + x[1]) * 0.5, (y[0] + y[1]) * 0.5
    shoulder_x, shoulder_y = (x[2] + x[3]) * 0.5, (y[2] + y[3]) * 0.5
    hip_x, hip_y = (x[4] + x[5]) * 0.5, (y[4] + y[5]) * 0.5
    # Shoulder and head yaw: the world landmarks give the shoulder line's direction usefully; the head's is
    # the nose's way out of the middle of the ears, seen against the height of the face (yaw leaves that alone).
    shoulder_yaw = np.arctan2(shoulder_world[2], shoulder_world[0])
    ear_width = np.hypot(x[0] - x[1], y[0] - y[1])
    nose_out = nose_x - ear_x
    # A nose sticks out about 0.75 of the distance between the tragi (13.5 cm) from the line between them.
    head_yaw = np.arctan2(nose_out, 0.75 * ear_width)
    forward = np.where(nose_out < 0.0, -1.0, 1.0)
    face_scale = np.hypot(ear_width, nose_out / 0.75)
    shoulder_span = np.hypot(x[2] - x[3], y[2] - y[3])
    torso_scale = shoulder_span / np.maximum(np.abs(np.cos(shoulder_yaw)), 0.3)
    pitch = np.arctan2(nose_y - ear_y, 0.75 * face_scale)
    with np.errstate(invalid="ignore"):
        degenerate = (shoulder_span < MIN_SHOULDER_WIDTH) | (face_scale < MIN_SHOULDER_WIDTH)
        absurd = np.abs(points[:, :2]).max(axis=(0, 1)) > MAX_COORDINATE
    values = np.stack(
        (
            np.arctan2(forward * (ear_x - shoulder_x), shoulder_y - ear_y),
            np.arctan2(forward * (shoulder_x - hip_x), hip_y - shoulder_y),
            pitch,
            head_yaw,
            shoulder_yaw,
            np.arctan2(y[2] - y[3], np.abs(x[2] - x[3])),
            shoulder_x,
            shoulder_y,
            torso_scale,
            face_scale,
            shoulder_y - ear_y,
            np.minimum(v[4], v[5]),
            np.minimum(np.minimum(v[2], v[3]), np.minimum(v[6], np.maximum(v[0], v[1]))),
        ),
        axis=1,
    )
    values[:, : Quantity.SHOULDER_X] *= 180.0 / np.pi
    values[degenerate | absurd] = np.nan
    return Angles(landmarks.t_s, values)
