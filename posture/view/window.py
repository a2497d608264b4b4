"""The preview window: a process of its own, so that nothing that happens to a screen happens to the monitor.

Qt, with which OpenCV's wheels open windows, ends the whole process when there is no screen to reach or when the
screen goes away, and wants the main thread on some systems. So the window lives in a child process whose main thread
does nothing else; the monitor hands it pictures with what to draw on them and never waits for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from posture.capture import import_cv2
from posture.landmarks import UInt8Array
from posture.settings import Settings
from posture.view.handover import Taker
from posture.view.overlay import draw_sketch
from posture.view.sketch import Sketch

Command: TypeAlias = Literal["pause", "recalibrate"]
"""What a key asks the monitor for."""

TITLE: Final = "Posture"
KEYS: Final = "b blur · q close"
COMMAND_KEYS: Final = f"space pause · c recalibrate · {KEYS}"
_COMMANDS: Final[dict[int, Command]] = {ord(" "): "pause", ord("c"): "recalibrate"}
_CLOSE_KEYS: Final = (ord("q"), 27)  # and Escape
_TICK_S, _BUSY_TICK_S = 0.1, 0.02
"""Between two looks at the keyboard: what takes up to a tenth of a second is felt as at once (Miller, Response time in
man-computer conversational transactions, AFIPS 1968); and while the window is opened, moved or resized."""
_FIRST_WIDTH_PX = (640, 1280)  # of a new window: the picture's own within these
_MAX_WIDTH_PX = 1920  # of what is drawn; a larger window enlarges that


def find_obstacle(environ: Mapping[str, str], platform: str) -> str:
    """Return why no window can be opened here, or nothing.

    Parameters
    ----------
    environ : mapping
        The process's environment.
    platform : str
        As `sys.platform`.
    """
    if platform in ("win32", "darwin") or environ.get("DISPLAY"):
        return ""
    if environ.get("WAYLAND_DISPLAY"):
        return "OpenCV's window needs XWayland, and DISPLAY is not set"
    return "there is no screen here (DISPLAY is not set)"


def show_window(
    pictures: Taker, tells: Connection, settings: Settings, *, takes_commands: bool, is_quiet: bool
) -> None:
    """Show pictures until the window or the other end of `pictures` is closed; the child process's whole work.

    Parameters
    ----------
    pictures : Taker
        Brings what the monitor gives.
    tells : Connection
        Takes ``("opened", "")``, ``("command", Command)``, ``("closed", "")`` and ``("failed", why)``.
    settings : Settings
        ``view`` is used.
    takes_commands : bool
        Whether there is somebody to obey :data:`Command`; if not, their keys are not offered.
    is_quiet : bool
        Keep Qt's words off the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the monitor, which ends this process too
    _forbid_core_file()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2) if is_quiet else (1,):
        os.dup2(nowhere, descriptor)
    with contextlib.suppress(OSError, EOFError):  # the monitor has ended
        _Window(pictures, tells, settings, takes_commands=takes_commands).run()


class _Window:
    """The window while it is open."""

    def __init__(
        self, pictures: Taker, tells: Connection, settings: Settings, *, takes_commands: bool
    ) -> None:
        self._incoming, self._tells, self._takes_commands = pictures, tells, takes_commands
        self._page = np.empty((0, 0, 3), np.uint8)
        self._is_blurred, self._is_busy = settings.view.blur, True
        self._cv2: Any = import_cv2()

    def run(self) -> None:
        """Open the window, show what comes, and tell what is asked for."""
        cv2 = self._cv2
        cv2.setNumThreads(1)  # a second one costs more than these few lines
        if not cv2.currentUIFramework():
            why = "this OpenCV was made without windows; 'pip install opencv-python' has them"
            self._tells.send(("failed", why))
            return
        place: tuple[int, ...] = ()
        for (image, sketch), is_new in self._pictures():
            if not place:
                self._open(image)
                self._tells.send(("opened", ""))
            before, place = place, self._find_place()
            if before and min(place[2:]) <= 0 and not self._is_visible():
                self._tells.send(("closed", ""))
                return
            self._is_busy = place != before
            if is_new or self._is_busy:  # moved, too: what a move has uncovered Qt has sometimes left empty
                self._draw(image, sketch, place)
            key = cv2.waitKey(1) & 0xFF  # longer, and OpenCV's loop takes ten times the processor's time
            if key == ord("b"):
                self._is_blurred = not self._is_blurred
                self._draw(image, sketch, place)
            elif key in _COMMANDS and self._takes_commands:
                self._tells.send(("command", _COMMANDS[key]))
            if key in _CLOSE_KEYS:
                self._tells.send(("closed", ""))
                return

    def _pictures(self) -> Iterator[tuple[tuple[UInt8Array | None, Sketch], bool]]:
        """Yield the newest picture again and again, and whether it is new; the first is waited for."""
        newest, is_new = self._incoming.take(), True
        while True:
            yield newest, is_new
            is_new = self._incoming.poll(_BUSY_TICK_S if self._is_busy else _TICK_S)
            if is_new:
                newest = self._incoming.take()
                while self._incoming.poll(0):
                    newest = self._incoming.take()

    def _open(self, image: UInt8Array | None) -> None:
        """Open the window: no toolbar, any size, the picture's shape."""
        cv2 = self._cv2
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        height, width = (480, 640) if image is None else image.shape[:2]
        first = min(max(width, _FIRST_WIDTH_PX[0]), _FIRST_WIDTH_PX[1])
        cv2.resizeWindow(TITLE, first, round(first * height / width))

    def _find_place(self) -> tuple[int, ...]:
        """Return where the window's picture is on the screen: left, top, width, height; the latter 0 = not yet."""
        try:
            return tuple(self._cv2.getWindowImageRect(TITLE))
        except self._cv2.error:  # just closed
            return 0, 0, 0, 0

    def _draw(self, image: UInt8Array | None, sketch: Sketch, place: tuple[int, ...]) -> None:
        """Draw one picture."""
        cv2, size_px = self._cv2, _fit(image, *place[2:])
        self._page = draw_sketch(
            image,
            sketch,
            is_mirrored=True,
            is_blurred=self._is_blurred,
            size_px=size_px,
            hint=COMMAND_KEYS if self._takes_commands else KEYS,
            is_bgr=True,
            out=self._page,
        )
        with contextlib.suppress(cv2.error):  # closed in this very moment
            cv2.imshow(TITLE, self._page)

    def _is_visible(self) -> bool:
        """Return whether the window is still there; asking about a closed one raises."""
        try:
            return bool(self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) >= 1.0)
        except self._cv2.error:
            return False


def _fit(image: UInt8Array | None, wide: int, high: int) -> tuple[int, int]:
    """Return the size at which a picture just fits a window."""
    height, width = (480, 640) if image is None else image.shape[:2]
    if wide < 2 or high < 2:  # not laid out yet, or just closed
        wide, high = width, height
    scale = min(wide / width, high / height, _MAX_WIDTH_PX / width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _forbid_core_file() -> None:
    """Let no crash write this process's memory, and so a picture, to the disk."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
