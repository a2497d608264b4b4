"""How long nothing has been touched: a real X server with a mouse that is moved, GNOME's monitor over D-Bus."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from desktop import require, running, wait_until, x_display
from surroundings import Answers, private_buses, service

from posture.desktop.bus import Bus
from posture.desktop.idle import Idle, x11_idle_s

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about X11 and D-Bus")

MUTTER = "org.gnome.Mutter.IdleMonitor"


@pytest.fixture
def display():
    with x_display() as name:
        yield name


def move(display, x_px):
    require("xdotool")
    env = {**os.environ, "DISPLAY": display}
    subprocess.run(["xdotool", "mousemove", str(x_px), "10"], env=env, check=True, timeout=20)


def test_idle_time_grows_until_the_mouse_is_moved(display):
    before_s = time.monotonic()
    move(display, 10)
    wait_until(lambda: x11_idle_s(display) > 0.3, "idle time to grow")
    assert x11_idle_s(display) <= time.monotonic() - before_s + 0.05
    long_s = x11_idle_s(display)
    move(display, 20)
    assert x11_idle_s(display) < long_s


def test_asking_often_costs_no_handles(display):
    n_files = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        assert x11_idle_s(display) is not None
    assert len(list(Path("/proc/self/fd").iterdir())) == n_files


@pytest.mark.parametrize("name", [":4321", "", "nonsense", ":", "[", "é:0", "x" * 5000])
def test_no_server_no_answer(name):
    assert x11_idle_s(name) is None


def test_a_server_that_goes_takes_nobody_along():
    command = ("Xvfb", "-displayfd", "1", "-screen", "0", "100x100x24", "-nolisten", "tcp")
    require("Xvfb")
    with running(*command, env=dict(os.environ)) as server:
        display = f":{server.line()}"
        assert x11_idle_s(display) is not None
        server.send_signal(signal.SIGSTOP)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(x11_idle_s(display)), daemon=True)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive(), "it waits for the server"
        server.kill()
        thread.join(10)
        assert answers == [None]
    assert x11_idle_s(display) is None


def test_a_server_that_does_not_know_idle_time():
    command = ("Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-extension", "MIT-SCREEN-SAVER")
    require("Xvfb")
    with running(*command, env=dict(os.environ)) as server:
        assert x11_idle_s(f":{server.line()}") is None


@pytest.mark.parametrize(
    ("variables", "is_told"),
    [
        ({}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"XDG_SESSION_TYPE": "wayland"}, False),
        ({"XDG_SESSION_TYPE": "x11"}, True),
    ],
)
def test_an_x_server_within_wayland_is_not_believed(display, monkeypatch, variables, is_told):
    with private_buses(monkeypatch):
        monkeypatch.setenv("DISPLAY", display)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        bus = Bus("SESSION")
        assert (Idle(bus).read() is not None) is is_told
        bus.close()


def test_gnome_knows_also_under_wayland(monkeypatch):
    with private_buses(monkeypatch) as (session, _):
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        answers = Answers({(MUTTER, "GetIdletime"): ("t", 61_500)})
        bus = Bus("SESSION")
        with service(session.address, MUTTER, answers):
            assert Idle(bus).read() == 61.5
            answers[MUTTER, "GetIdletime"] = ("s", "long")
            assert Idle(bus).read() is None
        assert Idle(bus).read() is None
        bus.close()
