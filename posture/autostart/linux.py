"""Starting at login on Linux: a systemd user unit, an XDG autostart entry, or the entry starting the unit."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from posture.autostart import desktop_entry, unit
from posture.autostart.ours import Registration, must_run, read_ours, remove_ours, run_tool, write_ours
from posture.autostart.program import Program
from posture.errors import AutostartError

_TARGET = "graphical-session.target"
_SYSTEMCTL = ("systemctl", "--user")


class LinuxStarter:
    """Choose by what the running session does.

    GNOME and KDE Plasma reach systemd's ``graphical-session.target``, which starts the unit. Other desktops do not
    and get an autostart entry: one that starts the unit, so that sandbox and restarts are the same, or, where
    there is no user manager, the program itself.

    Parameters
    ----------
    environment : Mapping
        Of the process: where the session's folders are, and whether this is a graphical session.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        home = environment.get("XDG_CONFIG_HOME", "")
        config = Path(home) if home.startswith("/") else _home(environment) / ".config"
        self.unit = config / "systemd" / "user" / unit.FILE_NAME
        self.entry = config / "autostart" / desktop_entry.FILE_NAME
        self._is_graphical = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))

    def enable(self, program: Program, *, is_now: bool) -> list[str]:
        """Write unit or entry and enable it."""
        for path in (self.unit, self.entry):
            if read_ours(path)[1]:
                raise AutostartError(f"{path}: is there and was not written by posture; move it away first")
        version = _manager_version()
        if version is None:
            done = [*remove_ours(self.unit)]
            write_ours(self.entry, desktop_entry.render_desktop_entry(program))
            done += [f"wrote {self.entry}", "no systemd user manager answers: without restarts and sandbox"]
            if is_now:
                done.append("not started: start it with 'posture run', or log in again")
            return done
        has_namespaces = _may_have_namespaces()
        write_ours(
            self.unit, unit.render_unit(program, systemd_version=version, has_namespaces=has_namespaces)
        )
        done = [f"wrote {self.unit}"]
        if not has_namespaces:
            done.append(
                "user namespaces are forbidden here: the unit cannot shut off folders, only the network"
            )
        must_run([*_SYSTEMCTL, "daemon-reload"])
        if self._is_graphical and not _succeeds(*_SYSTEMCTL, "--quiet", "is-active", _TARGET):
            must_run([*_SYSTEMCTL, "disable", unit.FILE_NAME])
            start = (shutil.which("systemctl") or "systemctl", "--user", "start", unit.FILE_NAME)
            write_ours(self.entry, desktop_entry.render_desktop_entry(program, start))
            done.append(f"wrote {self.entry}: this desktop does not reach {_TARGET}, so it starts the unit")
        else:
            must_run([*_SYSTEMCTL, "enable", unit.FILE_NAME])
            done += remove_ours(self.entry)
            done.append(f"enabled with {_TARGET}")
        if is_now:
            must_run([*_SYSTEMCTL, "restart", unit.FILE_NAME])
            done.append("started")
        return done

    def disable(self) -> list[str]:
        """Stop it, and remove our unit and entry."""
        command, _ = read_ours(self.unit)
        done = remove_ours(self.entry)
        if command is not None:
            has_manager = _manager_version() is not None
            if has_manager:
                must_run([*_SYSTEMCTL, "disable", "--now", unit.FILE_NAME])
            else:  # what "disable" would have removed
                link = self.unit.parent / f"{_TARGET}.wants" / unit.FILE_NAME
                if link.is_symlink():
                    link.unlink()
            done += remove_ours(self.unit)
            if has_manager:
                must_run([*_SYSTEMCTL, "daemon-reload"])
        elif self.unit.exists():
            done += remove_ours(self.unit)  # says that it is another's
        return done

    def status(self) -> Registration:
        """Return what is there and whether it is enabled and running."""
        unit_command, is_unit_foreign = read_ours(self.unit)
        entry_command, is_entry_foreign = read_ours(self.entry)
        link = self.unit.parent / f"{_TARGET}.wants" / unit.FILE_NAME
        found = [(self.unit, unit_command), (self.entry, entry_command)]
        kind = "systemd user unit" if unit_command else "XDG autostart entry"
        if unit_command and entry_command:
            kind = "XDG autostart entry that starts a systemd user unit"
        is_running = None
        if unit_command is not None and _manager_version() is not None:
            is_running = _succeeds(*_SYSTEMCTL, "--quiet", "is-active", unit.FILE_NAME)
        return Registration(
            kind=kind,
            paths=tuple(path for path, command in found if command is not None),
            command=unit_command or entry_command,
            is_enabled=entry_command is not None or (unit_command is not None and link.is_symlink()),
            is_running=is_running,
            foreign=tuple(
                path
                for path, is_foreign in ((self.unit, is_unit_foreign), (self.entry, is_entry_foreign))
                if is_foreign
            ),
        )


def _home(environment: Mapping[str, str]) -> Path:
    """Return the user's home."""
    home = environment.get("HOME", "")
    if not home.startswith("/"):
        raise AutostartError("no home to write an autostart entry to; set HOME")
    return Path(home)


def _manager_version() -> int | None:
    """Return the version of the running systemd user manager; None = there is none to talk to."""
    done = run_tool([*_SYSTEMCTL, "show", "--property=Version", "--value"])
    if done is None or done.returncode != 0:
        return None
    match = re.search(r"\d+", done.stdout)
    return int(match[0]) if match else None


def _may_have_namespaces() -> bool:
    """Return whether the manager can give a unit a mount namespace, by having it done once."""
    properties = ("-p", "PrivateUsers=yes", "-p", "ProtectSystem=strict")
    return _succeeds("systemd-run", "--user", "--wait", "--quiet", *properties, "true")


def _succeeds(*command: str) -> bool:
    """Return whether a tool is there and ends with status 0."""
    done = run_tool(command)
    return done is not None and done.returncode == 0
