"""A picture to draw on: smooth lines, discs, panels and text, in sizes that grow with the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np

from posture.capture import import_cv2
from posture.landmarks import FloatArray, UInt8Array
from posture.view.lettering import ink, letter

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue."""
Point: TypeAlias = Sequence[float] | FloatArray
"""x, y in pixels."""

WHITE: Final = (255, 255, 255)
DIM: Final = (190, 194, 200)
DARK: Final = (16, 18, 22)
BASE_PX: Final = (640, 480)
"""The picture in which one unit is one pixel."""
_MAX_DASHES = 500  # of one line
_DASH_POINTS = 2  # of an ellipse's dash: of 24 at 60 px, the arc is 0.13 px outside of it
_SHIFT = 4  # bits of a sixteenth of a pixel
_PANEL_KEEP, _PANEL_ADD = (
    0.25,
    12.0,
)  # what a panel leaves of the picture: white text on it has a contrast above 7:1


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
        self._is_bgr = is_bgr
        self.height, self.width = image.shape[:2]
        self.unit = min(self.width / BASE_PX[0], self.height / BASE_PX[1]) if unit is None else unit

    def line(self, a: Point, b: Point, colour: Colour, width: float, *, casing: float = 0.0) -> None:
        """Draw a line `width` units wide, on a dark one that is `casing` units wider at each side."""
        if casing:
            self._line(a, b, DARK, width + 2.0 * casing)
        self._line(a, b, colour, width)

    def dashed(self, a: Point, b: Point, colour: Colour, width: float, dash: float = 7.0) -> None:
        """Draw dashes and gaps of `dash` units on a dark line, to be seen on any picture."""
        start, end = np.asarray(a, float), np.asarray(b, float)
        n = int(np.hypot(*(end - start)) / (2.0 * dash * max(self.unit, 0.05)))
        if n > _MAX_DASHES:  # far outside of any picture
            return
        begins = np.arange(n + 1)[:, None] / (n + 0.5)
        ends = np.minimum(begins + 0.5 / (n + 0.5), 1.0)
        along = np.stack((start + (end - start) * begins, start + (end - start) * ends), axis=1)
        cv2, fixed = self._cv2, np.round(along * (1 << _SHIFT)).astype(np.int32)
        cv2.line(
            self.image, _fixed(a), _fixed(b), self._tone(DARK), self._thickness(width + 1), cv2.LINE_8, _SHIFT
        )
        cv2.polylines(
            self.image, list(fixed), False, self._tone(colour), self._thickness(width), cv2.LINE_AA, _SHIFT
        )

    def ellipse(self, centre: Point, half: Point, colour: Colour, width: float, *, n_dashes: int = 0) -> None:
        """Draw an upright ellipse `width` units wide, filled if that is negative, or in `n_dashes`."""
        if not _fits(centre) or not _fits(half):
            return
        cv2, at, axes = self._cv2, _fixed(centre), _fixed(half)
        if not n_dashes:
            thickness = -1 if width < 0 else self._thickness(width)
            cv2.ellipse(self.image, at, axes, 0, 0, 360, self._tone(colour), thickness, cv2.LINE_AA, _SHIFT)
            return
        angles = (np.arange(n_dashes)[:, None] + np.linspace(0.0, 0.5, _DASH_POINTS)) * (
            2.0 * np.pi / n_dashes
        )
        points = np.stack((np.cos(angles) * axes[0] + at[0], np.sin(angles) * axes[1] + at[1]), axis=2)
        dashes = list(np.round(points).astype(np.int32))
        thickness = self._thickness(width)
        cv2.ellipse(self.image, at, axes, 0, 0, 360, self._tone(DARK), thickness + 1, cv2.LINE_8, _SHIFT)
        cv2.polylines(self.image, dashes, False, self._tone(colour), thickness, cv2.LINE_AA, _SHIFT)

    def discs(self, centres: FloatArray, radius: float, colour: Colour, *, casing: float = 0.0) -> None:
        """Draw filled discs of `radius` units around (N, 2) points, on dark ones that are `casing` units larger."""
        cv2, points = self._cv2, [_fixed(centre) for centre in centres.tolist() if _fits(centre)]
        for r, c in ((radius + casing, DARK), (radius, colour)) if casing else ((radius, colour),):
            size, tone = round(r * self.unit * (1 << _SHIFT)), self._tone(c)
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
        x0, y0 = max(0, round(x)), max(0, round(y))
        x1, y1 = min(self.width, round(x + width)), min(self.height, round(y + height))
        if x1 > x0 and y1 > y0:
            self._cv2.rectangle(self.image, (x0, y0), (x1 - 1, y1 - 1), self._tone(colour), -1)

    def panel(self, x: float, y: float, width: float, height: float, radius: float = 7.0) -> None:
        """Darken a rounded rectangle given in pixels, so that text on it can be read."""
        x0, y0 = max(0, round(x)), max(0, round(y))
        x1, y1 = min(self.width, round(x + width)), min(self.height, round(y + height))
        if x1 <= x0 or y1 <= y0:
            return
        cv2, part = self._cv2, self.image[y0:y1, x0:x1]
        dark = cv2.convertScaleAbs(part, alpha=_PANEL_KEEP, beta=_PANEL_ADD)
        self.image[y0:y1, x0:x1] = cv2.copyTo(
            dark, _rounded(x1 - x0, y1 - y0, round(radius * self.unit)), part.copy()
        )

    def frame(self, colour: Colour, width: float) -> None:
        """Draw a frame just inside the edges."""
        n = self._thickness(width)
        for x, y, across, down in (
            (0, 0, self.width, n),
            (0, self.height - n, self.width, n),
            (0, 0, n, self.height),
            (self.width - n, 0, n, self.height),
        ):
            self.fill(x, y, across, down, colour)

    def text(self, x: float, y: float, text: str, size: float, colour: Colour = WHITE) -> float:
        """Write `text` with its top left corner at a pixel, letters of `size` units; return its width in pixels."""
        added, kept = ink(text, self.letter_px(size), self._tone(colour))
        height, width = added.shape[:2]
        x0, y0 = round(x), round(y)
        left, top = max(0, -x0), max(0, -y0)
        right, bottom = min(width, self.width - x0), min(height, self.height - y0)
        if right > left and bottom > top:
            cv2, part = self._cv2, self.image[y0 + top : y0 + bottom, x0 + left : x0 + right]
            rest = cv2.multiply(part, kept[top:bottom, left:right], scale=1 / 255)
            part[:] = cv2.add(rest, added[top:bottom, left:right])
        return float(width)

    def text_size(self, text: str, size: float) -> tuple[float, float]:
        """Return the width and height of a text in pixels."""
        height, width = letter(text, self.letter_px(size)).shape
        return float(width), float(height)

    def letter_px(self, size: float) -> int:
        """Return the pixels of letters of `size` units."""
        return round(size * self.unit)

    def _line(self, a: Point, b: Point, colour: Colour, width: float) -> None:
        """Draw a plain line."""
        if _fits(a) and _fits(b):
            self._cv2.line(
                self.image,
                _fixed(a),
                _fixed(b),
                self._tone(colour),
                self._thickness(width),
                self._cv2.LINE_AA,
                _SHIFT,
            )

    def _tone(self, colour: Colour) -> Colour:
        """Return a colour in the order of the picture's channels."""
        return (colour[2], colour[1], colour[0]) if self._is_bgr else colour

    def _thickness(self, width: float) -> int:
        """Return a line width in pixels."""
        return max(1, round(width * self.unit))


def _fits(point: Point) -> bool:
    """Return whether a point is near enough for OpenCV's integers."""
    return bool(abs(point[0]) < 1e5 and abs(point[1]) < 1e5)


def _fixed(point: Point) -> tuple[int, int]:
    """Return a point in sixteenths of pixels."""
    return round(float(point[0]) * (1 << _SHIFT)), round(float(point[1]) * (1 << _SHIFT))


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
