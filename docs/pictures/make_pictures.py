"""Make the documentation's pictures: photographs of the real program on a virtual screen.

`python docs/pictures/make_pictures.py [desk panel preview notification report labeller]`; without a name all of them.
The person is the rendered one of the packaged demo clip, the report's days are made up. Needs the test extra and
Debian's xvfb openbox xterm x11-xserver-utils xdotool imagemagick dbus xfce4-notifyd adwaita-icon-theme
fonts-dejavu-core chromium chromium-driver.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from unittest import mock

from PIL import Image

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import synthetic_history  # noqa: E402
from browser import chromium  # noqa: E402
from desktop import running, screenshot, session_bus, wait_until, x_display  # noqa: E402

from posture.bundled import asset_path  # noqa: E402
from posture.history.store import History  # noqa: E402
from posture.labels.files import default_path, write_labels  # noqa: E402
from posture.labels.labels import Duty, Interval, Labels  # noqa: E402
from posture.report.page import PageRows, render_page  # noqa: E402
from posture.report.reading import read_report  # noqa: E402
from posture.report.words import day_name, to_day  # noqa: E402
from posture.settings import Settings  # noqa: E402
from posture.slouch import SlouchState  # noqa: E402

SLOUCH_S = 10
"""Seconds until the alert: the clip's slouch lasts 25 s."""
LAST_DAY = date(2026, 10, 30)
DAY_S = {SlouchState.UPRIGHT: 420.0, SlouchState.SLOUCHING: 30.0, SlouchState.AWAY: 400.0}
"""Mean seconds of the made-up week's bouts: some slouching an hour, a few alerts a day."""
LIMIT_S = 120.0
"""Seconds that anything may take to appear on a busy machine."""
BACKGROUND, INK = "#14171c", "#d7dce3"
WALL = "#3d4954"
OPENBOX = """<openbox_config xmlns="http://openbox.org/3.4/rc"><theme><name>Plain</name><titleLayout>L</titleLayout>
<font place="ActiveWindow"><name>DejaVu Sans</name><size>9</size></font>
<font place="InactiveWindow"><name>DejaVu Sans</name><size>9</size></font></theme>
<placement><policy>Smart</policy></placement></openbox_config>
"""
THEME = """border.width: 1
border.color: #20262c
window.handle.width: 0
padding.height: 4
window.client.padding.width: 0
window.label.text.justify: center
""" + "".join(
    f"window.{state}.title.bg: flat solid\nwindow.{state}.title.bg.color: #272e35\n"
    f"window.{state}.label.bg: parentrelative\nwindow.{state}.label.text.color: {INK}\n"
    for state in ("active", "inactive")
)


class Desk:
    """A virtual screen with a session bus, a window manager and a home of its own."""

    def __init__(self, stack: contextlib.ExitStack, size: str):
        self.home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posture-pictures-")))
        self.stack, self.bus = stack, stack.enter_context(session_bus())
        self.display = stack.enter_context(x_display(size))
        config = self.home / ".config"
        for path, text in (
            (config / "posture" / "config.toml", self._settings()),
            (config / "openbox" / "rc.xml", OPENBOX),
            (self.home / ".themes" / "Plain" / "openbox-3" / "themerc", THEME),
            (self.home / "bin" / "posture", f'#!/bin/sh\nexec {sys.executable} -m posture "$@"\n'),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (self.home / "bin" / "posture").chmod(0o755)
        self.env = {
            **self.bus.env,
            "HOME": str(self.home),
            "DISPLAY": self.display,
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_RUNTIME_DIR": str(self.home),
            "GTK_A11Y": "none",
            "LC_ALL": "C.UTF-8",
            "COLORTERM": "truecolor",
        }
        self.start("openbox", "--config-file", str(config / "openbox" / "rc.xml"))
        wait_until(lambda: self.ask("xdotool", "get_num_desktops"), "the window manager", LIMIT_S)
        self.run("xsetroot", "-solid", WALL)

    @staticmethod
    def _settings() -> str:
        clip = asset_path("demo.mp4")
        return (
            f'[camera]\nsource = "{clip}"\n[alert]\nsustain_s = {SLOUCH_S}\n[calibration]\ncountdown_s = 0\n'
        )

    def start(self, *command: str) -> None:
        self.stack.enter_context(running(*command, env=self.env))

    def run(self, *command: str) -> None:
        subprocess.run(command, env=self.env, check=True, capture_output=True, timeout=LIMIT_S)

    def ask(self, *command: str) -> str:
        return subprocess.run(command, env=self.env, check=False, capture_output=True, text=True).stdout

    def calibrate(self) -> None:
        self.run("posture", "calibrate", "--seconds", "8")

    def notifications(self) -> None:
        self.stack.enter_context(self.bus.xfce4_notifyd(self.display))

    def terminal(self, command: str, geometry: str, points: int = 10) -> None:
        """Open a dark terminal in which somebody has typed a command."""
        typed = f"printf '$ %s\\n' {shlex.quote(command)}; {command}; sleep 600"
        font = ("-fa", "DejaVu Sans Mono", "-fs", str(points))
        colours = (
            "-tn",
            "xterm-256color",
            "-bg",
            BACKGROUND,
            "-fg",
            INK,
            "-b",
            "10",
            "-bw",
            "0",
            "+sb",
            "-T",
            "Terminal",
        )
        self.start("xterm", *font, "-geometry", geometry, *colours, "-e", "sh", "-c", typed)

    def window(self, *search: str) -> str:
        """Identifier of a window, once it is there."""
        command = ("xdotool", "search", "--onlyvisible", *search)
        return wait_until(lambda: self.ask(*command).split(), f"the window {search}", LIMIT_S)[-1]

    def place(self, window: str, x: int, y: int) -> None:
        self.run("xdotool", "windowmove", "--sync", window, str(x), str(y))

    def photograph(self, name: str, window: str = "root", crop: tuple[int, ...] | None = None) -> None:
        raw = self.home / "raw.png"
        if window == "root":
            screenshot(self.display, raw)
        else:
            self.run("import", "-window", window, str(raw))
        picture = Image.open(raw).convert("RGB")
        save(name, picture.crop(crop) if crop else picture)


def save(name: str, picture: Image.Image, colours: int = 256) -> None:
    """Write a picture small: at most so many colours."""
    path = HERE / f"{name}.png"
    picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.name}  {picture.width}x{picture.height}  {path.stat().st_size / 1000:.0f} kB\n")


