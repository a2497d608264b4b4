"""Write a clip with everything drawn on it that the monitor saw, judged and would have said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from posture.baseline import Baseline
from posture.judging import make_thresholds
from posture.landmarks import UInt8Array
from posture.settings import Settings
from posture.step_result import StepResult
from posture.view.canvas import BASE_PX
from posture.view.onlooker import Onlooker
from posture.view.overlay import draw_sketch
from posture.view.sketch import Sketcher
from posture.view.strip import HEIGHT, Strip
from posture.view.video import VideoWriter, check_video_name, open_video

WIDTH_PX: Final = (640, 1280)
"""Narrower pictures are enlarged, so that words can be read; wider ones reduced, so that it does not take hours."""
MAX_HEIGHT_PX: Final = 2160
"""Of the picture, which is drawn smaller in it: beyond it and the strip, players' decoders for H.264 give up."""
_NO_PICTURE_PX = (480, 640)


class AnnotateSink:
    """Draw every step and write it; the file begins with the first frame and is whole after :meth:`close`.

    Parameters
    ----------
    path : Path
        The clip to write, ``.mp4``.
    onlooker : Onlooker
        Has the picture and the landmarks of each step.
    baseline : callable
        Return the upright that is judged against now.
    settings : Settings
        ``judge``, ``alert`` and ``view`` are used.
    duration_s : float or None
        Of the clip that is judged, if it is known.
    rate_hz : float
        Its pictures per second, about.

    Raises
    ------
    OutputError
        If the file's name is of another kind; from :meth:`handle` and :meth:`close` if it cannot be written.
    """

    def __init__(
        self,
        path: Path,
        onlooker: Onlooker,
        baseline: Callable[[], Baseline | None],
        settings: Settings,
        duration_s: float | None,
        rate_hz: float,
    ) -> None:
        check_video_name(path)
        self._path, self._onlooker, self._baseline, self._settings = path, onlooker, baseline, settings
        self._sketcher, self._strip = Sketcher(settings), Strip(settings, duration_s)
        self._rate_hz = rate_hz
        self._writer: VideoWriter | None = None
        self._page: UInt8Array = np.empty((0, 0, 3), np.uint8)
        self._start_s = 0.0

    @property
    def note(self) -> str:
        """What a person should know about the file; empty = nothing."""
        return "" if self._writer is None or not self._writer.note else f"{self._path}: {self._writer.note}"

    def handle(self, result: StepResult) -> None:
        """Draw and write one step."""
        moment, baseline = self._onlooker.moment(result), self._baseline()
        height, width = _NO_PICTURE_PX if moment.image_rgb is None else moment.image_rgb.shape[:2]
        if self._writer is None:
            self._begin(width, height, result.t_s)
        assert self._writer is not None
        limits = None if baseline is None else make_thresholds(self._settings.judge, baseline)
        self._strip.add(result, limits)
        box_height, box_width = self._page.shape[0] - self._strip_px, self._page.shape[1]
        scale = min(box_width / width, box_height / height)
        size_px = max(1, round(width * scale)), max(1, round(height * scale))
        sketch = self._sketcher.sketch(moment, baseline)
        is_blurred = self._settings.view.blur
        drawn = draw_sketch(moment.image_rgb, sketch, is_blurred=is_blurred, size_px=size_px)
        left, top = (box_width - size_px[0]) // 2, (box_height - size_px[1]) // 2
        if drawn.shape[:2] != (box_height, box_width):
            self._page[:box_height] = 0
        self._page[top : top + size_px[1], left : left + size_px[0]] = drawn
        self._strip.draw(self._page[box_height:], box_width / BASE_PX[0])
        self._writer.write(self._page, result.t_s - self._start_s)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()

    def _begin(self, width: int, height: int, t_s: float) -> None:
        """Open the file for pictures of the first one's shape."""
        wide = _even(min(max(width, WIDTH_PX[0]), WIDTH_PX[1]))
        high = _even(min(max(wide * height / width, 2), MAX_HEIGHT_PX))
        self._strip_px = _even(HEIGHT * wide / BASE_PX[0])
        self._page = np.zeros((high + self._strip_px, wide, 3), np.uint8)
        self._writer = open_video(self._path, wide, high + self._strip_px, self._rate_hz)
        self._start_s = t_s


def _even(value: float) -> int:
    """Return a whole even number: H.264 stores colour at half the size."""
    return 2 * round(value / 2)
