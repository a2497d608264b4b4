"""A window of OpenCV's: opened, drawn in its own size, asked for keys. What its process needs beside it.

Qt, with which OpenCV's wheels open windows, ends the whole process when there is no screen to reach or when the
screen goes away, and wants the main thread on some systems. So a window lives in a child process whose main thread
does nothing else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from posture.capture import import_cv2
from posture.landmarks import UInt8Array

FIRST_WIDTH_PX: Final = (640, 1280)
"""Of a new window: the picture's own within these."""
MAX_WIDTH_PX: Final = 1920
"""Of what is drawn; a larger window enlarges that."""


def settle_in(*, is_quiet: bool) -> None:
    """Make the present process one that shows a window and nothing else.

    Parameters
    ----------
    is_quiet : bool
        Keep Qt's words off the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process too
    _forbid_core_file()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2) if is_quiet else (1,):
        os.dup2(nowhere, descriptor)


class Pane:
    """One window.

    Parameters
    ----------
    title : str
        Its name, and how it is told from others.
    is_shape_kept : bool
        Whether what is shown keeps its shape in a window of another; if not, it fills the window.
    """

    def __init__(self, title: str, *, is_shape_kept: bool) -> None:
        self._title, self._is_shape_kept = title, is_shape_kept
        self._cv2: Any = import_cv2()
        self._cv2.setNumThreads(1)  # a second one costs more than the few lines that are drawn

    @property
    def obstacle(self) -> str:
        """Why this OpenCV opens no window, or nothing."""
        if self._cv2.currentUIFramework():
            return ""
        return "this OpenCV was made without windows; 'pip install opencv-python' has them"

    def open(self, width: int, height: int) -> None:
        """Open the window: no toolbar, any size, at first the shape of this many pixels."""
        cv2 = self._cv2
        ratio = cv2.WINDOW_KEEPRATIO if self._is_shape_kept else cv2.WINDOW_FREERATIO
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | ratio | cv2.WINDOW_GUI_NORMAL)
        first = min(max(width, FIRST_WIDTH_PX[0]), FIRST_WIDTH_PX[1])
        cv2.resizeWindow(self._title, first, round(first * height / width))

    def size_px(self) -> tuple[int, int]:
        """Return the width and height inside the window; zeros when it is not laid out yet, or just closed."""
        try:
            _, _, wide, high = self._cv2.getWindowImageRect(self._title)
        except self._cv2.error:
            return 0, 0
        return (wide, high) if wide >= 2 and high >= 2 else (0, 0)

    def show(self, page_bgr: UInt8Array) -> None:
        """Show a picture."""
        with contextlib.suppress(self._cv2.error):  # closed in this very moment
            self._cv2.imshow(self._title, page_bgr)

    def on_mouse(self, handle: Callable[[int, int, int, int], None]) -> None:
        """Call `handle` with event, x, y and flags of the mouse, as OpenCV has them, while keys are asked for."""
        self._cv2.setMouseCallback(self._title, lambda event, x, y, flags, _: handle(event, x, y, flags))

    def key(self) -> int:
        """Return the key pressed since the last look, with the codes of keys without a letter; -1 = none."""
        return int(self._cv2.waitKeyEx(1))  # longer, and OpenCV's loop takes ten times the processor's time

    def is_visible(self) -> bool:
        """Return whether the window is still there; asking about a closed one raises."""
        try:
            return bool(self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= 1.0)
        except self._cv2.error:
            return False


def _forbid_core_file() -> None:
    """Let no crash write this process's memory, and so a picture, to the disk."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
