"""Do the same work on many items in several processes, whatever happens to one of them.

Use it so; `judge` is a function at the top of a module, as it has to be found by other processes::

    def judge(clip: Path, report: Report) -> Figures: ...

    for outcome in run_jobs(judge, clips, n_jobs):
        print(clips[outcome.index], outcome.error or outcome.value)

Processes are spawned, not forked: MediaPipe and OpenCV have threads, and a forked child inherits their locks without
them. It is built on :mod:`multiprocessing`, a pipe for each worker. The ready-made pools were looked at first:
``concurrent.futures`` and loky call the whole pool broken when one worker dies, cannot tell which item it had, and
share queues whose lock a killed worker may take with it; pebble can tell, but is LGPL; none passes progress on.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Generic, TypeAlias, TypeVar

from posture.errors import JobsError, PostureError

T = TypeVar("T")
R = TypeVar("R")
Report: TypeAlias = Callable[[Any], None]
"""What work calls with anything that tells how far it is; most calls cost nothing and go nowhere."""

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    ),
    "1",
)
"""Environment that keeps a worker's native libraries to one thread, so that N workers keep N cores busy. XNNPACK,
inside MediaPipe, takes one on desktops by itself."""
REPORT_PERIOD_S = 0.1
"""Seconds between two reports that are passed on: faster than anybody reads (our choice)."""
STOP_PERIOD_S = 0.1
"""Seconds between two looks at the stop event (our choice)."""
MAX_FAILED_STARTS = 3
"""Workers that may die in a row before they have begun (our choice)."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What came of one item."""

    index: int
    """Which item, counted from 0."""
    value: R | None
    """What the work returned; None if it failed."""
    error: str = ""
    """Why it failed, in one line; empty = it did not."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one worker is."""

    worker: int
    """Which worker, counted from 0."""
    index: int
    """The item it has."""
    value: Any
    """What the work reported; None = it has just been given the item."""


