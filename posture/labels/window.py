"""The labeller's window, in a process of its own: it shows what it is sent and tells which keys are pressed."""

from __future__ import annotations

import contextlib
import time
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from posture.labels.page import FOOT, bands_px, draw_page
from posture.landmarks import UInt8Array
from posture.view.pane import MAX_WIDTH_PX, Pane, settle_in

TITLE: Final = "Posture labels"
_TICK_S: Final = 0.01  # between two looks at the keyboard: of two keys between them OpenCV keeps the last
REFRESH_S: Final = 0.5
"""Seconds after which the same page is shown again: what is shown while a window is being laid out may never be
painted (seen in 1 of 5 starts without a window manager; our choice)."""
_EVENT_LEFT_DOWN, _FLAG_LEFT = 1, 1  # OpenCV's, without loading it


def show_labels(pictures: Connection, tells: Connection, *, is_quiet: bool) -> None:
    """Show views until the window or the other end of `pictures` is closed; the child process's whole work.

    Parameters
    ----------
    pictures : Connection
        Brings pairs of a :class:`~posture.labels.view.LabelView` and its picture, (H, W, 3) uint8 RGB or None.
    tells : Connection
        Takes ``("opened", 0)``, ``("key", code)``, ``("seek", share of the clip)``, ``("closed", 0)`` and
        ``("failed", why)``.
    is_quiet : bool
        Keep Qt's words off the terminal.
    """
    settle_in(is_quiet=is_quiet)
    with contextlib.suppress(OSError, EOFError):  # the labeller has ended
        _LabelWindow(pictures, tells).run()


class _LabelWindow:
    """The window while it is open."""

    def __init__(self, pictures: Connection, tells: Connection) -> None:
        self._incoming, self._tells = pictures, tells
        self._pane = Pane(TITLE, is_shape_kept=False)
        self._size_px = (0, 0)

    def run(self) -> None:
        """Open the window, show what comes, and tell what is pressed."""
        if self._pane.obstacle:
            self._tells.send(("failed", self._pane.obstacle))
            return
        view, image = self._incoming.recv()
        self._open(image)
        page, shown_s, is_new = None, 0.0, True
        while True:
            before_px, self._size_px = self._size_px, self._fit()
            if page is None or is_new or self._size_px != before_px:
                page, shown_s = draw_page(view, image, self._size_px), 0.0
            if time.monotonic() - shown_s > REFRESH_S:
                self._pane.show(page)
                shown_s = time.monotonic()
            code = self._pane.key()
            if not self._pane.is_visible():
                self._tells.send(("closed", 0))
                return
            if code != -1:
                self._tells.send(("key", code))
            is_new = self._incoming.poll(_TICK_S)
            while self._incoming.poll(0):
                view, image = self._incoming.recv()

    def _open(self, image: UInt8Array | None) -> None:
        """Open the window: the picture's shape with the bands below it."""
        height, width = (480, 640) if image is None else image.shape[:2]
        wide = max(width, 640)
        self._pane.open(wide, round(wide * height / width + FOOT * min(wide / 640.0, 1.5)))
        self._pane.on_mouse(self._handle_mouse)
        self._tells.send(("opened", 0))

    def _fit(self) -> tuple[int, int]:
        """Return the size to draw in: the window's own."""
        wide, high = self._pane.size_px()
        if not wide:
            return self._size_px if self._size_px[0] else (640, 480 + FOOT)
        scale = min(1.0, MAX_WIDTH_PX / wide)
        return round(wide * scale), max(round(high * scale), 2)

    def _handle_mouse(self, event: int, x: int, y: int, flags: int) -> None:
        """Go to the time under the mouse while its left button is down on the bands."""
        left, right, top = bands_px(self._size_px)
        if (event == _EVENT_LEFT_DOWN or flags & _FLAG_LEFT) and y >= top:
            self._tells.send(("seek", float(np.clip((x - left) / (right - left), 0.0, 1.0))))
