"""`posture history`, `why` and `wrong` as a person uses them, with nothing there and with rubbish there too."""

import dataclasses
import json
import os
import re
import stat
from datetime import date

import pytest
from cli_helpers import fails, home_env, posture
from synthetic_history import make_year

from posture.history.rows import AlertRow, SessionRow
from posture.history.store import History

T0_MS = 1_780_000_000_000  # Thu 28 May 2026, 20:26:40 UTC


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home", TZ="Europe/Berlin")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home/.local/share/posture/history.sqlite"


def add_alert(path, at_ms=T0_MS, **changes):
    with History(path, is_writable=True) as history:
        number = history.put(
            SessionRow(0, T0_MS - 10**6, T0_MS + 10**7, 7200, "camera 0", "default", "front")
        )
        row = AlertRow(
            0, number, at_ms - 61_500, at_ms, 7200, 60.25, "neck", 12.3, 4.5, 7.8, 0.012, 1.23,
            10.0, 8.0, 17.0, 0.05, "2026-05-26T20:26:40+00:00", at_ms + 42_000, "", 0.0,
        )  # fmt: skip
        history.put(dataclasses.replace(row, **changes))


def n_sessions(path):
    with History(path) as history:
        return len(history.sessions())


def test_nothing_there_is_said_and_nothing_is_made(env, path):
    assert "no history yet" in posture("history", "info", env=env).stdout
    assert "no alert in the history yet" in fails("why", env=env)
    assert "no alert in the history yet" in fails("wrong", env=env)
    assert (
        "nothing before 2026-01-01" in posture("history", "delete", "--before", "2026-01-01", env=env).stdout
    )
    assert json.loads(posture("history", "export", env=env).stdout)["bouts"] == []
    assert not path.exists()


def test_why_tells_what_was_measured_against_what_and_what_came_after(env, path):
    add_alert(path)
    add_alert(path, T0_MS + 600_000, recovered_utc_ms=None, driver="sink", neck_deg=None, baseline_utc="")
    told = posture("why", "2", env=env).stdout
    for words in (
        "Alert 2: Thu 28 May 2026, 22:26:40",
        "Slouched for 1:00, since 22:25:38; mostly: neck forward",
        "Measured by camera 0 against your upright 'default'\n"
        "of Tue 26 May 2026, 22:26:40 (2.0 days old then)",
        "over 0:42 after the alert",
        "posture wrong 2",
    ):
        assert words in told
    assert re.search(r"▶ neck forward +\+12\.3° +10\.0° .*123%", told)
    assert re.search(r"  trunk forward +\+4\.5° +8\.0° ", told)
    assert "22:26 nothing recorded  ◀ alert" in told
    assert "22:25" not in told.partition("\n\n")[2], "nothing is known of the time before"
    assert max(map(len, told.splitlines())) <= 80
    told = posture("why", env=env).stdout
    for words in ("not seen to end", "when it was taken is not known", "not measured"):
        assert words in told
    assert "only 2 alerts; choose 1 to 2, not 3" in fails("why", "3", env=env)
    posture("why", "0", env=env, code=2)


def test_one_of_a_kind_is_told_in_the_singular(env, path):
    add_alert(path)
    told = posture("history", "info", env=env).stdout
    assert "1 session, 0 bouts, 0 minutes, 1 alert, 0 breaks, 0 answers" in told
    assert re.search(r"history\.sqlite, \d+ kB$", told, re.MULTILINE)
    assert "only 1 alert; choose 1, not 2" in fails("why", "2", env=env)


def test_why_shows_the_minutes_around(env, path):
    last = date(2026, 5, 28)
    with History(path, is_writable=True) as history:
        make_year(history, days=3, last_day=last)
        (alert,) = history.last_alerts(1)
        minute = alert.at_utc_ms // 60_000 * 60_000
        (row,) = history.minutes(minute, minute + 1)
    (line,) = [line for line in posture("why", env=env).stdout.splitlines() if "◀ alert" in line]
    assert f"{row.slouch_ratio:.0%}, neck {row.neck_deg:+.0f}°" in line
    assert line.count("█") == min(20, round(10 * row.slouch_ratio))


TRACE = "t_s,state,reason,neck_deviation_deg,thoracic_deviation_deg,slouch_ratio,slouched_s\n" + "".join(
    f"{t_s:.6f},slouching,,{t_s / 10:.3f},4.000,1.2000,5.000\n" for t_s in range(500)
)


def test_why_shows_the_trace_when_one_was_kept(env, path, tmp_path):
    trace = tmp_path / "day.csv"
    add_alert(path, trace_path=str(trace), trace_t_s=300.0)
    assert "cannot be shown: No such file" in posture("why", env=env).stdout
    trace.write_text(TRACE, encoding="utf-8")
    told = posture("why", env=env).stdout
    shown = [float(found) for found in re.findall(r"^ +(\d+\.\d+) +slouching", told, re.MULTILINE)]
    assert 10 <= len(shown) <= 20
    assert min(shown) == 240.0
    assert max(shown) <= 330.0
    for rubbish in (b"", b"\xff\xfe\x00", b"t_s\nsoon\n", TRACE[:300].encode()):
        trace.write_bytes(rubbish)
        told = posture("why", env=env).stdout
        assert "cannot be shown" in told or "nothing from then any more" in told


