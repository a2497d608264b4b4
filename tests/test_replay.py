"""`posture replay`: the contract of its files and exit codes, and what happens when something breaks."""

import csv
import json
import os
import resource
import shutil
import signal
import threading

import cv2
import pytest
from cli_helpers import (
    EMPTY,
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

from posture.errors import OutputError
from posture.pipeline import Pipeline
from posture.session import replay
from posture.settings import Settings

STATES = {"unknown", "upright", "slouching", "away"}
KINDS = {
    *("slouch_started", "slouch_ended", "away", "returned", "alert", "break_due"),
    *("camera_moved", "camera_lost", "camera_back", "unknown_started", "unknown_ended"),
}
NUMBERS = ["neck_deviation_deg", "thoracic_deviation_deg"]


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


def read_trace(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cut_short(path, seconds=2.0):
    """Write the first `seconds` of FRONT with a header that promises all of it, and return the path."""
    reader = cv2.VideoCapture(str(FRONT))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 4.0, (640, 480))
    for _ in range(24):
        writer.write(reader.read()[1])
    writer.release()
    reader.release()
    os.truncate(path, round(path.stat().st_size * seconds / 6.0))
    return path


def test_the_trace_has_a_row_for_every_frame_and_empty_means_not_measured():
    trace, _, _ = front_replay()
    rows = read_trace(trace)
    assert list(rows[0])[:5] == ["t_s", "state", "reason", *NUMBERS]
    capture = cv2.VideoCapture(str(FRONT))
    assert len(rows) == sum(1 for _ in iter(capture.grab, False))
    capture.release()
    times_s = [float(row["t_s"]) for row in rows]
    assert times_s == pytest.approx([i / 4.0 for i in range(len(rows))], abs=1e-6)
    assert {row["state"] for row in rows} <= STATES
    for row in rows:
        if float(row["t_s"]) < 6.0:
            assert [row["state"], row["reason"], *(row[n] for n in NUMBERS)] == [
                "unknown",
                "not_calibrated",
                "",
                "",
            ]
        elif row["reason"] == "":
            assert all(abs(float(row[name])) < 90 for name in NUMBERS)
    assert "nan" not in trace.read_text(encoding="utf-8")
    assert ",-0.000," not in trace.read_text(encoding="utf-8")


def test_the_slouch_is_an_event_and_an_alert_after_the_time_asked_for():
    _, events, done = front_replay()
    told = read_events(events)
    assert {event["kind"] for event in told} <= KINDS
    assert all(event["onset_s"] <= event["confirmed_s"] for event in told)
    assert [event["confirmed_s"] for event in told] == sorted(event["confirmed_s"] for event in told)
    started = next(event for event in told if event["kind"] == "slouch_started")
    assert 11.0 < started["onset_s"] < 15.0
    (alert,) = (event for event in told if event["kind"] == "alert")
    assert alert["confirmed_s"] - alert["onset_s"] == pytest.approx(10.0, abs=1.0)  # default: 60 s
    assert done.stdout.count("\n") >= 6
    assert "alerts" in done.stdout
    assert done.stderr == ""


def test_again_is_byte_for_byte_the_same(tmp_path):
    trace, events, _ = front_replay()
    again = tmp_path / "again.csv", tmp_path / "again.jsonl"
    posture(
        *("replay", FRONT, "--calibrate", "0:6", "--set", "alert.sustain_s=10"),
        *("--trace", again[0], "--events", again[1]),
        env=home_env(tmp_path / "home"),
    )
    assert again[0].read_bytes() == trace.read_bytes()
    assert again[1].read_bytes() == events.read_bytes()


def test_several_clips_go_to_folders_and_one_that_fails_does_not_stop_the_rest(env, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"")
    baseline = front_baseline()
    clips = [tmp_path / "broken.mp4", EMPTY, tmp_path / "missing.mp4", FIXTURES / "two_people.mp4"]
    out = tmp_path / "out"
    done = posture(
        "replay",
        *clips,
        "--baseline",
        baseline,
        "--trace",
        out,
        "--events",
        tmp_path / "events",
        env=env,
        code=1,
    )
    assert sorted(path.name for path in out.iterdir()) == ["empty_room.csv", "two_people.csv"]
    assert sorted(path.name for path in (tmp_path / "events").iterdir()) == [
        "empty_room.jsonl",
        "two_people.jsonl",
    ]
    broken, missing, total = done.stderr.splitlines()
    assert broken.count(str(clips[0])) == 1
    assert missing.count(str(clips[2])) == 1
    assert total == "posture: 2 of 4 clips failed"
    states = {row["state"] for row in read_trace(out / "empty_room.csv")}
    assert "away" in states
    assert "slouching" not in states


def test_a_span_that_the_clip_does_not_have_is_one_line(env, tmp_path):
    assert "3.8 s; choose an earlier span" in fails("replay", EMPTY, "--calibrate", "0:60", env=env)
    assert "60:70 s" in fails("replay", EMPTY, "--calibrate", "60:70", env=env)
    assert "nobody in view" in fails("replay", EMPTY, "--calibrate", "0:3", env=env)


def test_no_span_and_no_baseline_says_what_it_does(env):
    done = posture("replay", EMPTY, "--set", "calibration.seconds=3", env=env, code=1)
    told, refused = done.stderr.splitlines()
    assert "first 3 s" in told
    assert "calibration refused" in refused


def test_outputs_that_cannot_be_written_are_one_line(env, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    common = ("replay", EMPTY, "--baseline", front_baseline())
    assert str(tmp_path / "file") in fails(*common, "--trace", tmp_path / "file" / "x.csv", env=env)
    assert "/proc/x.jsonl" in fails(*common, "--events", "/proc/x.jsonl", env=env)
    told = fails(*common[:2], FRONT, *common[2:], "--trace", tmp_path / "one.csv", env=env)
    assert "folder" in told


def test_the_progress_bar_goes_away_also_when_nothing_can_be_written(tmp_path):
    class Bar:
        n_closed = 0

        def handle(self, result):
            raise AssertionError("nothing was judged")

        def close(self):
            self.n_closed += 1

    bar = Bar()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        replay(
            [],
            None,
            Pipeline(Settings()),
            trace=tmp_path / "file" / "x.csv",
            events=None,
            progress=bar,
            stop=threading.Event(),
        )
    assert bar.n_closed == 1


def test_what_is_read_is_never_overwritten(env, tmp_path):
    clip = tmp_path / "clip.mp4"
    shutil.copyfile(EMPTY, clip)
    common = ("replay", clip, "--baseline", front_baseline())
    link = tmp_path / "link.csv"
    link.symlink_to(clip)
    for output in (clip, link):
        assert "overwrite" in fails(*common, "--trace", output, env=env)
    assert clip.read_bytes() == EMPTY.read_bytes()
    assert "overwrite" in fails(*common, "--trace", tmp_path / "x", "--events", tmp_path / "x", env=env)
    (tmp_path / "other").mkdir()
    twin = shutil.copyfile(EMPTY, tmp_path / "other" / "clip.mp4")
    assert "overwrite" in fails(*common[:2], twin, *common[2:], "--trace", tmp_path / "out", env=env)
    assert "overwrite" in fails(
        "run", "--source", clip, "--baseline", front_baseline(), "--trace", clip, env=env
    )


def test_a_full_disk_is_one_line(env, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    told = fails(
        *("replay", EMPTY, "--baseline", front_baseline(), "--trace", tmp_path / "t.csv"),
        env=env,
        preexec_fn=limit,
    )
    assert str(tmp_path / "t.csv") in told
    assert "free space" in told
    assert fails(
        *("replay", EMPTY, "--baseline", front_baseline(), "--events", "/dev/full"), env=env
    ).startswith("cannot write /dev/full: No space left")


def test_an_interrupted_replay_keeps_whole_rows(env, tmp_path):
    trace = tmp_path / "t.csv"
    with running("replay", FRONT, "--baseline", front_baseline(), "--trace", trace, env=env) as process:
        process.wait_for(lambda: trace.exists() and trace.read_bytes().count(b"\n") > 5)
        process.stop(signal.SIGINT)
        assert "interrupted; what was judged so far is kept" in process.text
    assert trace.read_bytes().endswith(b"\n")
    rows = read_trace(trace)
    assert 5 <= len(rows) < 160
    assert all(None not in row.values() for row in rows)


def test_rows_reach_the_file_one_by_one_so_that_a_killed_replay_keeps_them(env, tmp_path):
    trace = tmp_path / "t.csv"
    with running("replay", FRONT, "--baseline", front_baseline(), "--trace", trace, env=env) as process:
        process.wait_for(lambda: trace.exists() and trace.read_bytes().count(b"\n") > 5)
        assert trace.read_bytes().count(b"\n") < 60, "they come in blocks"
        process.popen.kill()
        process.popen.wait(10)
    assert trace.read_bytes().endswith(b"\n")


def test_a_truncated_clip_is_judged_as_far_as_it_goes_and_says_so(env, tmp_path):
    clip = cut_short(tmp_path / "cut.avi")
    trace = tmp_path / "t.csv"
    done = posture("replay", clip, "--baseline", front_baseline(), "--trace", trace, env=env)
    assert "cut.avi: truncated" in done.stderr
    assert 4 <= len(read_trace(trace)) < 12


def test_a_folder_of_pictures_is_a_clip(env, tmp_path):
    reader = cv2.VideoCapture(str(FRONT))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.jpg"), reader.read()[1])
    reader.release()
    (folder / "3.jpg").write_bytes(b"no picture")
    trace = tmp_path / "t.csv"
    done = posture("replay", folder, "--baseline", front_baseline(), "--trace", trace, env=env)
    assert "3.jpg: skipped" in done.stderr
    assert [row["state"] for row in read_trace(trace)] == ["upright"] * 3 or len(read_trace(trace)) == 3


def test_a_name_full_of_markup_is_printed_as_it_is(env, tmp_path):
    clip = tmp_path / "a[" / "b] :smile: [red].mp4"
    clip.parent.mkdir()
    shutil.copyfile(EMPTY, clip)
    done = posture("replay", clip, "--baseline", front_baseline(), env=env)
    assert str(clip) in done.stdout


def test_events_are_plain_json_without_nan():
    def refuse(word):
        raise AssertionError(word)

    for line in front_replay()[1].read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=refuse)
