"""Whether the screen is locked, as far as the platform tells.

Linux: logind's ``LockedHint`` and the screen savers' ``GetActive``. Lockers such as i3lock and swaylock tell neither.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

from posture.desktop.bus import Bus, value_of

SCREEN_SAVERS = (
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
    ("org.kde.screensaver", "/ScreenSaver"),
)
"""Names and paths of the services that know whether the screen is blanked or locked; their interface is the name."""
LOOK_AROUND_S = 30.0
"""Seconds between two looks at which of them are there (our choice: desktops start them when they start)."""

GRAPHICAL = frozenset({"x11", "wayland", "mir"})
"""Types of login sessions that own a screen; a text console in the background says nothing about one."""

_LOGIN = "org.freedesktop.login1"


class Lock:
    """Tell whether somebody can be working at the screen.

    Parameters
    ----------
    session, system : Bus
        Not used on Windows and macOS.
    """

    def __init__(self, session: Bus, system: Bus) -> None:
        self._session, self._system = session, system
        self._savers: list[tuple[str, str]] = []
        self._looked_s: float | None = None
        self._login_path = ""

    def read(self) -> bool | None:
        """Return whether the screen is locked or blanked, or another user's; None = nobody can tell."""
        if sys.platform == "win32":
            return _windows_is_locked()
        if sys.platform == "darwin":
            return _mac_is_locked()
        answers = [
            self._login_session(),
            *(self._is_saver_active(*saver) for saver in self._present_savers()),
        ]
        if True in answers:
            return True
        return False if False in answers else None

    def _login_session(self) -> bool | None:
        """Return what logind knows of our session."""
        path = self._login_path or self._find_login_path()
        reply = self._system.call(
            _LOGIN, path, "org.freedesktop.DBus.Properties", "GetAll", "s", f"{_LOGIN}.Session"
        )
        if not reply or not isinstance(reply[0], dict):
            self._login_path = ""
            return None
        self._login_path = path
        known = {name: value_of(variant) for name, variant in reply[0].items()}
        is_locked = known.get("LockedHint")
        if is_locked is True:
            return True
        if known.get("Active") is False and known.get("Type") in GRAPHICAL:  # the screen is another session's
            return True
        return False if is_locked is False else None

    def _find_login_path(self) -> str:
        if own := os.environ.get("XDG_SESSION_ID"):
            manager = f"{_LOGIN}.Manager"
            reply = self._system.call(_LOGIN, "/org/freedesktop/login1", manager, "GetSession", "s", own)
            if reply and isinstance(reply[0], str):
                return reply[0]
        return "/org/freedesktop/login1/session/auto"  # the caller's own, or the user's graphical one

    def _present_savers(self) -> list[tuple[str, str]]:
        now_s = time.monotonic()
        if self._looked_s is None or now_s - self._looked_s >= LOOK_AROUND_S:
            names = self._session.names()
            self._savers = [saver for saver in SCREEN_SAVERS if saver[0] in names]
            self._looked_s = now_s
        return self._savers

    def _is_saver_active(self, name: str, path: str) -> bool | None:
        reply = self._session.call(name, path, name, "GetActive")
        return reply[0] if reply and isinstance(reply[0], bool) else None


def _windows_is_locked() -> bool | None:
    """Return what the session's flags say (WTSINFOEXW, not before Windows 8, whose flags were the wrong way round)."""
    if sys.platform != "win32":
        return None
    from ctypes import wintypes

    class Info(ctypes.Structure):
        """The beginning of WTSINFOEXW; the union begins at its 8-byte alignment."""

        _fields_ = (
            ("level", ctypes.c_uint32),
            ("padding", ctypes.c_uint32),
            ("session_id", ctypes.c_uint32),
            ("state", ctypes.c_int32),
            ("flags", ctypes.c_int32),
        )

    wts_session_info_ex, current_session, active, lock, unlock = 25, 0xFFFF_FFFF, 0, 0, 1
    wts = ctypes.WinDLL("wtsapi32", use_last_error=True)
    wts.WTSQuerySessionInformationW.argtypes = (
        wintypes.HANDLE,
        wintypes.DWORD,
        ctypes.c_int,
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.POINTER(wintypes.DWORD),
    )
    wts.WTSQuerySessionInformationW.restype = wintypes.BOOL
    wts.WTSFreeMemory.argtypes = (ctypes.c_void_p,)
    buffer, n_bytes = ctypes.c_void_p(), wintypes.DWORD()
    if not wts.WTSQuerySessionInformationW(
        None, current_session, wts_session_info_ex, ctypes.byref(buffer), ctypes.byref(n_bytes)
    ):
        return None
    try:
        if not buffer.value or n_bytes.value < ctypes.sizeof(Info):
            return None
        info = Info.from_address(buffer.value)
        if info.level != 1:
            return None
        if info.state != active or info.flags == lock:
            return True
        return False if info.flags == unlock else None
    finally:
        wts.WTSFreeMemory(buffer)


def _mac_is_locked() -> bool | None:
    """Return what the window server's session says (CGSession.h); the lock's key is there only while it is locked."""
    if sys.platform != "darwin":
        return None
    frameworks = "/System/Library/Frameworks"
    graphics = ctypes.CDLL(f"{frameworks}/ApplicationServices.framework/ApplicationServices")
    foundation = ctypes.CDLL(f"{frameworks}/CoreFoundation.framework/CoreFoundation")
    pointer, utf8 = ctypes.c_void_p, 0x0800_0100
    graphics.CGSessionCopyCurrentDictionary.restype = pointer
    foundation.CFStringCreateWithCString.argtypes = (pointer, ctypes.c_char_p, ctypes.c_uint32)
    foundation.CFStringCreateWithCString.restype = pointer
    foundation.CFDictionaryGetValue.argtypes = (pointer, pointer)
    foundation.CFDictionaryGetValue.restype = pointer
    foundation.CFBooleanGetValue.argtypes = (pointer,)
    foundation.CFBooleanGetValue.restype = ctypes.c_ubyte
    foundation.CFGetTypeID.argtypes = (pointer,)
    foundation.CFGetTypeID.restype = ctypes.c_ulong
    foundation.CFBooleanGetTypeID.restype = ctypes.c_ulong
    foundation.CFRelease.argtypes = (pointer,)
    session = graphics.CGSessionCopyCurrentDictionary()
    if not session:  # not within a graphical session
        return None

    def flag(name: bytes) -> bool | None:
        key = foundation.CFStringCreateWithCString(None, name, utf8)
        try:
            value = foundation.CFDictionaryGetValue(session, key)
            if not value or foundation.CFGetTypeID(value) != foundation.CFBooleanGetTypeID():
                return None
            return bool(foundation.CFBooleanGetValue(value))
        finally:
            foundation.CFRelease(key)

    try:
        is_locked, is_in_front = flag(b"CGSSessionScreenIsLocked"), flag(b"kCGSSessionOnConsoleKey")
    finally:
        foundation.CFRelease(session)
    return is_locked is True or is_in_front is False
