"""Start the command line: the command ``posture``, and ``python -m posture``."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def _end(number: int, _frame: FrameType | None) -> None:
    """Leave at once: there is nothing to clean up yet.

    SIGTERM is how a monitor is ended; of every other command it means that nothing was done.
    """
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    is_done = number == signal.SIGTERM and command == "run"
    os._exit(0 if is_done else 128 + number)


def _fill_standard_descriptors() -> None:
    """Open what was closed of descriptors 0 to 2, lest the next file opened gets the lines of native libraries."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)


def main() -> None:
    """Take the signals over, then load and run the command line.

    Loading takes seconds on a cold disk, and Ctrl-C inside an import ends in a traceback or, worse, in an
    error that blames the library being loaded.
    """
    _fill_standard_descriptors()
    os.umask(0o077)  # whatever is written, here or in a library, is for the user alone
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    from posture.cli import main as run

    run()


if __name__ == "__main__":
    main()
