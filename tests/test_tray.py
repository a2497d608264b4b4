"""The tray icon on a real screen, in a real tray, over the real channel.

Claimed: the icon shows the monitor's state in its colour and follows it; a click opens the menu, and what is chosen
there is done by the monitor; removing the icon, signals and crashes leave the monitor alone; a monitor that hangs or
is killed is shown as such and holds up nothing; where there can be no icon, one line says why.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from cli_helpers import fails, front_baseline, home_env, posture, running
from desktop import require, screenshot, session_bus, wait_until, x_display
from desktop import running as run_beside
from mjpeg_server import MjpegServer
from surroundings import Answers, service
from test_conductor import FAST, status
from test_tray_view import UPRIGHT

from posture.control import commands
from posture.control.channel import ControlServer
from posture.slouch import Reason, SlouchState
from posture.tray.view import COLOURS, Icon

pytest.importorskip("PySide6", reason="needs PySide6: python -m pip install PySide6-Essentials")
PANEL = (
    "--edge top --align right --widthtype request --height 26 --transparent false --alpha 0 --tint 0xf0f0f0"
)
STATES = {
    Icon.UPRIGHT: {},
    Icon.SLOUCHING: {"state": SlouchState.SLOUCHING, "slouched_s": 10.0},
    Icon.ALERT: {"state": SlouchState.SLOUCHING, "slouched_s": 70.0},
    Icon.AWAY: {"state": SlouchState.AWAY, "reason": Reason.NO_PERSON},
    Icon.UNKNOWN: {"state": SlouchState.UNKNOWN, "reason": Reason.TOO_DARK},
    Icon.RESTING: {"state": SlouchState.UNKNOWN, "reason": Reason.PAUSED},
    Icon.TROUBLE: {"age_s": 1000.0},
}


def bgr(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (5, 3, 1)])


@dataclass
class Screen:
    """A display with a panel, and what a person does and sees there."""

    display: str
    folder: Path

    def xdo(self, *command):
        done = subprocess.run(
            ["xdotool", *map(str, command)],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.split()

    def windows(self):
        """Return the program's windows that are shown: icon, menu, messages, in no order."""
        return self.xdo("search", "--onlyvisible", "--class", "posture")

    def place(self, window):
        """Return x, y, width, height on the screen; None when it has gone."""
        place = dict(line.split("=") for line in self.xdo("getwindowgeometry", "--shell", window))
        return [int(place[name]) for name in ("X", "Y", "WIDTH", "HEIGHT")] if place else None

    def icons(self):
        return [window for window in self.windows() if (place := self.place(window)) and place[2] <= 32]

    def menus(self):
        def kind(window):
            command = ["xprop", "-display", self.display, "-id", window, "_NET_WM_WINDOW_TYPE"]
            return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout

        return [window for window in self.windows() if "POPUP_MENU" in kind(window)]

    def picture(self, window):
        shot = screenshot(self.display, self.folder / "screen.png")
        x, y, w, h = self.place(window) or (0, 0, 1, 1)
        return shot[y : y + h, x : x + w]

    def shape(self, icon):
        """Where the icon on the screen has the colour of `icon`."""
        icons = self.icons()
        picture = self.picture(icons[0]) if icons else np.zeros((1, 1, 3))
        return np.abs(picture.astype(int) - bgr(COLOURS[icon])).max(axis=2) <= 2

    def wait_for(self, icon, unlike=None):
        """Return the shape of an icon of that colour, and of another shape than `unlike`."""

        def look():
            shape = self.shape(icon)
            return shape if shape.sum() >= 20 and not np.array_equal(shape, unlike) else None

        seen = []
        wait_until(lambda: (shape := look()) is not None and not seen.append(shape), f"the icon {icon}")
        return seen[0]

    def open_menu(self, button=3):
        self.xdo("mousemove", "--window", self.icons()[0], 8, 8, "click", button)
        return wait_until(self.menus, "the menu")[0]

    def choose(self, n, button=3):
        """Click the `n`-th entry that can be chosen, counted from 0 or from the end."""
        menu = self.open_menu(button)

        def rows():
            """Where there is dark text; what cannot be chosen is grey."""
            is_dark = (self.picture(menu)[:, 25:].max(axis=2) < 90).any(axis=1)
            edges = np.flatnonzero(np.diff(is_dark.astype(int), prepend=0, append=0))
            return (edges[::2] + edges[1::2]) // 2

        y = wait_until(lambda: list(rows()), "the menu's words")[n]
        self.xdo("mousemove", "--window", menu, 12, y)
        wait_until(lambda: self.picture(menu)[y, 12].min() < 230, "the entry under the pointer")
        self.xdo("click", 1)
        wait_until(lambda: not self.menus(), "the menu closed")


