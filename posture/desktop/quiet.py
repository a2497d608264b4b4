"""Whether the desktop has been told not to disturb.

Linux: the notification services that tell (KDE Plasma, dunst, xfce4-notifyd, swaync) over D-Bus; GNOME, Cinnamon,
MATE and Budgie by their settings. Windows: full-screen programs, presentations and the quiet first hour. macOS does
not tell.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

from posture.desktop.bus import Bus, value_of

ASK_AGAIN_S = 300.0
"""Seconds between two looks at settings whose file has not changed: they may be kept elsewhere (our choice)."""
PATIENCE_S = 2.0
"""Seconds; ``gsettings`` takes some 10 ms."""
SETTINGS = {
    "GNOME": ("org.gnome.desktop.notifications", "show-banners", "false"),
    "Budgie": ("org.gnome.desktop.notifications", "show-banners", "false"),
    "Unity": ("org.gnome.desktop.notifications", "show-banners", "false"),
    "X-Cinnamon": ("org.cinnamon.desktop.notifications", "display-notifications", "false"),
    "MATE": ("org.mate.NotificationDaemon", "do-not-disturb", "true"),
}
"""By ``XDG_CURRENT_DESKTOP``: schema, key, and its value while nobody may disturb."""

_SERVICE, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_PROPERTIES = ((_SERVICE, "Inhibited"), ("org.dunstproject.cmd0", "paused"))
_XFCE, _SWAYNC = "org.xfce.Xfconf", "org.erikreider.swaync.cc"


class Quiet:
    """Tell whether the person wants no notifications now.

    Parameters
    ----------
    session : Bus
        Not used on Windows and macOS.
    """

    def __init__(self, session: Bus) -> None:
        self._session = session
        self._settings = _DesktopSettings()

    def read(self) -> bool | None:
        """Return whether nobody may disturb; None = nobody can tell."""
        if sys.platform == "win32":
            return _windows_is_quiet()
        if sys.platform == "darwin":
            return None
        answers = [self._of_service(), self._settings.read()]
        if True in answers:
            return True
        return False if False in answers else None

    def _of_service(self) -> bool | None:
        names = self._session.names()
        if _SERVICE in names:
            for interface, prop in _PROPERTIES:
                value = self._session.get(_SERVICE, _PATH, interface, prop)
                if isinstance(value, bool):
                    return value
        if _SWAYNC in names:
            reply = self._session.call(_SWAYNC, "/org/erikreider/swaync/cc", _SWAYNC, "GetDnd")
            if reply and isinstance(reply[0], bool):
                return reply[0]
        if _XFCE in names and "XFCE" in _desktops():
            reply = self._session.call(
                _XFCE, "/org/xfce/Xfconf", _XFCE, "GetProperty", "ss", "xfce4-notifyd", "/do-not-disturb"
            )
            value = value_of(reply[0]) if reply else False  # no such property: it was never switched on
            return value if isinstance(value, bool) else None
        return None


class _DesktopSettings:
    """What ``gsettings`` says; run only when the settings' file has changed."""

    def __init__(self) -> None:
        self._answer: bool | None = None
        self._changed_ns: int | None = None
        self._asked_s: float | None = None

    def read(self) -> bool | None:
        """Return whether nobody may disturb; None = another desktop, or no ``gsettings``."""
        known = next((SETTINGS[desktop] for desktop in _desktops() if desktop in SETTINGS), None)
        if known is None:
            return None
        changed_ns, now_s = _changed_ns(), time.monotonic()
        is_due = self._asked_s is None or now_s - self._asked_s >= ASK_AGAIN_S
        if is_due or changed_ns != self._changed_ns:
            self._changed_ns, self._asked_s = changed_ns, now_s
            schema, key, quiet_value = known
            text = _gsetting(schema, key)
            self._answer = text == quiet_value if text in ("true", "false") else None
        return self._answer


def _desktops() -> list[str]:
    return os.environ.get("XDG_CURRENT_DESKTOP", "").split(":")


def _changed_ns() -> int:
    """Return when the file of the settings (dconf's) was last written; 0 = there is none."""
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 (never raises)
    try:
        return (Path(folder) / "dconf/user").stat().st_mtime_ns
    except OSError:
        return 0


def _gsetting(schema: str, key: str) -> str:
    """Return a setting's text; empty = it cannot be asked for."""
    try:
        done = subprocess.run(
            ["gsettings", "get", schema, key],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
            start_new_session=True,  # Ctrl-C is for us
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()


def _windows_is_quiet() -> bool | None:
    """Return what SHQueryUserNotificationState says; focus assist itself has no documented interface."""
    if sys.platform != "win32":
        return None
    full_screen, direct_3d, presentation, accepts, quiet_time, store_app = 2, 3, 4, 5, 6, 7
    state = ctypes.c_int()
    if ctypes.WinDLL("shell32").SHQueryUserNotificationState(ctypes.byref(state)) != 0:
        return None
    if state.value in (full_screen, direct_3d, presentation, quiet_time):
        return True
    return False if state.value in (accepts, store_app) else None
