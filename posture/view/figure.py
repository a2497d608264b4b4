"""Where the lines of the overlay lie in one picture: the judged person, and their upright beside them. Pure; no I/O.

Everything is in image widths, x to the right and y down, as in :mod:`posture.landmarks`.

What of an upright can honestly be drawn: where the head stood *relative to the shoulders*. Chairs roll, so the ghost
stands on the present shoulders, in the present size; it cannot show that the whole trunk has come forward or sunk
(the gauges do).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from posture.angles import Place, compute_angles
from posture.baseline import Baseline, Placement
from posture.cues import CUE_NAMES, FACE_CM, MAX_COORDINATE
from posture.landmarks import FloatArray, Landmarks
from posture.landmarks import PoseLandmark as P

_FACE_UNIT_CM: Final = float(np.sqrt(((FACE_CM - FACE_CM.mean(axis=0)) ** 2).sum() / 3.0))
HEAD_HALF_CM: Final = (9.5, 12.5)
"""Half the width and height of the drawn head: an adult's is about 15 cm broad, 19 cm long and 23 cm high
(ISO 7250-1), and has a little hair."""
_HEAD_ABOVE_EARS_CM = 1.5  # its middle, seen from any side
_TRUNK_HEADS = (
    3.0  # length of the trunk line when the hips are not seen, in half head heights: it shows no direction
)
_SCALE = (0.4, 2.5)  # a ghost further off in size than this is of no use
_LOG_FACE, _HIPS_SEEN, _SHOULDERS_X, _SHOULDERS_Y, _NECK_X, _NECK_Y = map(
    CUE_NAMES.index, ("log_face", "hips_seen", "shoulders_x", "shoulders_y", "neck_x", "neck_y")
)
FACE, SHOULDERS, NECK, TRUNK, HEAD = slice(0, 11), slice(11, 13), slice(13, 15), slice(15, 17), 17
GHOST_SHOULDERS, GHOST_NECK, GHOST_HEAD = slice(18, 20), slice(20, 22), 22
"""Rows of a figure."""
Pair: TypeAlias = Sequence[float]
"""x, y."""


@dataclass(frozen=True, slots=True)
class Head:
    """An upright ellipse."""

    centre: FloatArray
    """(2,)"""
    half: FloatArray
    """(2,) half its width and height."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """The person's own upright on the present shoulders."""

    shoulders: FloatArray
    """(2, 2) left, right."""
    neck: FloatArray
    """(2, 2) mid-shoulder, mid-tragus."""
    head: Head


class Figure(NamedTuple):
    """The judged person of one picture.

    A tuple, quicker to make than a frozen dataclass, of plain numbers: on so few, and when other work has taken the
    processor's caches meanwhile, numpy takes twice as long.
    """

    rows: Sequence[Pair]
    """18 points or, with a ghost, 23; the properties name them."""
    head_half: tuple[float, float]
    """Half the width and height of the head."""
    is_trunk_seen: bool
    """Whether the trunk line's direction was measured."""
    ghost_half: tuple[float, float] | None
    """Half the width and height of the ghost's head; None = there is no ghost."""

    @property
    def points(self) -> FloatArray:
        """(18, 2) or (23, 2) all of them."""
        return np.array(self.rows)

    @property
    def face(self) -> FloatArray:
        """(11, 2) nose, eyes, ears, mouth corners."""
        return np.array(self.rows[FACE])

    @property
    def shoulders(self) -> FloatArray:
        """(2, 2) left, right."""
        return np.array(self.rows[SHOULDERS])

    @property
    def neck(self) -> FloatArray:
        """(2, 2) mid-shoulder, mid-tragus."""
        return np.array(self.rows[NECK])

    @property
    def trunk(self) -> FloatArray:
        """(2, 2) mid-shoulder, mid-hip; straight down where the hips are not seen."""
        return np.array(self.rows[TRUNK])

    @property
    def head(self) -> Head:
        """The outline of the head."""
        return Head(np.array(self.rows[HEAD]), np.array(self.head_half))

    @property
    def ghost(self) -> Ghost | None:
        """The upright; None without a baseline."""
        if self.ghost_half is None:
            return None
        head = Head(np.array(self.rows[GHOST_HEAD]), np.array(self.ghost_half))
        return Ghost(np.array(self.rows[GHOST_SHOULDERS]), np.array(self.rows[GHOST_NECK]), head)

    def scaled(self, width_px: float, rows: slice = slice(None)) -> list[Pair]:
        """Return points in pixels of a picture `width_px` wide; all of them or some rows."""
        return [(x * width_px, y * width_px) for x, y in self.rows[rows]]


