"""The preview in a real window: it appears, obeys its keys, and whatever happens to it the monitor goes on."""

import contextlib
import ctypes
import errno
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import types
from functools import partial

import cv2
import numpy as np
import psutil
import pytest
from cli_helpers import FRONT, front_baseline, front_start, home_env, posture, running
from desktop import require, screenshot, wait_until, x_display
from desktop import running as running_child
from mjpeg_server import MjpegServer
from unprivileged import NOBODY, as_nobody

from posture.errors import WindowError
from posture.settings import Settings
from posture.view.moment import Moment
from posture.view.pane import Pane, find_obstacle
from posture.view.preview import Preview
from posture.view.shared_memory import SEGMENTS
from posture.view.sketch import Sketch
from posture.view.window import _Window

QUIET = ("--set", "notify.enabled=false")
RUN = ("run", "--preview", "--source", FRONT, "--speed", "4", *QUIET)


@pytest.fixture(scope="module")
def display():
    """A screen with a window manager."""
    require("openbox")
    with x_display("900x700") as name, running_child("openbox", env={**os.environ, "DISPLAY": name}):
        yield name


def ask(display, *command):
    """Output of an X program, empty when it fails."""
    require(command[0])
    done = subprocess.run(
        command,
        env={**os.environ, "DISPLAY": display},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return done.stdout if done.returncode == 0 else ""


def find_window(display):
    """Identifier of the preview window, or nothing."""
    return ask(display, "xdotool", "search", "--onlyvisible", "--class", "^posture-preview$").split()


def press(display, *keys):
    (window,) = find_window(display)
    if ask(display, "xdotool", "getactivewindow").strip() != window:
        ask(display, "xdotool", "windowactivate", "--sync", window)
    ask(display, "xdotool", "key", *keys)


def has_colour(display, path, colour_rgb, share=0.001):
    """Whether so much of the screen has a colour."""
    picture = screenshot(display, path)[:, :, ::-1].astype(int)
    return (np.abs(picture - colour_rgb).max(axis=2) < 12).mean() > share


@contextlib.contextmanager
def watching(display, tmp_path, *more):
    env = home_env(tmp_path / "home", DISPLAY=display)
    with running(*RUN, "--baseline", front_baseline(), *more, env=env) as process:
        yield process


def children(process):
    return [
        p
        for p in psutil.Process(process.popen.pid).children()
        if "resource_tracker" not in " ".join(p.cmdline())
    ]


def test_the_window_shows_the_judged_person_and_closing_it_ends_nothing(display, tmp_path):
    with watching(display, tmp_path) as process:
        process.wait_for(lambda: find_window(display))
        blue, shirt, silhouette = (86, 180, 233), (106, 52, 52), (72, 76, 84)
        process.wait_for(lambda: has_colour(display, tmp_path / "a.png", blue))
        process.wait_for(lambda: has_colour(display, tmp_path / "a.png", shirt, 0.02))
        press(display, "b")
        process.wait_for(lambda: has_colour(display, tmp_path / "b.png", silhouette, 0.02))
        assert not has_colour(display, tmp_path / "b.png", shirt, 0.001), "nothing is left of the person"
        press(display, "q")
        process.wait_for("Preview closed; posture goes on.")
        process.wait_for(lambda: not find_window(display))
        assert not children(process)
        process.wait_for("slouch began")
        process.stop(signal.SIGINT)


class Frame:
    """A window without a screen: of sizes as told, closed with q at the end; counts what is shown."""

    is_open = False

    def __init__(self, sizes):
        self.sizes, self.shown = sizes, []

    def open(self, *_):
        self.is_open = True

    def happenings(self):
        self.shown.append(0)
        return ["q"] if len(self.shown) > len(self.sizes) else []

    def size_px(self):
        return self.sizes[len(self.shown) - 1]

    def show(self, page):
        assert page.shape[:2] == self.size_px()[::-1]
        self.shown[-1] += 1


class Still:
    """One picture, and nothing after it."""

    def take(self):
        return np.zeros((48, 64, 3), np.uint8), Sketch()

    def poll(self, _):
        return False


class Told(list):
    send = list.append


def test_a_resized_window_is_drawn_again_and_a_still_one_is_not():
    small, large = (64, 48), (128, 96)
    window = _Window(Still(), Told(), Settings(), takes_commands=False)
    window._pane = frame = Frame([small, small, small, large, large, small, small])
    assert window.run() == "closed"
    assert frame.shown == [1, 0, 0, 1, 0, 1, 0, 0]
    assert window._tells == [("opened", "")]


@contextlib.contextmanager
def showing(display, monkeypatch, image, **settings):
    """The preview's window, with one picture in it."""
    monkeypatch.setenv("DISPLAY", display)
    preview = Preview(Settings(**settings), takes_commands=True, on_note=print)
    try:
        preview.show(Moment(image, None, None), None)
        (window,) = wait_until(lambda: find_window(display), "the window")
        yield preview, window
    finally:
        preview.close()


GREEN = (30, 160, 60)


def green(height, width):
    return np.full((height, width, 3), GREEN, np.uint8)


def test_what_was_hidden_is_shown_again(display, tmp_path, monkeypatch):
    """Nothing but the window itself keeps what is in it: there is no compositor."""

    def is_green():
        return has_colour(display, tmp_path / "a.png", GREEN, 0.2)

    with showing(display, monkeypatch, green(480, 640)) as (_, window):
        wait_until(is_green, "the picture")
        for _ in range(3):
            ask(display, "xdotool", "windowminimize", "--sync", window)
            wait_until(lambda: not is_green(), "the window to go")
            ask(display, "wmctrl", "-a", "Posture")
            wait_until(is_green, "the picture again")


def segments():
    """Shared memory made by windows of this test: number, mode and size."""
    ours = {child.pid for child in multiprocessing.active_children()}
    rows = [line.split() for line in SEGMENTS.read_text().splitlines()[1:]]
    return [(int(row[1]), int(row[2], 8) & 0o777, int(row[3])) for row in rows if int(row[4]) in ours]


def test_no_other_user_can_read_the_window(display, tmp_path, monkeypatch):
    """SDL lets everybody; what a resized window shows lies in new memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_ssize_t
    with showing(display, monkeypatch, green(480, 640)) as (_, window):
        for wide, high in ((640, 480), (800, 600), (320, 240)):
            ask(display, "xdotool", "windowsize", "--sync", window, str(wide), str(high))
            lies = partial(lies_in_the_middle, display, tmp_path / "a.png", window, 4 / 3)
            wait_until(lies, "the picture")
            new = [(0o700, 4 * wide * high)]
            wait_until(lambda new=new: [s[1:] for s in segments()] == new, "new memory, and closed")
            number = segments()[0][0]
            with as_nobody():
                if os.getuid() == NOBODY:
                    assert libc.shmat(number, None, 0o10000) == -1
                    assert ctypes.get_errno() == errno.EACCES


@pytest.mark.parametrize("depth", [16, 24, 30])
def test_a_screen_may_have_other_pixels(tmp_path, monkeypatch, depth):
    def is_green():
        picture = screenshot(name, tmp_path / "a.png")[:, :, ::-1].astype(int)
        return (np.abs(picture - GREEN).max(axis=2) < 9).mean() > 0.3  # 16 bits have steps of 8

    with x_display("900x700", depth) as name, showing(name, monkeypatch, green(480, 640)):
        wait_until(is_green, "the picture in its colours")


def lies_in_the_middle(display, path, window, ratio):
    """Whether a green picture fills a window one way and has black beside it the other."""
    command = ["import", "-display", display, "-window", window, path]
    subprocess.run(command, check=True, timeout=30)
    picture = cv2.imread(str(path))[:, :, ::-1].astype(int)
    high, wide = picture.shape[:2]
    across, down = min(wide, high * ratio), min(high, wide / ratio)
    is_it = np.abs(picture - GREEN).max(axis=2) < 3
    rows, columns = np.flatnonzero(is_it.any(axis=1)), np.flatnonzero(is_it.any(axis=0))
    if not len(rows):
        return False
    top, left = rows[0], columns[0]
    ends = (top, rows[-1] + 1, left, columns[-1] + 1)
    wanted = ((high - down) / 2, (high + down) / 2, (wide - across) / 2, (wide + across) / 2)
    is_black = picture[:, : max(left - 1, 0)].sum() + picture[: max(top - 1, 0)].sum() == 0
    return is_black and np.abs(np.subtract(ends, wanted)).max() <= 1


def test_a_picture_of_another_shape_lies_in_the_middle(display, tmp_path, monkeypatch):
    """Black beside it, also when the picture before was wider, or the window was."""
    with showing(display, monkeypatch, green(480, 640)) as (preview, window):
        for wide, high in ((800, 600), (700, 300), (400, 600)):
            ask(display, "xdotool", "windowsize", "--sync", window, str(wide), str(high))
            lies = partial(lies_in_the_middle, display, tmp_path / "a.png", window)
            wait_until(lambda lies=lies: lies(4 / 3), f"the picture in {wide} x {high}")
        preview.show(Moment(green(640, 240), None, None), None)
        wait_until(lambda: lies(240 / 640), "another camera's picture")


def test_a_screen_of_many_pixels_is_used(tmp_path, monkeypatch):
    """The first window is no stamp, and a larger one than is drawn in is filled."""
    with x_display("3840x2160") as name, showing(name, monkeypatch, green(480, 640)) as (_, window):
        told = ask(name, "xdotool", "getwindowgeometry", "--shell", window)
        assert "WIDTH=1280\nHEIGHT=960\n" in told
        ask(name, "xdotool", "windowmove", "--sync", window, "0", "0")
        ask(name, "xdotool", "windowsize", "--sync", window, "2880", "2100")
        lies = partial(lies_in_the_middle, name, tmp_path / "a.png", window, 4 / 3)
        wait_until(lies, "the picture in all of the window")


def test_keys_are_known_by_their_place_in_another_script(tmp_path, monkeypatch):
    """With a Russian layout nothing types a q; its key closes the window all the same."""
    require("setxkbmap")
    with x_display("900x700") as name, running_child("openbox", env={**os.environ, "DISPLAY": name}):
        ask(name, "setxkbmap", "ru")
        with showing(name, monkeypatch, green(480, 640)) as (_, window):
            ask(name, "xdotool", "windowactivate", "--sync", window)
            ask(name, "xdotool", "key", "24")  # the number of the key itself
            wait_until(lambda: not find_window(name), "the window to go")


def test_the_window_is_one_of_a_desktop_and_not_a_game(display, monkeypatch):
    with showing(display, monkeypatch, green(480, 640)) as (_, window):
        told = ask(display, "xprop", "-id", window)
    assert '_NET_WM_NAME(UTF8_STRING) = "Posture"' in told
    assert 'WM_CLASS(STRING) = "posture-preview", "posture-preview"' in told
    assert "_NET_WM_BYPASS_COMPOSITOR(CARDINAL) = 0" in told or "BYPASS_COMPOSITOR" not in told
    assert "Icon (64 x 64)" in told


def test_the_cross_closes_the_window_and_ends_nothing(display, tmp_path):
    require("wmctrl")
    with watching(display, tmp_path) as process:
        process.wait_for(lambda: find_window(display))
        ask(display, "wmctrl", "-F", "-c", "Posture")
        process.wait_for("Preview closed; posture goes on.")
        process.wait_for("slouch began")
        process.stop(signal.SIGTERM)


def test_the_space_bar_pauses_and_goes_on(display, tmp_path):
    with watching(display, tmp_path) as process:
        process.wait_for(lambda: find_window(display))
        press(display, "space")
        process.wait_for("paused until you resume")
        press(display, "space")
        process.wait_for("watching again")
        process.stop(signal.SIGINT)
        wait_until(lambda: not find_window(display), "the window to go")


def test_an_end_takes_the_window_along(display, tmp_path):
    with watching(display, tmp_path) as process:
        process.wait_for(lambda: find_window(display))
        left = children(process)
        assert len(left) == 1
        process.stop(signal.SIGINT)
        wait_until(lambda: not any(p.is_running() for p in left), "the window's process to end")
        assert "Preview closed" not in process.text


def test_a_killed_monitor_leaves_no_window(display, tmp_path):
    with watching(display, tmp_path) as process:
        process.wait_for(lambda: find_window(display))
        left = children(process)
        process.popen.kill()
        wait_until(lambda: not any(p.is_running() for p in left), "the window's process to end")


def test_a_hanging_window_holds_nobody_up(display, tmp_path):
    with watching(display, tmp_path, "--speed", "20") as process:
        process.wait_for(lambda: find_window(display))
        (window,) = children(process)
        window.suspend()
        assert process.finish(30) == 0, "it watches to the end of the clip"
        assert "slouch began" in process.text
        wait_until(lambda: not window.is_running(), "the window's process to end")


def test_calibration_says_what_to_do(display, tmp_path):
    env = home_env(tmp_path / "home", DISPLAY=display)
    with MjpegServer(rate_hz=15) as server:
        options = ("--source", server.url, "--seconds", "5")
        with running("calibrate", "--preview", *options, env=env) as process:
            process.wait_for(lambda: has_colour(display, tmp_path / "a.png", (230, 159, 0), 0.0002))
            assert process.finish() == 1
    assert "nobody in view: sit before the camera" in process.text, "which the window said in orange"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, r"No preview: there is no screen here \(DISPLAY is not set\)\."),
        (
            {"WAYLAND_DISPLAY": "wayland-0"},
            r"No preview: the window needs XWayland, and DISPLAY is not set\.",
        ),
        (
            {"DISPLAY": ":4711"},
            r"No preview: no window can be opened on DISPLAY=:4711 \(x11 not available\)\.",
        ),
    ],
    ids=["none", "wayland", "unreachable"],
)
def test_without_a_screen_the_monitor_runs_all_the_same(tmp_path, changes, why):
    env = home_env(tmp_path / "home", **changes)
    run = ("run", "--preview", "--source", front_start(), "--speed", "15", *QUIET)
    done = posture(*run, "--baseline", front_baseline(), env=env, cwd=tmp_path)
    assert len(re.findall(why, done.stdout)) == 1, done.stdout
    assert "slouch began" in done.stdout
    assert done.stderr == ""
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("core")]


def test_the_end_of_the_screen_is_not_the_end_of_the_monitor(tmp_path):
    with contextlib.ExitStack() as stack:
        screen = stack.enter_context(contextlib.ExitStack())
        name = screen.enter_context(x_display())
        process = stack.enter_context(watching(name, tmp_path))
        process.wait_for(lambda: has_colour(name, tmp_path / "a.png", (86, 180, 233)))
        screen.close()
        process.wait_for("The preview window is gone")
        process.wait_for("slouch began")
        process.stop(signal.SIGINT)


def test_keys_are_told_and_the_newest_moment_is_shown(display, tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    told, said = [], []
    preview = Preview(Settings(), takes_commands=True, on_note=said.append)
    preview.on_command = told.append
    try:
        for value in range(0, 250, 10):
            preview.show(Moment(np.full((480, 640, 3), value, np.uint8), None, None), None)
        wait_until(lambda: find_window(display), "the window")
        wait_until(
            lambda: has_colour(display, tmp_path / "a.png", (240, 240, 240), 0.2), "the newest picture"
        )
        press(display, "space", "x", "ctrl+c", "c", "C", "space")
        wait_until(lambda: len(told) == 4, "all keys")
        assert told == ["pause", "recalibrate", "recalibrate", "pause"]
    finally:
        preview.close()
    preview.close()
    assert said == []
    assert not preview.is_open
    wait_until(lambda: not find_window(display), "the window to go")


def test_the_window_is_drawn_in_its_own_size(display, tmp_path, monkeypatch):
    """Letters of a larger window are sharp, not enlarged."""
    monkeypatch.setenv("DISPLAY", display)
    preview = Preview(Settings(), takes_commands=True, on_note=print)
    try:
        preview.show(Moment(np.zeros((240, 320, 3), np.uint8), None, None), None)
        wait_until(lambda: find_window(display), "the window")
        (window,) = find_window(display)
        ask(display, "xdotool", "windowsize", "--sync", window, "800", "600")
        bright = wait_until(lambda: hint_height(display, tmp_path / "a.png"), "the larger letters")
        assert bright
    finally:
        preview.close()


def hint_height(display, path):
    """Whether the letters of the hint are as high as in a window of 800 x 600."""
    picture = screenshot(display, path)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[40:90, 450:880]
    rows = np.flatnonzero((grey > 120).any(axis=1))
    return len(rows) and 11 <= np.ptp(rows) <= 20


@pytest.mark.parametrize("there", [None, types.ModuleType("pygame")], ids=["none", "the older one"])
def test_without_the_right_pygame_it_is_said_what_is_missing(monkeypatch, there):
    monkeypatch.setitem(sys.modules, "pygame", there)
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back afterwards
    with pytest.raises(WindowError, match="windows need pygame-ce alone: 'posture doctor'"):
        Pane("Posture", "posture").open(640, 480)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_always_have_a_screen(platform):
    assert find_obstacle({}, platform) == ""
    assert find_obstacle({}, "linux") != ""
    assert find_obstacle({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux") == ""
