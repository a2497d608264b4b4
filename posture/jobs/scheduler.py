"""The connection to a scheduler: whether one answers, its client, and how its loss is told."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

from posture.errors import JobsError
from posture.jobs.outcome import one_line

CONNECT_S = 5.0
"""Seconds until a scheduler that does not answer is given up (our choice)."""
CLOSE_S = 1.0
"""Seconds that taking leave of the scheduler may take: it notices anyway (our choice)."""


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Be a client of the scheduler, for the time of a ``with`` block."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise JobsError(
            "--scheduler needs the library distributed: python -m pip install distributed"
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
                f"{address}: no scheduler answers there ({one_line(error)}); does it run, and is the address right?"
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
        why = getattr(error, "strerror", None) or one_line(error)
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
def scheduler_lost(address: str, *, is_fatal: bool = True) -> Iterator[None]:
    """Turn whatever a lost connection raises into one clear error, or into nothing."""
    closed = import_module("distributed.client").ClosedClientError
    try:
        yield
    except (OSError, CancelledError, TimeoutError, closed) as error:  # CommClosedError is an OSError
        if is_fatal:
            raise lost_scheduler(address) from error


def lost_scheduler(address: str) -> JobsError:
    """Return the error of a scheduler that is gone."""
    return JobsError(f"{address}: the scheduler is gone; what is finished is kept")
