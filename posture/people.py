"""Which of several people is the calibrated one: by place and size in the picture, never by their looks. Pure; no I/O.

Chairs roll and people lean, so the place is wide; a passer-by behind the chair is smaller, one before it larger than
anybody in it ever is. Two people who sit in the same place, one after the other, are not told apart.
"""

from __future__ import annotations

from math import isnan, nan
from typing import Final, TypeAlias

from posture.angles import Angles, Place
from posture.baseline import Baseline
from posture.cues import CUE_NAMES

FARTHER_LOG: Final = 0.55
"""Natural logarithm of the face's size against the baseline's below minus which somebody else is seen, 1.7 times as far
away: 0.1 % of one person's postures (`models/training`, 13,367 of 202 people before six cameras)."""
NEARER_LOG: Final = 1.25
"""The same above which somebody is seen who stands before the desk, 3.5 times as near: none of the same (the nearest
is 1.16); slumping towards a laptop reaches 0.95 on the bench's clips, and that must be judged."""
SAME_WIDTHS: Final = 0.5
"""Shoulder widths; two measurements of one moment closer than this are of one person (people do not overlap more; the
two running modes of the pose model differ by 0.05)."""

_LOG_FACE: Final = CUE_NAMES.index("log_face")

Spot: TypeAlias = tuple[float, float, float]
"""Middle of the shoulders (x, y, image widths) and logarithm of the face's size (image widths); NaN = nobody."""


def find_spot(angles: Angles) -> Spot:
    """Return where the person of one frame (T = 1) is."""
    x, y = angles.place[0, : Place.SHOULDER_WIDTH].tolist()
    return (x, y, float(angles.cues[0, _LOG_FACE]))


def baseline_spot(baseline: Baseline) -> Spot:
    """Return the calibrated place."""
    x, y = baseline.place_centre[: Place.SHOULDER_WIDTH].tolist()
    return x, y, float(baseline.cue_centre[_LOG_FACE])


def offset_ratio(spot: Spot, other: Spot, width: float) -> float:
    """Return how far two spots are apart in the picture, shoulder widths, the larger of across and down; NaN = nobody.

    Parameters
    ----------
    spot, other : Spot
        What is compared.
    width : float
        The calibrated shoulder width, image widths.
    """
    across, down = abs(spot[0] - other[0]), abs(spot[1] - other[1])
    return nan if isnan(across + down) else max(across, down) / max(width, 1e-3)


def size_share(spot: Spot, other: Spot) -> float:
    """Return how far `spot` is in size from `other`, as a share of the limits; 1 = at one of them, NaN = nobody."""
    change = spot[2] - other[2]
    return change / NEARER_LOG if change > 0.0 else -change / FARTHER_LOG


def distance(spot: Spot, other: Spot, width: float, max_offset_ratio: float) -> float:
    """Return how far two spots are apart, place and size together; above 1 = not the same place, NaN = nobody."""
    return max(offset_ratio(spot, other, width) / max_offset_ratio, size_share(spot, other))
