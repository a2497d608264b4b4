"""What the Windows and macOS branches make of the systems' answers.

NOT RUN on either system: libraries and registry are played. Claimed: structures have the documented layout, answers
mean what the documentation says, and what is refused is unknown.
"""

import ctypes
import struct
import sys
import types

import pytest

from posture.desktop import call as call_module
from posture.desktop.bus import Bus
from posture.desktop.call import Call, CallReading
from posture.desktop.idle import Idle
from posture.desktop.lock import Lock
from posture.desktop.quiet import Quiet
from posture.settings import PauseSettings


class Function:
    """A function of a library, which may be given types."""

    def __init__(self, body):
        self.body = body

    def __call__(self, *args):
        return self.body(*args)


def library(**functions):
    return types.SimpleNamespace(**{name: Function(body) for name, body in functions.items()})


@pytest.fixture
def windows(monkeypatch):
    """Be on Windows, with these libraries."""
    libraries = {}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, **_: libraries[name], raising=False)
    return libraries


@pytest.fixture
def mac(monkeypatch):
    """Be on a Mac, with these frameworks."""
    libraries = {}
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda path: libraries[path.rsplit("/", 1)[-1]])
    return libraries


def locked():
    return Lock(Bus("SESSION"), Bus("SYSTEM")).read()


@pytest.mark.parametrize(
    ("level", "state", "flags", "is_locked"),
    [
        (1, 0, 0, True),  # WTS_SESSIONSTATE_LOCK
        (1, 0, 1, False),  # WTS_SESSIONSTATE_UNLOCK
        (1, 0, -1, None),  # WTS_SESSIONSTATE_UNKNOWN
        (1, 4, 1, True),  # disconnected: another user sits there
        (2, 0, 1, None),
    ],
)
def test_windows_session_flags(windows, level, state, flags, is_locked):
    # WTSINFOEXW: a DWORD, then a union aligned to its 64-bit times.
    raw = ctypes.create_string_buffer(struct.pack("<I4xIii200x", level, 7, state, flags))
    freed = []

    def query(server, session, what, buffer, n_bytes):
        assert (server, session, what) == (None, 0xFFFFFFFF, 25)
        buffer._obj.value, n_bytes._obj.value = ctypes.addressof(raw), len(raw)
        return 1

    windows["wtsapi32"] = library(WTSQuerySessionInformationW=query, WTSFreeMemory=freed.append)
    assert locked() is is_locked
    assert len(freed) == 1


def test_windows_that_refuses(windows):
    windows["wtsapi32"] = library(WTSQuerySessionInformationW=lambda *_: 0, WTSFreeMemory=lambda _: None)
    windows["user32"], windows["kernel32"] = library(GetLastInputInfo=lambda _: 0), library(GetTickCount=int)
    windows["shell32"] = library(
        SHQueryUserNotificationState=lambda found: setattr(found._obj, "value", 5) or -1
    )
    assert (locked(), Idle(Bus("SESSION")).read(), Quiet(Bus("SESSION")).read()) == (None, None, None)


@pytest.mark.parametrize(
    ("now_ms", "last_ms", "idle_s"), [(90_000, 30_000, 60.0), (500, 2**32 - 500, 1.0), (7, 7, 0.0)]
)
def test_windows_idle_time_across_its_clocks_end(windows, now_ms, last_ms, idle_s):
    def last_input(info):
        assert info._obj.size == 8
        info._obj.tick_ms = last_ms
        return 1

    windows["user32"] = library(GetLastInputInfo=last_input)
    windows["kernel32"] = library(GetTickCount=lambda: now_ms)
    assert Idle(Bus("SESSION")).read() == idle_s


@pytest.mark.parametrize(
    ("state", "is_quiet"),
    [(1, None), (2, True), (3, True), (4, True), (5, False), (6, True), (7, False), (99, None)],
)
def test_windows_notification_state(windows, state, is_quiet):
    def query(found):
        found._obj.value = state
        return 0

    windows["shell32"] = library(SHQueryUserNotificationState=query)
    assert Quiet(Bus("SESSION")).read() is is_quiet


class Key:
    def __init__(self, node):
        self.node = node

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


