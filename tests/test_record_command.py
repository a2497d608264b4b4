"""`posture record`, `run --record`, `trace info`, `trace export` and replaying what they wrote, as a user does it.

Claimed: a run before a real stream and its replay tell the same, to the byte; a killed recorder loses some seconds
and nothing else; whatever is wrong is one line; a password in an address is nowhere in the file.
"""

import csv
import gzip
import json
import re
import resource
import shutil
import signal

import cv2
import mjpeg_server
import numpy as np
import pytest
from actor import Actor
from cli_helpers import (
    FIXTURES,
    FRONT,
    fails,
    front_baseline,
    front_replay,
    home_env,
    posture,
    read_events,
    running,
)
from mjpeg_server import MjpegServer

from posture.calibration import fit_baseline
from posture.recording.writer import TraceWriter, make_header
from posture.settings import AlertSettings, Settings
from posture.trace import load_trace

SLOUCHES = ("--set", "alert.sustain_s=10", "--set", "alert.cooldown_s=30", "--set", "notify.enabled=false")


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Files of one run over FRONT: its recording, its events and its rows."""
    folder = tmp_path_factory.mktemp("recorded")
    files = folder / "run.posture", folder / "run.jsonl", folder / "run.csv"
    done = posture(
        *("run", "--source", FRONT, "--speed", "100", "--baseline", front_baseline(), *SLOUCHES),
        *("--record", files[0], "--events", files[1], "--trace", files[2]),
        env=home_env(folder / "home"),
    )
    assert f"Recording landmarks, no picture, to {files[0]}" in done.stdout
    return files


def replay(path, tmp_path, env, *options):
    """Return the events and rows of a replay, as bytes."""
    out = tmp_path / "again.jsonl", tmp_path / "again.csv"
    done = posture("replay", path, *options, "--events", out[0], "--trace", out[1], env=env)
    return out[0].read_bytes(), out[1].read_bytes(), done


def info(path, env):
    return json.loads(posture("trace", "info", path, "--json", env=env).stdout)


def test_a_replay_needs_nothing_but_the_recording(recorded, env, tmp_path):
    # another home, no options, and a configuration that would make it another run
    config = tmp_path / "home/.config/posture/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[judge]\nneck_deg = 45\n[alert]\nsustain_s = 300\n", encoding="utf-8")
    events, rows, done = replay(recorded[0], tmp_path, env)
    assert events == recorded[1].read_bytes()
    assert rows == recorded[2].read_bytes()
    assert b'"alert"' in events
    assert done.stderr == ""


def test_what_is_asked_for_is_on_top_of_what_was_recorded(recorded, env, tmp_path):
    first, _, _ = replay(recorded[0], tmp_path, env)
    later, _, _ = replay(recorded[0], tmp_path, env, "--set", "alert.sustain_s=20")
    (a,), (b,) = (
        [e for e in map(json.loads, x.splitlines()) if e["kind"] == "alert"] for x in (first, later)
    )
    assert b["confirmed_s"] - a["confirmed_s"] == pytest.approx(10.0, abs=0.5)
    _, rows, _ = replay(recorded[0], tmp_path, env, "--calibrate", "20:30")
    assert b"not_calibrated" in rows
    assert rows.count(b"slouching") < 0.5 * recorded[2].read_bytes().count(b"slouching")
    _, given, _ = replay(recorded[0], tmp_path, env, "--baseline", front_baseline())
    assert given == recorded[2].read_bytes()


def test_quiet_hours_were_those_of_the_day_it_was_recorded(env, tmp_path):
    landmarks = load_trace(FIXTURES / "front_upright_slouch.npz")
    used = Settings(alert=AlertSettings(sustain_s=10.0, quiet_hours=("11:00-13:00",)))
    baseline = fit_baseline(landmarks[:24], used.judge)
    for hour, n_alerts in ((12, 0), (14, 1)):
        path = tmp_path / f"{hour}.posture"
        header = make_header("x", settings=used, baseline=baseline, start_of_day_s=hour * 3600.0)
        with TraceWriter(path, header) as writer:
            for t in range(len(landmarks)):
                writer.add(landmarks[t : t + 1])
        assert replay(path, tmp_path, env)[0].count(b'"alert"') == n_alerts


def test_recording_a_clip_and_judging_it_later_is_judging_it(env, tmp_path):
    trace = tmp_path / "front.posture"
    done = posture("record", "--source", FRONT, "--trace", trace, env=env)
    assert "no picture" in done.stdout
    assert "160 frames, 160 of them judged" in done.stdout
    events, rows, _ = replay(trace, tmp_path, env, "--calibrate", "0:6", "--set", "alert.sustain_s=10")
    now = front_replay()
    assert (rows, events) == (now[0].read_bytes(), now[1].read_bytes())
    told = posture("replay", trace, "--set", "calibration.seconds=6", env=env)
    assert "taking the first 6 s" in told.stderr
    assert info(trace, env)["duration_s"] == 39.75


def test_a_camera_is_recorded_without_a_profile_and_its_password_is_not(env, tmp_path, monkeypatch):
    reader = cv2.VideoCapture(str(FRONT))
    upright = [reader.read()[1] for _ in range(24)]
    reader.release()
    monkeypatch.setattr(mjpeg_server, "numbered_picture", lambda number: upright[number // 4 % 24])
    trace = tmp_path / "folder"
    trace.mkdir()
    with MjpegServer(rate_hz=16) as camera:
        url = camera.url.replace("://", "://someone:hunter2@") + "?token=hunter2"
        done = posture("record", "--source", url, "--trace", trace, "--seconds", "4", env=env)
    assert "hunter2" not in done.stdout
    (path,) = trace.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    content = gzip.decompress(path.read_bytes())
    assert b"hunter2" not in content
    assert b"someone" not in content
    told = info(path, env)
    assert told["source"] == camera.url
    assert told["is_whole"]
    assert 2.0 < told["duration_s"] < 4.0
    assert told["person_frames"] == told["frames"] > 8
    assert told["baseline_utc"] is None
    posture("replay", path, "--calibrate", "0:3", env=env)


def test_a_run_before_a_camera_is_told_again_to_the_byte(env, tmp_path, monkeypatch):
    actor = Actor()
    monkeypatch.setattr(mjpeg_server, "numbered_picture", actor.picture)
    files = tmp_path / "live.posture", tmp_path / "live.jsonl", tmp_path / "live.csv"
    fast = ("alert.sustain_s=1", "alert.cooldown_s=1", "camera.rate_hz=8", "power.preset=responsive")
    fast += ("notify.enabled=false", "calibration.countdown_s=0")
    with (
        MjpegServer(rate_hz=16) as camera,
        running(
            *("run", "--source", camera.url, "--baseline", front_baseline()),
            *(part for setting in fast for part in ("--set", setting)),
            *("--record", files[0], "--events", files[1], "--trace", files[2]),
            env=env,
        ) as process,
    ):

        def told(text):
            return lambda: text in files[2].read_text(encoding="utf-8")

        process.wait_for(lambda: files[2].exists() and files[2].read_bytes().count(b"\n") > 12)
        posture("snooze", "1h", env=env)
        actor.now = actor.slouched
        process.wait_for(told("slouching"))
        posture("recalibrate", "--seconds", "3", env=env)
        process.wait_for("judged against it from now on")
        process.wait_for(told("upright,,"))
        posture("pause", env=env)
        process.wait_for(told("paused"))
        posture("resume", env=env)
        actor.now = actor.upright
        posture("recalibrate", "--seconds", "3", env=env)
        process.wait_for(lambda: process.text.count("judged against it from now on") == 2)
        actor.now = actor.slouched
        process.wait_for("alert: ")
        process.stop(signal.SIGINT)
    events, rows, _ = replay(files[0], tmp_path, env)
    assert rows == files[2].read_bytes()
    assert events == files[1].read_bytes()
    assert "alert" in [event["kind"] for event in read_events(files[1])]
    lived = load_trace(files[0])
    is_seen = np.isfinite(lived.xyzv[:, 0, 0])
    assert np.isfinite(lived.face[is_seen]).all(), "a repeated picture repeats its face"
    found = info(files[0], env)
    assert found["is_whole"]
    assert (found["rebased"], found["snoozes"]) == (2, 2)
    told = posture("why", env=env).stdout
    assert "Recording" in told
    table = told.partition("Recording")[2].splitlines()[2:]
    shown = [line.split() for line in table if re.match(r" +\d+\.\d +\w+ ", line)]
    traced = list(csv.DictReader(files[2].read_text(encoding="utf-8").splitlines()))
    assert len(shown) >= 10
    for t_s, state, neck, *_ in shown:
        near = [row for row in traced if f"{float(row['t_s']):.1f}" == t_s]
        assert (state, neck) in [(row["state"], row["neck_deviation_deg"][:6] or "-") for row in near], (
            t_s,
            near,
        )


def test_eco_does_without_the_face_except_while_a_baseline_is_taken(env, tmp_path, monkeypatch):
    monkeypatch.setattr(mjpeg_server, "numbered_picture", Actor().picture)
    path = tmp_path / "eco.posture"
    fast = ("power.preset=eco", "notify.enabled=false", "calibration.countdown_s=0")
    with (
        MjpegServer(rate_hz=16) as camera,
        running(
            *("run", "--source", camera.url, "--baseline", front_baseline(), "--record", path),
            *(part for setting in fast for part in ("--set", setting)),
            env=env,
        ) as process,
    ):
        process.wait_for(lambda: path.exists() and path.stat().st_size > 6_000)
        posture("recalibrate", "--seconds", "3", env=env)
        process.wait_for("judging paused: calibrating")
        # taken, or refused where the machine is too busy for enough frames
        process.wait_for(lambda: process.text.count("ew baseline: ") > 1)
        process.stop(signal.SIGINT)
    has_face = np.isfinite(load_trace(path).face[:, 0])
    began, ended = np.flatnonzero(np.diff(has_face.astype(int), prepend=0, append=0))
    assert 0 < began < ended
    assert ended - began >= 2


def test_a_killed_recorder_loses_seconds_and_nothing_else(env, tmp_path):
    trace, rows = tmp_path / "a.posture", tmp_path / "rows.csv"
    with running(
        *("run", "--source", FRONT, "--speed", "10", "--baseline", front_baseline(), "--record", trace),
        *("--trace", rows),
        env=env,
    ) as process:
        process.wait_for(lambda: trace.exists() and trace.stat().st_size > 20_000)
        process.popen.kill()
        process.popen.wait(10)
    told = info(trace, env)
    assert not told["is_whole"]
    written = rows.read_bytes()
    done = replay(trace, tmp_path, env)
    again = done[1]
    assert written.startswith(again)
    assert 20 < again.count(b"\n") >= written.count(b"\n") - 22, "5 s of 4 frames a second"
    assert "a.posture has no end after" in done[2].stderr
    assert "has no end" in posture("trace", "info", trace, env=env).stdout


def test_a_cut_recording_is_replayed_as_far_as_it_goes_and_says_so(recorded, env, tmp_path):
    cut = tmp_path / "cut.posture"
    cut.write_bytes(recorded[0].read_bytes()[:-3000])
    events, rows, done = replay(cut, tmp_path, env)
    assert "cut.posture is cut off after" in done.stderr
    assert "note: it is cut off after" in posture("trace", "info", tmp_path / "cut.posture", env=env).stdout
    assert recorded[1].read_bytes().startswith(events)
    assert recorded[2].read_bytes().startswith(rows)
    assert rows.count(b"\n") > 60
    told = posture("trace", "export", cut, "-o", tmp_path / "cut.csv", env=env)
    assert "cut off after" in told.stderr


def test_what_is_no_recording_is_one_line(env, tmp_path):
    (tmp_path / "empty.posture").write_bytes(b"")
    (tmp_path / "text.posture").write_text("hello\n", encoding="utf-8")
    empty, text = tmp_path / "empty.posture", tmp_path / "text.posture"
    for command in (("trace", "info", empty), ("replay", text), ("trace", "export", text, "-o", "/dev/null")):
        assert ".posture: not a landmark trace" in fails(*command, env=env)
    assert "No such file" in fails("trace", "info", tmp_path / "missing", env=env)
    assert "Is a directory" in fails("trace", "info", tmp_path, env=env)
    assert "not a landmark trace" in fails("trace", "info", FRONT, env=env)
    assert "no such file" in fails("replay", tmp_path / "missing.posture", env=env)


def test_its_bytes_tell_what_it_is_and_not_its_name(recorded, env, tmp_path):
    renamed = shutil.copyfile(recorded[0], tmp_path / "clip.mp4")
    assert replay(renamed, tmp_path, env)[0] == recorded[1].read_bytes()
    clip = shutil.copyfile(FIXTURES / "side_upright_slouch.npz", tmp_path / "clip.avi")
    assert b"slouch_started" in replay(clip, tmp_path, env, "--calibrate", "0:6", *SLOUCHES)[0]


def test_nothing_is_overwritten(recorded, env, tmp_path):
    before = recorded[0].read_bytes()
    assert "exists already" in fails("record", "--source", FRONT, "--trace", recorded[0], env=env)
    told = fails("run", "--source", FRONT, "--baseline", front_baseline(), "--record", recorded[0], env=env)
    assert "exists already" in told
    assert "has no pictures" in fails("record", "--source", recorded[0], "--trace", tmp_path / "b", env=env)
    assert "overwrite" in fails("trace", "export", recorded[0], "-o", recorded[0], env=env)
    assert "overwrite" in fails("replay", recorded[0], "--trace", recorded[0], env=env)
    assert "overwrite" in fails("record", "--source", FRONT, "--trace", FRONT, env=env)
    assert recorded[0].read_bytes() == before


def test_a_source_that_gives_nothing_leaves_no_file(env, tmp_path):
    trace = tmp_path / "a.posture"
    (tmp_path / "broken.mp4").write_bytes(b"")
    fails("record", "--source", tmp_path / "broken.mp4", "--trace", trace, env=env)
    fails("record", "--source", "http://127.0.0.1:9/video", "--trace", trace, env=env)
    assert not trace.exists()


def test_a_full_disk_is_one_line_and_what_was_written_can_be_replayed(env, tmp_path):
    trace = tmp_path / "a.posture"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))

    told = fails("record", "--source", FRONT, "--trace", trace, env=env, preexec_fn=limit)
    assert told.startswith(f"cannot write {trace}: ")
    assert "what was recorded so far is kept" in told
    assert info(trace, env)["frames"] >= 20
    assert "/proc/a.posture" in fails("record", "--source", FRONT, "--trace", "/proc/a.posture", env=env)


def test_a_table_has_what_was_seen(recorded, env, tmp_path):
    table = tmp_path / "a.csv"
    posture("trace", "export", recorded[0], "-o", table, env=env)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 160
    assert 0.3 < float(rows[0]["nose_x"]) < 0.7
    assert float(rows[0]["left_shoulder_x"]) > float(rows[0]["right_shoulder_x"])
    assert float(rows[0]["left_shoulder_world_x_m"]) > 0.05
    assert {"", "1"} >= {rows[0]["condition"], rows[0]["is_own"]}
    assert len(rows[0]) == 8 + 4 * 25 + 3 * 4 + 9
    assert abs(float(rows[0]["face_centre_x"]) - float(rows[0]["nose_x"])) < 0.05
    assert float(rows[0]["face_ax_x"]) > 0.1


def test_the_information_is_readable(recorded, env):
    told = posture("trace", "info", recorded[0], env=env).stdout
    for words in ("front_upright_slouch.mp4", "0:40", "160, 100% of them judged", "front.json", "its own"):
        assert words in told
    assert "note" not in told
