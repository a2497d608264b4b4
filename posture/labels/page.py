"""Draw the labeller's window: the picture, the labels as two bands with the position, and the keys."""

from __future__ import annotations

from typing import Final

import numpy as np

from posture.capture import import_cv2
from posture.labels.editing import DUTIES
from posture.labels.keys import HELP
from posture.labels.labels import Duty
from posture.labels.view import LabelView
from posture.landmarks import UInt8Array
from posture.view.canvas import DIM, WHITE, Canvas, Colour, colour_of
from posture.view.figure import find_figure
from posture.view.person import draw_person, draw_silhouette
from posture.words import BLUE, GREY, ORANGE, STATES, clock

FOOT: Final = 144
"""Units of the part below the picture."""
_GROUND: Final[Colour] = (24, 26, 31)
_TRACK: Final[Colour] = (52, 56, 63)
_DUTY_TONES: Final[dict[Duty, str]] = {Duty.MUST: ORANGE, Duty.MUST_NOT: BLUE, Duty.IGNORE: GREY}
_INK: Final[Colour] = (16, 18, 22)
_LEFT, _RIGHT, _ROW = 58, 12, 17  # units: of the bands' ends, and from one to the next
_STEPS_S: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_N_TICKS: Final = 8


def draw_page(view: LabelView, image_rgb: UInt8Array | None, size_px: tuple[int, int]) -> UInt8Array:
    """Return the window's content, (H, W, 3) uint8 in blue, green, red.

    Parameters
    ----------
    view : LabelView
        What to show.
    image_rgb : (H, W, 3) uint8 or None
        The picture; None = a recording, of which the figure is drawn.
    size_px : (int, int)
        Width and height of the window.
    """
    width, height = size_px
    page = np.empty((height, width, 3), np.uint8)
    page[:] = _GROUND[::-1]
    unit = min(width / 640.0, height / 480.0)
    foot_px = min(round(FOOT * unit), height - 1)
    _draw_scene(page[: height - foot_px], view, image_rgb)
    canvas = Canvas(page, unit, is_bgr=True)
    _draw_head(canvas, view)
    _draw_foot(canvas, view, height - foot_px)
    return page


def bands_px(size_px: tuple[int, int]) -> tuple[float, float, float]:
    """Return where the bands lie in a window: their left and right end, and the top of all of them, in pixels.

    Parameters
    ----------
    size_px : (int, int)
        Width and height of the window.
    """
    width, height = size_px
    unit = min(width / 640.0, height / 480.0)
    return _LEFT * unit, width - _RIGHT * unit, height - FOOT * unit


def _draw_scene(part: UInt8Array, view: LabelView, image_rgb: UInt8Array | None) -> None:
    """Put the picture, or a recording's figure, into the middle of a part of the page."""
    cv2 = import_cv2()
    high, wide = part.shape[:2]
    ratio = 0.75
    if image_rgb is not None:
        ratio = image_rgb.shape[0] / image_rgb.shape[1]
    elif view.landmarks is not None and np.isfinite(view.landmarks.height_ratio[0]):
        ratio = float(view.landmarks.height_ratio[0])
    width = max(1, min(wide, round(high / ratio)))
    height = max(1, min(high, round(width * ratio)))
    top, left = (high - height) // 2, (wide - width) // 2
    if image_rgb is not None:
        method = cv2.INTER_AREA if width < image_rgb.shape[1] else cv2.INTER_LINEAR
        scaled = cv2.resize(image_rgb, (width, height), interpolation=method)
        part[top : top + height, left : left + width] = scaled[:, :, ::-1]
        return
    scene = np.full((height, width, 3), 44, np.uint8)
    canvas = Canvas(scene, is_bgr=True)
    figure = None if view.landmarks is None else find_figure(view.landmarks, None)
    if figure is None:
        text = "nobody in view"
        size = canvas.text_size(text, 16)
        canvas.text((width - size[0]) / 2, (height - size[1]) / 2, text, 16, DIM)
    else:
        draw_silhouette(canvas, figure)
        draw_person(canvas, figure, WHITE)
    part[top : top + height, left : left + width] = scene


def _draw_head(canvas: Canvas, view: LabelView) -> None:
    """Write the clip's name and the time into the picture's upper corners."""
    u = canvas.unit
    wide, high = canvas.text_size(view.clock, 13)
    canvas.panel(canvas.width - wide - 24 * u, 8 * u, wide + 16 * u, high + 6 * u)
    canvas.text(canvas.width - wide - 16 * u, 11 * u, view.clock, 13, WHITE)
    name = _shortened(canvas, view.name, 13, canvas.width - wide - 64 * u)
    wide, high = canvas.text_size(name, 13)
    canvas.panel(8 * u, 8 * u, wide + 16 * u, high + 6 * u)
    canvas.text(16 * u, 11 * u, name, 13, WHITE)


