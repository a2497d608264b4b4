"""The commands that tell a running monitor something. They return the exit code and raise PostureError."""

from __future__ import annotations

import time

from posture.config import state_path
from posture.console import make_console
from posture.control.channel import send
from posture.control.commands import (
    Command,
    Pause,
    Recalibrate,
    Resume,
    Rezero,
    Snooze,
    Status,
    Stop,
    parse_duration,
)
from posture.errors import ControlError

_END_S = 10.0
"""Seconds a monitor may take to end before that is said."""


def run_pause(duration: str | None) -> int:
    """Pause the monitor."""
    return _tell(Pause(None if duration is None else parse_duration(duration)))


def run_resume() -> int:
    """End a pause or a snooze."""
    return _tell(Resume())


def run_snooze(duration: str) -> int:
    """Silence the monitor for a while."""
    return _tell(Snooze(parse_duration(duration)))


def run_recalibrate(seconds: float | None) -> int:
    """Have the monitor take a new baseline."""
    return _tell(Recalibrate(seconds))


def run_rezero() -> int:
    """Have the monitor move its baseline to the present upright."""
    return _tell(Rezero())


def run_stop() -> int:
    """End the monitor, and wait until it has ended."""
    code = _tell(Stop())
    deadline_s = time.monotonic() + _END_S
    while code == 0 and send(state_path(), Status(), patience_s=1.0) is not None:
        if time.monotonic() > deadline_s:
            raise ControlError(
                f"the monitor has not ended within {_END_S:g} s; 'posture status' has its process"
            )
        time.sleep(0.1)
    return code


def _tell(command: Command) -> int:
    """Tell the monitor something and print what it answers."""
    reply = send(state_path(), command)
    if reply is None:
        raise ControlError("no monitor is running; 'posture run' starts one")
    if not reply.is_ok:
        raise ControlError(reply.text)
    make_console().print(reply.text)
    return 0
