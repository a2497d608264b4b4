"""The command ``autostart``: what is to be started at login, and what is told about it. Returns the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from posture.autostart.linux import LinuxStarter
from posture.autostart.macos import MacStarter
from posture.autostart.ours import Registration, Starter
from posture.autostart.program import Program
from posture.autostart.windows import WindowsStarter
from posture.config import config_path, data_path, load_settings, state_path
from posture.console import make_console
from posture.errors import AutostartError
from posture.files import make_folder
from posture.profiles import DEFAULT_NAME, is_there, profile_path

_MOVING = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "PYTHONPATH")
"""Variables that say where our files are; a session's services do not see what a shell has set."""


def make_program(profile: str = DEFAULT_NAME) -> Program:
    """Return the monitor as this installation starts it.

    Raises
    ------
    AutostartError
        If there is no interpreter to name.
    """
    python = Path(sys.executable) if sys.executable else None
    if python is None or not python.is_absolute():
        raise AutostartError("cannot tell which Python this is; run posture by its full path")
    if sys.platform == "win32" and (windowless := python.with_name("pythonw.exe")).is_file():
        python = windowless
    options = () if profile == DEFAULT_NAME else ("--profile", profile)
    source = load_settings().camera.source
    # -P: a folder called "posture" in the working directory is not this program.
    return Program(
        command=(str(python), "-P", "-m", "posture", "run", *options),
        environment=tuple((name, os.environ[name]) for name in _MOVING if os.environ.get(name)),
        writable=(str(data_path()), str(state_path())),
        needs_network=isinstance(source, str) and "://" in source,
    )


def make_starter() -> Starter:
    """Return what starts programs at login here."""
    if sys.platform == "win32":
        return WindowsStarter(config_path().parent)
    return MacStarter() if sys.platform == "darwin" else LinuxStarter()


def enable(profile: str, is_now: bool) -> int:
    """Have the monitor started at login."""
    console = make_console()
    program = make_program(profile)
    for folder in program.writable:  # a unit can open to the monitor only what is there
        make_folder(Path(folder))
    for line in make_starter().enable(program, is_now=is_now):
        console.print(line)
    if not is_there(profile_path(profile)):
        which = "" if profile == DEFAULT_NAME else f' --profile "{profile}"'
        console.print(f"There is no baseline yet: run 'posture calibrate{which}' first.", style="bold")
    if not is_now:
        console.print("It starts at your next login; 'posture autostart enable --now' starts it at once.")
    return 0


def disable() -> int:
    """Take it back."""
    console = make_console()
    for line in make_starter().disable() or ["nothing to remove: it was not enabled"]:
        console.print(line)
    return 0


def show_status() -> int:
    """Tell how it stands; 1 when it is not enabled, or would not work."""
    console = make_console()
    registration = make_starter().status()
    for path in registration.foreign:
        console.print(f"{path} was not written by posture", style="bold")
    if not registration.paths:
        console.print("not enabled; 'posture autostart enable' starts the monitor at login")
        return 1
    word = "enabled" if registration.is_enabled else "written, but not enabled"
    console.print(f"{word}: {registration.kind}")
    for path in registration.paths:
        console.print(f"  {path}")
    if registration.is_running is not None:
        console.print("running" if registration.is_running else "not running")
    problem = find_problem(registration)
    if problem:
        console.print(problem, style="bold")
    return 0 if registration.is_enabled and not problem else 1


def find_problem(registration: Registration) -> str:
    """Return why an entry would not work, and what to do; empty when it would."""
    again = "run 'posture autostart enable' again"
    if registration.command is None:
        return ""
    if not os.access(registration.command[0], os.X_OK):
        return f"it starts {registration.command[0]}, which is gone: {again}"
    if not registration.is_enabled:
        return f"it will not start at login: {again}"
    return ""
