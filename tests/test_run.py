"""`posture run`: a camera on loopback, the same answers as replay, and an end within a second at any moment."""

import json
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from cli_helpers import FIXTURES, FRONT, front_baseline, home_env, posture, read_events, running, status
from desktop import session_bus
from mjpeg_server import MjpegServer

from posture.calibration import fit_baseline
from posture.control.channel import send
from posture.control.commands import Wrong
from posture.history.store import History
from posture.profiles import save_baseline
from posture.settings import JudgeSettings
from posture.trace import load_trace

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


def side_baseline():
    """Baseline of somebody seen from the side."""
    return fit_baseline(load_trace(FIXTURES / "side_upright_slouch.npz")[:36], JudgeSettings())


def test_run_on_a_clip_tells_the_events_of_replay(env, tmp_path):
    common = ("--baseline", front_baseline(), "--set", "alert.sustain_s=10", "--set", "notify.enabled=false")
    live = tmp_path / "live.jsonl", tmp_path / "live.csv"
    recorded = tmp_path / "recorded.jsonl", tmp_path / "recorded.csv"
    done = posture(
        *("run", "--source", FRONT, "--speed", "50", *common, "--events", live[0], "--trace", live[1]),
        env=env,
    )
    posture("replay", FRONT, *common, "--events", recorded[0], "--trace", recorded[1], env=env)
    assert live[0].read_bytes() == recorded[0].read_bytes()
    assert live[1].read_bytes() == recorded[1].read_bytes()
    kinds = [event["kind"] for event in read_events(live[0])]
    assert "alert" in kinds
    printed = [line for line in done.stdout.splitlines() if line.startswith("    ")]
    assert len([line for line in printed if ":" in line[:9]]) == len(kinds)


def test_a_clip_without_a_profile_does_not_make_its_person_the_default(env, tmp_path):
    clip = FIXTURES / "two_people.mp4"
    done = posture("run", "--source", clip, "--speed", "100", "--set", "calibration.seconds=3", env=env)
    assert "for this run only" in done.stdout
    assert not list((tmp_path / "home").rglob("*.json"))
    assert not list((tmp_path / "home").rglob("*.sqlite*")), "whoever is in a clip is not in the history"


def test_a_camera_is_calibrated_and_a_slouch_before_it_is_told(env, tmp_path, actor):
    profile = tmp_path / "home/.local/share/posture/profiles/default.json"
    state = tmp_path / "home/.local/state/posture"
    fast = ("calibration.countdown_s=0.2", "calibration.seconds=3", "alert.sustain_s=1", "camera.rate_hz=8")
    settings = [part for setting in fast for part in ("--set", setting)]
    with (
        MjpegServer(rate_hz=16) as camera,
        running("run", "--source", camera.url, *settings, env=env) as process,
    ):
        process.wait_for((state / "control.key").exists)
        assert "process" in posture("status", env=env).stdout, "it answers before there is a baseline"
        process.wait_for("Watching")
        assert "Baseline taken" in process.text
        assert profile.exists()
        told = posture("status", env=env).stdout
        assert "watching" in told
        assert camera.url in told
        actor.now = actor.slouched
        process.wait_for("slouch began")
        process.wait_for("alert: ")
        process.wait_for("Notifications do not arrive")
        process.wait_for(lambda: status(env)["state"] == "slouching" and status(env)["notifications_failed"])
        told = posture("status", env=env).stdout
        assert "slouching" in told
        assert "0 sent, 1 failed" in told
        assert (
            "the newest alert was wrong" in send(state, Wrong("was reading")).text
        )  # as a notification's button does
        process.stop(signal.SIGINT)
        assert process.text.count("Notifications do not arrive") == 1
        assert "alerts" in process.text
    assert "no monitor" in posture("status", env=env, code=1).stdout
    with History(tmp_path / "home/.local/share/posture/history.sqlite") as history:
        (session,), (alert,) = history.sessions(), history.alerts()
        assert (session.source, session.profile) == (camera.url, "default")
        assert alert.baseline_utc == json.loads(profile.read_bytes())["created_utc"]
        assert {bout.state.value for bout in history.bouts()} >= {"slouching"}
        assert [(row.alert_id, row.verdict, row.note) for row in history.feedback()] == [
            (alert.id, "wrong", "was reading")
        ]
        assert abs(session.end_utc_ms / 1000 - time.time()) < 120
    assert "Slouched for 0:0" in posture("why", env=env).stdout


MOMENTS = {
    "reading settings": "_multiarray_umath",  # a library that is mapped then
    "loading OpenCV": "cv2.abi3",
    "loading the model": "mediapipe/",
}


@BOTH
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_at_once_while_starting(env, moment, number):
    with running("run", "--source", FRONT, "--baseline", front_baseline(), env=env) as process:
        process.wait_for_library(MOMENTS[moment])
        process.stop(number)


