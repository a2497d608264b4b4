"""The preview window: a process of its own, so that nothing that happens to a screen happens to the monitor.

See :mod:`posture.view.pane` for why. The monitor sends it moments through a pipe and never waits for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Final, Literal, TypeAlias

import numpy as np

from posture.baseline import Baseline
from posture.landmarks import UInt8Array
from posture.settings import Settings
from posture.view.moment import Moment
from posture.view.overlay import Overlay
from posture.view.pane import MAX_WIDTH_PX, Pane, receive_picture, send_picture, settle_in

Command: TypeAlias = Literal["pause", "recalibrate"]
"""What a key asks the monitor for."""

TITLE: Final = "Posture"
KEYS: Final = "b blur · q close"
COMMAND_KEYS: Final = f"space pause · c recalibrate · {KEYS}"
_COMMANDS: Final[dict[int, Command]] = {ord(" "): "pause", ord("c"): "recalibrate"}
_CLOSE_KEYS: Final = (ord("q"), 27)  # and Escape
_TICK_S = 0.04  # between two looks at the keyboard; a key that takes longer feels slow


def send(connection: Connection, moment: Moment, baseline: Baseline | None) -> None:
    """Hand a moment over."""
    send_picture(connection, (replace(moment, image_rgb=None), baseline), moment.image_rgb)


def receive(connection: Connection, out: UInt8Array | None = None) -> tuple[Moment, Baseline | None]:
    """Take over what :func:`send` sends; waits for it.

    Parameters
    ----------
    connection : Connection
        The end to read.
    out : (H, W, 3) uint8, optional
        As for :func:`~posture.view.pane.receive_picture`.

    Raises
    ------
    EOFError
        If the other end is closed.
    """
    (moment, baseline), image = receive_picture(connection, out)
    return replace(moment, image_rgb=image), baseline


def show_window(
    moments: Connection, tells: Connection, settings: Settings, *, takes_commands: bool, is_quiet: bool
) -> None:
    """Show moments until the window or the other end of `moments` is closed; the child process's whole work.

    Parameters
    ----------
    moments : Connection
        Brings what :func:`send` sends.
    tells : Connection
        Takes ``("opened", "")``, ``("command", Command)``, ``("closed", "")`` and ``("failed", why)``.
    settings : Settings
        ``judge``, ``alert`` and ``view`` are used.
    takes_commands : bool
        Whether there is somebody to obey :data:`Command`; if not, their keys are not offered.
    is_quiet : bool
        Keep Qt's words off the terminal.
    """
    settle_in(is_quiet=is_quiet)
    with contextlib.suppress(OSError, EOFError):  # the monitor has ended
        _Window(moments, tells, settings, takes_commands=takes_commands).run()


class _Window:
    """The window while it is open."""

    def __init__(
        self, moments: Connection, tells: Connection, settings: Settings, *, takes_commands: bool
    ) -> None:
        self._incoming, self._tells, self._takes_commands = moments, tells, takes_commands
        self._overlay, self._page = Overlay(settings), np.empty((0, 0, 3), np.uint8)
        self._is_blurred = settings.view.blur
        self._pane = Pane(TITLE, is_shape_kept=True)

    def run(self) -> None:
        """Open the window, show what comes, and tell what is asked for."""
        if self._pane.obstacle:
            self._tells.send(("failed", self._pane.obstacle))
            return
        shown: tuple[Moment, Baseline | None] | None = None
        size_px = (0, 0)
        for shown, is_new in self._moments():
            if not size_px[0]:
                self._pane.open(*_shape(shown[0]))
                self._tells.send(("opened", ""))
            before_px, size_px = size_px, self._fit(shown[0])
            if is_new or size_px != before_px:
                self._draw(*shown, size_px)
            key = self._pane.key() & 0xFF
            if key == ord("b"):
                self._is_blurred = not self._is_blurred
                self._draw(*shown, size_px)
            elif key in _COMMANDS and self._takes_commands:
                self._tells.send(("command", _COMMANDS[key]))
            if key in _CLOSE_KEYS or not self._pane.is_visible():
                self._tells.send(("closed", ""))
                return

    def _moments(self) -> Iterator[tuple[tuple[Moment, Baseline | None], bool]]:
        """Yield the newest moment again and again, and whether it is new; the first is waited for."""
        newest, is_new = receive(self._incoming), True
        while True:
            yield newest, is_new
            is_new = self._incoming.poll(_TICK_S)
            while self._incoming.poll(0):
                newest = receive(self._incoming, newest[0].image_rgb)

    def _fit(self, moment: Moment) -> tuple[int, int]:
        """Return the size at which the picture just fits the window."""
        width, height = _shape(moment)
        wide, high = self._pane.size_px()
        if not wide:
            wide, high = width, height
        scale = min(wide / width, high / height, MAX_WIDTH_PX / width)
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _draw(self, moment: Moment, baseline: Baseline | None, size_px: tuple[int, int]) -> None:
        """Draw one moment."""
        self._page = self._overlay.draw(
            moment,
            baseline,
            is_mirrored=True,
            is_blurred=self._is_blurred,
            size_px=size_px,
            hint=COMMAND_KEYS if self._takes_commands else KEYS,
            is_bgr=True,
            out=self._page,
        )
        self._pane.show(self._page)


def _shape(moment: Moment) -> tuple[int, int]:
    """Return the width and height of a moment's picture."""
    return (640, 480) if moment.image_rgb is None else moment.image_rgb.shape[1::-1]
