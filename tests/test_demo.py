"""`posture demo` on a desktop, on a desktop that hangs, without one, and how it looks in a terminal."""

import json
import re
import shlex
import subprocess
import threading
import time

import pytest
from cli_helpers import POSTURE, assert_own_words, home_env, posture
from desktop import require, session_bus

TABLE = ("upright", "slouching", "away", "not judging", "alerts", "frames")


@pytest.fixture(scope="module")
def told_and_shown(tmp_path_factory):
    """Output of a demo, and what the notification service was asked to show."""
    with session_bus() as bus, bus.scripted_service() as service:
        env = home_env(tmp_path_factory.mktemp("home"), DBUS_SESSION_BUS_ADDRESS=bus.address)
        done = posture("demo", "--speed", "100", env=env)
        return done, service.line(), service.n_unread()


def test_the_alert_arrives_on_the_desktop_with_the_words_of_the_terminal(told_and_shown):
    done, shown, n_more = told_and_shown
    assert n_more == 0
    title, body = (json.loads(shown)[key] for key in ("summary", "body"))
    (alert,) = (line for line in done.stdout.splitlines() if "alert: " in line)
    assert title in alert
    assert body in alert
    assert "for 10 s" in body


def test_the_demo_tells_its_story_and_how_to_go_on(told_and_shown):
    done, _, _ = told_and_shown
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "slouch began" in done.stdout
    assert "slouch ended" in done.stdout
    for word in TABLE:
        assert any(word in line for line in lines), word
    assert "posture calibrate" in lines[-1]
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout


@pytest.fixture(scope="module")
def held_up(tmp_path_factory):
    """What a demo in a terminal without colours says while the desktop hangs, and the seconds it waited for that."""
    script = require("script")
    told: list[str] = []
    with session_bus() as bus, bus.scripted_service("hang") as service:
        env = home_env(
            tmp_path_factory.mktemp("home"),
            DBUS_SESSION_BUS_ADDRESS=bus.address,
            TERM="xterm-256color",
            NO_COLOR="1",
        )
        with subprocess.Popen(
            [script, "-qec", f"{shlex.quote(POSTURE)} demo --speed 100", "/dev/null"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as demo:
            reader = threading.Thread(target=lambda: told.append(demo.stdout.read()))
            reader.start()
            assert "summary" in service.line(120)
            called_s = time.monotonic()
            assert demo.wait(120) == 0
            took_s = time.monotonic() - called_s
            reader.join(20)
    return told[0], took_s


def test_a_desktop_that_hangs_holds_nothing_up(held_up):
    told, took_s = held_up
    assert took_s < 25.0, "waited for D-Bus, whose own limit this is"
    assert "frames" in told


def test_in_a_terminal_it_is_whole_lines_without_foreign_words(tmp_path):
    tmux = require("tmux")
    server = [tmux, "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    env = home_env(tmp_path / "home", TERM="xterm-256color")
    done = tmp_path / "done"
    command = f"{shlex.quote(POSTURE)} demo --speed 20; echo $? > {done}; cat"
    size = ("-x", "80", "-y", "24")
    subprocess.run([*server, "new-session", "-d", *size, command], env=env, check=True, timeout=30)

    def look(*options: str) -> list[str]:
        capture = [*server, "capture-pane", "-p", *options]
        shown = subprocess.run(
            capture, env=env, capture_output=True, encoding="utf-8", check=True, timeout=30
        )
        return shown.stdout.rstrip("\n").split("\n")

    try:
        screens = []
        deadline_s = time.monotonic() + 120.0
        while not done.exists():
            assert time.monotonic() < deadline_s, screens[-1]
            screens.append(look())
        last = look("-S", "-100")
        coloured = look("-e", "-S", "-100")
    finally:
        subprocess.run([*server, "kill-server"], env=env, check=False, timeout=30)
    assert done.read_text(encoding="utf-8") == "0\n"
    for screen in (*screens, last):
        assert_own_words("\n".join(screen))
    panel = re.compile(r"[│║] [●▲○?] (\w+)")
    live = {found[1] for screen in screens for line in screen if (found := panel.match(line))}
    assert {"upright", "slouching"} <= live, "the panel was not seen"
    for screen in screens:
        assert sum(bool(panel.match(line)) for line in screen) <= 1, screen
    assert not [line for line in last if panel.match(line)], "the panel is left behind"
    assert "\x1b[" in "".join(coloured)
    # Words are not broken in two at the terminal's edge.
    assert all(len(line) <= 80 for line in last)
    assert "your upright for 10 s" in " ".join(" ".join(last).split())


def test_no_color_is_honoured(held_up):
    told, _ = held_up
    assert "upright" in told
    assert_own_words(told)
    codes = re.findall(r"\x1b\[([\d;]*)m", told)
    assert not [code for code in codes if re.search(r"(^|;)(3[0-8]|4[0-8]|9\d)", code)], "a colour"
    assert told.rstrip().endswith("posture run'.") or "\x1b[?25h" in told
    assert told.count("\x1b[?25l") == told.count("\x1b[?25h"), "the cursor stays hidden"
