"""Where the face network looks, and what is made of the points it finds. Pure; no I/O."""

from __future__ import annotations

from typing import Final

import numpy as np

from posture.cues import FACE_CM
from posture.landmarks import FloatArray

_C = FACE_CM - FACE_CM.mean(axis=0)
_FIT = np.linalg.pinv(_C) * np.sqrt((_C**2).sum() / 3.0)  # (3, 11)
SIDE: Final = 2.26
DOWN: Final = 0.13
BACK: Final = (0.37, 0.06)
MIN_SIDE_PX: Final = 24.0


def face_crop(points: FloatArray) -> tuple[float, float, float, float] | None:
    """Return centre x, y and side in pixels and the angle in radians of the face's square, or None."""
    p = np.asarray(points, dtype=np.float64)[:11, :2]
    if not np.isfinite(p).all():
        return None
    middle = p.mean(axis=0)
    axes = _FIT @ (p - middle)
    side = SIDE * float(np.sqrt((axes**2).sum() / 2.0))
    if not side > MIN_SIDE_PX:
        return None
    eyes = p[3] - p[6]
    centre = middle + DOWN * axes[1] + np.array(BACK) * axes[2]
    return float(centre[0]), float(centre[1]), side, float(np.arctan2(eyes[1], eyes[0]))


def crop_matrix(crop: tuple[float, float, float, float], size: int = 192) -> FloatArray:
    """Return the (2, 3) map of crop pixels to picture pixels."""
    cx, cy, side, angle = crop
    k, half = side / size, size / 2.0
    co, si = np.cos(angle) * k, np.sin(angle) * k
    return np.array([[co, -si, cx - co * half + si * half], [si, co, cy - si * half - co * half]])


def to_picture(mesh: FloatArray, crop: tuple[float, float, float, float], size: int = 192) -> FloatArray:
    """Return (468, 3) crop pixels as picture pixels, z scaled alike."""
    m = crop_matrix(crop, size)
    return np.c_[mesh[:, :2] @ m[:, :2].T + m[:, 2], mesh[:, 2] * crop[2] / size]


def fit_face(mesh_px: FloatArray, width_px: int) -> FloatArray:
    """Return the (9,) columns of :class:`posture.landmarks.Face`."""
    middle = mesh_px.mean(axis=0)
    x = mesh_px - middle
    axes = _PINV @ x[:, :2]
    return np.asarray(np.r_[middle[:2], axes.ravel(), np.sqrt((x**2).sum())] / width_px)


_TEMPLATE = np.random.default_rng(0).normal(size=(468, 3))
_PINV = np.linalg.pinv(_TEMPLATE) * np.sqrt((_TEMPLATE**2).sum() / 3.0)
