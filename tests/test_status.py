"""`posture status`: what it says while a monitor runs, and when none does, whatever is left of one."""

import json
import signal

import msgspec
import pytest
from cli_helpers import EMPTY, FRONT, front_baseline, home_env, posture, running

from posture.control.channel import ControlServer
from posture.control.commands import Reply
from posture.slouch import Reason, SlouchState
from posture.status import Status, StatusBoard

NOBODY = "no monitor is running"


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture
def state(tmp_path):
    return tmp_path / "home/.local/state/posture"


def assert_nobody(env):
    assert NOBODY in posture("status", env=env, code=1).stdout
    assert json.loads(posture("status", "--json", env=env, code=1).stdout) == {"running": False}


def test_nothing_runs(env):
    assert_nobody(env)


def test_a_monitor_that_was_killed_is_not_running(env):
    with running("run", "--source", FRONT, "--baseline", front_baseline(), env=env) as process:
        process.wait_for("Watching")
        told = json.loads(posture("status", "--json", env=env).stdout)
        assert told["running"] is True
        assert told["pid"] == process.popen.pid
        assert told["state"] in ("unknown", "upright")
        assert told["source"] == FRONT.name
        assert told["notifications_failed"] == 0
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait(10)
    assert_nobody(env)


GOOD = Status(
    pid=1,
    age_s=0.5,
    source="camera 0",
    profile="default",
    state=SlouchState.UPRIGHT,
    reason=Reason.NONE,
    neck_deviation_deg=None,
    thoracic_deviation_deg=1.5,
    slouch_ratio=0.2,
    slouched_s=0.0,
    sat_s=4000.0,
    alerts=2,
    paused_for_s=90.0,
    notifications_failed=3,
    last_notification_error="no [/desktop]",
)


class Told(StatusBoard):
    """A board that says what the test wants said."""

    def __init__(self, raw):
        self.raw = raw

    def __call__(self, command):
        return Reply(is_ok=True, text="", status=self.raw)


def test_what_is_told_can_be_read(env, state):
    server = ControlServer(state, Told(msgspec.Raw(msgspec.json.encode(GOOD))))
    told = posture("status", env=env).stdout
    server.close()
    for words in (
        "● upright",
        "camera 0",
        "1:06:40",
        "alerts: 2",
        "3 failed",
        "no [/desktop]",
        "another 1:30",
    ):
        assert words in told


@pytest.mark.parametrize("raw", [b"null", b"{}", b"[]", b'{"pid": "x"}', b'{"pid": 1, "state": "dancing"}'])
def test_the_answer_of_another_version_is_one_line(env, state, raw):
    server = ControlServer(state, Told(msgspec.Raw(raw)))
    done = posture("status", env=env, code=1)
    server.close()
    assert done.stderr.count("another version") == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"x" * 1000])
def test_left_overs_are_no_monitor(env, state, content):
    state.mkdir(parents=True)
    for name in ("control.key", "control.sock", "monitor.lock"):
        (state / name).write_bytes(content)
    assert_nobody(env)


def test_a_folder_that_cannot_be_used_is_said_once_and_stops_nothing(env, state):
    state.parent.mkdir(parents=True)
    state.write_text("in the way", encoding="utf-8")
    args = ("run", "--source", EMPTY, "--baseline", front_baseline(), "--speed", "100")
    done = posture(*args, env=env)
    assert done.stderr.count("'posture status' and the other commands will not find this monitor") == 1
    assert len(done.stderr.splitlines()) == 1
    assert "frames" in done.stdout


def test_before_the_first_frame_there_is_something_to_tell():
    status = StatusBoard("camera 0", "default").snapshot()
    assert (status.age_s, status.state, status.reason) == (None, SlouchState.UNKNOWN, Reason.NOT_CALIBRATED)
