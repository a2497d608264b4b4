"""Labels: what is written reads back the same, and what cannot be is one line that names file and place.

Claimed: TOML and CSV round-trip for any labels; a key, value or overlap that is wrong is named with what is allowed;
times past a clip's end are found; the file that belongs to a clip is found, and two of them are an error.
"""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.errors import LabelError, OutputError
from posture.labels.document import parse_labels, render_labels
from posture.labels.files import (
    default_path,
    find_clip,
    find_labels,
    read_angles,
    read_labels,
    write_angles,
    write_labels,
)
from posture.labels.labels import Duty, Interval, Labels, TrueAngles, check_labels
from posture.labels.table import parse_table, render_table
from posture.slouch import SlouchState

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MAYBE_STATE, MAYBE_DUTY = st.none() | st.sampled_from(SlouchState), st.none() | st.sampled_from(Duty)
SECONDS = st.floats(0.0, 1e5, allow_subnormal=False)


@st.composite
def labels(draw, *, has_angles=True):
    """Return labels of any kind that can be: states, duties and postures laid over each other."""
    intervals = []
    for kind in ("state", "duty", "posture"):
        cuts = draw(st.lists(SECONDS, max_size=8, unique=True).map(sorted))
        for start_s, end_s in zip(cuts[::2], cuts[1::2], strict=False):
            intervals.append(
                Interval(
                    start_s,
                    end_s,
                    draw(st.sampled_from(SlouchState)) if kind == "state" else None,
                    draw(st.sampled_from(Duty)) if kind == "duty" else None,
                    draw(TEXT) or "slump",
                    draw(TEXT),
                )
            )
    baseline_s = draw(st.none() | st.just((0.0, 12.0)) | st.just((1 / 3, 1e5)))
    angles = draw(st.none() | true_angles()) if has_angles else None
    return Labels(draw(TEXT), draw(TEXT), draw(TEXT), baseline_s, tuple(intervals), angles)


@st.composite
def true_angles(draw):
    """Return true angles of any kind that can be."""
    t_s = draw(st.lists(SECONDS, max_size=30).map(sorted))
    n = len(t_s)
    degrees = st.lists(st.floats(-180, 180) | st.just(float("nan")), min_size=n, max_size=n)
    return TrueAngles(
        np.array(t_s, float),
        np.array(draw(degrees), float),
        np.array(draw(degrees), float),
        np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool),
        tuple(draw(st.lists(TEXT, min_size=n, max_size=n))),
    )


@given(labels())
def test_toml_reads_back_the_same(these):
    assert parse_labels(render_labels(these)) == (these, "")


@given(labels(has_angles=False))
def test_csv_reads_back_the_same(these):
    assert parse_table(render_table(these)) == (these, "")


@given(true_angles())
def test_angles_read_back_the_same(tmp_path_factory, these):
    path = tmp_path_factory.getbasetemp() / "angles.csv"
    write_angles(path, these)
    assert read_angles(path) == these


def test_the_documented_example_says_what_it_says(tmp_path):
    path = tmp_path / "morning.mp4.labels.toml"
    path.write_text(
        'format = 1\nclip = "morning.mp4"\nperson = "p07"\ncamera = "laptop"\nbaseline_s = [0, 12]\n'
        '[[intervals]]\nstart_s = 18\nend_s = 43.5\nstate = "slouching"\nalert = "must"\nposture = "slump"\n'
        "[angles]\nt_s = [0, 1]\nneck_deg = [nan, 2]\n",
        encoding="utf-8-sig",
    )
    read = read_labels(path)
    assert (read.clip, read.person, read.camera, read.baseline_s) == (
        "morning.mp4",
        "p07",
        "laptop",
        (0.0, 12.0),
    )
    assert read.intervals == (Interval(18.0, 43.5, SlouchState.SLOUCHING, Duty.MUST, "slump"),)
    assert read.angles is not None
    assert np.isnan(read.angles.neck_deg[0]) and np.isnan(read.angles.thoracic_deg).all()
    assert read.angles.is_settled.all() and read.angles.posture == ("", "")
    table = tmp_path / "morning.labels.csv"
    table.write_text(
        "# person = 7\n# a remark\n#baseline_s = [0, 12],,,\nstart_s;end_s;alert\n18;43,5;must\n;;\n", "utf-8"
    )
    assert read_labels(table) == Labels(
        person="7", baseline_s=(0.0, 12.0), intervals=(Interval(18.0, 43.5, duty=Duty.MUST),)
    )


