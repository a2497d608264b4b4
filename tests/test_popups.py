"""Notifications with buttons, on a real session bus with scripted and real services.

Claimed: what is asked for is shown, in place of the one before, and a press is heard; nobody else's signals count; a
service that is missing, hung, refuses, restarts or has no buttons is said within the time limit, and plain
notifications take over, which is said once; a popup whose buttons would be dead is taken away.
"""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from desktop import SERVICE, click, require, screenshot, session_bus, wait_until, x_display

from posture.delivery import NotificationQueue
from posture.errors import NotifyError
from posture.notifiers import FallbackNotifier, make_notifier
from posture.notify import Notification, NullNotifier, PlyerNotifier
from posture.popups import PopupNotifier
from posture.settings import NotifySettings
from posture.wording import BUTTONS, CAMERA_MOVED_TEXT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a freedesktop session")

ACTIONS = ("snooze", "recalibrate", "wrong")  # a slouch's, the most that one popup has
HELLO = Notification("Time to sit tall?", "Neck 14° forward & on", 7, ACTIONS)
CAMERA_MOVED = Notification(*CAMERA_MOVED_TEXT, 7, ("rezero", "recalibrate"))
PATH = "/org/freedesktop/Notifications"


@pytest.fixture
def bus(monkeypatch):
    """A private session bus without services, used by this process too."""
    with session_bus() as bus:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def silent_terminal(capfd):
    """Nothing may reach the user's terminal, not even from a thread or a child process."""
    yield
    assert capfd.readouterr() == ("", "")


@contextlib.contextmanager
def popups(on_action=lambda action: None, answer_s=2.0):
    notifier = PopupNotifier(on_action, answer_s=answer_s)
    try:
        yield notifier
    finally:
        notifier.close()


def press(bus, number, key):
    bus.call(SERVICE, PATH, SERVICE, "Press", "us", number, key)


def test_the_service_gets_text_buttons_expiry_and_silence(bus, silent_terminal):
    with bus.scripted_service("buttons") as service, popups() as notifier:
        notifier.send(HELLO)
        asked = json.loads(service.line())
        notifier.send(Notification(" \n", "a\0b", 0, (), has_sound=True))
        plain = json.loads(service.line())
    assert (asked["app_name"], asked["summary"]) == ("Posture", "Time to sit tall?")
    assert asked["body"] == "Neck 14° forward &amp; on", "bodies are markup where the service says so"
    assert asked["actions"] == [text for action in ACTIONS for text in (action, BUTTONS[action])]
    assert asked["expire_timeout_ms"] == 7000
    assert asked["hints"] == {"urgency": 1, "transient": True, "suppress-sound": True}
    assert (plain["summary"], plain["body"], plain["actions"]) == ("Posture", "ab", [])
    assert plain["hints"]["sound-name"]
    assert "suppress-sound" not in plain["hints"]


@pytest.mark.parametrize("action", BUTTONS)
def test_a_press_is_heard_once_and_its_popup_taken_away(bus, silent_terminal, action):
    heard = []
    with bus.scripted_service("buttons") as service, popups(heard.append) as notifier:
        notifier.send(CAMERA_MOVED if action in CAMERA_MOVED.actions else HELLO)
        service.line()
        press(bus, 1, action)
        assert json.loads(service.line()) == {"closed": 1}
        wait_until(lambda: heard, "the press")
        press(bus, 1, action)  # a second click on a popup that fades
        notifier.send(HELLO)
        assert json.loads(service.line())["replaces_id"] == 0, "it is gone"
    assert heard == [action]


def test_the_next_popup_replaces_the_one_before_while_it_is_there(bus):
    with bus.scripted_service("buttons") as service, popups() as notifier:
        replaced = []
        for is_expired in (False, False, True, False):
            if is_expired:
                bus.call(SERVICE, PATH, SERVICE, "Expire", "u", 1)
            notifier.send(HELLO)
            replaced.append(json.loads(service.line())["replaces_id"])
    assert replaced == [0, 1, 0, 2]


