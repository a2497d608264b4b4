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
import pickle
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from posture.errors import JobsError
from posture.jobs.outcome import Outcome, Progress, R, Report, T, one_line
from posture.jobs.worker import Worker

STOP_PERIOD_S = 0.1
"""Seconds between two looks at the stop event (our choice)."""
MAX_FAILED_STARTS = 3
"""Workers that may die in a row before they have begun (our choice)."""


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


class _Crew:
    """The workers, and who of them has what."""

    def __init__(
        self, pickled_work: bytes, on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> None:
        self._pickled_work, self._on_progress, self._stop = pickled_work, on_progress, stop
        self._workers: list[Worker] = []
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
            self._workers.append(Worker(self._pickled_work))

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

    def _heed(self, number: int, worker: Worker, kind: str, value: Any) -> Iterator[Outcome[Any]]:
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

    def _bury(self, number: int, worker: Worker) -> Iterator[_Death]:
        """Replace a worker that has died."""
        cause, index = worker.cause_of_death(), worker.index
        worker.end()
        if not worker.is_ready:
            self._n_failed_starts += 1
            if self._n_failed_starts == MAX_FAILED_STARTS:
                raise JobsError(f"no process to work in can be started: {cause}; try fewer --jobs")
        self._workers[number] = Worker(self._pickled_work)
        if index is not None:
            yield _Death(index, cause)

    def _hand_out(
        self, number: int, worker: Worker, items: Sequence[Any], todo: deque[int]
    ) -> Iterator[Outcome[Any]]:
        """Give a worker that waits for it the next item."""
        while worker.is_ready and worker.index is None and todo:
            index = todo.popleft()
            try:
                pickled = pickle.dumps(items[index])
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                yield Outcome(index, None, f"cannot be sent to another process: {one_line(error)}")
                continue
            try:
                worker.pipe.send_bytes(pickled)
            except OSError:  # it has died meanwhile, and has not had the item; its pipe says so next
                todo.appendleft(index)
                return
            worker.index = index
            self._on_progress(Progress(number, index, None))
