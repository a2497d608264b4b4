"""Whether the screen is locked: a real screen saver, logind as dbusmock plays it, buses that hang or go."""

import os
import signal
import subprocess
import sys
import time

import pytest
from dbus_fast import Variant
from desktop import require, running, session_bus, wait_until, x_display
from surroundings import NEVER, Answers, mocked, private_buses, service

from posture.desktop import bus as bus_module
from posture.desktop.bus import Bus
from posture.desktop.lock import SCREEN_SAVERS, Lock

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about D-Bus")

LOGIN = "org.freedesktop.login1"
MOCK = "org.freedesktop.DBus.Mock"
SESSION_PATH = "/org/freedesktop/login1/session/c7"
AUTO = "org.freedesktop.DBus.Properties"


@pytest.fixture
def buses(monkeypatch):
    with private_buses(monkeypatch) as (session, system):
        yield session, system


@pytest.fixture
def lock():
    session, system = Bus("SESSION"), Bus("SYSTEM")
    yield Lock(session, system)
    session.close()
    system.close()


def test_nobody_knows_without_services(buses, lock):
    assert lock.read() is None


@pytest.mark.parametrize(
    "address", ["", "nonsense", "tcp:host=localhost,port=1", "unix:path=/nonexistent/bus", "unix:path="]
)
def test_nobody_knows_without_a_bus(monkeypatch, lock, address):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert lock.read() is None
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    assert Lock(Bus("SESSION"), Bus("SYSTEM")).read() is None


@pytest.mark.parametrize(("name", "path"), SCREEN_SAVERS)
def test_every_screen_saver_is_understood(buses, lock, name, path):
    answers = Answers({(name, "GetActive"): ("b", False)})
    with service(buses[0].address, name, answers) as asked:
        assert lock.read() is False
        answers[name, "GetActive"] = ("b", True)
        assert lock.read() is True
        answers[name, "GetActive"] = ("i", 1)
        assert lock.read() is None
        del answers[name, "GetActive"]
        assert lock.read() is None
    assert len(asked) == 4


@pytest.mark.parametrize("order", [1, -1])
def test_one_that_says_locked_is_believed(buses, lock, order):
    first, second = SCREEN_SAVERS[:2][::order]
    says = [
        Answers({(name, "GetActive"): ("b", value)}) for (name, _), value in ((first, False), (second, True))
    ]
    with service(buses[0].address, first[0], says[0]), service(buses[0].address, second[0], says[1]):
        assert lock.read() is True


def test_gnome_as_dbusmock_plays_it(buses, lock):
    name, path = "org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"
    with mocked(buses[0], "gnome_screensaver", name):
        assert lock.read() is False
        buses[0].call(name, path, name, "SetActive", "b", True)
        assert lock.read() is True
        buses[0].call(name, path, name, "SetActive", "b", False)
        assert lock.read() is False


@pytest.mark.parametrize("is_named", [True, False])
def test_logind(buses, lock, monkeypatch, is_named):
    system = buses[1]
    own = "c7" if is_named else "auto"
    if is_named:
        monkeypatch.setenv("XDG_SESSION_ID", "c7")
    with mocked(system, "logind", LOGIN, is_system=True):
        assert lock.read() is None  # no session of that name
        path = "/org/freedesktop/login1"
        system.call(LOGIN, path, MOCK, "AddSession", "ssusb", own, "seat0", 1000, "me", True)
        session = f"{path}/session/{own}"
        assert lock.read() is False
        system.call(LOGIN, session, f"{LOGIN}.Session", "SetLockedHint", "b", True)
        assert lock.read() is True
        system.call(LOGIN, session, f"{LOGIN}.Session", "SetLockedHint", "b", False)
        assert lock.read() is False


@pytest.mark.parametrize(
    ("kind", "is_locked"), [("x11", True), ("wayland", True), ("tty", False), ("", False)]
)
def test_a_graphical_session_in_the_background_is_no_place_to_work_at(buses, lock, kind, is_locked):
    known = {"LockedHint": Variant("b", False), "Active": Variant("b", False), "Type": Variant("s", kind)}
    with service(buses[1].address, LOGIN, Answers({(AUTO, "GetAll"): ("a{sv}", known)})):
        assert lock.read() is is_locked


def test_a_login_that_ends_is_looked_up_again(buses, lock, monkeypatch):
    monkeypatch.setenv("XDG_SESSION_ID", "c7")
    find, read = (f"{LOGIN}.Manager", "GetSession"), (AUTO, "GetAll")
    known = ("a{sv}", {"LockedHint": Variant("b", False)})
    answers = Answers({find: ("o", SESSION_PATH), read: known})
    with service(buses[1].address, LOGIN, answers) as asked:
        assert [lock.read(), lock.read()] == [False, False]
        assert asked.count(find) == 1
        del answers[read]
        assert lock.read() is None
        answers[read] = known
        assert lock.read() is False
        assert asked.count(find) == 2


