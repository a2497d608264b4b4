"""Whether the person is in a call, by what other programs use.

Linux: a ``/dev/videoN`` that another process of the same user has open, and a microphone that is recording.
Windows writes down who uses camera and microphone. macOS tells neither without more rights. Everywhere: programs that
the person has named.

Why the microphone: while we hold a camera, a call program cannot start it, so that nothing but the microphone says
that a call begins. Why no program is named by default: those that make calls run all day, and would pause the monitor
all day.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from posture.settings import PauseSettings

LINGER_S = 15.0
"""Seconds that a call goes on after its last sign: a camera switched off and on finds ours free (our choice)."""
FULL_SCAN_S = 120.0
"""Seconds between two looks through all open files while nothing tells of a change: docs/desktop.md has the cost."""
APPS_SCAN_S = 20.0
"""Seconds between two looks at what is running (our choice)."""
NO_CALLERS = frozenset({"pipewire", "wireplumber"})
"""Servers that keep cameras open all day without using them (libcamera before version 0.3.2)."""
MICROPHONE = "microphone"
MAX_NAME_LENGTH = 40
"""Of a name that is shown; Linux has up to 15 bytes (our choice)."""

_CONSENT = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore"


@dataclass(frozen=True, slots=True)
class CallReading:
    """Whether there is a call, and what says so."""

    is_in_call: bool
    name: str = ""


class Call:
    """Tell whether the person is in a call; a call lingers for some seconds after its last sign.

    Parameters
    ----------
    settings : PauseSettings
        `microphone_is_call` and `call_apps` are used.
    root : Path
        Where ``dev``, ``proc`` and ``sys`` are, on Linux.
    """

    def __init__(self, settings: PauseSettings, *, root: Path = Path("/")) -> None:
        self._settings = settings
        self._cameras = CameraUsers(root)
        self._root = root
        self._app = ""
        self._apps_s: float | None = None
        self._name = ""
        self._seen_s: float | None = None

    def read(self) -> CallReading | None:
        """Return whether there is a call; None = nobody can tell."""
        now_s = time.monotonic()
        name = self._caller(now_s)
        if name:
            self._name, self._seen_s = name, now_s
        elif self._seen_s is not None and now_s - self._seen_s >= LINGER_S:
            self._name, self._seen_s = "", None
        if self._name:
            return CallReading(True, _clean(self._name))
        return None if name is None else CallReading(False)

    def _caller(self, now_s: float) -> str | None:
        """Return what says that there is a call; empty = nothing does, None = nothing could."""
        if app := self._running_app(now_s):
            return app
        if sys.platform == "win32":
            return _windows_user("webcam") or (
                _windows_user(MICROPHONE) if self._settings.microphone_is_call else ""
            )
        if sys.platform == "darwin":
            return "" if self._settings.call_apps else None
        if user := self._cameras.find(now_s):
            return user
        is_recording = self._settings.microphone_is_call and microphone_is_recording(self._root)
        return MICROPHONE if is_recording else ""

    def _running_app(self, now_s: float) -> str:
        if not self._settings.call_apps:
            return ""
        if self._apps_s is None or now_s - self._apps_s >= APPS_SCAN_S:
            self._apps_s = now_s
            self._app = running_program(self._settings.call_apps)
        return self._app


class CameraUsers:
    """Find who else has a camera open, on Linux; processes of other users cannot be seen.

    All open files are looked through only when a camera's driver counts other users than before.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._counts: tuple[str, ...] | None = None
        self._scanned_s: float | None = None
        self._pid = 0

    def find(self, now_s: float) -> str:
        """Return a program that has a camera open; empty = none has.

        Parameters
        ----------
        now_s : float
            `time.monotonic()`.
        """
        devices = {str(path) for path in (self._root / "dev").glob("video*")}
        if not devices:
            return ""
        if self._pid and (name := self._user_name(self._pid, devices)):
            return name
        counts = self._driver_counts()
        is_due = self._scanned_s is None or now_s - self._scanned_s >= FULL_SCAN_S
        if counts == self._counts and not is_due and not self._pid:
            return ""
        self._counts, self._scanned_s, self._pid = counts, now_s, 0
        for pid in self._others():
            if name := self._user_name(pid, devices):
                self._pid = pid
                return name
        return ""

    def _driver_counts(self) -> tuple[str, ...]:
        """Return how often each camera's driver is in use; a driver within the kernel does not say."""
        found = []
        for device in sorted((self._root / "sys/class/video4linux").glob("video*")):
            found.append(_text(device / "device/driver/module/refcnt"))
        return tuple(found)

    def _others(self) -> list[int]:
        names = os.listdir(self._root / "proc")  # noqa: PTH208 (names are all that is needed)
        return [int(name) for name in names if name.isdecimal() and int(name) != os.getpid()]

    def _user_name(self, pid: int, devices: set[str]) -> str:
        """Return the program's name if it has one of the devices open, else nothing."""
        folder = self._root / "proc" / str(pid)
        try:
            with os.scandir(folder / "fd") as entries:
                is_user = any(_link(entry.path) in devices for entry in entries)
        except OSError:  # gone meanwhile, or not ours to look at
            return ""
        if not is_user:
            return ""
        name = _text(folder / "comm") or str(pid)
        return "" if name in NO_CALLERS else name


def microphone_is_recording(root: Path) -> bool:
    """Return whether a sound card records, on Linux with ALSA below whatever plays; not so for Bluetooth.

    Sound servers close the device some seconds after the last program has stopped recording.
    """
    streams = (root / "proc/asound").glob("card*/pcm*c/sub*/status")
    return any("RUNNING" in _text(status) for status in streams)


def running_program(names: list[str]) -> str:
    """Return the first of the programs that runs, as the person wrote it; empty = none of them.

    Neither upper and lower case nor ``.exe`` make a difference. Linux knows no more than a name's first 15 characters
    of some programs; psutil finds out the rest where it can.
    """
    import psutil

    wanted = {name.casefold().removesuffix(".exe"): name for name in reversed(names)}
    for process in psutil.process_iter(["name"]):
        name = (process.info["name"] or "").casefold().removesuffix(".exe")
        if name in wanted:
            return wanted[name]
    return ""


def _windows_user(capability: str) -> str:
    """Return a program that uses ``webcam`` or ``microphone``: its ``LastUsedTimeStop`` is 0 meanwhile."""
    if sys.platform != "win32":
        return ""
    import winreg

    own = {str(path).casefold() for path in (sys.executable, getattr(sys, "_base_executable", ""))}
    root = rf"{_CONSENT}\{capability}"
    for parent in (root, rf"{root}\NonPackaged"):
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, parent) as key:
                names = [winreg.EnumKey(key, i) for i in range(winreg.QueryInfoKey(key)[0])]
        except OSError:
            continue
        for name in names:
            path = name.replace("#", "\\")
            if path.casefold() in own:
                continue
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, rf"{parent}\{name}") as key:
                    stopped, _ = winreg.QueryValueEx(key, "LastUsedTimeStop")
            except OSError:  # never used
                continue
            if stopped == 0:
                return path.rsplit("\\", 1)[-1].split("_")[0]
    return ""


def _clean(name: str) -> str:
    """Return a program's name as it may be shown: it calls itself whatever it likes."""
    return "".join(c if c.isprintable() else "?" for c in name)[:MAX_NAME_LENGTH]


def _text(path: Path) -> str:
    """Return a small file's text; empty = it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    """Return where a link points; empty = nowhere any more."""
    try:
        return os.readlink(path)  # noqa: PTH115 (half the time of Path.readlink, thousands of times)
    except OSError:
        return ""
