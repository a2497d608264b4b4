"""Files of ours among those of others, and the tools of the session. Touches no file it did not write."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from posture.autostart.program import Program, marked_command
from posture.errors import AutostartError
from posture.files import write_atomically

TOOL_PATIENCE_S = 20.0
"""Longest wait for systemctl and the like; each answers within a second unless the session is in trouble."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How starting at login stands."""

    kind: str
    """What does the starting, in words."""
    paths: tuple[Path, ...] = ()
    """Our files that are there."""
    command: tuple[str, ...] | None = None
    """What they start; None = there are none."""
    is_enabled: bool = False
    """Whether the next login will start it."""
    is_running: bool | None = None
    """Whether it has been started by it; None = this kind cannot tell."""
    foreign: tuple[Path, ...] = ()
    """Files in our place that somebody else has written."""


class Starter(Protocol):
    """What starts programs at login on one system."""

    def enable(self, program: Program, *, is_now: bool) -> list[str]:
        """Arrange it and return what was done, in lines; again is no harm."""

    def disable(self) -> list[str]:
        """Take it back and return what was done; nothing of others is touched."""

    def status(self) -> Registration:
        """Return how it stands."""


def read_ours(path: Path, encoding: str = "utf-8") -> tuple[tuple[str, ...] | None, bool]:
    """Return the command in our file `path`, or None, and whether there is a file that is not ours.

    Raises
    ------
    AutostartError
        If it cannot be looked at.
    """
    try:
        text = path.read_bytes().decode(encoding, "replace")
    except FileNotFoundError:
        return None, path.is_symlink()  # one that points nowhere, as "systemctl mask" does not leave
    except OSError as error:
        raise AutostartError(f"cannot read {path}: {error.strerror}; check its permissions") from error
    command = marked_command(text)
    return command, command is None


def write_ours(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write our file `path`.

    Raises
    ------
    AutostartError
        If somebody else has written what is there.
    OutputError
        If it cannot be written.
    """
    if read_ours(path, encoding)[1]:
        raise AutostartError(f"{path}: is there and was not written by posture; move it away first")
    write_atomically(path, text.encode(encoding))


def remove_ours(path: Path, encoding: str = "utf-8") -> list[str]:
    """Remove our file `path`, and return what was done.

    Raises
    ------
    AutostartError
        If it cannot be removed.
    """
    command, is_foreign = read_ours(path, encoding)
    if is_foreign:
        return [f"{path} was not written by posture and is left alone"]
    if command is None:
        return []
    try:
        path.unlink()
    except OSError as error:
        raise AutostartError(
            f"cannot remove {path}: {error.strerror}; check its folder's permissions"
        ) from error
    return [f"removed {path}"]


def run_tool(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    """Run a tool of the system quietly; None = it is not there, or does not answer."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            timeout=TOOL_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def must_run(command: Sequence[str]) -> None:
    """Run a tool that has to succeed.

    Raises
    ------
    AutostartError
        With the tool's own words.
    """
    done = run_tool(command)
    if done is None:
        raise AutostartError(f"{command[0]} is missing or did not answer within {TOOL_PATIENCE_S:g} s")
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
        raise AutostartError(f"{' '.join(command[:4])} failed: {words}")
