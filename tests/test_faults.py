"""A real monitor whose camera, machine and files fail one after another: it judges again, and nothing is lost.

The quick part of benchmarks/fault_drill.py that no other file has: frozen and covered cameras are in test_attention,
notifications and the message bus in test_popups, test_delivery and test_watcher, the database alone in test_history_*,
two monitors in test_conductor.
"""

import contextlib
import signal
import sqlite3
import time

import cv2
import mjpeg_server
import pytest
from cli_helpers import front_baseline, home_env, posture, running, status
from mjpeg_server import MjpegServer

LOSS_MS = 5000
JUDGED_APART_S = 4.0  # half of the stop below; as much as lay between two judgements may count as slouched


@pytest.fixture
def env(tmp_path):
    env = home_env(tmp_path / "home")
    profile = tmp_path / "home/.local/share/posture/profiles/default.json"
    profile.parent.mkdir(parents=True)
    profile.write_bytes(front_baseline().read_bytes())
    return env


@pytest.fixture
def database(tmp_path):
    return tmp_path / "home/.local/share/posture/history.sqlite"


def is_judging(env):
    now = status(env)
    return now["camera"] == "ok" and not now["reason"] and now["state"] in ("upright", "slouching")


def rows(database, sql):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


def has_begun(database):
    """Return whether something is in the history."""
    if not database.exists() or not rows(database, "SELECT 1 FROM sqlite_schema WHERE name = 'bouts'"):
        return False
    return bool(rows(database, "SELECT id FROM bouts"))


def test_a_camera_in_trouble_is_judged_again_each_time(env, actor, monkeypatch):
    spoiled = {}

    class Encoder:
        @staticmethod
        def imencode(suffix, picture):
            is_ok, data = cv2.imencode(suffix, cv2.resize(picture, spoiled.get("size", (640, 480))))
            if "bytes" in spoiled:
                data[:] = 0x55
            return is_ok, data

    monkeypatch.setattr(mjpeg_server, "cv2", Encoder)
    with MjpegServer(rate_hz=16) as camera, running("run", "--source", camera.url, env=env) as process:
        process.wait_for("Watching")
        process.wait_for(lambda: is_judging(env))

        camera.close()
        process.wait_for(lambda: "camera lost" in status(env)["camera"])
        camera.start()
        process.wait_for(lambda: is_judging(env))

        spoiled["bytes"] = True
        process.wait_for(lambda: "camera lost" in status(env)["camera"])
        del spoiled["bytes"]
        process.wait_for(lambda: is_judging(env))

        camera.trickle_bytes = 20
        process.wait_for(lambda: "camera lost" in status(env)["camera"])
        camera.trickle_bytes = 0
        process.wait_for(lambda: is_judging(env))

        n_connections = camera.n_connections
        spoiled["size"] = (320, 240)
        actor.now = actor.slouched
        process.wait_for(lambda: status(env)["state"] == "slouching")
        assert camera.n_connections == n_connections, "another size is no reason to open it again"
        process.stop(signal.SIGTERM)


def test_time_stopped_is_no_time_slouched(env, actor):
    with MjpegServer(rate_hz=16) as camera, running("run", "--source", camera.url, env=env) as process:
        process.wait_for("Watching")
        actor.now = actor.slouched
        process.wait_for(lambda: status(env)["slouched_s"] > 0.0)
        before, before_s = status(env), time.monotonic()
        process.popen.send_signal(signal.SIGSTOP)
        stopped_s = time.monotonic()
        number = camera.number()
        process.wait_for(lambda: camera.number() - number > 16 * 8)  # eight seconds later
        stopped_s = time.monotonic() - stopped_s
        process.popen.send_signal(signal.SIGCONT)
        process.wait_for(lambda: status(env)["slouched_s"] > before["slouched_s"])
        slouched_s = status(env)["slouched_s"] - before["slouched_s"]
        assert slouched_s < time.monotonic() - before_s - stopped_s + JUDGED_APART_S
        process.stop(signal.SIGTERM)


def test_what_happens_to_its_files_ends_no_monitor(env, tmp_path, database, actor):
    config = tmp_path / "home/.config/posture/config.toml"
    with MjpegServer(rate_hz=16) as camera, running("run", "--source", camera.url, env=env) as process:
        process.wait_for(lambda: has_begun(database))
        config.parent.mkdir(parents=True)
        config.write_bytes(b"[alert\n\xff")
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            process.wait_for(lambda: "in use by another program" in status(env)["history"])
            assert is_judging(env)
            other.execute("ROLLBACK")
        process.stop(signal.SIGTERM)  # what waited is written at the end
    ((start_ms, end_ms),) = rows(database, "SELECT start_utc_ms, end_utc_ms FROM sessions")
    ((kept_ms,),) = rows(database, "SELECT sum(end_utc_ms - start_utc_ms) FROM bouts")
    assert kept_ms == end_ms - start_ms
    assert "not text in UTF-8" in posture("run", env=env, code=1).stderr


def test_a_killed_monitor_loses_no_more_than_five_seconds_and_starts_again(env, database, actor):
    lost_ms, ends = [], set()

    def has_written_again():
        ((end_ms,),) = rows(database, "SELECT max(end_utc_ms) FROM bouts")
        lost_ms.append(time.time() * 1000 - end_ms)  # by a kill at this moment
        ends.add(end_ms)
        return len(ends) > 1

    with MjpegServer(rate_hz=16) as camera:
        with running("run", "--source", camera.url, env=env) as process:
            process.wait_for(lambda: has_begun(database))
            process.wait_for(has_written_again)
            process.popen.kill()
            process.popen.wait(10)
        assert max(lost_ms) <= LOSS_MS
        assert rows(database, "PRAGMA integrity_check") == [("ok",)]
        assert rows(database, "SELECT max(end_utc_ms) FROM bouts") >= [(max(ends),)]
        with running("run", "--source", camera.url, env=env) as process:
            process.wait_for("Watching")
            process.wait_for(lambda: is_judging(env))
            process.stop(signal.SIGTERM)
    assert rows(database, "SELECT count(*) FROM sessions") == [(2,)]
