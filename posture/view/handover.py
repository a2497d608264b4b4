"""Hand pictures, and what to draw on them, to the window's process.

Everything but the picture goes through a pipe. On Linux the picture lies in memory that both processes have and that
has no name: two anonymous files in memory (`memfd_create`), open in these two processes and nowhere else, gone with
them. It is written once and read where it lies. Elsewhere it goes through the pipe as well, which costs two more
copies and the system's pages for them.

::

    monitor: wait_for_room -> give    pipe: sketch, which file, shape    window: take
                    ^                                                       |
                    +----------- a counter of free files <------------------+ (frees the one before)
"""

from __future__ import annotations

import mmap
import os
import pickle
import select
import sys
from collections.abc import Callable
from math import prod
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any, Final

import numpy as np

from posture.landmarks import UInt8Array
from posture.view.sketch import Sketch, from_row, to_row

N_FILES: Final = 2
"""One that the window shows, one that is on its way to it."""
PIPE_BYTES: Final = 1 << 20
"""What Linux lets every user have (fs.pipe-max-size); a picture of 640x480 has 0.92 MB."""


class Giver:
    """The monitor's end; one thread gives, any may :meth:`wake` it.

    Parameters
    ----------
    pipe : Connection
        The end to write.
    shelf : Shelf or None
        Where pictures are put; None = they go through the pipe.
    """

    def __init__(self, pipe: Connection, shelf: Shelf | None) -> None:
        self._pipe, self._shelf = pipe, shelf
        self._next, self._has_room = 0, False

    def wait_for_room(self) -> None:
        """Wait until a picture can be given without waiting; returns at once where only giving it tells."""
        if self._shelf is not None and not self._has_room:
            self._shelf.wait_for_free()
            self._has_room = True

    def give(self, image_rgb: UInt8Array | None, sketch: Sketch) -> None:
        """Hand a picture over, and what to draw on it.

        Raises
        ------
        OSError
            If the window's process has ended.
        """
        shape = None if image_rgb is None else image_rgb.shape
        if image_rgb is not None and self._shelf is not None:
            self.wait_for_room()
            np.copyto(self._shelf.array(self._next, image_rgb.shape), image_rgb)
        message = pickle.dumps((shape, self._next, to_row(sketch)), pickle.HIGHEST_PROTOCOL)
        self._pipe.send_bytes(message)  # its own pickling takes twice as long
        if image_rgb is None:
            return
        if self._shelf is None:
            _write(self._pipe, image_rgb)
        else:
            self._next, self._has_room = (self._next + 1) % N_FILES, False

    def wake(self) -> None:
        """Have :meth:`wait_for_room` return, for good; nothing may be given any more."""
        if self._shelf is not None:
            self._shelf.free()

    def close(self) -> None:
        """Let go of pipe and pictures."""
        self._pipe.close()
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None


class Taker:
    """The window's end; handed to its process as an argument.

    Parameters
    ----------
    pipe : Connection
        The end to read.
    shelf : Shelf or None
        As the giver's.
    """

    def __init__(self, pipe: Connection, shelf: Shelf | None) -> None:
        self._pipe, self._shelf = pipe, shelf
        self._image: UInt8Array | None = None
        self._poller: select.poll | None = None

    def poll(self, timeout_s: float) -> bool:
        """Return whether a picture comes within `timeout_s`, or the other end has been closed."""
        if sys.platform == "win32":
            return self._pipe.poll(timeout_s)
        if self._poller is None:  # the connection's own makes one each time, at twenty times the cost
            self._poller = select.poll()
            self._poller.register(self._pipe.fileno(), select.POLLIN)
        return bool(self._poller.poll(1e3 * timeout_s))

    def take(self) -> tuple[UInt8Array | None, Sketch]:
        """Take over what was given; waits for it. The picture is good until the next one is taken.

        Raises
        ------
        EOFError
            If the other end is closed.
        """
        shape, which, row = pickle.loads(self._pipe.recv_bytes())
        if self._shelf is None:
            image = None if shape is None else _read(self._pipe, shape, self._image)
        else:
            if self._image is not None:
                self._shelf.free()
            image = None if shape is None else self._shelf.array(which, shape)
        self._image = image
        return image, from_row(row)

    def close(self) -> None:
        """Let go of this process's end of the pipe."""
        self._pipe.close()


