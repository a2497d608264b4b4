"""How long `posture tune` takes, beside judging the same recordings frame by frame.

python benchmarks/tune.py [--traces 100] [--hours 1] [--rate 2] [--settings 200] [--jobs 2] [--keep FOLDER]

Recordings are made of the fixtures' desk sessions, one after the other as often as it takes, with noise on every
landmark of a frame that was judged; at 2 looks a second 0.57 of them are, as `posture run --record` measured, and the
rest repeat the one before. At other rates every row is its own. Made once and then tried by the command itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from posture.labels.files import write_labels
from posture.labels.labels import Duty, Interval, Labels
from posture.pipeline import Pipeline
from posture.recording.player import TraceSource
from posture.recording.records import SeenFrame
from posture.recording.writer import TraceWriter, make_header
from posture.settings import Settings
from posture.trace import load_trace

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"
SESSIONS = ("d300_laptop", "d301_monitor", "d302_quarter", "d303_laptop")
SLOUCHES_S = ((18.0, 43.0), (143.5, 168.5))  # tests/fixtures/README.md
JUDGED = 0.57 / 2.0  # share of the looks that are judged, docs/traces.md
NOISE = 5e-4  # image widths, a third of a pixel of 640


def make_trace(folder: Path, number: int, hours: float, rate_hz: float) -> Path:
    """Write one recording with its labels."""
    session = load_trace(FIXTURES / f"{SESSIONS[number % len(SESSIONS)]}.npz")
    rng = np.random.default_rng(number)
    n, length_s = round(hours * 3600.0 * rate_hz), float(session.t_s[-1])
    path = folder / f"{number:03d}.posture"
    seen = None
    with TraceWriter(path, make_header("benchmark")) as writer:
        for i in range(n):
            t_s = i / rate_hz
            if seen is None or rate_hz > 2.0 or rng.random() < JUDGED or t_s < 12.0:
                at = min(round((t_s % length_s) * 4.0), len(session) - 1)
                seen = session[at : at + 1]
                noise = np.zeros_like(seen.xyzv)
                noise[..., :3] = rng.normal(0.0, NOISE, seen.xyzv[..., :3].shape)
                seen = dataclasses.replace(seen, xyzv=seen.xyzv + noise)
            writer.add(dataclasses.replace(seen, t_s=np.array([t_s])))
    end_s = (n - 1) / rate_hz
    slouches = [
        Interval(start + turn * length_s, end + turn * length_s, duty=Duty.MUST)
        for turn in range(int(end_s / length_s) + 1)
        for start, end in SLOUCHES_S
        if end + turn * length_s < end_s
    ]
    labels = Labels(person=f"p{number % 10}", baseline_s=(0.0, 12.0), intervals=tuple(slouches))
    write_labels(path.with_name(path.name + ".labels.toml"), labels)
    return path


def measure(folder: Path, paths: list[Path], args: argparse.Namespace) -> None:
    n_scales = -(-args.settings // 4)
    step = 1.0 / n_scales
    sweeps = [
        f"thresholds=0.6:{0.6 + step * (n_scales - 1) + step / 2:.6f}:{step:.6f}",
        "alert.sustain_s=10,15,20,25",
    ]
    env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {
        "HOME": str(folder)
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start_s = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "posture",
            "tune",
            str(folder),
            "--jobs",
            str(args.jobs),
            "--json",
            str(folder / "tune.json"),
        ]
        + [word for sweep in sweeps for word in ("--sweep", sweep)],
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    whole_s = time.perf_counter() - start_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    n_settings = len(json.loads((folder / "tune.json").read_text())["settings"])
    start_s = time.process_time()
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, 12.0))
    for frame in TraceSource(paths[0]):
        assert isinstance(frame, SeenFrame)
        pipeline.step(frame.landmarks, frame.condition)
    one_s = time.process_time() - start_s
    n_mb = sum(path.stat().st_size for path in paths) / 1e6
    print(
        f"{len(paths)} recordings of {args.hours:g} h at {args.rate:g} rows a second ({n_mb:.0f} MB), "
        f"{n_settings} settings"
    )
    print(
        f"posture tune --jobs {args.jobs}: {whole_s:.0f} s, {cpu_s:.0f} s of processor time (wanted: 120 s)"
    )
    frame_by_frame_s = one_s * len(paths) * n_settings
    print(f"frame by frame, one recording and setting {one_s:.1f} s; all of them {frame_by_frame_s / 3600.0:.1f} h: "
          f"{frame_by_frame_s / cpu_s:.0f} times as much")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--traces", type=int, default=100)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=2.0, help="rows a second")
    parser.add_argument("--settings", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a folder to make the recordings in, or to find them in")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.keep or Path(made)
        folder.mkdir(exist_ok=True)
        paths = sorted(folder.glob("*.posture"))
        if not paths:
            paths = [make_trace(folder, number, args.hours, args.rate) for number in range(args.traces)]
        measure(folder, paths, args)


if __name__ == "__main__":
    main()