def test_asking_starts_no_service(buses, lock):
    """A bus that could start a screen saver must not do so because we ask."""
    session = buses[0]
    with service(session.address, "org.mate.ScreenSaver", Answers()) as asked:
        lock.read()
        assert asked == [("org.mate.ScreenSaver", "GetActive")]
    from jeepney import MessageFlag

    sent = []
    bus = Bus("SESSION")
    assert bus.names()
    connection = bus._connection
    send, connection.send_message = (
        connection.send_message,
        lambda message, serial: (
            sent.append(message),
            send(message, serial=serial),
        ),
    )
    bus.call("org.example.Nobody", "/", "org.example.Nobody", "Hello")
    assert [bool(message.header.flags & MessageFlag.no_auto_start) for message in sent] == [True]
    bus.close()


def test_a_service_that_hangs_is_left_alone_and_the_others_are_asked(buses, lock):
    hung, fine = SCREEN_SAVERS[0][0], SCREEN_SAVERS[2][0]
    answers = Answers({(hung, "GetActive"): NEVER})
    with (
        service(buses[0].address, hung, answers) as asked,
        service(buses[0].address, fine, Answers({(fine, "GetActive"): ("b", True)})),
    ):
        begin_s = time.monotonic()
        assert [lock.read() for _ in range(5)] == [True] * 5
        assert time.monotonic() - begin_s < 3 * bus_module.CALL_S
    assert asked.count((hung, "GetActive")) == 1


def test_a_bus_that_hangs_is_left_alone_and_found_again(buses, lock, monkeypatch):
    monkeypatch.setattr(bus_module, "MUTE_MIN_S", 0.2)
    with running(*_bus_command(), env=dict(os.environ)) as daemon:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.line())
        bus = Bus("SESSION")
        assert bus.names()
        daemon.send_signal(signal.SIGSTOP)
        begin_s = time.monotonic()
        assert not bus.names()
        assert time.monotonic() - begin_s < 3 * bus_module.CALL_S
        begin_s = time.monotonic()
        assert not bus.names()  # not even asked
        assert time.monotonic() - begin_s < bus_module.CALL_S / 2
        begin_s = time.monotonic()
        other = Bus("SESSION")
        assert not other.names()  # not even a connection
        assert time.monotonic() - begin_s < 3 * bus_module.CALL_S
        daemon.send_signal(signal.SIGCONT)
        wait_until(bus.names, "the bus to be found again")
        bus.close()


def _bus_command():
    require("dbus-daemon")
    return ("dbus-daemon", "--session", "--nofork", "--print-address=1")


def test_a_bus_that_goes_and_one_that_comes_in_its_place(monkeypatch):
    monkeypatch.setattr(bus_module, "MUTE_MIN_S", 0.05)
    name = SCREEN_SAVERS[0][0]
    bus = Bus("SESSION")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    lock = Lock(bus, Bus("SYSTEM"))
    for value in (True, False):
        with session_bus() as session:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
            with service(session.address, name, Answers({(name, "GetActive"): ("b", value)})):
                wait_until(lambda value=value: lock.read() is value, "the new bus's answer")
        assert lock.read() is None
    bus.close()


def test_garbage_instead_of_a_bus(monkeypatch, tmp_path, lock):
    import socket
    import tempfile

    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/bus")
        server.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={folder}/bus")
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={folder}/none")
        import threading

        def babble():
            peer, _ = server.accept()
            peer.sendall(b"OK " + b"\xff" * 5000 + b"\r\n" * 10 + bytes(range(256)))
            peer.close()

        thread = threading.Thread(target=babble)
        thread.start()
        assert lock.read() is None
        thread.join()


def test_a_real_screen_saver(buses, lock):
    """mate-screensaver, activated and deactivated the way a person's desktop does it."""
    require("mate-screensaver")
    session = buses[0]
    name = "org.mate.ScreenSaver"
    with x_display() as display:
        env = {**session.env, "DISPLAY": display, "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1"}
        command = ["mate-screensaver-command"]
        with running("mate-screensaver", "--no-daemon", env=env):
            bus = Bus("SESSION")
            wait_until(lambda: name in bus.names(), "mate-screensaver on the bus")
            bus.close()
            assert lock.read() is False
            subprocess.run([*command, "--activate"], env=env, check=True, timeout=20, capture_output=True)
            wait_until(lambda: lock.read() is True, "the screen saver to be seen")
            subprocess.run([*command, "--deactivate"], env=env, check=True, timeout=20, capture_output=True)
            wait_until(lambda: lock.read() is False, "its end to be seen")
        assert lock.read() is None