class Registry(types.ModuleType):
    """`winreg` over a dict of key to values, as far as it is used."""

    HKEY_CURRENT_USER = "user"

    def __init__(self, keys):
        super().__init__("winreg")
        self.keys = keys

    def OpenKey(self, parent, path):
        assert parent == "user"
        if not any(key == path or key.startswith(path + "\\") for key in self.keys):
            raise FileNotFoundError(2, path)
        return Key(path)

    def _children(self, key):
        start = key.node + "\\"
        return sorted({name[len(start) :].split("\\")[0] for name in self.keys if name.startswith(start)})

    def QueryInfoKey(self, key):
        return (len(self._children(key)), 0, 0)

    def EnumKey(self, key, index):
        return self._children(key)[index]

    def QueryValueEx(self, key, name):
        try:
            return self.keys[key.node][name], 11
        except KeyError:
            raise FileNotFoundError(2, name) from None


OWN = r"C:\Python\python.exe"


@pytest.mark.parametrize(
    ("users", "wanted"),
    [
        ({}, CallReading(False)),
        ({r"webcam\NonPackaged\C:#Zoom#bin#Zoom.exe": 0}, CallReading(True, "Zoom.exe")),
        ({r"webcam\NonPackaged\C:#Zoom#bin#Zoom.exe": 133}, CallReading(False)),
        ({r"webcam\MSTeams_8wekyb3d8bbwe": 0}, CallReading(True, "MSTeams")),
        ({r"webcam\MSTeams_8wekyb3d8bbwe": None}, CallReading(False)),
        ({r"microphone\MSTeams_8wekyb3d8bbwe": 0}, CallReading(True, "MSTeams")),
        ({r"webcam\NonPackaged\C:#Python#python.exe": 0}, CallReading(False)),
        ({r"webcam\NonPackaged\c:#python#PYTHON.EXE": 0, r"webcam\A_1": 0}, CallReading(True, "A")),
    ],
)
def test_windows_camera_and_microphone_users(windows, monkeypatch, users, wanted):
    keys = {
        rf"{call_module._CONSENT}\{name}": {} if stopped is None else {"LastUsedTimeStop": stopped}
        for name, stopped in users.items()
    }
    monkeypatch.setitem(sys.modules, "winreg", Registry(keys))
    monkeypatch.setattr(sys, "executable", OWN)
    assert Call(PauseSettings()).read() == wanted


def test_windows_dictation_that_is_no_call(windows, monkeypatch):
    key = rf"{call_module._CONSENT}\microphone\Dictation_1"
    monkeypatch.setitem(sys.modules, "winreg", Registry({key: {"LastUsedTimeStop": 0}}))
    assert Call(PauseSettings(microphone_is_call=False)).read() == CallReading(False)


@pytest.mark.parametrize(
    ("session", "is_locked"),
    [
        ({}, False),
        ({"CGSSessionScreenIsLocked": True, "kCGSSessionOnConsoleKey": True}, True),
        ({"CGSSessionScreenIsLocked": False}, False),
        ({"kCGSSessionOnConsoleKey": True}, False),
        ({"kCGSSessionOnConsoleKey": False}, True),
        ({"CGSSessionScreenIsLocked": "text"}, False),
        (None, None),
    ],
)
def test_mac_session(mac, session, is_locked):
    n_held = 0

    def hold(value):
        nonlocal n_held
        n_held += 1
        return value

    def release(_):
        nonlocal n_held
        n_held -= 1

    mac["ApplicationServices"] = library(
        CGSessionCopyCurrentDictionary=lambda: None if session is None else hold(1)
    )
    values = {True: 11, False: 12, "text": 13}
    mac["CoreFoundation"] = library(
        CFStringCreateWithCString=lambda _, text, coding: (
            hold(text.decode()) if coding == 0x08000100 else None
        ),
        CFDictionaryGetValue=lambda _, key: values[session[key]] if key in session else None,
        CFGetTypeID=lambda value: 5 if value in (11, 12) else 6,
        CFBooleanGetTypeID=lambda: 5,
        CFBooleanGetValue=lambda value: value == 11,
        CFRelease=release,
    )
    assert locked() is is_locked
    assert n_held == 0


@pytest.mark.parametrize(("seconds", "idle_s"), [(12.5, 12.5), (-1.0, None), (float("nan"), None)])
def test_mac_idle_time(mac, seconds, idle_s):
    mac["ApplicationServices"] = library(
        CGEventSourceSecondsSinceLastEventType=lambda source, event: (
            seconds if (source, event) == (1, 0xFFFFFFFF) else 0.0
        )
    )
    assert Idle(Bus("SESSION")).read() == idle_s


def test_what_macos_does_not_tell(mac):
    assert Call(PauseSettings()).read() is None
    assert Quiet(Bus("SESSION")).read() is None
