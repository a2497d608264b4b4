"""What the tray shows for what the monitor tells: which icon, which words, which menu. Knows neither clock nor Qt.

Seconds are rounded as shown, so that an icon and a text change only when there is something to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from posture.control.commands import Command, Pause, Recalibrate, Resume, Rezero, Snooze, Stop, Wrong
from posture.slouch import Reason, SlouchState
from posture.status import Status
from posture.wording import span_text
from posture.words import GREY, REASONS, STATES, degrees_text

LONGEST_TOOLTIP: Final = 127
"""UTF-16 units; Windows shows no more (NOTIFYICONDATA.szTip)."""
LONGEST_LINE: Final = 80
"""Characters of the menu's first line (our choice: a menu as wide as the screen helps nobody)."""

_RESTS: Final = {
    Reason.PAUSED,
    Reason.SCREEN_LOCKED,
    Reason.IDLE,
    Reason.IN_CALL,
    Reason.ON_BATTERY,
}
_DESKTOPS_RESTS: Final = _RESTS - {Reason.PAUSED}
# Some trays take a text for markup, menus an ampersand for a shortcut.
_HARMLESS: Final = str.maketrans({"<": "‹", ">": "›", "&": "+"})


class Icon(Enum):
    """What the icon shows; each has its own shape beside its colour."""

    UPRIGHT = "upright"
    SLOUCHING = "slouching"
    """A slouch has begun."""
    ALERT = "alert"
    """It has lasted as long as it takes to be mentioned."""
    AWAY = "away"
    UNKNOWN = "unknown"
    RESTING = "resting"
    TROUBLE = "trouble"
    """A monitor runs and does not answer, or does nothing."""
    OFF = "off"
    """No monitor runs."""


COLOURS: Final[Mapping[Icon, str]] = MappingProxyType(
    {
        Icon.UPRIGHT: STATES[SlouchState.UPRIGHT][2],
        Icon.SLOUCHING: STATES[SlouchState.SLOUCHING][2],
        Icon.ALERT: STATES[SlouchState.SLOUCHING][2],
        Icon.AWAY: STATES[SlouchState.AWAY][2],
        Icon.UNKNOWN: STATES[SlouchState.UNKNOWN][2],
        Icon.RESTING: STATES[SlouchState.UNKNOWN][2],
        Icon.TROUBLE: STATES[SlouchState.UNKNOWN][2],
        Icon.OFF: GREY,
    }
)
"""``#rrggbb``, those of the terminal."""


class Item(Enum):
    """What the menu may hold, in its order."""

    STATE = "state"
    START = "start"
    PAUSE_SHORT = "pause_short"
    PAUSE = "pause"
    RESUME = "resume"
    SNOOZE_SHORT = "snooze_short"
    SNOOZE_LONG = "snooze_long"
    REZERO = "rezero"
    RECALIBRATE = "recalibrate"
    WRONG = "wrong"
    REPORT = "report"
    STOP = "stop"
    QUIT = "quit"


