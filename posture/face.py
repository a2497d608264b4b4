"""Where the face network looks, and what is kept of the face it finds. Pure; no I/O.

The pose model sees a face some 40 pixels wide and is wrong about its size by 2 to 3 per cent; a network that looks at
nothing but the face (468 points of a mesh) by about 1 per cent. What is kept of it is the pose of a rigid face: where
it is, how large, and how it is turned, as a weak-perspective fit of points that talking does not move.

The network has no memory and looks where the pose model found the face of the judged person, so the same picture
and landmarks give the same fit.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posture.cues import FACE_CM, fit_weights
from posture.landmarks import FloatArray

CROP_PX: Final = 192
"""Side of the square picture that the network takes."""
CROP_SIDE: Final = 2.26
"""Side of the crop in face units of the pose landmarks: 1.5 times the mesh's extent, as MediaPipe's own face graph
cuts it; the extent is 1.5 face units (median over 17 rendered people)."""
CROP_DOWN: Final = 0.13
"""From the middle of the pose model's eleven face points to the mesh's, along the face's downward axis, face units."""
CROP_BACK: Final = (0.37, 0.06)
"""The same along the face's backward axis, for the picture's x and y: least squares over the same people."""
MIN_CROP_PX: Final = 24.0
"""A smaller face is a tenth of what the network was made for."""

# Vertices of MediaPipe's face mesh on the forehead, temples, cheekbones and the bridge of the nose, and the corners of
# the eyes: (left, right, x, y, z), one point on the middle line having the same number twice. Centimetres if the outer
# corners of the eyes are 9 cm apart; x to the person's left, y down, z away from the camera; mean over upright rendered
# people before frontal cameras, made symmetric.
_RIGID: Final = (
    (168, 168, 0.0, -0.7, -2.0),
    (6, 6, 0.0, 0.1, -2.5),
    (197, 197, 0.0, 0.8, -3.0),
    (195, 195, 0.0, 1.5, -3.5),
    (5, 5, 0.0, 2.2, -4.1),
    (4, 4, 0.0, 3.1, -4.3),
    (1, 1, 0.0, 3.8, -4.1),
    (2, 2, 0.0, 4.5, -2.7),
    (10, 10, 0.0, -5.6, -1.4),
    (151, 151, 0.0, -4.1, -1.8),
    (9, 9, 0.0, -2.5, -2.1),
    (8, 8, 0.0, -1.6, -2.0),
    (263, 33, 4.5, -0.2, 0.1),
    (362, 133, 1.7, 0.0, -0.5),
    (297, 67, 3.5, -5.3, -0.7),
    (338, 109, 1.9, -5.6, -1.3),
    (284, 54, 5.9, -3.7, 1.6),
    (251, 21, 6.4, -2.5, 2.7),
    (345, 116, 6.2, 1.5, 1.2),
    (346, 117, 5.2, 1.6, 0.0),
    (352, 123, 6.1, 2.9, 1.0),
    (280, 50, 4.7, 3.2, -0.6),
    (356, 127, 6.8, 0.3, 4.8),
    (389, 162, 6.7, -1.3, 3.9),
    (454, 234, 6.7, 1.7, 5.2),
    (358, 129, 2.0, 3.6, -1.6),
    (327, 98, 1.7, 4.3, -1.9),
    (332, 103, 5.0, -4.7, 0.4),
    (447, 227, 6.7, 1.7, 3.0),
    (347, 118, 4.4, 1.8, -0.5),
)
RIGID_POINTS: Final = tuple(dict.fromkeys(i for left, right, *_ in _RIGID for i in (left, right)))
"""Vertices of the mesh that the fit uses, in the order of :data:`RIGID_FACE`."""


def _template() -> FloatArray:
    """Return the rigid face (P, 3), its middle at the origin."""
    rows = []
    for left, right, x, y, z in _RIGID:
        rows.append((x, y, z))
        if right != left:
            rows.append((-x, y, z))
    points = np.array(rows)
    return np.asarray(points - points.mean(axis=0))


RIGID_FACE: Final = _template()
"""(P, 3) the rigid face, see above."""
_MESH_WEIGHTS: Final = fit_weights(RIGID_FACE)
_POSE_WEIGHTS: Final = fit_weights(FACE_CM)


def face_crop(points_px: FloatArray) -> tuple[float, float, float, float] | None:
    """Return the square of the picture that the face network is to look at.

    Parameters
    ----------
    points_px : ndarray, shape (33, 2) or more columns
        Pose landmarks of one person: x right, y down, pixels.

    Returns
    -------
    tuple of float or None
        Centre x and y, side (pixels), and the angle (radians, clockwise as seen) by which the square is turned, so that
        the eyes are level in it. None where a face landmark is NaN or the face is smaller than :data:`MIN_CROP_PX`.
    """
    face = np.asarray(points_px, dtype=np.float64)[:11, :2]
    if not np.isfinite(face).all():
        return None
    middle = face.mean(axis=0)
    axes = _POSE_WEIGHTS @ (face - middle)
    side = CROP_SIDE * float(np.sqrt((axes**2).sum() / 2.0))
    if not side > MIN_CROP_PX:
        return None
    centre = middle + CROP_DOWN * axes[1] + np.array(CROP_BACK) * axes[2]
    eyes = face[3] - face[6]  # right to left outer corner
    return float(centre[0]), float(centre[1]), side, float(np.arctan2(eyes[1], eyes[0]))


def crop_matrix(crop: tuple[float, float, float, float]) -> FloatArray:
    """Return the (2, 3) affine matrix from pixels of the crop, :data:`CROP_PX` wide, to pixels of the picture."""
    x, y, side, angle = crop
    scale = side / CROP_PX
    cos, sin, half = np.cos(angle) * scale, np.sin(angle) * scale, CROP_PX / 2.0
    return np.array([[cos, -sin, x - cos * half + sin * half], [sin, cos, y - sin * half - cos * half]])


def mesh_in_picture(mesh_px: FloatArray, crop: tuple[float, float, float, float]) -> FloatArray:
    """Return a mesh (468, 3), pixels of the crop, in pixels of the picture; z is scaled like x and y."""
    matrix = crop_matrix(crop)
    xy = mesh_px[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return np.column_stack((xy, mesh_px[:, 2] * (crop[2] / CROP_PX)))


def fit_face(mesh_px: FloatArray, image_width_px: float) -> FloatArray:
    """Fit the rigid face to a mesh.

    Parameters
    ----------
    mesh_px : ndarray, shape (468, 3)
        Points of MediaPipe's face mesh: x right, y down, z away from the camera, pixels of the picture.
    image_width_px : float
        Pixels.

    Returns
    -------
    ndarray, shape (9,)
        Centre x and y; picture x and y of the face's leftward, downward and backward axes times its scale; and the
        root of the summed squares of the points in three dimensions; all in image widths.
    """
    points = mesh_px[np.array(RIGID_POINTS)]
    middle = points.mean(axis=0)
    centred = points - middle
    axes = _MESH_WEIGHTS @ centred[:, :2]
    size = float(np.sqrt((centred**2).sum()))
    return np.asarray(np.concatenate((middle[:2], axes.ravel(), [size])) / image_width_px)