def test_other_popups_other_buttons_and_forgers_are_not_heard(bus, silent_terminal):
    heard = []
    with bus.scripted_service("buttons") as service, popups(heard.append) as notifier:
        notifier.send(HELLO)
        service.line()
        press(bus, 2, "snooze")
        press(bus, 1, "default")
        press(bus, 1, "rm -rf")
        forge(bus, "ActionInvoked", "us", 1, "recalibrate")
        forge(bus, "NotificationClosed", "uu", 1, 1)
        forge(bus, "ActionInvoked", "s", "nonsense")
        press(bus, 1, "wrong")
        wait_until(lambda: heard, "the press")
    assert heard == ["wrong"]


def forge(bus, member, signature, *arguments):
    """Send a signal in the service's name that is not from it."""
    command = "import sys; from jeepney import *; from jeepney.io.blocking import open_dbus_connection as o;"
    command += f"a = DBusAddress({PATH!r}, interface={SERVICE!r});"
    command += f"m = new_signal(a, {member!r}, {signature!r}, {arguments!r});"
    command += "c = o('SESSION'); c.send(m); c.send_and_get_reply(message_bus.GetId())"
    env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus.address}
    subprocess.run([sys.executable, "-c", command], env=env, check=True, timeout=60)


def test_a_listener_that_fails_is_survived(bus, caplog):
    heard = []

    def listen(action):
        heard.append(action)
        raise RuntimeError("listener bug")

    with bus.scripted_service("buttons") as service, popups(listen) as notifier:
        for n in (1, 2):
            notifier.send(HELLO)
            service.line()
            press(bus, n, "snooze")
            assert json.loads(service.line()) == {"closed": n}
            wait_until(lambda n=n: len(heard) == n, "the press")
    assert "listener" in caplog.text


def test_the_end_takes_buttons_away_that_nobody_would_hear_any_more(bus):
    with bus.scripted_service("buttons") as service:
        with popups() as notifier:
            notifier.send(HELLO)
            service.line()
        assert json.loads(service.line()) == {"closed": 1}
        with pytest.raises(NotifyError):
            notifier.send(HELLO)
        with popups() as notifier:
            notifier.send(Notification("no buttons", ""))
            service.line()
        with popups() as notifier:
            notifier.send(HELLO)
            assert json.loads(service.line())["summary"] == HELLO.title, "the plain one was left to expire"


def test_without_a_notification_there_is_neither_thread_nor_connection(bus):
    before = threading.active_count()
    PopupNotifier(lambda action: None).close()
    assert threading.active_count() == before


@pytest.mark.parametrize("address", ["unix:path=/nonexistent/bus", "nonsense", "tcp:host=x", "", None])
def test_a_missing_bus_is_reported(monkeypatch, silent_terminal, address):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    if address is not None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    with popups() as notifier, pytest.raises(NotifyError) as failure:
        notifier.send(HELLO)
    assert "\n" not in str(failure.value)
    if address != "nonsense" and address != "tcp:host=x":
        assert str(failure.value).startswith("no desktop session")


def test_a_missing_service_is_reported_and_found_when_it_comes(bus, silent_terminal):
    with popups() as notifier:
        with pytest.raises(NotifyError, match=r"^no notification service is running"):
            notifier.send(HELLO)
        with bus.scripted_service("buttons") as service:
            notifier.send(HELLO)
            assert json.loads(service.line())["summary"] == HELLO.title


def test_a_service_without_buttons_is_reported_and_shown_nothing(bus, silent_terminal):
    with bus.scripted_service() as service, popups() as notifier:
        with pytest.raises(NotifyError, match="no buttons"):
            notifier.send(HELLO)
        assert service.n_unread() == 0


def test_a_refusal_is_reported_on_one_line(bus, silent_terminal):
    with (
        bus.scripted_service("refuse"),
        popups() as notifier,
        pytest.raises(NotifyError, match=r"^the notification was not delivered: .*too many of them$"),
    ):
        notifier.send(HELLO)


def test_a_restarted_service_is_met_like_a_new_one(bus, silent_terminal):
    heard = []
    with popups(heard.append) as notifier:
        for _ in range(3):
            with bus.scripted_service("buttons") as service:
                notifier.send(HELLO)
                assert json.loads(service.line())["replaces_id"] == 0, "number 1 may be another program's now"
                press(bus, 1, "snooze")
                assert json.loads(service.line()) == {"closed": 1}
            wait_until(lambda: not bus.has_service(), "the killed service leaving the bus")
        wait_until(lambda: len(heard) == 3, "three presses")


