"""The systemd user unit: the monitor as a service of the graphical session, shut in. Pure; no I/O.

Directives are those of systemd.exec(5), systemd.service(5) and systemd.resource-control(5). What a *user* manager
really enforces was tried with systemd 252, by processes inside the unit (tests/test_autostart_live.py):

- By system call filters, with any kernel: ``RestrictAddressFamilies=``, ``SystemCallFilter=``,
  ``RestrictNamespaces=``, ``RestrictRealtime=``, ``LockPersonality=``, ``NoNewPrivileges=``.
- By a mount namespace, which an ordinary user only gets inside a user namespace (``PrivateUsers=``):
  ``ProtectSystem=``, ``ProtectHome=``, ``PrivateTmp=``, ``InaccessiblePaths=``. Where user namespaces are
  forbidden to ordinary users (AppArmor on Ubuntu 24.04) a unit with them does not start: it is written without.
- By control groups, if the manager was given them: ``MemoryMax=``, ``TasksMax=``, ``CPUQuota=``.
- Not at all: ``IPAddressDeny=`` and ``DeviceAllow=`` are BPF programs, which only root may load. They are not
  written, lest they promise what nobody keeps.
"""

from __future__ import annotations

from posture.autostart.program import DESCRIPTION, Program, mark, through_shell

FILE_NAME = "posture.service"
BACK_OFF_VERSION = 254
"""From this version of systemd on the pause between two attempts may grow (RestartSteps=)."""

_NO_NETWORK = """\
# No network: no socket but those of this machine's own desktop can be made.
RestrictAddressFamilies=AF_UNIX"""
_NETWORK = """\
# The camera of the configuration is a network address, so the network stays open. After changing
# camera.source to a camera of this computer run 'posture autostart enable' again to shut it.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"""

_FOLDERS = """\
# An ordinary user's mount namespace needs a user namespace of its own: PrivateUsers=.
PrivateUsers=yes
CapabilityBoundingSet=
{temporary}
ProtectSystem=strict
ProtectHome=read-only
InaccessiblePaths=-/dev/snd -/dev/input -%h/.ssh -%h/.gnupg
# The runtime folder has the sockets of the desktop and of 'posture pause' and the like.
ReadWritePaths=-%t {writable}"""
_NO_FOLDERS = """\
# Files are not shut off (ProtectSystem=, ProtectHome=, PrivateTmp=): that takes user namespaces, which
# this computer forbids to ordinary users."""

_PRIVATE_TMP = "PrivateTmp=yes\nBindReadOnlyPaths=-/tmp/.X11-unix"
_SHARED_TMP = "# No PrivateTmp=: the program or its files are in a temporary folder."
_ODD = "\"'\\"
"""What systemd refuses in the path of a program, however it is quoted."""
_TEMPORARY = ("/tmp/", "/var/tmp/")

_TEMPLATE = """\
# {mark}
[Unit]
Description={description}
After=graphical-session.target
PartOf=graphical-session.target
# Never given up, but seldom tried: a camera that is plugged in at noon is found.
StartLimitIntervalSec=0

[Service]
Type=exec
# The colon: a $ in a path is a $.
ExecStart={command}
WorkingDirectory=/
{environment}
# A camera that is still being set up at login is there at the next attempt; a mistake in the
# command line (2) stays one.
Restart=on-failure
RestartPreventExitStatus=2
{restart}
TimeoutStopSec=10

# What it may cost, where the session's manager has been given the controllers.
Nice=10
CPUQuota=80%
MemoryMax=1G
TasksMax=128

{network}
# No DevicePolicy=, DeviceAllow= or IPAddressDeny=: a user's manager may not load the BPF programs
# that they are, and would ignore them.

NoNewPrivileges=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
UMask=0077

{folders}

[Install]
WantedBy=graphical-session.target
"""


def render_unit(program: Program, *, systemd_version: int | None = None, has_namespaces: bool = True) -> str:
    """Return the unit that starts `program` with the graphical session.

    Parameters
    ----------
    program : Program
        Without a network camera it gets no network.
    systemd_version : int or None
        Of the user's systemd; None = not known, only what version 240 (2018) understands.
    has_namespaces : bool
        Whether an ordinary user may have user namespaces, without which folders cannot be shut off.
    """
    environment = (("PYTHONUNBUFFERED", "1"), *program.environment)
    if systemd_version is not None and systemd_version >= BACK_OFF_VERSION:
        restart = "RestartSec=2\nRestartSteps=6\nRestartMaxDelaySec=5min"
    else:
        restart = "RestartSec=2min"
    writable = " ".join(quoted(f"-{folder}") for folder in program.writable)
    is_odd = any(character in program.command[0] for character in _ODD)
    command = through_shell(program.command) if is_odd else program.command
    is_temporary = any(path.startswith(_TEMPORARY) for path in (*program.command, *program.writable))
    temporary = _SHARED_TMP if is_temporary else _PRIVATE_TMP
    return _TEMPLATE.format(
        mark=mark(program),
        description=DESCRIPTION,
        command=" ".join(quoted(text) for text in (f":{command[0]}", *command[1:])),
        environment="\n".join(f"Environment={quoted(f'{name}={value}')}" for name, value in environment),
        restart=restart,
        network=_NETWORK if program.needs_network else _NO_NETWORK,
        folders=_FOLDERS.format(writable=writable, temporary=temporary) if has_namespaces else _NO_FOLDERS,
    )


def quoted(text: str) -> str:
    """Return `text` as one word of a unit file: quotes, backslashes and percent specifiers taken literally."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
