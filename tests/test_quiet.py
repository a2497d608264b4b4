"""Do not disturb: dunst, xfconf and gsettings for real; KDE and swaync as services that say what they say."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desktop import SERVICE, require, running, wait_until, x_display
from surroundings import NEVER, Answers, private_buses, service

from posture.desktop import quiet as quiet_module
from posture.desktop.bus import Bus
from posture.desktop.quiet import SETTINGS, Quiet

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about D-Bus")


@pytest.fixture
def session(monkeypatch):
    with private_buses(monkeypatch) as (session, _):
        yield session


@pytest.fixture
def quiet(session):
    bus = Bus("SESSION")
    yield Quiet(bus)
    bus.close()


def test_nobody_knows_without_a_service(quiet):
    assert quiet.read() is None


def test_a_real_dunst(session, quiet):
    require("dunst")
    with x_display() as display, session.dunst(display):
        for value in ("false", "true", "false", "true"):
            command = ["dunstctl", "set-paused", value]
            subprocess.run(command, env=session.env, check=True, timeout=20, capture_output=True)
            wait_until(lambda value=value: quiet.read() is (value == "true"), f"dunst paused {value}")
    assert quiet.read() is None, "it went, and what it said is not believed any more"


def test_kde(session, quiet):
    answers = Answers({(SERVICE, "Inhibited"): ("b", True)})
    with service(session.address, SERVICE, answers):
        assert quiet.read() is True
        answers[SERVICE, "Inhibited"] = ("b", False)
        assert quiet.read() is False
        answers[SERVICE, "Inhibited"] = ("s", "no")
        assert quiet.read() is None


def test_a_service_that_hangs_is_not_believed(session, quiet):
    with service(session.address, SERVICE, Answers({(SERVICE, "Inhibited"): NEVER})):
        assert quiet.read() is None
        assert quiet.read() is None


def test_swaync(session, quiet):
    name = "org.erikreider.swaync.cc"
    answers = Answers({(name, "GetDnd"): ("b", True)})
    with service(session.address, name, answers):
        assert quiet.read() is True
        answers[name, "GetDnd"] = ("b", False)
        assert quiet.read() is False


def test_xfce_with_a_real_xfconf(session, quiet, monkeypatch):
    require("xfconf-query")
    xfconfd = next(map(str, Path("/usr/lib").glob("*/xfce4/xfconf/xfconfd")))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "XFCE")
    with running(xfconfd, env=session.env):
        bus = Bus("SESSION")
        wait_until(lambda: "org.xfce.Xfconf" in bus.names(), "xfconfd on the bus")
        bus.close()
        assert quiet.read() is False, "never switched on"
        for value in ("true", "false"):
            query = [
                "xfconf-query",
                "-c",
                "xfce4-notifyd",
                "-p",
                "/do-not-disturb",
                "-n",
                "-t",
                "bool",
                "-s",
                value,
            ]
            subprocess.run(query, env=session.env, check=True, timeout=20, capture_output=True)
            assert quiet.read() is (value == "true")


def gsettings(session, *arguments):
    done = subprocess.run(
        ["gsettings", *arguments], env=session.env, check=True, timeout=20, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_gnome_with_real_settings(session, quiet, monkeypatch):
    """dconf's own file changes, and is what tells that it is time to ask again."""
    require("gsettings")
    schema, key, _ = SETTINGS["GNOME"]
    monkeypatch.setenv("HOME", session.env["HOME"])
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GSETTINGS_BACKEND", raising=False)
    assert quiet.read() is None, "no desktop has a name yet"
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    with running(require("/usr/libexec/dconf-service"), env=session.env):
        asked = []
        ask = quiet_module._gsetting
        monkeypatch.setattr(quiet_module, "_gsetting", lambda *args: asked.append(args) or ask(*args))
        wait_until(lambda: _is_there("ca.desrt.dconf"), "dconf on the bus")
        for value in ("true", "false", "true"):
            gsettings(session, "set", schema, key, value)
            n_asked = len(asked)
            assert quiet.read() is (value == "false")
            assert [quiet.read() for _ in range(5)] == [value == "false"] * 5
            assert len(asked) == n_asked + 1


def _is_there(name):
    bus = Bus("SESSION")
    try:
        return name in bus.names()
    finally:
        bus.close()


def test_gnome_without_gsettings(session, quiet, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert quiet.read() is None


def test_a_gsettings_that_hangs(session, quiet, monkeypatch, tmp_path):
    (tmp_path / "gsettings").write_text("#!/bin/sh\nexec sleep 60\n", encoding="ascii")
    (tmp_path / "gsettings").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    monkeypatch.setattr(quiet_module, "PATIENCE_S", 0.1)
    begin_s = time.monotonic()
    assert quiet.read() is None
    assert time.monotonic() - begin_s < 3.0


@pytest.mark.parametrize("desktop", sorted(SETTINGS))
def test_settings_of_each_desktop(session, quiet, monkeypatch, tmp_path, desktop):
    """A stand-in that answers only for the desktop's own schema and key: those desktops are not installed here."""
    schema, key, quiet_value = SETTINGS[desktop]
    script = tmp_path / "gsettings"
    script.write_text(
        f'#!/bin/sh\n[ "$*" = "get {schema} {key}" ] && cat "{tmp_path}/value"\n', encoding="ascii"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    monkeypatch.setattr(quiet_module, "ASK_AGAIN_S", 0.0)
    for value in ("true", "false"):
        (tmp_path / "value").write_text(f"{value}\n", encoding="ascii")
        assert quiet.read() is (value == quiet_value)
    (tmp_path / "value").write_text("No such key\n", encoding="ascii")
    assert quiet.read() is None