def settle(seconds: float = 1.0) -> None:
    """Let windows finish drawing what they already show."""
    time.sleep(seconds)


@contextlib.contextmanager
def desk(size: str):
    with contextlib.ExitStack() as stack:
        yield Desk(stack, size)


def make_desk() -> None:
    """The preview, the live panel and the notification beside each other, at the moment of an alert."""
    with desk("1220x600") as here:
        here.calibrate()
        here.notifications()
        here.terminal("posture run --preview", "60x20+600+150")
        preview = here.window("--class", "^posture-preview$")
        wait_until(lambda: "slouching" in here.ask("posture", "status"), "a slouch", LIMIT_S)
        here.place(preview, 14, 40)  # not before it has drawn: OpenCV's window stays empty then
        here.place(here.window("--name", "^Terminal$"), 690, 176)
        here.window("--class", "xfce4-notifyd")
        settle(1.5)
        here.photograph("desk")


def make_panel() -> None:
    """The live panel while a slouch grows."""
    with desk("800x420") as here:
        here.calibrate()
        here.terminal("posture run", "80x18+0+0")
        wait_until(lambda: "slouching" in here.ask("posture", "status"), "a slouch", LIMIT_S)
        settle(4.0)
        here.photograph("panel", here.window("--name", "^Terminal$"))


def make_preview() -> None:
    """The preview window while a slouch grows."""
    with desk("1000x800") as here:
        here.calibrate()
        here.terminal("posture run --preview", "20x4-0-0")
        window = here.window("--class", "^posture-preview$")
        wait_until(lambda: "slouching" in here.ask("posture", "status"), "a slouch", LIMIT_S)
        settle(4.0)
        here.photograph("preview", window)


def make_notification() -> None:
    """A notification with its buttons."""
    with desk("800x400") as here:
        here.calibrate()
        here.notifications()
        here.terminal("posture run", "20x4+0+900")
        popup = here.window("--class", "xfce4-notifyd")
        settle(1.5)
        here.photograph("notification", popup)


def make_report() -> None:
    """The report of a made-up week: its beginning, as wide as a page of documentation."""
    with tempfile.TemporaryDirectory(prefix="posture-pictures-") as folder, chromium() as browser:
        database, page = Path(folder) / "history.sqlite", Path(folder) / "report.html"
        with History(database, is_writable=True) as history:
            with mock.patch.dict(synthetic_history.LENGTHS_S, DAY_S):
                synthetic_history.make_year(history, days=70, last_day=LAST_DAY)
            last = to_day(LAST_DAY)
            report = read_report(history, last - 6, last, Settings().breaks.away_s)
        rows = PageRows(report.sessions, report.alerts, report.feedback)
        made = f"{day_name(last)} {LAST_DAY.year}, 17:30"
        page.write_text(render_page(report.figures, report.courses, rows, made=made), encoding="utf-8")
        browser.open(page, (1015, 1000))
        browser.screenshot(Path(folder) / "raw.png")
        save("report", Image.open(Path(folder) / "raw.png").convert("RGB").crop((0, 0, 1000, 1088)))


def make_labeller() -> None:
    """The labeller in the middle of a clip that has some labels."""
    with desk("900x800") as here:
        clip = here.home / "morning.mp4"
        clip.write_bytes(asset_path("demo.mp4").read_bytes())
        intervals = (
            Interval(0.0, 9.0, SlouchState.UPRIGHT),
            Interval(9.0, 34.0, SlouchState.SLOUCHING, Duty.MUST),
            Interval(34.0, 50.0, SlouchState.UPRIGHT, Duty.MUST_NOT),
        )
        write_labels(default_path(clip), Labels(clip.name, baseline_s=(0.0, 8.0), intervals=intervals))
        here.start("posture", "label", str(clip))
        window = here.window("--class", "^posture-labels$")
        here.run("xdotool", "windowactivate", "--sync", window)
        settle(3.0)
        for key in (*("Up",) * 5, "i", *("Right",) * 4):
            here.run("xdotool", "key", key)
            settle(0.5)
        here.photograph("labeller", window)


PICTURES: dict[str, Callable[[], None]] = {
    "desk": make_desk,
    "panel": make_panel,
    "preview": make_preview,
    "notification": make_notification,
    "report": make_report,
    "labeller": make_labeller,
}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or PICTURES:
        PICTURES[chosen]()
