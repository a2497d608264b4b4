"""Whether an icon can be shown here, found out by another process.

Qt ends the process where there is no display or a library is missing, and remembers for good what tray it found first.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from posture.errors import TrayError

PROBE_S = 20.0
"""Seconds the desktop may take to answer (our choice: Qt takes half a second, a busy login many)."""
RETRY_S = 2.0
"""Seconds between two tries (our choice)."""
_NO_TRAY, _NO_LIBRARY = 3, 4
_PROBE = f"""
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # Qt aborts: no reason for a core file
except ImportError:
    pass
try:
    from PySide6.QtWidgets import QApplication, QSystemTrayIcon
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit({_NO_LIBRARY})
app = QApplication([])
sys.exit(0 if QSystemTrayIcon.isSystemTrayAvailable() else {_NO_TRAY})
"""

_log = logging.getLogger(__name__)


def check(environ: Mapping[str, str], *, wait_s: float = 0.0, stop: threading.Event | None = None) -> None:
    """Raise unless an icon can be shown.

    Parameters
    ----------
    environ : mapping
        The process's environment.
    wait_s : float
        Seconds to wait for a tray: at login it may come later than this program.
    stop : threading.Event, optional
        Ends the waiting.

    Raises
    ------
    TrayError
        If it cannot; the text says why and what to do.
    """
    if importlib.util.find_spec("PySide6") is None:
        raise TrayError("the tray icon needs PySide6: python -m pip install PySide6-Essentials")
    if sys.platform.startswith("linux") and not any(
        environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        raise TrayError("no display to show an icon on: DISPLAY and WAYLAND_DISPLAY are not set")
    deadline_s = time.monotonic() + wait_s
    stop = stop or threading.Event()
    while (trouble := _probe(stop)) is not None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0.0 or stop.wait(min(RETRY_S, left_s)):
            raise TrayError(trouble)


def _probe(stop: threading.Event) -> str | None:
    """Return why there can be no icon now; None = there can."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _PROBE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    ) as process:
        deadline_s = time.monotonic() + PROBE_S
        while process.poll() is None:
            if stop.wait(0.02) or time.monotonic() > deadline_s:
                process.kill()
                return f"the desktop has not answered within {PROBE_S:g} s"
        said = process.stderr.read() if process.stderr is not None else ""
    _log.debug("tray: Qt exits with %s: %s", process.returncode, said)
    if process.returncode == 0:
        return None
    if process.returncode == _NO_TRAY:
        return (
            "this desktop has no tray to show an icon in (GNOME needs its AppIndicator extension); "
            "'posture status' tells the same"
        )
    words = " ".join(said.split())
    if process.returncode == _NO_LIBRARY:
        return f"PySide6 cannot be loaded: {words}; install the system's package that has it"
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    missing = [line for line in said.splitlines() if "is needed" in line]
    if missing:
        return f"Qt cannot use the display {display}: {' '.join(missing[0].split())}"
    return f"Qt cannot use the display {display}; is it this user's, and does it run?"
