"""Recordings of landmarks: their size when a camera is watched live, and how fast they are replayed.

python benchmarks/recording.py size CLIP [--minutes 10] [--calibrate 12] [--preset balanced]
python benchmarks/recording.py speed [--hours 1] [--rate 15]

`size` serves CLIP (a desk session; its first seconds upright) again and again as MJPEG at 640x480 and 15 pictures a
second, with sensor noise, to `posture run --record`. `speed` makes a recording of a fixture's landmarks, every row its
own, and replays it with `posture replay` on one core, beside a bare loop that adds up the same numbers.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import mjpeg_server
from duty import RATE_HZ, read_clip

from posture.landmarks import Landmarks
from posture.pipeline import Pipeline
from posture.recording.player import TraceSource
from posture.recording.records import SeenFrame
from posture.recording.writer import TraceWriter, make_header
from posture.settings import Settings
from posture.trace import load_trace

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "d301_monitor.npz"
POSTURE = [sys.executable, "-m", "posture"]


def measure_size(clip: Path, minutes: float, calibrate_s: float, preset: str) -> None:
    pictures, fps = read_clip(clip)

    class Encoded:  # what the server's cv2.imencode gives: the picture is encoded already
        imencode = staticmethod(lambda _suffix, picture: (True, picture))

    mjpeg_server.cv2 = Encoded
    mjpeg_server.numbered_picture = lambda number: pictures[int(number / RATE_HZ * fps) % len(pictures)]
    with tempfile.TemporaryDirectory() as home, mjpeg_server.MjpegServer(rate_hz=RATE_HZ) as server:
        env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {"HOME": home}
        take = ["calibrate", "--source", str(clip), "--seconds", f"{calibrate_s}"]
        subprocess.run([*POSTURE, *take], env=env, check=True, stdout=subprocess.DEVNULL)
        trace = Path(home) / "day.posture"
        run = ["run", "--source", server.url, "--record", str(trace), "--set", "notify.enabled=false"]
        child = subprocess.Popen(
            [*POSTURE, *run, "--set", f"power.preset={preset}"], env=env, stdout=subprocess.DEVNULL
        )
        threading.Event().wait(60.0 * minutes)
        child.terminate()
        child.wait(30)
        told = subprocess.run(
            [*POSTURE, "trace", "info", "--json", str(trace)], env=env, check=True, capture_output=True
        )
        info = json.loads(told.stdout)
    judged_hz = info["judged_ratio"] * info["frames"] / info["duration_s"]
    print(
        f"{clip.name}, {preset}, {info['duration_s'] / 60:.1f} min: {info['frames'] / info['duration_s']:.2f} looks/s, "
        f"{judged_hz:.2f} judged/s, {info['bytes_per_hour'] / 1e6:.2f} MB an hour"
    )


def measure_speed(hours: float, rate_hz: float) -> None:
    source = load_trace(FIXTURE)
    n = round(hours * 3600.0 * rate_hz)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "long.posture"
        with TraceWriter(trace, make_header("benchmark")) as writer:
            for i in range(n):
                row = source[(t := i % len(source)) : t + 1]
                writer.add(dataclasses.replace(row, t_s=np.array([i / rate_hz])))
        env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {
            "HOME": folder
        }
        start_s = time.perf_counter()
        subprocess.run(
            [*POSTURE, "replay", str(trace), "--calibrate", "0:4", "--events", str(Path(folder) / "e.jsonl")],
            env=env | {"OMP_NUM_THREADS": "1"},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        whole_s = time.perf_counter() - start_s
        rows = [frame.landmarks for frame in TraceSource(trace) if isinstance(frame, SeenFrame)][:20_000]
        n_mb = trace.stat().st_size / 1e6
        start_s = time.perf_counter()
        for _ in TraceSource(trace):
            pass
        read_s = time.perf_counter() - start_s
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, 4.0))
    step_s = sum_s = float("inf")
    for _ in range(5):
        pipeline.reset()
        step_s = min(step_s, _per_row_s(lambda row: pipeline.step(row), rows))
        sum_s = min(sum_s, _per_row_s(lambda row: row.xyzv.sum(), rows))
    print(f"{n} rows of {hours:g} h at {rate_hz:g} fps, {n_mb:.1f} MB")
    print(f"posture replay, start-up included  {hours * 3600 / whole_s:7.0f} times real time (wanted: 500)")
    print(f"reading                            {hours * 3600 / read_s:7.0f} times")
    print(
        f"steps alone, measured in blocks     {1 / rate_hz / step_s:7.0f} times, {1e6 * step_s:.0f} us each"
    )
    print(f"adding up a row's numbers instead  {1 / rate_hz / sum_s:7.0f} times")


def _per_row_s(work, rows: list[Landmarks]) -> float:
    start_s = time.perf_counter()
    for row in rows:
        work(row)
    return (time.perf_counter() - start_s) / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    size = commands.add_parser("size")
    size.add_argument("clip", type=Path)
    size.add_argument("--minutes", type=float, default=10.0)
    size.add_argument("--calibrate", type=float, default=12.0, help="upright seconds at the clip's start")
    size.add_argument("--preset", default="balanced")
    speed = commands.add_parser("speed")
    speed.add_argument("--hours", type=float, default=1.0)
    speed.add_argument("--rate", type=float, default=15.0)
    args = parser.parse_args()
    if args.command == "size":
        measure_size(args.clip, args.minutes, args.calibrate, args.preset)
    else:
        measure_speed(args.hours, args.rate)


if __name__ == "__main__":
    main()
