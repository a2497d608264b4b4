"""Starting at logon on Windows: a scheduled task, made by schtasks from an XML file that we keep."""

from __future__ import annotations

import os
from pathlib import Path

from posture.autostart import task
from posture.autostart.ours import Registration, must_run, read_ours, remove_ours, run_tool, write_ours
from posture.autostart.program import Program
from posture.errors import AutostartError


class WindowsStarter:
    """Keep the task's XML in our folder, and the task in the Task Scheduler.

    Parameters
    ----------
    folder : Path
        Where the XML goes.
    """

    def __init__(self, folder: Path) -> None:
        self.xml = folder / task.FILE_NAME

    def enable(self, program: Program, *, is_now: bool) -> list[str]:
        """Write the XML and have the task made from it."""
        user = os.environ.get("USERNAME", "")
        if not user:
            raise AutostartError("USERNAME is not set; start this from your own session")
        domain = os.environ.get("USERDOMAIN", "")
        text = task.render_task(program, f"{domain}\\{user}" if domain else user)
        write_ours(self.xml, text, task.ENCODING)
        must_run(["schtasks", "/Create", "/TN", task.TASK_NAME, "/XML", str(self.xml), "/F"])
        if is_now:
            must_run(["schtasks", "/Run", "/TN", task.TASK_NAME])
        return [f"wrote {self.xml}", f"made the task {task.TASK_NAME}", *(["started"] if is_now else [])]

    def disable(self) -> list[str]:
        """Stop and delete the task if it is ours."""
        if read_ours(self.xml, task.ENCODING)[0] is None:
            return remove_ours(self.xml, task.ENCODING)
        run_tool(["schtasks", "/End", "/TN", task.TASK_NAME])  # fails when it does not run
        if self._is_made():
            must_run(["schtasks", "/Delete", "/TN", task.TASK_NAME, "/F"])
        return [*remove_ours(self.xml, task.ENCODING), f"deleted the task {task.TASK_NAME}"]

    def status(self) -> Registration:
        """Return whether the task is there."""
        command, is_foreign = read_ours(self.xml, task.ENCODING)
        return Registration(
            kind="scheduled task",
            paths=(self.xml,) if command else (),
            command=command,
            is_enabled=command is not None and self._is_made(),
            foreign=(self.xml,) if is_foreign else (),
        )

    def _is_made(self) -> bool:
        """Return whether the Task Scheduler knows the task."""
        done = run_tool(["schtasks", "/Query", "/TN", task.TASK_NAME])
        return done is not None and done.returncode == 0
