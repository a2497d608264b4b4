"""The same work on other machines: :func:`posture.jobs.processes.run_jobs`, handed out by a Dask scheduler.

Dask ``distributed`` is an engine that laboratories and clusters have already; this is its client. It speaks to the one
address that the user named, serves no dashboard, and has workers and scheduler of the same versions only: work is sent
by name, and results are to be the same to the bit. Scheduler and workers are started by the user (docs/cluster.md).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from posture.errors import JobsError
from posture.jobs.attempt import ONE_THREAD, attempt
from posture.jobs.members import Workers
from posture.jobs.outcome import Outcome, Progress, R, Report, T
from posture.jobs.scheduler import connected, lost_scheduler, scheduler_lost

PATIENCE_S = 20.0
"""Seconds without a worker until the run is given up: a restarted worker is back within ten (our choice)."""
LOOK_S = 2.0
"""Seconds between two looks at which workers there are (our choice)."""
MAX_DEATHS = 3
"""Workers that may die over an item; Dask's own default (``distributed.scheduler.allowed-failures``)."""
REPORT_PERIOD_S = 0.5
"""Seconds between two reports of a worker: each passes through the scheduler (our choice)."""

_one_at_a_time = threading.Lock()  # in a worker: MediaPipe is not for several threads


def run_on_cluster(
    work: Callable[[T, Report], R],
    items: Sequence[T],
    address: str,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Generator[Outcome[R], None, None]:
    """Yield what comes of every item, as it is finished: :func:`~posture.jobs.processes.run_jobs` on other machines.

    An item whose worker dies is given to another one; after four deaths it has failed. Workers may come and go.

    Parameters
    ----------
    work, items, on_progress, stop
        As there; a worker has to be able to import what is in them.
    address : str
        ``tcp://HOST:PORT`` of the scheduler, or ``tls://``, with the keys that Dask's own configuration names.
    on_note : callable, optional
        Is told, in a line, what is wrong with a worker that gets no work.

    Raises
    ------
    JobsError
        If the extra is not installed, no scheduler answers, it is of another version, it has no worker that can do
        the work, or it is gone. What was yielded is done.
    """
    notify = on_note or (lambda text: None)
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with connected(address) as client:
        run = _Run(client, address, pickle.dumps(work), events, notify)
        with contextlib.closing(run):
            yield from run.outcomes(items, on_progress or (lambda progress: None), stop or threading.Event())


class _Run:
    """The items of one call, and which of them are given out."""

    def __init__(
        self,
        client: Any,
        address: str,
        pickled_work: bytes,
        events: queue.SimpleQueue[Any],
        notify: Callable[[str], None],
    ) -> None:
        self._client, self._address, self._pickled_work = client, address, pickled_work
        self._events, self._notify = events, notify
        self._topic = f"posture-{uuid.uuid4().hex}"
        self._given: dict[str, tuple[Any, int, str]] = {}
        """By key: its future, the item, the worker. Each has one at a time, so that a death has one cause."""
        self._crew = Workers(client, address, notify)
        client.subscribe_topic(self._topic, lambda event: events.put(event[1]))

    def close(self) -> None:
        """Take back what is not finished; a worker gives up what it has in hand at its next frame."""
        with scheduler_lost(self._address, is_fatal=False):
            self._client.cancel([future for future, _, _ in self._given.values()], force=True)
        self._given.clear()

    def outcomes(
        self, items: Sequence[Any], on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> Iterator[Outcome[Any]]:
        """Give out the items and yield what comes of them."""
        todo, deaths = deque(range(len(items))), dict.fromkeys(range(len(items)), 0)
        numbers: dict[str, int] = {}
        looked_s = seen_s = -PATIENCE_S
        while (todo or self._given) and not stop.is_set():
            if (now_s := time.monotonic()) - looked_s >= LOOK_S:
                is_first, looked_s = looked_s < 0, now_s
                self._crew.look()
                seen_s = now_s if self._crew.able or is_first else seen_s
                for index in self._take_back_stranded():
                    deaths[index] += 1
                    if deaths[index] <= MAX_DEATHS:
                        todo.appendleft(index)
                    else:
                        yield Outcome(index, None, _killed(deaths[index]))
                if now_s - seen_s > PATIENCE_S:
                    raise JobsError(f"{self._address}: {self._crew.why_none()}; what is finished is kept")
            idle = self._crew.able - {worker for _, _, worker in self._given.values()}
            for worker_address in sorted(idle)[: len(todo)]:
                self._give_out(index := todo.popleft(), items[index], worker_address)
            try:
                event = self._events.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(event, Mapping):
                worker = numbers.setdefault(event["worker"], len(numbers))
                on_progress(Progress(worker, event["index"], pickle.loads(event["value"])))
            elif event in self._given:
                future, index, _ = self._given.pop(event)
                yield self._outcome(future, index)

    def _give_out(self, index: int, item: Any, worker: str) -> None:
        """Hand one item to the scheduler, for a worker that has none."""
        with scheduler_lost(self._address):
            future = self._client.submit(
                _work_on,
                self._pickled_work,
                pickle.dumps(item),
                index,
                self._topic,
                key=f"{self._topic}-{index}-{uuid.uuid4().hex}",
                workers=[worker],
                pure=False,
            )
        self._given[future.key] = (future, index, worker)
        future.add_done_callback(lambda done: self._events.put(done.key))

    def _take_back_stranded(self) -> list[int]:
        """Return the items whose worker is not there any more."""
        stranded = [key for key, (_, _, worker) in self._given.items() if worker not in self._crew.present]
        taken = [self._given.pop(key) for key in stranded]
        if taken:
            with scheduler_lost(self._address):
                self._client.cancel([future for future, _, _ in taken], force=True)
        return [index for _, index, _ in taken]

    def _outcome(self, future: Any, index: int) -> Outcome[Any]:
        """Return what came of an item that is over."""
        if future.status == "cancelled":
            raise lost_scheduler(self._address)
        with scheduler_lost(self._address):
            error = future.exception()
            if error is None:
                kind, value = pickle.loads(future.result())
                return Outcome(index, value) if kind == "done" else Outcome(index, None, value)
        if isinstance(error, import_module("distributed").KilledWorker):
            return Outcome(index, None, _killed(error.allowed_failures + 1))
        text = (str(error).strip().splitlines() or [""])[0]
        return Outcome(index, None, f"{type(error).__name__}: {text}")


def _work_on(pickled_work: bytes, pickled_item: bytes, index: int, topic: str) -> bytes:
    """Do the work on one item, in a worker, and return what came of it, pickled."""
    worker = import_module("distributed").get_worker()
    key = worker.get_current_task()
    last_s = -REPORT_PERIOD_S

    def report(value: Any) -> None:
        nonlocal last_s
        if (now_s := time.monotonic()) - last_s < REPORT_PERIOD_S:
            return
        last_s = now_s
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            raise JobsError("nobody wants it any more")
        worker.log_event(topic, {"worker": worker.address, "index": index, "value": pickle.dumps(value)})

    with _one_at_a_time:
        os.environ.update(ONE_THREAD)
        report(None)
        return attempt(pickle.loads(pickled_work), pickled_item, report)


def _killed(n_deaths: int) -> str:
    """Return why an item has failed whose workers have died."""
    workers = "the worker" if n_deaths == 1 else f"each of {n_deaths} workers"
    return f"{workers} that had it died (out of memory?)"
