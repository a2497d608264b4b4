"""What showing costs: CPU time per frame of the preview, and the speed of an annotated replay beside a plain one.

xvfb-run -a sh -c 'openbox & python benchmarks/preview.py [CLIP] [--rounds 3]'

The screen is looked at, and a round in which the window stayed empty says so and does not count.

The preview's figure is all that `--preview` adds at 640x480, the monitor's own thread and the window's process
together: handing the picture over, drawing, showing. What the window costs while nothing comes, and the loop that
stands for the monitor's, are measured by themselves and told apart. A plain copy of a picture, measured in between,
says how fast the machine is just now. Plain and annotated replays alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import ImageGrab

from posture.capture import import_cv2
from posture.clips import VideoFileSource
from posture.pipeline import Pipeline
from posture.session import replay
from posture.settings import Settings
from posture.view.moment import Moment
from posture.view.onlooker import Onlooker
from posture.view.overlay import draw_sketch
from posture.view.preview import Preview
from posture.view.sketch import Sketcher
from posture.view.views import Views
from posture.view.window import COMMAND_KEYS
from posture.wiring import make_observer

CLIP = Path(__file__).parents[1] / "tests" / "fixtures" / "front_upright_slouch.mp4"
SPAN_S, SIZE_PX = (0.0, 6.0), (640, 480)
WANTED_MS, WANTED_RATIO = 3.0, 0.7
N_SHOWN, SHOWN_HZ = 300, 10.0
MIN_COLOURS = 1000


class Keeper:
    """A sink that keeps every moment."""

    def __init__(self, onlooker, pipeline):
        self.onlooker, self.pipeline, self.moments = onlooker, pipeline, []

    def handle(self, result):
        if self.pipeline.baseline is not None:
            moment = self.onlooker.moment(result)
            image = import_cv2().resize(moment.image_rgb, SIZE_PX)
            self.moments.append(Moment(image, moment.landmarks, result))

    def close(self):
        pass


def judge(clip, settings, annotate=None):
    """Replay `clip` and return the wall and CPU seconds that its frames took, and the moments."""
    with VideoFileSource(clip) as source, make_observer(settings) as observer:
        pipeline = Pipeline(settings, calibrate_span_s=SPAN_S)
        views = Views(source, observer, pipeline, annotate, None)
        stop = threading.Event()
        observer.detect(next(iter(source)))  # the model is loaded by the first frame
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        options = {"trace": None, "events": None, "progress": None, "stop": stop}
        replay(source, views.observer, pipeline, sinks=views.sinks, **options)
        return time.perf_counter() - wall_s, time.process_time() - cpu_s


def collect(clip, settings):
    """Return the judged moments of `clip` and its baseline."""
    with VideoFileSource(clip) as source, make_observer(settings) as observer:
        pipeline, onlooker = Pipeline(settings, calibrate_span_s=SPAN_S), Onlooker(observer)
        keeper = Keeper(onlooker, pipeline)
        options = {"trace": None, "events": None, "progress": None, "stop": threading.Event()}
        replay(source, onlooker, pipeline, sinks=[keeper], **options)
        return keeper.moments, pipeline.baseline


def cpu_s(process):
    tasks = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    if tasks:  # Linux: nanoseconds, where the other is rounded to 10 ms
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
    times = process.cpu_times()
    return times.user + times.system


def copying_ms(moments):
    """Return the CPU milliseconds of a plain copy of a picture: what the other figures can be set against."""
    page = np.empty_like(moments[0].image_rgb)
    start_s = time.process_time()
    for moment in moments:
        np.copyto(page, moment.image_rgb)
    return 1e3 * (time.process_time() - start_s) / len(moments)


def drawing_ms(moments, baseline, settings):
    """Return the CPU milliseconds of drawing alone, into the same memory again and again, as the window does."""
    sketcher, page = Sketcher(settings), None
    draw = {"is_mirrored": True, "is_bgr": True, "hint": COMMAND_KEYS}
    for _ in range(2):  # the first time fills the caches
        start_s = time.process_time()
        for moment in moments:
            page = draw_sketch(moment.image_rgb, sketcher.sketch(moment, baseline), out=page, **draw)
    return 1e3 * (time.process_time() - start_s) / len(moments)


def is_painted():
    """Return whether a picture is on the screen: an empty window and its frame have a few hundred colours."""
    screen = np.asarray(ImageGrab.grab().convert("RGB"))[::2, ::2].reshape(-1, 3)
    return len(np.unique(screen @ (1 << 16, 1 << 8, 1))) > MIN_COLOURS


def measure_preview(moments, baseline, settings):
    """Return CPU milliseconds per moment: the monitor's part, the window's, a window's to which nothing comes."""
    said = []
    preview = Preview(settings, takes_commands=True, on_note=said.append)
    pause = threading.Event()
    preview.show(moments[0], baseline)
    pause.wait(3.0)  # the window opens
    if not preview.is_open:
        return None, " ".join(said)
    (window,) = (psutil.Process(child.pid) for child in multiprocessing.active_children())
    me = psutil.Process()
    before = cpu_s(me), cpu_s(window), time.perf_counter()
    for _ in range(N_SHOWN // 6):
        pause.wait(1.0 / SHOWN_HZ)
    loop_s = (cpu_s(me) - before[0]) / (N_SHOWN // 6)
    idle_hz = (cpu_s(window) - before[1]) / (time.perf_counter() - before[2])
    before = cpu_s(me), cpu_s(window), time.perf_counter()
    for i in range(N_SHOWN):
        preview.show(moments[i % len(moments)], baseline)
        pause.wait(1.0 / SHOWN_HZ)
    mine, theirs = cpu_s(me) - before[0] - N_SHOWN * loop_s, cpu_s(window) - before[1]
    idle = idle_hz * (time.perf_counter() - before[2])
    is_seen = is_painted()
    preview.close()
    if not is_seen:
        return None, "it stayed empty"
    return [1e3 * part / N_SHOWN for part in (mine, theirs - idle, idle)], ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path, nargs="?", default=CLIP)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    settings = Settings()
    moments, baseline = collect(args.clip, settings)
    for _ in range(args.rounds):
        copy_ms, draw_ms = copying_ms(moments), drawing_ms(moments, baseline, settings)
        parts, why = measure_preview(moments, baseline, settings)
        print(f"copying a picture {copy_ms:.2f} ms, drawing on it {draw_ms:.2f} ms of CPU")
        if parts is None:
            print(f"no figure of the window: {why}")
            continue
        mine, theirs, idle = parts
        print(
            f"preview at {SHOWN_HZ:g} Hz: {mine + theirs:.2f} ms of CPU a frame (wanted <= {WANTED_MS:g}; "
            f"{(mine + theirs) / copy_ms:.0f} copies): {mine:.2f} in the monitor, {theirs:.2f} in the window; "
            f"an open window itself {idle:.2f} more"
        )
    walls, cpus = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(args.rounds):
            plain = judge(args.clip, settings)
            annotated = judge(args.clip, settings, Path(folder, "out.mp4"))
            walls.append(plain[0] / annotated[0])
            cpus.append(plain[1] / annotated[1])
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"annotated replay: {statistics.median(walls):.2f} of the plain one's speed on {n} cores "
        f"(wanted >= {WANTED_RATIO:g}); CPU time {statistics.median(cpus):.2f}"
    )


if __name__ == "__main__":
    main()
