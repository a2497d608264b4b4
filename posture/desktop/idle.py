"""How long keyboard and mouse have been left alone, as far as the platform tells.

GNOME is asked over D-Bus, every X11 desktop through libxcb. Not libXss: Xlib ends the process when the X server goes.
Wayland has no answer of its own; what an X server inside it says is wrong and not asked.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys

from posture.desktop.bus import Bus

_MUTTER = "org.gnome.Mutter.IdleMonitor"


class Idle:
    """Tell for how long the person has touched nothing.

    Parameters
    ----------
    session : Bus
        Not used on Windows and macOS.
    """

    def __init__(self, session: Bus) -> None:
        self._session = session

    def read(self) -> float | None:
        """Return seconds since the last input; None = nobody can tell."""
        if sys.platform == "win32":
            return _windows_idle_s()
        if sys.platform == "darwin":
            return _mac_idle_s()
        reply = self._session.call(_MUTTER, "/org/gnome/Mutter/IdleMonitor/Core", _MUTTER, "GetIdletime")
        if reply and isinstance(reply[0], int):
            return reply[0] / 1000.0
        display = os.environ.get("DISPLAY", "")
        is_wayland = "WAYLAND_DISPLAY" in os.environ or os.environ.get("XDG_SESSION_TYPE") == "wayland"
        return x11_idle_s(display) if display and not is_wayland else None


class _Extension(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("global_id", ctypes.c_int))


class _Request(ctypes.Structure):
    """xcb_protocol_request_t."""

    _fields_ = (
        ("count", ctypes.c_size_t),
        ("extension", ctypes.POINTER(_Extension)),
        ("opcode", ctypes.c_uint8),
        ("is_void", ctypes.c_uint8),
    )


class _Part(ctypes.Structure):
    """The ``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _RootIterator(ctypes.Structure):
    _fields_ = (
        ("root", ctypes.POINTER(ctypes.c_uint32)),
        ("remaining", ctypes.c_int),
        ("index", ctypes.c_int),
    )


class _QueryInfo(ctypes.Structure):
    """ScreenSaverQueryInfo (X11 Screen Saver Extension, MIT X Consortium Standard, "QueryInfo")."""

    _fields_ = (("header", ctypes.c_uint32), ("window", ctypes.c_uint32))


class _QueryInfoReply(ctypes.Structure):
    _fields_ = (
        ("header", ctypes.c_uint32 * 2),
        ("saver_window", ctypes.c_uint32),
        ("ms_until_server", ctypes.c_uint32),
        ("ms_since_user_input", ctypes.c_uint32),
    )


_SCREEN_SAVER = _Extension(b"MIT-SCREEN-SAVER", 0)  # libxcb remembers the extension by this very object
_QUERY_INFO, _CHECKED = 1, 1


def x11_idle_s(display: str) -> float | None:
    """Return seconds since the last input at an X server; None = it cannot be asked.

    Connects for this one question: a connection that is kept would have to be watched.

    Parameters
    ----------
    display : str
        Such as ``:0``.
    """
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
        c = ctypes.CDLL(None)
    except OSError:  # no X11 on this machine
        return None
    pointer = ctypes.c_void_p
    xcb.xcb_connect.argtypes, xcb.xcb_connect.restype = (ctypes.c_char_p, pointer), pointer
    xcb.xcb_connection_has_error.argtypes = (pointer,)
    xcb.xcb_get_setup.argtypes, xcb.xcb_get_setup.restype = (pointer,), pointer
    xcb.xcb_setup_roots_iterator.argtypes = (pointer,)
    xcb.xcb_setup_roots_iterator.restype = _RootIterator
    xcb.xcb_send_request.argtypes = (pointer, ctypes.c_int, pointer, ctypes.POINTER(_Request))
    xcb.xcb_send_request.restype = ctypes.c_uint
    xcb.xcb_wait_for_reply.argtypes = (pointer, ctypes.c_uint, ctypes.POINTER(pointer))
    xcb.xcb_wait_for_reply.restype = pointer
    xcb.xcb_disconnect.argtypes = (pointer,)
    c.free.argtypes = (pointer,)
    connection = xcb.xcb_connect(display.encode("utf-8", "surrogateescape"), None)
    try:
        if xcb.xcb_connection_has_error(connection):
            return None
        roots = xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection))
        if roots.remaining < 1:
            return None
        question = _QueryInfo(0, roots.root[0])
        parts = (_Part * 4)()  # libxcb writes into the two before the first
        parts[2] = _Part(ctypes.addressof(question), ctypes.sizeof(question))
        request = _Request(2, ctypes.pointer(_SCREEN_SAVER), _QUERY_INFO, 0)
        number = xcb.xcb_send_request(
            connection, _CHECKED, ctypes.addressof(parts) + 2 * ctypes.sizeof(_Part), ctypes.byref(request)
        )
        error = pointer()
        reply = xcb.xcb_wait_for_reply(connection, number, ctypes.byref(error))
        c.free(error)
        if not reply:  # no such extension, or the server has gone
            return None
        idle_ms: int = _QueryInfoReply.from_address(reply).ms_since_user_input
        c.free(reply)
        return idle_ms / 1000.0
    finally:
        xcb.xcb_disconnect(connection)


def _windows_idle_s() -> float | None:
    """Return what GetLastInputInfo says of this session; its 32-bit clock starts anew after 50 days."""
    if sys.platform != "win32":
        return None
    from ctypes import wintypes

    class LastInput(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint32), ("tick_ms", ctypes.c_uint32))

    user, kernel = ctypes.WinDLL("user32"), ctypes.WinDLL("kernel32")
    user.GetLastInputInfo.argtypes = (ctypes.POINTER(LastInput),)
    user.GetLastInputInfo.restype = wintypes.BOOL
    kernel.GetTickCount.restype = ctypes.c_uint32
    last = LastInput(ctypes.sizeof(LastInput), 0)
    if not user.GetLastInputInfo(ctypes.byref(last)):
        return None
    return float((kernel.GetTickCount() - last.tick_ms) & 0xFFFF_FFFF) / 1000.0


def _mac_idle_s() -> float | None:
    """Return what the window server says of keyboards and mice (CGEventSource.h)."""
    if sys.platform != "darwin":
        return None
    graphics = ctypes.CDLL("/System/Library/Frameworks/ApplicationServices.framework/ApplicationServices")
    seconds = graphics.CGEventSourceSecondsSinceLastEventType
    seconds.argtypes, seconds.restype = (ctypes.c_int32, ctypes.c_uint32), ctypes.c_double
    hid_system_state, any_input = 1, 0xFFFF_FFFF
    idle_s = float(seconds(hid_system_state, any_input))
    return idle_s if math.isfinite(idle_s) and idle_s >= 0.0 else None
