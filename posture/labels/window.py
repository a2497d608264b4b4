"""The labeller's window, in a process of its own: it shows what it is sent and tells which keys are pressed."""

from __future__ import annotations

import contextlib
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from posture.errors import WindowError
from posture.labels.page import FOOT, bands_px, draw_page
from posture.landmarks import UInt8Array
from posture.view.pane import MAX_WIDTH_PX, Happening, Pane, settle_in

TITLE: Final = "Posture labels"
GROUP: Final = "posture-labels"
_TICK_S: Final = 0.02  # between two looks at the keyboard (our choice)


def show_labels(pictures: Connection, tells: Connection, *, is_quiet: bool) -> None:
    """Show views until the window or the other end of `pictures` is closed; the child process's whole work.

    Parameters
    ----------
    pictures : Connection
        Brings pairs of a :class:`~posture.labels.view.LabelView` and its picture, (H, W, 3) uint8 RGB or None.
    tells : Connection
        Takes ``("opened", "")``, ``("key", key)``, ``("seek", share of the clip)``, ``("closed", "")`` and
        ``("failed", why)``.
    is_quiet : bool
        Keep the libraries' words off the terminal.
    """
    settle_in(is_quiet=is_quiet)
    with contextlib.suppress(OSError, EOFError):  # the labeller has ended
        try:
            _LabelWindow(pictures, tells).run()
            tells.send(("closed", ""))
        except WindowError as error:
            tells.send(("failed", str(error)))


class _LabelWindow:
    """The window while it is open."""

    def __init__(self, pictures: Connection, tells: Connection) -> None:
        self._incoming, self._tells = pictures, tells
        self._pane = Pane(TITLE, GROUP, repeats_keys=True)
        self._size_px = (0, 0)

    def run(self) -> None:
        """Open the window, show what comes, and tell what is pressed, until it is closed."""
        view, image = self._incoming.recv()
        self._open(image)
        is_new = True
        while self._pane.is_open:
            before_px, self._size_px = self._size_px, self._fit()
            if is_new or self._size_px != before_px:
                self._pane.show(draw_page(view, image, self._size_px))
            for happening in self._pane.happenings():
                self._tell(happening)
            is_new = self._incoming.poll(_TICK_S)
            while self._incoming.poll(0):
                view, image = self._incoming.recv()

    def _open(self, image: UInt8Array | None) -> None:
        """Open the window: the picture's shape with the bands below it."""
        height, width = (480, 640) if image is None else image.shape[:2]
        wide = max(width, 640)
        self._pane.open(wide, round(wide * height / width + FOOT * min(wide / 640.0, 1.5)))
        self._tells.send(("opened", ""))

    def _fit(self) -> tuple[int, int]:
        """Return the size to draw in: the window's own."""
        wide, high = self._pane.size_px()
        scale = min(1.0, MAX_WIDTH_PX / wide)
        return max(round(wide * scale), 2), max(round(high * scale), 2)

    def _tell(self, happening: Happening) -> None:
        """Tell a key, or the time under the mouse while its button is down on the bands."""
        if isinstance(happening, str):
            self._tells.send(("key", happening))
            return
        scale = self._size_px[0] / self._pane.size_px()[0]
        left, right, top = bands_px(self._size_px)
        if happening.y * scale >= top:
            share = (happening.x * scale - left) / (right - left)
            self._tells.send(("seek", float(np.clip(share, 0.0, 1.0))))