def find_figure(landmarks: Landmarks, baseline: Baseline | None) -> Figure | None:
    """Return the lines of one frame (T = 1); None where there is nobody, or points make no sense.

    Parameters
    ----------
    landmarks : Landmarks
        The frame.
    baseline : Baseline or None
        Whose upright to draw beside it.
    """
    rows = landmarks.xyzv[0, : P.RIGHT_HIP + 1, :2].tolist()
    upper = rows[: P.RIGHT_SHOULDER + 1]
    if not all(_is_near(point) for point in upper):
        return None
    angles = compute_angles(landmarks)
    cues, width = angles.cues[0].tolist(), float(angles.place[0, Place.SHOULDER_WIDTH])
    if not isfinite(width) or width <= 0.0:
        return None
    middle = _middle(rows[P.LEFT_SHOULDER], rows[P.RIGHT_SHOULDER])
    log_face = cues[_LOG_FACE]
    tragi = _middle(rows[P.LEFT_EAR], rows[P.RIGHT_EAR])
    head, half = _head(tragi, exp(log_face))
    hips = _middle(rows[P.LEFT_HIP], rows[P.RIGHT_HIP])
    is_seen = cues[_HIPS_SEEN] > 0.5 and _is_near(hips)
    end = hips if is_seen else (middle[0], middle[1] + _TRUNK_HEADS * half[1])
    points = [*upper[: P.MOUTH_RIGHT + 1], *upper[P.LEFT_SHOULDER :], middle, tragi, middle, end, head]
    ghost_half = None
    if baseline is not None:
        more, ghost_half = _ghost(baseline, middle, width, log_face)
        points += more
    return Figure(points, half, is_seen, ghost_half)


def mirror(figure: Figure) -> Figure:
    """Return the same lines in the mirrored picture."""
    rows = [(1.0 - x, y) for x, y in figure.rows]
    return Figure(rows, figure.head_half, figure.is_trunk_seen, figure.ghost_half)


def _ghost(
    baseline: Baseline, middle: Pair, width: float, log_face: float
) -> tuple[list[Pair], tuple[float, float] | None]:
    """Return shoulders, neck and head of `baseline` over `middle`; nothing if its size makes no sense."""
    cue = baseline.cue_centre.tolist()
    scale = width / float(baseline.place_centre[Place.SHOULDER_WIDTH])
    usual_log_face = cue[_LOG_FACE]
    if baseline.placement is Placement.SIDE:  # end-on, the shoulders' width tells no size
        scale = exp(log_face - usual_log_face)
    face = exp(usual_log_face) * scale
    if not _SCALE[0] < scale < _SCALE[1] or not isfinite(face):
        return [], None
    across_x, across_y = 0.5 * face * cue[_SHOULDERS_X], 0.5 * face * cue[_SHOULDERS_Y]
    tragi = middle[0] + face * cue[_NECK_X], middle[1] + face * cue[_NECK_Y]
    head, half = _head(tragi, face)
    left, right = (middle[0] + across_x, middle[1] + across_y), (middle[0] - across_x, middle[1] - across_y)
    return [left, right, middle, tragi, head], half


def _head(tragi: Pair, face: float) -> tuple[Pair, tuple[float, float]]:
    """Return middle and halves of the head around the middle of the ears, for a face unit of `face` image widths."""
    per_cm = face / _FACE_UNIT_CM
    half = HEAD_HALF_CM[0] * per_cm, HEAD_HALF_CM[1] * per_cm
    return (tragi[0], tragi[1] - _HEAD_ABOVE_EARS_CM * per_cm), half


def _is_near(point: Pair) -> bool:
    """Return whether a point is within reason of the picture; NaN is not."""
    return abs(point[0]) < MAX_COORDINATE and abs(point[1]) < MAX_COORDINATE


def _middle(a: Pair, b: Pair) -> Pair:
    """Return the point between two."""
    return (a[0] + b[0]) * 0.5, (a[1] + b[1]) * 0.5
