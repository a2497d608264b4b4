"""A database's file kept open beside SQLite, for as long as this process has connections to it.

Closing any handle of a file lets go of all the locks that this process has on it, SQLite's too (POSIX; "How to
corrupt", https://sqlite.org/howtocorrupt.html 2.2): the next program that closes the database then takes itself for the
last one and deletes the write-ahead log of whoever still writes. So a handle of ours is closed when the last connection
has gone.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

HEADER_BYTES = 100
"""https://sqlite.org/fileformat2.html: the database header."""

_guard = threading.Lock()
_files: dict[tuple[int, int], list[BinaryIO]] = {}
_n_users: dict[tuple[int, int], int] = {}


class Hold:
    """One connection's share in a database's file; taken before SQLite opens it, released after SQLite has closed it.

    Parameters
    ----------
    path : Path
        The database.

    Raises
    ------
    OSError
        If it cannot be opened for reading.
    """

    def __init__(self, path: Path) -> None:
        with _guard:
            self._file: BinaryIO = path.open("rb", buffering=0)
            found = os.fstat(self._file.fileno())
            self._identity = found.st_dev, found.st_ino
            _files.setdefault(self._identity, []).append(self._file)
            _n_users[self._identity] = _n_users.get(self._identity, 0) + 1
        self._is_released = False

    def header(self) -> bytes:
        """Return the first 100 bytes of the file as they are now, fewer if it is shorter.

        Raises
        ------
        OSError
            If they cannot be read.
        """
        with _guard:
            self._file.seek(0)
            return self._file.read(HEADER_BYTES)

    def changed_ns(self) -> int:
        """Return when the file's content was changed last, nanoseconds since 1970."""
        return os.fstat(self._file.fileno()).st_mtime_ns

    def is_of(self, path: Path) -> bool:
        """Return whether the file is still the one under a name."""
        try:
            found = path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def release(self) -> None:
        """Give the share up; a second time does nothing."""
        with _guard:
            if self._is_released:
                return
            self._is_released = True
            _n_users[self._identity] -= 1
            if not _n_users[self._identity]:
                del _n_users[self._identity]
                for file in _files.pop(self._identity):
                    file.close()
