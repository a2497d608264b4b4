"""What a running monitor tells about itself: the newest result, and what surrounds it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from posture.control import commands
from posture.control.channel import PATIENCE_S, send
from posture.errors import ControlError
from posture.slouch import Reason, SlouchState

if TYPE_CHECKING:  # whoever only asks for the status does without numpy: a third of a tray icon's memory
    from posture.step_result import StepResult

LATE_S = 15.0
"""Seconds; a loop that has done nothing for longer is worth a word (our choice: a lost camera ticks every second)."""
LATE_LET_GO_S = 105.0
"""The same while the camera may be let go between two checks: `camera.release_between_checks_s` is 90 at most."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A running monitor at a moment."""

    pid: int
    age_s: float | None
    """Seconds since a frame was dealt with; None = none has been: the monitor is starting, or takes a baseline."""
    source: str
    profile: str
    state: SlouchState
    reason: Reason
    neck_deviation_deg: float | None
    thoracic_deviation_deg: float | None
    slouch_ratio: float | None
    slouched_s: float
    sat_s: float
    alerts: int
    history: str = ""
    """Why the history is not being kept; empty = it is, or need not be."""
    rest_detail: str = ""
    """What a rest is about, such as the program in a call."""
    paused_for_s: float | None = None
    """Seconds left of a pause that ends by itself."""
    snoozed_for_s: float | None = None
    notifications_sent: int = 0
    notifications_failed: int = 0
    notifications_dropped: int = 0
    last_notification_error: str | None = None
    camera: str = ""
    judged_hz: float | None = None
    """Frames judged per second of late; None = every frame."""
    sustain_s: float | None = None
    """Seconds a slouch lasts before it is mentioned; None = it is not known yet."""

    stretch: str = ""
    """What the newest break reminder named; empty = there was none."""
    slouched: dict[str, float] = {}
    """Slouches by what drove them: ``neck``, ``thoracic``, ``flexion``, ``sink``."""

    @property
    def is_late(self) -> bool:
        """Whether the loop has done nothing for so long that it may hang."""
        return self.age_s is not None and self.age_s > (LATE_LET_GO_S if self.camera == "let go" else LATE_S)


class StatusBoard:
    """Keep the newest result for whoever asks, on any thread; a sink.

    Parameters
    ----------
    source, profile : str
        What is watched, against which baseline: a profile's or a file's name.
    details : callable
        Return what else there is to tell, as keyword values of :class:`Status`.
    """

    def __init__(self, source: str, profile: str, details: Callable[[], dict[str, Any]] = dict) -> None:
        self._source, self.profile, self.details = source, profile, details
        self._newest: tuple[StepResult, float] | None = None
        self._n_alerts = 0

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        self._n_alerts += result.alert is not None
        self._newest = result, time.monotonic()

    def close(self) -> None:
        """Nothing to let go of."""

    def snapshot(self) -> Status:
        """Return how things stand."""
        result, at_s = self._newest or (None, 0.0)
        return Status(
            pid=os.getpid(),
            age_s=None if result is None else round(time.monotonic() - at_s, 1),
            source=self._source,
            profile=self.profile,
            state=SlouchState.UNKNOWN if result is None else result.state,
            reason=Reason.NOT_CALIBRATED if result is None else result.reason,
            neck_deviation_deg=_number(result.neck_deviation_deg if result else None),
            thoracic_deviation_deg=_number(result.thoracic_deviation_deg if result else None),
            slouch_ratio=_number(result.slouch_ratio if result else None),
            slouched_s=result.slouched_s if result else 0.0,
            sat_s=result.sat_s if result else 0.0,
            alerts=self._n_alerts,
            **self.details(),
        )


def read_status(folder: Path, *, patience_s: float = PATIENCE_S) -> Status | None:
    """Return the status of the monitor whose channel is in `folder`; None = none is running.

    Raises
    ------
    ControlError
        If one runs and does not answer within `patience_s` seconds.
    """
    reply = send(folder, commands.Status(), patience_s=patience_s)
    if reply is None:
        return None
    try:
        return msgspec.json.decode(reply.status, type=Status)
    except ValueError as error:
        raise ControlError("the running monitor is of another version; end it with 'posture stop'") from error


def _number(value: float | None) -> float | None:
    """Return `value`, or None for NaN, which JSON does not have."""
    return None if value is None or isnan(value) else round(value, 2)
