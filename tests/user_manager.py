"""A real systemd user manager for an ordinary user, in a mount namespace of its own: no login, no PID 1 of systemd.

    with user_manager() as manager:
        manager.run("systemctl", "--user", "start", "posture.service")

Needs root, who makes the namespace and then becomes nobody.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from desktop import require, wait_until
from unprivileged import NOBODY

MANAGER = Path("/usr/lib/systemd/systemd")
RUNTIME = f"/run/user/{NOBODY}"  # where systemd expects it, whatever XDG_RUNTIME_DIR says

# /run is the sandbox's own: what makes systemd believe that it is at home, and the folder where PID 1 would have
# made room for the mount namespaces of units. The control group is where a user manager may make its own.
SCRIPT = """
set -e
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/systemd/system /run/systemd/unit-root {runtime}
chown {user} {runtime}
chmod 700 {runtime}
{opened}
for tree in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    if mkdir -p "$tree/{name}" 2>/dev/null && echo $$ >"$tree/{name}/cgroup.procs" 2>/dev/null; then
        chown -R {user} "$tree/{name}"
    fi
done
exec setpriv --reuid {user} --regid {user} --clear-groups {manager} --user --log-target=null
"""


def open_trees(trees: Iterable[Path]) -> str:
    """Return shell lines that let everybody into `trees`, at the same paths, in this mount namespace alone.

    Interpreter, virtual environment and checkout may stand in a home or a temporary folder that only root may enter.
    """
    keep, cover, put_back = [], [], []
    for n, tree in enumerate(sorted(trees)):  # an outer one first: it must not cover an inner one
        way = [*reversed(tree.parents), tree]
        shut = next((folder for folder in way if not folder.stat().st_mode & 0o001), None)
        if shut is None:
            continue
        here, there = shlex.quote(str(tree)), f"/run/keep/{n}"
        if shut == tree:  # its own rights would go with it, so what a program needs of the checkout is copied
            keep.append(
                f"mkdir -p {there} && cp -r {here}/posture {here}/models {there} && chmod -R a+rX {there}"
            )
        else:
            keep.append(f"mkdir -p {there} && mount --bind {here} {there}")
        line = f"mount -t tmpfs -o mode=755 none {shlex.quote(str(shut))}"
        cover += [] if line in cover else [line]
        put_back.append(f"mkdir -p {here} && mount --bind {there} {here}")
    return "\n".join((*keep, *cover, *put_back))


class UserManager:
    """The running manager and its user's home."""

    def __init__(self, home: Path, popen: subprocess.Popen):
        self.home, self.popen = home, popen
        gone = ("XDG_", "DBUS_", "DISPLAY", "WAYLAND")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(gone)}
        self.env |= {"HOME": str(home), "XDG_RUNTIME_DIR": RUNTIME, "LC_ALL": "C.UTF-8"}

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the user of the manager, in the manager's mount namespace."""
        enter = ("nsenter", f"--mount=/proc/{self.popen.pid}/ns/mnt", f"--wd={self.home}")
        become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        return subprocess.run(
            [*enter, *become, *command],
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextlib.contextmanager
def user_manager():
    """Run a systemd user manager for nobody, whose home is removed afterwards."""
    for command in ("unshare", "nsenter", "setpriv", "systemd-run"):
        require(command)
    is_able = (
        os.getuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
    )
    if not is_able:
        pytest.skip("needs root, and mount namespaces (not given in some containers)")
    # Not below /tmp: the unit has a /tmp of its own.
    home = Path(tempfile.mkdtemp(prefix="posture-manager-", dir="/var/lib"))
    os.chown(home, NOBODY, NOBODY)
    script = SCRIPT.format(
        name=home.name,
        user=NOBODY,
        runtime=RUNTIME,
        manager=MANAGER,
        opened=open_trees({Path(sys.base_prefix), Path(sys.prefix), Path(__file__).parents[1]}),
    )
    env = {"HOME": str(home), "XDG_RUNTIME_DIR": RUNTIME, "PATH": os.environ["PATH"]}
    popen = subprocess.Popen(
        ["unshare", "-m", "--propagation", "private", "bash", "-c", script],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        manager = UserManager(home, popen)
        wait_until(
            lambda: manager.run("systemctl", "--user", "show", "--property=Version").returncode == 0,
            "the user manager",
        )
        yield manager
    finally:
        popen.terminate()
        try:
            popen.wait(15)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait(10)
        shutil.rmtree(home, ignore_errors=True)
        for tree in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            top = Path(tree) / home.name
            for folder in sorted(top.rglob("*"), key=lambda path: -len(path.parts)) if top.is_dir() else []:
                if folder.is_dir():
                    with contextlib.suppress(OSError):
                        folder.rmdir()
            with contextlib.suppress(OSError):
                top.rmdir()
