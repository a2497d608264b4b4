"""CPU time of watching a camera all day, live: `posture run` in two presets, and a loop that infers every picture.

python benchmarks/duty.py CLIP [--minutes 10] [--calibrate 12]

CLIP (a desk session; its first seconds upright) is served again and again as MJPEG at 640x480 and 15 pictures a second,
with sensor noise, to all of them at the same time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import mjpeg_server

SIZE_PX, RATE_HZ, NOISE_GREY, QUALITY = (640, 480), 15.0, 2.0, 85
WARM_S = 15.0  # models load and the first frames are judged one by one
WANTED = {"balanced": 75.0, "eco": 40.0}
NAIVE = """
import sys
from posture.capture import import_cv2
from posture.landmarks import Frame
from posture.landmarker import PoseLandmarker
import time
cv2 = import_cv2()
capture, start_s = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG), time.monotonic()
with PoseLandmarker() as landmarker:
    while True:
        is_read, image = capture.read()
        landmarker.detect(Frame(time.monotonic() - start_s, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
"""


def read_clip(path: Path) -> tuple[list[bytes], float]:
    """Return the clip's pictures as JPEG, and how many a second."""
    capture, rng, pictures = cv2.VideoCapture(str(path)), np.random.default_rng(0), []
    fps = capture.get(cv2.CAP_PROP_FPS)
    while True:
        is_read, image = capture.read()
        if not is_read:
            return pictures, fps
        noise = rng.normal(0.0, NOISE_GREY, (SIZE_PX[1], SIZE_PX[0], 1))
        noisy = np.clip(cv2.resize(image, SIZE_PX) + noise, 0, 255).astype(np.uint8)
        pictures.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _own(home: str, name: str) -> dict[str, str]:
    """Return what makes a monitor the only one of its user, with a history of its own."""
    return {f"XDG_{kind}_HOME": f"{home}/{name}/{kind}" for kind in ("STATE", "DATA", "CONFIG")}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--calibrate", type=float, default=12.0, help="upright seconds at the clip's start")
    args = parser.parse_args()
    pictures, fps = read_clip(args.clip)

    class Encoded:  # what the server's cv2.imencode gives: the picture is encoded already
        imencode = staticmethod(lambda _suffix, picture: (True, picture))

    mjpeg_server.cv2 = Encoded
    mjpeg_server.numbered_picture = lambda number: pictures[int(number / RATE_HZ * fps) % len(pictures)]
    with tempfile.TemporaryDirectory() as home, mjpeg_server.MjpegServer(rate_hz=RATE_HZ) as server:
        env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {"HOME": home}
        posture = [sys.executable, "-m", "posture"]
        subprocess.run(
            [*posture, "calibrate", "--source", args.clip, "--seconds", f"{args.calibrate}"],
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        baseline = ["--baseline", Path(home) / ".local/share/posture/profiles/default.json"]
        run = [*posture, "run", "--source", server.url, *baseline, "--set", "notify.enabled=false", "--set"]
        commands = {preset: [*run, f"power.preset={preset}"] for preset in WANTED}
        commands["naive"] = [sys.executable, "-c", NAIVE, server.url]
        children = {
            name: subprocess.Popen(command, env=env | _own(home, name), stdout=subprocess.PIPE, text=True)
            for name, command in commands.items()
        }
        pause = threading.Event()
        try:
            pause.wait(WARM_S)
            watched = {name: psutil.Process(child.pid) for name, child in children.items()}
            before, start_s = {name: cpu_s(p) for name, p in watched.items()}, time.monotonic()
            pause.wait(60.0 * args.minutes)
            hours = (time.monotonic() - start_s) / 3600.0
            used = {name: (cpu_s(p) - before[name]) / hours for name, p in watched.items()}
        finally:
            for child in children.values():
                child.terminate()
            said = {name: child.communicate(timeout=30)[0] for name, child in children.items()}
    print(f"{args.clip.name}, {60 * hours:.1f} min, {len(pictures)} pictures at {fps:g} fps")
    for name, value in used.items():
        wanted = f"wanted <= {WANTED[name]:g} and >= 15 times" if name in WANTED else ""
        n_alerts = [line.split()[1] for line in said[name].splitlines() if line.startswith("alerts")]
        print(
            f"{name:9} {value:7.1f} CPU s/hour  {used['naive'] / value:5.1f} times less than naive  "
            f"{wanted}  alerts: {' '.join(n_alerts) or '-'}"
        )


if __name__ == "__main__":
    main()
