"""Labels of other programs: ELAN's and Label Studio's exports become label files, or one line says why not.

The exports are written by hand after the programs' documentation: every choice of ELAN's dialog that changes the table,
and both of Label Studio's JSON formats.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from posture.cli import app
from posture.errors import LabelError
from posture.labels.elan import parse_elan
from posture.labels.files import read_labels
from posture.labels.foreign import Foreign, Meaning, Span, parse_meaning, translate
from posture.labels.label_studio import parse_label_studio
from posture.labels.labels import Duty, Interval, Labels
from posture.slouch import SlouchState

UPRIGHT, SLOUCHING = SlouchState.UPRIGHT, SlouchState.SLOUCHING
ROWS = (("state", 0.0, 18.0, "upright"), ("state", 18.0, 43.25, "slump"), ("alert", 30.0, 43.25, "must"))
SPANS = {Span(start_s, end_s, text, tier) for tier, start_s, end_s, text in ROWS}


def clock(t_s):
    return f"{int(t_s // 3600):02d}:{int(t_s // 60 % 60):02d}:{t_s % 60:06.3f}"


FORMATS = {
    "hh:mm:ss.ms": clock,
    "ss.msec": lambda t_s: f"{t_s:.3f}",
    "msec": lambda t_s: str(round(t_s * 1000)),
    "hh:mm:ss:ff PAL": lambda t_s: f"{clock(t_s)[:8]}:{int(t_s * 25) % 25:02d}",
}


def elan(*formats, has_names, has_participant=True, is_wide=False, has_duration=True, words=None):
    """Text as ELAN exports it, with these choices of its dialog."""
    words = words or ("Begin Time", "End Time", "Duration")
    names = [f"{word} - {kind}" for word in words[: 2 + has_duration] for kind in formats]
    lines = ['"#file:///C:/clips/my%20morning.mp4 -- offset: 0"', ""]
    tiers = list(dict.fromkeys(tier for tier, *_ in ROWS))
    before = [] if is_wide else ["Tier", "Participant"][: 1 + has_participant]
    if has_names or is_wide:
        lines.append("\t".join([*before, *names, *(tiers if is_wide else ["Annotation"])]))
    for tier, start_s, end_s, text in ROWS:
        times = [start_s, end_s, end_s - start_s][: 2 + has_duration]
        cells = [FORMATS[kind](t_s) for t_s in times for kind in formats]
        first = [] if is_wide else [tier, "p07"][: 1 + has_participant]
        last = [text if tier == one else "" for one in tiers] if is_wide else [text]
        lines.append("\t".join([*first, *cells, *last]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "formats",
    [
        ("hh:mm:ss.ms",),
        ("ss.msec",),
        ("msec",),
        tuple(FORMATS),
        ("hh:mm:ss:ff PAL", "msec"),
        ("ss.msec", "msec"),
    ],
    ids=" and ".join,
)
@pytest.mark.parametrize("has_duration", [True, False])
def test_every_table_that_elan_exports_is_read(formats, has_duration):
    for has_names in (True, False):
        for has_participant in (True, False):
            text = elan(
                *formats, has_names=has_names, has_participant=has_participant, has_duration=has_duration
            )
            (found,) = parse_elan(text)
            assert (found.clip, set(found.spans)) == ("my morning.mp4", SPANS)
    (found,) = parse_elan(elan(*formats, has_names=True, is_wide=True, has_duration=has_duration))
    assert set(found.spans) == SPANS
    french = ("Temps de départ", "temps de fin", "Durée")
    (found,) = parse_elan(elan(*formats, has_names=True, words=french, has_duration=has_duration))
    assert set(found.spans) == SPANS


def test_an_export_of_several_files_is_several_clips():
    rows = [f"state\t0.0\t1.5\tupright\tC:\\eaf\\{name}.eaf" for name in ("a", "b", "a")]
    found = parse_elan("\n".join(rows).replace("0.0\t1.5", "2.0\t3.5", 1))
    assert [(one.clip, len(one.spans)) for one in found] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no annotations"),
        ("state\tupright\n", "line 1: no begin and end time; export again"),
        ("state\t00:00:01:10\t00:00:02:10\tupright\n", "line 1: no begin and end time; export again"),
        ("state\t1.0\t2.0\tupright\nstate\tx\t2.0\tupright\n", "line 2: no begin and end time"),
        ("state\t2.0\t1.0\tupright\n", "2 to 1 s .upright.: end_s is not after start_s"),
        ("state\t1.0\t3.0\tupright\nstate\t2.0\t4.0\tslouching\n", "with state overlap: 1 to 3 s"),
        ("\x00\x01\x02", "no begin and end time"),
    ],
)
def test_what_elan_did_not_export_is_one_line(text, said):
    with pytest.raises(LabelError, match=said):
        translate(parse_elan(text)[0], {})


def test_texts_become_states_alerts_and_postures():
    (found,) = parse_elan(elan("msec", has_names=False))
    rules = dict(parse_meaning(rule) for rule in ("Slump=slouching",))
    labels = translate(found, rules)
    assert labels == Labels(
        clip="my morning.mp4",
        intervals=(
            Interval(0.0, 18.0, UPRIGHT),
            Interval(18.0, 43.25, SLOUCHING, None, "Slump"),
            Interval(30.0, 43.25, None, Duty.MUST),
        ),
    )
    assert translate(found, {}, ["alert"]).intervals == labels.intervals[2:]
    assert len(translate(found, dict([parse_meaning("slump=")])).intervals) == 2, "left out"
    both = translate(
        found, dict([parse_meaning("a=b=slouching:must"), parse_meaning("slump=:ignore")]), ["state"]
    )
    assert both.intervals[1] == Interval(18.0, 43.25, None, Duty.IGNORE, "slump")
    with pytest.raises(LabelError, match=r"is called 'slump' \(1 times\); .* --map 'slump=slouching'"):
        translate(found, {})
    with pytest.raises(LabelError, match="no tier 'stat'; it has 'state', 'alert'"):
        translate(found, rules, ["stat"])
    many = Foreign("", tuple(Span(i, i + 1.0, f"t{i}", "") for i in range(9)))
    with pytest.raises(LabelError, match="and 4 more; say what they mean"):
        translate(many, {})


def test_a_rule_says_what_it_may():
    assert parse_meaning(" Slump = Slouching : MUST") == ("slump", Meaning(SLOUCHING, Duty.MUST, "Slump"))
    assert parse_meaning("1=2=away") == ("1=2", Meaning(SlouchState.AWAY, None, "1=2"))
    assert parse_meaning("must=:must") == ("must", Meaning(None, Duty.MUST, ""))
    for rule, said in (
        ("x", "expected TEXT=STATE"),
        ("=away", "expected"),
        ("x=up", "'up' is no state; give one"),
    ):
        with pytest.raises(LabelError, match=said):
            parse_meaning(rule)
    with pytest.raises(LabelError, match="'should' is no alert; give one of must, must_not, ignore"):
        parse_meaning("x=away:should")


def timeline(first, last, text, name="tl"):
    value = {"ranges": [{"start": first, "end": last}], "timelinelabels": [text]}
    return {"id": "x", "type": "timelinelabels", "from_name": name, "to_name": "video", "value": value}


def task(result, video="/data/upload/1/3f2b8c1d-morning.mp4", **more):
    return {"id": 7, "data": {"video": video}, "annotations": [{"id": 1, "result": result, **more}]}


def test_frames_of_a_timeline_become_seconds():
    """Frames count from 1, and the last one belongs to the range."""
    text = json.dumps([task([timeline(1, 50, "upright"), timeline(51, 75, "slouching")])])
    (found,) = parse_label_studio(text, 25.0)
    assert found == Foreign(
        "morning.mp4", (Span(0.0, 2.0, "upright", "tl"), Span(2.0, 3.0, "slouching", "tl")), ()
    )
    labels = translate(found, {})
    assert labels.intervals == (Interval(0.0, 2.0, UPRIGHT), Interval(2.0, 3.0, SLOUCHING)), (
        "no overlap, no gap"
    )
    with pytest.raises(LabelError, match=r"its times are frames: give --fps .*\(24 where it has none\)"):
        parse_label_studio(text, None)
    least = [{"video": "s3://x/afternoon.mp4", "id": 1, "tl": [timeline(1, 50, "upright")["value"]]}]
    (found,) = parse_label_studio(json.dumps(least), 25.0)
    assert found == Foreign("afternoon.mp4", (Span(0.0, 2.0, "upright", "tl"),), ())


def test_a_time_series_is_in_the_seconds_of_its_time_column():
    value = {"start": "1.5", "end": 4, "instant": False, "timeserieslabels": ["must"]}
    result = [{"type": "timeserieslabels", "from_name": "label", "value": value}]
    csv = {"id": 1, "data": {"csv": "/data/local-files/?d=traces/a.csv"}, "annotations": [{"result": result}]}
    expected = (Foreign("a.csv", (Span(1.5, 4.0, "must", "label"),), ()),)
    assert parse_label_studio(json.dumps([csv]), None) == expected
    assert parse_label_studio(json.dumps([{"csv": "a.csv", "label": [value]}]), None) == expected
    for start, said in (
        (1592250751951.8, "is no second of a clip"),
        ("2020-06-15 20:32", "expected a number"),
    ):
        with pytest.raises(LabelError, match=f"task 1: .*{said}"):
            parse_label_studio(json.dumps([csv]).replace('"1.5"', json.dumps(start)), None)


def test_of_several_annotations_the_newest_is_taken_and_told():
    old, new = [timeline(1, 25, "upright")], [timeline(1, 50, "slouching")]
    one = task(new, updated_at="2026-02-01T00:00:00Z")
    one["annotations"] += [
        {"result": old, "updated_at": "2026-01-01T00:00:00Z"},
        {"result": old, "updated_at": "2026-03-01T00:00:00Z", "was_cancelled": True},
    ]
    one["predictions"] = [{"result": [timeline(1, 99, "away")]}]
    (found,) = parse_label_studio(json.dumps([one]), 25.0)
    assert [span.text for span in found.spans] == ["slouching"]
    assert found.notes == ("task 7: 2 annotations of the same clip; the newest is taken",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("[]", "no timeline or time series labels in it; export as JSON"),
        ('[3, null, {"annotations": [3, {"result": 4}]}]', "no timeline or time series labels"),
        (json.dumps([task([timeline("x", 2, "upright")])]), "task 7: start is 'x', expected a number"),
        (json.dumps([task([timeline(None, 2, "upright")])]), "task 7: start is None, expected a number"),
    ],
)
def test_what_label_studio_did_not_export_is_one_line(text, said):
    with pytest.raises(LabelError, match=said):
        parse_label_studio(text, 25.0)


def run(*args, code=0):
    done = CliRunner().invoke(app, ["labels", *map(str, args)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert code == 1, done.exception
        return str(done.exception)
    assert done.exit_code == code, done.output
    return done.output


def test_import_writes_one_file_for_each_clip(tmp_path):
    export = tmp_path / "export.txt"
    export.write_text(elan("msec", has_names=False), "utf-8-sig")
    said = run("import", export, "--map", "slump=slouching")
    made = tmp_path / "my morning.mp4.labels.toml"
    assert said.replace("\n", "") == f"3 labels in {made}"
    assert len(read_labels(made).intervals) == 3
    assert "exists already; give --force" in run("import", export, "--map", "slump=slouching", code=1)
    run("import", export, "--map", "slump=", "--force")
    assert len(read_labels(made).intervals) == 2
    table = tmp_path / "new" / "x.labels.csv"
    run("import", export, "--tier", "alert", "-o", table)
    assert read_labels(table).intervals == (Interval(30.0, 43.25, None, Duty.MUST),)
    assert "give a name that ends in" in run(
        "import", export, "--tier", "alert", "-o", tmp_path / "x.txt", code=1
    )
    many = tmp_path / "many.json"
    tasks = [
        task([timeline(1, 25, "upright")], f"/data/upload/1/0123abcd-{name}") for name in ("a.mp4", "b.mp4")
    ]
    many.write_text(json.dumps(tasks), "utf-8")
    run("import", many, "--fps", "25", "-o", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.mp4.labels.toml",
        "b.mp4.labels.toml",
    ]
    assert "labels of 2 clips; give a folder" in run("import", many, "--fps", 25, "-o", table, code=1)
    many.write_text(json.dumps([tasks[0], tasks[0]]), "utf-8")
    assert "two clips would have their labels in a.mp4" in run("import", many, "--fps", 25, "--force", code=1)


def test_a_name_from_elsewhere_leads_nowhere_else(tmp_path):
    out = tmp_path / "in" / "out"
    for video in (
        "../../../evil.mp4",
        "..",
        "/data/upload/..",
        "C:\\x\\evil.mp4",
        "a\x00.mp4",
        "%2e%2e%2fevil.mp4",
    ):
        export = tmp_path / "export.json"
        export.write_text(json.dumps([task([timeline(1, 25, "upright")], video)]), "utf-8")
        run("import", export, "--fps", 25, "-o", out / "x.toml", "--force")
        out.mkdir(exist_ok=True)
        run("import", export, "--fps", 25, "-o", out, "--force")
        assert {path.parent for path in tmp_path.rglob("*.toml")} == {out}


def test_bad_imports_are_one_line_and_write_nothing(tmp_path):
    export = tmp_path / "export.txt"
    for content, said in (
        (None, "no such file"),
        (b"", "no annotations in it"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (elan("msec", has_names=False).encode(), "no state and no alert is called 'slump'"),
    ):
        if content is not None:
            export.write_bytes(content)
        error = run("import", export, code=1)
        assert said in error and "\n" not in error and str(export) in error
    assert [path.name for path in tmp_path.iterdir()] == ["export.txt"]
    assert "'up' is no state" in run("import", export, "--map", "slump=up", code=2)
    assert Path(export).exists()
