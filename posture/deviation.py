"""From posture quantities and a baseline to signed deviations with standard errors. Pure; no I/O.

Two closed forms, blended by how far the camera stands to the side of the person:

- **from the side** the sagittal plane is the picture: the deviation is the change of the image-plane angle;
- **from the front** depth comes from apparent size (pinhole): the head's way forward of the shoulders is
  ``Z (d log face - d log torso)``, the trunk's is ``Z d log torso``, with ``Z`` the distance of the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from posture.angles import Angles, Quantity
from posture.baseline import Baseline
from posture.landmarks import FloatArray

FOCAL_RATIO = 0.75
"""Focal length in image widths of a webcam with a horizontal field of view of 67 degrees (typical: 58-80)."""
TRUNK_PER_SHOULDER = 1.4
"""Hip-to-shoulder length over the width between the shoulder joints (adult means 0.48 m and 0.34 m)."""
QUARTER_FROM_DEG, QUARTER_TO_DEG = 20.0, 45.0
"""Shoulder yaw over which the estimate passes from the frontal to the lateral closed form."""


class Measure(IntEnum):
    """Column of :attr:`Deviation.values`; each is the change from the person's own upright."""

    NECK_DEG = 0
    """Neck inclination, forward positive."""
    THORACIC_DEG = 1
    """Thoracic inclination, forward positive."""
    SINK_RATIO = 2
    """How far the shoulders have come down, in trunk lengths."""
    HEAD_PITCH_DEG = 3
    """Looking down positive."""
    HEAD_YAW_DEG = 4
    """Turned to the person's own left positive."""


N_MEASURES = len(Measure)


@dataclass(frozen=True, slots=True)
class Deviation:
    """Deviation from upright over T frames; NaN = not measured."""

    t_s: FloatArray
    """(T,) seconds."""
    values: FloatArray
    """(T, 5) one column per :class:`Measure`."""
    standard_error: FloatArray
    """(T, 5) of the same, for one frame."""

    def __getitem__(self, measure: Measure) -> FloatArray:
        """Return one measure, (T,)."""
        return self.values[:, measure]


def compute_deviation(angles: Angles, baseline: Baseline) -> Deviation:
    """Compute how far every frame is from the baseline.

    Stateless over time: T = 1 gives the same bits as the whole clip.

    Parameters
    ----------
    angles : Angles
        T frames.
    baseline : Baseline
        The same person's upright before the same camera.

    Returns
    -------
    Deviation
        NaN where the quantities are NaN.
    """
    q, centre = angles.values, baseline.centre
    change = q - centre
    with np.errstate(divide="ignore", invalid="ignore"):
        log_torso = np.log(q[:, Quantity.TORSO_SCALE] / centre[Quantity.TORSO_SCALE])
        log_face = np.log(q[:, Quantity.FACE_SCALE] / centre[Quantity.FACE_SCALE])
        torso = float(centre[Quantity.TORSO_SCALE])
        distance = FOCAL_RATIO / torso  # in shoulder widths
        neck_length = float(np.maximum(centre[Quantity.NECK_GAP] / torso, 0.25))
    head_forward = distance * (log_face - log_torso)
    trunk_forward = distance * log_torso
    frontal_neck = np.degrees(np.arctan2(head_forward, neck_length))
    frontal_trunk = np.degrees(np.arctan2(trunk_forward, TRUNK_PER_SHOULDER))
    azimuth_deg = abs(float(centre[Quantity.SHOULDER_YAW_DEG]))
    side = min(max((azimuth_deg - QUARTER_FROM_DEG) / (QUARTER_TO_DEG - QUARTER_FROM_DEG), 0.0), 1.0)
    values = np.stack(
        (
            side * change[:, Quantity.NECK_INCLINATION_DEG] + (1.0 - side) * frontal_neck,
            side * change[:, Quantity.THORACIC_INCLINATION_DEG] + (1.0 - side) * frontal_trunk,
            change[:, Quantity.SHOULDER_Y] / torso / TRUNK_PER_SHOULDER,
            change[:, Quantity.HEAD_PITCH_DEG],
            change[:, Quantity.HEAD_YAW_DEG],
        ),
        axis=1,
    )
    standard_error = np.where(
        np.isnan(values),
        np.nan,
        np.array([2.0 + 4.0 * (1.0 - side), 2.0 + 2.0 * (1.0 - side), 0.03, 3.0, 4.0]),
    )
    return Deviation(angles.t_s, values, standard_error)
