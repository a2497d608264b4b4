"""A picture to draw on: smooth lines, discs, panels and text, in sizes that grow with the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import floor, hypot
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.capture import import_cv2
from posture.landmarks import FloatArray, UInt8Array
from posture.view.lettering import ink, letter

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue."""
Point: TypeAlias = Sequence[float] | FloatArray
"""x, y in pixels."""
Ink: TypeAlias = tuple[UInt8Array, UInt8Array]
"""What to add to a picture and what to keep of it, (h, w, 3): a pixel becomes ``keep / 255 * pixel + added``."""
Stamp: TypeAlias = tuple[UInt8Array, UInt8Array]
"""A drawing that hides what it covers: its colours (h, w, 3), and where it is (h, w), 255 or 0."""


WHITE: Final = (255, 255, 255)
DIM: Final = (190, 194, 200)
DARK: Final = (16, 18, 22)
BASE_PX: Final = (640, 480)
"""The picture in which one unit is one pixel."""
_MAX_DASHES = 500  # of one line
_N_CIRCLE = 64  # points of a circle: at 300 px, their lines are 0.36 px inside of it
_ROUND_END = 0.4  # half widths by which a square end looks as long as a round one
_SHIFT = 4  # bits of a sixteenth of a pixel
_PANEL_KEEP, _PANEL_ADD = (
    0.25,
    12.0,
)  # what a panel leaves of the picture: white text on it has a contrast above 7:1


