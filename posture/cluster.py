"""The same work on other machines: :func:`posture.jobs.run_jobs`, handed out by a Dask scheduler.

Dask ``distributed`` is an engine that laboratories and clusters have already; this is its client. It speaks to the one
address that the user named, serves no dashboard, and has workers and scheduler of the same versions only: work is sent
by name, and results are to be the same to the bit. Scheduler and workers are started by the user (docs/cluster.md).
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import re
import socket
import threading
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

from posture.errors import JobsError
from posture.jobs import ONE_THREAD, Outcome, Progress, R, Report, T, attempt

SAME = ("posture", "distributed", "mediapipe", "numpy", "opencv-python")
"""Packages whose versions have to be those of this machine."""
CONNECT_S = 5.0
"""Seconds until a scheduler that does not answer is given up (our choice)."""
CLOSE_S = 1.0
"""Seconds that taking leave of the scheduler may take: it notices anyway (our choice)."""
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
    """Yield what comes of every item, as it is finished; as :func:`~posture.jobs.run_jobs`, on other machines.

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
    with _connected(address) as client:
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
        self._crew = _Workers(client, address, notify)
        client.subscribe_topic(self._topic, lambda event: events.put(event[1]))

    def close(self) -> None:
        """Take back what is not finished; a worker gives up what it has in hand at its next frame."""
        with _scheduler_lost(self._address, is_fatal=False):
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
        with _scheduler_lost(self._address):
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
            with _scheduler_lost(self._address):
                self._client.cancel([future for future, _, _ in taken], force=True)
        return [index for _, index, _ in taken]

    def _outcome(self, future: Any, index: int) -> Outcome[Any]:
        """Return what came of an item that is over."""
        if future.status == "cancelled":
            raise _lost(self._address)
        with _scheduler_lost(self._address):
            error = future.exception()
            if error is None:
                kind, value = pickle.loads(future.result())
                return Outcome(index, value) if kind == "done" else Outcome(index, None, value)
        if isinstance(error, import_module("distributed").KilledWorker):
            return Outcome(index, None, _killed(error.allowed_failures + 1))
        text = (str(error).strip().splitlines() or [""])[0]
        return Outcome(index, None, f"{type(error).__name__}: {text}")


class _Workers:
    """Which workers there are, and which of them can do the work."""

    def __init__(self, client: Any, address: str, notify: Callable[[str], None]) -> None:
        self._client, self._address, self._notify = client, address, notify
        self._faults: dict[str, str] = {}
        self._told: set[str] = set()
        self.present: frozenset[str] = frozenset()
        self.able: frozenset[str] = frozenset()

    def look(self) -> None:
        """See who is there; of a newcomer, whether it is of the same versions as this machine.

        Raises
        ------
        JobsError
            If the scheduler is not, or is gone.
        """
        with _scheduler_lost(self._address):
            info = self._client.scheduler_info(n_workers=-1).get("workers")
            if info is None or self._client.status != "running":  # it tries to find it again
                raise _lost(self._address)
            if set(info) - set(self._faults):
                self._check(info)
        self.present = frozenset(info)
        self.able = frozenset(worker for worker in info if self._faults.get(worker) == "")

    def why_none(self) -> str:
        """Return why no worker can do the work."""
        faults = sorted({fault for worker, fault in self._faults.items() if fault and worker in self.present})
        return f"no worker that can do this ({'; '.join(faults)})" if faults else "there is no worker"

    def _check(self, info: Mapping[str, Any]) -> None:
        """Compare versions."""
        versions = self._client.get_versions(packages=list(SAME))
        ours = versions["client"]["packages"]
        if fault := _difference(versions["scheduler"]["packages"], ours):
            raise JobsError(f"{self._address}: the scheduler {fault}: install the same there as here")
        for worker, told in versions["workers"].items():
            if worker in self._faults or not isinstance(told, Mapping):
                continue
            self._faults[worker] = fault = _difference(told["packages"], ours)
            if fault:
                self._tell(f"worker {worker} {fault}: it gets no work")
            elif (n_threads := info.get(worker, {}).get("nthreads", 1)) > 1:
                self._tell(
                    f"worker {worker} has {n_threads} threads and uses one: start it with --nthreads 1, "
                    "and --nworkers for more"
                )

    def _tell(self, text: str) -> None:
        """Say something once."""
        if text not in self._told:
            self._told.add(text)
            self._notify(text)


