"""Many clips in one command: found, judged at once, kept as a dataset, gone on with after whatever happened."""

import csv
import functools
import json
import os
import re
import shutil
import signal
from pathlib import Path

import pyarrow.dataset
import pyarrow.parquet
import pytest
from cli_helpers import FIXTURES, fails, home_env, running
from cli_helpers import posture as run_posture

from posture.batch.dataset import LONGEST, Dataset, encode_name
from posture.batch.encoding import encode_rows
from posture.batch.finding import search
from posture.batch.rows import CLIP_COLUMNS, EVENT_COLUMNS
from posture.clip_replay import ReplayPlan
from posture.errors import OutputError
from posture.settings import Settings

posture = functools.partial(run_posture, timeout_s=400.0)  # several processes, each with a model to load
SHORT = FIXTURES / "two_people.mp4"  # 4.8 s
TRACE = FIXTURES / "s200_side.npz"
SPAN = ("--calibrate", "0:3")


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


def content(folder):
    """Return every file below a folder but the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def clips_table(folder):
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as file:
        return {row["clip"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder as a laboratory has it, judged once in two processes: folder, dataset, what was printed."""
    base = tmp_path_factory.mktemp("lab")
    folder = base / "lab"
    for name, source in {
        "annie/clip.mp4": SHORT,
        "bob/clip.mp4": SHORT,
        "bob/second day/ü=1.npz": TRACE,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)
    (folder / "notes.txt").write_text("when who sat where", encoding="utf-8")
    (folder / "archive.npz").write_bytes(b"PK\x03\x04 and nothing more")
    (folder / "bob" / "desk.jpg").write_bytes(b"a picture")
    (folder / ".hidden.mp4").write_bytes(b"x")
    (folder / "broken.mp4").write_bytes(b"x" * 1000)
    (folder / "results.mp4").mkdir()
    out = folder / "out"
    done = posture(
        "replay", folder, "--jobs", "2", *SPAN, "--output", out, env=home_env(base / "home"), code=1
    )
    return folder, out, done


def test_one_that_fails_and_what_is_no_clip_are_named_at_the_end_and_the_rest_is_judged(lab):
    _, _, done = lab
    lines = done.stdout.splitlines()
    assert sorted(re.sub(r"^\[\d/4\] |: .*", "", line) for line in lines[:-1]) == [
        "annie/clip.mp4",
        "bob/clip.mp4",
        "bob/second day/ü=1.npz",
        "broken.mp4",
    ]
    assert lines[-1].startswith("3 judged, 0 finished earlier, 1 failed; ")
    skipped = [line for line in done.stderr.splitlines() if line.startswith("skipped: ")]
    assert len(skipped) == 3
    assert all(
        sum(name in line for line in skipped) == 1 for name in ("notes.txt", "archive.npz", "desk.jpg")
    )
    told = done.stderr.splitlines()
    assert told[-2] == "posture: 1 of 4 clips failed:"
    assert "broken.mp4" in told[-1]
    assert "text" in told[-1]


def test_the_dataset_is_read_with_one_call_and_knows_clips_of_one_name_apart(lab):
    _, out, _ = lab
    names = {"annie/clip.mp4", "bob/clip.mp4", "bob/second day/ü=1.npz"}
    trace = pyarrow.dataset.dataset(out / "trace", partitioning="hive").to_table()
    assert set(trace["clip"].to_pylist()) == names
    events = pyarrow.dataset.dataset(out / "events", partitioning="hive").to_table()
    assert set(events["clip"].to_pylist()) <= names
    assert {"slouch_started", "slouch_ended"} <= set(events["kind"].to_pylist())
    clips = {row["clip"]: row for row in pyarrow.parquet.read_table(out / "clips.parquet").to_pylist()}
    assert set(clips) == names | {"broken.mp4"}
    counted = trace.group_by("clip").aggregate([("t_s", "count"), ("t_s", "max")]).to_pylist()
    for row in counted:
        assert clips[row["clip"]]["n_frames"] == row["t_s_count"]
        assert clips[row["clip"]]["judged_until_s"] == pytest.approx(row["t_s_max"], abs=1e-3)
    assert clips["broken.mp4"]["error"]
    assert clips["broken.mp4"]["n_frames"] is None
    assert clips["annie/clip.mp4"]["sha256"] == clips["bob/clip.mp4"]["sha256"]
    assert trace["neck_deviation_deg"].null_count > 0, "not measured is empty"
    assert not any(value != value for value in trace["neck_deviation_deg"].to_pylist() if value is not None)


