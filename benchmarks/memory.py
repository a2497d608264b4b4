"""Resident memory over many frames of real inference: where it stands, and whether it grows.

    python benchmarks/memory.py [--frames 10000]

Plays the packaged clip over and over through landmarker and pipeline, as the monitor would.
"""

from __future__ import annotations

import argparse
import threading

import psutil

from posture import Frame, Observer, Pipeline, PoseLandmarker, Settings, open_source
from posture.bundled import DEMO_CLIP_NAME, asset_path

MB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=10_000)
    wanted = parser.parse_args().frames
    process = psutil.Process()
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, 5.0))
    n, offset_s, last_s = 0, 0.0, 0.0
    print(f"{'frames':>8} {'resident MB':>12} {'threads':>8} {'handles':>8}")
    with Observer(PoseLandmarker()) as observer:
        while n < wanted:
            with open_source(str(asset_path(DEMO_CLIP_NAME))) as source:
                for frame in source:
                    last_s = offset_s + frame.t_s
                    pipeline.step(observer.detect(Frame(last_s, frame.image_rgb)))
                    n += 1
                    if n % 1000 == 0 or n == 100:
                        resident = process.memory_info().rss / MB
                        print(
                            f"{n:8d} {resident:12.1f} {threading.active_count():8d} {process.num_fds():8d}",
                            flush=True,
                        )
                    if n >= wanted:
                        break
            offset_s = last_s + 0.25


if __name__ == "__main__":
    main()