def test_angles_in_a_file_of_their_own_stay_there(tmp_path):
    (tmp_path / "truth.csv").write_text("t_s,frame,neck_deg,settled\n0,0,1.5,true\n1,1,,0\n", "utf-8")
    path = tmp_path / "a.labels.toml"
    path.write_text('format = 1\n[angles]\nfile = "truth.csv"\n', "utf-8")
    read = read_labels(path)
    assert read.angles is not None and read.angles.is_settled.tolist() == [True, False]
    for name in ("b.labels.toml", "b.labels.csv"):
        write_labels(tmp_path / name, read)
        assert "1.5" not in (tmp_path / name).read_text("utf-8")
        assert read_labels(tmp_path / name) == read
    (tmp_path / "truth.csv").write_text("t_s,neck_deg\n0,much\n", "utf-8")
    with pytest.raises(LabelError, match=r"truth\.csv: row 1: neck_deg: 'much' is not a number"):
        read_labels(path)
    (tmp_path / "truth.csv").unlink()
    with pytest.raises(LabelError, match=r"truth\.csv: no such file"):
        read_labels(path)


INTERVAL = "format = 1\n[[intervals]]\nstart_s = 1\nend_s = 2\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("toml", "", "is empty"),
        ("toml", "\x00\xff", "not a TOML file"),
        ("toml", "clip = 1", "format is missing; give 1"),
        ("toml", "format = 2", "format 2, this program reads format 1"),
        ("toml", "format = 1\nclp = 'x'", "unknown key 'clp'; did you mean clip?"),
        ("toml", "format = 1\nintervals = [3]", r"give tables, each begun with \[\[intervals\]\]"),
        ("toml", INTERVAL + "stat = 'away'", "interval 1: unknown key 'stat'; did you mean state"),
        ("toml", INTERVAL + "state = 'slouch'", "interval 1: state: 'slouch'; give one of unknown, upright"),
        ("toml", INTERVAL + "alert = 1", "interval 1: alert: 1; give one of must, must_not, ignore"),
        ("toml", INTERVAL, "1 to 2 s says nothing; give state, alert or posture"),
        (
            "toml",
            INTERVAL.replace("2", "1") + "state = 'away'",
            "1 to 1 s .away.: end_s is not after start_s",
        ),
        ("toml", INTERVAL.replace("2", "inf") + "state = 'away'", "a time is not finite"),
        (
            "toml",
            INTERVAL.replace("start_s = 1", "start_s = -1") + "state = 'away'",
            "starts before the clip",
        ),
        ("toml", "format = 1\nbaseline_s = [3, 1]", "baseline_s: 3 to 1 s cannot be"),
        ("toml", "format = 1\n[angles]\nt_s = [1, 'x']", "angles: t_s: .*give a list of seconds"),
        ("toml", "format = 1\n[angles]\nt_s = [1]\nneck_deg = [1, 2]", "neck_deg has 2 values, t_s has 1"),
        ("toml", "format = 1\n[angles]\nt_s = [1, 0]", "time goes back at row 2"),
        ("toml", "format = 1\n[angles]\nt_s = [1]\nfile = 'x.csv'", "give either file, or t_s"),
        ("toml", "a = " + "[" * 5000, "not a TOML file"),
        ("csv", "end_s,state\n2,away", "no column 'start_s'"),
        ("csv", "start_s,end_s,stat\n1,2,away", "unknown column 'stat'; did you mean state"),
        ("csv", "start_s,end_s,state\n1,x,away", "row 1: end_s: 'x' is not a number"),
        ("csv", "start_s,end_s,state\n1,,away", "row 1: end_s is missing"),
        ("csv", "start_s,end_s,state\n1,2,up", "row 1: state: 'up'; give one of"),
        ("csv", "start_s,end_s,note\n1,2,a,b", "row 1: more cells than the header"),
        ("csv", 'start_s,end_s,note\n1,2,"a', "not a CSV file"),
        ("csv", "# persn = 3\nstart_s,end_s\n", "unknown key 'persn'; did you mean person"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_place(tmp_path, name, content, said):
    path = tmp_path / f"a.labels.{name}"
    path.write_bytes(content.encode("latin-1") if "\xff" in content else content.encode())
    with pytest.raises(LabelError, match=said if "\xff" not in content else "not text in UTF-8") as caught:
        read_labels(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_overlaps_name_both_spans_and_only_within_a_kind():
    state = Interval(1.0, 5.0, SlouchState.UPRIGHT)
    duty = Interval(2.0, 6.0, duty=Duty.MUST_NOT)
    assert Labels(intervals=(duty, state)).intervals == (state, duty), "in order of time"
    Labels(intervals=(state, Interval(5.0, 6.0, SlouchState.AWAY)))
    for late in (Interval(4.5, 6.0, SlouchState.AWAY, Duty.MUST), Interval(4.5, 4.6, SlouchState.UPRIGHT)):
        with pytest.raises(LabelError, match=r"with state overlap: 1 to 5 s \(upright\) and 4\.5 to "):
            Labels(intervals=(late, state))
    with pytest.raises(LabelError, match="with alert overlap"):
        Labels(intervals=(duty, Interval(1.0, 2.1, SlouchState.AWAY, Duty.MUST)))


def test_labels_past_the_end_or_for_another_clip_are_found():
    angles = TrueAngles(np.array([0.0, 99.0]), np.zeros(2), np.zeros(2), np.ones(2, bool), ("", ""))
    these = Labels(
        clip="a.mp4",
        baseline_s=(0.0, 50.0),
        intervals=(Interval(1.0, 10.5, SlouchState.AWAY), Interval(30.0, 31.0, SlouchState.AWAY)),
        angles=angles,
    )
    assert (
        check_labels(these, 100.0, "a.mp4") == check_labels(these, None) == check_labels(these, np.nan) == ()
    )
    found = check_labels(these, 10.0, "b.mp4")
    assert [line.split(" ")[0] for line in found] == ["labels", "30", "baseline_s", "angles:"]
    assert all("\n" not in line for line in found)
    assert check_labels(replace(these, clip="a"), None, "a.trace") == ()


def test_the_file_beside_a_clip_is_found(tmp_path, monkeypatch):
    clip = tmp_path / "a.b.mp4"
    assert find_labels(clip) is None
    assert default_path(clip) == tmp_path / "a.b.mp4.labels.toml"
    for name in ("a.b.mp4.labels.toml", "a.b.labels.toml", "a.b.mp4.labels.csv", "a.b.labels.csv"):
        path = tmp_path / name
        path.touch()
        assert find_labels(clip) == path
        assert find_labels(tmp_path / "a.mp4") is None
        path.rename(tmp_path / "kept")
    (tmp_path / "a.b.labels.csv").touch()
    (tmp_path / "a.b.mp4.labels.toml").touch()
    with pytest.raises(
        LabelError, match=r"two label files, a\.b\.mp4\.labels\.toml and a\.b\.labels\.csv; keep"
    ):
        find_labels(clip)
    shots = tmp_path / "shots"
    shots.mkdir()
    monkeypatch.chdir(shots)
    here = type(clip)()
    assert default_path(here) == default_path(shots) == tmp_path / "shots.labels.toml"
    with pytest.raises(LabelError, match="no place beside it"):
        find_labels(type(clip)("/"))


def test_the_clip_of_a_label_file_is_found(tmp_path):
    path = tmp_path / "a.labels.toml"
    with pytest.raises(LabelError, match="its clip is missing"):
        find_clip(path, Labels())
    (tmp_path / "a.mp4").touch()
    path.touch()
    assert find_clip(path, Labels()) == tmp_path / "a.mp4"
    (tmp_path / "a.trace").touch()
    with pytest.raises(LabelError, match=r"is it for a\.mp4, a\.trace\?"):
        find_clip(path, Labels())
    assert find_clip(path, Labels(clip="a.trace")) == tmp_path / "a.trace"
    assert find_clip(tmp_path / "a.mp4.labels.toml", Labels()) == tmp_path / "a.mp4"


def test_files_that_cannot_be_read_or_written(tmp_path):
    for path, said in ((tmp_path / "no", "no such file"), (tmp_path, "cannot read .*directory")):
        with pytest.raises(LabelError, match=said):
            read_labels(path)
    path = tmp_path / "a.labels.toml"
    write_labels(path, Labels(person="p"))
    with pytest.raises(LabelError, match="cannot be written as text"):
        write_labels(path, Labels(person=os.fsdecode(b"\xff")))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot make|cannot write"):
        write_labels(tmp_path / "file" / "a.labels.toml", Labels())
    with pytest.raises(LabelError, match=r"no place for true angles; write the labels as \.toml"):
        write_labels(
            tmp_path / "a.labels.csv",
            Labels(angles=TrueAngles(np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1, bool), ("",))),
        )
    assert read_labels(path) == Labels(person="p")
