"""`posture tune` as a user starts it.

Claimed: its figures are those of `posture evaluate`; it proposes with figures of people left out, and writes only when
asked, keeping what else is in the file; too little data, junk and broken recordings are said in one line each while the
rest is used.
"""

import json
import re
import shutil
from dataclasses import astuple
from math import isnan

import pytest
from cli_helpers import FIXTURES, fails, home_env, posture

from posture.api.tuning import tune
from posture.clip_replay import ReplayPlan
from posture.config import change_settings, make_settings
from posture.errors import EvaluationError, SettingsError
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
    tried = tune(
        desk,
        sweep={"alert.sustain_s": [15, 60], "thresholds": [1, 1.5]},
        max_false_per_hour=60,
        settings=make_settings({"alert.cooldown_s": 200}),
    )
    assert told_as_json(tried) == told_of(found), "from Python it is the same"
    assert tried.settings == make_settings({"alert.cooldown_s": 200, "alert.sustain_s": 15})
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


def told_of(found):
    """What the command wrote of its settings and its proposal, in the order of `told_as_json`."""
    figures = [found["current"], found["proposal"]["held_out"], found["proposal"]["seen"]]
    rows = [[s[key] for key in ("recall", "false_per_hour", "late_median_s")] for s in found["settings"]]
    return [
        found["proposal"]["set"],
        [[f["hours"], f["must"], f["met"], f["false"], f["recall"], *f["recall_95"]] for f in figures],
        [[f["false_per_hour"], *f["false_per_hour_95"]] for f in figures],
        rows,
        found["front"],
        found["missing"] + found["notes"] + found["failures"],
    ]


def told_as_json(tried):
    """The same of a result in Python; NaN is what JSON has None for."""
    figures = [tried.current, tried.held_out, tried.seen]
    columns = [tried.columns()[key].tolist() for key in ("recall", "false_per_hour", "late_median_s")]
    return [
        tried.changes,
        [[f.watched_h, f.n_must, f.n_met, f.n_false, *astuple(f.recall)] for f in figures],
        [[*astuple(f.false_per_hour)] for f in figures],
        [[None if isnan(value) else value for value in row] for row in zip(*columns, strict=True)],
        list(tried.front),
        [*tried.missing, *tried.notes, *tried.failures],
    ]


def test_from_python_another_preset_leaves_what_was_set_and_processes_change_nothing(tmp_path):
    copy(tmp_path, "d301_monitor", "a")
    mine = make_settings({"judge.neck_deg": 9})
    told = []
    tried = [
        tune(
            tmp_path,
            sweep={"preset": ["balanced", "strict"], "alert.sustain_s": [15]},
            settings=mine,
            n_jobs=n_jobs,
            on_progress=lambda index, share: told.append((index, share)),
        )
        for n_jobs in (1, 2)
    ]
    assert {name: values.tolist() for name, values in tried[0].columns().items()} == {
        "preset": ["balanced", "balanced", "strict"],
        "alert.sustain_s": [60.0, 15.0, 15.0],
        **{
            name: pytest.approx(values.tolist(), nan_ok=True)
            for name, values in list(tried[1].columns().items())[2:]
        },
    }
    assert told[-1] == (0, 1.0)
    assert tried[0].settings == mine, "too little to propose anything"
    assert tried[0].changes == {}
    assert tried[0].held_out is None
    assert "too little to propose one" in repr(tried[0])
    strict = change_settings(mine, ["preset=strict"])
    assert (strict.judge.neck_deg, strict.preset) == (9.0, "strict")
    assert strict.judge.thoracic_deg == make_settings(preset="strict").judge.thoracic_deg


def test_from_python_what_cannot_be_tried_is_one_line(tmp_path):
    with pytest.raises(EvaluationError, match="no labelled recording"):
        tune(tmp_path)
    copy(tmp_path, "d301_monitor", "a")
    (tmp_path / "junk.posture").write_bytes(b"junk")
    write_labels(tmp_path / "junk.posture.labels.toml", Labels())
    for sweep, words in (
        (
            {"judge.nek_deg": [3]},
            "sweep judge.nek_deg=3: judge.nek_deg cannot be swept; did you mean judge.neck_deg",
        ),
        ({"judge.neck_deg": [3, 900]}, "sweep judge.neck_deg=900: .*<= 60"),
        ({"judge.neck_deg": []}, "sweep judge.neck_deg=: expected"),
    ):
        with pytest.raises(SettingsError, match=words):
            tune(tmp_path, sweep=sweep)
    for limit in (0.0, float("nan"), float("inf")):
        with pytest.raises(EvaluationError, match="max_false_per_hour"):
            tune(tmp_path, max_false_per_hour=limit)
    (problem,) = tune(tmp_path, sweep={"thresholds": [1]}).failures.values()
    assert "junk.posture: not a landmark trace" in problem
    with pytest.raises(EvaluationError, match=r"tune: .*junk\.posture: not a landmark trace"):
        tune(tmp_path / "junk.posture")


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
