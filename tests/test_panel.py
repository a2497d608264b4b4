"""The live panel: fits any terminal, says everything without colour, warns from the onset, draws only what changed."""

import dataclasses
import io
import math
import os
import re
import shlex
import subprocess
import time

import pytest
from cli_helpers import EMPTY, FRONT, POSTURE, assert_own_words, fails, front_baseline, home_env, posture
from desktop import require
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from posture.errors import ProfileError
from posture.history.rows import AlertRow, BoutRow, MinuteRow
from posture.history.telling import alert_lines, minute_lines, parts_table, trace_lines
from posture.judging import Thresholds
from posture.load import Load
from posture.panel import ASCII_GLYPHS, HEIGHT, MIN_WIDTH, UNICODE_GLYPHS, render, render_low, status_line
from posture.panel_view import Level, Surroundings, make_view
from posture.pipeline import Pipeline
from posture.profile_json import Profile
from posture.profiles import load_baseline
from posture.receipt import make_receipt
from posture.settings import JudgeSettings, Settings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.step_result import StepResult
from posture.summary import Summarizer
from posture.tables import labelled, profiles_table, receipt_rows
from posture.terminal import EventLines, LiveView, make_display, summary_table
from posture.words import ASCII_SYMBOLS, PARTS, REASONS, STATES

LIMITS = Thresholds(10.0, 8.0, 17.0, 0.05)
AROUND = Surroundings("camera 0", "", 2.1, 1.2, 0.03, "2 sent", 0.8, "today")
RESULT = StepResult(
    5.0, SlouchState.UPRIGHT, Reason.NONE, 3.0, 2.0, 0.01, 0.0, 0.3, "neck", 0.0, 600.0, (), None
)


def result(**changes):
    return dataclasses.replace(RESULT, **changes)


def view_of(frame=RESULT, around=AROUND, thresholds=LIMITS, sustain_s=60.0, break_s=2700.0):
    return make_view(frame, around, thresholds, sustain_s, break_s)


def lines_of(view, width, glyphs=UNICODE_GLYPHS):
    console = Console(file=io.StringIO(), width=width, height=50)
    console.print(render(view, width, glyphs))
    return console.file.getvalue().rstrip("\n").split("\n")


ANY = st.floats(-1e6, 1e6) | st.just(math.nan)
RESULTS = st.builds(
    StepResult,
    t_s=st.floats(0, 1e6),
    state=st.sampled_from(SlouchState),
    reason=st.sampled_from(Reason),
    neck_deviation_deg=ANY,
    thoracic_deviation_deg=ANY,
    sink_ratio=ANY,
    head_pitch_deviation_deg=ANY,
    slouch_ratio=ANY,
    driver=st.sampled_from(["", "neck", "thoracic", "flexion", "sink"]),
    slouched_s=st.floats(0, 1e5),
    sat_s=st.floats(0, 1e6),
    events=st.just(()),
    alert=st.none(),
)
AROUNDS = st.builds(
    Surroundings,
    camera=st.text(),
    trouble=st.text(),
    frame_hz=st.floats(0, 1e4),
    judged_hz=st.floats(0, 1e4),
    cpu_ratio=ANY,
    notified=st.text(),
    upright_ratio=st.floats(0, 1) | st.just(math.nan),
    span=st.sampled_from(["today", "this run"]),
)


LIMIT = st.floats(1e-3, 1e6)


@given(
    RESULTS, AROUNDS, st.builds(Thresholds, LIMIT, LIMIT, LIMIT, LIMIT), st.integers(1, 200), st.booleans()
)
def test_whatever_is_shown_it_fits_and_is_of_one_height(frame, around, limits, width, is_ascii):
    glyphs = ASCII_GLYPHS if is_ascii else UNICODE_GLYPHS
    shown = render(view_of(frame, around, limits), width, glyphs)
    console = Console(file=io.StringIO(), width=max(width, MIN_WIDTH), height=50)
    console.print(shown)
    lines = console.file.getvalue().rstrip("\n").split("\n")
    assert len(lines) == HEIGHT
    assert {cell_len(line) for line in lines} == {min(max(width, MIN_WIDTH), 76)}
    if is_ascii and (around.camera + around.trouble + around.notified).isascii():
        assert "".join(lines).isascii()


