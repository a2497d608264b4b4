"""Draw what the monitor sees, what it makes of it, and the boundaries at which it would speak.

The picture below, the person's lines on it, words and gauges above them. Mirroring moves picture and lines and leaves
words alone. The given picture is never written into.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posture.capture import import_cv2
from posture.landmarks import UInt8Array
from posture.view.board import draw_card, draw_gauges, draw_hint
from posture.view.canvas import DIM, WHITE, Canvas, colour_of
from posture.view.figure import mirror
from posture.view.person import MIN_UNIT, draw_ghost, draw_person, draw_silhouette, label_lines
from posture.view.sketch import Sketch
from posture.words import ORANGE, STATES

BLUR_CELLS: Final = 10
"""Cells across the picture that are left of it when it is blurred: a face, at most half as wide, becomes 5 of one
colour each (our choice; what a face needs to be recognised starts at some 16)."""
_NO_PICTURE_PX = (480, 640)


def draw_sketch(
    image_rgb: UInt8Array | None,
    sketch: Sketch,
    *,
    is_mirrored: bool = False,
    is_blurred: bool = False,
    size_px: tuple[int, int] | None = None,
    hint: str = "",
    is_bgr: bool = False,
    out: UInt8Array | None = None,
) -> UInt8Array:
    """Return the picture with everything drawn on it.

    Parameters
    ----------
    image_rgb : (H, W, 3) uint8 or None
        The picture; None = the source has none.
    sketch : Sketch
        What to draw.
    is_mirrored : bool
        Swap left and right, as a mirror does.
    is_blurred : bool
        Show a silhouette instead of the person.
    size_px : (int, int), optional
        Width and height of the result; left out: the picture's own.
    hint : str
        A line for the corner, such as which keys do what.
    is_bgr : bool
        Return blue, green, red, as OpenCV shows pictures; mirrored, that costs nothing.
    out : (H, W, 3) uint8, optional
        Drawn into if it has the result's size: memory taken anew for every frame costs more than a line.

    Returns
    -------
    (H, W, 3) uint8
        RGB or BGR; `out` or a new array.
    """
    image = _background(
        image_rgb, size_px, out, is_mirrored=is_mirrored, is_blurred=is_blurred, is_bgr=is_bgr
    )
    canvas = Canvas(image, is_bgr=is_bgr)
    colour = WHITE if sketch.state is None else colour_of(STATES[sketch.state][2])
    figure = mirror(sketch.figure) if is_mirrored and sketch.figure is not None else sketch.figure
    if figure is not None:
        if is_blurred:
            draw_silhouette(canvas, figure)
        if sketch.is_judged or is_blurred:
            draw_ghost(canvas, figure)
        draw_person(canvas, figure, colour if sketch.is_judged else DIM)
    if sketch.state is not None:
        canvas.frame(colour, 3)
    if canvas.unit < MIN_UNIT:
        return image
    if figure is not None and sketch.is_judged:
        label_lines(canvas, figure, sketch.neck_deg, sketch.thoracic_deg)
    if sketch.is_prompt:
        draw_card(canvas, None, WHITE if sketch.is_good else colour_of(ORANGE), sketch.title, sketch.detail)
    elif sketch.state is not None:
        draw_card(canvas, sketch.state, colour, sketch.title, sketch.detail)
    if sketch.gauges:
        draw_gauges(
            canvas,
            sketch.gauges,
            sketch.slouched_s,
            is_judged=sketch.is_judged,
            release_ratio=sketch.release_ratio,
            sustain_s=sketch.sustain_s,
        )
    if hint:
        draw_hint(canvas, hint)
    return image


def blur(image_rgb: UInt8Array) -> UInt8Array:
    """Return a picture of the same size from which nobody can be recognised: a few cells of mean colour, darkened."""
    cv2 = import_cv2()
    height, width = image_rgb.shape[:2]
    cells = (BLUR_CELLS, max(1, min(4 * BLUR_CELLS, round(BLUR_CELLS * height / width))))
    few = cv2.resize(image_rgb, cells, interpolation=cv2.INTER_AREA)
    grey = (few * 0.35 + 20.0).astype(np.uint8)
    blurred: UInt8Array = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    return blurred


def _background(
    image_rgb: UInt8Array | None,
    size_px: tuple[int, int] | None,
    out: UInt8Array | None,
    *,
    is_mirrored: bool,
    is_blurred: bool,
    is_bgr: bool,
) -> UInt8Array:
    """Return the picture to draw on, in the size wanted."""
    cv2 = import_cv2()
    if image_rgb is None:
        width, height = size_px or _NO_PICTURE_PX[::-1]
        return np.full((height, width, 3), 34, np.uint8)
    image = image_rgb
    if size_px is not None and size_px != (image.shape[1], image.shape[0]):
        is_smaller = size_px[0] < image.shape[1]
        image = cv2.resize(image, size_px, interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR)
    if is_blurred:
        image = blur(image)
    page = np.empty(image.shape, np.uint8) if out is None or out.shape != image.shape else out
    if is_mirrored and is_bgr:  # a row's bytes backwards are both at once
        cv2.flip(image.reshape(len(image), -1), 1, dst=page.reshape(len(page), -1))
    elif is_mirrored:
        cv2.flip(image, 1, dst=page)
    elif is_bgr:
        cv2.cvtColor(image, cv2.COLOR_RGB2BGR, dst=page)
    else:
        page[:] = image
    return page
