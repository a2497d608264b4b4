"""Notifications on a real session bus: what is shown, and what is said when nothing can be shown."""

import json
import os
import signal
import subprocess
import sys
import time
import types

import pytest
from desktop import require, screenshot, session_bus, wait_until, x_display

from posture import notify
from posture.errors import NotifyError
from posture.notify import Notification, NullNotifier, PlyerNotifier

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a freedesktop session")

HELLO = Notification("Time to sit tall?", "Neck 14° forward for 70 s.", timeout_s=7)


@pytest.fixture
def bus(monkeypatch):
    """A private session bus without services, used by this process too."""
    require("notify-send")
    with session_bus() as bus:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def silent_terminal(capfd):
    """Nothing may reach the user's terminal, not even from a child process."""
    yield
    assert capfd.readouterr() == ("", "")


@linux_only
def test_service_gets_text_and_expiry(bus, silent_terminal):
    with bus.scripted_service() as service:
        PlyerNotifier().send(HELLO)
        asked = json.loads(service.line())
    assert (asked["summary"], asked["body"]) == ("Time to sit tall?", "Neck 14° forward for 70 s.")
    assert asked["app_name"] == "Posture"
    assert asked["expire_timeout_ms"] == 7000
    assert asked["hints"]["transient"] == 1


@linux_only
@pytest.mark.parametrize(
    ("title", "message", "summary", "body"),
    [
        ("-5 degrees", "-1", "-5 degrees", "-1"),
        ("--help", "--", "--help", "--"),
        ("", "", "Posture", ""),
        (" \n", "x", "Posture", "x"),
        ("a\nb", "a\nb", "a b", "a\nb"),
        ("1 < 2 & 3", "<b>1 < 2</b> & &amp;", "1 < 2 & 3", "&lt;b&gt;1 &lt; 2&lt;/b&gt; &amp; &amp;amp;"),
        ("back\\nslash", "a\\nb\\\\c\\101", "back\\nslash", "a\\nb\\\\c\\101"),
        ('it\'s "q" $HOME `id`', 'it\'s "q" $HOME %s', 'it\'s "q" $HOME `id`', 'it\'s "q" $HOME %s'),
        ("14° 姿勢 🙂", "14° 姿勢 🙂", "14° 姿勢 🙂", "14° 姿勢 🙂"),
        ("nul\0bell\a", "esc\x1b[31m", "nulbell", "esc[31m"),
        ("half \ud83d", "half \ud83d", "half ?", "half ?"),
        ("long", "x" * 300_000, "long", "x" * notify.MAX_MESSAGE_LENGTH),
        ("long", "&" * 300_000, "long", "&amp;" * notify.MAX_MESSAGE_LENGTH),
    ],
)
def test_any_text_arrives_literally(bus, silent_terminal, title, message, summary, body):
    with bus.scripted_service() as service:
        PlyerNotifier().send(Notification(title, message))
        asked = json.loads(service.line())
    assert (asked["summary"], asked["body"]) == (summary, body)


@linux_only
@pytest.mark.parametrize(("timeout_s", "expire_timeout_ms"), [(0, 1000), (-3, 1000), (2.5, 3000)])
def test_popups_always_expire(bus, timeout_s, expire_timeout_ms):
    with bus.scripted_service() as service:
        PlyerNotifier().send(Notification("t", "m", timeout_s))
        assert json.loads(service.line())["expire_timeout_ms"] == expire_timeout_ms


