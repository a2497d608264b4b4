"""Asks the monitor how it stands and tells it things, on a thread of its own: a hung monitor holds up no icon."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from posture.control.channel import PATIENCE_S, send
from posture.control.commands import Command, Reply
from posture.errors import ControlError
from posture.status import read_status
from posture.tray.view import Standing

ASK_S = 2.0
"""Seconds between two questions (our choice: a state lasts some seconds before it is told)."""
ASK_SELDOM_S = 5.0
"""The same while no monitor runs, or none answers (our choice)."""
ASK_SOON_S = 0.5
"""The same for a while after something was asked for, when everybody looks."""
SOON_S = 4.0
"""So long (our choice: the loop of a monitor does what it is told within a second, a camera takes two)."""
START_S = 20.0
"""The same after a monitor was started (our choice: the model is loaded in one second, on a busy machine in ten)."""
STATUS_PATIENCE_S = 2.0
"""Seconds a monitor may take to say how it stands; it need not ask its loop for that."""

_log = logging.getLogger(__name__)


class Contact:
    """Ask again and again, and pass on what is to be done.

    Parameters
    ----------
    folder : Path
        The state folder of the monitor.
    on_standing : callable
        Told how things stand, again and again.
    on_reply : callable
        Told what came of a command. Both are called on the contact's thread and must not raise.
    """

    def __init__(
        self,
        folder: Path,
        on_standing: Callable[[Standing], None],
        on_reply: Callable[[Command, Reply], None],
    ) -> None:
        self._folder, self._on_standing, self._on_reply = folder, on_standing, on_reply
        self._wishes: queue.SimpleQueue[Command | float] = queue.SimpleQueue()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="posture-tray-contact", daemon=True)
        self._thread.start()

    def tell(self, command: Command) -> None:
        """Have the monitor told; never waits."""
        self._wishes.put(command)

    def look(self, for_s: float = SOON_S) -> None:
        """Have the monitor asked now, and often for so many seconds; never waits."""
        self._wishes.put(for_s)

    def close(self) -> None:
        """Ask no more; whoever is being waited for is left alone."""
        self._is_closed.set()
        self._wishes.put(0.0)

    def _run(self) -> None:
        """Ask until closed."""
        soon_until_s = time.monotonic()
        while not self._is_closed.is_set():
            standing = ask(self._folder)
            if self._is_closed.is_set():
                return
            self._on_standing(standing)
            is_soon = time.monotonic() < soon_until_s
            pause_s = ASK_SOON_S if is_soon else ASK_S if standing.status else ASK_SELDOM_S
            try:
                wish = self._wishes.get(timeout=pause_s)
            except queue.Empty:
                continue
            if isinstance(wish, float):
                soon_until_s = max(soon_until_s, time.monotonic() + wish)
                continue
            reply = tell(self._folder, wish)
            if not self._is_closed.is_set():
                self._on_reply(wish, reply)
            soon_until_s = max(soon_until_s, time.monotonic() + SOON_S)


def ask(folder: Path) -> Standing:
    """Return how the monitor stands; waits a few seconds at most."""
    try:
        return Standing(read_status(folder, patience_s=STATUS_PATIENCE_S))
    except ControlError as error:
        _log.debug("tray: %s", error)
        return Standing(None, str(error))


def tell(folder: Path, command: Command) -> Reply:
    """Return what the monitor answers to `command`, whatever happens; waits some seconds at most."""
    try:
        reply = send(folder, command, patience_s=PATIENCE_S)
    except ControlError as error:
        return Reply(is_ok=False, text=str(error))
    return reply or Reply(is_ok=False, text="no monitor is running any more")
