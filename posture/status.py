"""What the running monitor tells ``posture status``: one small file in the platform's state folder."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import Any

import msgspec

from posture.errors import OutputError
from posture.files import write_atomically
from posture.pipeline import StepResult
from posture.slouch import Reason, SlouchState

PERIOD_S = 2.0
"""Seconds between two writes while nothing changes (our choice: fresh enough to look at, no load)."""
STALE_S = 15.0
"""Seconds after which a file is from a monitor that has ended without a word (our choice)."""

_log = logging.getLogger(__name__)


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A running monitor at a moment."""

    pid: int
    updated_unix_s: float
    source: str
    profile: str
    state: SlouchState
    reason: Reason
    neck_deviation_deg: float | None
    thoracic_deviation_deg: float | None
    slouched_s: float
    sat_s: float
    alerts: int
    notifications_sent: int = 0
    notifications_failed: int = 0
    notifications_dropped: int = 0
    last_notification_error: str | None = None
    camera: str = ""
    judged_hz: float | None = None
    """Frames judged per second of late; None = every frame."""
    stretch: str = ""
    """What the newest break reminder named; empty = there was none."""
    slouched: dict[str, float] = {}
    """Slouches by what drove them: ``neck``, ``thoracic``, ``flexion``, ``sink``."""


class StatusFile:
    """Keep the status file fresh; a sink.

    Parameters
    ----------
    path : Path
        The file; taken away at the end.
    source, profile : str
        What is watched, against which baseline: a profile's or a file's name.
    details : callable
        Return the counters of delivery and the camera's condition as keyword values of :class:`Status`.
    """

    def __init__(self, path: Path, source: str, profile: str, details: Callable[[], dict[str, Any]]) -> None:
        self._path, self._source, self._profile, self._details = path, source, profile, details
        self._n_alerts = 0
        self._written_s: float | None = None
        self._shown: tuple[str, str] | None = None
        self._has_failed = False

    def handle(self, result: StepResult) -> None:
        """Write the file when something changed or it is getting old; a failure is logged once."""
        self._n_alerts += result.alert is not None
        shown = (result.state.value, result.reason.value)
        now_s = time.monotonic()
        if shown == self._shown and self._written_s is not None and now_s - self._written_s < PERIOD_S:
            return
        self._shown, self._written_s = shown, now_s
        status = Status(
            pid=os.getpid(),
            updated_unix_s=time.time(),
            source=self._source,
            profile=self._profile,
            state=result.state,
            reason=result.reason,
            neck_deviation_deg=_number(result.neck_deviation_deg),
            thoracic_deviation_deg=_number(result.thoracic_deviation_deg),
            slouched_s=result.slouched_s,
            sat_s=result.sat_s,
            alerts=self._n_alerts,
            **self._details(),
        )
        try:
            write_atomically(self._path, msgspec.json.encode(status), is_durable=False)
        except OutputError as error:
            if not self._has_failed:
                _log.warning("'posture status' will not work: %s", error)
            self._has_failed = True

    def close(self) -> None:
        """Take the file away: nothing runs any more."""
        if self._has_failed:
            return  # has been said, and what is there is another's
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("cannot remove %s: %s", self._path, error.strerror)


def read_status(path: Path) -> Status | None:
    """Return the running monitor's status, or None when none is running.

    A file that nobody has refreshed for 15 s, or that is damaged, is from a monitor that has died.
    """
    try:
        status = msgspec.json.decode(path.read_bytes(), type=Status)
    except (OSError, ValueError, RecursionError):  # a msgspec.DecodeError is a ValueError
        return None
    return status if time.time() - status.updated_unix_s < STALE_S else None


def _number(value: float) -> float | None:
    """Return `value`, or None for NaN, which JSON does not have."""
    return None if isnan(value) else round(value, 2)
