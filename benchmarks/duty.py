"""CPU time of watching a camera all day, live: `posture run` in two presets, and a loop that infers every picture.

python benchmarks/duty.py CLIP [--minutes 10] [--calibrate 12]

CLIP (a desk session; its first seconds upright) is served again and again as MJPEG at 640x480 and 15 pictures a second,
with sensor noise, to all of them at the same time. The runs are whole: each has a home of its own with a history, its
control channel, and a desktop (private buses that answer like GNOME's, an X server) to watch and to notify. The live
panel is benchmarks/panel.py's.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sqlite3
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
from desktop import x_display
from surroundings import gnome_session

N_NAMES = 150  # other programs on the session bus
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


def kept_min(home: Path) -> float:
    """Return the minutes that a run's history covers."""
    with contextlib.closing(sqlite3.connect(home / ".local/share/posture/history.sqlite")) as connection:
        ((total_ms,),) = connection.execute("SELECT total(end_utc_ms - start_utc_ms) FROM bouts").fetchall()
    return float(total_ms) / 60_000.0


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
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posture-duty-")))
        server = stack.enter_context(mjpeg_server.MjpegServer(rate_hz=RATE_HZ))
        env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
        env |= stack.enter_context(gnome_session(N_NAMES)) | {"DISPLAY": stack.enter_context(x_display())}
        homes = {name: folder / name for name in [*WANTED, "naive"]}  # a user has one monitor
        posture = [sys.executable, "-m", "posture"]
        subprocess.run(
            [
                *posture,
                "calibrate",
                "--source",
                args.clip,
                "--seconds",
                f"{args.calibrate}",
                "--profile",
                "bench",
            ],
            env=env | {"HOME": str(folder / "first")},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for home in homes.values():
            shutil.copytree(folder / "first", home)
        run = [*posture, "run", "--source", server.url, "--profile", "bench", "--set"]
        commands = {preset: [*run, f"power.preset={preset}"] for preset in WANTED}
        commands["naive"] = [sys.executable, "-c", NAIVE, server.url]
        children = {
            name: subprocess.Popen(
                command, env=env | {"HOME": str(homes[name])}, stdout=subprocess.PIPE, text=True
            )
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
        kept = {name: kept_min(homes[name]) for name in WANTED}
    print(f"{args.clip.name}, {60 * hours:.1f} min, {len(pictures)} pictures at {fps:g} fps")
    for name, value in used.items():
        wanted = f"wanted <= {WANTED[name]:g} and >= 15 times" if name in WANTED else ""
        n_alerts = [line.split()[1] for line in said[name].splitlines() if line.startswith("alerts")]
        print(
            f"{name:9} {value:7.1f} CPU s/hour  {used['naive'] / value:5.1f} times less than naive  "
            f"{wanted}  alerts: {' '.join(n_alerts) or '-'}  history: {kept.get(name, 0.0):.1f} min"
        )


if __name__ == "__main__":
    main()
