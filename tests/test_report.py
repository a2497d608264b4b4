"""``posture report`` as a user meets it.

Claimed: a page readable by its owner only, our own words whatever is wrong, and nothing else touched; the text says
what the page says; the browser is shown a file; markup in a chart's words stays words.
"""

import io
import re
import sqlite3
import stat
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from cli_helpers import assert_own_words, home_env, posture
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from unprivileged import as_nobody, shared_folder

from posture.errors import OutputError
from posture.history.rows import BoutRow, SessionRow
from posture.history.store import History
from posture.report import charts, drawing, panels, words
from posture.report.charts import Column, Point
from posture.report.day import DayCourse, Strip
from posture.report.figures import LENGTHS_S, RESPONSES_S, make_figures, new_ledger
from posture.report.text import text_report
from posture.reporting import run_report
from posture.slouch import Reason, SlouchState

DAY_MS = 86_400_000


def history_path(home):
    return home / ".local/share/posture/history.sqlite"


def report_path(home):
    return home / ".local/share/posture/report.html"


def keep(home, days_ago=0, minutes=90):
    """Put `minutes` upright and half of that slouching into the history, before now."""
    now_ms = round(time.time() * 1000) - days_ago * DAY_MS
    middle, start = now_ms - minutes * 30_000, now_ms - minutes * 90_000
    with History(history_path(home), is_writable=True) as history:
        number = history.put(SessionRow(0, start, now_ms, 0, "camera 0", "default", "front"))
        history.put(BoutRow(0, number, SlouchState.UPRIGHT, Reason.NONE, start, middle, 0, *(1.0,) * 6))
        history.put(BoutRow(0, number, SlouchState.SLOUCHING, Reason.NONE, middle, now_ms, 0, *(9.0,) * 6))


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def env_of(home, **changes):
    return home_env(home, TZ="UTC", COLUMNS="120", **changes)


def test_without_a_history_page_and_text_say_what_to_do(home):
    done = posture("report", env=env_of(home))
    assert "Nothing has been kept yet" in done.stdout
    assert "posture run" in done.stdout
    page = report_path(home).read_text("utf-8")
    assert "Nothing has been kept yet" in page
    assert "posture run" in page
    assert "posture run" in posture("report", "--text", env=env_of(home)).stdout
    assert not history_path(home).exists(), "looking makes no history"


def test_a_history_older_than_the_span_is_named(home):
    keep(home, days_ago=20)
    done = posture("report", "--text", env=env_of(home))
    assert "posture report --days 21" in done.stdout
    assert "of the" in posture("report", "--text", "--days", "22", env=env_of(home)).stdout
    assert not report_path(home).exists(), "only the text was asked for"


def test_text_and_page_say_the_same(home):
    keep(home)
    text = posture("report", "--text", "--days", "2", env=env_of(home)).stdout
    assert "Upright for 67% of the 2 h 15 min that could be judged." in text
    posture("report", "--days", "2", env=env_of(home))
    assert "Upright for 67% of the 2 h 15 min that could be judged." in report_path(home).read_text("utf-8")
    assert stat.S_IMODE(report_path(home).stat().st_mode) == 0o600


