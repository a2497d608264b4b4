"""Is there a picture: the cameras listed, the right to open them, and the configured one opened."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from posture.cameras import check_camera, find_camera, list_cameras
from posture.checks.finding import Finding, broken, fine, skipped, warning
from posture.errors import PostureError
from posture.glimpse import glimpse, is_covered
from posture.landmarker import mean_luminance
from posture.redaction import redact
from posture.session import StopSignals
from posture.settings import Settings
from posture.status import Status
from posture.wiring import open_with_settings

PICTURE_S = 6.0
"""Seconds until the first picture, at most: Windows' Media Foundation takes some of them (our choice)."""


def check_camera_list(settings: Settings) -> Iterator[Finding]:
    """Tell which cameras the system lists."""
    cameras = list_cameras()
    if cameras:
        yield fine("cameras", ", ".join(map(str, cameras)))
    elif "://" in str(settings.camera.source):
        yield fine("cameras", "none on this computer; a stream is configured")
    else:
        yield warning(
            "cameras", "none found on this computer", "plug one in, or name a stream in camera.source"
        )


def check_camera_rights(settings: Settings, device_folder: Path = Path("/dev")) -> Iterator[Finding]:
    """Tell whether this user may open the camera's device file, where there are such."""
    spec = str(settings.camera.source).strip()
    if not sys.platform.startswith("linux"):
        yield skipped("camera rights", "this system asks when the camera is opened")
    elif "://" in spec or (Path(spec).expanduser().exists() and not spec.startswith("/dev/video")):
        yield skipped("camera rights", "not a camera of this computer")
    else:
        camera = (
            None if spec.isdecimal() or spec.startswith("/dev/video") else find_camera(spec, list_cameras())
        )
        digits = str(camera.index) if camera else spec.removeprefix("/dev/video")
        if not digits.isdecimal():
            yield skipped("camera rights", "no camera of that name")
            return
        device = device_folder / f"video{int(digits)}"
        if not device.exists():
            yield skipped("camera rights", f"there is no {device}")
            return
        check_camera(int(digits), device_folder)
        yield fine("camera rights", f"{device} may be opened")


def check_picture(settings: Settings, monitor: Status | None) -> Iterator[Finding]:
    """Open the configured source as a monitor would, and look at one picture; it is dropped at once."""
    spec = str(settings.camera.source)
    if monitor is not None:
        text = f"not opened: the running monitor watches {monitor.source}; camera {monitor.camera or 'ok'}"
        yield skipped("picture", text)
        return
    signals = StopSignals()
    watchdog = threading.Timer(PICTURE_S, signals.stop.set)
    watchdog.daemon = True
    watchdog.start()
    start_s = time.monotonic()
    try:
        with open_with_settings(spec, settings, signals.stop) as source:
            for frame in source:
                if frame.image_rgb is None:
                    continue
                height, width = frame.image_rgb.shape[:2]
                luminance = mean_luminance(frame.image_rgb)
                text = f"{source.name}: {width} x {height} after {time.monotonic() - start_s:.1f} s"
                if is_covered(glimpse(frame.image_rgb)):
                    yield warning(
                        "picture", f"{text}, but nothing on it", "is a cover or a lid before the lens?"
                    )
                elif luminance < settings.judge.min_luminance:
                    yield warning("picture", f"{text}, but too dark to judge", "put a lamp on")
                else:
                    yield fine("picture", f"{text}, brightness {luminance:.2f}")
                return
    except PostureError as error:
        remedy = "" if "://" in spec else "'posture cameras' lists what can be watched; set camera.source"
        yield broken("picture", str(error), remedy)
        return
    finally:
        watchdog.cancel()
    yield broken("picture", f"{redact(spec)}: no picture within {PICTURE_S:g} s", _remedy())


def _remedy() -> str:
    """Return what to look at when a camera opens and stays silent."""
    if sys.platform == "darwin":
        return (
            "allow it under System Settings > Privacy & Security > Camera, and end other users of the camera"
        )
    if os.name == "nt":
        return "allow it under Settings > Privacy & security > Camera, and end other users of the camera"
    return "is another program using it? fuser -v /dev/video* tells"