@linux_only
def test_text_survives_an_ascii_locale(bus, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    with bus.scripted_service() as service:
        PlyerNotifier().send(HELLO)
        assert "14°" in json.loads(service.line())["body"]


@linux_only
def test_dunst_shows_the_popup_on_the_screen(bus, silent_terminal, tmp_path):
    with x_display() as display, bus.dunst(display):
        before = screenshot(display, tmp_path / "before.png")
        PlyerNotifier().send(Notification("Time to sit tall?", "Neck 14° forward & <b>not bold</b>"))

        def n_changed_pixels():
            return (screenshot(display, tmp_path / "popup.png") != before).any(axis=2).sum()

        # A popup of 360 pixels by two lines of text, on an empty screen.
        wait_until(lambda: n_changed_pixels() > 5000, "a popup on the screen")
        shown = bus.dunst_history()
    assert [entry["summary"] for entry in shown] == ["Time to sit tall?"]
    assert shown[0]["message"] == (
        "<b>Time to sit tall?</b>\nNeck 14° forward &amp; &lt;b&gt;not bold&lt;/b&gt;"
    )
    assert shown[0]["timeout"] == 10_000_000  # microseconds


@linux_only
def test_missing_service_is_reported(bus, silent_terminal):
    with pytest.raises(NotifyError, match=r"^no notification service is running"):
        PlyerNotifier().send(HELLO)


@linux_only
@pytest.mark.parametrize("address", ["unix:path=/nonexistent/bus", None])
def test_missing_bus_is_reported(bus, monkeypatch, silent_terminal, address):
    if address is None:
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    else:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    with pytest.raises(NotifyError, match=r"^no desktop session"):
        PlyerNotifier().send(HELLO)


@linux_only
def test_refusal_is_reported_on_one_line(bus, silent_terminal):
    with (
        bus.scripted_service("refuse"),
        pytest.raises(
            NotifyError, match=r"^the notification was not delivered: notify-send: .*too many of them$"
        ),
    ):
        PlyerNotifier().send(HELLO)


@linux_only
def test_hung_service_is_given_up_and_used_again_when_it_wakes(bus, silent_terminal):
    with x_display() as display, bus.dunst(display) as dunst:
        dunst.send_signal(signal.SIGSTOP)
        started_s = time.monotonic()
        with pytest.raises(NotifyError, match=r"did not answer within 0\.3 s"):
            PlyerNotifier(patience_s=0.3).send(HELLO)
        assert time.monotonic() - started_s < 5.0  # 75 s without a limit
        dunst.send_signal(signal.SIGCONT)
        PlyerNotifier().send(Notification("Awake", ""))
        assert "Awake" in [entry["summary"] for entry in bus.dunst_history()]


@linux_only
def test_restarted_service_is_found_again(bus, silent_terminal):
    notifier = PlyerNotifier()
    for title in ("first", "second"):
        with bus.scripted_service() as service:
            notifier.send(Notification(title, ""))
            assert json.loads(service.line())["summary"] == title
        wait_until(lambda: not bus.has_service(), "the killed service leaving the bus")
        with pytest.raises(NotifyError):
            notifier.send(HELLO)


@linux_only
def test_nothing_to_send_with_names_the_package(monkeypatch, silent_terminal, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "dbus", None)
    with pytest.raises(NotifyError, match="libnotify-bin"):
        PlyerNotifier().send(HELLO)


@linux_only
def test_dbus_python_serves_where_notify_send_is_missing(monkeypatch, silent_terminal, tmp_path):
    asked = []

    class Interface:
        def __init__(self, remote, name):
            assert name == "org.freedesktop.Notifications"

        def Notify(self, *arguments):
            asked.append(arguments)
            if len(asked) > 1:
                raise RuntimeError("org.freedesktop.DBus.Error.ServiceUnknown: no\nsuch name")

    session = types.SimpleNamespace(get_object=lambda name, path: None)
    stub = types.SimpleNamespace(SessionBus=lambda: session, Interface=Interface)
    monkeypatch.setitem(sys.modules, "dbus", stub)
    monkeypatch.setenv("PATH", str(tmp_path))
    PlyerNotifier().send(Notification("-5", "a\\n & b", timeout_s=7))
    assert asked == [("Posture", 0, "", "-5", "a\\n &amp; b", [], {}, 7000)]
    with pytest.raises(NotifyError, match=r"^no notification service is running"):
        PlyerNotifier().send(HELLO)


def test_windows_balloon_gets_texts_that_fit(monkeypatch):
    asked = []
    windows = types.ModuleType("plyer.platforms.win.notification")
    windows.balloon_tip = lambda **fields: asked.append(fields)
    monkeypatch.setitem(sys.modules, windows.__name__, windows)
    monkeypatch.setattr(sys, "platform", "win32")
    PlyerNotifier().send(Notification("🙂" * 40, "ab🙂" * 200, timeout_s=7))
    PlyerNotifier().send(Notification("x" * 63, "a < b", timeout_s=7))
    PlyerNotifier().send(Notification("x" * 64, "y" * 256))
    long, short, plain = asked
    assert (plain["title"], plain["message"]) == ("x" * 62 + "…", "y" * 254 + "…")
    assert long["title"] == "🙂" * 31 + "…"
    assert long["message"].startswith("ab🙂ab🙂")
    assert len(long["message"].encode("utf-16-le")) // 2 in (254, 255)
    assert short == {"title": "x" * 63, "message": "a < b", "app_name": "Posture", "timeout": 7}


def test_windows_failure_is_reported(monkeypatch):
    windows = types.ModuleType("plyer.platforms.win.notification")

    def balloon_tip(**fields):
        raise Exception("Shell_NotifyIconW failed.")

    windows.balloon_tip = balloon_tip
    monkeypatch.setitem(sys.modules, windows.__name__, windows)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotifyError, match="not delivered: Exception: Shell_NotifyIconW failed"):
        PlyerNotifier().send(HELLO)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for osascript is a shell script")
def test_mac_without_pyobjus_uses_osascript(monkeypatch, silent_terminal, tmp_path):
    osascript = tmp_path / "osascript"
    osascript.write_text('#!/bin/sh\nfor a; do printf "%s|" "$a"; done >"$0.log"\nexit ${STATUS:-0}\n')
    osascript.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "pyobjus", None)
    PlyerNotifier().send(Notification("-5", 'say "hi" & bye'))
    assert (tmp_path / "osascript.log").read_text().endswith('|end run|--|-5|say "hi" & bye|')
    monkeypatch.setenv("STATUS", "1")
    with pytest.raises(NotifyError, match="osascript: exit status 1"):
        PlyerNotifier().send(HELLO)


def test_null_notifier_shows_nothing(silent_terminal):
    NullNotifier().send(HELLO)


def test_plyer_is_loaded_by_the_first_notification_only():
    code = "import sys, posture.notify, posture.delivery; sys.exit('plyer' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
