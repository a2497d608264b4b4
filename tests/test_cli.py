"""The command line through its real entry point: help, usage errors, odd terminals."""

import re
import subprocess
import sys
from importlib.metadata import entry_points, version

import msgspec
import pytest
from cli_helpers import POSTURE, home_env, posture

from posture.control.channel import ControlServer
from posture.control.commands import Reply
from posture.slouch import Reason, SlouchState
from posture.status import StatusBoard

COMMANDS = (
    *(("run",), ("calibrate",), ("replay",), ("demo",), ("status",), ("cameras",), ("bench",), ("config",)),
    *(("report",), ("why",), ("wrong",), ("break",), ("doctor",), ("record",), ("tray",)),
    *(("evaluate",), ("tune",), ("label",), ("labels",)),
    *(("trace",), *(("trace", name) for name in ("info", "export"))),
    *(("history",), *(("history", name) for name in ("info", "export", "import", "delete"))),
    *(("autostart",), *(("autostart", name) for name in ("enable", "disable", "status"))),
    *(("pause",), ("resume",), ("snooze",), ("recalibrate",), ("rezero",), ("stop",)),
    *(("config", "init"), ("config", "show"), ("config", "path")),
    *(("profiles",), *(("profiles", name) for name in ("list", "show", "rename", "delete"))),
)


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


def test_help_loads_no_heavy_library(env):
    code = (
        "import sys; from posture.__main__ import main; sys.argv = ['posture', '--help']\n"
        "try: main()\n"
        "finally: print(sorted({'cv2', 'mediapipe', 'numpy', 'plyer', 'msgspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "replay" in done.stdout


def test_help_names_every_command_and_each_has_help(env):
    overview = posture("--help", env=env).stdout
    for command in COMMANDS:
        assert command[0] in overview
        told = posture(*command, "-h", env=env).stdout
        assert f"posture {' '.join(command)}" in told
    named = set(re.findall(r"^│ (\w+)  ", overview.partition("Commands")[2], re.MULTILINE))
    assert named == {command[0] for command in COMMANDS}, "a command without a test"


def test_version_and_the_module_are_the_same_program(env):
    (script,) = entry_points(group="console_scripts", name="posture")
    assert script.value == "posture.__main__:main"
    assert posture("--version", env=env).stdout == f"posture {version('posture')}\n"
    done = subprocess.run(
        [sys.executable, "-m", "posture", "--version"], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == f"posture {version('posture')}\n"


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("nosuch",), "nosuch"),
        (("run", "--nosuch"), "--nosuch"),
        (("run", "extra"), "extra"),
        (("run", "--speed", "fast"), "--speed"),
        (("run", "--speed", "0"), "0"),
        (("calibrate", "--seconds", "1000"), "--seconds"),
        (("replay",), "CLIP"),
        (("replay", "a.mp4", "--calibrate", "8"), "START:END"),
        (("replay", "a.mp4", "--calibrate", "8:2"), "before"),
        (("replay", "a.mp4", "--calibrate", "-1:2"), "before"),
        (("replay", "a.mp4", "--calibrate", "0:inf"), "before"),
        (("replay", "a.mp4", "--calibrate", "nan:nan"), "before"),
        (("replay", "a.mp4", "--calibrate", "1:2:3"), "START:END"),
        (("replay", "a.mp4", "--calibrate", "0:8", "--baseline", "b.json"), "either"),
        (("demo", "--speed", "-3"), "--speed"),
        (("config", "nosuch"), "nosuch"),
    ],
)
def test_wrong_usage_exits_2_and_names_what_was_wrong(env, args, named):
    done = posture(*args, env=env, code=2)
    assert named in done.stderr
    assert done.stdout == ""


def test_no_arguments_shows_the_help(env):
    done = posture(env=env, code=2)
    assert "replay" in done.stdout + done.stderr


def test_colours_only_where_they_are_wanted(env):
    assert "\x1b[" not in posture("--help", env=env).stdout
    assert "\x1b[" not in posture("status", env=env | {"TERM": "xterm-256color"}, code=1).stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_an_encoding_without_our_symbols_loses_only_them(env, encoding, tmp_path):
    board = StatusBoard("x", "default", lambda: {"camera": "ok"})
    status = msgspec.structs.replace(board.snapshot(), state=SlouchState.UPRIGHT, reason=Reason.NONE)
    reply = Reply(is_ok=True, text="", status=msgspec.Raw(msgspec.json.encode(status)))
    server = ControlServer(tmp_path / "home/.local/state/posture", lambda command: reply)
    env = env | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([POSTURE, "status"], env=env, capture_output=True, timeout=60)
    server.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode(encoding).splitlines()[0].strip() == (
        "● upright" if encoding == "utf-8" else "? upright"
    )


def test_output_that_goes_nowhere_is_no_crash(env):
    full = subprocess.run(
        f"'{POSTURE}' config show > /dev/full",
        shell=True,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert full.returncode == 1
    assert full.stderr == "posture: [Errno 28] No space left on device\n"
    closed = subprocess.run(
        f"'{POSTURE}' config show >&- 2>&-", shell=True, env=env, capture_output=True, text=True, timeout=60
    )
    assert closed.returncode in (0, 1)
    gone = subprocess.run(
        f"'{POSTURE}' config show | true", shell=True, env=env, capture_output=True, text=True, timeout=60
    )
    assert gone.stderr == ""
