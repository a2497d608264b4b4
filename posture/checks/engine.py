"""Do the models run, what does that cost, and does anything call out meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Any

import numpy as np

from posture.bundled import DEMO_CLIP_NAME, asset_path
from posture.checks.finding import Finding, broken, fine
from posture.duty import PACES
from posture.glimpse import CELLS, changed_ratio, glimpse
from posture.landmarks import Frame
from posture.settings import Settings
from posture.sources import open_source
from posture.wiring import make_observer

N_PICTURES = 25
"""Of the packaged clip; the first ones, which load and warm up, are not timed."""
N_WARM = 10
_CALLS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
_HOUR_S = 3600.0


class _Calls:
    """Python's own record of attempts to reach something, while it listens; local sockets of the desktop aside."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.is_listening = True
        sys.addaudithook(self._hear)  # for the life of the process: Python has no way to take one back

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.is_listening and event in _CALLS and not (event != "socket.getaddrinfo" and _is_local(args)):
            self.made.append(f"{event} {args[1:] if event.startswith('socket.c') else args}")


def _is_local(args: tuple[Any, ...]) -> bool:
    """Return whether a socket call's address is a path of this machine."""
    return len(args) > 1 and isinstance(args[1], (str, bytes))


def check_engine(settings: Settings) -> Iterator[Finding]:
    """Run the models on the packaged clip: time, processor and calls out of it."""
    calls = _Calls()
    start_s = time.monotonic()
    try:
        with open_source(str(asset_path(DEMO_CLIP_NAME))) as clip, make_observer(settings) as observer:
            frames = list(islice(clip, N_PICTURES))
            first = observer.detect(frames[0])
            first_s = time.monotonic() - start_s
            observer.use_face(PACES[settings.power.preset].has_face)
            judge_s: list[float] = []
            wall_s: list[float] = []
            for frame in frames[1:]:
                cpu_s, clock_s = time.process_time(), time.monotonic()
                landmarks = observer.detect(frame)
                judge_s.append(time.process_time() - cpu_s)
                wall_s.append(time.monotonic() - clock_s)
    finally:
        calls.is_listening = False
    if not np.isfinite(first.xyzv[0, 0, 0]) or not np.isfinite(landmarks.xyzv[0, 0, 0]):
        yield broken(
            "pose model", "runs, but does not find the person of the packaged clip", "reinstall posture"
        )
        return
    what = "the person" if np.isnan(landmarks.face).any() else "the person and their face"
    yield fine(
        "pose model",
        f"finds {what} in {median(wall_s[N_WARM:]) * 1e3:.0f} ms a picture, the first after {first_s:.1f} s",
    )
    if settings.pose.face and np.isnan(first.face).any():
        yield broken(
            "face network",
            "runs, but does not find the face of the packaged clip",
            "reinstall posture and opencv-python-headless, or do without it: pose.face = false",
        )
    yield _network(calls.made)
    yield _cost(settings, median(judge_s[N_WARM:]), _look_s(frames))


def _network(made: list[str]) -> Finding:
    """Return what was called."""
    checked = f"{N_PICTURES} pictures judged, Python's audit events listened to"
    if made:
        return broken("network", f"{checked}: {len(made)} calls, the first {made[0]}", "report this, please")
    return fine("network", f"{checked}: nobody was called")


def _look_s(frames: list[Frame]) -> float:
    """Return the processor time of one look, seconds."""
    images = [frame.image_rgb for frame in frames if frame.image_rgb is not None]
    everywhere = np.ones(CELLS, dtype=np.bool_)
    reference = glimpse(images[0])
    start_s = time.process_time()
    for image in images:
        changed_ratio(glimpse(image), reference, everywhere)
    return (time.process_time() - start_s) / len(images)


def _cost(settings: Settings, judge_s: float, look_s: float) -> Finding:
    """Return what an hour would cost: between sitting still and always moving, as the duty cycle goes."""
    pace = PACES[settings.power.preset]
    looks_hz = 1.0 / pace.look_s
    hold_s = min(pace.hold_s, settings.power.max_hold_s)
    judged_least_hz = min(looks_hz, 1.0 / hold_s) if hold_s > 0 else looks_hz
    least, most = (
        _HOUR_S * (judged_hz * judge_s + looks_hz * look_s) for judged_hz in (judged_least_hz, looks_hz)
    )
    return fine(
        "processor",
        f"power.preset {settings.power.preset}: from {least:.0f} s an hour (sitting still) to {most:.0f} s (always "
        f"moving), reckoned from {judge_s * 1e3:.0f} ms a judgement; reading the camera comes on top",
    )
