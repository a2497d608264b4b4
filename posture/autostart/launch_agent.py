"""The LaunchAgent of macOS: keys of launchd.plist(5). Pure; no I/O."""

from __future__ import annotations

import plistlib

from posture.autostart.program import NAME, Program, mark

LABEL = f"local.{NAME}"
FILE_NAME = f"{LABEL}.plist"
RETRY_S = 120
"""Seconds between two attempts after a failure: a camera plugged in later is found, at little cost (our choice)."""


def render_launch_agent(program: Program) -> str:
    """Return the property list that starts `program` when the user's graphical session begins."""
    content = {
        "Label": LABEL,
        "ProgramArguments": list(program.command),
        "EnvironmentVariables": {"PYTHONUNBUFFERED": "1", **dict(program.environment)},
        "LimitLoadToSessionType": "Aqua",
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": RETRY_S,
        "ProcessType": "Background",
        "Nice": 10,
        "Umask": 0o077,
    }
    head, end, rest = plistlib.dumps(content).decode().partition("?>\n")
    return f"{head}{end}<!-- {mark(program)} -->\n{rest}"