def _difference(theirs: Mapping[str, str | None], ours: Mapping[str, str | None]) -> str:
    """Return how an installation differs from this one, as a predicate; empty = it does not."""
    for name in SAME:
        if theirs.get(name) is None:
            return f"has no package {name}"
        if theirs[name] != ours.get(name):
            return f"has {name} {theirs[name]}, here it is {ours.get(name)}"
    python_there, python_here = (_minor(packages.get("python")) for packages in (theirs, ours))
    return "" if python_there == python_here else f"has Python {python_there}, here it is {python_here}"


def _minor(version: str | None) -> str:
    """Return 3.12 of 3.12.1.final.0."""
    return ".".join((version or "").split(".")[:2])


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


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Be a client of the scheduler, for the time of a ``with`` block."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise JobsError(
            "--scheduler needs the extra 'cluster': python -m pip install 'posture[cluster]'"
        ) from None
    _check_answers(address)
    _hush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions: they are compared here
        try:
            client = distributed.Client(
                address, timeout=CONNECT_S, set_as_default=False, direct_to_workers=False, name="posture"
            )
        except (OSError, ValueError, ImportError) as error:
            raise JobsError(
                f"{address}: no scheduler answers there ({_one_line(error)}); does it run, and is the address right?"
            ) from error
        try:
            yield client
        finally:
            client.close(timeout=CLOSE_S)


def _check_answers(address: str) -> None:
    """Check that something speaks at an address as Dask does: its client waits for ever for anything else to.

    Raises
    ------
    JobsError
        If nothing does.
    """
    where = re.fullmatch(r"(?P<kind>tcp|tls)://\[?(?P<host>[^/\s\[\]]+?)\]?:(?P<port>[0-9]{1,5})", address)
    if where is None or int(where["port"]) > 65535:
        raise JobsError(f"{address}: not the address of a scheduler; give tcp://HOST:PORT")
    try:
        with socket.create_connection((where["host"], int(where["port"])), CONNECT_S) as peer:
            peer.settimeout(CONNECT_S)
            first = b"" if where["kind"] == "tls" else peer.recv(8, socket.MSG_WAITALL)
    except TimeoutError:
        why = f"no answer within {CONNECT_S:g} s"
    except (OSError, UnicodeError) as error:  # a name that cannot be one is a UnicodeError
        why = getattr(error, "strerror", None) or _one_line(error)
    else:  # a scheduler begins with the size of what it says, in 64 bits
        is_dask = where["kind"] == "tls" or (len(first) == 8 and int.from_bytes(first, "little") < 1 << 20)
        why = "" if is_dask else "something else is there"
    if why:
        raise JobsError(
            f"{address}: no scheduler answers there ({why}); does it run, and is the address right?"
        )


def _hush() -> None:
    """Keep Dask's log lines off the terminal: what they tell is told here in one line."""
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextlib.contextmanager
def _scheduler_lost(address: str, *, is_fatal: bool = True) -> Iterator[None]:
    """Turn whatever a lost connection raises into one clear error, or into nothing."""
    closed = import_module("distributed.client").ClosedClientError
    try:
        yield
    except (OSError, CancelledError, TimeoutError, closed) as error:  # CommClosedError is an OSError
        if is_fatal:
            raise _lost(address) from error


def _lost(address: str) -> JobsError:
    """Return the error of a scheduler that is gone."""
    return JobsError(f"{address}: the scheduler is gone; what is finished is kept")


def _killed(n_deaths: int) -> str:
    """Return why an item has failed whose workers have died."""
    workers = "the worker" if n_deaths == 1 else f"each of {n_deaths} workers"
    return f"{workers} that had it died (out of memory?)"


def _one_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
