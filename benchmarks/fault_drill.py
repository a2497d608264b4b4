"""Everything that goes wrong in a working day, done to a real `posture run`; prints a table.

    python benchmarks/fault_drill.py [DRILL]... [--quick]

Without names all drills are done (about a quarter of an hour; with --quick a third of that). The camera is an MJPEG
stream on loopback, before which somebody sits. Judging is what the monitor itself answers over its control channel, as
`posture status --json` prints it: camera ok, no reason not to judge, a frame dealt with after the trouble was over.
History lost is the time since the first frame that no bout in the database covers, a time asleep left out.

The script runs in a mount namespace of its own (`unshare`), so that a disk can be full; the drill with the clock needs
Debian's libfaketime.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import cli_helpers
import desktop
import mjpeg_server
from actor import Actor
from synthetic_history import make_year

from posture.errors import ControlError
from posture.history.store import History
from posture.slouch import Reason, SlouchState
from posture.status import Status, read_status

BACK_S, LOST_S = 5.0, 5.0  # what is wanted
POLL_S = 0.05
FAST = ("alert.sustain_s=2", "alert.cooldown_s=0", "alert.max_per_hour=60")
FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"
JUDGED = (SlouchState.UPRIGHT, SlouchState.SLOUCHING)


@dataclass
class Row:
    """A drill's line in the table."""

    drill: str
    done: str
    outcome: str = ""
    back_s: float | None = None
    lost_s: float | None = None
    is_met: bool = True
    note: str = ""

    def judge(self) -> Row:
        """Find what is not as wanted."""
        self.is_met &= (self.back_s or 0.0) <= BACK_S and (self.lost_s or 0.0) <= LOST_S
        return self


class Scene(Actor):
    """Somebody before a camera, and what may become of the pictures on their way."""

    def __init__(self) -> None:
        super().__init__()
        self.change: Callable[[np.ndarray], np.ndarray] = lambda picture: picture
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self.still: np.ndarray | None = None
        mjpeg_server.numbered_picture = lambda number: self.change(self.picture(number))
        mjpeg_server.cv2 = self  # type: ignore[assignment]

    def imencode(self, suffix: str, picture: np.ndarray) -> tuple[bool, np.ndarray]:
        """Encode a picture as the server's OpenCV would, and spoil it."""
        data = cv2.imencode(suffix, picture)[1].tobytes()
        return True, np.frombuffer(self.spoil(data), np.uint8)


