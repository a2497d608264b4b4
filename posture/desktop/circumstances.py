"""What is known about the surroundings, and what follows from it. Pure; no I/O.

None means that nobody can tell, and what nobody can tell never pauses or silences anything: a monitor that cannot see
the lock goes on by what the camera shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from posture.settings import Settings
from posture.slouch import Reason


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds the monitor now; None = nobody can tell."""

    is_locked: bool | None = None
    """The screen is locked or blanked, or another user sits at the computer."""
    idle_s: float | None = None
    """Seconds since the keyboard or the mouse was last used."""
    is_on_battery: bool | None = None
    """A battery there is gives the power."""
    battery_ratio: float | None = None
    """How full it is, 0 to 1; for showing, nothing is decided on it."""
    is_in_call: bool | None = None
    """Another program uses a camera or the microphone, or one of `pause.call_apps` runs."""
    call_name: str = ""
    """What says so, for the person: a program, or ``microphone``; empty while there is no call."""
    is_do_not_disturb: bool | None = None
    """The desktop has been told to keep notifications to itself."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the surroundings ask of the monitor."""

    rest: Reason = Reason.NONE
    """Why the camera is let go and nothing is judged; NONE = go on."""
    is_muted: bool = False
    """No alert and no reminder is shown; watching goes on."""
    preset: str = ""
    """The pace, a key of :data:`posture.duty.PACES`."""
    detail: str = ""
    """What the reason is about, such as the program in a call; may be empty."""


def decide(circumstances: Circumstances, settings: Settings, *, is_present: bool) -> Orders:
    """Return what the surroundings ask for.

    Nothing is remembered, so nothing can get stuck: what is over is over with the next call.

    Parameters
    ----------
    circumstances : Circumstances
        Of now.
    settings : Settings
        ``pause``, ``power`` and ``alert`` are used.
    is_present : bool
        Somebody may be there: False only if nobody was when the camera last looked (AWAY), also while it is let go.
        Who reads without touching the keyboard is there, and so is who cannot be judged.

    Returns
    -------
    Orders
        Of several reasons the one that says most: locked, in a call, on battery, idle.
    """
    now, pause = circumstances, settings.pause
    is_on_battery, is_in_call = now.is_on_battery is True, now.is_in_call is True
    idle_s = now.idle_s if now.idle_s is not None else 0.0
    rest, detail = Reason.NONE, ""
    if pause.when_locked and now.is_locked is True:
        rest = Reason.SCREEN_LOCKED
    elif pause.in_call and is_in_call:
        rest, detail = Reason.IN_CALL, now.call_name
    elif settings.power.stop_on_battery and is_on_battery:
        rest = Reason.ON_BATTERY
    elif pause.when_idle_s > 0.0 and idle_s >= pause.when_idle_s and not is_present:
        rest = Reason.IDLE
    is_muted = (settings.alert.respect_do_not_disturb and now.is_do_not_disturb is True) or (
        settings.alert.silent_in_call and is_in_call
    )
    battery_preset = settings.power.battery_preset if is_on_battery else ""
    return Orders(rest, is_muted, battery_preset or settings.power.preset, detail)
