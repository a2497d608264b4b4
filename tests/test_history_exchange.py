"""The history as a file: what goes out comes back, once, and what is no history is refused whole.

Claimed: JSON and CSV hold everything; importing twice, or what is there already, changes nothing; two halves make the
whole; a file that is damaged anywhere imports nothing and says where; Parquet reads as the same rows elsewhere.
"""

import csv
import dataclasses
import io
import json
import math
import sys

import pytest
from synthetic_history import make_year

from posture.errors import HistoryError, OutputError
from posture.history.exchange import COLUMNS, FORMATS, encode_history, import_history
from posture.history.rows import AlertRow, FeedbackRow, SessionRow
from posture.history.store import History

KINDS = ("sessions", "bouts", "minutes", "alerts", "breaks", "feedback")
IMPORTABLE = ("json", "csv")
HOSTILE = [
    "=1+1|'cmd'",
    "'quoted",
    "-5",
    "@sum",
    "\ttab",
    "\rreturn",
    'a,b\n"c"',
    "<b>é\u202e</b>",
    "",
    "x\x00y",
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite"


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A fortnight, with texts that are not nice; and its JSON and CSV."""
    path = tmp_path_factory.mktemp("full") / "history.sqlite"
    with History(path, is_writable=True) as history:
        make_year(history, days=14, seed=2, hours=3)
        alerts = history.alerts()
        for alert, text in zip(alerts, HOSTILE, strict=False):
            history.put(FeedbackRow(0, alert.id, alert.at_utc_ms, 0, "wrong", text))
            history.put(
                dataclasses.replace(
                    alert, at_utc_ms=alert.at_utc_ms + 1, recovered_utc_ms=None, neck_deg=None
                )
            )
        history.put(SessionRow(0, 1, 2, -3600, HOSTILE[0], HOSTILE[6], HOSTILE[7]))
        return path, {kind: encode_history(history, kind) for kind in IMPORTABLE}


def write(tmp_path, content, name="export"):
    file = tmp_path / name
    file.write_bytes(content)
    return file


def content_of(history):
    """All rows without the numbers that a database gives by itself."""
    sessions = {row.id: (row.start_utc_ms, row.source) for row in history.sessions()}
    alerts = {row.id: row.at_utc_ms for row in history.alerts()}
    found = {}
    for name in KINDS:
        rows = []
        for row in getattr(history, name)():
            told = dataclasses.asdict(row)
            told.pop("id", None)
            if "session_id" in told:
                told["session_id"] = sessions[told["session_id"]]
            if "alert_id" in told:
                told["alert_id"] = alerts[told["alert_id"]]
            rows.append(sorted((k, str(v)) for k, v in told.items()))
        found[name] = sorted(rows)
    return found


@pytest.mark.parametrize("kind", IMPORTABLE)
def test_what_goes_out_comes_back_and_once(full, path, tmp_path, kind):
    source, files = full
    file = write(tmp_path, files[kind])
    with History(source) as history:
        expected = content_of(history)
        n_rows = {name: len(getattr(history, name)()) for name in KINDS}
    assert all(n_rows.values())
    with History(path, is_writable=True) as history:
        for _ in range(2):
            assert import_history(history, file) == n_rows
            assert content_of(history) == expected
        other = "csv" if kind == "json" else "json"
        import_history(history, write(tmp_path, files[other]))
        assert content_of(history) == expected


@pytest.mark.parametrize("kind", IMPORTABLE)
def test_two_halves_make_the_whole(full, path, tmp_path, kind):
    source, _ = full
    with History(source) as history:
        expected = content_of(history)
        _, last = history.span()
        middle = (history.sessions()[2].start_utc_ms + last) // 2
        halves = [encode_history(history, kind, middle), encode_history(history, kind, 0, middle + 3_600_000)]
    with History(path, is_writable=True) as history:
        for half in halves:
            import_history(history, write(tmp_path, half))
            assert content_of(history) != expected or half is halves[-1]
        assert content_of(history) == expected


def test_an_export_of_an_older_version_is_read_and_takes_nothing_away(full, path, tmp_path):
    source, files = full
    content = json.loads(files["json"])
    for row in content["sessions"]:
        for name in [name for name in row if "limit" in name]:
            del row[name]
    old = write(tmp_path, json.dumps(content).encode())
    with History(source) as history:
        expected = content_of(history)
    with History(path, is_writable=True) as history:
        import_history(history, old)
        assert [s.neck_limit_deg for s in history.sessions()] == [None] * len(content["sessions"])
        for file in (write(tmp_path, files["json"], "new"), old):
            import_history(history, file)
            assert content_of(history) == expected


def test_a_newer_copy_completes_an_older_one_and_never_the_other_way(path, tmp_path):
    session = SessionRow(0, 1000, 9000, 0, "camera 0", "default", "")
    with History(path, is_writable=True) as history:
        make_year(history, days=2, hours=1)
        number = history.put(session)
        alert = AlertRow(0, number, 1000, 2000, 0, 1.0, "neck", *[1.0] * 5, *[1.0] * 4, "", None, "", 0.0)
        history.put(alert)
        old = write(tmp_path, encode_history(history, "json"), "old")
        history.put(dataclasses.replace(session, end_utc_ms=20_000))
        history.put(dataclasses.replace(alert, recovered_utc_ms=3000))
        new = write(tmp_path, encode_history(history, "json"), "new")
        expected = content_of(history)
        import_history(history, old)
        assert content_of(history) == expected
    with History(tmp_path / "other.sqlite", is_writable=True) as history:
        import_history(history, old)
        assert content_of(history) != expected
        import_history(history, new)
        assert content_of(history) == expected


def break_json(rows, name, **changes):
    rows = json.loads(json.dumps(rows))
    rows[name][1].update(changes)
    return json.dumps(rows).encode()


BROKEN = {
    "state": ("bouts", {"state": "dancing"}, "row 2 of bouts"),
    "order": ("bouts", {"start_utc_ms": 10**13}, "row 2 of bouts: it ends before it starts"),
    "huge": ("bouts", {"end_utc_ms": 10**30}, "row 2 of bouts"),
    "future": ("alerts", {"recovered_utc_ms": 10**15}, "row 2 of alerts: recovered_utc_ms"),
    "text": ("bouts", {"mean_neck_deg": "much"}, "row 2 of bouts"),
    "orphan": ("bouts", {"session_id": 4711}, "row 2 of bouts belongs to row 4711"),
    "offset": ("sessions", {"utc_offset_s": 90_000}, "row 2 of sessions: utc_offset_s 90000"),
    "kind": ("breaks", {"kind": "lunch"}, "row 2 of breaks: kind 'lunch' is none of due, taken"),
    "verdict": ("feedback", {"verdict": "maybe"}, "row 2 of feedback"),
    "list": ("minutes", {"judged_s": []}, "row 2 of minutes"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_row_that_cannot_be_imports_nothing_and_is_named(full, path, tmp_path, what):
    name, changes, words = BROKEN[what]
    file = write(tmp_path, break_json(json.loads(full[1]["json"]), name, **changes))
    with History(path, is_writable=True) as history:
        with pytest.raises(HistoryError) as error:
            import_history(history, file)
        assert words in str(error.value)
        assert "\n" not in str(error.value)
        assert history.span() is None


FILES = {
    "empty": b"",
    "text": b"dear aunt,\nhow are you\n",
    "binary": bytes(range(256)),
    "half json": b'{"posture_history": 1, "sessions": [{"id"',
    "deep": b'{"a":' * 100_000,
    "list": b"[1, 2]",
    "newer": b'{"posture_history": 2, "sessions": []}',
    "other json": b'{"sessions": 5}',
    "no lists": b'{"posture_history": 1, "sessions": 5}',
    "unknown table": b'{"posture_history": 1, "naps": [{}]}',
    "parquet": b"PAR1....",
    "csv nan": b"table,session_id,start_utc_ms,utc_offset_s,judged_s,neck_deg,thoracic_deg,slouch_ratio\n"
    b"minutes,1,0,0,nan,1,1,1\n",
}


@pytest.mark.parametrize("what", FILES)
def test_what_is_no_history_is_refused_in_one_line(path, tmp_path, what):
    file = write(tmp_path, FILES[what])
    with History(path, is_writable=True) as history:
        with pytest.raises(HistoryError) as error:
            import_history(history, file)
        assert str(file) in str(error.value)
        assert "\n" not in str(error.value)
        with pytest.raises(HistoryError, match="No such file"):
            import_history(history, tmp_path / "missing")
        with pytest.raises(HistoryError, match="Is a directory"):
            import_history(history, tmp_path)


def test_a_file_cut_short_imports_nothing(full, path, tmp_path):
    with History(path, is_writable=True) as history:
        content = full[1]["json"]
        for cut in range(1, len(content) - 2, len(content) // 20):
            with pytest.raises(HistoryError):
                import_history(history, write(tmp_path, content[:cut]))
        assert history.span() is None


def test_no_cell_is_a_formula(full):
    rows = list(csv.reader(io.StringIO(full[1]["csv"].decode(), newline="")))
    assert rows[0] == ["table", "local_time", *COLUMNS]
    texts = [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert all(math.isfinite(float(text)) for text in texts), "only numbers"


def test_local_time_is_that_of_the_wall_then(full):
    rows = list(csv.DictReader(io.StringIO(full[1]["csv"].decode(), newline="")))
    times = {row["local_time"] for row in rows if row["table"] == "sessions" and row["source"] == "camera 0"}
    assert all(time.endswith("+02:00") for time in times)
    assert any(time[11:13] in ("08", "09") for time in times)


def test_parquet_holds_the_same_rows(full):
    pyarrow_parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    with History(full[0]) as history:
        found = pyarrow_parquet.read_table(io.BytesIO(encode_history(history, "parquet"))).to_pylist()
        for name in KINDS:
            rows = [row for row in found if row["table"] == name]
            expected = [dataclasses.asdict(row) for row in getattr(history, name)()]
            assert [{k: row[k] for k in expected[0]} for row in rows] == [dict(row) for row in expected]


def test_parquet_without_its_library_says_what_to_install(full, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with History(full[0]) as history, pytest.raises(OutputError, match="pip install pyarrow"):
        encode_history(history, "parquet")


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_is_a_file_too(path, tmp_path, kind):
    with History(path) as history:
        content = encode_history(history, kind)
    assert content
    if kind in IMPORTABLE:
        with History(path, is_writable=True) as history:
            assert set(import_history(history, write(tmp_path, content)).values()) == {0}
