"""The process of a window, from the outside: started with a pipe to it and one back, and ended."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from functools import partial
from typing import Final

from posture.interrupts import interrupts_held_back

END_S: Final = 1.0
"""Seconds that a window's process is given to end (our choice; it ends at once when it is not stuck)."""


class WindowProcess:
    """A child process that shows a window.

    Parameters
    ----------
    show : callable
        Its whole work: called with the end to read pictures from and the end to tell things to, and with ``is_quiet``,
        whether to keep Qt's words off the terminal. It has to be picklable.
    name : str
        What the process is called.
    """

    def __init__(self, show: Callable[..., None], name: str) -> None:
        context = multiprocessing.get_context("spawn")  # a forked copy of threads and MediaPipe would hang
        theirs, self.pictures = context.Pipe(duplex=False)
        """What is sent here, the window shows."""
        self.told, tells = context.Pipe(duplex=False)
        """What the window tells."""
        is_quiet = not logging.getLogger().isEnabledFor(logging.DEBUG)
        self._process = context.Process(
            target=partial(show, theirs, tells, is_quiet=is_quiet), name=name, daemon=True
        )
        with interrupts_held_back():
            self._process.start()
        theirs.close()
        tells.close()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.terminate()
        self._process.join(END_S)
        self._process.kill()  # one that hangs, or was stopped, does not hear of the other
