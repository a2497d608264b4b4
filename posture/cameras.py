"""Cameras of this computer: which there are, what they are called, and how one is opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from posture.capture import Capture, import_cv2
from posture.errors import SourceError
from posture.stderr import quiet_stderr

# One backend per system gives one numbering; with several every camera is listed twice. The second
# of Windows is for the cameras that only it can open.
_BACKENDS = {"linux": ("CAP_V4L2",), "darwin": ("CAP_AVFOUNDATION",), "win32": ("CAP_DSHOW", "CAP_MSMF")}
_LOW_FPS = 10.0  # fewer pictures are less USB traffic and longer exposures, brighter in a dim room
_YUYV_PIXELS = 640 * 480  # above it uncompressed pictures do not fit USB 2 at 30 fps: ask for MJPG
_MAX_INDEX = 255  # V4L2 has no more minors, and nobody has more cameras


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as the operating system lists it."""

    index: int
    """What `--source` takes, from 0."""
    name: str
    """What the device calls itself."""
    path: str | None
    """Device file or identifier; None = the system tells none."""
    backend: str
    """OpenCV backend that the index belongs to, e.g. V4L2."""

    def __str__(self) -> str:
        """Return index and name, as messages show them."""
        return f"{self.index} ({self.name})"


def list_cameras() -> list[Camera]:
    """Return the cameras found, by index, each once; an empty list where there are none or none can be told."""
    cv2 = import_cv2()
    constant = _BACKENDS.get(sys.platform, ("CAP_ANY",))[0]
    with quiet_stderr():
        try:
            from cv2_enumerate_cameras import enumerate_cameras

            found = enumerate_cameras(getattr(cv2, constant))
        except Exception:  # each system's own errors; not being able to list is not a failure
            return []
    cameras: dict[tuple[str | None, int], Camera] = {}
    for item in sorted(found, key=lambda item: int(item.index)):
        path = str(item.path) if item.path else None
        name = " ".join(str(item.name or "").split()) or f"camera {item.index}"
        key = (path, -1) if path else (name, int(item.index))
        cameras.setdefault(key, Camera(int(item.index), name, path, constant.removeprefix("CAP_")))
    return list(cameras.values())


def describe(cameras: list[Camera]) -> str:
    """Return the cameras as the end of a sentence."""
    return "cameras found: " + ", ".join(map(str, cameras)) if cameras else "no cameras found"


def find_camera(name: str, cameras: list[Camera]) -> Camera | None:
    """Return the camera called `name`, in upper or lower case; part of the name will do if only one has it.

    Raises
    ------
    SourceError
        If several match.
    """
    wanted = name.casefold().strip()
    if not wanted:
        return None
    exact = [camera for camera in cameras if camera.name.casefold() == wanted]
    matches = exact or [camera for camera in cameras if wanted in camera.name.casefold()]
    if len(matches) > 1:
        which = ", ".join(map(str, matches))
        raise SourceError(f"{name}: {len(matches)} cameras match, {which}; give the number instead")
    return matches[0] if matches else None


def check_camera(index: int, device_folder: Path = Path("/dev")) -> None:
    """Check what can be known about a camera without opening it.

    Parameters
    ----------
    index : int
        Camera number.
    device_folder : Path
        Where Linux has its devices.

    Raises
    ------
    SourceError
        If there is no such camera, or this user may not open it.
    """
    if not 0 <= index <= _MAX_INDEX:  # OpenCV crashes on a negative one
        raise SourceError(f"camera {index}: not a camera number; {describe(list_cameras())}")
    if not sys.platform.startswith("linux"):
        return
    device = device_folder / f"video{index}"
    if not device.exists():
        raise SourceError(
            f"camera {index}: no such camera ({device} does not exist); {describe(list_cameras())}"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(
            f"camera {index}: permission denied on {device}; join its group with "
            '"sudo usermod -aG video $USER", then log out and in again'
        )


def open_camera(
    index: int,
    *,
    width_px: int | None = None,
    height_px: int | None = None,
    rate_hz: float | None = None,
    device_folder: Path = Path("/dev"),
) -> Capture:
    """Return camera `index`, opened and asked for the smallest useful stream.

    Parameters
    ----------
    index : int
        Camera number.
    width_px, height_px : int, optional
        Picture size to ask for; the camera takes the nearest it has. None = its own choice.
    rate_hz : float, optional
        How often a picture will be wanted; up to 10 the camera is asked for a low rate.
    device_folder : Path
        Where Linux has its devices.

    Raises
    ------
    SourceError
        If there is no such camera, it may not be opened, or it is in use.
    """
    check_camera(index, device_folder)
    cv2 = import_cv2()
    for constant in _BACKENDS.get(sys.platform, ("CAP_ANY",)):
        capture = cv2.VideoCapture(index, getattr(cv2, constant))
        if capture.isOpened():
            _ask(capture.set, width_px, height_px, rate_hz)
            return capture  # type: ignore[no-any-return]
        capture.release()
    cameras = list_cameras()
    if not sys.platform.startswith("linux") and index not in {camera.index for camera in cameras}:
        raise SourceError(f"camera {index}: no such camera; {describe(cameras)}")
    remedies = {
        "darwin": "allow this terminal to use it under System Settings > Privacy & Security > Camera",
        "win32": "allow desktop apps to use it under Settings > Privacy & security > Camera",
    }
    remedy = remedies.get(sys.platform, "check with: fuser -v /dev/video*")
    raise SourceError(
        f"camera {index}: exists but cannot be opened; in use by another program? If not, {remedy}"
    )


def _ask(
    put: Callable[[int, float], bool], width_px: int | None, height_px: int | None, rate_hz: float | None
) -> None:
    """Ask for format, size, rate and a short queue, in the order drivers want; what a camera refuses stays."""
    cv2 = import_cv2()
    if width_px and height_px:
        if width_px * height_px > _YUYV_PIXELS:
            put(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        put(cv2.CAP_PROP_FRAME_WIDTH, width_px)
        put(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
    if rate_hz is not None and rate_hz <= _LOW_FPS:
        put(cv2.CAP_PROP_FPS, _LOW_FPS)
    put(cv2.CAP_PROP_BUFFERSIZE, 1)
