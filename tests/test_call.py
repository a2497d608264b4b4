"""In a call: real processes that hold a device open or run under a given name; a file stands in for the camera."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from desktop import running, wait_until

from posture.desktop import call as call_module
from posture.desktop.call import Call, CallReading, CameraUsers, microphone_is_recording, running_program
from posture.settings import PauseSettings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about /proc")

HOLD = "import sys; f = open(sys.argv[1], 'rb'); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def root(tmp_path):
    """A machine with two cameras whose driver counts its users, a sound card, and our own /proc."""
    for folder in ("dev", "proc/asound/card0/pcm0c/sub0", "proc/asound/card0/pcm0p/sub0", "sys/module/uvc"):
        (tmp_path / folder).mkdir(parents=True)
    for number in (0, 1):
        (tmp_path / f"dev/video{number}").touch()
        folder = tmp_path / f"sys/class/video4linux/video{number}/device/driver"
        folder.mkdir(parents=True)
        (folder / "module").symlink_to(tmp_path / "sys/module/uvc")
    count(tmp_path, 0)
    record(tmp_path, "closed")
    return tmp_path


def count(root, n_users):
    (root / "sys/module/uvc/refcnt").write_text(f"{n_users}\n", encoding="ascii")


def record(root, state):
    (root / "proc/asound/card0/pcm0c/sub0/status").write_text(f"{state}\nowner_pid : 1\n", encoding="ascii")


def show(root, *pids):
    """Let the machine's /proc show these of the real processes."""
    for entry in (root / "proc").iterdir():
        if entry.name.isdecimal():
            entry.unlink()
    for pid in pids:
        (root / "proc" / str(pid)).symlink_to(f"/proc/{pid}")


@contextlib.contextmanager
def holding(path, name="python3"):
    """Run a process that has `path` open; yields its pid."""
    folder = Path(path).parent / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / name
    shutil.copy(os.path.realpath(sys._base_executable), program)
    env = {**os.environ, "PYTHONHOME": sys.base_prefix}
    process = subprocess.Popen(
        [program, "-S", "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )
    try:
        assert process.stdout.readline() == "open\n"
        yield process.pid
    finally:
        process.communicate("")


def test_a_camera_in_use_by_another_program(root):
    call = Call(PauseSettings(), root=root)
    assert call.read() == CallReading(False)
    with holding(root / "dev/video1", "zoomlike") as pid:
        show(root, pid)
        count(root, 1)
        assert call.read() == CallReading(True, "zoomlike")


def test_a_program_may_call_itself_anything(root):
    with holding(root / "dev/video1", "\x1b[31mred\n\xff[b]") as pid:
        show(root, pid)
        name = Call(PauseSettings(), root=root).read().name
    assert name.startswith("?[31mred?")
    assert name.isprintable()


def test_a_call_lingers_and_then_is_over(root, monkeypatch):
    call = Call(PauseSettings(), root=root)
    with holding(root / "dev/video0", "meeting") as pid:
        show(root, pid)
        assert call.read() == CallReading(True, "meeting")
    assert call.read() == CallReading(True, "meeting"), "its camera may only have been switched off"
    monkeypatch.setattr(call_module, "LINGER_S", 0.0)
    assert call.read() == CallReading(False)


def test_our_own_camera_is_no_call(root):
    show(root, os.getpid())
    with (root / "dev/video0").open("rb"):
        count(root, 1)
        assert Call(PauseSettings(), root=root).read() == CallReading(False)


@pytest.mark.parametrize("name", sorted(call_module.NO_CALLERS))
def test_servers_that_hold_cameras_all_day_are_no_call(root, name):
    with holding(root / "dev/video0", name) as pid:
        show(root, pid)
        count(root, 1)
        assert Call(PauseSettings(), root=root).read() == CallReading(False)


def test_open_files_are_looked_through_only_when_the_driver_counts_others(root):
    users = CameraUsers(root)
    assert users.find(0.0) == ""
    with holding(root / "dev/video0", "late") as pid:
        show(root, pid)
        assert users.find(1.0) == "", "the count has not changed"
        count(root, 1)
        assert users.find(2.0) == "late"
        assert users.find(3.0) == "late"
    assert users.find(4.0) == ""
    with holding(root / "dev/video0", "again") as pid:  # a driver within the kernel counts nobody
        show(root, pid)
        assert users.find(5.0) == ""
        assert users.find(5.0 + call_module.FULL_SCAN_S) == "again"


def test_a_machine_without_cameras_or_sound(tmp_path):
    (tmp_path / "proc").mkdir()
    assert Call(PauseSettings(), root=tmp_path).read() == CallReading(False)


@pytest.mark.parametrize(
    ("state", "is_recording"),
    [("closed", False), ("state: RUNNING", True), ("state: SETUP", False), ("", False)],
)
def test_a_microphone_that_records(root, state, is_recording):
    record(root, state)
    assert microphone_is_recording(root) is is_recording
    reading = Call(PauseSettings(), root=root).read()
    assert reading == (CallReading(True, "microphone") if is_recording else CallReading(False))
    assert Call(PauseSettings(microphone_is_call=False), root=root).read() == CallReading(False)


def test_playing_music_is_no_call(root):
    (root / "proc/asound/card0/pcm0p/sub0/status").write_text("state: RUNNING\n", encoding="ascii")
    assert not microphone_is_recording(root)


def test_programs_that_the_person_names(root):
    (root / "dev/null").touch()
    with holding(root / "dev/null", "callapp"):
        assert running_program(["nobody", "CallApp.exe"]) == "CallApp.exe"
        call = Call(PauseSettings(call_apps=["callapp"]), root=root)
        assert call.read() == CallReading(True, "callapp")
    assert running_program(["callapp"]) == ""
    assert running_program([]) == ""


def test_processes_come_and_go_while_we_look(root):
    """Nothing is raised for a process that has gone, or whose files are not ours to see."""
    with running("true", env=dict(os.environ)) as done:
        wait_until(lambda: done.popen.poll() is not None, "the process to end")
        show(root, done.popen.pid, 1)
        (root / "proc/4194304").symlink_to("/proc/4194304")
        (root / "proc/99").mkdir()
        assert CameraUsers(root).find(0.0) == ""