@given(RESULTS, st.sampled_from([UNICODE_GLYPHS, ASCII_GLYPHS]))
def test_state_and_reason_are_said_in_words_and_a_symbol(frame, glyphs):
    text = lines_of(view_of(frame), 100, glyphs)[1]
    symbol, word, _ = STATES[frame.state]
    assert word in text
    assert (symbol if glyphs is UNICODE_GLYPHS else ASCII_SYMBOLS[frame.state]) in text
    assert REASONS[frame.reason] in text
    assert word in status_line(view_of(frame), glyphs, 100).plain


@given(
    RESULTS, AROUNDS, st.integers(1, 100), st.integers(5, 13), st.sampled_from([UNICODE_GLYPHS, ASCII_GLYPHS])
)
def test_a_small_terminal_gets_what_fits_and_the_state_first(frame, around, width, height, glyphs):
    view = view_of(frame, around)
    lines = render_low(view, width, height, glyphs).plain.split("\n")
    full = [line[2:-2].rstrip() for line in lines_of(view, min(width, 76) + 4, glyphs)[1:-1]]
    if width >= MIN_WIDTH and width <= 72:
        assert [line.rstrip() for line in lines] == full[:height], "the panel's own lines"
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= max(width, MIN_WIDTH)
    line = status_line(view, glyphs, width).plain
    assert cell_len(line) <= max(width, 0)
    assert STATES[frame.state][1] in line or width < 16


def test_words_are_left_out_whole_where_there_is_no_room():
    for width in range(MIN_WIDTH, 80):
        (
            first,
            *_,
        ) = lines_of(view_of(), width)[1:2]
        assert re.search(r"30%( of the limit(, by the neck)?)? *│$", first), first
        (load,) = [line for line in lines_of(view_of(), width) if "fps" in line]
        assert re.search(r"load +2\.0 fps(, 1\.2 judged/s)?(, CPU 3%)? *│$", load), load
        assert width < 45 or "judged/s, CPU" in load
        sitting = lines_of(view_of(), width)[7]
        assert re.search(r"10 min(, break in 35 min)? *│$", sitting), sitting
        for slouched_s in (12.0, 70.0):
            top = lines_of(view_of(result(slouched_s=slouched_s)), width)[0]
            assert re.search(r"(slouching|0:48 to go|sit up\?) [─═]+[╮╗]$", top), top


@pytest.mark.parametrize("name", ["\x1b[2J\x1b[31m", "a\nb\rc", "[bold red]x[/]", "\u202eabc", "\x07\x00"])
def test_a_hostile_name_is_shown_and_not_obeyed(name):
    around = dataclasses.replace(AROUND, camera=name, notified=name)
    text = "\n".join(lines_of(view_of(around=around), 60))
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert len(text.split("\n")) == HEIGHT
    if name.startswith("[bold"):
        assert name in text


def bar_cells(line):
    """Return the filled cells before and after the mark of a bar's line."""
    before, after = line.split("┃")
    return before.count("█"), after.count("█")


@given(st.floats(-90, 90), st.floats(-90, 90), st.integers(40, 120))
def test_bars_grow_with_the_value_and_pass_the_mark_only_beyond_the_limit(a, b, width):
    low, high = sorted((a, b))
    filled = []
    for value in (low, high):
        line = lines_of(view_of(result(neck_deviation_deg=value)), width)[2]
        assert f"{round(value):+d}°" in line
        assert "+10°" in line
        before, after = bar_cells(line)
        filled.append(before + after)
        assert after == 0 or value > LIMITS.neck_deg
        assert before == 0 or value > 0
    assert filled[0] <= filled[1]


def test_the_limits_stand_under_each_other():
    lines = lines_of(view_of(), 80)[2:6]
    assert len({line.index("┃") for line in lines}) == 1
    assert [line[2:11].strip() for line in lines] == [name for name, _ in PARTS.values()]


