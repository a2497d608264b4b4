"""A small private desktop for tests: session bus, notification services, X server, screenshots.

Everything is a context manager that ends what it started, and everything waits on a condition.
"""

import asyncio
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import pytest
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

SERVICE = "org.freedesktop.Notifications"
DAEMON = Path(__file__).with_name("notification_daemon.py")

# The Debian and Ubuntu package of each command.
PACKAGES = {
    "/usr/libexec/dconf-service": "dconf-service dconf-gsettings-backend gsettings-desktop-schemas",
    "Xvfb": "xvfb",
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "dbus-daemon": "dbus",
    "dbus-launch": "dbus-x11",
    "dunst": "dunst",
    "gsettings": "libglib2.0-bin",
    "import": "imagemagick",
    "mate-screensaver": "mate-screensaver",
    "notify-send": "libnotify-bin",
    "openbox": "openbox",
    "script": "bsdutils",
    "setpriv": "util-linux",
    "strace": "strace",
    "tmux": "tmux",
    "trayer": "trayer",
    "nsenter": "util-linux",
    "systemd-run": "systemd",
    "systemd-analyze": "systemd",
    "gio": "libglib2.0-bin",
    "desktop-file-validate": "desktop-file-utils",
    "unshare": "util-linux",
    "setxkbmap": "x11-xkb-utils",
    "wmctrl": "wmctrl",
    "xdotool": "xdotool",
    "xfce4-notifyd": "xfce4-notifyd",
    "xfconf-query": "xfconf",
    "xprop": "x11-utils",
}
# Debian keeps services that nobody starts by hand out of the path.
SERVICE_FOLDERS = ":".join(str(folder) for folder in Path("/usr/lib").glob("*/xfce4/notifyd"))

# No service directories: nothing but what a test starts answers on this bus.
BUS_CONFIG = """<busconfig>
  <type>session</type>
  <listen>unix:dir={directory}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

DUNST_CONFIG = """[global]
    font = DejaVu Sans 10
    width = 360
    markup = full
    format = "<b>%s</b>\\n%b"
    idle_threshold = 0