class Monitor:
    """A real `posture run`, and what it answers.

    Parameters
    ----------
    home : Path
        Of its user; the baseline is there already.
    url : str
        Its camera.
    settings : sequence of str
        Beside the defaults.
    env : dict
        Beside the home's.
    """

    def __init__(self, home: Path, url: str, settings: tuple[str, ...] = (), **env: str) -> None:
        self.home = home
        self.state = home / ".local/state/posture"
        self.database = home / ".local/share/posture/history.sqlite"
        profile = home / ".local/share/posture/profiles/default.json"
        profile.parent.mkdir(parents=True, exist_ok=True)
        if not profile.exists():
            shutil.copy(cli_helpers.front_baseline(), profile)
        sets = [part for setting in settings for part in ("--set", setting)]
        self.env = cli_helpers.home_env(home, **env)
        self.process = cli_helpers.Running(("run", "--source", url, *sets), self.env)
        self.first_s: float | None = None

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.popen.kill()
        self.process.popen.wait(10)
        self.process._reader.join(10)
        self.process.popen.stdout.close()

    @property
    def text(self) -> str:
        return self.process.text

    def status(self) -> Status | None:
        """Return how it stands; None = no answer."""
        try:
            status = read_status(self.state)
        except ControlError:
            return None
        if status is not None and status.age_s is not None and self.first_s is None:
            self.first_s = time.monotonic() - status.age_s
        return status

    def is_judging(self, since_s: float = 0.0) -> bool:
        """Return whether it has judged a frame since then."""
        status, now_s = self.status(), time.monotonic()
        return (
            status is not None
            and status.age_s is not None
            and status.age_s < min(2.0, now_s - since_s)
            and status.camera == "ok"
            and status.reason is Reason.NONE
            and status.state in JUDGED
        )

    def wait(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> float:
        """Wait for it, and return the seconds that took; infinity if it did not come."""
        start_s = time.monotonic()
        while not condition():
            if time.monotonic() - start_s > timeout_s or self.process.popen.poll() is not None:
                return float("inf")
            time.sleep(POLL_S)
        return time.monotonic() - start_s

    def wait_for_status(self, condition: Callable[[Status], bool], timeout_s: float = 100.0) -> Status:
        """Wait for an answer that is so, and return the last answer."""
        self.wait(lambda: (status := self.status()) is not None and condition(status), timeout_s)
        status = self.status()
        assert status is not None, self.text
        return status

    def begin(self) -> Monitor:
        """Wait until it judges, and a little longer."""
        if self.wait(self.is_judging) == float("inf"):
            raise SystemExit(f"the monitor did not begin to judge:\n{self.text}")
        time.sleep(1.0)
        return self

    def back_s(self, timeout_s: float = 60.0) -> float:
        """Return the seconds until it judges what comes from now on."""
        since_s = time.monotonic()
        return self.wait(lambda: self.is_judging(since_s), timeout_s)

    def not_judging_s(self, seconds: float) -> float:
        """Watch for a while and return the longest time without a judgement."""
        start_s = last_s = time.monotonic()
        longest_s = 0.0
        while (now_s := time.monotonic()) - start_s < seconds and self.process.popen.poll() is None:
            if self.is_judging():
                last_s = now_s
            longest_s = max(longest_s, now_s - last_s)
            time.sleep(POLL_S)
        return longest_s

    def end(self, asleep_s: float = 0.0) -> float:
        """End it as a service would be, and return the seconds of history lost."""
        end_s = time.monotonic()
        self.stop()
        return self.lost_s(end_s, asleep_s)

    def stop(self) -> None:
        """End it as a service would be."""
        with contextlib.redirect_stdout(None):
            self.process.stop(signal.SIGTERM, within_s=5.0)

    def lost_s(self, end_s: float, asleep_s: float = 0.0) -> float:
        """Return how much of the time since the first frame the history does not have."""
        assert self.first_s is not None
        return max(0.0, end_s - self.first_s - asleep_s - self.covered_s())

    def covered_s(self, since_utc_s: float = 0.0) -> float:
        """Return the seconds that the bouts of the database cover, after checking that it is sound."""
        since_ms = round(1e3 * since_utc_s)
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            ((total_ms,),) = connection.execute(
                "SELECT total(end_utc_ms - max(?1, start_utc_ms)) FROM bouts WHERE end_utc_ms > ?1",
                (since_ms,),
            ).fetchall()
            return total_ms / 1e3

    def said(self, *words: str) -> str:
        """Return the line it printed that has one of these words."""
        lines = [line.strip() for line in self.text.splitlines() if any(word in line for word in words)]
        return lines[0] if lines else ""


class Drills:
    """The drills, each a method that yields rows."""

    def __init__(self, folder: Path, *, is_quick: bool) -> None:
        self.folder, self.is_quick = folder, is_quick
        self.rng = random.Random(20)
        self.n_homes = 0

    def _home(self) -> Path:
        self.n_homes += 1
        return self.folder / f"home{self.n_homes}"

    @contextlib.contextmanager
    def _watched(
        self, *settings: str, fault: str = "", after: float = 0.0, **env: str
    ) -> Iterator[tuple[Scene, mjpeg_server.MjpegServer, Monitor]]:
        scene = Scene()
        with (
            mjpeg_server.MjpegServer(fault, after=after, rate_hz=15.0) as camera,
            Monitor(self._home(), camera.url, settings, **env) as monitor,
        ):
            monitor.begin()
            yield scene, camera, monitor

    # -- the camera -----------------------------------------------------------------------------------

    def restart(self) -> Iterator[Row]:
        """The camera's server is killed and started again."""
        times = 4 if self.is_quick else 20
        outages_s = [self.rng.uniform(0.0, 12.0) for _ in range(times - 1)] + [6.0 if self.is_quick else 30.0]
        with self._watched() as (_, camera, monitor):
            process, back_s, cpu_s, out_s = psutil.Process(monitor.process.popen.pid), [], 0.0, 0.0
            n_handles = held(process)
            for outage_s in outages_s:
                camera.close()
                monitor.wait(lambda: not monitor.is_judging(), 20.0)
                before_s, start_s = sum(process.cpu_times()[:2]), time.monotonic()
                time.sleep(outage_s)
                cpu_s += sum(process.cpu_times()[:2]) - before_s
                out_s += time.monotonic() - start_s
                camera.start()
                back_s.append(monitor.back_s())
            handles = [after - before for after, before in zip(held(process), n_handles, strict=True)]
            lost_s = monitor.end()
        ordered = sorted(back_s)
        yield Row(
            "server killed",
            f"{times} times, for 0-12 s, last {outages_s[-1]:g} s",
            f"alive; median {ordered[times // 2]:.1f} s, worst {ordered[-1]:.1f} s; {cpu_s / out_s:.1%} of a core "
            f"while lost; handles {handles[0]:+d}, threads {handles[1]:+d}",
            max(back_s),
            lost_s,
            cpu_s / out_s < 0.1,
        ).judge()

    def hung(self) -> Iterator[Row]:
        """The camera's server takes connections and says nothing."""
        with self._watched() as (_, camera, monitor):
            back_s = []
            for _ in range(3 if self.is_quick else 10):
                camera.close()
                camera.fault = "mute"
                camera.start()
                monitor.wait(lambda: not monitor.is_judging(), 20.0)
                time.sleep(self.rng.uniform(5.0, 12.0))
                camera.fault = ""  # for the next connection; the one that waits is never answered
                back_s.append(monitor.back_s())
            lost_s = monitor.end()
        ordered = sorted(back_s)
        outcome = f"alive; median {ordered[len(ordered) // 2]:.1f} s, worst {ordered[-1]:.1f} s"
        yield Row("server hung", f"{len(back_s)} times, for 5-12 s", outcome, ordered[-1], lost_s).judge()

    def _spell(self, drill: str, done: str, expected: str, spoil: Callable[[Scene], None]) -> Row:
        """Spoil what is seen until the monitor has noticed, undo it, and wait until it judges again."""
        with self._watched() as (scene, _, monitor):
            spoil(scene)
            noticed_s = monitor.wait(lambda: not monitor.is_judging(), 25.0)
            time.sleep(2.0)
            status = monitor.status()
            scene.change, scene.spoil = (lambda picture: picture), (lambda data: data)
            back_s = monitor.back_s()
            lost_s = monitor.end()
        shown = "" if status is None else f"{status.reason.value}, camera {status.camera.split(' (')[0]}"
        outcome = f"alive; noticed after {noticed_s:.1f} s: {shown}"
        return Row(drill, done, outcome, back_s, lost_s, expected in shown).judge()

    def frozen(self) -> Iterator[Row]:
        """The same picture again and again."""

        def freeze(scene: Scene) -> None:
            still = scene.upright[0].copy()
            scene.change = lambda _: still

        yield self._spell("frozen stream", "the same picture to the bit", "camera_frozen", freeze)

    def black(self) -> Iterator[Row]:
        """Nothing but black."""

        def cover(scene: Scene) -> None:
            scene.change = np.zeros_like

        yield self._spell("black frames", "all pixels 0", "camera_covered", cover)

    def garbage(self) -> Iterator[Row]:
        """Bytes that are no picture, in the middle of a connection."""

        def spoil(scene: Scene) -> None:
            scene.spoil = lambda data: self.rng.randbytes(len(data))

        yield self._spell("garbage mid-stream", "random bytes for pictures", "lost", spoil)

        def cut(scene: Scene) -> None:
            scene.spoil = lambda data: data[: len(data) // 3]

        with self._watched() as (scene, _, monitor):
            cut(scene)
            longest_s = monitor.not_judging_s(8.0)
            scene.spoil = lambda data: data
            back_s = monitor.back_s()
            lost_s = monitor.end()
            yield Row(
                "cut pictures",
                "a third of every JPEG, 8 s",
                f"alive; up to {longest_s:.1f} s unjudged",
                back_s,
                lost_s,
            ).judge()

    def trickle(self) -> Iterator[Row]:
        """A stream that comes byte by byte."""
        with self._watched() as (_, camera, monitor):
            camera.trickle_bytes = 40
            noticed_s = monitor.wait(lambda: not monitor.is_judging(), 25.0)
            time.sleep(6.0)
            status = monitor.status()
            camera.trickle_bytes = 0
            back_s = monitor.back_s()
            lost_s = monitor.end()
        shown = "" if status is None else f"{status.reason.value}, camera {status.camera.split(' (')[0]}"
        yield Row(
            "slow trickle",
            "400 bytes a second",
            f"alive; noticed after {noticed_s:.1f} s: {shown}",
            back_s,
            lost_s,
            "lost" in shown,
        ).judge()

    def resolution(self) -> Iterator[Row]:
        """The picture's size changes in the middle of a connection."""
        with self._watched() as (scene, _, monitor):
            longest_s = 0.0
            for size in ((320, 180), (1280, 720), (641, 361), (640, 360)):
                scene.change = lambda picture, size=size: cv2.resize(picture, size)
                longest_s = max(longest_s, monitor.not_judging_s(4.0))
            scene.change = lambda picture: picture
            back_s = monitor.back_s()
            yield Row(
                "resolution change",
                "4 sizes, 4 s each",
                f"alive; up to {longest_s:.1f} s unjudged",
                max(back_s, longest_s),
                monitor.end(),
            ).judge()

    # -- the desktop ----------------------------------------------------------------------------------

    def _slouch(self, scene: Scene, monitor: Monitor) -> int:
        """Slouch until there is one more alert, sit up again, and return how many there have been."""
        before = monitor.status().alerts
        scene.now = scene.slouched
        monitor.wait(lambda: (status := monitor.status()) is not None and status.alerts > before, 30.0)
        scene.now = scene.upright
        status = monitor.wait(
            lambda: (s := monitor.status()) is not None and s.state is SlouchState.UPRIGHT, 30.0
        )
        time.sleep(0.5)
        return before + 1 if status < 30.0 else -1

    def notifications(self) -> Iterator[Row]:
        """The notification daemon is killed, hangs, is absent, comes back."""
        with desktop.session_bus() as bus:
            address = {"DBUS_SESSION_BUS_ADDRESS": bus.address}
            for kind in ("killed", "hung", "absent"):
                with contextlib.ExitStack() as stack:
                    first = "hang" if kind == "hung" else "buttons"
                    if kind != "absent":
                        service = stack.enter_context(bus.scripted_service(first))
                    scene, _, monitor = stack.enter_context(self._watched(*FAST, **address))
                    if kind == "killed":
                        self._slouch(scene, monitor)
                        service.line(15.0)
                        service.popen.kill()
                        service.popen.wait(10)
                    longest_s = 0.0
                    slouching = threading.Thread(target=self._slouch, args=(scene, monitor))
                    slouching.start()
                    while slouching.is_alive():
                        longest_s = max(longest_s, monitor.not_judging_s(1.0))
                    told = monitor.status()
                    if kind == "hung":  # gone as well, before another may come
                        told = monitor.wait_for_status(lambda status: bool(status.last_notification_error))
                        service.popen.kill()
                        service.popen.wait(10)
                    desktop.wait_until(lambda: not bus.has_service(), "the bus without the service")
                    with bus.scripted_service("buttons") as again:
                        self._slouch(scene, monitor)
                        try:
                            arrived = "again after its restart" if again.line(15.0) else ""
                        except BaseException as error:  # pytest's failure is no Exception
                            arrived = f"NOT again after its restart ({type(error).__name__})"
                        lost_s = monitor.end()
                yield Row(
                    f"notifications {kind}",
                    "an alert meanwhile, one after its restart",
                    f"alive, {told.notifications_failed} failed; {arrived}",
                    longest_s,
                    lost_s,
                    not arrived.startswith("NOT"),
                    monitor.said("do not arrive", "without buttons"),
                ).judge()

    def dbus(self) -> Iterator[Row]:
        """The session bus goes."""
        with contextlib.ExitStack() as stack:
            bus = stack.enter_context(desktop.session_bus())
            service = stack.enter_context(bus.scripted_service("buttons"))
            run = self._watched(*FAST, DBUS_SESSION_BUS_ADDRESS=bus.address)
            with run as (scene, _, monitor):
                self._slouch(scene, monitor)
                service.line(15.0)
                process = psutil.Process(monitor.process.popen.pid)
                daemon = next(p for p in psutil.process_iter(["cmdline"]) if is_bus(p, bus.address))
                daemon.kill()
                cpu_s = sum(process.cpu_times()[:2])
                longest_s = monitor.not_judging_s(5.0)
                cpu_s = sum(process.cpu_times()[:2]) - cpu_s
                self._slouch(scene, monitor)
                failed = monitor.status().notifications_failed
                yield Row(
                    "D-Bus gone",
                    "the session bus killed, an alert after it",
                    f"alive, {failed} failed; {cpu_s / 5.0:.1%} of a core in all",
                    longest_s,
                    monitor.end(),
                    note=monitor.said("do not arrive"),
                ).judge()

    # -- the disk -------------------------------------------------------------------------------------

    def disk(self) -> Iterator[Row]:
        """The disk with history and state is full, while it runs and at its start."""
        home = self._home()
        home.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(home)], check=False)
        if done.returncode:
            yield Row("disk full", "", "NOT DONE: no mount here", is_met=False)
            return
        scene = Scene()
        filler = home / "filler"
        with mjpeg_server.MjpegServer(rate_hz=15.0) as camera:
            with Monitor(home, camera.url) as monitor:
                monitor.begin()
                fill(filler)
                longest_s = monitor.not_judging_s(10.0 if self.is_quick else 40.0)
                problem = monitor.status().history
                filler.unlink()
                kept_s = monitor.wait(lambda: monitor.status().history == "", 60.0)
                yield Row(
                    "disk full",
                    "6 MB tmpfs filled while running, freed",
                    f"alive; kept again {kept_s:.0f} s after there was room",
                    longest_s,
                    monitor.end(),
                    bool(problem),
                    monitor.said("not being kept"),
                ).judge()
            fill(filler)
            with Monitor(home, camera.url) as monitor:
                back_s = monitor.wait(monitor.is_judging, 30.0)
                code = monitor.process.popen.poll()
                outcome = f"exit {code}" if code is not None else "alive and judging"
                yield Row(
                    "disk full at start", "the same, before it starts", outcome, note=last_line(monitor)
                )
                filler.unlink()
        del scene, back_s
        subprocess.run(["umount", "-l", str(home)], check=False)

    def locked(self) -> Iterator[Row]:
        """Another process has the database for itself."""
        for how in ("IMMEDIATE", "EXCLUSIVE"):
            with self._watched() as (_, _, monitor):
                with contextlib.closing(sqlite3.connect(monitor.database, isolation_level=None)) as other:
                    other.execute(f"BEGIN {how}")
                    longest_s = monitor.not_judging_s(12.0)
                    problem = monitor.status().history
                    other.execute("ROLLBACK")
                kept_s = monitor.wait(lambda: monitor.status().history == "", 60.0)
                longest_s = max(longest_s, monitor.not_judging_s(1.0))
                yield Row(
                    "database locked",
                    f"BEGIN {how} by another process, 12 s",
                    f"alive; kept again after {kept_s:.0f} s",
                    longest_s,
                    monitor.end(),
                    bool(problem),
                    monitor.said("not being kept"),
                ).judge()

    def corrupted(self) -> Iterator[Row]:
        """The database, with a month in it, is overwritten or deleted while it runs."""
        for how in ("header", "pages", "all files", "deleted"):
            home = self._home()
            database = home / ".local/share/posture/history.sqlite"
            with History(database, is_writable=True) as history:
                make_year(history, 31)
            scene = Scene()
            with mjpeg_server.MjpegServer(rate_hz=15.0) as camera:
                with Monitor(home, camera.url) as monitor:
                    monitor.begin()
                    time.sleep(5.0)
                    damaged_s = time.monotonic()
                    self._damage(sorted(database.parent.glob("history.sqlite*")), how)
                    longest_s = monitor.not_judging_s(15.0)
                    note, end_s = monitor.said("kept as", "not being kept"), time.monotonic()
                    monitor.stop()
                with Monitor(home, camera.url) as again:
                    again.begin()
                    note = note or again.said("kept as", "not being kept")
                    restarted_s = time.monotonic() - again.first_s
                    again.stop()
            del scene
            # What was there before the damage is in the file kept aside; what came after must be in a sound one.
            asides = [path.name for path in database.parent.glob("*damaged*.sqlite")]
            covered_s = again.covered_s(since_utc_s=time.time() - (time.monotonic() - damaged_s))
            lost_s = max(0.0, end_s - damaged_s + restarted_s - covered_s)
            outcome = f"alive; next start works; {len(asides)} kept aside, the history in use is sound"
            yield Row(
                "database corrupted", f"{how}, while running", outcome, longest_s, lost_s, note=note
            ).judge()

    def _damage(self, files: list[Path], how: str) -> None:
        """Overwrite or delete a database's files."""
        for file in files if how in ("all files", "deleted") else files[:1]:
            if how == "deleted":
                file.unlink()
                continue
            start = 4096 if how == "pages" else 0
            with file.open("r+b") as handle:
                handle.seek(start)
                handle.write(self.rng.randbytes(100 if how == "header" else file.stat().st_size - start))

    def config(self) -> Iterator[Row]:
        """The configuration file is broken, while it runs and at the start."""
        with self._watched() as (_, camera, monitor):
            config = monitor.home / ".config/posture/config.toml"
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_bytes(b"[alert\nsustain_s = \xff\xfe = 60")
            longest_s = monitor.not_judging_s(5.0)
            is_answered = json.loads(cli_helpers.posture("status", "--json", env=monitor.env).stdout)["pid"]
            lost_s = monitor.end()
            yield Row("config broken", "while running", "alive", longest_s, lost_s, bool(is_answered)).judge()
            with Monitor(monitor.home, camera.url) as again:
                code = again.process.finish(60)
                yield Row("config broken", "at the start", *one_line(again, code))

    # -- the machine ----------------------------------------------------------------------------------

    def stopped(self) -> Iterator[Row]:
        """The process stands still for a minute."""
        seconds = 15.0 if self.is_quick else 60.0
        with self._watched("alert.sustain_s=10", "alert.max_per_hour=60") as (scene, _, monitor):
            scene.now = scene.slouched
            monitor.wait(lambda: monitor.status().state is SlouchState.SLOUCHING, 30.0)
            before = monitor.status()
            stopped_s = time.monotonic()
            monitor.process.popen.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            monitor.process.popen.send_signal(signal.SIGCONT)
            stopped_s = time.monotonic() - stopped_s
            back_s = monitor.back_s()
            after = monitor.status()
            counted_s = after.slouched_s - before.slouched_s
            scene.now = scene.upright
            time.sleep(2.0)
            lost_s = monitor.end(asleep_s=stopped_s)
            yield Row(
                "SIGSTOP, SIGCONT",
                f"{seconds:g} s in the middle of a slouch",
                f"alive; {max(0.0, counted_s):.1f} s more slouched, {after.alerts - before.alerts} alerts",
                back_s,
                lost_s,
                counted_s < back_s + 5.0,
            ).judge()

    def clock(self) -> Iterator[Row]:
        """The clock on the wall is set back while it runs."""
        libraries = sorted(Path("/usr/lib").glob(FAKETIME.removeprefix("/usr/lib/")))
        if not libraries:
            yield Row("clock set back", "", "NOT DONE: needs libfaketime", is_met=False)
            return
        for back, again_s in (("-2h", 0.0), ("-10s", 10.0), ("+3h", 0.0)):  # the same 10 s are not kept twice
            stamp = self.folder / f"clock{back}"
            stamp.write_text("+0\n", encoding="utf-8")
            env = {
                "LD_PRELOAD": str(libraries[0]),
                "FAKETIME_TIMESTAMP_FILE": str(stamp),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
            with self._watched(**env) as (_, _, monitor):
                time.sleep(5.0)
                stamp.write_text(f"{back}\n", encoding="utf-8")
                longest_s = monitor.not_judging_s(20.0)
                lost_s = monitor.end(again_s)
                with contextlib.closing(sqlite3.connect(monitor.database)) as connection:
                    (n,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
                yield Row(
                    "clock set",
                    f"{back}, while running",
                    f"alive; {n} sessions"
                    + (f", the {again_s:g} s there were twice kept once" if again_s else ""),
                    longest_s,
                    lost_s,
                    note=monitor.said("clock"),
                ).judge()

    def killed(self) -> Iterator[Row]:
        """SIGKILL at random moments, the first of them while it starts."""
        times = 5 if self.is_quick else 20
        Scene()
        home, lost, start = self._home(), [], []
        n_early = 0
        with mjpeg_server.MjpegServer(rate_hz=15.0) as camera:
            for n in range(times):
                with Monitor(home, camera.url) as monitor:
                    before_s = monitor.covered_s() if monitor.database.exists() else 0.0
                    if n % 4 == 0:  # while it starts
                        time.sleep(self.rng.uniform(0.0, 2.0))
                        n_early += 1
                    else:
                        start.append(monitor.wait(monitor.is_judging))
                        time.sleep(self.rng.uniform(0.0, 10.0))
                        monitor.status()
                    end_s = time.monotonic()
                    monitor.process.popen.kill()
                    monitor.process.popen.wait(10)
                    if monitor.database.exists():
                        covered_s = monitor.covered_s() - before_s  # checks that it is sound
                        if monitor.first_s is not None:
                            lost.append(end_s - monitor.first_s - covered_s)
            with Monitor(home, camera.url) as monitor:
                monitor.begin()
                monitor.stop()
                monitor.covered_s()
        yield Row(
            "SIGKILL",
            f"{times} times, {n_early} of them while starting",
            f"every next start judges within {max(start):.1f} s of its beginning; database sound each time",
            None,
            max(lost),
            max(start) < 60.0,
        ).judge()

    def twice(self) -> Iterator[Row]:
        """Two are started at once."""
        for n in range(2 if self.is_quick else 5):
            Scene()
            home = self._home()
            with (
                mjpeg_server.MjpegServer(rate_hz=15.0) as camera,
                Monitor(home, camera.url) as one,
                Monitor(home, camera.url) as other,
            ):
                ended = time.monotonic() + 60.0
                while time.monotonic() < ended and not any(
                    m.process.popen.poll() is not None for m in (one, other)
                ):
                    time.sleep(POLL_S)
                codes = [m.process.popen.poll() for m in (one, other)]
                if codes.count(None) != 1:
                    yield Row("two at once", "", f"exit codes {codes}", is_met=False)
                    continue
                loser, winner = (one, other) if codes[0] is not None else (other, one)
                loser.process.finish(10)
                winner.begin()
                lost_s = winner.end()
                if n == 0:
                    row = Row(
                        "two at once",
                        "a few times",
                        *one_line(loser, loser.process.popen.poll())[:1],
                        None,
                        lost_s,
                    )
        yield row.judge()


def held(process: psutil.Process) -> tuple[int, int]:
    """Return how many handles and threads a process has; an answer on its way takes some for a moment."""
    looks = []
    for _ in range(20):
        looks.append((process.num_fds(), process.num_threads()))
        time.sleep(POLL_S)
    return min(looks)


def is_bus(process: psutil.Process, address: str) -> bool:
    """Return whether a process is the bus daemon that a test started."""
    folder = address.removeprefix("unix:path=").partition(",")[0].rpartition("/")[0]
    return "dbus-daemon" in " ".join(process.info["cmdline"] or ()) and folder in " ".join(
        process.info["cmdline"]
    )


def fill(path: Path) -> None:
    """Leave no room on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for size in (1 << 16, 1):
        with contextlib.suppress(OSError):
            while True:
                os.write(handle, bytes(size))
    os.close(handle)


def last_line(monitor: Monitor) -> str:
    """Return the last line printed."""
    lines = monitor.text.strip().splitlines()
    return lines[-1] if lines else ""


def one_line(monitor: Monitor, code: int | None) -> tuple[str, float | None, float | None, bool]:
    """Return the rest of a row about a process that should have ended with one line."""
    lines = [line for line in monitor.text.splitlines() if line.startswith("posture: ")]
    is_clear = code not in (0, None) and len(lines) == 1
    return f"exit {code}: {lines[0] if lines else monitor.text!r}", None, None, is_clear


def show(rows: list[Row]) -> None:
    """Print the table."""
    print("\n| drill | what was done | outcome | back s | lost s | |\n|---|---|---|---|---|---|")
    for row in rows:
        back, lost = ("-" if value is None else f"{value:.1f}" for value in (row.back_s, row.lost_s))
        outcome = f"{row.outcome}: {row.note}" if row.note else row.outcome
        print(
            f"| {row.drill} | {row.done} | {outcome} | {back} | {lost} | {'ok' if row.is_met else 'NOT MET'} |"
        )


def main() -> None:
    names = [name for name in vars(Drills) if not name.startswith("_")]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("drills", nargs="*", metavar="DRILL", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="fewer times, shorter waits")
    args = parser.parse_args()
    if "POSTURE_DRILL" not in os.environ:  # again, in a mount namespace
        os.environ["POSTURE_DRILL"] = "1"
        command = [sys.executable, *sys.argv]
        is_possible = (
            subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0
        )
        command = ["unshare", "-rm", *command] if is_possible else command
        sys.exit(subprocess.run(command, check=False).returncode)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="posture-drill-", ignore_cleanup_errors=True) as folder:
        drills = Drills(Path(folder), is_quick=args.quick)
        for name in args.drills or names:
            start_s = time.monotonic()
            try:
                for row in getattr(drills, name)():
                    rows.append(row)
                    print(f"{row.drill}: {row.outcome} {'ok' if row.is_met else 'NOT MET'}", flush=True)
            except (Exception, desktop.pytest.fail.Exception) as error:
                rows.append(
                    Row(name, "", f"the drill broke off: {type(error).__name__}: {error}", is_met=False)
                )
                print(rows[-1].outcome, flush=True)
            print(f"  ({name}: {time.monotonic() - start_s:.0f} s)", flush=True)
    show(rows)
    sys.exit(not all(row.is_met for row in rows))


if __name__ == "__main__":
    main()
