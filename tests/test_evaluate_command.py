"""`posture evaluate` as a user runs it.

Claimed: its figures are those that the trace and the events of `posture replay` give by hand; they do not depend on
the number of processes; what cannot be evaluated is one line each and stops nothing; limits decide the exit code; an
earlier result can be compared with.
"""

import csv
import json
import shutil
import signal
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from cli_helpers import FIXTURES, fails, home_env, posture, running

from posture.errors import EvaluationError
from posture.evaluating import Request, run_evaluate
from posture.evaluation.cases import find_cases
from posture.evaluation.record import read_result
from posture.labels.files import read_labels
from posture.labels.labels import Duty

SUSTAIN = ("--set", "alert.sustain_s=10")


def put(name: str, folder: Path, as_name: str = "") -> Path:
    """Copy a labelled trace of the fixtures."""
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / f"{as_name or name}.npz"
    shutil.copyfile(FIXTURES / f"{name}.npz", clip)
    shutil.copyfile(FIXTURES / f"{name}.npz.labels.toml", clip.with_name(f"{clip.name}.labels.toml"))
    return clip


def describe(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Good clips, two of one name among them, and everything that is wrong with a folder."""
    folder = tmp_path_factory.mktemp("clips")
    put("d300_laptop", folder / "monday", "day")
    put("d301_monitor", folder / "tuesday", "day")
    put("s200_side", folder)
    put("d300_laptop", folder, "other").unlink()  # labels whose clip is missing
    over = put("s201_monitor", folder, "over")
    Path(f"{over}.labels.toml").write_text(
        'format = 1\n[[intervals]]\nstart_s = 1\nend_s = 5\nalert = "must"\n'
        '[[intervals]]\nstart_s = 4\nend_s = 9\nalert = "must"\n',
        encoding="utf-8",
    )
    short = put("s203_quarter", folder, "short")  # 37 s
    Path(f"{short}.labels.toml").write_text(
        "format = 1\nbaseline_s = [0, 5]\n[[intervals]]\nstart_s = 18\nend_s = 43\nstate = 'slouching'\n",
        encoding="utf-8",
    )
    (folder / "film.mp4").write_bytes(bytes(range(256)) * 20)
    shutil.copyfile(FIXTURES / "d300_laptop.npz.labels.toml", folder / "film.mp4.labels.toml")
    shutil.copyfile(FIXTURES / "dim.npz", folder / "bare.npz")
    (folder / "notes.txt").write_text("nothing to see", encoding="utf-8")
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    return home_env(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def evaluated(folder, env, tmp_path_factory):
    """The result over `folder`, its page, and what was printed."""
    out = tmp_path_factory.mktemp("out")
    done = posture(
        *("evaluate", folder, *SUSTAIN, "--json", out / "a.json", "--html", out / "a.html"), env=env, code=1
    )
    return describe(out / "a.json"), out, done


def test_what_cannot_be_evaluated_is_a_line_each_and_stops_nothing(evaluated):
    told, _, done = evaluated
    assert sorted(told["by_clip"]) == ["monday/day.npz", "s200_side.npz", "tuesday/day.npz"]
    lines = done.stderr.splitlines()
    assert lines[0] == "note: without labels, left out: bare.npz"
    assert lines[-1] == "posture: 4 could not be evaluated"
    for name, words in (
        ("film.mp4", "is damaged, or not a video"),
        ("other.npz.labels.toml", "its clip is missing"),
        ("over.npz.labels.toml", "intervals with alert overlap: 1 to 5 s (must) and 4 to 9 s (must)"),
        ("short.npz", "past the end of the clip"),
    ):
        assert sum(name in line and words in line for line in lines) == 1, name
    assert len(lines) == 6
    assert [failure["clip"] for failure in told["failed"]]
    assert (told["figures"]["n_met"], told["figures"]["n_must"]) == (4, 4)
    assert "4 of 4 slouches" in done.stdout


@pytest.mark.parametrize(
    ("name", "clip"), [("d300_laptop", "monday/day.npz"), ("s200_side", "s200_side.npz")]
)
def test_the_figures_are_those_of_a_replays_trace_and_events(evaluated, env, tmp_path, name, clip):
    """By hand, in another way: rows of the CSV by time, events one by one."""
    labels = read_labels(FIXTURES / f"{name}.npz.labels.toml")
    a_s, b_s = labels.baseline_s
    posture(
        *("replay", FIXTURES / f"{name}.npz", "--calibrate", f"{a_s:g}:{b_s:g}", *SUSTAIN),
        *("--trace", tmp_path / "t.csv", "--events", tmp_path / "e.jsonl"),
        env=env,
    )
    figures = evaluated[0]["by_clip"][clip]
    alerts = [
        e["confirmed_s"]
        for e in map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines())
        if e["kind"] == "alert"
    ]
    must = [i for i in labels.intervals if i.duty is Duty.MUST]
    late_s = []
    for i in must:
        late_s += [t - i.start_s - 10 for t in alerts if i.start_s + 8 <= t <= i.end_s + 1][:1]
    assert figures["n_met"] == len(late_s)
    assert figures["late_worst_s"] == (pytest.approx(max(late_s), abs=1e-5) if late_s else None)
    ignored = [i for i in labels.intervals if i.duty is Duty.IGNORE]
    false = [
        t
        for t in alerts
        if not any(i.start_s + 8 <= t <= i.end_s + 3 for i in must)
        and not any(i.start_s <= t <= i.end_s for i in ignored)
    ]
    assert figures["n_false"] == len(false)
    if labels.angles is None:
        assert must and figures["neck"]["n"] == 0
        return
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = {round(float(row["t_s"]), 3): row for row in csv.DictReader(file)}
    for angle in ("neck", "thoracic"):
        true = getattr(labels.angles, f"{angle}_deg")
        base = fmean(v for t, v in zip(labels.angles.t_s, true, strict=True) if a_s <= t < b_s)
        errors = []
        for t, v, is_settled in zip(labels.angles.t_s, true, labels.angles.is_settled, strict=True):
            nearest = min(rows, key=lambda at, t=t: abs(at - t))
            if t >= b_s and is_settled:
                errors.append(float(rows[nearest][f"{angle}_deviation_deg"]) - (v - base))
        assert figures[angle]["n"] == len(errors) > 100
        assert figures[angle]["mae_deg"] == pytest.approx(np.abs(errors).mean(), abs=1e-3)
        assert figures[angle]["bias_deg"] == pytest.approx(np.mean(errors), abs=1e-3)


def test_processes_limits_and_an_earlier_result(evaluated, folder, env, tmp_path):
    told, out, _ = evaluated
    good = (folder / "monday", folder / "tuesday", folder / "s200_side.npz")
    done = posture(
        *(
            "evaluate",
            *good,
            *SUSTAIN,
            "--jobs",
            "2",
            "--json",
            tmp_path / "b.json",
            "--against",
            out / "a.json",
        ),
        *("--max-false-per-hour", "0", "--min-recall", "1", "--max-neck-mae", "30", "--max-late-s", "5"),
        env=env,
    )
    again = describe(tmp_path / "b.json")
    for part in ("figures", "by_camera", "by_posture"):
        assert again[part] == told[part], "not a bit of it depends on the processes"
    by_name = [sorted(d["clips"], key=lambda clip: clip["clip"]) for d in (told, again)]
    assert by_name[0] == by_name[1]
    assert {pair["verdict"] for pair in again["against"]["pairs"]} == {"the same"}
    assert done.stderr == ""
    assert read_result(tmp_path / "b.json").overall == read_result(out / "a.json").overall
    broken = posture(
        *("evaluate", folder / "monday", "--max-neck-mae", "30", "--min-recall", "0.5", "--against"),
        *("judge.neck_deg=30", "--set", "alert.sustain_s=20"),
        env=env,
        code=1,
    )
    assert broken.stderr.splitlines() == [
        "posture: limit not kept: neck error: no true angles in the labels, so the limit of 30° is not known to be kept"
    ]
    assert "B: alert.sustain_s=20, judge.neck_deg=30" in broken.stdout
    assert "alerts that were due 2 → " in broken.stdout


def test_a_configuration_goes_before_a_recordings_own_settings(folder, env, tmp_path):
    config = tmp_path / "other.toml"
    config.write_text("preset = 'strict'\n[judge]\nneck_deg = 30\n", encoding="utf-8")
    done = posture("evaluate", folder / "monday", *SUSTAIN, "--against", config, env=env)
    assert 'B: alert.sustain_s=10, preset="strict", judge.neck_deg=30' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("empty",), "no labelled clip in "),
        (("monday", "--json", "tuesday"), "is a folder; name a file"),
        (("monday", "--json", "monday/day.npz"), "would overwrite a clip"),
        (("monday", "--against", "notes.txt"), "notes.txt is not a TOML file"),
        (("monday", "--against", "gone.json"), "cannot read gone.json: No such file"),
        (("monday", "--against", "a.toml", "--against", "judge.neck_deg=9"), "give one file, or any number"),
    ],
)
def test_bad_input_is_one_line(folder, arguments, words, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path, *rest = arguments
    options = [rest[i : i + 2] for i in range(0, len(rest), 2)]
    request = Request(
        (Path(path),),
        against=tuple(value for name, value in options if name == "--against"),
        json=next((Path(value) for name, value in options if name == "--json"), None),
    )
    with pytest.raises(Exception, match=words) as caught:
        run_evaluate(request)
    assert "\n" not in str(caught.value)


def test_a_damaged_result_and_one_of_the_future(tmp_path):
    path = tmp_path / "r.json"
    for text, words in (
        ("{", "not a result"),
        ("[]", "not a result"),
        ('{"format": 9, "name": "", "clips": []}', "9"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(EvaluationError, match=words):
            read_result(path)


def test_a_wrong_key_is_a_mistake_in_the_command(folder, env):
    assert "--against judge.nek_deg=3: unknown setting" in fails(
        "evaluate", folder / "monday", "--against", "judge.nek_deg=3", env=env, code=2
    )


def test_without_scipy_it_says_what_to_install(folder, env, tmp_path):
    (tmp_path / "scipy.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    path = f"{tmp_path}:{env.get('PYTHONPATH', '')}"
    line = fails("evaluate", folder / "monday", env={**env, "PYTHONPATH": path})
    assert line == "evaluating needs SciPy: python -m pip install scipy"


def test_a_clip_is_taken_once_and_named_apart(folder, tmp_path):
    monday = folder / "monday"
    found = find_cases([monday, monday / "day.npz", monday / "day.npz.labels.toml", folder / "tuesday"])
    assert [case.name for case in found.cases] == ["monday/day.npz", "tuesday/day.npz"]
    assert found.failures == ()
    copy = put("s200_side", tmp_path)
    shutil.copyfile(f"{copy}.labels.toml", tmp_path / "s200_side.labels.toml")
    twice = find_cases([tmp_path, tmp_path / "gone", FIXTURES / "dim.npz"])
    problems = [failure.problem for failure in twice.failures]
    assert sum("two label files" in problem for problem in problems) == 1
    assert any("no such file or folder" in problem for problem in problems)
    assert any("no label file beside it" in problem for problem in problems)


def test_ctrl_c_ends_it_at_once_with_what_is_finished(env, tmp_path):
    put("s200_side", tmp_path / "clips", "a")
    shutil.copyfile(FIXTURES / "front_upright_slouch.mp4", tmp_path / "clips" / "b.mp4")
    (tmp_path / "clips" / "b.mp4.labels.toml").write_text(
        "format = 1\nbaseline_s = [0, 6]\n", encoding="utf-8"
    )
    with running("evaluate", tmp_path / "clips", env=env) as process:
        process.wait_for_library("libmediapipe")
        process.stop(signal.SIGINT, within_s=15.0)  # the figures are made yet
    assert "interrupted; the figures are of the clips that were finished" in process.text
    assert "1 clip of 1 person" in process.text