@BOTH
def test_it_ends_at_once_before_anything_is_loaded(env, number):
    with running("run", "--source", FRONT, env=env) as process:
        maps, state = (Path(f"/proc/{process.popen.pid}/{name}") for name in ("maps", "status"))

        def is_ready():
            mask = re.search(r"SigCgt:\s*(\w+)", state.read_text(encoding="utf-8"))[1]
            return int(mask, 16) >> (signal.SIGTERM - 1) & 1

        process.wait_for(is_ready)
        assert "_multiarray_umath" not in maps.read_text(encoding="utf-8"), "only after the slow imports"
        process.stop(number)


@BOTH
def test_it_ends_at_once_while_watching(env, number):
    with running("run", "--source", FRONT, "--baseline", front_baseline(), env=env) as process:
        process.wait_for("Watching")
        assert status(env)["profile"] == front_baseline().name
        process.stop(number)
        assert "frames" in process.text
    assert "no monitor" in posture("status", env=env, code=1).stdout


@BOTH
def test_it_ends_at_once_while_calibrating(env, number, tmp_path, actor):
    with MjpegServer(rate_hz=16) as camera, running("run", "--source", camera.url, env=env) as process:
        camera.wait_for_connections(1, 60)
        process.stop(number)
    assert not list((tmp_path / "home").rglob("*.json"))


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["loading", "taking"])
def test_a_calibration_that_was_ended_is_not_a_success(env, number, code, moment, tmp_path):
    with MjpegServer(rate_hz=16) as camera, running("calibrate", "--source", camera.url, env=env) as process:
        if moment == "taking":
            camera.wait_for_connections(1, 60)
        else:
            process.wait_for_library("_multiarray_umath")
        process.popen.send_signal(number)
        assert process.finish(20) == code
    assert not list((tmp_path / "home").rglob("*.json"))


@BOTH
def test_it_ends_at_once_while_looking_which_profile_fits(env, number, tmp_path, actor):
    profiles = tmp_path / "home/.local/share/posture/profiles"
    profiles.mkdir(parents=True)
    for name in ("default", "other"):
        (profiles / f"{name}.json").write_bytes(front_baseline().read_bytes())
    with MjpegServer("mute") as camera, running("run", "--source", camera.url, env=env) as process:
        camera.wait_for_connections(1, 60)
        process.stop(number)
        assert "Watching" not in process.text


def test_a_camera_is_given_the_profile_that_fits(env, tmp_path, actor):
    profiles = tmp_path / "home/.local/share/posture/profiles"
    save_baseline(profiles / "default.json", side_baseline())
    (profiles / "mine.json").write_bytes(front_baseline().read_bytes())
    with MjpegServer(rate_hz=16) as camera, running("run", "--source", camera.url, env=env) as process:
        process.wait_for("Watching")
        assert "Profile 'mine': the only one that fits" in process.text
        process.stop(signal.SIGINT)


@BOTH
def test_it_ends_at_once_while_the_camera_does_not_answer(env, number):
    with MjpegServer("mute") as camera:
        args = ("run", "--source", camera.url, "--baseline", front_baseline())
        with running(*args, env=env) as process:
            camera.wait_for_connections(1, 60)
            process.stop(number)


@BOTH
def test_it_ends_at_once_while_the_camera_stalls(env, number, actor):
    with MjpegServer("stall", after=10, rate_hz=16) as camera:
        args = ("run", "--source", camera.url, "--baseline", front_baseline())
        with running(*args, env=env) as process:
            process.wait_for("camera lost")
            process.wait_for(lambda: "camera lost" in status(env)["camera"])
            process.stop(number)
            assert "no monitor" in posture("status", env=env, code=1).stdout


@BOTH
def test_it_ends_at_once_while_a_notification_hangs(tmp_path, number):
    with session_bus() as bus, bus.scripted_service("hang") as service:
        env = home_env(tmp_path / "home", DBUS_SESSION_BUS_ADDRESS=bus.address)
        args = (
            "run",
            "--source",
            FRONT,
            "--baseline",
            front_baseline(),
            "--speed",
            "100",
            "--set",
            "alert.sustain_s=1",
        )
        with running(*args, env=env) as process:
            assert "summary" in service.line(60)
            process.stop(number)


def test_ctrl_c_twice_ends_as_cleanly_as_once(env):
    with running("run", "--source", FRONT, "--baseline", front_baseline(), env=env) as process:
        process.wait_for("Watching")
        again = threading.Timer(0.05, process.popen.send_signal, [signal.SIGINT])
        again.start()
        process.stop(signal.SIGINT)
        again.join()
        assert "frames" in process.text, "no summary"
    assert "no monitor" in posture("status", env=env, code=1).stdout