def make_handover(context: SpawnContext) -> tuple[Giver, Taker]:
    """Return two ends; the taker goes to the other process among its arguments, then :meth:`Taker.close` this copy."""
    to_read, to_write = context.Pipe(duplex=False)
    shelf = _make_shelf()
    if shelf is None:
        _enlarge(to_write)
    return Giver(to_write, shelf), Taker(to_read, shelf)


class Shelf:
    """Files in memory, without names, and the count of those that are free; Linux.

    Parameters
    ----------
    files : list of int
        Descriptors of anonymous files.
    counter : int
        Descriptor of an event counter (`eventfd`, as a semaphore).
    is_ours : bool
        Whether pictures are put here, or only looked at.
    """

    def __init__(self, files: list[int], counter: int, *, is_ours: bool) -> None:
        self._files, self._counter, self._is_ours = files, counter, is_ours
        self._memory: list[mmap.mmap | None] = [None] * len(files)
        self._arrays: list[UInt8Array | None] = [None] * len(
            files
        )  # kept: they take longer to make than a line

    def __reduce__(self) -> tuple[Callable[..., Shelf], tuple[list[Any], Any]]:
        """Hand the descriptors to a process that is being started; they are in no other one."""
        assert sys.platform != "win32"
        from multiprocessing.reduction import DupFd

        return _take_over, ([DupFd(file) for file in self._files], DupFd(self._counter))

    def array(self, which: int, shape: tuple[int, ...]) -> UInt8Array:
        """Return file number `which` as an array, enlarged if need be; never made smaller: the other end reads it."""
        array = self._arrays[which]
        if array is not None and array.shape == shape:
            return array
        n, memory = prod(shape), self._memory[which]
        if memory is None or len(memory) < n:
            if self._is_ours:
                os.truncate(self._files[which], n)
            access = mmap.ACCESS_WRITE if self._is_ours else mmap.ACCESS_READ
            memory = self._memory[which] = mmap.mmap(self._files[which], n, access=access)
        array = self._arrays[which] = np.frombuffer(memory, np.uint8, n).reshape(shape)
        return array

    def wait_for_free(self) -> None:
        """Wait for a free file and count it as taken."""
        assert sys.platform == "linux"
        os.eventfd_read(self._counter)

    def free(self) -> None:
        """Count one more file as free."""
        assert sys.platform == "linux"
        os.eventfd_write(self._counter, 1)

    def close(self) -> None:
        """Let go of everything; the memory itself goes with the other process."""
        for descriptor in (*self._files, self._counter):
            os.close(descriptor)
        self._arrays.clear()
        self._memory.clear()


def _make_shelf() -> Shelf | None:
    """Return where pictures can be put, or None where the system has no such thing."""
    if sys.platform != "linux":
        return None
    files: list[int] = []
    try:
        for _ in range(N_FILES):
            files.append(os.memfd_create("posture-preview"))
        counter = os.eventfd(N_FILES, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
    except OSError:  # a sandbox forbids it, or there are too many open files; the pipe does it as well
        for file in files:
            os.close(file)
        return None
    return Shelf(files, counter, is_ours=True)


def _take_over(files: list[Any], counter: Any) -> Shelf:
    """Return the shelf at the other process's end."""
    return Shelf([file.detach() for file in files], counter.detach(), is_ours=False)


def _write(pipe: Connection, image: UInt8Array) -> None:
    """Write a picture as it is, without the copies that pickling makes."""
    data = np.ascontiguousarray(image).data.cast("B")
    if sys.platform == "win32":
        pipe.send_bytes(data)
        return
    while len(data):
        data = data[os.write(pipe.fileno(), data) :]


def _read(pipe: Connection, shape: tuple[int, ...], out: UInt8Array | None) -> UInt8Array:
    """Read a picture, into `out` if it has the size: half the time of memory taken anew."""
    image = np.empty(shape, np.uint8) if out is None or out.shape != shape else out
    if sys.platform == "win32":
        pipe.recv_bytes_into(image)
        return image
    rest = image.data.cast("B")
    while len(rest):
        n_read = os.readv(pipe.fileno(), [rest])
        if not n_read:
            raise EOFError
        rest = rest[n_read:]
    return image


def _enlarge(pipe: Connection) -> None:
    """Let a pipe take a whole picture at once where the system can: a third of the time, and no waiting."""
    if sys.platform == "linux":
        import contextlib
        import fcntl

        with contextlib.suppress(OSError):  # the user's pipes have used up what they may
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
