"""Draw what is said in words and bars: the state's card, the gauges, the keys.

Little of it changes from one picture to the next. What stays is drawn once and kept, and laid over each picture.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from posture.landmarks import UInt8Array
from posture.slouch import SlouchState
from posture.view.canvas import DIM, WHITE, Canvas, Colour, Ink, colour_of, pixel
from posture.view.gauges import Gauge
from posture.view.lettering import ink, letter
from posture.view.person import make_sign
from posture.view.stamps import make_ink
from posture.words import BLUE, ORANGE, clock

_MARGIN: Final = 12
"""Units between the picture's edges and what stands in its corners."""
_SHARE_END: Final = 1.6
"""Of the boundary: where a gauge ends."""
_ROW, _TABLE_TOP, _BAR_LEFT, _BAR_WIDTH, _VALUE_LEFT, _TABLE_WIDTH = 17, 7, 80, 120, 208, 292  # in units
_TRACK: Final[Colour] = (70, 74, 80)


def draw_card(canvas: Canvas, state: SlouchState | None, colour: Colour, title: str, detail: str) -> None:
    """Draw the state with symbol, word and reason in the top left corner."""
    card = _card(state, colour, title, detail, canvas.unit, canvas.is_bgr)
    canvas.lay(card, _MARGIN * canvas.unit, _MARGIN * canvas.unit)


def draw_hint(canvas: Canvas, hint: str) -> None:
    """Write a line in the top right corner."""
    sign = make_sign(hint, 12, DIM, (8.0, 3.0), canvas.unit, canvas.is_bgr)
    canvas.lay(sign, canvas.width - _MARGIN * canvas.unit - sign[0].shape[1], _MARGIN * canvas.unit)


def draw_gauges(
    canvas: Canvas,
    gauges: tuple[Gauge, ...],
    slouched_s: float,
    *,
    is_judged: bool,
    release_ratio: float,
    sustain_s: float,
) -> None:
    """Draw a bar for each deviation with its boundaries, and one for the time towards an alert.

    Parameters
    ----------
    canvas : Canvas
        Drawn on in its lower left corner.
    gauges : tuple of Gauge
        The deviations.
    slouched_s : float
        Judged slouch time so far, seconds.
    is_judged : bool
        Whether the deviations were judged; if not, their bars stay empty.
    release_ratio : float
        Share of a boundary below which a slouch is over.
    sustain_s : float
        Seconds of slouch after which there is an alert.
    """
    u, is_late = canvas.unit, slouched_s > 0.0
    names = (*((gauge.name, gauge.is_driver) for gauge in gauges), ("slouched", is_late))
    table = _table(names, release_ratio, u, canvas.is_bgr)
    left = pixel(_MARGIN * u)
    top = canvas.height - table[0].shape[0] - left
    canvas.lay(table, left, top)
    values = []
    for i, gauge in enumerate(gauges):
        if is_judged:
            tone = colour_of(ORANGE if gauge.share >= 1.0 else BLUE)
            bar = _full_bar(tone, release_ratio, u, canvas.is_bgr)
            _draw_bar(canvas, bar, left, top, i, gauge.share / _SHARE_END)
        values.append((f"{gauge.value} of {gauge.limit}" if is_judged else "-", gauge.is_driver))
    bar = _full_bar(colour_of(ORANGE), None, u, canvas.is_bgr)
    _draw_bar(canvas, bar, left, top, len(gauges), slouched_s / sustain_s)
    values.append((f"{clock(slouched_s)} of {clock(sustain_s)}", is_late))
    canvas.lay(_column(tuple(values), u, canvas.is_bgr), left + pixel(_VALUE_LEFT * u), top)


@lru_cache(maxsize=64)
def _card(
    state: SlouchState | None, colour: Colour, title: str, detail: str, unit: float, is_bgr: bool
) -> Ink:
    """Return the panel with symbol, word and reason."""
    title_height, title_width = letter(title, round(24 * unit)).shape
    detail_height, detail_width = letter(detail, round(13 * unit)).shape
    indent = 0.0 if state is None else 32 * unit
    width = max(indent + title_width, detail_width) + 24 * unit
    height = title_height + detail_height + 16 * unit

    def draw(canvas: Canvas) -> None:
        canvas.panel(0, 0, width, height)
        if state is not None:
            _draw_symbol(canvas, state, (22 * unit, 7 * unit + title_height / 2), colour)
        canvas.text(12 * unit + indent, 6 * unit, title, 24, colour)
        canvas.text(12 * unit, 8 * unit + title_height, detail, 13, WHITE)

    return make_ink(width, height, unit, draw, is_bgr=is_bgr)