def test_it_warns_from_the_onset_and_more_when_it_has_lasted():
    stages = [view_of(result(slouched_s=s, slouch_ratio=1.4)) for s in (0.0, 1.0, 59.0, 60.0, 300.0)]
    assert [v.level for v in stages] == [Level.CALM, Level.WARNING, Level.WARNING, Level.ALERT, Level.ALERT]
    for glyphs in (UNICODE_GLYPHS, ASCII_GLYPHS):
        calm, warning, _, alert, _ = (lines_of(v, 80, glyphs)[0] for v in stages)
        assert "slouching" not in calm
        assert "0:59 to go" in warning
        assert "sit up" in alert
        assert calm[:1] == warning[:1]
    assert lines_of(stages[0], 80)[0][:2] != lines_of(stages[3], 80)[0][:2], "the shape says it too"
    colours = [render(v, 80, UNICODE_GLYPHS).border_style for v in stages[:2]]
    assert colours[0] != colours[1]


def test_what_is_not_known_is_a_dash_and_trouble_takes_the_cameras_place():
    nothing = {"neck_deviation_deg": math.nan, "thoracic_deviation_deg": math.nan, "sink_ratio": math.nan}
    text = "\n".join(lines_of(view_of(result(**nothing, slouch_ratio=math.nan)), 80))
    assert len(re.findall(r" - +[─┃]", text)) == 4
    around = dataclasses.replace(AROUND, trouble="camera lost, retrying", upright_ratio=math.nan)
    text = "\n".join(lines_of(view_of(around=around), 80))
    assert "camera lost, retrying" in text
    assert "camera 0" not in text
    assert "upright   -" in text


def test_without_a_baseline_there_are_no_bars_and_without_breaks_no_break():
    text = "\n".join(lines_of(view_of(thresholds=None, break_s=None), 80))
    assert "┃" not in text
    assert "sitting   10 min " in text
    assert "break in 35 min" in "\n".join(lines_of(view_of(), 80))


class Stream(io.StringIO):
    """A terminal that counts."""

    encoding = "utf-8"


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now_s = 100.0

        def monotonic(self):
            return self.now_s

        process_time = monotonic

    clock = Clock()
    monkeypatch.setattr("posture.terminal.time", clock)
    monkeypatch.setattr("posture.load.time", clock)
    return clock


def live_view(around=lambda: AROUND, **console):
    out = Console(file=Stream(), force_terminal=True, **({"width": 80, "height": 24} | console))
    display = make_display(out, Pipeline(Settings()), around, is_plain=False)
    assert isinstance(display, LiveView)
    return display, out.file


def test_it_draws_only_what_has_changed_and_not_too_often(clock):
    display, file = live_view()

    def grows(frame, after_s):
        clock.now_s += after_s
        before = len(file.getvalue())
        display.handle(frame)
        return len(file.getvalue()) > before

    assert grows(RESULT, 0.0)
    for _ in range(50):
        assert not grows(result(slouch_ratio=0.301, neck_deviation_deg=3.1), 5.0), "looks the same"
    assert grows(result(slouch_ratio=0.7), 0.0)
    assert not grows(result(slouch_ratio=0.2), 0.5), "too soon"
    assert grows(result(state=SlouchState.AWAY), 0.01), "a state is shown at once"
    assert grows(result(state=SlouchState.AWAY, slouched_s=2.0), 0.01), "and so is a slouch's onset"
    event = SlouchEvent(EventKind.AWAY, 5.0, 5.0)
    assert grows(result(state=SlouchState.AWAY, slouched_s=2.0, events=(event,)), 0.01)
    assert "left the desk" in file.getvalue()
    display.close()
    assert file.getvalue().count("\x1b[?25l") == file.getvalue().count("\x1b[?25h"), "the cursor stays hidden"