def test_a_service_restarted_with_our_popup_up_is_not_asked_to_close_anothers(bus):
    with popups() as notifier:
        with bus.scripted_service("buttons") as service:
            notifier.send(HELLO)
            service.line()
        wait_until(lambda: not bus.has_service(), "the killed service leaving the bus")
        with bus.scripted_service("buttons") as service:
            notifier.close()
            bus.call(SERVICE, PATH, SERVICE, "Expire", "u", 9)  # answered after whatever came before
            assert service.n_unread() == 0


def test_a_hung_service_is_given_up_shows_nothing_late_and_is_used_again(bus, silent_terminal):
    with bus.scripted_service("buttons") as service, popups(answer_s=0.3) as notifier:
        notifier.send(HELLO)
        service.line()
        service.send_signal(signal.SIGSTOP)
        started_s = time.monotonic()
        with pytest.raises(NotifyError, match=r"did not answer within 0\.3 s"):
            notifier.send(Notification("Never shown", "", 7, ACTIONS))
        assert time.monotonic() - started_s < 5.0
        service.send_signal(signal.SIGCONT)
        assert json.loads(service.line()) == {"closed": 1}, "nobody would hear its buttons any more"
        notifier.send(Notification("Awake", "", 7, ACTIONS))
        assert json.loads(service.line())["summary"] == "Awake"


def test_closing_while_the_service_hangs_takes_no_longer(bus):
    with bus.scripted_service("buttons") as service:
        notifier = PopupNotifier(lambda action: None, answer_s=30.0)
        sender = threading.Thread(target=notifier.send, args=(HELLO,), daemon=True)
        service.send_signal(signal.SIGSTOP)
        sender.start()
        wait_until(lambda: notifier._thread is not None, "the thread")
        started_s = time.monotonic()
        notifier.close()
        assert time.monotonic() - started_s < 5.0
        service.send_signal(signal.SIGCONT)
        assert json.loads(service.line())["summary"] == HELLO.title
        assert json.loads(service.line()) == {"closed": 1}, "it came late, and goes at once"
        sender.join(10)


def test_a_bus_that_dies_costs_nothing_and_the_next_one_is_used(monkeypatch, silent_terminal):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with popups() as notifier:
        for _ in range(2):
            with session_bus() as bus, bus.scripted_service("buttons") as service:
                monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
                notifier.send(HELLO)
                assert json.loads(service.line())["summary"] == HELLO.title
            with pytest.raises(NotifyError, match=r"^no desktop session"):
                notifier.send(HELLO)


def test_handles_and_threads_do_not_grow(bus):
    def n_handles():
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    with bus.scripted_service("buttons") as service:
        counts = set()
        for _ in range(8):
            with popups() as notifier:
                for _ in range(3):
                    notifier.send(HELLO)
                    service.line()
            service.line()
            counts.add(n_handles())
    assert len(counts) == 1


def fallback(told, answer_s=0.3):
    return FallbackNotifier(
        PopupNotifier(lambda action: None, answer_s=answer_s), PlyerNotifier(patience_s=2.0), told.append
    )


def test_plain_notifications_take_over_where_there_are_no_buttons_and_it_is_said_once(bus, silent_terminal):
    require("notify-send")
    told = []
    notifier = fallback(told)
    with bus.scripted_service() as service:
        for _ in range(3):
            notifier.send(HELLO)
            asked = json.loads(service.line())
            assert (asked["summary"], asked["actions"]) == (HELLO.title, [])
        notifier.close()
    assert told == ["this desktop's notifications have no buttons"]


def test_buttons_come_back_with_a_service_that_has_them(bus, silent_terminal):
    require("notify-send")
    told = []
    notifier = fallback(told)
    for behaviour, n_actions in (("accept", 0), ("buttons", 6), ("accept", 0)):
        with bus.scripted_service(behaviour) as service:
            notifier.send(HELLO)
            assert len(json.loads(service.line())["actions"]) == n_actions
        wait_until(lambda: not bus.has_service(), "the killed service leaving the bus")
    with pytest.raises(NotifyError, match=r"^no notification service is running"):
        notifier.send(HELLO)
    notifier.close()
    assert len(told) == 1


