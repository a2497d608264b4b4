"""`posture doctor`: a line for every part, with a remedy; on a real desktop, and where everything is broken."""

import contextlib
import json
import shutil
import socket
import sqlite3
import sys
import threading
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_helpers import EMPTY, FRONT, front_baseline, home_env, posture, running
from desktop import require, session_bus
from mjpeg_server import MjpegServer
from unprivileged import as_nobody, shared_folder

from posture.checks import engine
from posture.checks.camera import check_camera_rights
from posture.checks.engine import check_engine
from posture.checks.finding import Verdict, examine, fine
from posture.checks.installation import (
    MEDIAPIPE_VERSION,
    check_no_reports,
    check_opencv,
    check_pose_model,
    check_pygame,
    check_versions,
)
from posture.config import load_settings
from posture.settings import CameraSettings, Settings

PARTS = {
    "versions",
    "opencv",
    "pygame",
    "mediapipe",
    "model",
    "pose model",
    "network",
    "processor",
    "config",
    "baseline",
    "history",
    "data folder",
    "state folder",
    "disk space",
    "cameras",
    "camera rights",
    "picture",
    "desktop session",
    "notifications",
    "monitor",
    "autostart",
}


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


def ask(env, *options, code):
    """Return the findings by part."""
    told = posture("doctor", "--json", *options, env=env, code=code)
    assert told.stderr == ""
    findings = json.loads(told.stdout)
    for finding in findings:
        assert set(finding) == {"check", "verdict", "found", "remedy"}
        assert finding["verdict"] in {verdict.value for verdict in Verdict}
        assert all(isinstance(text, str) and "\n" not in text for text in finding.values())
        assert finding["found"]
    assert len({finding["check"] for finding in findings}) == len(findings)
    return {finding["check"]: finding for finding in findings}


def configure(tmp_path, text):
    path = tmp_path / "home/.config/posture/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def data_folder(tmp_path):
    path = tmp_path / "home/.local/share/posture"
    (path / "profiles").mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


