"""The preview window's process: it draws what it is given and tells which keys are pressed.

The monitor hands it pictures with what to draw on them and never waits for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final, Literal, TypeAlias

import numpy as np

from posture.errors import WindowError
from posture.landmarks import UInt8Array
from posture.settings import Settings
from posture.view.handover import Taker
from posture.view.overlay import draw_sketch
from posture.view.pane import MAX_WIDTH_PX, Key, Pane, settle_in
from posture.view.sketch import Sketch

Command: TypeAlias = Literal["pause", "recalibrate"]
"""What a key asks the monitor for."""

TITLE: Final = "Posture"
GROUP: Final = "posture-preview"
KEYS: Final = "b blur · q close"
COMMAND_KEYS: Final = f"space pause · c recalibrate · {KEYS}"
_COMMANDS: Final[dict[str, Command]] = {" ": "pause", "c": "recalibrate"}
_CLOSE_KEYS: Final = ("q", "escape")
_TICK_S, _BUSY_TICK_S = 0.1, 0.02
"""Between two looks at the keyboard: what takes up to a tenth of a second is felt as at once (Miller, Response time in
man-computer conversational transactions, AFIPS 1968); and while the window is being resized."""
_NO_PICTURE_PX: Final = (640, 480)


def show_window(
    pictures: Taker, tells: Connection, *, settings: Settings, takes_commands: bool, is_quiet: bool
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
        Keep the libraries' words off the terminal.
    """
    settle_in(is_quiet=is_quiet)
    with contextlib.suppress(OSError, EOFError):  # the monitor has ended
        window = _Window(pictures, tells, settings, takes_commands=takes_commands)
        try:
            tells.send((window.run(), ""))
        except WindowError as error:
            tells.send(("failed", str(error)))


class _Window:
    """The window while it is open."""

    def __init__(
        self, pictures: Taker, tells: Connection, settings: Settings, *, takes_commands: bool
    ) -> None:
        self._incoming, self._tells, self._takes_commands = pictures, tells, takes_commands
        self._pane = Pane(TITLE, GROUP)
        self._page = np.empty((0, 0, 3), np.uint8)
        self._is_blurred, self._is_busy = settings.view.blur, True

    def run(self) -> Literal["closed"]:
        """Open the window, show what comes, and tell what is asked for, until it is closed."""
        drawn_px = (0, 0)
        for (image, sketch), is_new in self._pictures():
            if not self._pane.is_open:
                self._pane.open(*_size_of(image))
                self._tells.send(("opened", ""))
            was_blurred = self._is_blurred
            for happening in self._pane.happenings():
                if isinstance(happening, str) and self._obey(happening.lower()):
                    return "closed"
            if not self._pane.is_open:
                return "closed"
            size_px = self._pane.size_px()
            self._is_busy = size_px != drawn_px
            if is_new or self._is_busy or self._is_blurred != was_blurred:
                self._draw(image, sketch, size_px)
                drawn_px = size_px
        return "closed"

    def _obey(self, key: Key) -> bool:
        """Do what a key asks for; return whether that is closing the window."""
        if key == "b":
            self._is_blurred = not self._is_blurred
        elif key in _COMMANDS and self._takes_commands:
            self._tells.send(("command", _COMMANDS[key]))
        return key in _CLOSE_KEYS

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

    def _draw(self, image: UInt8Array | None, sketch: Sketch, window_px: tuple[int, int]) -> None:
        """Draw one picture in the window's size."""
        self._page = draw_sketch(
            image,
            sketch,
            is_mirrored=True,
            is_blurred=self._is_blurred,
            size_px=_fit(_size_of(image), window_px),
            hint=COMMAND_KEYS if self._takes_commands else KEYS,
            is_bgr=True,
            out=self._page,
        )
        self._pane.show(self._page)


def _size_of(image: UInt8Array | None) -> tuple[int, int]:
    """Return a picture's width and height; of none, those of what is shown instead."""
    return _NO_PICTURE_PX if image is None else (image.shape[1], image.shape[0])


def _fit(image_px: tuple[int, int], window_px: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which a picture just fits a window."""
    (width, height), (wide, high) = image_px, window_px
    scale = min(wide / width, high / height, MAX_WIDTH_PX / width)
    return max(1, round(width * scale)), max(1, round(height * scale))