def test_three_wrong_answers_propose_and_change_nothing(env, path, tmp_path):
    for i in range(4):
        add_alert(path, T0_MS + i * 10_000, recovered_utc_ms=None)
    note = "<b>=cmd|' [red]é"
    for n in (1, 2):
        told = posture("wrong", str(n), "--reason", note, env=env).stdout
        assert "was wrong" in told
        assert "judge." not in told
    assert f"You called it wrong: {note}" in posture("why", "2", env=env).stdout
    told = posture("wrong", "3", env=env).stdout
    assert "posture run --set judge.neck_deg=12.5" in told
    assert "3 alerts you called wrong it was +12.3°, +12.3°, +12.3°" in told
    assert "Nothing has been changed" in told
    assert not (tmp_path / "home/.config/posture").exists()
    assert "neck_deg = 12.5" in posture("config", "show", "--set", "judge.neck_deg=12.5", env=env).stdout
    assert "judge." not in posture("wrong", "3", "--right", env=env).stdout, "the answer can be taken back"
    with History(path) as history:
        assert [row.verdict for row in history.feedback()].count("right") == 1
        assert len(history.feedback()) == 3


def test_a_reason_that_is_no_text_is_kept_as_far_as_it_is(env, path):
    add_alert(path)
    posture("wrong", "--reason", os.fsdecode(b"caf\xe9"), env=env)
    assert "wrong: caf" in posture("why", env=env).stdout


def test_a_terminal_is_not_told_what_to_do_by_a_note_or_a_name(env, path, tmp_path):
    order, trace = "\x1b]0;mine\x07\x9b31m\u202e", tmp_path / "\x1b[31mday.csv"
    add_alert(path, trace_path=str(trace), trace_t_s=300.0, driver="ne\x1bck")
    posture("wrong", "--reason", f"a{order}b", env=env)
    for _ in range(2):
        told = posture("why", env=env).stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told)
        trace.write_text(TRACE.replace("slouching", "slo\x1b[2Jing"), encoding="utf-8")
    assert "wrong: a]0;mine31mb" in told
    assert "slo[2Jing" in told
    with History(path) as history:
        assert history.feedback()[0].note == f"a{order}b", "it is kept as it was said"
    assert "\x1b" not in fails("history", "import", tmp_path / "\x1b[31mno.csv", env=env)


def test_export_import_and_delete(env, path, tmp_path):
    with History(path, is_writable=True) as history:
        make_year(history, days=5, last_day=date(2026, 5, 29), hours=1)
    for kind in ("json", "csv", "parquet"):
        file = tmp_path / f"out.{kind}"
        posture("history", "export", "--format", kind, "-o", file, env=env)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it tells about a person's days"
    assert posture("history", "export", env=env).stdout == (tmp_path / "out.json").read_text(encoding="utf-8")
    assert "name a file" in fails("history", "export", "--format", "parquet", env=env)
    n_rows = (tmp_path / "out.csv").read_bytes().count(b"\n") - 1
    assert len((tmp_path / "out.json").read_bytes().splitlines()) == n_rows + 1 + 2 * 6, "a row a line"
    for odd, n_left in (("0001-01-01", 0), ("1969-12-31", 0), ("9999-12-31", n_sessions(path))):
        told = posture("history", "export", "--since", odd, env=env).stdout
        assert len(json.loads(told)["sessions"]) == n_sessions(path) - n_left
        told = posture("history", "delete", "--before", odd, env=env, code=1 if n_left else 0).stdout
        assert ("nothing before" in told) == (not n_left)
    day = ("--since", "2026-05-27", "--until", "2026-05-27")
    sessions = json.loads(posture("history", "export", *day, env=env).stdout)["sessions"]
    assert len(sessions) == 2
    posture("history", "export", "--since", "27.5.2026", env=env, code=2)

    n = n_sessions(path)
    assert f"read {n} sessions" in posture("history", "import", tmp_path / "out.csv", env=env).stdout
    assert n_sessions(path) == n
    before = ("history", "delete", "--before", "2026-05-28")
    posture(*before, env=env, code=1)  # nobody there to say yes
    assert n_sessions(path) == n
    assert "deleted" in posture(*before, "--yes", env=env).stdout
    assert n_sessions(path) == 4
    assert "nothing before" in posture(*before, "--yes", env=env).stdout
    told = posture("history", "import", tmp_path / "out.json", env=env).stdout
    assert f"{n - 4} sessions are new" in told
    assert n_sessions(path) == n
    assert f"{n} sessions" in posture("history", "info", env=env).stdout
    assert "cannot write" in fails("history", "export", "-o", tmp_path / "out.csv/x", env=env)
    assert "No such file" in fails("history", "import", tmp_path / "missing", env=env)


@pytest.mark.parametrize("command", [("why",), ("wrong",), ("history", "info"), ("history", "export")])
def test_a_damaged_history_is_one_line_and_stays(env, path, command):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rubbish" * 1000)
    assert "is damaged" in fails(*command, env=env)
    assert path.read_bytes() == b"rubbish" * 1000


def test_a_home_that_does_not_exist_is_one_line(env):
    assert "cannot" in fails("history", "import", "x", env={**env, "HOME": "/proc/nowhere"})