def _draw_symbol(canvas: Canvas, state: SlouchState, at: tuple[float, float], colour: Colour) -> None:
    """Draw the state's symbol, the one that the terminal has as a letter."""
    (x, y), r = at, 9 * canvas.unit
    if state is SlouchState.UPRIGHT:
        canvas.discs(np.array([at]), 9, colour)
    elif state is SlouchState.SLOUCHING:
        canvas.polygon([(x, y - r), (x + 1.05 * r, y + 0.85 * r), (x - 1.05 * r, y + 0.85 * r)], colour)
    elif state is SlouchState.AWAY:
        canvas.ellipse(at, (0.85 * r, 0.85 * r), colour, 2.5)
    else:
        width, height = canvas.text_size("?", 24)
        canvas.text(x - width / 2, y - height / 2, "?", 24, colour)


@lru_cache(maxsize=16)
def _table(names: tuple[tuple[str, bool], ...], release_ratio: float, unit: float, is_bgr: bool) -> Ink:
    """Return the gauges without bars and values: each name and whether it drives, tracks, boundaries."""
    width, height = _TABLE_WIDTH * unit, (len(names) * _ROW + 14) * unit

    def draw(canvas: Canvas) -> None:
        canvas.panel(0, 0, width, height)
        for i, (name, is_bright) in enumerate(names):
            y = (_TABLE_TOP + i * _ROW) * unit
            canvas.text(9 * unit, y, name, 12, WHITE if is_bright else DIM)
            canvas.fill(_BAR_LEFT * unit, y + 4 * unit, _BAR_WIDTH * unit, 7 * unit, _TRACK)
            if i < len(names) - 1:
                _draw_boundaries(canvas, y, release_ratio)

    return make_ink(width, height, unit, draw, is_bgr=is_bgr)


def _draw_boundaries(canvas: Canvas, y: float, release_ratio: float) -> None:
    """Draw where along a gauge a slouch is over, and where it begins."""
    u = canvas.unit
    for share, colour in ((release_ratio, DIM), (1.0, WHITE)):
        x = (_BAR_LEFT + _BAR_WIDTH * share / _SHARE_END) * u
        canvas.fill(x, y + 2 * u, max(1.0, 1.4 * u), 11 * u, colour)


@lru_cache(maxsize=16)
def _full_bar(colour: Colour, release_ratio: float | None, unit: float, is_bgr: bool) -> UInt8Array:
    """Return one row of a full bar with the boundaries on it, (1, w, 3), of which a shorter one shows the beginning."""
    begin, end = pixel(_BAR_LEFT * unit), pixel((_BAR_LEFT + _BAR_WIDTH) * unit)
    canvas = Canvas(np.empty((1, end, 3), np.uint8), unit, is_bgr=is_bgr)
    canvas.fill(0, 0, end, 1, colour)
    if release_ratio is not None:
        _draw_boundaries(canvas, -5 * unit, release_ratio)
    return canvas.image[:, begin:]


def _draw_bar(canvas: Canvas, bar: UInt8Array, left: int, top: int, row: int, share: float) -> None:
    """Draw how far along its track something is, 1 = to the end; nothing where it is not measured."""
    if share > 0.0:
        u = canvas.unit
        y = (_TABLE_TOP + row * _ROW + 4) * u
        x, length = left + pixel(_BAR_LEFT * u), pixel(bar.shape[1] * min(share, 1.0))
        canvas.image[top + pixel(y) : top + pixel(y + 7 * u), x : x + length] = bar[:, :length]


@lru_cache(maxsize=32)
def _column(values: tuple[tuple[str, bool], ...], unit: float, is_bgr: bool) -> Ink:
    """Return the values beside the gauges, whether each is bright, and room above them as in the table.

    Put together from the single texts, which are kept as well: one of them mostly changes alone.
    """
    tones = (DIM[::-1], WHITE) if is_bgr else (DIM, WHITE)
    texts = [ink(text, round(12 * unit), tones[is_bright]) for text, is_bright in values]
    height = pixel((_TABLE_TOP + len(values) * _ROW) * unit)
    added = np.zeros((height, max(text[0].shape[1] for text in texts), 3), np.uint8)
    kept = np.full_like(added, 255)
    for i, parts in enumerate(texts):
        top = pixel((_TABLE_TOP + i * _ROW) * unit)
        for page, part in zip((added, kept), parts, strict=True):
            room = page[top : top + part.shape[0], : part.shape[1]]
            room[:] = part[: room.shape[0]]
    return added, kept
