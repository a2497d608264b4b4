"""The logon task of Windows, as XML for ``schtasks /Create /XML``. Pure; no I/O.

Elements of the Task Scheduler Schema 1.2. ``pythonw.exe`` shows no console window.
"""

from __future__ import annotations

import subprocess
from xml.sax.saxutils import escape

from posture.autostart.program import DESCRIPTION, Program, mark
from posture.errors import AutostartError

TASK_NAME = "Posture"
FILE_NAME = "posture-task.xml"
ENCODING = "utf-16"
"""What schtasks reads; with a byte order mark."""

_TEMPLATE = """\
<?xml version="1.0" encoding="UTF-16"?>
<!-- {mark} -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{description}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>{user}</UserId>
      <Delay>PT10S</Delay>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
    <RestartOnFailure>
      <Interval>PT2M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def render_task(program: Program, user: str) -> str:
    r"""Return the task that starts `program` when `user` (``DOMAIN\name``) logs on.

    Its variables are not carried: a task gets those of the user's account, as every program there does.

    Raises
    ------
    AutostartError
        If a path has a percent sign, which the Task Scheduler would take for a variable.
    """
    for text in program.command:
        if "%" in text:
            raise AutostartError(
                f"{text}: a scheduled task cannot hold a percent sign; install posture elsewhere"
            )
    return _TEMPLATE.format(
        mark=mark(program),
        description=escape(DESCRIPTION),
        user=escape(user),
        program=escape(program.command[0]),
        arguments=escape(subprocess.list2cmdline(program.command[1:])),
    )