@lru_cache(maxsize=64)
def colour_of(code: str) -> Colour:
    """Return the colour of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


class Canvas:
    """Draw on `image`, in place. Whatever lies outside is cut off.

    Parameters
    ----------
    image : (H, W, 3) uint8
        Contiguous.
    unit : float, optional
        Pixels of one unit of line widths and letters; left out: what fits the picture.
    is_bgr : bool, optional
        The picture's channels are blue, green, red; colours are given as red, green, blue all the same.
    """

    def __init__(self, image: UInt8Array, unit: float | None = None, *, is_bgr: bool = False) -> None:
        self._cv2 = import_cv2()
        self.image = image
        self.is_bgr = is_bgr
        self.height, self.width = image.shape[:2]
        self.unit = min(self.width / BASE_PX[0], self.height / BASE_PX[1]) if unit is None else unit

    def line(self, a: Point, b: Point, colour: Colour, width: float, *, casing: float = 0.0) -> None:
        """Draw a line `width` units wide, on a dark one that is `casing` units wider at each side."""
        if not (_fits(a) and _fits(b)):
            return
        cv2, ends = self._cv2, (_fixed(a), _fixed(b))
        if casing:
            wide = self._thickness(width + 2.0 * casing)
            cv2.line(self.image, *ends, self._tone(DARK), wide, cv2.LINE_AA, _SHIFT)
        cv2.line(self.image, *ends, self._tone(colour), self._thickness(width), cv2.LINE_AA, _SHIFT)

    def dashed(self, a: Point, b: Point, colour: Colour, width: float, dash: float = 7.0) -> None:
        """Draw dashes and gaps of `dash` units on a dark line, to be seen on any picture."""
        across, down = b[0] - a[0], b[1] - a[1]
        length = hypot(across, down)
        n = int(length / (2.0 * dash * max(self.unit, 0.05)))
        if n > _MAX_DASHES or length == 0.0:  # far outside of any picture, or nowhere
            return
        cv2, thick = self._cv2, self._thickness(width)
        cv2.line(
            self.image, _fixed(a), _fixed(b), self._tone(DARK), self._thickness(width + 1), cv2.LINE_8, _SHIFT
        )
        if thick == 1:
            self._draw_all(np.array((across, down)) * _dash_ends(n) + np.array(a), colour)
            return
        half = _half_width(thick) / length
        along, aside = (across, down), (-down * half, across * half)
        ahead = (aside[1] * _ROUND_END, -aside[0] * _ROUND_END)
        self._fill_all(_dash_corners(n) @ np.array((along, ahead, aside)) + np.array(a), colour)

    def ellipse(self, centre: Point, half: Point, colour: Colour, width: float, *, n_dashes: int = 0) -> None:
        """Draw an upright ellipse `width` units wide, filled if that is negative, or in `n_dashes`."""
        if not _fits(centre) or not _fits(half):
            return
        cv2 = self._cv2
        if not n_dashes:
            thickness = -1 if width < 0 else self._thickness(width)
            at, axes, tone = _fixed(centre), _fixed(half), self._tone(colour)
            cv2.ellipse(self.image, at, axes, 0, 0, 360, tone, thickness, cv2.LINE_AA, _SHIFT)
            return
        thick = self._thickness(width)
        dark, light = 0.5 * (thick + 1), 0.0 if thick == 1 else _half_width(thick)
        circle, which = _rings(n_dashes)
        # Inside and outside of the dark ring and of the dashes: all points of the four ellipses at once.
        axes_px = np.maximum(np.array(half) + np.array(((-dark,), (dark,), (-light,), (light,))), 0.0)
        points = _fix(circle * axes_px[which] + np.array(centre))
        ring, dashes = points[: 2 * _N_CIRCLE], points[2 * _N_CIRCLE :].reshape(n_dashes, 4, 2)
        cv2.fillPoly(self.image, [ring[:_N_CIRCLE], ring[_N_CIRCLE:]], self._tone(DARK), cv2.LINE_8, _SHIFT)
        if thick == 1:
            cv2.polylines(self.image, list(dashes[:, :2]), False, self._tone(colour), 1, cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(self.image, list(dashes), self._tone(colour), cv2.LINE_AA, _SHIFT)

    def discs(
        self, centres: Sequence[Point] | FloatArray, radius: float, colour: Colour, *, casing: float = 0.0
    ) -> None:
        """Draw filled discs of `radius` units around points, on dark ones that are `casing` units larger."""
        cv2, points = self._cv2, [_fixed(centre) for centre in centres if _fits(centre)]
        if casing and points:  # lines without length are discs, and all are drawn in one call
            spots = np.array([(at, at) for at in points])
            width = max(1, int(2.0 * (radius + casing) * self.unit))
            cv2.polylines(self.image, spots, False, self._tone(DARK), width, cv2.LINE_8, _SHIFT)
        size, tone = round(radius * self.unit * (1 << _SHIFT)), self._tone(colour)
        for at in points:
            cv2.circle(self.image, at, size, tone, -1, cv2.LINE_AA, _SHIFT)

    def polygon(self, points: Sequence[Point] | FloatArray, colour: Colour) -> None:
        """Fill a polygon."""
        if all(_fits(p) for p in points):
            corners = np.array([_fixed(p) for p in points], np.int32)
            self._cv2.fillPoly(self.image, [corners], self._tone(colour), self._cv2.LINE_AA, _SHIFT)

    def polyline(self, points: FloatArray, colour: Colour, width: float) -> None:
        """Draw (N, 2) points as one line."""
        if len(points) > 1:
            fixed = np.round(np.clip(points, -1e4, 1e4) * (1 << _SHIFT)).astype(np.int32)
            self._cv2.polylines(
                self.image,
                [fixed],
                False,
                self._tone(colour),
                self._thickness(width),
                self._cv2.LINE_AA,
                _SHIFT,
            )

    def fill(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle given in pixels."""
        x0, y0 = max(0, pixel(x)), max(0, pixel(y))
        x1, y1 = min(self.width, pixel(x + width)), min(self.height, pixel(y + height))
        if x1 > x0 and y1 > y0:
            self._cv2.rectangle(self.image, (x0, y0), (x1 - 1, y1 - 1), self._tone(colour), -1)

    def panel(self, x: float, y: float, width: float, height: float, radius: float = 7.0) -> None:
        """Darken a rounded rectangle given in pixels, so that text on it can be read."""
        x0, y0 = max(0, pixel(x)), max(0, pixel(y))
        x1, y1 = min(self.width, pixel(x + width)), min(self.height, pixel(y + height))
        if x1 <= x0 or y1 <= y0:
            return
        cv2, part = self._cv2, self.image[y0:y1, x0:x1]
        dark = cv2.convertScaleAbs(part, alpha=_PANEL_KEEP, beta=_PANEL_ADD)
        cv2.copyTo(dark, _rounded(x1 - x0, y1 - y0, round(radius * self.unit)), part)

    def frame(self, colour: Colour, width: float) -> None:
        """Draw a frame just inside the edges."""
        n, right, low = self._thickness(width), self.width - 1, self.height - 1
        cv2, tone = self._cv2, self._tone(colour)
        cv2.rectangle(self.image, (0, 0), (right, n - 1), tone, -1)
        cv2.rectangle(self.image, (0, low - n + 1), (right, low), tone, -1)
        cv2.rectangle(self.image, (0, 0), (n - 1, low), tone, -1)
        cv2.rectangle(self.image, (right - n + 1, 0), (right, low), tone, -1)

    def text(self, x: float, y: float, text: str, size: float, colour: Colour = WHITE) -> float:
        """Write `text` with its top left corner at a pixel, letters of `size` units; return its width in pixels."""
        drawing = ink(text, self.letter_px(size), self._tone(colour))
        self.lay(drawing, x, y)
        return float(drawing[0].shape[1])

    def lay(self, drawing: Ink, x: float, y: float) -> None:
        """Lay a drawing over the picture, its top left corner at a pixel."""
        part, added, kept = self._meet(drawing, x, y)
        if added.size:
            cv2 = self._cv2
            cv2.multiply(part, kept, part, 1 / 255)
            cv2.add(part, added, part)

    def stamp(self, drawing: Stamp, x: float, y: float) -> None:
        """Put a drawing on the picture, its top left corner at a pixel: a third of the time of :meth:`lay`."""
        part, colours, mask = self._meet(drawing, x, y)
        if colours.size:
            self._cv2.copyTo(colours, mask, part)

    def text_size(self, text: str, size: float) -> tuple[float, float]:
        """Return the width and height of a text in pixels."""
        height, width = letter(text, self.letter_px(size)).shape
        return float(width), float(height)

    def letter_px(self, size: float) -> int:
        """Return the pixels of letters of `size` units."""
        return round(size * self.unit)

    def _meet(
        self, drawing: tuple[UInt8Array, UInt8Array], x: float, y: float
    ) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
        """Return the part of the picture that a drawing at a pixel meets, and the parts of its two pages there."""
        first, second = drawing
        height, width = first.shape[:2]
        x0, y0 = pixel(x), pixel(y)
        x1, y1 = x0 + width, y0 + height
        if x0 >= 0 and y0 >= 0 and x1 <= self.width and y1 <= self.height:
            return self.image[y0:y1, x0:x1], first, second
        left, top = min(max(0, -x0), width), min(max(0, -y0), height)
        right, bottom = max(left, min(width, self.width - x0)), max(top, min(height, self.height - y0))
        cut = slice(top, bottom), slice(left, right)
        return self.image[y0 + top : y0 + bottom, x0 + left : x0 + right], first[cut], second[cut]

    def _draw_all(self, ends: FloatArray, colour: Colour) -> None:
        """Draw (N, 2, 2) ends as lines one pixel wide, in one call."""
        cv2 = self._cv2
        cv2.polylines(self.image, list(_fix(ends)), False, self._tone(colour), 1, cv2.LINE_AA, _SHIFT)

    def _fill_all(self, quads: FloatArray, colour: Colour) -> None:
        """Fill (N, 4, 2) corners that do not overlap, in one call: a quarter of the time of as many thick lines."""
        cv2 = self._cv2
        cv2.fillPoly(self.image, list(_fix(quads)), self._tone(colour), cv2.LINE_AA, _SHIFT)

    def _tone(self, colour: Colour) -> Colour:
        """Return a colour in the order of the picture's channels."""
        return (colour[2], colour[1], colour[0]) if self.is_bgr else colour

    def _thickness(self, width: float) -> int:
        """Return a line width in pixels."""
        return max(1, round(width * self.unit))


