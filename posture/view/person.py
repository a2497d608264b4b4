"""Draw a person's lines, their ghost and their silhouette; say beside the lines how far they deviate."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from posture.view.canvas import WHITE, Canvas, Colour, Ink, make_ink
from posture.view.figure import FACE, NECK, SHOULDERS, TRUNK, Figure, Ghost, Head
from posture.view.lettering import letter
from posture.words import degrees_text

MIN_UNIT: Final = 0.3
"""Smaller pictures (below 192x144) get lines and no words."""
_GHOST: Final[Colour] = (225, 228, 232)
_SILHOUETTE: Final[Colour] = (72, 76, 84)


def draw_person(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    """Draw the skeleton lightly, neck and trunk clearly."""
    points = (figure.points * canvas.width).tolist()
    shoulders, neck = points[SHOULDERS], points[NECK]
    trunk_from, trunk_to = points[TRUNK]
    canvas.line(shoulders[0], shoulders[1], WHITE, 2, casing=1)
    if figure.is_trunk_seen:
        canvas.line(trunk_from, trunk_to, colour, 4, casing=1.2)
    else:
        canvas.dashed(trunk_from, trunk_to, colour, 3)
    canvas.line(neck[0], neck[1], colour, 5, casing=1.2)
    canvas.discs(points[FACE], 1.9, WHITE, casing=0.5)
    canvas.discs(shoulders + neck, 4.0, WHITE, casing=1.2)


def draw_ghost(canvas: Canvas, ghost: Ghost) -> None:
    """Draw where head and neck would be now if the person sat upright."""
    w, u = canvas.width, canvas.unit
    canvas.dashed(ghost.neck[0] * w, ghost.neck[1] * w, _GHOST, 2, 5)
    (x, y), half = (ghost.head.centre * w).tolist(), (ghost.head.half * w).tolist()
    canvas.ellipse((x, y), half, _GHOST, 1.6, n_dashes=24)
    text, size = "your upright", 11
    width, height = canvas.text_size(text, size)
    y -= half[1] + height + 4 * u
    if u >= MIN_UNIT and y > 60 * u:
        sign = make_sign(text, size, _GHOST, (5.0, 1.0), u, canvas.is_bgr)
        canvas.lay(sign, x - width / 2 - 5 * u, y - u)


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
    u, w = canvas.unit, canvas.width
    side = 1.0 if figure.head.centre[0] < 0.62 else -1.0  # the gauges are on the left
    reach = side * (_reach(figure.head) * w + 8 * u)
    neck_at = (figure.neck[0] + figure.neck[1]) / 2 * w
    trunk_at = figure.trunk[0] * w + (0, 30 * u)
    for text, (x, y), offset in (
        (f"neck {degrees_text(neck_deg)}", neck_at, reach),
        (f"trunk {degrees_text(thoracic_deg)}", trunk_at, side * 14 * u),
    ):
        width, height = canvas.text_size(text, 15)
        left = x + offset - (width if side < 0 else 0.0)
        left = min(max(left, 8 * u), canvas.width - width - 8 * u)
        top = min(max(y - height / 2, 8 * u), canvas.height - height - 8 * u)
        canvas.lay(make_sign(text, 15, WHITE, (6.0, 2.0), u, canvas.is_bgr), left - 6 * u, top - 2 * u)


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


def _reach(head: Head) -> float:
    """Return how far a label keeps from the middle of the head, image widths."""
    return float(head.half[0]) * 1.15
