"""A monitor without a camera: drives the history's sink with frames of our own, in a process that can be killed.

python history_driver.py DATABASE STEPS        one line with the frame time after every frame
python history_driver.py DATABASE STEPS fill   the disk gets full at a third of the way and free at two thirds
"""

import json
import math
import os
import resource
import signal
import sys
from pathlib import Path

from posture.errors import HistoryError
from posture.history.chronicle import Watch
from posture.history.recorder import HistorySink
from posture.history.store import History
from posture.history.timeline import Moment
from posture.judging import Thresholds
from posture.slouch import Reason, SlouchState
from posture.step_result import StepResult

T0_MS = 1_780_000_000_000
STEP_S = 1.0  # the longest time between two looks at a camera
LIMITS = Thresholds(10.0, 8.0, 17.0, 0.05)
WATCH = Watch("camera 0", "default", "front", 3.0, 120.0, "", lambda: (LIMITS, "2026-01-01T00:00:00+00:00"))
STATES = (SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.UNKNOWN, SlouchState.AWAY)


def frame(t_s, state=None, **changes):
    """One frame's result; without a `state` it changes every 7 s."""
    state = STATES[int(t_s // 7) % len(STATES)] if state is None else state
    is_judged = state in (SlouchState.UPRIGHT, SlouchState.SLOUCHING)
    ratio = (0.3 if state is SlouchState.UPRIGHT else 1.3) if is_judged else math.nan
    values = {
        "t_s": t_s,
        "state": state,
        "reason": Reason.NONE if is_judged else Reason.NO_PERSON,
        "neck_deviation_deg": 10 * ratio,
        "thoracic_deviation_deg": 6 * ratio,
        "sink_ratio": 0.01,
        "head_pitch_deviation_deg": 0.0,
        "slouch_ratio": ratio,
        "driver": "neck" if is_judged else "",
        "slouched_s": 0.0,
        "sat_s": 0.0,
        "events": (),
        "alert": None,
    }
    return StepResult(**{**values, **changes})


class Wall:
    """The clock on the wall, running with the frames unless it is set."""

    def __init__(self):
        self.now = Moment(T0_MS, 3600)

    def __call__(self):
        return self.now

    def show(self, t_s):
        self.now = Moment(T0_MS + round(t_s * 1000), 3600)


def main(path, n_steps, fill):
    wall, told = Wall(), []
    sink = HistorySink(path, WATCH, tell=told.append, clock=wall)
    filler, failed = path.parent / "filler", 0
    for i in range(n_steps):
        if fill and i == n_steps // 3:
            fill_disk(filler, fill)
        if fill and i == 2 * n_steps // 3:
            failed = sink.failed
            free_disk(filler, fill)
        wall.show(i * STEP_S)
        sink.handle(frame(i * STEP_S))
        if not fill:
            print(i * STEP_S, flush=True)
    sink.close()
    with History(path) as history:
        seconds = sum(bout.end_utc_ms - bout.start_utc_ms for bout in history.bouts()) / 1000
    print(json.dumps({"told": told, "failed": failed, "seconds": seconds, "problem": sink.problem}))


def fill_disk(filler, how):
    """Leave no room: on a small disk by a file, else by a limit on how long a file may grow."""
    if how == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        return
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            os.fsync(file.fileno())


def free_disk(filler, how):
    """Make room again."""
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        filler.unlink()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
    except HistoryError as error:
        sys.exit(f"the monitor ended: {error}")
