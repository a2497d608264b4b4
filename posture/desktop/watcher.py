"""Watch the surroundings in the background; the monitor asks and never waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from posture.desktop.battery import BatteryReading, read_battery
from posture.desktop.bus import Bus
from posture.desktop.call import Call, CallReading
from posture.desktop.circumstances import Circumstances
from posture.desktop.idle import Idle
from posture.desktop.lock import Lock
from posture.desktop.quiet import Quiet
from posture.settings import Settings

T = TypeVar("T")

LOCK_S, IDLE_S, BATTERY_S, CALL_S, QUIET_S = 3.0, 5.0, 20.0, 5.0, 10.0
"""Seconds between two looks: how late each may be noticed; docs/desktop.md has what it costs."""
MAX_INTERVAL_S = 60.0
"""Seconds; where nobody can tell, it is asked ever less often, down to this (our choice)."""
KEEP_S = 20.0
"""Seconds that a reading counts beyond its interval: a slow answer is no change, and nothing is believed for ever."""
CLOSE_S = 0.5

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Probe(Generic[T]):
    """One thing that is looked at again and again, and what it said last."""

    name: str
    read: Callable[[], T | None]
    """None = nobody can tell."""
    interval_s: float
    """Seconds between two looks."""
    value: T | None = None
    taken_s: float = float("-inf")
    """`time.monotonic()` of the newest reading that told something."""
    due_s: float = float("-inf")
    delay_s: float = 0.0

    def latest(self, now_s: float) -> T | None:
        """Return the newest reading; None = there is none, or it is out of date."""
        return self.value if now_s - self.taken_s <= self.interval_s + KEEP_S else None


class DesktopWatcher:
    """Look at the surroundings in one daemon thread.

    A context manager; nothing is read before it is entered. Whatever a desktop does, :meth:`latest` does not wait and
    :meth:`close` takes no longer than 0.5 s; what cannot be read any more is unknown after half a minute.

    Parameters
    ----------
    settings : Settings
        What is switched off is not looked at.
    """

    def __init__(self, settings: Settings) -> None:
        self._buses = (Bus("SESSION"), Bus("SYSTEM"))
        session, system = self._buses
        alert, pause = settings.alert, settings.pause
        self._lock: Probe[bool] = Probe("lock", Lock(session, system).read, LOCK_S)
        self._idle: Probe[float] = Probe("idle", Idle(session).read, IDLE_S)
        self._battery: Probe[BatteryReading] = Probe("battery", read_battery, BATTERY_S)
        self._call: Probe[CallReading] = Probe("call", Call(pause).read, CALL_S)
        self._quiet: Probe[bool] = Probe("do not disturb", Quiet(session).read, QUIET_S)
        wanted: list[tuple[Probe[Any], bool]] = [
            (self._lock, pause.when_locked),
            (self._idle, pause.when_idle_s > 0.0),
            (self._battery, True),
            (self._call, pause.in_call or alert.silent_in_call),
            (self._quiet, alert.respect_do_not_disturb),
        ]
        self._probes = [probe for probe, is_wanted in wanted if is_wanted]
        self._is_idle_wanted = True
        self._guard = threading.Lock()  # over values and their times, never held while reading
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="posture-desktop", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def latest(self, *, is_idle_wanted: bool = True) -> Circumstances:
        """Return what is known now; never waits, never raises.

        Parameters
        ----------
        is_idle_wanted : bool
            Whether idle time decides anything now: it is not looked at while it does not.
        """
        now_s = time.monotonic()
        self._is_idle_wanted = is_idle_wanted
        with self._guard:
            battery, call = self._battery.latest(now_s), self._call.latest(now_s)
            return Circumstances(
                is_locked=self._lock.latest(now_s),
                idle_s=self._idle.latest(now_s),
                is_on_battery=battery.is_on_battery if battery else None,
                battery_ratio=battery.ratio if battery else None,
                is_in_call=call.is_in_call if call else None,
                call_name=call.name if call else "",
                is_do_not_disturb=self._quiet.latest(now_s),
            )

    def close(self) -> None:
        """Stop watching; a look that hangs is left to its daemon thread, which does not hold up the exit."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        try:
            while not self._closed.is_set() and self._probes:
                wanted = [p for p in self._probes if self._is_idle_wanted or p is not self._idle]
                probe = min(wanted, key=lambda probe: probe.due_s, default=None)
                now_s = time.monotonic()
                if self._closed.wait(IDLE_S if probe is None else max(0.0, probe.due_s - now_s)):
                    return
                if probe is not None:
                    self._look(probe)
        finally:
            for bus in self._buses:
                bus.close()

    def _look(self, probe: Probe[Any]) -> None:
        """Take one reading; one that fails is worth as much as none."""
        value, failure = None, ""
        try:
            value = probe.read()
        except Exception as error:  # psutil, ctypes and the systems below raise anything
            failure = f"{type(error).__name__}: {error}"
        now_s = time.monotonic()
        is_first_failure = value is None and probe.delay_s == 0.0
        if value is None:
            probe.delay_s = min(2.0 * (probe.delay_s or probe.interval_s), MAX_INTERVAL_S)
            probe.due_s = now_s + probe.delay_s
        else:
            probe.delay_s, probe.due_s = 0.0, now_s + probe.interval_s
            with self._guard:
                probe.value, probe.taken_s = value, now_s
        if is_first_failure:
            _log.debug("%s: %s", probe.name, failure or "nobody can tell")
