"""One monitor per user: a lock that the system takes away with the process, however that ends."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from filelock import FileLock, Timeout

from posture.errors import AlreadyRunningError
from posture.files import make_folder

_log = logging.getLogger(__name__)


class OnlyMonitor:
    """Hold the lock for the time of a ``with`` block.

    Parameters
    ----------
    folder : Path
        The state folder; made, open to the owner only. Where it cannot be written there is no lock.

    Raises
    ------
    AlreadyRunningError
        On entering, if another monitor holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "monitor.lock", timeout=0, mode=0o600)

    def __enter__(self) -> OnlyMonitor:
        """Take the lock."""
        try:
            make_folder(self._folder)
            self._lock.acquire()
        except Timeout as error:
            raise AlreadyRunningError(
                "a monitor is already running: 'posture status' shows it, 'posture stop' ends it"
            ) from error
        except OSError as error:
            _log.debug("cannot tell whether another monitor runs: %s: %s", self._folder, error.strerror)
        return self

    def __exit__(self, *exc: object) -> None:
        """Give it back."""
        with contextlib.suppress(
            OSError
        ):  # the folder may have gone meanwhile; the system keeps no lock without it
            self._lock.release()
