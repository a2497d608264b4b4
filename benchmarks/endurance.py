"""Hours of a run in minutes: does resident memory grow, do handles or threads add up, how large does the history get?

    python benchmarks/endurance.py inference [--minutes 30]
    python benchmarks/endurance.py traces [--hours 8]
    python benchmarks/endurance.py live [--minutes 30]

`inference` plays the packaged clip over and over, as fast as it goes, through the landmarker and all that a run has:
the pipeline, the conductor, the history, notifications with buttons on a private message bus, the panel, files of
events and of every frame. `traces` does the same with recorded landmarks, whose times are shifted to fill hours. `live`
watches a real `posture run` from outside, before an MJPEG stream of somebody who slouches and recovers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import cli_helpers
import desktop
import mjpeg_server
from actor import Actor

from posture import FaceNetwork, Observer, Pipeline, PoseLandmarker, Settings, open_source
from posture.angles import measure_rows
from posture.assembly import Assembly
from posture.bundled import DEMO_CLIP_NAME, asset_path
from posture.config import history_path, load_settings, state_path
from posture.history.recorder import HistorySink, make_watch
from posture.history.timeline import Moment
from posture.landmarks import Frame
from posture.monitor import FrameObserver
from posture.reception import Reception
from posture.recording.player import TraceObserver
from posture.recording.records import SeenFrame
from posture.sinks import EventSink, TraceSink
from posture.slouch import Reason
from posture.status import StatusBoard
from posture.trace import load_trace

MB = 1024 * 1024
HOUR_S = 3600.0
START_UTC_MS = 1_767_571_200_000  # some Monday
PAUSE_S = 0.25  # between two rounds of the clip
ALLOWED_RATIO = 0.05


class Ledger:
    """What the process holds, a line at a time.

    Parameters
    ----------
    process : psutil.Process
        Whose.
    marks : sequence of float
        When to take a line; growth is counted from the first of them.
    unit : str
        Of the marks.
    database : callable
        Return where the history is.
    """

    def __init__(
        self, process: psutil.Process, marks: list[float], unit: str, database: Callable[[], Path]
    ) -> None:
        self._process, self._marks, self._unit, self._database = process, marks, unit, database
        self.rows: list[tuple[float, float, int, int]] = []
        say(f"{unit:>8} {'frames':>9} {'resident MB':>12} {'threads':>8} {'handles':>8} {'history KB':>11}")

    def note(self, now: float, n_frames: int | str) -> None:
        """Take a line if one is due."""
        if not self._marks or now < self._marks[0]:
            return
        self._marks.pop(0)
        row = (self._process.memory_info().rss / MB, *self._held())
        self.rows.append((now, *row))
        sizes = [path.stat().st_size for path in self._database().parent.glob(self._database().name + "*")]
        say(f"{now:8.1f} {n_frames:>9} {row[0]:12.1f} {row[1]:8d} {row[2]:8d} {sum(sizes) / 1024:11.0f}")

    def _held(self) -> tuple[int, int]:
        """Return how many threads and handles there are for more than a moment."""
        looks = []
        for _ in range(20):
            looks.append((self._process.num_threads(), self._process.num_fds()))
            time.sleep(0.02)
        return min(looks)

    def verdict(self) -> bool:
        """Print what has grown, and return whether that is allowed."""
        (_, first_mb, *first), (_, last_mb, *last) = self.rows[0], self.rows[-1]
        growth = last_mb / first_mb - 1.0
        is_flat = growth < ALLOWED_RATIO and first == last
        say(
            f"resident {growth:+.1%} from {self._unit} {self.rows[0][0]:g} to {self.rows[-1][0]:g} "
            f"(wanted < {ALLOWED_RATIO:.0%}), threads {last[0] - first[0]:+d}, handles {last[1] - first[1]:+d} "
            f"(wanted 0): {'flat' if is_flat else 'NOT FLAT'}"
        )
        return is_flat


class Loop:
    """A source's name, and the time that the clock on the wall shows."""

    def __init__(self, name: str) -> None:
        self.name, self.t_s, self.n = name, 0.0, 0

    def wall_clock(self) -> Moment:
        return Moment(START_UTC_MS + round(1000 * self.t_s), 0)

    def clips(self) -> Iterator[Frame]:
        """Yield the packaged clip's frames for ever, at times that go on."""
        offset_s = 0.0
        while True:
            with open_source(str(asset_path(DEMO_CLIP_NAME))) as source:
                for frame in source:
                    self.t_s, self.n = offset_s + frame.t_s, self.n + 1
                    yield Frame(self.t_s, frame.image_rgb)
            offset_s = self.t_s + PAUSE_S

    def traces(self) -> Iterator[Frame]:
        """Yield somebody's half working hour for ever: at the desk for some minutes, then away for two and a half."""
        seen = list(measure_rows(load_trace(cli_helpers.FIXTURES / "d300_laptop.npz")))
        empty = list(measure_rows(load_trace(cli_helpers.FIXTURES / "empty_room.npz")))
        offset_s = 0.0
        while True:
            for rows in [seen] * 8 + [empty] * 40:
                for row in rows:
                    self.t_s, self.n = offset_s + float(row.t_s[0]), self.n + 1
                    yield SeenFrame(self.t_s, None, replace(row, t_s=row.t_s + offset_s), Reason.NONE, ())
                offset_s = self.t_s + PAUSE_S


