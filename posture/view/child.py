"""The process of a window, from the outside: started with something to read pictures from, heard, and ended."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Final

from posture.interrupts import interrupts_held_back
from posture.view.handover import Taker

CONTEXT: Final = multiprocessing.get_context("spawn")
"""How windows' processes are started; a forked copy of threads and MediaPipe would hang."""
END_S: Final = 1.0
"""Seconds that a window's process is given to end (our choice; it ends at once when it is not stuck)."""


class WindowProcess:
    """A child process that shows a window.

    Parameters
    ----------
    show : callable
        Its whole work: called with `pictures` and the end to tell things to, and with ``is_quiet``, whether to keep
        the libraries' words off the terminal. It has to be picklable.
    name : str
        What the process is called.
    pictures : Connection or Taker
        What the window reads, made with :data:`CONTEXT`; the present process's copy is closed.
    """

    def __init__(self, show: Callable[..., None], name: str, pictures: Connection | Taker) -> None:
        self.told, tells = CONTEXT.Pipe(duplex=False)
        """What the window tells."""
        is_quiet = not logging.getLogger().isEnabledFor(logging.DEBUG)
        self._process = CONTEXT.Process(
            target=partial(show, pictures, tells, is_quiet=is_quiet), name=name, daemon=True
        )
        with interrupts_held_back():
            self._process.start()
        pictures.close()
        tells.close()

    def wait(self) -> None:
        """Wait for a process that ends by itself, for a while."""
        self._process.join(END_S)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.terminate()
        self._process.join(END_S)
        self._process.kill()  # one that hangs, or was stopped, does not hear of the other