def test_a_desktop_that_hangs_both_ways_is_a_failure_within_seconds(bus, silent_terminal):
    require("notify-send")
    told = []
    notifier = fallback(told)
    with bus.scripted_service("buttons") as service:
        service.send_signal(signal.SIGSTOP)
        started_s = time.monotonic()
        with pytest.raises(NotifyError, match=r"did not answer"):
            notifier.send(HELLO)
        assert time.monotonic() - started_s < 10.0
        notifier.close()
        assert told == []


def n_shown_pixels(display, path):
    """Return how many pixels of an empty screen have something on them."""
    return int((screenshot(display, path) > 0).any(axis=2).sum())


@pytest.mark.parametrize(
    ("told", "action", "x_ratio", "y_ratio"),
    [
        (HELLO, "snooze", 0.17, 0.74),
        (HELLO, "recalibrate", 0.5, 0.74),
        (HELLO, "wrong", 0.83, 0.74),
        (CAMERA_MOVED, "rezero", 0.25, 0.78),
        (CAMERA_MOVED, "recalibrate", 0.75, 0.78),
    ],
)
def test_a_click_of_the_mouse_is_heard_and_the_popup_goes(
    bus, silent_terminal, tmp_path, told, action, x_ratio, y_ratio
):
    require("xdotool")
    heard = []
    picture = tmp_path / "screen.png"
    with x_display() as display, bus.xfce4_notifyd(display), popups(heard.append) as notifier:
        notifier.send(told)
        wait_until(lambda: n_shown_pixels(display, picture) > 20_000, "a popup on the screen")
        click(display, x_ratio, y_ratio)
        wait_until(lambda: heard == [action], f"a press of {action}")
        wait_until(lambda: n_shown_pixels(display, picture) < 1000, "the popup to go")


def test_xfce_shows_one_popup_at_a_time_and_none_after_the_end(bus, silent_terminal, tmp_path):
    picture = tmp_path / "screen.png"
    with x_display() as display, bus.xfce4_notifyd(display):
        with popups() as notifier:
            notifier.send(HELLO)
            one = wait_until(lambda: n_shown_pixels(display, picture) > 20_000 and picture, "a popup")
            before = n_shown_pixels(display, one)
            for n in range(3):
                notifier.send(Notification(f"Title {n}", HELLO.message, 7, ACTIONS))
            assert n_shown_pixels(display, picture) < 1.5 * before
        wait_until(lambda: n_shown_pixels(display, picture) < 1000, "the popup to go")


def test_dunst_tells_us_what_was_pressed_in_its_menu(bus, silent_terminal):
    heard = []
    with x_display() as display, bus.dunst(display), popups(heard.append) as notifier:
        notifier.send(Notification("Break?", "", 7, ("snooze",)))
        bus.call(SERVICE, PATH, "org.dunstproject.cmd0", "NotificationAction", "u", 0)
        wait_until(lambda: heard == ["snooze"], "the press")


def test_a_queue_closes_its_notifier(bus):
    with bus.scripted_service("buttons") as service:
        queue = NotificationQueue(PopupNotifier(lambda action: None))
        queue.post(HELLO)
        service.line()
        queue.close(10)
        assert json.loads(service.line()) == {"closed": 1}
        assert queue.sent == 1


def test_the_settings_choose():
    def make(**settings):
        return make_notifier(NotifySettings(**settings), lambda action: None)

    assert isinstance(make(), FallbackNotifier)
    assert isinstance(make(enabled=False), NullNotifier)
    assert isinstance(make(backend="plain"), PlyerNotifier)
    assert isinstance(make(buttons=False), PlyerNotifier)
    assert isinstance(make(backend="buttons"), PopupNotifier)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_where_there_is_no_message_bus_there_are_plain_notifications(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert isinstance(make_notifier(NotifySettings(), lambda action: None), PlyerNotifier)
    with pytest.raises(NotifyError, match=r"set notify\.backend to auto"):
        make_notifier(NotifySettings(backend="buttons"), lambda action: None).send(HELLO)


def test_jeepney_is_loaded_by_the_first_notification_only():
    code = "import sys, posture.notifiers, posture.popups; sys.exit('jeepney' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
