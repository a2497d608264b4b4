"""Text as pictures, in the one font that comes with Pillow.

OpenCV's own `putText` has neither a degree sign nor smooth small letters. The font is Aileron (public domain), which
Pillow carries inside itself: nothing to install, nothing to find, the same letters everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from posture.landmarks import UInt8Array

MIN_SIZE_PX = 7
"""Below this letters cannot be read and are left out (our choice)."""


@lru_cache(maxsize=1024)
def letter(text: str, size_px: int) -> UInt8Array:
    """Return how much each pixel is covered by `text`.

    Parameters
    ----------
    text : str
        One line. Characters that the font lacks become boxes; it has Latin letters without accents, figures, °.
    size_px : int
        Height of the letters' box; the result is as high as the line, whatever the letters.

    Returns
    -------
    (h, w) uint8
        0 to 255; w is 0 for empty text or a size below :data:`MIN_SIZE_PX`. Shared: do not write into it.
    """
    if not text or size_px < MIN_SIZE_PX:
        return np.zeros((max(size_px, 0), 0), np.uint8)
    font = _font(size_px)
    ascent, descent = font.getmetrics()
    from PIL import Image, ImageDraw

    width = int(np.ceil(font.getlength(text))) + 1
    picture = Image.new("L", (width, ascent + descent))
    ImageDraw.Draw(picture).text((0, 0), text, font=font, fill=255)
    return np.asarray(picture)


@lru_cache(maxsize=1024)
def ink(text: str, size_px: int, colour: tuple[int, int, int]) -> tuple[UInt8Array, UInt8Array]:
    """Return what to add to a picture and what to keep of it, (h, w, 3) each, to write `text`; see :func:`letter`.

    A pixel becomes ``keep / 255 * pixel + ink``.
    """
    cover = np.repeat(letter(text, size_px)[..., None], 3, axis=2)
    added = (cover.astype(np.uint16) * np.array(colour, np.uint16) // 255).astype(np.uint8)
    return added, 255 - cover


@lru_cache(maxsize=64)
def _font(size_px: int):  # type: ignore[no-untyped-def]  # its class's place has moved between Pillow versions
    """Return the font in one size."""
    from PIL import ImageFont

    return ImageFont.load_default(size_px)
