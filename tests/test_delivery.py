"""Delivery off the loop: bounded, counted, reported once, and never in the way of the exit."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from desktop import require, session_bus, wait_until
from hypothesis import given
from hypothesis import strategies as st

from posture.delivery import NotificationQueue
from posture.errors import NotifyError
from posture.notify import Notification, PlyerNotifier

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a freedesktop session")


def numbered(number: int) -> Notification:
    return Notification(str(number), "")


class ScriptedNotifier:
    """Record titles; wait while `gate` is closed; fail with `error` while there is one."""

    name = "scripted"

    def __init__(self):
        self.started: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def send(self, notification: Notification) -> None:
        self.started.append(notification.title)
        assert self.gate.wait(60)
        if self.error is not None:
            raise self.error


@pytest.fixture
def notifier():
    notifier = ScriptedNotifier()
    yield notifier
    notifier.gate.set()


def test_delivers_in_order_on_another_thread(notifier):
    threads = []
    notifier.send = lambda notification: threads.append((notification.title, threading.current_thread()))
    deliveries = NotificationQueue(notifier)
    for number in range(3):
        deliveries.post(numbered(number))
    deliveries.close(10)
    assert [title for title, _ in threads] == ["0", "1", "2"]
    assert threading.main_thread() not in {thread for _, thread in threads}
    assert all(thread.daemon for _, thread in threads)
    assert (deliveries.sent, deliveries.failed, deliveries.dropped) == (3, 0, 0)
    assert deliveries.last_error is None


def test_posting_never_waits_and_drops_the_oldest(notifier):
    notifier.gate.clear()
    deliveries = NotificationQueue(notifier, length=3)
    deliveries.post(numbered(0))
    wait_until(lambda: notifier.started == ["0"], "the first delivery")
    started_s = time.perf_counter()
    for number in range(1, 1001):
        deliveries.post(numbered(number))
    assert time.perf_counter() - started_s < 1.0  # 1 ms each
    assert deliveries.dropped == 997
    notifier.gate.set()
    deliveries.close(10)
    assert notifier.started == ["0", "998", "999", "1000"]
    assert deliveries.sent == 4


def test_failure_is_reported_once_until_it_works_again(notifier):
    reports = []
    deliveries = NotificationQueue(notifier, on_first_failure=reports.append)

    def deliver(error):
        notifier.error = error
        tried = deliveries.sent + deliveries.failed
        deliveries.post(numbered(0))
        wait_until(lambda: deliveries.sent + deliveries.failed == tried + 1, "a delivery")

    for error in (None, NotifyError("no bus"), NotifyError("no service"), None, NotifyError("hung"), None):
        deliver(error)
    deliveries.close(10)
    assert reports == ["no bus", "hung"]
    assert (deliveries.sent, deliveries.failed) == (3, 3)
    assert deliveries.last_error == "hung"


def test_unexpected_errors_do_not_end_the_thread(notifier, caplog):
    def listen(text):
        raise OSError("the listener's own trouble")

    deliveries = NotificationQueue(notifier, on_first_failure=listen)
    notifier.error = ZeroDivisionError("a bug")
    deliveries.post(numbered(0))
    wait_until(lambda: deliveries.failed == 1, "a failure")
    notifier.error = None
    deliveries.post(numbered(1))
    deliveries.close(10)
    assert deliveries.last_error == "ZeroDivisionError: a bug"
    assert deliveries.sent == 1
    assert "listener" in caplog.text


def test_tells_since_when_a_delivery_hangs(notifier):
    notifier.gate.clear()
    deliveries = NotificationQueue(notifier)
    assert deliveries.is_busy_since_s is None
    before_s = time.monotonic()
    deliveries.post(numbered(0))
    wait_until(lambda: notifier.started, "the delivery")
    assert before_s <= deliveries.is_busy_since_s <= time.monotonic()
    notifier.gate.set()
    deliveries.close(10)
    assert deliveries.is_busy_since_s is None


def test_close_is_bounded_and_final(notifier):
    notifier.gate.clear()
    deliveries = NotificationQueue(notifier)
    for number in range(3):
        deliveries.post(numbered(number))
    wait_until(lambda: notifier.started, "the delivery")
    started_s = time.perf_counter()
    deliveries.close(0.1)
    assert 0.1 <= time.perf_counter() - started_s < 0.5
    assert deliveries.dropped == 2
    deliveries.post(numbered(9))
    assert deliveries.dropped == 3
    deliveries.close(-1)
    notifier.gate.set()
    deliveries.close(10)
    assert notifier.started == ["0"]
    assert deliveries.sent == 1


def test_listener_may_post_and_close(notifier):
    notifier.error = NotifyError("no bus")
    listened = threading.Event()

    def listen(text):
        deliveries.post(numbered(1))
        deliveries.close()
        listened.set()

    deliveries = NotificationQueue(notifier, on_first_failure=listen)
    deliveries.post(numbered(0))
    assert listened.wait(10)
    deliveries.close(10)
    assert (deliveries.failed, deliveries.dropped) == (1, 1)


@given(fails=st.lists(st.booleans(), max_size=12), length=st.integers(1, 4))
def test_every_notification_is_accounted_for(fails, length):
    outcomes = {str(i): fail for i, fail in enumerate(fails)}

    class Notifier:
        name = "planned"

        def send(self, notification):
            if outcomes[notification.title]:
                raise NotifyError(notification.title)

    deliveries = NotificationQueue(Notifier(), length=length)
    for number in range(len(fails)):
        deliveries.post(numbered(number))
    deliveries.close(10)
    assert deliveries.sent + deliveries.failed + deliveries.dropped == len(fails)
    assert deliveries.sent <= fails.count(False)
    assert deliveries.failed <= fails.count(True)


# -- with a real session bus ---------------------------------------------------------------------------


@pytest.fixture
def bus(monkeypatch):
    require("notify-send")
    with session_bus() as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        yield bus


@linux_only
def test_recovers_when_the_service_comes_back(bus):
    reports = []
    deliveries = NotificationQueue(PlyerNotifier(), on_first_failure=reports.append)
    for number in range(2):
        deliveries.post(numbered(number))
    wait_until(lambda: deliveries.failed == 2, "two failures without a service")
    with bus.scripted_service() as service:
        deliveries.post(Notification("back", "again"))
        assert json.loads(service.line())["summary"] == "back"
        deliveries.close(10)
    assert deliveries.sent == 1
    assert len(reports) == 1
    assert "no notification service" in reports[0]


@contextlib.contextmanager
def ending(process):
    """End a process that a failed test leaves behind."""
    try:
        yield
    finally:
        process.kill()


EXIT_WHILE_HUNG = """
import signal
import sys
from posture.delivery import NotificationQueue
from posture.notify import Notification, PlyerNotifier

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
deliveries = NotificationQueue(PlyerNotifier(), on_first_failure=print)
deliveries.post(Notification("hello", "there"))
deliveries.post(Notification("never", "tried"))
sys.stdin.readline()
{last_words}
"""


@linux_only
@pytest.mark.parametrize(
    ("last_words", "signal_number", "status"),
    [
        ("deliveries.close()", None, 0),
        ("pass", None, 0),
        ("sys.exit(3)", None, 3),
        ("raise SystemExit(130)", signal.SIGINT, -signal.SIGINT),
    ],
)
def test_exit_waits_for_no_hung_service(bus, last_words, signal_number, status):
    script = EXIT_WHILE_HUNG.format(last_words=last_words)
    with bus.scripted_service("hang") as service:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=bus.env,
        )
        with process, ending(process):
            assert json.loads(service.line(60))["summary"] == "hello"
            started_s = time.monotonic()
            if signal_number is not None:
                process.send_signal(signal_number)
            output, errors = process.communicate("\n", timeout=30)
            took_s = time.monotonic() - started_s
    assert process.returncode == status
    assert took_s < 3.0  # close takes 0.5 s; a delivery would take 10 s
    assert output == ""
    if signal_number is None:
        assert errors == ""
    else:
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert "FATAL" not in errors
    assert service.n_unread() == 0


CTRL_C_WHILE_SENDING = """
import signal, sys
from posture.delivery import NotificationQueue
from posture.notify import Notification, PlyerNotifier

signal.signal(signal.SIGINT, lambda number, frame: print("stopping", flush=True))
deliveries = NotificationQueue(PlyerNotifier())
deliveries.post(Notification("hello", "there"))
sys.stdin.readline()
deliveries.close(10)
print(deliveries.sent, deliveries.last_error)
"""


@linux_only
def test_ctrl_c_does_not_fail_a_notification_on_its_way(bus):
    with bus.scripted_service("hang") as service:
        process = subprocess.Popen(
            [sys.executable, "-c", CTRL_C_WHILE_SENDING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=bus.env,
            start_new_session=True,  # a process group of its own, as in a terminal
        )
        with process, ending(process):
            service.line(60)
            os.killpg(process.pid, signal.SIGINT)
            assert process.stdout.readline() == "stopping\n"
            service.send_signal(signal.SIGUSR1)
            output, _ = process.communicate("\n", timeout=30)
    assert output == "1 None\n"
