"""What a running monitor can be told, and what it answers; as text on the way."""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from posture.errors import ControlError

LONGEST_S = 86_400.0
"""Seconds; no pause or snooze is longer (our choice: whoever wants more ends the monitor)."""
_DURATION = re.compile(r"(?:(\d{1,9})\s*h)?\s*(?:(\d{1,9})\s*m(?:in)?)?\s*(?:(\d{1,9})\s*s)?", re.I)


class _Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag=str.lower):
    """Something to do; which is its class's name in small letters."""


class Status(_Command, frozen=True):
    """Tell what is seen."""


class Pause(_Command, frozen=True):
    """Stop judging and let the camera go."""

    seconds: float | None = None
    """None = until it is told to go on."""


class Resume(_Command, frozen=True):
    """Go on after a pause; a snooze ends too."""


class Snooze(_Command, frozen=True):
    """Go on judging, but say nothing for a while."""

    seconds: float = 900.0


class Recalibrate(_Command, frozen=True):
    """Take a new baseline, of so many seconds."""

    seconds: float | None = None
    """None = as `calibration.seconds` says."""


class Rezero(_Command, frozen=True):
    """Move the baseline to how the person sits upright now."""


class Wrong(_Command, frozen=True):
    """Note that an alert was wrong."""

    note: str = ""


class Stop(_Command, frozen=True):
    """End."""


Command: TypeAlias = Status | Pause | Resume | Snooze | Recalibrate | Rezero | Wrong | Stop


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor says to a command."""

    is_ok: bool
    text: str
    """One line for the person."""
    status: msgspec.Raw = msgspec.Raw(b"null")
    """JSON of :class:`posture.status.Status`, for ``status``."""


def parse_duration(text: str) -> float:
    """Return the seconds of ``90``, ``90s``, ``30m`` or ``1h30m``; a bare number is minutes.

    Raises
    ------
    ControlError
        If it is none of these, nothing, or longer than a day.
    """
    given = text.strip()
    found = _DURATION.fullmatch(f"{given}m" if given.isdecimal() else given)
    if not given or found is None:
        raise ControlError(f"{text!r} is no length of time; write it like 90s, 30m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total_s = hours * 3600.0 + minutes * 60.0 + seconds
    check_seconds(total_s)
    return total_s


def check_seconds(seconds: float | None) -> None:
    """Raise ControlError unless `seconds` is a length of time that can be meant; None is."""
    if seconds is not None and not 1.0 <= seconds <= LONGEST_S:
        raise ControlError(f"{seconds:g} s is no length for that; choose 1 second to 24 hours")


def decode(message: bytes) -> Command:
    """Return the command of a message.

    Raises
    ------
    ControlError
        If it is none; whatever the bytes are.
    """
    try:
        command: Command = msgspec.json.decode(message, type=Command)
    except (ValueError, RecursionError) as error:  # DecodeError and ValidationError are ValueErrors
        raise ControlError(f"not a command: {' '.join(str(error).split())}") from error
    check_seconds(getattr(command, "seconds", None))
    return command
