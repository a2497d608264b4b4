"""The XDG autostart entry, for desktops that start no systemd units. Pure; no I/O.

Desktop Entry Specification 1.5 ("The Exec key", "Possible value types") and Desktop Application Autostart
Specification 0.5. GNOME, KDE, XFCE, MATE, Cinnamon and LXQt follow it; i3 through ``dex``; sway does not.
"""

from __future__ import annotations

from posture.autostart.program import DESCRIPTION, Program, mark, through_shell

FILE_NAME = "posture.desktop"
_RESERVED = str.maketrans({character: f"\\{character}" for character in '"`$\\'})


def render_desktop_entry(program: Program, command: tuple[str, ...] | None = None) -> str:
    """Return the entry that starts `program`, or another `command` that starts it in turn."""
    words = [_word(text) for text in command or _with_environment(program)]
    return "\n".join(
        [
            "[Desktop Entry]",
            f"# {mark(program)}",
            "Type=Application",
            f"Name={DESCRIPTION}",
            "Comment=Tells about a slouch that lasts",
            f"Exec={_escaped(' '.join(words))}",
            "Terminal=false",
            "NoDisplay=true",
            "X-GNOME-Autostart-enabled=true",
            "",
        ]
    )


def _with_environment(program: Program) -> tuple[str, ...]:
    """Return the command with its variables set, which an entry has no key for."""
    command = program.command
    if "=" in command[0]:  # the specification forbids it, and env takes it for a variable
        command = through_shell(command)
    if not program.environment:
        return command
    return ("/usr/bin/env", *(f"{name}={value}" for name, value in program.environment), *command)


def _word(text: str) -> str:
    """Return `text` as one quoted argument of Exec; a percent sign would be a field code."""
    return f'"{text.translate(_RESERVED)}"'.replace("%", "%%")


def _escaped(value: str) -> str:
    """Return a value of the string type, whose backslashes are read once more, before the quoting."""
    return value.replace("\\", "\\\\")
