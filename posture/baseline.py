"""A person's own upright, as one camera sees it. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import atan2, degrees

import numpy as np

from posture.angles import N_PLACE
from posture.cues import CUE_NAMES, N_CUES, N_POSE_CUES
from posture.deviation import N_MEASURES
from posture.errors import ShapeError
from posture.landmarks import FloatArray

FRONT_MAX_DEG = 22.0
"""Shoulder yaw below which the camera is in front; the bench's front cameras stay within 18 degrees."""
SIDE_MIN_DEG = 65.0
"""Shoulder yaw above which the camera is at the side; the bench's three-quarter cameras end at 58 degrees."""


class Placement(StrEnum):
    """Where the camera stands, read off the baseline."""

    FRONT = "front"
    QUARTER = "quarter"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What upright looks like; fitted once, never changed silently."""

    cue_centre: FloatArray
    """(Q,) median of every cue over the calibration, see :data:`CUES`; NaN from `N_POSE_CUES` on where no
    face was seen, or was not looked for."""
    cue_spread: FloatArray
    """(Q,) robust standard deviation (1.4826 x median absolute deviation) of the same, NaN with them."""
    place_centre: FloatArray
    """(5,) median of every :class:`~posture.angles.Place`."""
    deviation_spread: FloatArray
    """(M,) robust standard deviation of every :class:`~posture.deviation.Measure` while sitting upright."""
    luminance: float
    """Median brightness of the pictures, in [0, 1]."""
    n_frames: int
    """Frames it was made from."""
    duration_s: float
    """Seconds from the first to the last of them."""
    created_utc: str
    """When it was made, ISO 8601 in UTC; empty = not recorded (a replay's own)."""
    slouch_centre: FloatArray | None = None
    """(M,) median of every measure in the person's usual slouch; None = not taken, or not told from upright."""

    def __post_init__(self) -> None:
        """Check the lengths."""
        lengths = (self.cue_centre, N_CUES), (self.cue_spread, N_CUES), (self.place_centre, N_PLACE)
        slouch = self.deviation_spread if self.slouch_centre is None else self.slouch_centre
        for values, n in (*lengths, (self.deviation_spread, N_MEASURES), (slouch, N_MEASURES)):
            if values.shape != (n,):
                raise ShapeError(f"baseline: {values.shape} where ({n},) is needed")

    @property
    def shoulder_yaw_deg(self) -> float:
        """The shoulder line's median yaw; 0 = square to the camera, +-90 = seen from the side."""
        return degrees(atan2(self._cue("shoulder_sin"), self._cue("shoulder_cos")))

    @property
    def head_yaw_deg(self) -> float:
        """The face's median yaw in the picture; turned to the picture's right positive."""
        return degrees(atan2(-self._cue("face_z_x"), self._cue("face_x_x")))

    @property
    def has_face(self) -> bool:
        """Whether the face was measured as well."""
        return bool(np.isfinite(self.cue_centre[N_POSE_CUES:]).all())

    @property
    def placement(self) -> Placement:
        """Where the camera stands."""
        yaw_deg = abs(self.shoulder_yaw_deg)
        if yaw_deg < FRONT_MAX_DEG:
            return Placement.FRONT
        return Placement.SIDE if yaw_deg > SIDE_MIN_DEG else Placement.QUARTER

    def _cue(self, name: str) -> float:
        """Return the centre of one cue."""
        return float(self.cue_centre[CUE_NAMES.index(name)])