def test_as_csv_a_clip_has_the_very_trace_that_it_has_alone(lab, env, tmp_path):
    folder, _, _ = lab
    out = tmp_path / "out"
    clip = folder / "annie" / "clip.mp4"
    posture("replay", clip, *SPAN, "--trace", tmp_path / "t.csv", "--events", tmp_path / "e.jsonl", env=env)
    posture("replay", clip.parent, *SPAN, "--output", out, "--format", "csv", env=env)
    assert (out / "trace/clip=clip.mp4/part.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()
    with (out / "events/clip=clip.mp4/part.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    alone = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in row.items() if v} for row in told] == [
        {k: str(v) for k, v in event.items()} for event in alone
    ]


def test_a_second_run_does_only_what_has_changed(env, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.npz", "b.npz"):
        shutil.copyfile(TRACE, folder / name)
    command = ("replay", folder, "--output", out, "--format", "csv")

    def run(*more):
        lines = posture(*command, *more, env=env).stdout.splitlines()
        return {line.split()[1].rstrip(":"): "finished earlier" in line for line in lines[:-1]}

    assert run() == {"a.npz": False, "b.npz": False}
    first = content(out)
    assert run() == {"a.npz": True, "b.npz": True}
    assert content(out) == first
    os.utime(folder / "a.npz", (0, 0))
    (folder / "b.npz").rename(folder / "c.npz")
    shutil.copyfile(FIXTURES / "s201_monitor.npz", folder / "b.npz")
    assert run() == {"a.npz": True, "b.npz": False, "c.npz": False}, "content counts, not time"
    assert clips_table(out)["c.npz"]["sha256"] == clips_table(out)["a.npz"]["sha256"]
    (out / "trace/clip=a.npz/part.csv").unlink()
    (out / "_done/b.npz.json").write_bytes(b'{"half')
    assert run() == {"a.npz": False, "b.npz": False, "c.npz": True}
    assert set(run("--set", "alert.sustain_s=11").values()) == {False}
    (folder / "a.npz").write_bytes(b"PK\x03\x04")  # no longer a recording
    assert run("--set", "alert.sustain_s=11") == {"b.npz": True, "c.npz": True}


def test_results_that_are_no_longer_the_clips_go_when_it_fails(env, tmp_path):
    clip, out = tmp_path / "a.mp4", tmp_path / "out"
    shutil.copyfile(SHORT, clip)
    posture("replay", clip, *SPAN, "--output", out, "--format", "csv", env=env)
    clip.write_bytes(b"")
    done = posture("replay", clip, *SPAN, "--output", out, "--format", "csv", env=env, code=1)
    assert "is empty" in done.stderr.splitlines()[-1]
    assert set(content(out)) == {"_done/a.mp4.json", "clips.csv"}
    assert "is empty" in clips_table(out)["a.mp4"]["error"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_loses_what_it_had_in_hand_and_goes_on_from_there(env, tmp_path, number):
    folder, out, whole = tmp_path / "in", tmp_path / "out", tmp_path / "whole"
    folder.mkdir()
    shutil.copyfile(TRACE, folder / "a.npz")
    for name in ("b.mp4", "c.mp4"):
        shutil.copyfile(FIXTURES / "front_upright_slouch.mp4", folder / name)
    command = ("replay", folder, "--jobs", "2", *SPAN, "--format", "csv")
    with running(*command, "--output", out, env=env) as run:
        run.wait_for("a.npz: ", 300.0)
        run.popen.send_signal(number)
        code = run.finish()
    assert code == (130 if number == signal.SIGINT else -9)
    assert {path.name for path in out.glob("_done/*.json")} == {"a.npz.json"}
    assert (out / "clips.csv").is_file() == (number == signal.SIGINT)
    shutil.copyfile(TRACE, folder / "b.mp4.npz")  # b and c would take long
    for name in ("b.mp4", "c.mp4"):
        shutil.copyfile(SHORT, folder / name)
    assert "a.npz: finished earlier" in posture(*command, "--output", out, env=env).stdout
    posture(*command, "--output", whole, env=env)
    assert content(out) == content(whole)


def test_several_at_a_time_write_the_files_that_one_at_a_time_writes(env, tmp_path):
    clips = [tmp_path / "a.mp4", tmp_path / "b.npz", tmp_path / "c.mp4"]
    for clip, source in zip(clips, (SHORT, TRACE, None), strict=True):
        clip.write_bytes(b"no clip" if source is None else source.read_bytes())
    printed = []
    for name, jobs in (("one", ()), ("two", ("--jobs", "2"))):
        files = ("--trace", tmp_path / name, "--events", tmp_path / name)
        printed.append(posture("replay", *clips, *SPAN, *files, *jobs, env=env, code=1))
    assert content(tmp_path / "one").keys() - content(tmp_path / "two").keys() <= {"c.csv", "c.jsonl"}
    assert content(tmp_path / "two").items() <= content(tmp_path / "one").items()
    assert set(content(tmp_path / "two")) == {"a.csv", "a.jsonl", "b.csv", "b.jsonl"}
    assert sorted(printed[0].stdout.splitlines()) == sorted(printed[1].stdout.splitlines())


def test_files_of_found_clips_keep_to_the_folders_they_come_from(env, tmp_path):
    for name in ("annie/day.npz", "bob/day.npz"):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        shutil.copyfile(TRACE, tmp_path / "in" / name)
    posture("replay", tmp_path / "in", "--events", tmp_path / "out", env=env)
    assert set(content(tmp_path / "out")) == {"annie/day.jsonl", "bob/day.jsonl"}


def test_bad_input_is_one_clear_line(env, tmp_path):
    empty, junk = tmp_path / "empty", tmp_path / "junk"
    empty.mkdir()
    junk.mkdir()
    (junk / "a.txt").write_text("a", encoding="utf-8")
    out = tmp_path / "out"
    assert "no clips or recordings" in fails("replay", empty, "--output", out, env=env)
    assert "1 other file" in fails("replay", junk, "--jobs", "2", env=env)
    assert not out.exists()
    assert "is a file" in fails("replay", TRACE, "--output", junk / "a.txt", env=env)
    clash = posture("replay", TRACE, "--output", out, "--trace", tmp_path / "t.csv", env=env, code=2)
    assert "--output has all results" in clash.stderr
    missing = posture("replay", tmp_path / "gone.mp4", "--output", out, env=env, code=1)
    assert "gone.mp4: no such file" in missing.stderr


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    with (
        Dataset(tmp_path, "csv", "plan"),
        pytest.raises(OutputError, match="another 'posture replay' is writing"),
        Dataset(tmp_path, "csv", "plan"),
    ):
        pass


def test_names_of_clips_in_names_of_files_are_never_too_long_nor_the_same():
    names = ["a/b.mp4", "a%2Fb.mp4", "a_b.mp4", "ü" * 300, "ü" * 301, "x" * 400, "x" * 401, "../a", "a:b?*"]
    encoded = [encode_name(name) for name in names]
    assert len(set(encoded)) == len(names)
    for text in encoded:
        assert len(text) <= LONGEST
        assert not set(text) & set('/\\:*?"<>| ')


def test_links_and_repetitions_are_judged_once(tmp_path):
    clip = tmp_path / "a" / "x.mp4"
    clip.parent.mkdir()
    clip.write_bytes(b"x")
    (tmp_path / "a" / "y.mp4").symlink_to(clip)
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "a" / "z.mp4")
    found = search([str(tmp_path), str(clip)])
    assert [c.path for c in found.clips] == [str(clip)]
    assert {(Path(s.path).name, s.why.split()[0]) for s in found.skipped} == {
        ("x.mp4", "the"),
        ("y.mp4", "the"),
        ("z.mp4", "not"),
    }


def test_a_plan_tells_apart_whatever_changes_a_result():
    base = ReplayPlan(Settings())
    others = [
        ReplayPlan(Settings(), ("alert.sustain_s=3",)),
        ReplayPlan(Settings(), span_s=(0.0, 3.0)),
        ReplayPlan(Settings(), span_s=(0.0, 4.0)),
    ]
    assert len({plan.digest() for plan in [base, *others]}) == 4
    assert base.digest() == ReplayPlan(Settings()).digest()


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_nothing_is_a_table_too_and_equal_rows_are_equal_bytes(format_):
    empty = encode_rows([], EVENT_COLUMNS, format_)
    assert empty == encode_rows([], EVENT_COLUMNS, format_)
    rows = [{"clip": 'a,"b"\n.mp4', "n_frames": 3, "away_s": 0.5}]
    assert encode_rows(rows, CLIP_COLUMNS, format_) == encode_rows(rows, CLIP_COLUMNS, format_) != empty
