"""Autostart on a real systemd user manager: what the unit's sandbox really keeps, and the whole of the command."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from cli_helpers import FRONT, front_baseline
from desktop import wait_until
from unprivileged import NOBODY
from user_manager import user_manager

ROOT = Path(__file__).parents[1]

# Runs in the place of the interpreter that the unit names, as the unit's process.
PROBE = """#!/usr/bin/python3
import json, os, pathlib, socket, subprocess, sys
home = pathlib.Path.home()

def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "ok"

told = {
    "argv": sys.argv[1:],
    "data_home": os.environ.get("XDG_DATA_HOME"),
    "inet": attempt(lambda: socket.socket(socket.AF_INET)),
    "inet6": attempt(lambda: socket.socket(socket.AF_INET6)),
    "unix": attempt(lambda: socket.socket(socket.AF_UNIX)),
    "packet": attempt(lambda: socket.socket(socket.AF_PACKET)),
    "home": attempt(lambda: (home / "stray").write_text("x")),
    "usr": attempt(lambda: pathlib.Path("/usr/stray").write_text("x")),
    "data": attempt(lambda: (pathlib.Path(os.environ["XDG_DATA_HOME"]) / "posture/x").write_text("x")),
    "runtime": attempt(lambda: (pathlib.Path(os.environ["XDG_RUNTIME_DIR"]) / "x").write_text("x")),
    "keys": attempt(lambda: os.listdir(home / ".ssh")),
    "tmp": sorted(os.listdir("/tmp")),
    "namespace": subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode == 0,
    "nice": os.nice(0),
    "umask": os.umask(0),
}
path = pathlib.Path(os.environ["XDG_DATA_HOME"]) / "posture/told.json"
path.write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def manager():
    with user_manager() as manager:
        yield manager


def command(manager, *arguments, group=("autostart",), **env):
    """Run `posture autostart` of this tree, or another command of it, as the manager's user."""
    script = "import sys; from posture.cli import main; sys.argv[0] = 'posture'; main()"
    if "python" in env:
        script = f"import sys; sys.executable = {env.pop('python')!r}; {script}"
    env = {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(manager.home / "my data %t $HOME"), **env}
    return manager.run(sys.executable, "-c", script, *group, *arguments, **env)


@pytest.fixture
def program(manager):
    """A stand-in for the interpreter, in a folder whose name needs every kind of quoting."""
    folder = manager.home / 'a "b" \\c %h $HOME ;ü#'
    folder.mkdir(exist_ok=True)
    path = folder / "python"
    path.write_text(PROBE)
    path.chmod(0o755)
    (manager.home / ".ssh").mkdir(exist_ok=True)
    yield str(path)
    command(manager, "disable")


def test_the_sandbox_keeps_what_the_unit_says(manager, program):
    done = command(manager, "enable", "--now", python=program)
    assert done.returncode == 0, done.stdout + done.stderr
    told_path = manager.home / "my data %t $HOME/posture/told.json"
    wait_until(told_path.exists, "the unit's process")
    told = wait_until(lambda: told_path.read_text() and json.loads(told_path.read_text()), "what it told")
    assert told == {
        "argv": ["-P", "-m", "posture", "run"],
        "data_home": str(manager.home / "my data %t $HOME"),
        "inet": "OSError",
        "inet6": "OSError",
        "unix": "ok",
        "packet": "OSError",
        "home": "OSError",
        "usr": "OSError",
        "data": "ok",
        "runtime": "ok",
        "keys": "PermissionError",
        "tmp": [],
        "namespace": False,
        "nice": 10,
        "umask": 0o077,
    } | {"tmp": told["tmp"]}
    assert set(told["tmp"]) <= {".X11-unix"}
    status = command(manager, "status", python=program)
    assert status.returncode == 0, status.stdout
    assert "enabled: systemd user unit" in status.stdout
    again = command(manager, "enable", python=program)
    assert again.returncode == 0
    assert command(manager, "disable").returncode == 0
    assert not list((manager.home / ".config/systemd").rglob("*posture*"))
    assert command(manager, "status").returncode == 1
    assert "nothing to remove" in command(manager, "disable").stdout


def test_a_network_camera_gets_the_network(manager, program):
    config = manager.home / ".config/posture/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[camera]\nsource = "http://me:s3cret@camera.invalid/video"\n')
    told_path = manager.home / "my data %t $HOME/posture/told.json"
    told_path.unlink(missing_ok=True)
    try:
        assert command(manager, "enable", "--now", python=program).returncode == 0
        told = wait_until(
            lambda: told_path.exists() and told_path.read_text() and json.loads(told_path.read_text()), "told"
        )
        assert (told["inet"], told["packet"], told["home"]) == ("ok", "OSError", "OSError")
        unit = (manager.home / ".config/systemd/user/posture.service").read_text()
        assert "s3cret" not in unit
    finally:
        config.unlink()


def test_a_desktop_that_reaches_no_target_gets_an_entry_that_starts_the_unit(manager, program):
    done = command(manager, "enable", python=program, DISPLAY=":7")
    assert done.returncode == 0, done.stderr
    entry = (manager.home / ".config/autostart/posture.desktop").read_text()
    assert "systemctl" in entry
    assert "starts the unit" in done.stdout
    assert not (manager.home / ".config/systemd/user/graphical-session.target.wants/posture.service").exists()
    assert command(manager, "status").returncode == 0
    assert command(manager, "enable", python=program).returncode == 0  # now from a console
    assert not (manager.home / ".config/autostart/posture.desktop").exists()


def test_a_unit_of_somebody_else_is_left_alone(manager, program):
    unit = manager.home / ".config/systemd/user/posture.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    try:
        done = command(manager, "enable", python=program)
        assert done.returncode == 1
        assert "not written by posture" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "left alone" in command(manager, "disable").stdout
        assert unit.read_text().endswith("/bin/true\n")
    finally:
        unit.unlink()


def test_the_real_monitor_runs_in_the_sandbox(manager):
    """The pose model, OpenCV and Python get along with the system calls that are left."""
    data = manager.home / "my data %t $HOME/posture"
    (data / "profiles").mkdir(parents=True, exist_ok=True)
    shutil.copy(front_baseline(), data / "profiles/default.json")
    (data / "profiles/default.json").chmod(0o644)
    clip = shutil.copy(FRONT, manager.home / "clip.mp4")
    config = manager.home / ".config/posture/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[camera]\nsource = "{clip}"\n')
    for folder in (manager.home, *manager.home.rglob("*")):
        os.chown(folder, NOBODY, NOBODY, follow_symlinks=False)

    def status():
        return json.loads(command(manager, "status", "--json", group=()).stdout or "{}")  # none yet

    try:
        done = command(manager, "enable", "--now")
        assert done.returncode == 0, done.stderr
        assert "no baseline" not in done.stdout
        wait_until(lambda: status().get("neck_deviation_deg") is not None, "a judgement", 30.0)
        assert manager.run("systemctl", "--user", "is-active", "posture.service").stdout == "active\n"
        assert command(manager, "disable").returncode == 0
        assert status() == {"running": False}
    finally:
        config.unlink()