def test_text_where_there_are_no_block_characters(home):
    keep(home)
    env = env_of(home, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    done = posture("report", "--text", "--days", "2", env=env)
    assert "####" in done.stdout
    assert "█" not in done.stdout


@pytest.mark.parametrize("hours", [0.4, 9.9])
@pytest.mark.parametrize("days", [7, 40, 400])
def test_no_figure_is_cut_off_in_a_narrow_terminal(days, hours):
    """The widest words are durations of a month: 204 h 37 min of judged time go into a column."""
    today = 20_600
    ledger = new_ledger(today - days + 1, today, 120.0)
    for d in range(today - days + 1, today - 1):
        start = d * DAY_MS + 9 * 3_600_000
        ends = (start, start + round(hours * 1_800_000), start + round(hours * 3_600_000) + 59)
        for state, (begin, end) in zip(
            (SlouchState.UPRIGHT, SlouchState.SLOUCHING), pairwise(ends), strict=True
        ):
            ledger.add([BoutRow(0, 1, state, Reason.NONE, begin, end, 0, *(None,) * 6)])
    figures = make_figures(today - days + 1, today, ledger)
    bars = []
    for columns in range(46, 131):
        console = Console(width=columns, file=io.StringIO(), color_system=None)
        for part in text_report(figures, [], width_cells=columns):
            console.print(part)
        shown = console.file.getvalue()
        assert "…" not in shown, columns
        assert max(map(len, shown.splitlines())) <= columns
        bars.append("▒" in shown)
        assert columns < 100 or ("longest sat" in shown and bars[-1])
    assert bars[0] is False or days < 400


def test_the_page_goes_where_it_is_told_and_may_be_a_summary(home, tmp_path):
    keep(home)
    target = tmp_path / "new folder" / "für <b>.html"
    done = posture("report", "--summary", "-o", target, env=env_of(home))
    assert done.stdout.strip() == f"wrote {target}"
    assert "Posture summary" in target.read_text("utf-8")
    assert not report_path(home).exists()


def test_another_program_can_take_the_page(home):
    keep(home)
    done = posture("report", "-o", "-", env=env_of(home))
    assert done.stdout.startswith("<!DOCTYPE html>") and done.stdout.rstrip().endswith("</html>")
    assert not report_path(home).exists() and not Path("-").exists()
    for other in ("--text", "--open"):
        refused = posture("report", "-o", "-", other, env=env_of(home), code=1)
        assert refused.stderr.startswith("posture: -: standard output takes the page alone")


def test_the_browser_is_shown_the_file(home, tmp_path):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    browser.chmod(0o755)
    posture("report", "--open", env=env_of(home, BROWSER=f"{browser} %s"))
    assert (tmp_path / "asked").read_text().strip() == report_path(home).as_uri()


def test_without_a_browser_it_says_so(home):
    python = Path(sys.executable).parent
    done = posture("report", "--open", env=env_of(home, PATH=str(python)), code=1)
    assert "no browser could be opened" in done.stdout
    assert report_path(home).exists()


def refused(home, *args, env=None):
    """One line of our own about what is wrong."""
    done = posture("report", *args, env=env or env_of(home), code=1)
    assert_own_words(done.stderr)
    (line,) = done.stderr.strip().splitlines()
    return line


def test_outputs_that_cannot_be(home, tmp_path):
    keep(home)
    before = history_path(home).read_bytes()
    assert "would overwrite the history" in refused(home, "-o", history_path(home))
    (tmp_path / "link").symlink_to(history_path(home))
    assert "would overwrite the history" in refused(home, "-o", tmp_path / "link")
    assert "not a file" in refused(home, "-o", tmp_path)
    assert "not a file" in refused(home, "-o", "/dev/null")
    assert Path("/dev/null").is_char_device()
    (tmp_path / "file").write_text("mine")
    assert "cannot write" in refused(home, "-o", tmp_path / "file" / "page.html")
    assert history_path(home).read_bytes() == before
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_history_is_named_and_left_alone(home, content):
    history_path(home).parent.mkdir(parents=True)
    history_path(home).write_bytes(content)
    assert "history.sqlite" in refused(home)
    assert history_path(home).read_bytes() == content
    assert not report_path(home).exists()


def test_a_history_of_a_newer_version_is_named_and_left_alone(home):
    keep(home)
    with sqlite3.connect(history_path(home)) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer" in refused(home)


def test_a_folder_that_is_only_readable(monkeypatch, capsys):
    """In this process, since the interpreter may lie where nobody else may look; a first page loads all of it."""
    with shared_folder() as folder:
        home = folder / "home"
        keep(home)
        monkeypatch.setenv("HOME", str(home))
        run_report(2, folder / "first.html", False, False, False)
        for part in (home, *home.rglob("*")):
            part.chmod(0o555 if part.is_dir() else 0o444)
        for name, value in env_of(home, XDG_CONFIG_HOME=str(home)).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
        with as_nobody():
            assert run_report(2, None, False, True, False) == 0
            with pytest.raises(OutputError, match=r"^cannot write .*report.html: "):
                run_report(2, None, False, False, False)
    assert "67%" in capsys.readouterr().out


@pytest.mark.parametrize("days", ["0", "-3", "4000", "x"])
def test_impossible_spans_are_usage_errors(home, days):
    posture("report", "--days", days, env=env_of(home), code=2)


MARKUP = "<script>alert(1)</script>&\"'"


def test_markup_in_a_charts_words_stays_words():
    """svg.py escapes nothing by itself."""
    made = [
        charts.columns([Column(MARKUP, (1.0,), MARKUP, MARKUP)], ("plain",), MARKUP, MARKUP),
        charts.share_line([Point(MARKUP, 0.5, MARKUP, True)], MARKUP),
        charts.strips([], (0, 60), MARKUP),
    ]
    for svg in made:
        assert "<script" not in svg
        assert "&lt;script&gt;" in svg
        assert f'"{MARKUP[-3:]}' not in svg


@pytest.mark.parametrize("tallest", [0.004, 0.3, 0.99, 1, 7.9, 24, 168, 745, 9999])
def test_an_axis_has_few_lines_and_holds_its_columns(tallest):
    step = drawing.nice_step(tallest)
    assert 1 <= tallest / step <= 5 or tallest < 0.1
    svg = charts.columns([Column("a", (tallest,), "a")], ("plain",), " h", "label")
    assert svg.count('class="grid"') + svg.count('class="ground-line"') <= 6


def test_names_of_ranges_match_their_borders():
    assert len(words.LENGTHS) == len(LENGTHS_S) + 1
    assert len(words.RESPONSES) == len(RESPONSES_S) + 2
    for name, (low, high) in zip(words.LENGTHS[1:-1], pairwise(LENGTHS_S), strict=True):
        assert name == f"{low / 60:.0f}–{high / 60:.0f}\nmin"


def test_the_errors_told_are_those_of_the_method():
    """On left-out people; from the front the larger of a laptop's and a monitor's camera."""
    table = (Path(__file__).parents[1] / "docs/method.md").read_text("utf-8")
    places = {"laptop": "front", "on top of a monitor": "front", "three-quarter": "quarter", "side": "side"}
    told = {}
    for line in table.splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        place = places.get(name.split(":")[0])
        if place and len(cells) == 3:
            for kind, cell in zip(("face", "pose"), cells, strict=False):
                if cell != "–":
                    neck, trunk = (float(number) for number in cell.split("/"))
                    before = told.get((place, kind), (0.0, 0.0))
                    told[place, kind] = (max(before[0], neck), max(before[1], trunk))
    assert len(told) == 5
    for place in ("front", "quarter", "side"):
        best, worst = told.get((place, "face"), told[place, "pose"]), told[place, "pose"]
        (sentence,) = words.error_sentences([place])
        numbers = [float(n) for n in re.findall(r"([\d.]+)°", sentence)]
        assert numbers == [*best, *(worst if worst != best else ())], place


def test_an_hour_with_little_judged_is_pale():
    ledger = new_ledger(20_600, 20_600, 120.0)
    start = 20_600 * DAY_MS + 9 * 3_600_000
    ends = (start, start + 3_600_000, start + 3_600_000 + 1_799_000)
    for begin, end in pairwise(ends):
        ledger.add([BoutRow(0, 1, SlouchState.UPRIGHT, Reason.NONE, begin, end, 0, *(None,) * 6)])
    drawn = panels.hour_chart(make_figures(20_600, 20_600, ledger), 190)
    groups = re.findall(r"<g[^>]*>(?:(?!</g>).)*</g>", drawn, re.DOTALL)
    assert [("faint" in g.split(">")[0], "9:00–" in g) for g in groups] == [(False, True), (True, False)]


@given(st.lists(st.tuples(st.sampled_from(list(SlouchState)), st.integers(1, 90)), min_size=1, max_size=60))
def test_the_drawn_times_of_a_day_are_its_own(parts):
    """Every state's rectangles are as long as its bouts, in a strip and below a curve."""
    strips, at = [], 480.0
    for state, seconds in parts:
        strips.append(Strip(state, at, at + seconds / 60))
        at += seconds / 60
    day = DayCourse(20_600, (), tuple(strips), (), (), (), (), 1)
    for drawn in (charts.strips([("a", day)], (480, 600), "b"), charts.course(day, (480, 600), "c")):
        found = dict.fromkeys(SlouchState, 0.0)
        for tag in re.findall("<path[^>]*>", drawn):
            if state := re.search(r'class="band (\w+)"', tag):
                edges = re.findall(r"M([\d.]+),0H([\d.]+)V1H\1z", tag)
                found[SlouchState(state[1])] += sum(float(end) - float(start) for start, end in edges)
        for state in SlouchState:
            wanted = sum(s.end_minute - s.start_minute for s in strips if s.state is state)
            assert found[state] == pytest.approx(wanted, abs=0.01)