@pytest.fixture
def healthy(tmp_path, env):
    """Everything there: bus, notification service, camera, baseline, history."""
    require("notify-send")
    data = data_folder(tmp_path)
    shutil.copy(front_baseline(), data / "profiles/default.json")
    with contextlib.closing(sqlite3.connect(data / "history.sqlite")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE bouts (onset REAL)")
        database.commit()
    with MjpegServer() as camera, session_bus() as bus:
        configure(tmp_path, f'[camera]\nsource = "{camera.url}"\n')
        yield bus, env | {"DBUS_SESSION_BUS_ADDRESS": bus.address, "DISPLAY": ":7"}


def test_all_is_well(healthy):
    bus, env = healthy
    with bus.scripted_service() as service:
        found = ask(env, code=0)
        assert "Posture" in json.loads(service.line())["summary"]
        assert service.n_unread() == 0
    assert set(found) == PARTS
    verdicts = {part: finding["verdict"] for part, finding in found.items()}
    assert {part for part, verdict in verdicts.items() if verdict != "fine"} == {"camera rights"}
    assert "320 x 240" in found["picture"]["found"]
    assert "scripted 1" in found["notifications"]["found"]
    assert "undamaged" in found["history"]["found"]


def test_quiet_shows_nothing_and_still_finds_the_service(healthy):
    bus, env = healthy
    with bus.scripted_service() as service:
        assert "scripted" in ask(env, "--quiet", code=0)["notifications"]["found"]
        assert service.n_unread() == 0
    assert "no notification service" in ask(env, "--no-notify", code=1)["notifications"]["found"]


@pytest.mark.parametrize(("behaviour", "words"), [("refuse", "too many"), ("hang", "did not answer")])
def test_a_notification_that_is_not_accepted_is_broken(healthy, behaviour, words):
    bus, env = healthy
    with bus.scripted_service(behaviour):
        finding = ask(env, code=1)["notifications"]
    assert finding["verdict"] == "broken"
    assert words in finding["found"]


def test_nothing_is_well(env, tmp_path):
    data = data_folder(tmp_path)
    (data / "profiles/default.json").write_text("{")
    (data / "profiles/old.json").write_text('{"posture_baseline": 0}')
    (data / "history.sqlite").write_bytes(b"not a database" * 100)
    data.chmod(0o755)
    (tmp_path / "home/.local/state").write_text("a file in the way")
    configure(tmp_path, "[camera]\nsorce = 0\n").chmod(0o644)
    found = ask(env, code=1)
    broken = {part for part, finding in found.items() if finding["verdict"] == "broken"}
    assert broken >= {"config", "baseline", "baseline old", "history", "picture", "notifications"}
    assert "did you mean camera.source" in found["config"]["found"]
    assert found["data folder"]["remedy"].startswith("chmod 700")
    assert "is a file" in found["state folder"]["found"]
    assert "/dev/video0" in found["picture"]["found"]
    lines = posture("doctor", env=env, code=1).stdout.splitlines()
    assert len(lines) == len(found) + 1, "a line each, and the summary"
    assert sum(line.startswith("✗ broken") for line in lines) == len(broken)
    assert lines[-1].startswith(f"{len(broken)} broken")


def test_a_monitor_that_runs_keeps_its_camera(env, tmp_path):
    with running("run", "--source", FRONT, "--baseline", front_baseline(), env=env) as process:
        process.wait_for("Watching")
        found = ask(env, "--quiet", code=1)
    assert found["picture"]["verdict"] == "not checked"
    assert FRONT.name in found["picture"]["found"]
    assert str(process.popen.pid) in found["monitor"]["found"]


def test_an_autostart_that_points_nowhere_is_told(env, tmp_path):
    posture("autostart", "enable", env=env)
    assert ask(env, "--quiet", code=1)["autostart"]["verdict"] == "fine"
    entry = tmp_path / "home/.config/autostart/posture.desktop"
    entry.write_text(entry.read_text().replace("/bin/", "/gone/"))
    assert "which is gone" in ask(env, "--quiet", code=1)["autostart"]["found"]


@pytest.mark.parametrize(("grey", "words"), [(0, "nothing on it"), (None, "too dark")])
def test_a_picture_that_shows_nothing_is_a_warning(env, tmp_path, grey, words):
    folder = tmp_path / "pictures"
    folder.mkdir()
    image = np.full((240, 320, 3), grey or 0, np.uint8)
    if grey is None:
        image[:, 160:] = 20  # dark, but something
    cv2.imwrite(str(folder / "1.png"), image)
    configure(tmp_path, f"[camera]\nsource = '{folder}'\n")
    finding = ask(env, "--quiet", code=1)["picture"]
    assert finding["verdict"] == "warning"
    assert words in finding["found"]


def test_a_silent_camera_is_given_up_in_time(env, tmp_path):
    with MjpegServer("mute") as camera:
        configure(tmp_path, f'[camera]\nsource = "{camera.url}"\n')
        finding = ask(env, "--quiet", code=1)["picture"]
    assert finding["verdict"] == "broken"
    assert "no picture within" in finding["found"]


def test_a_locked_history_is_no_fault_of_it(env, tmp_path):
    path = data_folder(tmp_path) / "history.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TABLE bouts (onset REAL)")
        database.execute("BEGIN EXCLUSIVE")
        finding = ask(env, "--quiet", code=1)["history"]
    assert (finding["verdict"], "locked" in finding["found"]) == ("warning", True)


def test_a_damaged_page_of_the_history_is_found(env, tmp_path):
    path = data_folder(tmp_path) / "history.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE bouts (note TEXT)")
        database.executemany("INSERT INTO bouts VALUES (?)", [("x" * 500,)] * 200)
        database.commit()
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    finding = ask(env, "--quiet", code=1)["history"]
    assert finding["verdict"] == "broken"
    assert path.read_bytes() == content, "looking changes nothing"


# -- the checks by themselves -------------------------------------------------------------------------


def only(check, look, limit_s=20.0):
    (finding,) = examine(check, look, limit_s)
    return finding


def test_a_check_that_fails_or_hangs_is_one_line_and_keeps_what_it_had_found():
    def fails():
        yield fine("part", "so far")
        raise ZeroDivisionError("two\nlines")

    first, second = examine("group", fails, 5.0)
    assert first.found == "so far"
    assert (second.check, second.verdict) == ("group", Verdict.BROKEN)
    assert "ZeroDivisionError: two lines" in second.found
    release = threading.Event()

    def hangs():
        yield fine("part", "http://me:s3cret@cam/ so far")
        release.wait(30)

    first, second = examine("group", hangs, 0.05)
    release.set()
    assert first.found == "http://me:***@cam/ so far"
    assert "did not answer within 0.05 s" in second.found


def test_the_version_asked_for_is_the_one_that_is_checked():
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    assert f"mediapipe=={MEDIAPIPE_VERSION}" in project["project"]["dependencies"]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a distribution before those installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name, version):
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        return tmp_path

    return put


