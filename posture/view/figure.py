"""Where the lines of the overlay lie in one picture: the judged person, and their upright beside them. Pure; no I/O.

Everything is in image widths, x to the right and y down, as in :mod:`posture.landmarks`.

What of an upright can honestly be drawn: where the head stood *relative to the shoulders*. Chairs roll, so the ghost
stands on the present shoulders, in the present size; it cannot show that the whole trunk has come forward or sunk
(the gauges do).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isfinite
from typing import Final

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
_SWAPPED, _SWAPPED_FROM = np.array((-1.0, 1.0)), np.array((1.0, 0.0))  # of the mirrored picture
_CUE = {name: i for i, name in enumerate(CUE_NAMES)}


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


@dataclass(frozen=True, slots=True)
class Figure:
    """The judged person of one picture."""

    face: FloatArray
    """(11, 2) nose, eyes, ears, mouth corners."""
    shoulders: FloatArray
    """(2, 2) left, right."""
    neck: FloatArray
    """(2, 2) mid-shoulder, mid-tragus."""
    trunk: FloatArray
    """(2, 2) mid-shoulder, mid-hip; straight down where the hips are not seen."""
    is_trunk_seen: bool
    """Whether the trunk line's direction was measured."""
    head: Head
    ghost: Ghost | None
    """None without a baseline."""


def find_figure(landmarks: Landmarks, baseline: Baseline | None) -> Figure | None:
    """Return the lines of one frame (T = 1); None where there is nobody, or points make no sense.

    Parameters
    ----------
    landmarks : Landmarks
        The frame.
    baseline : Baseline or None
        Whose upright to draw beside it.
    """
    points = landmarks.xyzv[0, :, :2]
    upper = points[: P.RIGHT_SHOULDER + 1]
    angles = compute_angles(landmarks)
    width = float(angles.place[0, Place.SHOULDER_WIDTH])
    if not (np.abs(upper) < MAX_COORDINATE).all() or not isfinite(width) or width <= 0.0:
        return None
    face, shoulders = upper[: P.MOUTH_RIGHT + 1], upper[P.LEFT_SHOULDER :]
    middle = _middle(shoulders)
    log_face = float(angles.cue("log_face")[0])
    tragi = _middle(face[P.LEFT_EAR : P.RIGHT_EAR + 1])
    head = _head(tragi, exp(log_face))
    hips = _middle(points[P.LEFT_HIP : P.RIGHT_HIP + 1])
    is_seen = bool(angles.cue("hips_seen")[0] > 0.5) and bool((np.abs(hips) < MAX_COORDINATE).all())
    end = hips if is_seen else middle + np.array((0.0, _TRUNK_HEADS * head.half[1]))
    neck = np.stack((middle, tragi))
    ghost = None if baseline is None else _ghost(baseline, middle, width, log_face)
    return Figure(face, shoulders, neck, np.stack((middle, end)), is_seen, head, ghost)


def mirror(figure: Figure) -> Figure:
    """Return the same lines in the mirrored picture."""
    ghost = figure.ghost
    if ghost is not None:
        ghost = Ghost(_flip(ghost.shoulders), _flip(ghost.neck), _mirror_head(ghost.head))
    return replace(
        figure,
        face=_flip(figure.face),
        shoulders=_flip(figure.shoulders),
        neck=_flip(figure.neck),
        trunk=_flip(figure.trunk),
        head=_mirror_head(figure.head),
        ghost=ghost,
    )


def _ghost(baseline: Baseline, middle: FloatArray, width: float, log_face: float) -> Ghost | None:
    """Return the upright of `baseline` over the mid-shoulder `middle`, or None if its size makes no sense."""
    cue = baseline.cue_centre
    scale = width / float(baseline.place_centre[Place.SHOULDER_WIDTH])
    if baseline.placement is Placement.SIDE:  # end-on, the shoulders' width tells no size
        scale = exp(log_face - float(cue[_CUE["log_face"]]))
    face = exp(float(cue[_CUE["log_face"]])) * scale
    if not _SCALE[0] < scale < _SCALE[1] or not isfinite(face):
        return None
    half = 0.5 * _vector(cue, "shoulders") * face
    tragi = middle + _vector(cue, "neck") * face
    return Ghost(np.stack((middle + half, middle - half)), np.stack((middle, tragi)), _head(tragi, face))


def _vector(cue: FloatArray, name: str) -> FloatArray:
    """Return a vector cue, (2,) in face units."""
    return cue[[_CUE[f"{name}_x"], _CUE[f"{name}_y"]]]


def _head(tragi: FloatArray, face: float) -> Head:
    """Return the head around the middle of the ears, for a face unit of `face` image widths."""
    per_cm = face / _FACE_UNIT_CM
    return Head(tragi - np.array((0.0, _HEAD_ABOVE_EARS_CM * per_cm)), np.array(HEAD_HALF_CM) * per_cm)


def _middle(two: FloatArray) -> FloatArray:
    """Return the point between (2, 2) points; `mean` takes four times as long."""
    return np.asarray((two[0] + two[1]) * 0.5)


def _flip(points: FloatArray) -> FloatArray:
    """Return (..., 2) points of the mirrored picture."""
    return np.asarray(points * _SWAPPED + _SWAPPED_FROM)


def _mirror_head(head: Head) -> Head:
    """Return the head of the mirrored picture."""
    return Head(_flip(head.centre), head.half)
