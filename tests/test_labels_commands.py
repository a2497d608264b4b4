"""The commands about labels: check finds what is wrong, a line each; show draws what is there."""

import cv2
import numpy as np
import pytest
from cli_helpers import FIXTURES, fails, home_env, posture
from typer.testing import CliRunner

from posture.cli import app
from posture.labels.files import write_labels
from posture.labels.labels import Duty, Interval, Labels
from posture.labels.timeline import draw_timeline
from posture.slouch import SlouchState

AWAY = SlouchState.AWAY


def run(*args, code=0):
    """Output, both streams in one, of a command that does not raise."""
    done = CliRunner().invoke(app, ["labels", *map(str, args)], env={"COLUMNS": "100", "LC_ALL": "C.UTF-8"})
    assert done.exit_code == code and (done.exception is None or isinstance(done.exception, SystemExit)), done
    return done.output


@pytest.fixture
def folder(tmp_path):
    """A folder with a clip of pictures (3 s), a recording, and good labels for both."""
    shots = tmp_path / "shots"
    shots.mkdir()
    for number in range(3):
        cv2.imwrite(str(shots / f"{number}.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "a.npz").write_bytes((FIXTURES / "s202_laptop.npz").read_bytes())
    write_labels(tmp_path / "shots.labels.toml", Labels(intervals=(Interval(0.0, 2.0, AWAY),)))
    write_labels(tmp_path / "a.npz.labels.toml", Labels(clip="a", intervals=(Interval(0.0, 9.0, AWAY),)))
    return tmp_path


def test_good_labels_pass_however_they_are_named(folder):
    assert run("check", folder) == "2 label files without fault\n"
    assert run("check", folder / "a.npz") == "1 label file without fault\n"
    assert run("check", folder / "shots", folder / "shots.labels.toml") == "1 label file without fault\n"


def test_every_fault_is_a_line_and_the_good_ones_are_counted(folder):
    write_labels(folder / "shots.labels.toml", Labels("b.mp4", intervals=(Interval(0.0, 5.0, AWAY),)))
    write_labels(folder / "gone.mp4.labels.toml", Labels())
    (folder / "c.mp4").write_bytes(b"text")
    write_labels(folder / "c.mp4.labels.csv", Labels())
    (folder / "bad.labels.toml").write_text("format = 1\nclp = 1\n", "utf-8")
    (folder / "binary.labels.csv").write_bytes(b"\xff\x00")
    (folder / "empty.labels.toml").touch()
    lines = run("check", folder, folder / "no.mp4", code=1).splitlines()
    said = {
        "no.mp4": "no such file or folder",
        "bad.labels.toml": "unknown key 'clp'; did you mean clip?",
        "binary.labels.csv": "not text in UTF-8; is this a label file?",
        "empty.labels.toml": "is empty; 'posture label CLIP' writes labels",
        "gone.mp4.labels.toml": "its clip is missing; it should stand beside it and be called gone.mp4",
        "c.mp4": "is text, not a video; give a video file",
        "shots.labels.toml": "0 to 5 s (away): past the end of the clip (3.000 s)",
    }
    assert len(lines) == len(said) + 2 and lines[-1] == "1 label file without fault"
    for name, text in said.items():
        assert f"posture: {folder / name}: {text}" in lines
    assert f"posture: {folder / 'shots.labels.toml'}: labels are for 'b.mp4', not for 'shots'; " in "\n".join(
        lines
    )


def test_two_label_files_for_one_clip_are_told_once(folder):
    write_labels(folder / "a.labels.csv", Labels())
    lines = run("check", folder, code=1).splitlines()
    assert [
        line for line in lines if "two label files, a.npz.labels.toml and a.labels.csv; keep one" in line
    ] == [lines[0]]


def test_a_command_that_cannot_says_why_in_one_line(tmp_path):
    env = home_env(tmp_path / "home")
    (tmp_path / "empty").mkdir()
    assert "no label files in it; they end in .labels.toml or .labels.csv" in fails(
        "labels", "check", tmp_path / "empty", env=env
    )
    assert "no labels beside it; 'posture label" in fails("labels", "show", tmp_path / "a.mp4", env=env)
    done = posture("labels", "import", tmp_path, "--map", "x", env=env, code=2)
    assert "expected" in done.stderr


def test_show_draws_what_is_there(folder):
    intervals = (
        Interval(0.0, 2.0, SlouchState.UPRIGHT),
        Interval(2.0, 4.0, SlouchState.SLOUCHING, Duty.MUST, "slump", "see [b]"),
    )
    write_labels(folder / "a.npz.labels.toml", Labels("a.npz", "p07", "laptop", (0.0, 2.0), intervals))
    text = run("show", folder / "a.npz")
    for word in (
        "p07",
        "laptop",
        "0:00.0 to 0:02.0",
        "▲ slouching",
        "! must alert",
        "slump",
        "see [b]",
        "2.0 s",
    ):
        assert word in text
    assert run("show", folder / "a.npz.labels.toml") == text
    (folder / "a.npz").unlink()
    assert "▲ slouching" in run("show", folder / "a.npz.labels.toml"), (
        "labels can be shown without their clip"
    )
    write_labels(folder / "shots.labels.toml", Labels())
    assert "no intervals" in run("show", folder / "shots")


def test_a_timeline_has_every_label_in_its_place():
    labels = Labels(
        intervals=(
            Interval(0.0, 5.0, SlouchState.UPRIGHT),
            Interval(5.0, 7.5, SlouchState.SLOUCHING),
            Interval(6.0, 7.0, duty=Duty.MUST),
            Interval(9.99, 10.0, AWAY),
        )
    )
    rows = draw_timeline(labels, 10.0, 20, is_ascii=True)
    texts = {name: "".join(run.text for run in runs) for name, runs in rows}
    assert texts["state"] == "*" * 10 + "!" * 5 + " " * 4 + "o", "the shortest label is seen"
    assert texts["alert"] == " " * 12 + "!!" + " " * 6
    assert texts[""].startswith("0:00") and texts[""].endswith("0:10") and len(texts[""]) == 20
    for width in (10, 33, 200):
        for _, runs in draw_timeline(labels, 86_400.0, width, is_ascii=False):
            assert len("".join(run.text for run in runs)) == width