def test_what_shows_a_run_follows_the_output():
    pipeline = Pipeline(Settings())

    def kind(*, is_plain=False, **options):
        console = Console(file=Stream(), **options)
        display = make_display(console, pipeline, lambda: AROUND, is_plain=is_plain)
        display.close()
        return type(display)

    assert kind(force_terminal=True) is LiveView
    assert kind(force_terminal=True, is_plain=True) is EventLines
    assert kind(force_terminal=False) is EventLines
    assert kind(force_terminal=True, quiet=True) is EventLines
    assert kind(force_terminal=True, _environ={"TERM": "dumb"}) is EventLines


@pytest.mark.parametrize(
    ("height", "last"),
    [(15, "notified  2 sent"), (7, "camera    camera 0"), (6, "sat 10 min"), (1, "sat 10 min")],
)
def test_a_low_terminal_gets_what_fits_without_a_border_or_one_line(clock, height, last):
    display, file = live_view(height=height)
    display.handle(result(slouched_s=12.0))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert re.search(r"slouched +0:12", shown)
    assert shown.endswith(last)
    assert "╭" not in shown
    display.close()


def test_the_place_where_ctrl_c_is_echoed_is_left_free(clock):
    for width in (26, 30, 60, 77):
        for slouched_s in (0.0, 12.0, 70.0):
            display, file = live_view(width=width)
            display.handle(result(slouched_s=slouched_s))
            display.close()
            shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
            assert {cell_len(line) for line in shown.splitlines() if line.strip("\r")} <= {width - 2}, shown


def test_load_is_counted_from_the_clock_and_the_frames(clock):
    """The share of the day spent upright, which stood beside it, is tests/test_today.py's."""
    load = Load()
    assert math.isnan(load.cpu_ratio)
    for i in range(60):
        clock.now_s += 0.5
        load.handle(result(t_s=i * 0.5, state=SlouchState.UPRIGHT))
    assert load.frame_hz == pytest.approx(2.0, rel=0.1)
    assert load.cpu_ratio == pytest.approx(1.0), "this clock's processor never rests"


def test_quiet_says_nothing_but_errors(tmp_path):
    env = home_env(tmp_path / "home")
    args = ("run", "--source", EMPTY, "--baseline", front_baseline(), "--speed", "100", "--quiet")
    done = posture(*args, env=env)
    assert (done.stdout, done.stderr) == ("", "")
    assert "no such file" in fails("run", "--quiet", "--source", tmp_path / "no.mp4", env=env)


