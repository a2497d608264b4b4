"""Keep the window's picture from other users of the computer.

To show a picture by copying it, SDL shares memory with the X server (MIT-SHM, System V shared memory), and makes it
readable for everybody: whoever guesses its number, a small one, may read what the window shows. The server has it from
the moment SDL returns, so it can be closed to others before anything is in it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from posture.errors import WindowError

SEGMENTS: Final = Path("/proc/sysvipc/shm")
"""Linux's list of them, a line each: key, number, mode in octal, size, and who made it (proc_sysvipc(5))."""
_OTHERS: Final = 0o077
_IPC_SET, _IPC_STAT = 1, 2  # <linux/ipc.h>
_MODE_AT: Final = 20  # bytes into struct shmid_ds, behind five numbers of four bytes (<asm-generic/ipcbuf.h>)
_STRUCT_BYTES: Final = 256  # more than struct shmid_ds has


def close_to_others() -> None:
    """Take everybody else's right to the shared memory that the present process has made.

    Raises
    ------
    WindowError
        If there is some, and it stays open.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for number in _open_segments():
        description = (ctypes.c_ubyte * _STRUCT_BYTES)()
        if libc.shmctl(number, _IPC_STAT, description) == 0:
            description[_MODE_AT] &= ~_OTHERS & 0xFF
            libc.shmctl(number, _IPC_SET, description)
    if any(_open_segments()):
        raise WindowError("other users of this computer could read what the window shows")


def _open_segments() -> Iterator[int]:
    """Yield the numbers of this process's segments that others may use."""
    try:
        lines = SEGMENTS.read_text("ascii").splitlines()[1:]
    except FileNotFoundError:  # a system without System V shared memory
        return
    for line in lines:
        _, number, mode, _, made_by, *_ = line.split()
        if int(made_by) == os.getpid() and int(mode, 8) & _OTHERS:
            yield int(number)
