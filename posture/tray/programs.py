"""Starts what the tray does not do by itself: the monitor and the report, each a process that outlives the icon."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

MONITOR = ("run", "--quiet")
REPORT = ("report", "--open")
_OWN = "posture: "  # how a line of the command line's own begins
_LONGEST_OUTPUT = 65_536  # bytes of its end that are looked at


def start(arguments: tuple[str, ...], on_failure: Callable[[str], None]) -> subprocess.Popen[bytes]:
    """Start a command of this program, detached, and have it said if it fails.

    Parameters
    ----------
    arguments : tuple of str
        The command.
    on_failure : callable
        Told in one line why it ended, on a thread of its own, if it does so with neither 0 nor 130.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    # A file without a name: a pipe would break with this process, and nothing is left behind.
    errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the program has ended)
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    else:
        options["start_new_session"] = True  # Ctrl-C for the icon is not for the monitor
    try:
        process = subprocess.Popen(
            # -P: what lies in the current folder is not the program
            [sys.executable, "-P", "-m", "posture", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=errors,  # the report says there where it is when no browser can be opened
            stderr=errors,
            cwd=Path.home() if Path.home().is_dir() else None,
            **options,
        )
    except OSError:
        errors.close()
        raise
    threading.Thread(
        target=_watch, args=(process, errors, on_failure), name="posture-tray-program", daemon=True
    ).start()
    return process


def _watch(process: subprocess.Popen[bytes], errors: IO[bytes], on_failure: Callable[[str], None]) -> None:
    """Wait for the end of a program and tell if it failed."""
    code = process.wait()
    with errors:
        if code not in (0, 130):
            size = errors.seek(0, 2)
            errors.seek(max(0, size - _LONGEST_OUTPUT))
            on_failure(reason(errors.read().decode(errors="replace"), code))


def reason(output: str, code: int) -> str:
    """Return in a line why a program failed, from what it said."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    own = [line.removeprefix(_OWN) for line in lines if line.startswith(_OWN)]
    if own:
        return own[-1]
    what = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"it {what}" + (f": {'; '.join(lines[-2:])}" if lines else "")