class Scripted:
    """A monitor that stands as the test says, and remembers what it was told."""

    def __init__(self):
        self.changes, self.told = {}, []

    def obey(self, command):
        if isinstance(command, commands.Status):
            now = msgspec.structs.replace(UPRIGHT, **self.changes)
            return commands.Reply(is_ok=True, text="", status=msgspec.Raw(msgspec.json.encode(now)))
        self.told.append(command)
        return commands.Reply(is_ok=True, text="as you wish")


@contextlib.contextmanager
def panel(display):
    with run_beside(require("trayer"), *PANEL.split(), env={**os.environ, "DISPLAY": display}) as process:
        yield process


@pytest.fixture
def screen(tmp_path):
    for command in ("xdotool", "import", "xprop"):
        require(command)
    with x_display() as display, panel(display):
        yield Screen(display, tmp_path)


@pytest.fixture
def env(tmp_path, screen):
    return home_env(tmp_path / "home", DISPLAY=screen.display)


@pytest.fixture
def state_folder(tmp_path):
    return tmp_path / "home/.local/state/posture"


@pytest.fixture
def monitor(state_folder):
    monitor = Scripted()
    server = ControlServer(state_folder, lambda command: monitor.obey(command))
    yield monitor
    server.close()


def test_the_icon_shows_the_state_and_its_menu_tells_the_monitor(screen, env, monitor):
    with running("tray", "--wait", "10", env=env) as tray:
        shapes = [None]
        for icon, changes in STATES.items():
            monitor.changes = changes
            shapes.append(screen.wait_for(icon, unlike=shapes[-1]))
        for one, other in itertools.combinations(shapes[1:], 2):
            assert (one != other).sum() >= 10, "told apart without colour"
        monitor.changes = {}
        screen.wait_for(Icon.UPRIGHT)
        screen.choose(0)
        wait_until(lambda: monitor.told == [commands.Pause(1800.0)], "the monitor told to pause")
        screen.choose(2, button=1)  # a plain click does too
        wait_until(lambda: monitor.told[1:] == [commands.Snooze(900.0)], "the monitor told to be silent")
        assert "already there" in fails("tray", env=env)
        screen.choose(-1)
        assert tray.finish(20) == 0
    assert monitor.told[2:] == [], "removing the icon tells the monitor nothing"


def test_a_monitor_that_takes_long_holds_up_nothing(screen, env, monitor):
    answered, obey = threading.Event(), monitor.obey

    def obey_late(command):
        if not isinstance(command, commands.Status):
            monitor.told.append(command)
            answered.wait(30)
        return obey(command)

    monitor.obey = obey_late
    with running("tray", "--wait", "10", env=env) as tray:
        screen.wait_for(Icon.UPRIGHT)
        screen.choose(0)
        tray.wait_for(lambda: monitor.told)
        screen.choose(-1)  # the icon can be removed meanwhile
        assert tray.finish(5) == 0
        answered.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_removes_it(screen, env, monitor, number):
    with running("tray", "--wait", "10", env=env) as tray:
        screen.wait_for(Icon.UPRIGHT)
        tray.stop(number, within_s=2.0)
    assert monitor.told == []


