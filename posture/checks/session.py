"""Can the person be told: the desktop session and its notification service."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

from posture.checks.finding import Finding, broken, fine, skipped, warning
from posture.errors import NotifyError
from posture.notify import Notification, Notifier
from posture.settings import Settings

ANSWER_S = 2.0
"""Seconds for the bus and the notification service to answer; they take milliseconds (our choice)."""
_SERVICE = "org.freedesktop.Notifications"
_TEST = Notification(
    "Posture: a test", "'posture doctor' asked for this. Nothing is wrong with how you sit.", 5
)


def check_session() -> Iterator[Finding]:
    """Tell whether there is a desktop to notify."""
    if not _is_freedesktop():
        yield fine("desktop session", sys.platform)
        return
    screen = next((name for name in ("WAYLAND_DISPLAY", "DISPLAY") if os.environ.get(name)), None)
    desktop = os.environ.get("XDG_CURRENT_DESKTOP") or "desktop not named"
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        text = "no session bus: DBUS_SESSION_BUS_ADDRESS is not set"
        yield warning("desktop session", text, "start posture inside the desktop session")
        return
    names = _ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames")
    if names is None:
        yield warning("desktop session", "the session bus does not answer", "log out and in again")
    elif screen is None:
        yield warning(
            "desktop session", "session bus, but no screen", "start posture inside the desktop session"
        )
    else:
        yield fine("desktop session", f"{desktop}, {screen}={os.environ[screen]}, session bus answers")


def check_notifications(settings: Settings, notifier: Notifier, *, is_sending: bool) -> Iterator[Finding]:
    """Send a notification as the monitor would, or only ask who would show it.

    Parameters
    ----------
    settings : Settings
        Whether notifications are wanted at all.
    notifier : Notifier
        What the monitor would use; its own patience should be some seconds.
    is_sending : bool
        False = show nothing.
    """
    if not settings.notify.enabled:
        yield skipped("notifications", "off in the configuration (notify.enabled)")
        return
    server = None
    if _is_freedesktop() and os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        server = _ask(_SERVICE, "/" + _SERVICE.replace(".", "/"), _SERVICE, "GetServerInformation")
    who = " ".join(str(part) for part in (server[0], server[2])) if server and len(server) > 2 else None
    if is_sending:
        start_s = time.monotonic()
        try:
            notifier.send(_TEST)
        except NotifyError as error:
            yield broken("notifications", str(error))
            return
        took_ms = (time.monotonic() - start_s) * 1000.0
        told = f"one was sent; {who or 'the desktop'} accepted it in {took_ms:.0f} ms"
        yield fine("notifications", f"{told} (do not disturb may still hide it)")
    elif not _is_freedesktop():
        yield skipped("notifications", "not sent")
    elif who is None:
        yield broken("notifications", "no notification service answers", "start one, such as dunst")
    else:
        yield fine("notifications", f"{who} answers; none was sent")


def _is_freedesktop() -> bool:
    """Return whether desktops here speak D-Bus."""
    return sys.platform not in ("win32", "darwin")


def _ask(name: str, path: str, interface: str, member: str) -> tuple[object, ...] | None:
    """Return what a D-Bus method answers; None = nothing, an error, or nobody there."""
    from jeepney import DBusAddress, MessageType, new_method_call
    from jeepney.io.blocking import open_dbus_connection

    try:
        connection = open_dbus_connection("SESSION")
        try:
            address = DBusAddress(path, bus_name=name, interface=interface)
            reply = connection.send_and_get_reply(new_method_call(address, member), timeout=ANSWER_S)
        finally:
            connection.close()
    except Exception:  # no socket, no permission, not D-Bus, no answer: all mean that it cannot be asked
        return None
    return tuple(reply.body) if reply.header.message_type is MessageType.method_return else None
