"""The one way to import OpenCV, quietly, and to turn what it gives upright."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from posture.errors import SourceError
from posture.landmarks import UInt8Array

RotationDeg: TypeAlias = Literal[0, 90, 180, 270]

_ENVIRONMENT = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # AV_LOG_QUIET
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "3",  # seconds a V4L2 read may block; 10 unless told
    "OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS": "0",  # with them Windows takes many seconds to open
    "OPENCV_AVFOUNDATION_SKIP_AUTH": "1",  # asking is only possible on the main thread; macOS asks by itself
}
_ROTATIONS = {90: "ROTATE_90_CLOCKWISE", 180: "ROTATE_180", 270: "ROTATE_90_COUNTERCLOCKWISE"}


@functools.cache
def import_cv2() -> ModuleType:
    """Return OpenCV, told to keep its own and FFmpeg's log lines off the terminal.

    A variable the user has set in the environment (`OPENCV_LOG_LEVEL=DEBUG`) is left alone.
    """
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    import cv2

    if os.environ["OPENCV_LOG_LEVEL"] == "SILENT":  # also when somebody imported it before us
        getattr(cv2.utils, "logging", cv2).setLogLevel(0)  # OpenCV 5, 4
    return cv2


def keep_to_one_thread() -> None:
    """Have OpenCV do all its work on the thread that asks for it.

    For a picture now and then a second one takes nothing off and waits awake for more: a face took 16.1 instead of 14.3
    CPU seconds an hour, the whole run in `balanced` 4 % more.
    """
    import_cv2().setNumThreads(1)


@dataclass(frozen=True, slots=True)
class Orientation:
    """How to turn a camera's picture upright: clockwise by `rotate_deg`, then mirrored left to right."""

    mirror: bool = False
    rotate_deg: RotationDeg = 0

    def __post_init__(self) -> None:
        """Refuse a rotation that is not a quarter turn."""
        if self.rotate_deg not in (0, 90, 180, 270):
            raise SourceError(f"rotation is {self.rotate_deg}, expected 0, 90, 180 or 270 degrees")

    def to_rgb(self, image: Any) -> UInt8Array:
        """Return OpenCV's (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA as contiguous RGB uint8."""
        cv2 = import_cv2()
        if image.dtype == np.uint16:
            image = (image >> 8).astype(np.uint8)
        n_channels = 1 if image.ndim == 2 else image.shape[2]
        codes = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
        rgb: UInt8Array = cv2.cvtColor(image, codes[n_channels])
        if self.rotate_deg:
            rgb = cv2.rotate(rgb, getattr(cv2, _ROTATIONS[self.rotate_deg]))
        return cv2.flip(rgb, 1) if self.mirror else rgb


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used; a test may give another."""

    def grab(self) -> bool:
        """Take the next picture, still encoded; False = there was none."""

    def retrieve(self) -> tuple[bool, Any]:
        """Decode the picture taken last."""

    def release(self) -> None:
        """Let go of the device."""