@pytest.fixture
def terminal(tmp_path):
    """A real terminal: start(size, command) and look at it."""
    tmux = require("tmux")
    server = [tmux, "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]

    class Terminal:
        def call(self, *args):
            done = subprocess.run(
                [*server, *args], env=self.env, capture_output=True, encoding="utf-8", check=True, timeout=30
            )
            return done.stdout

        def start(self, width, height, *args, **changes):
            self.env = home_env(tmp_path / "home", TERM="xterm-256color", **changes)
            command = " ".join(shlex.quote(str(part)) for part in (POSTURE, *args))
            self.call("new-session", "-d", "-x", str(width), "-y", str(height), f"{command}; cat")

        def look(self, *options):
            return self.call("capture-pane", "-p", *options).rstrip("\n").split("\n")

        def wait_for(self, condition):
            deadline_s = time.monotonic() + 60.0
            while not condition(screen := self.look()):
                assert time.monotonic() < deadline_s, "\n".join(screen)
                time.sleep(0.05)
            assert_own_words("\n".join(screen))
            return screen

    yield Terminal()
    subprocess.run([*server, "kill-server"], env=dict(os.environ), check=False, timeout=30)


RUN = (
    "run",
    "--source",
    FRONT,
    "--set",
    "alert.sustain_s=5",
    "--set",
    "notify.enabled=false",
    "--speed",
)


def tops(screen):
    return [line for line in screen if re.match(r"[╭╔+][─═=-]+ ?(posture|slouching)", line)]


@pytest.mark.parametrize(("width", "height"), [(40, 24), (100, 30)])
def test_in_a_terminal_it_is_one_panel_that_follows_the_story(terminal, width, height):
    terminal.start(width, height, *RUN, 8, "--baseline", front_baseline())
    calm = terminal.wait_for(lambda screen: any("● upright" in line for line in screen))
    assert len(tops(calm)) == 1
    terminal.wait_for(lambda screen: any("to go" in line for line in tops(screen)))
    alert = terminal.wait_for(lambda screen: any("sit up" in line for line in tops(screen)))
    assert len(tops(alert)) == 1
    assert any("alert: " in line for line in alert), "events stay above the panel"
    assert max(map(len, alert)) <= width
    end = terminal.wait_for(lambda screen: any(re.fullmatch(r"frames +160 *", line) for line in screen))
    assert not tops(end), "the panel is taken away"


def test_a_terminal_that_changes_its_size_keeps_one_panel_and_the_events(terminal):
    terminal.start(90, 30, *RUN, 3, "--baseline", front_baseline())
    terminal.wait_for(lambda screen: any("to go" in line for line in tops(screen)))
    for width in (50, 34, 100):
        terminal.call("resize-window", "-x", str(width), "-y", "30")
        screen = terminal.wait_for(
            lambda screen, w=width: (
                tops(screen)
                and len(tops(screen)[0]) == min(w - 2, 76)
                and any("slouch began" in line for line in screen)
            )
        )
        assert len(tops(screen)) == 1, "\n".join(screen)


def test_a_terminal_without_unicode_gets_ascii(terminal):
    terminal.start(80, 24, *RUN, 8, "--baseline", front_baseline(), LC_ALL="C", LANG="C")
    screen = terminal.wait_for(lambda screen: any("! slouching" in line for line in screen))
    screen = terminal.wait_for(lambda screen: any("alert: " in line for line in screen))
    assert "\n".join(screen).isascii()
    assert "degrees further" in " ".join(screen)


def test_plain_is_lines_and_no_more_also_on_a_terminal(terminal):
    terminal.start(80, 24, *RUN, 50, "--plain", "--baseline", front_baseline())
    screen = terminal.wait_for(lambda screen: any(re.fullmatch(r"frames +160 *", line) for line in screen))
    assert any("slouch began" in line for line in screen)
    assert not tops(screen)


def test_words_keep_the_terminals_own_colour_on_white_paper_too():
    """In sixteen colours the palette is what a terminal makes of it: bright yellow and cyan vanish on white."""
    alert = AlertRow(
        0, 0, 0, 60_000, 0, 60.0, "neck", 12.3, 4.5, 7.8, 0.012, 1.23,
        10.0, 8.0, 17.0, 0.05, "", None, "/nowhere/day.csv", 0.0,
    )  # fmt: skip
    minutes = [MinuteRow(0, at, 0, 60.0, 12.0, 3.0, 1.2) for at in (0, 60_000)]
    bouts = [
        BoutRow(0, 0, state, Reason.NONE, 120_000 + i * 60_000, 180_000 + i * 60_000, 0, *[None] * 6)
        for i, state in enumerate(SlouchState)
    ]
    baseline = load_baseline(front_baseline())
    receipt = make_receipt(dataclasses.replace(baseline, luminance=0.1), JudgeSettings(), None)
    shown = [
        *alert_lines(alert, 1, None, None),
        parts_table(alert),
        *minute_lines(alert, minutes, bouts),
        *trace_lines(alert),
        labelled(receipt_rows(Profile(baseline), receipt, 7.0), is_terminal=True),
        profiles_table([("a", Profile(baseline)), ("b", ProfileError("x"))], 0.0),
        summary_table(Summarizer(3.0).summary()),
        *(render(view_of(frame), 80, UNICODE_GLYPHS) for frame in (RESULT, result(slouched_s=70.0))),
    ]
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=100)
    segments = [segment for part in shown for segment in console.render(part)]
    assert any("raise the light" in segment.text for segment in segments)
    coloured = [s.text for s in segments if s.style and s.style.color and not s.style.color.is_default]
    assert {"█", "▲", "●"} <= set("".join(coloured))
    assert not re.search(r"\w", "".join(coloured)), coloured
