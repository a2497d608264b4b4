"""The watcher: what is known is there at once, whatever the desktop does; nothing is believed for ever.

Claimed: `latest` never waits, also while a probe hangs; what hangs, fails or goes becomes unknown, and known again when
it is back; a failing probe is asked ever less often; what is switched off is not asked; the end takes no longer than
half a second, for the watcher and for the program.
"""

import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest
from desktop import session_bus, wait_until
from surroundings import NEVER, Answers, private_buses, service

from posture.desktop import bus as bus_module
from posture.desktop import lock as lock_module
from posture.desktop import watcher as watcher_module
from posture.desktop.call import CallReading
from posture.desktop.circumstances import Circumstances
from posture.desktop.watcher import DesktopWatcher, Probe
from posture.settings import AlertSettings, PauseSettings, Settings

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about D-Bus")

SAVER = "org.gnome.ScreenSaver"
MUTTER = "org.gnome.Mutter.IdleMonitor"
NOTIFICATIONS = "org.freedesktop.Notifications"


@pytest.fixture
def quick(monkeypatch):
    """Intervals of a test's length."""
    for name in ("LOCK_S", "IDLE_S", "BATTERY_S", "CALL_S", "QUIET_S", "MAX_INTERVAL_S"):
        monkeypatch.setattr(watcher_module, name, 0.02)
    monkeypatch.setattr(watcher_module, "KEEP_S", 0.2)


def with_probes(*probes: Probe) -> DesktopWatcher:
    """Make a watcher of these probes instead of the desktop's; the first tells the lock, the second idle time."""
    watcher = DesktopWatcher(Settings())
    watcher._probes = list(probes)
    for name, probe in zip(("_lock", "_idle"), probes, strict=False):
        setattr(watcher, name, probe)
    return watcher


@linux_only
def test_everything_a_desktop_says(monkeypatch, quick):
    answers = Answers(
        {
            (SAVER, "GetActive"): ("b", False),
            (MUTTER, "GetIdletime"): ("t", 1500),
            (NOTIFICATIONS, "Inhibited"): ("b", False),
        }
    )
    with private_buses(monkeypatch) as (session, _):
        address = session.address
        with (
            service(address, SAVER, answers),
            service(address, MUTTER, answers),
            service(address, NOTIFICATIONS, answers),
            DesktopWatcher(Settings()) as watcher,
        ):
            watcher._call.read = lambda: CallReading(False)  # not what this machine's own programs do
            wait_until(lambda: watcher.latest().is_do_not_disturb is False, "everything to be read")
            assert watcher.latest().idle_s == 1.5
            assert watcher.latest().is_locked is False
            answers[SAVER, "GetActive"] = ("b", True)
            answers[NOTIFICATIONS, "Inhibited"] = ("b", True)
            wait_until(lambda: watcher.latest().is_locked, "the lock")
            wait_until(lambda: watcher.latest().is_do_not_disturb, "do not disturb")
            answers[NOTIFICATIONS, "Inhibited"] = ("b", False)
            wait_until(lambda: watcher.latest().is_do_not_disturb is False, "do not disturb to end")
            del answers[SAVER, "GetActive"]
            wait_until(lambda: watcher.latest().is_locked is None, "the lock to be forgotten")


@linux_only
def test_a_bus_killed_while_watching(monkeypatch, quick):
    monkeypatch.setattr(bus_module, "MUTE_MIN_S", 0.05)
    monkeypatch.setattr(bus_module, "MUTE_MAX_S", 0.1)
    monkeypatch.setattr(lock_module, "LOOK_AROUND_S", 0.05)
    answers = Answers({(SAVER, "GetActive"): ("b", True)})
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    with DesktopWatcher(Settings()) as watcher:
        for _ in range(3):
            with session_bus() as session:
                monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
                with service(session.address, SAVER, answers):
                    wait_until(lambda: watcher.latest().is_locked, "the lock")
            wait_until(lambda: watcher.latest().is_locked is None, "nothing to be known")


def test_idle_time_is_looked_at_only_while_it_is_wanted(monkeypatch):
    monkeypatch.setattr(watcher_module, "IDLE_S", 0.01)
    looked = {"lock": 0, "idle": 0}

    def look(name):
        looked[name] += 1
        return 1.0

    watcher = with_probes(
        *(Probe(name, lambda name=name: look(name), 0.01) for name in looked)  # the first tells the lock
    )
    watcher.latest(is_idle_wanted=False)
    with watcher:
        wait_until(lambda: looked["lock"] > 5, "looks at the lock")
        assert looked["idle"] == 0
        assert watcher.latest().idle_s is None  # and from now on it is wanted
        wait_until(lambda: watcher.latest().idle_s == 1.0, "idle time")


