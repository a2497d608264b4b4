"""One monitor, and one tray icon, per user: a lock that the system takes away with the process, however that ends."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from posture.errors import AlreadyRunningError
from posture.files import make_folder

_log = logging.getLogger(__name__)


class OnlyOne:
    """Hold a lock for the time of a ``with`` block.

    Parameters
    ----------
    folder : Path
        The state folder; made, open to the owner only. Where it cannot be written there is no lock.
    name : str
        Of what there is to be one: the lock's file is called so.
    refusal : str
        What to tell the second one.

    Raises
    ------
    AlreadyRunningError
        On entering, if another process holds it.
    """

    def __init__(self, folder: Path, name: str, refusal: str) -> None:
        self._folder, self._name, self._refusal = folder, name, refusal
        self._lock = FileLock(folder / f"{name}.lock", timeout=0, mode=0o600)

    def __enter__(self) -> Self:
        """Take the lock."""
        try:
            make_folder(self._folder)
            self._lock.acquire()
        except Timeout as error:
            raise AlreadyRunningError(self._refusal) from error
        except OSError as error:
            _log.debug(
                "cannot tell whether another %s runs: %s: %s", self._name, self._folder, error.strerror
            )
        return self

    def __exit__(self, *exc: object) -> None:
        """Give it back."""
        with contextlib.suppress(
            OSError
        ):  # the folder may have gone meanwhile; the system keeps no lock without it
            self._lock.release()


class OnlyMonitor(OnlyOne):
    """The lock of the monitor; see :class:`OnlyOne`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            "monitor",
            "a monitor is already running: 'posture status' shows it, 'posture stop' ends it",
        )
