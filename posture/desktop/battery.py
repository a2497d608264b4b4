"""Whether the computer runs on its battery."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatteryReading:
    """What the battery says; None = it does not."""

    is_on_battery: bool | None
    ratio: float | None
    """0 empty to 1 full."""


def read_battery() -> BatteryReading | None:
    """Return the battery's state; None = there is no battery, or nobody can tell."""
    import psutil

    find = getattr(psutil, "sensors_battery", None)  # not on every platform
    battery = find() if find is not None else None
    if battery is None:
        return None
    is_plugged, percent = battery.power_plugged, battery.percent
    return BatteryReading(
        None if is_plugged is None else not is_plugged,
        min(max(percent / 100.0, 0.0), 1.0) if percent is not None else None,
    )
