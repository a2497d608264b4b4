"""`posture status`: what it says while a monitor runs, after it was killed, and of a damaged file."""

import json
import os
import signal
import stat

import pytest
from cli_helpers import EMPTY, FRONT, front_baseline, home_env, posture, running

from posture.status import StatusFile

NOBODY = "no monitor is running"


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture
def status_file(tmp_path):
    return tmp_path / "home/.local/state/posture/status.json"


def test_nothing_runs(env):
    assert NOBODY in posture("status", env=env, code=1).stdout
    assert json.loads(posture("status", "--json", env=env, code=1).stdout) == {"running": False}


def test_a_monitor_that_was_killed_is_not_running_once_its_file_is_stale(env, status_file):
    with running("run", "--source", FRONT, "--baseline", front_baseline(), env=env) as process:
        process.wait_for(status_file.exists)
        told = json.loads(posture("status", "--json", env=env).stdout)
        assert told["running"] is True
        assert told["pid"] == process.popen.pid
        assert told["state"] in ("unknown", "upright")
        assert told["source"] == FRONT.name
        assert told["notifications_failed"] == 0
        assert stat.S_IMODE(status_file.stat().st_mode) == 0o600
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait(10)
    content = json.loads(status_file.read_bytes())
    content["updated_unix_s"] -= 15.0
    status_file.write_text(json.dumps(content), encoding="utf-8")
    assert NOBODY in posture("status", env=env, code=1).stdout
    assert json.loads(posture("status", "--json", env=env, code=1).stdout) == {"running": False}


GOOD = {
    "pid": 1,
    "updated_unix_s": 9e9,
    "source": "camera 0",
    "profile": "default",
    "state": "upright",
    "reason": "",
    "neck_deviation_deg": None,
    "thoracic_deviation_deg": 1.5,
    "slouched_s": 0,
    "sat_s": 4000.0,
    "alerts": 2,
    "notifications_failed": 3,
    "last_notification_error": "no [/desktop]",
}


def test_what_is_told_can_be_read(env, status_file):
    status_file.parent.mkdir(parents=True)
    status_file.write_text(json.dumps(GOOD), encoding="utf-8")
    told = posture("status", env=env).stdout
    for words in ("● upright", "camera 0", "1:06:40", "alerts: 2", "3 failed", "no [/desktop]"):
        assert words in told


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"{}",
        b'{"a":' * 100_000,
        json.dumps(GOOD)[:100].encode(),
        json.dumps(GOOD | {"state": "dancing"}).encode(),
        json.dumps(GOOD | {"reason": "unheard of"}).encode(),
        json.dumps(GOOD | {"pid": "x"}).encode(),
    ],
)
def test_a_damaged_file_is_no_monitor(env, status_file, content):
    status_file.parent.mkdir(parents=True)
    status_file.write_bytes(content)
    assert NOBODY in posture("status", env=env, code=1).stdout
    assert json.loads(posture("status", "--json", env=env, code=1).stdout) == {"running": False}


def test_a_status_that_cannot_be_written_is_said_once_and_stops_nothing(env, status_file):
    status_file.parent.parent.mkdir(parents=True)
    status_file.parent.write_text("in the way", encoding="utf-8")
    args = ("run", "--source", EMPTY, "--baseline", front_baseline(), "--speed", "100")
    done = posture(*args, env=env)
    assert done.stderr.count("'posture status' will not work") == 1
    assert len(done.stderr.splitlines()) == 1
    assert "frames" in done.stdout


@pytest.mark.parametrize(("pid", "stays"), [(os.getpid(), False), (1, True)])
def test_only_ones_own_status_is_taken_away(tmp_path, pid, stays):
    path = tmp_path / "status.json"
    path.write_text(json.dumps(GOOD | {"pid": pid}), encoding="utf-8")
    StatusFile(path, "camera 0", "default", dict).close()
    assert path.exists() == stays


def test_a_damaged_status_is_taken_away(tmp_path):
    path = tmp_path / "status.json"
    path.write_bytes(b"{")
    StatusFile(path, "camera 0", "default", dict).close()
    assert not path.exists()
