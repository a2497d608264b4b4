"""A picture at a glance, 40 x 30 cells of brightness: what changed, and whether there is a picture at all. Pure.

Experiments: the four desk sessions of the fixtures' source clips (3,456 frames at 4 a second), as they are and with
sensor noise of 6 grey levels. Two seconds apart, typing changes 0.6-8 % of the cells of head and shoulders (median),
a slouch 22 % or more (95 % of the pairs of an upright and a slouching frame less than 10 s apart; the session with
a dark shirt before a dark wall 15 %). Over the whole picture hands and passers-by hide it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posture.landmarks import FloatArray, UInt8Array
from posture.landmarks import PoseLandmark as P

CELLS = (30, 40)
"""Rows and columns; a head at a desk is some 8 cells wide."""
SAMPLES = 4
"""Picture elements looked at per cell and direction, at most: the mean of 16 has a quarter of the noise."""
CHANGED_GREY = 6.0
"""Grey levels by which a cell must differ: 2.8 standard deviations of a difference under noise of 6 grey levels."""
MARGIN_RATIO, CROWN_RATIO = 0.15, 0.6
"""Of the person's width beside them, and of ears to shoulders above the face: hair, and room to move."""
COVERED_GREY = 4.0
"""Standard deviation over the cells below which nothing is to be seen: a thumb or shutter 0-2, a dimmed room 11."""


def glimpse(image: UInt8Array) -> FloatArray:
    """Return the brightness of `image`, (H, W, 3) RGB or (H, W), in (30, 40) cells, 0 to 255.

    From a colour picture the green is taken, the larger part of brightness.
    """
    height, width = image.shape[:2]
    n = min(SAMPLES, max(1, width // CELLS[1]))
    n_rows, n_columns = CELLS[0] * n, CELLS[1] * n
    plane = image if image.ndim == 2 else image[..., 1]
    if height % n_rows == 0 and width % n_columns == 0:
        samples = plane[:: height // n_rows, :: width // n_columns]
    else:
        samples = plane[np.arange(n_rows) * height // n_rows][:, np.arange(n_columns) * width // n_columns]
    # Strips added to each other: a seventh of the time of numpy's sum over two axes.
    strips = samples[::n].astype(np.uint16)
    for i in range(1, n):
        strips += samples[i::n]
    cells = strips[:, ::n].astype(np.float64)
    for i in range(1, n):
        cells += strips[:, i::n]
    cells /= n * n
    return cells


def person_cells(xyzv: FloatArray, height_ratio: float) -> NDArray[np.bool_]:
    """Return which (30, 40) cells show head and shoulders, or may after a movement; without a person all.

    Parameters
    ----------
    xyzv : (33, 4)
        Landmarks, image widths; NaN = nobody.
    height_ratio : float
        Height of the picture in image widths.
    """
    points = xyzv[: P.RIGHT_SHOULDER + 1, :2]
    everywhere = np.ones(CELLS, dtype=np.bool_)
    if not np.isfinite(points).all() or not height_ratio > 0.0:
        return everywhere
    shoulders, ears = points[P.LEFT_SHOULDER :], points[P.LEFT_EAR : P.RIGHT_EAR + 1]
    (left, top), (right, _) = points.min(axis=0), points.max(axis=0)
    margin = MARGIN_RATIO * (right - left)
    top -= CROWN_RATIO * abs(shoulders[:, 1].mean() - ears[:, 1].mean())
    x = (np.arange(CELLS[1]) + 0.5) / CELLS[1]
    y = (np.arange(CELLS[0])[:, None] + 0.5) / CELLS[0] * height_ratio
    inside: NDArray[np.bool_] = (
        (x > left - margin) & (x < right + margin) & (y > top) & (y < shoulders[:, 1].max())
    )
    return inside if inside.any() else everywhere


def changed_ratio(now: FloatArray, then: FloatArray, cells: NDArray[np.bool_]) -> float:
    """Return the share of `cells`, 0 to 1, that are brighter or darker `now` than `then`.

    The picture's overall brightness, which the camera's exposure and the time of day change, is taken out
    first: the median of the ratios, which half the picture would have to change to move.
    """
    now, then = now + 1.0, then + 1.0
    is_changed = np.abs(now - _median(now / then) * then) > CHANGED_GREY
    return np.count_nonzero(is_changed & cells) / np.count_nonzero(cells)


def is_covered(cells: FloatArray) -> bool:
    """Return whether there is nothing to be seen: the same brightness everywhere, black included."""
    grey = cells.ravel()
    mean = float(grey.sum()) / grey.size
    return float(grey.dot(grey)) / grey.size - mean * mean < COVERED_GREY**2


def _median(values: FloatArray) -> float:
    """Return the median of an even number of values: half the time of numpy's, which also looks for NaN."""
    flat = values.ravel()
    half = flat.size // 2
    flat.partition((half - 1, half))
    return 0.5 * float(flat[half - 1] + flat[half])
