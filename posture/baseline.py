"""A person's own upright, as one camera sees it. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from posture.angles import N_QUANTITIES, Quantity
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

    centre: FloatArray
    """(Q,) median of every :class:`~posture.angles.Quantity` over the calibration."""
    spread: FloatArray
    """(Q,) robust standard deviation (1.4826 x median absolute deviation) of the same."""
    deviation_spread: FloatArray
    """(D,) standard deviation of every :class:`~posture.deviation.Measure` while sitting upright."""
    luminance: float
    """Median brightness of the pictures, in [0, 1]."""
    n_frames: int
    """Frames it was made from."""
    duration_s: float
    """Seconds from the first to the last of them."""
    created_utc: str
    """When it was made, ISO 8601 in UTC; empty when it was fitted on a recorded clip."""

    def __post_init__(self) -> None:
        """Check the lengths."""
        if self.centre.shape != (N_QUANTITIES,) or self.spread.shape != (N_QUANTITIES,):
            raise ShapeError(f"baseline: centre and spread need {N_QUANTITIES} quantities each")

    @property
    def placement(self) -> Placement:
        """Where the camera stands."""
        yaw_deg = abs(float(self.centre[Quantity.SHOULDER_YAW_DEG]))
        if yaw_deg < FRONT_MAX_DEG:
            return Placement.FRONT
        return Placement.SIDE if yaw_deg > SIDE_MIN_DEG else Placement.QUARTER