def _draw_foot(canvas: Canvas, view: LabelView, top: float) -> None:
    """Draw the bands, the position, the message and the keys."""
    u = canvas.unit
    begin, end = _LEFT * u, canvas.width - _RIGHT * u
    per_s = (end - begin) / max(view.duration_s, 1e-3)
    now = begin + min(max(view.t_s, 0.0), view.duration_s) * per_s
    y = top + 8 * u
    if view.labels.baseline_s is not None:
        start_s, end_s = view.labels.baseline_s
        canvas.fill(begin + start_s * per_s, y - 4 * u, (end_s - start_s) * per_s, 3 * u, WHITE)
    for row, name in enumerate(("state", "alert")):
        at = y + row * _ROW * u
        canvas.text(8 * u, at, name, 11, DIM)
        canvas.fill(begin, at, end - begin, 14 * u, _TRACK)
    if view.marked_s is not None:
        start_s, end_s = view.marked_s
        wide = max((end_s - start_s) * per_s, 2 * u)
        canvas.fill(begin + start_s * per_s, y + 2 * _ROW * u - 2 * u, wide, 4 * u, WHITE)
    for one in view.labels.intervals:
        x, wide = begin + one.start_s * per_s, max((one.end_s - one.start_s) * per_s - 1.0, 1.0)
        if one.state is not None:
            tone, is_thin = colour_of(STATES[one.state][2]), one.state.value in ("away", "unknown")
            _draw_label(canvas, x, y, wide, tone, one.state.value, is_thin=is_thin)
        if one.duty is not None:
            tone, is_thin = colour_of(_DUTY_TONES[one.duty]), one.duty is Duty.IGNORE
            _draw_label(canvas, x, y + _ROW * u, wide, tone, DUTIES[one.duty], is_thin=is_thin)
    canvas.fill(now - u, y - 6 * u, 2 * u, 2 * _ROW * u + 10 * u, WHITE)
    y += 2 * _ROW * u + 5 * u
    _draw_times(canvas, view.duration_s, begin, per_s, y)
    y += 16 * u
    text, colour = (view.trouble, colour_of(ORANGE)) if view.trouble else (view.message, WHITE)
    canvas.text(8 * u, y, _shortened(canvas, text, 13, canvas.width - 16 * u), 13, colour)
    y += 23 * u
    for line in HELP:
        x = 8 * u
        for keys, meaning in line:
            x += canvas.text(x, y, keys, 12, WHITE) + 5 * u
            x += canvas.text(x, y, meaning, 12, DIM) + 13 * u
        y += 16 * u


def _draw_label(
    canvas: Canvas, x: float, y: float, width: float, tone: Colour, word: str, *, is_thin: bool
) -> None:
    """Draw one label, with its word where there is room; a thin one is told apart without its colour."""
    u = canvas.unit
    high = 3 * u if is_thin else 14 * u
    canvas.fill(x, y + 14 * u - high, width, high, tone)
    size = 11 if is_thin else 12
    room, _ = canvas.text_size(word, size)
    if room + 6 * u <= width:
        canvas.text(x + 3 * u, y - (2.5 if is_thin else 1.0) * u, word, size, tone if is_thin else _INK)


def _draw_times(canvas: Canvas, duration_s: float, begin: float, per_s: float, y: float) -> None:
    """Write round times below the bands."""
    step_s = next((step for step in _STEPS_S if duration_s / step <= _N_TICKS), _STEPS_S[-1])
    for i in range(int(duration_s / step_s) + 1):
        x, text = begin + i * step_s * per_s, clock(i * step_s)
        wide, _ = canvas.text_size(text, 10)
        canvas.fill(x, y - 3 * canvas.unit, max(1.0, canvas.unit), 4 * canvas.unit, DIM)
        if x + wide / 2 <= canvas.width:
            canvas.text(x - wide / 2, y + canvas.unit, text, 10, DIM)


def _shortened(canvas: Canvas, text: str, size: float, room: float) -> str:
    """Return as much of a text as fits, its end left out."""
    if canvas.text_size(text, size)[0] <= room:
        return text
    while text and canvas.text_size(text + "...", size)[0] > room:
        text = text[:-1]
    return text + "..."
