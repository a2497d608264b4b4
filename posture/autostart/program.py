"""What is to be started, and the line by which a file of ours is known. Pure; no I/O."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from posture.errors import AutostartError

NAME = "posture"
DESCRIPTION = "Posture monitor"
_MARK = "written by 'posture autostart', which may replace or remove this file"
_MARKED = re.compile(rf"{re.escape(_MARK)}: (\[.*\])")


@dataclass(frozen=True, slots=True)
class Program:
    """A command to be started at login, and what it needs."""

    command: tuple[str, ...]
    """The interpreter's absolute path and its arguments, each as the program is to get it."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables that must be set: those that move our folders in the shell but not in a session's services."""
    writable: tuple[str, ...] = ()
    """Absolute folders that it writes to."""
    needs_network: bool = False
    """Whether the camera is an address."""

    def __post_init__(self) -> None:
        """Refuse what none of the formats can carry."""
        texts = [*self.command, *self.writable, *(part for pair in self.environment for part in pair)]
        for text in texts:
            if any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in text):
                raise AutostartError(
                    f"{text!r}: has a control character, which an autostart entry cannot hold"
                )
            try:
                text.encode()
            except UnicodeEncodeError:
                raise AutostartError(f"{text!r}: is not valid text; rename that folder") from None


def mark(program: Program) -> str:
    """Return the comment by which a file is known as ours; it holds the command as JSON.

    Without hyphens, of which XML comments must not have two in a row.
    """
    command = json.dumps(program.command)
    return f"{_MARK}: " + command.replace("-", "\\u002d")


def marked_command(text: str) -> tuple[str, ...] | None:
    """Return the command in a file of ours, or None: somebody else has written it."""
    match = _MARKED.search(text)
    if match is None:
        return None
    try:
        command = json.loads(match[1])
    except ValueError:
        return None
    is_command = isinstance(command, list) and command and all(isinstance(part, str) for part in command)
    return tuple(command) if is_command else None


def through_shell(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command whose program's path may have any character, where a format allows only some in it."""
    return ("/bin/sh", "-c", 'exec "$@"', "sh", *command)
