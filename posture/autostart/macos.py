"""Starting at login on macOS: a LaunchAgent."""

from __future__ import annotations

import os
from pathlib import Path

from posture.autostart import launch_agent
from posture.autostart.ours import Registration, must_run, read_ours, remove_ours, run_tool, write_ours
from posture.autostart.program import Program


class MacStarter:
    """Keep ``~/Library/LaunchAgents/local.posture.plist``, which launchd reads at login.

    Parameters
    ----------
    folder : Path or None
        Where it goes; None = the user's LaunchAgents.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.agent = (folder or Path.home() / "Library" / "LaunchAgents") / launch_agent.FILE_NAME

    def enable(self, program: Program, *, is_now: bool) -> list[str]:
        """Write the agent; macOS asks for the camera when it first runs."""
        write_ours(self.agent, launch_agent.render_launch_agent(program))
        if is_now:
            run_tool(["launchctl", "bootout", f"{_domain()}/{launch_agent.LABEL}"])  # an older one, if loaded
            must_run(["launchctl", "bootstrap", _domain(), str(self.agent)])
        return [f"wrote {self.agent}", *(["started"] if is_now else [])]

    def disable(self) -> list[str]:
        """Stop it and remove our agent."""
        if read_ours(self.agent)[0] is not None:
            run_tool(["launchctl", "bootout", f"{_domain()}/{launch_agent.LABEL}"])  # fails when not loaded
        return remove_ours(self.agent)

    def status(self) -> Registration:
        """Return whether our agent is there and loaded."""
        command, is_foreign = read_ours(self.agent)
        done = run_tool(["launchctl", "print", f"{_domain()}/{launch_agent.LABEL}"]) if command else None
        return Registration(
            kind="LaunchAgent",
            paths=(self.agent,) if command else (),
            command=command,
            is_enabled=command is not None,
            is_running=None if done is None else "state = running" in done.stdout,
            foreign=(self.agent,) if is_foreign else (),
        )


def _domain() -> str:
    """Return launchd's name of the user's graphical session."""
    getuid = getattr(os, "getuid", None)  # the text of the agent is tested on Windows too
    return f"gui/{getuid() if getuid else 0}"