def test_the_installed_mediapipe_keeps_the_promise():
    assert only("mediapipe", check_no_reports).verdict is Verdict.FINE


def test_a_mediapipe_that_can_look_up_hosts_is_broken(install, monkeypatch):
    package = install("mediapipe", MEDIAPIPE_VERSION) / "mediapipe"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    (package / "quiet.so").write_bytes(b"\x7fELF no such code")
    assert only("mediapipe", check_no_reports).verdict is Verdict.FINE
    (package / "talker.so").write_bytes(b"\x7fELF" + bytes(5000) + b"\0getaddrinfo\0")
    finding = only("mediapipe", check_no_reports)
    assert finding.verdict is Verdict.BROKEN
    assert "talker.so" in finding.found


def test_another_mediapipe_is_broken(install):
    install("mediapipe", "1.2.2")
    finding = only("mediapipe", check_no_reports)
    assert finding.verdict is Verdict.BROKEN
    assert f"mediapipe=={MEDIAPIPE_VERSION}" in finding.remedy


def test_two_opencvs_are_a_fault(install):
    assert only("opencv", check_opencv).verdict is Verdict.FINE
    install("opencv-contrib-python", "5.0.0.1")
    finding = only("opencv", check_opencv)
    assert finding.verdict is Verdict.BROKEN
    assert "uninstall -y opencv-python-headless opencv-contrib-python" in finding.remedy


def test_another_pygame_is_said(install):
    assert only("pygame", check_pygame).verdict is Verdict.FINE
    install("pygame", "2.6.1")
    finding = only("pygame", check_pygame)
    assert finding.verdict is Verdict.BROKEN
    assert "uninstall -y pygame-ce pygame; python -m pip install pygame-ce" in finding.remedy


def test_the_versions_are_those_installed(install):
    assert f"mediapipe {MEDIAPIPE_VERSION}" in only("versions", check_versions).found
    install("numpy", "0.0.1")
    assert "numpy 0.0.1" in only("versions", check_versions).found


def test_another_model_is_checked(tmp_path):
    assert only("model", lambda: check_pose_model(Settings())).verdict is Verdict.FINE
    bad = tmp_path / "bad.task"
    bad.write_bytes(b"no zip")
    settings = load_settings(overrides=[f"model.path={bad}"])
    assert "not a pose model" in only("model", lambda: check_pose_model(settings)).found


def test_a_call_during_inference_is_found(monkeypatch):
    real = engine.make_observer

    def calling(settings):
        with contextlib.suppress(OSError), socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            socket.create_connection(closed.getsockname(), 1.0)
        return real(settings)

    found = {finding.check: finding for finding in check_engine(Settings())}
    assert {finding.verdict for finding in found.values()} == {Verdict.FINE}
    monkeypatch.setattr(engine, "make_observer", calling)
    found = {finding.check: finding for finding in check_engine(Settings())}
    assert found["network"].verdict is Verdict.BROKEN
    assert "127.0.0.1" in found["network"].found


def test_the_hour_grows_with_the_preset():
    def least_s(preset):
        settings = load_settings(overrides=[f"power.preset={preset}"])
        return float(engine._cost(settings, 0.02, 0.001).found.split("from ")[1].split()[0])

    assert least_s("eco") < least_s("balanced") < least_s("responsive")


@pytest.mark.parametrize("spec", [0, "0", "/dev/video0"])
def test_a_camera_that_may_not_be_opened_names_the_group(spec):
    settings = Settings(camera=CameraSettings(source=spec))
    with shared_folder() as folder:
        device = folder / "video0"

        def look():
            return check_camera_rights(settings, folder)

        assert only("camera rights", look).verdict is Verdict.SKIPPED
        device.write_bytes(b"")
        assert only("camera rights", look).verdict is Verdict.FINE
        device.chmod(0)
        with as_nobody():
            (finding,) = _unthreaded(look)
    assert finding.verdict is Verdict.BROKEN
    assert "video" in finding.found
    assert "usermod" in finding.found


def _unthreaded(look):
    """As `examine`, but on this thread: an effective user is a thread's own on Linux."""
    from posture.checks.finding import broken
    from posture.errors import PostureError

    try:
        return list(look())
    except PostureError as error:
        return [broken("camera rights", str(error))]


def test_a_clip_needs_no_rights_to_a_camera():
    settings = Settings(camera=CameraSettings(source=str(EMPTY)))
    assert only("camera rights", lambda: check_camera_rights(settings)).verdict is Verdict.SKIPPED
