"""Draw what the monitor sees, what it makes of it, and the boundaries at which it would speak.

The picture below, the person's lines on it, words and gauges above them. Mirroring moves picture and lines and leaves
words alone. The given picture is never written into.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from posture.baseline import Baseline
from posture.capture import import_cv2
from posture.judging import Thresholds, make_thresholds
from posture.landmarks import UInt8Array
from posture.settings import Settings
from posture.slouch import Reason, SlouchState
from posture.step_result import StepResult
from posture.view.canvas import DIM, WHITE, Canvas, Colour, Ink, colour_of, make_ink
from posture.view.figure import find_figure, mirror
from posture.view.gauges import Gauge, make_gauges
from posture.view.lettering import letter
from posture.view.moment import Moment
from posture.view.person import MIN_UNIT, draw_ghost, draw_person, draw_silhouette, label_lines, make_sign
from posture.words import BLUE, ORANGE, REASONS, STATES, clock, part_phrase

BLUR_CELLS: Final = 10
"""Cells across the picture that are left of it when it is blurred: a face, at most half as wide, becomes 5 of one
colour each (our choice; what a face needs to be recognised starts at some 16)."""
_NO_PICTURE_PX = (480, 640)
_SHARE_END = 1.6  # of the boundary: where a gauge ends
_ROW, _TABLE_TOP, _BAR_LEFT, _BAR_WIDTH = 17, 7, 80, 120  # of the gauges, in units
_TRACK: Final[Colour] = (70, 74, 80)


class Overlay:
    """Draw moments of one run.

    Parameters
    ----------
    settings : Settings
        ``judge`` and ``alert`` have the boundaries.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits: tuple[Baseline, Thresholds] | None = None

    def draw(
        self,
        moment: Moment,
        baseline: Baseline | None,
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
        moment : Moment
            What to draw.
        baseline : Baseline or None
            The upright it was judged against.
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
        figure = None if moment.landmarks is None else find_figure(moment.landmarks, baseline)
        if figure is not None and is_mirrored:
            figure = mirror(figure)
        image = _background(
            moment.image_rgb, size_px, out, is_mirrored=is_mirrored, is_blurred=is_blurred, is_bgr=is_bgr
        )
        canvas = Canvas(image, is_bgr=is_bgr)
        result = moment.result
        colour = colour_of(STATES[result.state][2]) if result is not None else WHITE
        is_judged = result is not None and result.reason is Reason.NONE and baseline is not None
        if figure is not None:
            if is_blurred:
                draw_silhouette(canvas, figure)
            if figure.ghost is not None and (is_judged or is_blurred):
                draw_ghost(canvas, figure.ghost)
            draw_person(canvas, figure, colour if is_judged else DIM)
        if result is not None:
            canvas.frame(colour, 3)
        if canvas.unit < MIN_UNIT:
            return image
        if figure is not None and result is not None and is_judged:
            label_lines(canvas, figure, result.neck_deviation_deg, result.thoracic_deviation_deg)
        if moment.prompt is not None:
            _draw_card(
                canvas,
                None,
                WHITE if moment.prompt.is_good else colour_of(ORANGE),
                moment.prompt.title,
                moment.prompt.detail,
            )
        elif result is not None:
            _, word, _ = STATES[result.state]
            _draw_card(canvas, result.state, colour, word, _detail(result))
            if baseline is not None:
                gauges = make_gauges(result, self._limits_of(baseline))
                self._draw_gauges(canvas, gauges, result.slouched_s, is_judged=is_judged)
        if hint:
            _draw_hint(canvas, hint)
        return image

    def _limits_of(self, baseline: Baseline) -> Thresholds:
        """Return the boundaries; they are the same as long as the upright is."""
        if self._limits is None or self._limits[0] is not baseline:
            self._limits = baseline, make_thresholds(self._settings.judge, baseline)
        return self._limits[1]

    def _draw_gauges(
        self, canvas: Canvas, gauges: tuple[Gauge, ...], slouched_s: float, *, is_judged: bool
    ) -> None:
        """Draw a bar for each deviation with its boundaries, and one for the time towards an alert."""
        u, judge = canvas.unit, self._settings.judge
        is_late, sustain_s = slouched_s > 0.0, self._settings.alert.sustain_s
        names = tuple((gauge.name, gauge.is_driver) for gauge in gauges)
        table = _gauge_table(names, is_late, judge.release_ratio, u, canvas.is_bgr)
        x, y = float(round(12 * u)), float(round(canvas.height - table[0].shape[0] - 12 * u))
        canvas.lay(table, x, y)
        x += _BAR_LEFT * u
        y += _TABLE_TOP * u
        for gauge in gauges:
            if is_judged:
                tone = colour_of(ORANGE if gauge.share >= 1.0 else BLUE)
                _fill_bar(canvas, x, y, gauge.share / _SHARE_END, tone)
                for at, colour in ((judge.release_ratio, DIM), (1.0, WHITE)):
                    if gauge.share > at:  # the bar has covered it
                        _draw_boundary(canvas, x, y, at, colour)
            value = f"{gauge.value} of {gauge.limit}" if is_judged else "-"
            canvas.text(x + (_BAR_WIDTH + 8) * u, y, value, 12, WHITE if gauge.is_driver else DIM)
            y += _ROW * u
        _fill_bar(canvas, x, y, min(slouched_s / sustain_s, 1.0), colour_of(ORANGE))
        value = f"{clock(slouched_s)} of {clock(sustain_s)}"
        canvas.text(x + (_BAR_WIDTH + 8) * u, y, value, 12, WHITE if is_late else DIM)


def _detail(result: StepResult) -> str:
    """Return why the state is what it is, in a few words."""
    if result.reason is not Reason.NONE:
        return REASONS[result.reason]
    if result.state is SlouchState.UNKNOWN:
        return "about to judge"
    if result.slouch_ratio >= 1.0:
        return part_phrase(result.driver)
    return f"{max(result.slouch_ratio, 0.0):.0%} of the limit"


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


def _draw_card(canvas: Canvas, state: SlouchState | None, colour: Colour, title: str, detail: str) -> None:
    """Draw the state with symbol, word and reason in the top left corner."""
    u = canvas.unit
    detail_width, detail_height = canvas.text_size(detail, 13)
    canvas.lay(_card(state, colour, title, detail_width, detail_height, u, canvas.is_bgr), 12 * u, 12 * u)
    _, title_height = canvas.text_size(title, 24)
    canvas.text(24 * u, 20 * u + title_height, detail, 13, WHITE)


@lru_cache(maxsize=32)
def _card(
    state: SlouchState | None,
    colour: Colour,
    title: str,
    detail_width: float,
    detail_height: float,
    u: float,
    is_bgr: bool,
) -> Ink:
    """Return the panel with symbol and word, and room for the line below: all that stays while that changes."""
    title_height, title_width = letter(title, round(24 * u)).shape
    indent = 0.0 if state is None else 32 * u
    width = max(indent + title_width, detail_width) + 24 * u
    height = title_height + detail_height + 16 * u

    def draw(canvas: Canvas) -> None:
        canvas.panel(0, 0, width, height)
        if state is not None:
            _draw_symbol(canvas, state, (22 * u, 7 * u + title_height / 2), colour)
        canvas.text(12 * u + indent, 6 * u, title, 24, colour)

    return make_ink(width, height, u, draw, is_bgr=is_bgr)


@lru_cache(maxsize=16)
def _gauge_table(
    names: tuple[tuple[str, bool], ...], is_late: bool, release_ratio: float, u: float, is_bgr: bool
) -> Ink:
    """Return the gauges without bars and values: each name and whether it drives, tracks, boundaries."""
    width, height = (_BAR_LEFT + _BAR_WIDTH + 92) * u, ((len(names) + 1) * _ROW + 14) * u

    def draw(canvas: Canvas) -> None:
        canvas.panel(0, 0, width, height)
        for i, (name, is_bright) in enumerate((*names, ("slouched", is_late))):
            y = (_TABLE_TOP + i * _ROW) * u
            canvas.text(9 * u, y, name, 12, WHITE if is_bright else DIM)
            _fill_bar(canvas, _BAR_LEFT * u, y, 1.0, _TRACK)
            if i < len(names):
                _draw_boundary(canvas, _BAR_LEFT * u, y, release_ratio, DIM)
                _draw_boundary(canvas, _BAR_LEFT * u, y, 1.0, WHITE)

    return make_ink(width, height, u, draw, is_bgr=is_bgr)


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


def _fill_bar(canvas: Canvas, x: float, y: float, share: float, colour: Colour) -> None:
    """Draw how far along its track something is, 1 = to the end; nothing where it is not measured."""
    if share > 0.0:
        u = canvas.unit
        canvas.fill(x, y + 4 * u, _BAR_WIDTH * u * min(share, 1.0), 7 * u, colour)


def _draw_boundary(canvas: Canvas, x: float, y: float, share: float, colour: Colour) -> None:
    """Draw where along a gauge a boundary is."""
    u = canvas.unit
    canvas.fill(x + _BAR_WIDTH * u * share / _SHARE_END, y + 2 * u, max(1.0, 1.4 * u), 11 * u, colour)


def _draw_hint(canvas: Canvas, hint: str) -> None:
    """Write a line in the top right corner."""
    u = canvas.unit
    sign = make_sign(hint, 12, DIM, (8.0, 3.0), u, canvas.is_bgr)
    canvas.lay(sign, canvas.width - 12 * u - sign[0].shape[1], 12 * u)
