"""Drawings made once, to be put on many pictures."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from posture.view.canvas import Canvas, Ink, Stamp


def make_ink(
    width: float, height: float, unit: float, draw: Callable[[Canvas], object], *, is_bgr: bool
) -> Ink:
    """Return what `draw` does to any picture, to be laid over many: what it makes of black and of white.

    Parameters
    ----------
    width, height : float
        Pixels that it needs.
    unit : float
        Of the canvas that it draws on.
    draw : callable
        Draws at the top left corner of a canvas.
    is_bgr : bool
        As the canvas that it is laid over.
    """
    shape = max(1, ceil(width)), max(1, ceil(height))
    black, white = (np.full((shape[1], shape[0], 3), value, np.uint8) for value in (0, 255))
    for page in (black, white):
        draw(Canvas(page, unit, is_bgr=is_bgr))
    return black, np.maximum(white, black) - black


def make_stamp(
    width: float, height: float, unit: float, draw: Callable[[Canvas], object], *, is_bgr: bool
) -> Stamp:
    """Return what `draw` draws, to be put on many pictures; pixels that it covers only in part are left out.

    Parameters are those of :func:`make_ink`.
    """
    colours, kept = make_ink(width, height, unit, draw, is_bgr=is_bgr)
    return colours, np.where(kept.any(axis=2), 0, 255).astype(np.uint8)