def test_it_comes_back_with_the_panel(tmp_path, monitor):
    require("xdotool")
    with x_display() as display:
        screen = Screen(display, tmp_path)
        with running("tray", "--wait", "60", env=home_env(tmp_path / "home", DISPLAY=display)) as tray:
            for _ in range(2):  # at login the panel may come later; it may be restarted
                with panel(display):
                    screen.wait_for(Icon.UPRIGHT)
                wait_until(lambda: not screen.icons(), "no icon without a panel")
            tray.stop(signal.SIGTERM)


def test_a_real_monitor_is_followed_paused_and_survives_the_icon(screen, env, actor):
    with (
        MjpegServer(rate_hz=16) as camera,
        running("run", "--source", camera.url, "--baseline", front_baseline(), *FAST, env=env) as monitor,
    ):
        monitor.wait_for("Watching")
        with running("tray", "--wait", "10", env=env) as tray:
            screen.wait_for(Icon.UPRIGHT)
            actor.now = actor.slouched
            screen.wait_for(Icon.SLOUCHING)
            screen.choose(0)
            monitor.wait_for(lambda: status(env)["reason"] == "paused")
            assert 1700 < status(env)["paused_for_s"] <= 1800
            screen.wait_for(Icon.RESTING)
            screen.choose(0)  # now it is "Resume"
            monitor.wait_for(lambda: status(env)["state"] == "slouching")
            screen.wait_for(Icon.SLOUCHING)
            monitor.popen.send_signal(signal.SIGSTOP)
            screen.wait_for(Icon.TROUBLE)
            screen.open_menu()
            screen.xdo("mousemove", 100, 200, "click", 1)  # beside it
            wait_until(lambda: not screen.menus(), "the menu closed")
            monitor.popen.send_signal(signal.SIGCONT)
            screen.wait_for(Icon.SLOUCHING)
            tray.popen.kill()
            tray.popen.wait(10)
        assert status(env)["state"] == "slouching", "the monitor knows nothing of the icon"
        with running("tray", "--wait", "10", env=env) as tray:
            screen.wait_for(Icon.SLOUCHING)
            monitor.popen.kill()
            screen.wait_for(Icon.OFF)
            tray.stop(signal.SIGTERM)


def test_a_monitor_started_from_the_menu_outlives_the_icon_and_one_that_fails_says_why(
    screen, env, tmp_path, actor
):
    config = tmp_path / "home/.config/posture/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[camera]\nsource = 'nowhere.mp4'\n", encoding="utf-8")
    with running("-v", "tray", "--wait", "10", env=env) as tray:
        screen.wait_for(Icon.OFF)
        screen.choose(0)
        tray.wait_for("The monitor ended: nowhere.mp4: no such")
        with MjpegServer(rate_hz=16) as camera:
            profiles = tmp_path / "home/.local/share/posture/profiles"
            profiles.mkdir(parents=True)
            (profiles / "default.json").write_bytes(front_baseline().read_bytes())
            config.write_text(
                f"[camera]\nsource = '{camera.url}'\n[notify]\nenabled = false\n", encoding="utf-8"
            )
            screen.choose(0)
            screen.wait_for(Icon.UPRIGHT)
            screen.choose(-1)
            tray.popen.wait(20)
            assert status(env)["state"] == "upright"
            posture("stop", env=env)
    assert "Traceback" not in tray.text


# -- a tray of the other kind ------------------------------------------------------------------------

WATCHER = "org.kde.StatusNotifierWatcher"


def item_of(bus, pid):
    """The program's connection to a bus that has its item: Qt registers it by its number."""
    bus_name = "org.freedesktop.DBus"

    def ask(member, *arguments):
        signature = "s" * len(arguments)
        return bus.call(bus_name, "/org/freedesktop/DBus", bus_name, member, signature, *arguments)[0]

    for name in ask("ListNames"):
        with contextlib.suppress(AssertionError):  # it has gone, or has none
            if name.startswith(":") and ask("GetConnectionUnixProcessID", name) == pid:
                bus.call(
                    name,
                    "/StatusNotifierItem",
                    "org.freedesktop.DBus.Properties",
                    "GetAll",
                    "s",
                    "org.kde.StatusNotifierItem",
                )
                return name
    raise AssertionError("no item on the bus")