GROUPS: Final[tuple[tuple[Item, ...], ...]] = (
    (Item.STATE,),
    (Item.START, Item.PAUSE_SHORT, Item.PAUSE, Item.RESUME, Item.SNOOZE_SHORT, Item.SNOOZE_LONG),
    (Item.REZERO, Item.RECALIBRATE, Item.WRONG, Item.REPORT),
    (Item.STOP, Item.QUIT),
)
"""Between two of them is a line."""
COMMANDS: Final[Mapping[Item, Command]] = MappingProxyType(
    {
        Item.PAUSE_SHORT: Pause(1800.0),
        Item.PAUSE: Pause(),
        Item.RESUME: Resume(),
        Item.SNOOZE_SHORT: Snooze(900.0),
        Item.SNOOZE_LONG: Snooze(3600.0),
        Item.REZERO: Rezero(),
        Item.RECALIBRATE: Recalibrate(),
        Item.WRONG: Wrong(),
        Item.STOP: Stop(),
    }
)
"""What the monitor is told; the others are the tray's own."""
_LABELS: Final[Mapping[Item, str]] = MappingProxyType(
    {
        Item.START: "Start the monitor",
        Item.PAUSE_SHORT: "Pause for 30 min",
        Item.PAUSE: "Pause until resumed",
        Item.RESUME: "Resume",
        Item.SNOOZE_SHORT: "Snooze for 15 min",
        Item.SNOOZE_LONG: "Snooze for 1 h",
        Item.REZERO: "Re-zero: upright as now",
        Item.RECALIBRATE: "Recalibrate",
        Item.WRONG: "The last alert was wrong",
        Item.REPORT: "Report",
        Item.STOP: "Stop the monitor",
        Item.QUIT: "Remove this icon",
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the monitor."""

    status: Status | None
    """None = none runs, or it is in trouble."""
    trouble: str = ""
    """Why its status is not known though it runs; empty = it is, or none runs."""


@dataclass(frozen=True, slots=True)
class TrayView:
    """Exactly what the tray shows: equal views look the same."""

    icon: Icon
    tooltip: str
    entries: Mapping[Item, str]
    """What the menu holds, with its words."""


def make_view(standing: Standing) -> TrayView:
    """Return what is to be shown."""
    icon = _icon(standing)
    line = _headline(icon, standing)
    entries = {Item.STATE: _shorten(line[0].upper() + line[1:], LONGEST_LINE)}
    offered = _offered(standing)
    entries |= {item: label for item, label in _LABELS.items() if item in offered}
    if Item.RESUME in entries and standing.status and standing.status.reason is not Reason.PAUSED:
        entries[Item.RESUME] = "End the snooze"
    return TrayView(icon, _tooltip(line, standing.status), MappingProxyType(entries))


def _icon(standing: Standing) -> Icon:
    """Return which icon is to be shown."""
    status = standing.status
    if status is None:
        return Icon.TROUBLE if standing.trouble else Icon.OFF
    if status.is_late:
        return Icon.TROUBLE
    if status.reason in _RESTS:
        return Icon.RESTING
    if status.state is SlouchState.SLOUCHING:
        lasts = status.sustain_s is not None and status.slouched_s >= status.sustain_s
        return Icon.ALERT if lasts else Icon.SLOUCHING
    return {
        SlouchState.UPRIGHT: Icon.UPRIGHT,
        SlouchState.AWAY: Icon.AWAY,
        SlouchState.UNKNOWN: Icon.UNKNOWN,
    }[status.state]


def _headline(icon: Icon, standing: Standing) -> str:
    """Return the state in a line."""
    status = standing.status
    if status is None:
        return _plain(standing.trouble).strip() or "no monitor is running"
    if icon is Icon.TROUBLE:
        return f"nothing seen for {span_text(status.age_s or 0.0) or 'a day'}: does the monitor hang?"
    if status.reason is Reason.NOT_CALIBRATED:
        return "starting" if status.age_s is None else REASONS[status.reason]
    reason = REASONS[status.reason]
    if status.reason in _RESTS:
        detail = f" ({_shorten(_plain(status.rest_detail), 40)})" if status.rest_detail else ""
        return f"{reason}{detail}{_left(status.paused_for_s)}"
    word = STATES[status.state][1]
    if status.state is SlouchState.SLOUCHING:
        return f"{word} for {_seconds(status.slouched_s)}"
    return f"{word}: {reason}" if reason and status.state is SlouchState.UNKNOWN else word


def _tooltip(line: str, status: Status | None) -> str:
    """Return the lines of the tooltip, as many as fit."""
    lines = [f"Posture: {_shorten(line, 110)}"]
    if status is not None and not status.is_late:
        seen = [
            f"{name} {degrees_text(float(value))}"
            for name, value in (("neck", status.neck_deviation_deg), ("trunk", status.thoracic_deviation_deg))
            if value is not None and status.state in (SlouchState.UPRIGHT, SlouchState.SLOUCHING)
        ]
        lines += [f"{', '.join(seen)} from your upright"] if seen and status.reason not in _RESTS else []
        lines += [f"sitting for {span_text(status.sat_s // 60 * 60)}"] if 60 <= status.sat_s <= 86400 else []
        if status.snoozed_for_s is not None:
            lines.append(f"no notifications{_left(status.snoozed_for_s)}")
    while len("\n".join(lines).encode("utf-16-le")) > 2 * LONGEST_TOOLTIP:
        lines.pop()
    return "\n".join(lines)


def _offered(standing: Standing) -> set[Item]:
    """Return what may be chosen now."""
    status = standing.status
    items = {Item.REPORT, Item.QUIT}
    if status is None:
        return items | ({Item.STOP} if standing.trouble else {Item.START})
    items.add(Item.STOP)
    if status.reason is Reason.PAUSED:
        return items | {Item.RESUME, Item.REZERO, Item.RECALIBRATE}
    items |= {Item.PAUSE_SHORT, Item.PAUSE}
    items |= {Item.SNOOZE_SHORT, Item.SNOOZE_LONG} if status.snoozed_for_s is None else {Item.RESUME}
    if status.reason not in _DESKTOPS_RESTS:
        items |= {Item.REZERO, Item.RECALIBRATE}
    if status.alerts:
        items.add(Item.WRONG)
    return items


def _left(seconds: float | None) -> str:
    """Return how long something lasts still, in minutes begun: it would change every second otherwise."""
    if seconds is None:
        return ""
    minutes = max(1, -int(-seconds // 60.0))
    return f", {span_text(minutes * 60.0) or 'a day'} left"


def _seconds(seconds: float) -> str:
    """Return a span, below two minutes in steps of 5 s."""
    return span_text(seconds // 5.0 * 5.0) or ("a moment" if seconds < 5.0 else "a day")


def _plain(text: str) -> str:
    """Return `text` on one line, without what a tray would take for markup or a shortcut."""
    harmless = text.translate(_HARMLESS)
    return "".join(c if c.isprintable() else "?" for c in harmless)


def _shorten(text: str, length: int) -> str:
    """Return `text` with no more than `length` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
