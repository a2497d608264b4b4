"""A process that works on one item after the other: this end of its pipe, and the other."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from multiprocessing import connection
from typing import Any

from posture.interrupts import interrupts_held_back
from posture.jobs.attempt import ONE_THREAD, attempt
from posture.jobs.outcome import Report, one_line

REPORT_PERIOD_S = 0.1
"""Seconds between two reports that are passed on: faster than anybody reads (our choice)."""


class Worker:
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
        with theirs, interrupts_held_back():
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
        first = pickle.dumps(("broken", one_line(error)))
    try:
        pipe.send_bytes(first)
        while True:
            pipe.send_bytes(attempt(work, pipe.recv_bytes(), _throttled(pipe)))
    except (EOFError, OSError):
        return  # nobody is there any more


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
