"""The command that shows the icon. It returns the exit code and raises PostureError."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from posture.config import state_path
from posture.control.instance import OnlyOne
from posture.errors import TrayError
from posture.tray.host import check


def run_tray(wait_s: float) -> int:
    """Show the icon until it is removed, or a signal comes."""
    stop = threading.Event()
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, remember)
    folder = state_path()
    with OnlyOne(folder, "tray", "the tray icon is already there; its menu removes it"):
        try:
            check(os.environ, wait_s=wait_s, stop=stop)
        except TrayError:
            if not stop.is_set():
                raise
        if not stop.is_set():
            from posture.tray.app import show_tray

            show_tray(folder, stop)
    return 130 if received[:1] == [signal.SIGINT] else 0
