"""`posture tune` as a user starts it.

Claimed: its figures are those of `posture evaluate`; it proposes with figures of people left out, and writes only when
asked, keeping what else is in the file; too little data, junk and broken recordings are said in one line each while the
rest is used.
"""

import json
import re
import shutil

import pytest
from cli_helpers import FIXTURES, fails, home_env, posture

from posture.clip_replay import ReplayPlan
from posture.evaluation.cases import find_cases
from posture.evaluation.running import score_case
from posture.evaluation.tally import add_up
from posture.labels.files import read_labels, write_labels
from posture.labels.labels import Duty, Interval, Labels
from posture.session import StopSignals
from posture.settings import AlertSettings, Settings
from posture.tuning.trial import add_figures
from posture.tuning.working import Task

SESSIONS = ("d300_laptop", "d301_monitor", "d302_quarter", "d303_laptop")
SWEEP = ("--sweep", "alert.sustain_s=15,60", "--sweep", "thresholds=1,1.5")
LOOSE = ("--max-false-per-hour", "60", "--jobs", "1", *SWEEP)


def copy(folder, name, person, number=0):
    clip = folder / f"{name}_{number}.npz"
    shutil.copy(FIXTURES / f"{name}.npz", clip)
    labels = read_labels(FIXTURES / f"{name}.npz.labels.toml")
    write_labels(
        clip.with_name(clip.name + ".labels.toml"),
        Labels(person=person, baseline_s=labels.baseline_s, intervals=labels.intervals),
    )
    return clip


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return a folder with nine sessions of three people: 18 slouches, half an hour."""
    folder = tmp_path_factory.mktemp("desk")
    for number in range(9):
        copy(folder, SESSIONS[number % 4], f"p{number % 3}", number)
    return folder


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home", XDG_CONFIG_HOME=str(tmp_path / "config"))


def test_the_figures_are_those_of_evaluate(desk):
    """Settings, watched time, alerts met and false, delays: the same for a whole recording, judged either way."""
    for alert in (AlertSettings(), AlertSettings(sustain_s=10.0, cooldown_s=5.0)):
        settings = Settings(alert=alert)
        cases = find_cases([desk]).cases[:2]
        tally = add_up(score_case(case, ReplayPlan(settings), signals=StopSignals()).tally for case in cases)
        task = Task(settings, ((settings.judge, alert),))
        figures = add_figures([(task(case, lambda share: None)[0], 0) for case in cases])
        assert (figures.n_must, figures.n_met, figures.n_false) == (tally.n_must, tally.n_met, tally.n_false)
        assert figures.watched_s == tally.watched_s
        assert figures.late_s == tally.late_s


def test_it_proposes_and_writes_when_asked(desk, env, tmp_path):
    config = tmp_path / "config" / "posture" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("# mine\n[alert]\ncooldown_s = 200  # I like it\n", "utf-8")
    before = config.read_bytes()
    done = posture(
        "tune", desk, *LOOSE, "--json", tmp_path / "a.json", "--html", tmp_path / "a.html", env=env
    )
    assert config.read_bytes() == before, "nobody asked"
    assert "9 recordings of 3 people" in done.stdout
    assert "Proposed: alert.sustain_s = 15" in done.stdout
    assert "Nothing was written" in done.stdout
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert (found["people"], found["held_out_by"], found["missing"]) == (3, "person", [])
    assert found["proposal"]["set"] == {"alert.sustain_s": 15.0}
    assert found["proposal"]["held_out"]["met"] > found["current"]["met"]
    assert found["proposal"]["held_out"]["must"] == found["current"]["must"] == 18
    low, high = found["proposal"]["held_out"]["recall_95"]
    assert low < found["proposal"]["held_out"]["recall"] <= high
    assert len(found["settings"]) == 4
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "alert.sustain_s = 15" in page
    assert page.count("<circle") >= 4
    assert not re.findall(r"(?:src|href)=", page), "nothing is fetched"
    posture("tune", desk, *LOOSE, "--write", "--output", tmp_path / "new.toml", env=env)
    text = config.read_text("utf-8")
    assert "# mine" in text
    assert "cooldown_s = 200  # I like it" in text
    assert "sustain_s = 15.0" in text
    assert "Expected on people left out: recall" in (tmp_path / "new.toml").read_text("utf-8")
    again = posture("tune", desk, *LOOSE, "--write", env=env)
    assert "Nothing to change" in again.stdout
    assert config.read_text("utf-8") == text


def test_too_little_is_said_and_nothing_is_written(tmp_path, env):
    copy(tmp_path, "d301_monitor", "")
    done = posture("tune", tmp_path, *SWEEP, "--write", env=env, code=1)
    assert "Too little to propose a setting. Missing: 15 more slouches labelled 'must'" in done.stdout
    assert "a second recording" in done.stdout
    assert "nothing was written" in done.stdout
    assert not (tmp_path / "config").exists()


def test_junk_is_said_line_by_line_and_the_rest_is_used(tmp_path, env):
    copy(tmp_path, "d301_monitor", "a")
    slouch = Labels(intervals=(Interval(1.0, 900.0, duty=Duty.MUST),))
    for name, content in {
        "cut.npz": (FIXTURES / "dim.npz").read_bytes()[:3000],
        "junk.posture": b"junk",
        "clip.mp4": (FIXTURES / "empty_room.mp4").read_bytes(),
        "past.npz": (FIXTURES / "d301_monitor.npz").read_bytes(),
    }.items():
        (tmp_path / name).write_bytes(content)
        write_labels(tmp_path / f"{name}.labels.toml", slouch)
    (tmp_path / "gone.npz.labels.toml").write_text("format = 1\n", "utf-8")
    (tmp_path / "bare.npz").write_bytes((FIXTURES / "dim.npz").read_bytes())
    (tmp_path / "notes.txt").write_text("junk", "utf-8")
    done = posture("tune", tmp_path, *SWEEP, "--jobs", "1", env=env, code=1)
    assert done.stdout.startswith("1 recording of 1 person")
    lines = done.stderr.splitlines()
    for said in (
        "cut.npz: not a landmark trace",
        "junk.posture: not a landmark trace",
        "clip.mp4: has no landmarks",
        "past.npz: 1 to 900 s (must): past the end",
        "gone.npz.labels.toml: its clip is missing",
        "without labels, left out:",
        "5 of what was given could not be used",
    ):
        assert sum(said in line for line in lines) == 1, (said, lines)
    assert len(lines) == 7


def test_what_cannot_be_tried_at_all_is_one_line(tmp_path, env):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no labelled recording" in fails("tune", empty, env=env)
    assert "cannot be swept" in fails("tune", empty, "--sweep", "camera.rate_hz=1", env=env, code=2)
    assert "10,000" in fails(
        "tune",
        empty,
        "--sweep",
        "judge.neck_deg=3:60:0.001",
        "--sweep",
        "alert.sustain_s=1:99:1",
        env=env,
        code=2,
    )
    copy(tmp_path, "d301_monitor", "a")
    (tmp_path / "there.toml").write_text("mine = true\n", "utf-8")
    assert "exists already" in fails("tune", tmp_path, "--output", tmp_path / "there.toml", env=env)
    assert "is a folder" in fails("tune", tmp_path, "--html", empty, env=env)
    clip = tmp_path / "d301_monitor_0.npz"
    assert "would overwrite" in fails("tune", clip, "--json", clip, env=env)
    assert (tmp_path / "there.toml").read_text("utf-8") == "mine = true\n"
