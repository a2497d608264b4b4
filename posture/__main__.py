"""Start the command line: the command ``posture``, and ``python -m posture``."""

from __future__ import annotations

import os
import signal
from types import FrameType


def _end(number: int, _frame: FrameType | None) -> None:
    """Leave at once: there is nothing to clean up yet."""
    os._exit(130 if number == signal.SIGINT else 0)


def main() -> None:
    """Take the signals over, then load and run the command line.

    Loading takes seconds on a cold disk, and Ctrl-C inside an import ends in a traceback or, worse, in an
    error that blames the library being loaded.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    from posture.cli import main as run

    run()


if __name__ == "__main__":
    main()