def test_a_status_notifier_tray_is_given_icon_words_and_menu(tmp_path, monitor):
    """The tray of KDE, Xfce, GNOME's extension: its protocol over a real bus; no window is needed for it."""
    answers = Answers(
        {
            (WATCHER, "IsStatusNotifierHostRegistered"): ("b", True),
            (WATCHER, "ProtocolVersion"): ("i", 0),
            (WATCHER, "RegisterStatusNotifierItem"): ("",),
        }
    )
    with x_display() as display, session_bus() as bus, service(bus.address, WATCHER, answers) as asked:
        env = home_env(tmp_path / "home", DISPLAY=display, DBUS_SESSION_BUS_ADDRESS=bus.address)
        with running("tray", env=env) as tray:
            tray.wait_for(lambda: (WATCHER, "RegisterStatusNotifierItem") in asked)
            item = item_of(bus, tray.popen.pid)

            def get(name):
                kind = "org.kde.StatusNotifierItem"
                path = "/StatusNotifierItem"
                return bus.call(item, path, "org.freedesktop.DBus.Properties", "Get", "ss", kind, name)[
                    0
                ].value

            monitor.changes = STATES[Icon.SLOUCHING]
            tray.wait_for(lambda: "slouching for 10 s" in str(get("ToolTip")))
            pixels = [np.frombuffer(data, np.uint8).reshape(h, w, 4) for w, h, data in get("IconPixmap")]
            for picture in pixels:  # ARGB
                assert (
                    np.abs(picture[:, :, :0:-1].astype(int) - bgr(COLOURS[Icon.SLOUCHING])).max(axis=2) <= 2
                ).any()
            layout = bus.call(item, get("Menu"), "com.canonical.dbusmenu", "GetLayout", "iias", 0, -1, [])[1]
            labels = {
                entry.value[1]["label"].value: entry.value[0]
                for entry in layout[2]
                if "label" in entry.value[1]
                and ("visible" not in entry.value[1] or entry.value[1]["visible"].value)
            }
            assert "Slouching for 10 s" in labels, layout
            assert "Start the monitor" not in labels
            from dbus_fast import Variant

            event = (labels["Pause until resumed"], "clicked", Variant("s", ""), 0)
            bus.call(item, get("Menu"), "com.canonical.dbusmenu", "Event", "isvu", *event)
            tray.wait_for(lambda: monitor.told == [commands.Pause()])
            tray.stop(signal.SIGTERM)


# -- where there can be no icon ----------------------------------------------------------------------


def test_without_a_display_it_says_so(tmp_path):
    env = home_env(tmp_path / "home")
    assert "no display" in fails("tray", env=env)
    assert "cannot use the display :999" in fails("tray", env={**env, "DISPLAY": ":999"})


def test_without_a_tray_it_says_so(tmp_path):
    with x_display() as display:
        env = home_env(tmp_path / "home", DISPLAY=display)
        assert "has no tray" in fails("tray", env=env)
        with running("-v", "tray", "--wait", "600", env=env) as tray:  # Ctrl-C while it waits
            tray.wait_for("Qt exits with")
            tray.stop(signal.SIGINT)


def test_without_pyside_it_says_what_to_install(tmp_path):
    script = (
        "import sys\nsys.modules['PySide6'] = None\n"
        "import importlib.util\nimportlib.util.find_spec = lambda name: None\n"
        "sys.argv = ['posture', 'tray']\nfrom posture.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=home_env(tmp_path / "home", DISPLAY=":0"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "pip install PySide6-Essentials" in done.stderr