def run_jobs(
    work: Callable[[T, Report], R],
    items: Sequence[T],
    n_jobs: int,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Generator[Outcome[R], None, None]:
    """Yield what comes of every item, as it is finished.

    An item that raises has failed, and the others go on. So they do when a worker dies: killed, out of memory, or
    crashed in native code. Its item is tried once more at the end, with no other worker beside it, and has failed
    when that dies too. Whoever leaves the loop early, by `stop` or an exception, ends all workers at once, in the
    middle of what they do: work that writes files writes them whole or not at all.

    Parameters
    ----------
    work : callable
        Called with an item and a `Report`, in another process, which has to be able to import it; a
        :func:`functools.partial` of such a function will do.
    items : sequence
        Anything that can be pickled.
    n_jobs : int
        Processes at most, at least 1; no more are started than there are items.
    on_progress : callable, optional
        Called here, at the start of an item and then a few times a second with what its work reports.
    stop : threading.Event, optional
        Ends it within a fraction of a second; what is finished has been yielded.

    Raises
    ------
    JobsError
        If workers cannot be started at all.
    """
    todo = deque(range(len(items)))
    again: list[int] = []
    crew = _Crew(pickle.dumps(work), on_progress or (lambda progress: None), stop or threading.Event())
    with contextlib.closing(crew):
        for is_last_try, n_workers in ((False, n_jobs), (True, 1)):
            crew.resize(min(max(n_workers, 1), len(todo)))
            for outcome in crew.run(items, todo):
                if isinstance(outcome, Outcome):
                    yield outcome
                elif is_last_try:
                    yield Outcome(outcome.index, None, f"{outcome.cause}, twice")
                else:
                    again.append(outcome.index)
            if crew.is_stopped:
                return
            todo.extend(sorted(again))


@dataclass(frozen=True, slots=True)
class _Death:
    """An item whose worker has died."""

    index: int
    cause: str


class _Worker:
    """A process and this end of its pipe."""

    def __init__(self, pickled_work: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.index: int | None = None
        """The item it has."""
        self.is_ready = False
        self.process = context.Process(
            target=_serve, args=(theirs, pickled_work), name="posture-worker", daemon=True
        )
        with theirs, _ctrl_c_held_back():
            self.process.start()

    def end(self) -> None:
        """Kill it, if it still runs."""
        self.pipe.close()
        self.process.kill()
        self.process.join()

    def cause_of_death(self) -> str:
        """Return how a process that is gone, or just going, ended."""
        self.process.join()
        code = self.process.exitcode or 0
        if code == -signal.SIGTERM or code >= 0:
            return f"the process working on it ended ({code})"
        if code == -9:
            return "the process working on it was killed (out of memory?)"
        return f"the process working on it crashed ({_signal_name(-code)})"


class _Crew:
    """The workers, and who of them has what."""

    def __init__(
        self, pickled_work: bytes, on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> None:
        self._pickled_work, self._on_progress, self._stop = pickled_work, on_progress, stop
        self._workers: list[_Worker] = []
        self._n_failed_starts = 0

    @property
    def is_stopped(self) -> bool:
        """Whether it was told to end."""
        return self._stop.is_set()

    def resize(self, n_workers: int) -> None:
        """End or start as many workers as it takes; none of them is busy."""
        while len(self._workers) > n_workers:
            self._workers.pop().end()
        while len(self._workers) < n_workers:
            self._workers.append(_Worker(self._pickled_work))

    def close(self) -> None:
        """Kill them all."""
        self.resize(0)

    def run(self, items: Sequence[Any], todo: deque[int]) -> Iterator[Outcome[Any] | _Death]:
        """Hand out the items until all are done; a dead worker is replaced."""
        for number, worker in enumerate(self._workers):
            yield from self._hand_out(number, worker, items, todo)
        while todo or any(worker.index is not None for worker in self._workers):
            if self.is_stopped:
                return
            ready = connection.wait([worker.pipe for worker in self._workers], STOP_PERIOD_S)
            for number, worker in enumerate(list(self._workers)):
                if worker.pipe not in ready:
                    continue
                try:
                    kind, value = pickle.loads(worker.pipe.recv_bytes())
                except (EOFError, OSError):
                    yield from self._bury(number, worker)
                    worker = self._workers[number]
                else:
                    yield from self._heed(number, worker, kind, value)
                yield from self._hand_out(number, worker, items, todo)

    def _heed(self, number: int, worker: _Worker, kind: str, value: Any) -> Iterator[Outcome[Any]]:
        """Take in what a worker says."""
        if kind == "broken":
            raise JobsError(f"the processes to work in cannot load the work: {value}")
        if kind == "ready":
            worker.is_ready, self._n_failed_starts = True, 0
        elif worker.index is not None and kind == "report":
            self._on_progress(Progress(number, worker.index, value))
        elif worker.index is not None:
            index, worker.index = worker.index, None
            yield Outcome(index, value) if kind == "done" else Outcome(index, None, value)

    def _bury(self, number: int, worker: _Worker) -> Iterator[_Death]:
        """Replace a worker that has died."""
        cause, index = worker.cause_of_death(), worker.index
        worker.end()
        if not worker.is_ready:
            self._n_failed_starts += 1
            if self._n_failed_starts == MAX_FAILED_STARTS:
                raise JobsError(f"no process to work in can be started: {cause}; try fewer --jobs")
        self._workers[number] = _Worker(self._pickled_work)
        if index is not None:
            yield _Death(index, cause)

    def _hand_out(
        self, number: int, worker: _Worker, items: Sequence[Any], todo: deque[int]
    ) -> Iterator[Outcome[Any]]:
        """Give a worker that waits for it the next item."""
        while worker.is_ready and worker.index is None and todo:
            index = todo.popleft()
            try:
                pickled = pickle.dumps(items[index])
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                yield Outcome(index, None, f"cannot be sent to another process: {_one_line(error)}")
                continue
            try:
                worker.pipe.send_bytes(pickled)
            except OSError:  # it has died meanwhile, and has not had the item; its pipe says so next
                todo.appendleft(index)
                return
            worker.index = index
            self._on_progress(Progress(number, index, None))


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Start a process to which Ctrl-C means nothing: a terminal sends it to all, and its starter ends it.

    What is held back meanwhile arrives afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: connection.Connection, pickled_work: bytes) -> None:
    """Work, in a process of its own, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(ONE_THREAD)  # before the work's libraries are imported
    threading.Thread(target=_follow_parent, name="posture-parent", daemon=True).start()
    try:
        work = pickle.loads(pickled_work)
        first = pickle.dumps(("ready", None))
    except (ImportError, AttributeError) as error:
        first = pickle.dumps(("broken", _one_line(error)))
    try:
        pipe.send_bytes(first)
        while True:
            pipe.send_bytes(attempt(work, pipe.recv_bytes(), _throttled(pipe)))
    except (EOFError, OSError):
        return  # nobody is there any more


def attempt(work: Callable[[Any, Report], Any], pickled_item: bytes, report: Report) -> bytes:
    """Do the work on one item, here; return what came of it, pickled: ``done`` or ``failed``, and a value or why."""
    try:
        return pickle.dumps(("done", work(pickle.loads(pickled_item), report)))
    except PostureError as error:
        why = str(error)
    except MemoryError:
        why = "out of memory; try fewer --jobs"
    except Exception as error:  # whatever it is: the other items go on
        why = f"{type(error).__name__}: {_one_line(error)}"
    return pickle.dumps(("failed", why))


def _throttled(pipe: connection.Connection) -> Report:
    """Return a `Report` that passes on what comes after a pause."""
    last_s = -REPORT_PERIOD_S

    def report(value: Any) -> None:
        nonlocal last_s
        if (now_s := time.monotonic()) - last_s >= REPORT_PERIOD_S:
            last_s = now_s
            pipe.send_bytes(pickle.dumps(("report", value)))

    return report


def _follow_parent() -> None:
    """End this process as soon as the one that started it has ended, however that was."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(1)


def _signal_name(number: int) -> str:
    """Return what a signal is called."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _one_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]