"""


def require(command: str) -> str:
    """Path of a command; without it skip the test, or fail it where everything is to be tested."""
    path = shutil.which(command) or shutil.which(command, path=SERVICE_FOLDERS)
    if path is None:
        reason = f"needs the command {command}: apt-get install {PACKAGES[command]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def wait_until(condition, what: str, timeout_s: float = 15.0):
    """First truthy value of `condition`, looked at every 10 ms; fails the test after `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline_s:
            pytest.fail(f"waited {timeout_s:g} s in vain: {what}")
        time.sleep(0.01)
    return value


class Process:
    """A child process whose standard output is read line by line in the background."""

    def __init__(self, *command: str, env: dict[str, str]):
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by kill)
        self.popen = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.popen.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self, timeout_s: float = 15.0) -> str:
        """Next line of output; fails the test if there is none in time."""
        try:
            return self._lines.get(timeout=timeout_s)
        except queue.Empty:
            self._errors.seek(0)
            status, errors = self.popen.poll(), self._errors.read().decode()
            pytest.fail(f"{self.popen.args} silent for {timeout_s:g} s (exit status {status}): {errors}")

    def n_unread(self) -> int:
        return self._lines.qsize()

    def send_signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(10)
        self._reader.join(10)
        self.popen.stdout.close()
        self._errors.close()


@contextlib.contextmanager
def running(*command: str, env: dict[str, str]):
    process = Process(*command, env=env)
    try:
        yield process
    finally:
        process.kill()


class Bus:
    """A private session bus; `env` makes programs use it, and no screen."""

    def __init__(self, address: str, home: Path):
        self.address = address
        hidden = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
        self.env = {k: v for k, v in os.environ.items() if k not in hidden}
        self.env.update(DBUS_SESSION_BUS_ADDRESS=address, HOME=str(home))

    def call(self, destination: str, path: str, interface: str, member: str, signature="", *arguments):
        """Call a D-Bus method and return its results."""

        async def ask():
            bus = await MessageBus(bus_address=self.address).connect()
            try:
                return await asyncio.wait_for(
                    bus.call(
                        Message(
                            destination=destination,
                            path=path,
                            interface=interface,
                            member=member,
                            signature=signature,
                            body=list(arguments),
                        )
                    ),
                    10,
                )
            finally:
                bus.disconnect()
                await bus.wait_for_disconnect()

        reply = asyncio.run(ask())
        assert reply.message_type is MessageType.METHOD_RETURN, reply.body
        return reply.body

    def has_service(self) -> bool:
        bus_name = "org.freedesktop.DBus"
        return self.call(bus_name, "/org/freedesktop/DBus", bus_name, "NameHasOwner", "s", SERVICE)[0]

    @contextlib.contextmanager
    def scripted_service(self, behaviour: str = "accept"):
        """Run our own notification service; its lines are what it was asked to show."""
        with running(sys.executable, str(DAEMON), behaviour, env=self.env) as service:
            assert json.loads(service.line()) == {"ready": True}
            yield service

    @contextlib.contextmanager
    def dunst(self, display: str):
        """Run the real notification daemon dunst on an X display."""
        require("dunst")
        config = Path(self.env["HOME"]) / "dunstrc"
        config.write_text(DUNST_CONFIG, encoding="utf-8")
        with running("dunst", "-conf", str(config), env={**self.env, "DISPLAY": display}) as service:
            wait_until(self.has_service, "dunst on the bus")
            yield service

    @contextlib.contextmanager
    def xfce4_notifyd(self, display: str):
        """Run the notification daemon of Xfce, which shows buttons, on an X display."""
        path = require("xfce4-notifyd")
        with running(path, env={**self.env, "DISPLAY": display, "GTK_A11Y": "none"}) as service:
            wait_until(self.has_service, "xfce4-notifyd on the bus")
            yield service

    def dunst_history(self) -> list[dict]:
        """What dunst has shown, newest first, after closing what is on the screen."""
        for member in ("NotificationCloseAll", "Ping"):
            self.call(SERVICE, "/org/freedesktop/Notifications", "org.dunstproject.cmd0", member)
        body = self.call(
            SERVICE, "/org/freedesktop/Notifications", "org.dunstproject.cmd0", "NotificationListHistory"
        )
        return [{name: variant.value for name, variant in shown.items()} for shown in body[0]]


@contextlib.contextmanager
def session_bus():
    """Run a private D-Bus session bus without any service."""
    require("dbus-daemon")
    # Not pytest's tmp_path: a socket's path must stay under 108 bytes.
    with tempfile.TemporaryDirectory(prefix="posture-") as directory:
        config = Path(directory) / "bus.conf"
        config.write_text(BUS_CONFIG.format(directory=directory), encoding="utf-8")
        command = ("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1")
        with running(*command, env=dict(os.environ)) as daemon:
            yield Bus(daemon.line(), Path(directory))


@contextlib.contextmanager
def x_display(size: str = "800x400", depth: int = 24):
    """Run an X server without a screen and yield its name, such as `:99`."""
    require("Xvfb")
    screen = f"{size}x{depth}"
    command = ("Xvfb", "-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset")
    with running(*command, env=dict(os.environ)) as server:
        yield f":{server.line()}"


def click(display: str, x_ratio: float, y_ratio: float):
    """Click into the largest window on an X display, at these shares of its width and height."""
    xdotool = require("xdotool")
    env = {**os.environ, "DISPLAY": display}

    def largest_window():
        search = [xdotool, "search", "--onlyvisible", "--name", ".*"]
        numbers = subprocess.run(search, env=env, capture_output=True, text=True, timeout=30, check=False)
        sizes = []
        for number in numbers.stdout.split():
            ask = [xdotool, "getwindowgeometry", "--shell", number]
            told = subprocess.run(
                ask, env=env, capture_output=True, text=True, timeout=30, check=False
            ).stdout
            sizes.append({key: int(value) for key, value in (line.split("=") for line in told.split())})
        popups = [size for size in sizes if size and size["WIDTH"] < 800]  # the root window is wider
        return max(popups, key=lambda size: size["WIDTH"] * size["HEIGHT"], default=None)

    size = wait_until(largest_window, "a window")
    x, y = size["X"] + x_ratio * size["WIDTH"], size["Y"] + y_ratio * size["HEIGHT"]
    move = [xdotool, "mousemove", "--sync", str(round(x)), str(round(y)), "click", "1"]
    subprocess.run(move, env=env, timeout=30, check=True)


def screenshot(display: str, path: Path):
    """Photograph a whole X screen to a PNG file; return its (H, W, 3) uint8 pixels."""
    require("import")
    subprocess.run(["import", "-display", display, "-window", "root", str(path)], check=True, timeout=30)
    return cv2.imread(str(path))