def pixel(value: float) -> int:
    """Return the nearest pixel; of two the later one, so that what moves by whole pixels keeps its shape."""
    return floor(value + 0.5)


def _half_width(thickness: int) -> float:
    """Return half the width that OpenCV gives a thick line: an odd one is a pixel wider."""
    return 0.5 * (thickness + thickness % 2)


def _fits(point: Point) -> bool:
    """Return whether a point is near enough for OpenCV's integers."""
    return bool(-1e5 < point[0] < 1e5 and -1e5 < point[1] < 1e5)


def _fixed(point: Point) -> tuple[int, int]:
    """Return a point in sixteenths of pixels."""
    return round(point[0] * (1 << _SHIFT)), round(point[1] * (1 << _SHIFT))


def _fix(points: FloatArray) -> NDArray[np.int32]:
    """Return points in sixteenths of pixels."""
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


@lru_cache(maxsize=64)
def _dash_ends(n: int) -> FloatArray:
    """Return where `n` and a half dashes and gaps begin and end, (n + 1, 2, 1) shares of the line."""
    begins = np.arange(n + 1) / (n + 0.5)
    return np.stack((begins, np.minimum(begins + 0.5 / (n + 0.5), 1.0)), axis=1)[:, :, None]


@lru_cache(maxsize=64)
def _dash_corners(n: int) -> FloatArray:
    """Return the corners of `n` and a half dashes, (n + 1, 4, 3).

    The three are shares of the line, of the length by which an end goes on as if it were round, and of half the width.
    """
    begin, end = _dash_ends(n)[:, :, 0].T
    one = np.ones(n + 1)
    corners = ((begin, -one, one), (end, one, one), (end, one, -one), (begin, -one, -one))
    return np.array(corners).transpose(2, 0, 1).copy()


@lru_cache(maxsize=4)
def _rings(n: int) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return points of the unit circle, and on which of four ellipses each lies.

    First the whole circle twice, on 0 and 1; then the corners of `n` dashes: from 3 back to 2.
    """
    whole = np.arange(_N_CIRCLE) * (2.0 * np.pi / _N_CIRCLE)
    ends = (np.arange(n)[:, None] + np.array((-0.01, 0.51, 0.51, -0.01))) * (2.0 * np.pi / n)
    angles = np.concatenate((whole, whole, ends.ravel()))
    which = np.concatenate((np.repeat((0, 1), _N_CIRCLE), np.tile((3, 3, 2, 2), n)))
    return np.stack((np.cos(angles), np.sin(angles)), axis=1), which


@lru_cache(maxsize=64)
def _rounded(width: int, height: int, radius: int) -> UInt8Array:
    """Return the (height, width) mask of a rounded rectangle."""
    cv2 = import_cv2()
    mask = np.zeros((height, width), np.uint8)
    r = min(radius, (width - 1) // 2, (height - 1) // 2)
    mask[r : height - r, :] = 255
    mask[:, r : width - r] = 255
    for x in (r, width - 1 - r):
        for y in (r, height - 1 - r):
            cv2.circle(mask, (x, y), r, 255, -1)
    return mask