def say(text: str) -> None:
    """Print past a live panel, which takes standard output for itself."""
    print(text, file=sys.__stdout__, flush=True)


def run_inside(
    loop: Loop,
    frames: Iterator[Frame],
    make_observer: Callable[[Pipeline], FrameObserver],
    ledger: Ledger,
    clock: Callable[[], float],
    end: float,
    folder: Path,
) -> bool:
    """Put a run together around `frames`, take lines until `clock` says `end`, and return whether it was flat."""
    settings: Settings = load_settings(overrides=["alert.sustain_s=10", "breaks.interval_s=1800"])
    stop = threading.Event()
    board = StatusBoard(loop.name, "bench")

    def watched() -> Iterator[Frame]:
        for frame in frames:
            ledger.note(clock(), loop.n)
            if clock() >= end:
                return
            yield frame

    with (
        contextlib.ExitStack() as stack,
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        Reception(state_path(), stop, board) as reception,
    ):
        pipeline = Pipeline(settings, calibrate_span_s=(0.0, 8.0))
        outputs = [
            HistorySink(
                history_path(), make_watch(pipeline, loop.name, "bench", None), clock=loop.wall_clock
            ),
            EventSink(folder / "events.jsonl"),
            TraceSink(folder / "trace.csv"),
        ]
        for sink in outputs:
            stack.callback(sink.close)
        observer = stack.enter_context(make_observer(pipeline))
        console = Console(file=nowhere, force_terminal=True, width=100)
        assembly = Assembly(loop, observer, pipeline, console, stop, reception=reception, outputs=outputs)
        assembly.run(watched())
        told = board.snapshot()
    say(
        f"{loop.t_s / HOUR_S:.1f} h of frame time, {told.alerts} alerts, "
        f"{told.notifications_sent} notifications"
    )
    return ledger.verdict()


def run_live(minutes: float, marks: list[float], home: Path, env: dict[str, str]) -> bool:
    """Watch a real run from outside."""
    actor = Actor()
    mjpeg_server.numbered_picture = actor.picture
    sets = ["calibration.countdown_s=0.5", "alert.sustain_s=10", "power.preset=responsive"]
    args = [part for setting in sets for part in ("--set", setting)]
    env = cli_helpers.home_env(home, **env)
    database = home / ".local/share/posture/history.sqlite"
    with (
        mjpeg_server.MjpegServer(rate_hz=15) as camera,
        cli_helpers.running("run", "--source", camera.url, *args, env=env) as monitor,
    ):
        monitor.wait_for("Watching")
        start_s = time.monotonic()
        ledger = Ledger(psutil.Process(monitor.popen.pid), marks, "minutes", lambda: database)
        now = 0.0
        while now < minutes:
            actor.now = actor.slouched if int(now * 60) % 60 < 30 else actor.upright
            time.sleep(1.0)
            assert monitor.popen.poll() is None, monitor.text
            now = (time.monotonic() - start_s) / 60.0
            ledger.note(now, "-")
        monitor.stop()
        print(monitor.text[-600:])
    return ledger.verdict()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["inference", "traces", "live"])
    parser.add_argument("--minutes", type=float, default=30.0, help="of real time; inference and live")
    parser.add_argument("--hours", type=float, default=8.0, help="of frame time; traces")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posture-endurance-")))
        bus = stack.enter_context(desktop.session_bus())
        stack.enter_context(bus.scripted_service("buttons"))
        minutes = [m for m in (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0) if m < args.minutes] + [args.minutes]
        if args.what == "live":
            is_flat = run_live(args.minutes, minutes, home, {"DBUS_SESSION_BUS_ADDRESS": bus.address})
            sys.exit(not is_flat)
        for kind in ("CONFIG", "DATA", "STATE"):
            os.environ[f"XDG_{kind}_HOME"] = str(home / kind.lower())
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        me, start_s = psutil.Process(), time.monotonic()
        if args.what == "inference":
            loop = Loop("clip")
            ledger = Ledger(me, minutes, "minutes", history_path)
            is_flat = run_inside(
                loop,
                loop.clips(),
                lambda _: Observer(PoseLandmarker(), face_network=FaceNetwork()),
                ledger,
                lambda: (time.monotonic() - start_s) / 60.0,
                args.minutes,
                home,
            )
        else:
            loop = Loop("trace")
            marks = [0.5, *(float(h) for h in range(1, int(args.hours) + 1))]
            ledger = Ledger(me, marks, "hours", history_path)
            is_flat = run_inside(
                loop,
                loop.traces(),
                lambda pipeline: TraceObserver(pipeline, has_own_baseline=False),
                ledger,
                lambda: loop.t_s / HOUR_S,
                args.hours + 0.001,
                home,
            )
    sys.exit(not is_flat)


if __name__ == "__main__":
    main()
