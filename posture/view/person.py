"""Draw a person's lines, their ghost and their silhouette; say beside the lines how far they deviate."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Final

import numpy as np

from posture.view.canvas import WHITE, Canvas, Colour, Ink, Stamp
from posture.view.figure import FACE, GHOST_HEAD, GHOST_NECK, HEAD, NECK, SHOULDERS, TRUNK, Figure, Pair
from posture.view.lettering import letter
from posture.view.stamps import make_ink, make_stamp
from posture.words import degrees_text

MIN_UNIT: Final = 0.3
"""Smaller pictures (below 192x144) get lines and no words."""
_GHOST: Final[Colour] = (225, 228, 232)
_SILHOUETTE: Final[Colour] = (72, 76, 84)
_REACH: Final = 1.15
"""Half widths of the head that a label keeps from the neck."""


def draw_person(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    """Draw the skeleton lightly, neck and trunk clearly."""
    points = figure.scaled(canvas.width)
    shoulders, neck = points[SHOULDERS], points[NECK]
    trunk_from, trunk_to = points[TRUNK]
    canvas.line(shoulders[0], shoulders[1], WHITE, 2, casing=1)
    if figure.is_trunk_seen:
        canvas.line(trunk_from, trunk_to, colour, 4, casing=1.2)
    else:
        _draw_plumb(canvas, trunk_from, trunk_to[1] - trunk_from[1], colour)
    canvas.line(neck[0], neck[1], colour, 5, casing=1.2)
    canvas.discs(points[FACE], 1.9, WHITE, casing=0.5)
    canvas.discs(shoulders + neck, 4.0, WHITE, casing=1.2)


def draw_ghost(canvas: Canvas, figure: Figure) -> None:
    """Draw where head and neck would be now if the person sat upright; nothing without an upright."""
    if figure.ghost_half is None:
        return
    u = canvas.unit
    *neck, (x, y) = figure.scaled(canvas.width, slice(GHOST_NECK.start, GHOST_HEAD + 1))
    high = figure.ghost_half[1] * canvas.width
    if not 1.0 <= high <= 0.5 * canvas.height:  # a speck, or larger than the picture
        return
    # It moves with the person and keeps its shape: in whole pixels of height there are few, and they are kept.
    scale = round(high) / high
    half = round(figure.ghost_half[0] * canvas.width * scale), round(high)
    foot, tragi = ((round((to_x - x) * scale), round((to_y - y) * scale)) for to_x, to_y in neck)
    drawing, (left, above) = _ghost(half, foot, tragi, u, canvas.is_bgr)
    canvas.stamp(drawing, x - left, y - above)
    sign = make_sign("your upright", 11, _GHOST, (5.0, 1.0), u, canvas.is_bgr)
    height, width = sign[0].shape[:2]
    top = y - high - height - 3 * u
    if u >= MIN_UNIT and top > 60 * u:
        canvas.lay(sign, x - width / 2, top)


def draw_silhouette(canvas: Canvas, figure: Figure) -> None:
    """Fill the outline of a head and shoulders, whoever they belong to."""
    w, head = canvas.width, figure.head
    middle, size = figure.neck[0] * w, head.half * w
    across = np.abs(figure.shoulders[0] - figure.shoulders[1])[0] * w / 2 + 0.6 * size[0]
    top = middle[1] - 0.35 * size[1]
    canvas.polygon(
        [
            (middle[0] - 0.8 * across, top),
            (middle[0] + 0.8 * across, top),
            (middle[0] + 1.15 * across, middle[1] + size[1]),
            (middle[0] + 1.2 * across, canvas.height + 10),
            (middle[0] - 1.2 * across, canvas.height + 10),
            (middle[0] - 1.15 * across, middle[1] + size[1]),
        ],
        _SILHOUETTE,
    )
    canvas.line(middle, head.centre * w, _SILHOUETTE, 1.1 * size[0] / max(canvas.unit, 0.01))
    canvas.ellipse(head.centre * w, size, _SILHOUETTE, -1)


def label_lines(canvas: Canvas, figure: Figure, neck_deg: float, thoracic_deg: float) -> None:
    """Write the deviations beside the lines they belong to, on the side where there is more room."""
    u = canvas.unit
    (foot_x, foot_y), (tragi_x, tragi_y) = figure.scaled(canvas.width, NECK)
    is_right = figure.rows[HEAD][0] < 0.62  # the gauges are on the left
    reach = _REACH * figure.head_half[0] * canvas.width + 2 * u
    for text, x, y, offset in (
        (f"neck {degrees_text(neck_deg)}", (foot_x + tragi_x) / 2, (foot_y + tragi_y) / 2, reach),
        (f"trunk {degrees_text(thoracic_deg)}", foot_x, foot_y + 30 * u, 8 * u),
    ):
        sign = make_sign(text, 15, WHITE, (6.0, 2.0), u, canvas.is_bgr)
        height, width = sign[0].shape[:2]
        left = x + offset if is_right else x - offset - width
        left = min(max(left, 2 * u), canvas.width - width - 2 * u)
        top = min(max(y - height / 2, 6 * u), canvas.height - height - 6 * u)
        canvas.lay(sign, left, top)


@lru_cache(maxsize=12)
def _ghost(
    half: tuple[int, int], foot: tuple[int, int], tragi: tuple[int, int], unit: float, is_bgr: bool
) -> tuple[Stamp, tuple[int, int]]:
    """Return a ghost, and where in it the middle of its head is; all in pixels from there."""
    room, most = ceil(3 * unit) + 1, 5 * half[1]  # of an upright that makes no sense, the middle
    left, top = (min(max(half[i], -foot[i], -tragi[i]) + room, most) for i in (0, 1))
    right, bottom = (min(max(half[i], foot[i], tragi[i]) + room, most) for i in (0, 1))

    def draw(canvas: Canvas) -> None:
        canvas.dashed((left + foot[0], top + foot[1]), (left + tragi[0], top + tragi[1]), _GHOST, 2, 5)
        canvas.ellipse((left, top), half, _GHOST, 1.6, n_dashes=24)

    return make_stamp(left + right, top + bottom, unit, draw, is_bgr=is_bgr), (left, top)


def _draw_plumb(canvas: Canvas, at: Pair, length: float, colour: Colour) -> None:
    """Draw a dashed line straight down, which says that no direction was measured."""
    colours, mask = _plumb(canvas.height, colour, canvas.unit, canvas.is_bgr)
    rows = max(0, min(round(length), canvas.height))
    canvas.stamp((colours[:rows], mask[:rows]), at[0] - colours.shape[1] // 2, at[1])


@lru_cache(maxsize=8)
def _plumb(length: int, colour: Colour, unit: float, is_bgr: bool) -> Stamp:
    """Return dashes straight down, in the middle of a strip."""
    middle = ceil(3 * unit)

    def draw(canvas: Canvas) -> None:
        canvas.dashed((middle, 0), (middle, length), colour, 3)

    return make_stamp(2 * middle + 1, length, unit, draw, is_bgr=is_bgr)


@lru_cache(maxsize=128)
def make_sign(
    text: str, size: float, colour: Colour, margin: tuple[float, float], unit: float, is_bgr: bool
) -> Ink:
    """Return a panel with a text on it, with `margin` units beside and above it."""
    height, width = letter(text, round(size * unit)).shape
    across, down = margin[0] * unit, margin[1] * unit

    def draw(canvas: Canvas) -> None:
        canvas.panel(0, 0, width + 2 * across, height + 2 * down)
        canvas.text(across, down, text, size, colour)

    return make_ink(width + 2 * across, height + 2 * down, unit, draw, is_bgr=is_bgr)