def test_a_probe_that_hangs_holds_up_nobody(monkeypatch):
    is_asked, may_answer = threading.Event(), threading.Event()
    monkeypatch.setattr(watcher_module, "KEEP_S", 0.05)

    def hang():
        is_asked.set()
        may_answer.wait(30)
        return True

    idle = Probe("idle", lambda: 7.0, 0.01)
    watcher = with_probes(Probe("lock", hang, 0.01), idle)
    idle.due_s = float("-inf")
    watcher._probes.reverse()  # idle time is read once before the other hangs
    try:
        with watcher:
            assert is_asked.wait(15)
            begin_s = time.monotonic()
            wait_until(lambda: watcher.latest() == Circumstances(), "old readings to be forgotten")
            may_answer.set()
            wait_until(
                lambda: watcher.latest().is_locked and watcher.latest().idle_s == 7.0, "both to be back"
            )
            may_answer.clear()
            is_asked.clear()
            assert is_asked.wait(15)
            begin_s = time.monotonic()
        assert time.monotonic() - begin_s < watcher_module.CLOSE_S + 0.5
        assert watcher._thread.is_alive(), "it still hangs"
    finally:
        may_answer.set()
        watcher._thread.join(15)


@pytest.mark.parametrize("failure", [OSError("gone"), ValueError("strange"), KeyError("x"), None])
def test_what_fails_is_asked_ever_less_often_and_said_once(caplog, failure):
    times_s = []

    def fail():
        times_s.append(time.monotonic())
        if failure is not None:
            raise failure

    with caplog.at_level("DEBUG", logger="posture"), with_probes(Probe("lock", fail, 0.02)) as watcher:
        wait_until(lambda: len(times_s) >= 5, "five attempts")
        assert watcher.latest() == Circumstances()
    gaps_s = [after - before for before, after in pairwise(times_s)]
    for times, gap_s in enumerate(gaps_s, start=1):
        assert gap_s >= 0.02 * 2**times - 0.001
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "DEBUG"


def test_a_reading_that_comes_back_is_asked_as_often_as_before():
    answers = iter([None, None, True, True, True])
    probe = Probe("lock", lambda: next(answers, False), 0.01)
    with with_probes(probe) as watcher:
        wait_until(lambda: watcher.latest().is_locked is False, "the last answer")
    assert probe.delay_s == 0.0


def test_what_is_switched_off_is_not_asked():
    settings = Settings(
        pause=PauseSettings(when_locked=False, when_idle_s=0.0, in_call=False),
        alert=AlertSettings(respect_do_not_disturb=False, silent_in_call=False),
    )
    assert [probe.name for probe in DesktopWatcher(settings)._probes] == ["battery"]
    assert len(DesktopWatcher(Settings())._probes) == 5
    kept = Settings(pause=PauseSettings(in_call=False))
    assert "call" in [probe.name for probe in DesktopWatcher(kept)._probes]


def test_nothing_is_read_before_it_is_entered_or_after_it_is_closed():
    n_read = 0

    def read():
        nonlocal n_read
        n_read += 1
        return True

    watcher = with_probes(Probe("lock", read, 0.01))
    assert watcher.latest() == Circumstances()
    watcher.close()
    assert n_read == 0
    with with_probes(Probe("lock", read, 0.01)) as watcher:
        wait_until(lambda: n_read > 2, "some readings")
    n_at_end = n_read
    watcher._thread.join(15)
    assert n_read == n_at_end
    watcher.close()


SCRIPT = """
import sys
from posture.desktop.watcher import DesktopWatcher
from posture.settings import Settings
watcher = DesktopWatcher(Settings())
watcher.__enter__()
print("ready", flush=True)
sys.stdin.readline()
watcher.close()
print("closed", flush=True)
"""


@linux_only
@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_hung_desktop_does_not_hold_up_the_exit(monkeypatch, is_interrupted):
    answers = Answers({(SAVER, "GetActive"): NEVER})
    with private_buses(monkeypatch) as (session, _), service(session.address, SAVER, answers) as asked:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={**session.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: asked, "the question without an answer")
        begin_s = time.monotonic()
        if is_interrupted:
            process.send_signal(signal.SIGINT)
        out, error = process.communicate("\n", timeout=20)
        assert time.monotonic() - begin_s < 3.0
        if is_interrupted:
            assert error.rstrip().endswith("KeyboardInterrupt")
        else:
            assert (out, error, process.returncode) == ("closed\n", "", 0)
