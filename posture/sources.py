"""Where frames come from: a camera, a clip, a folder of pictures or a network stream, behind one protocol.

Time is the source's own: a clip's frames carry the container's timestamps, a live source's those of a
clock that only grows, also while the computer sleeps. Whatever goes wrong with a source is a
:class:`~posture.errors.SourceError` of one line.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

from posture.cameras import check_camera, describe, find_camera, list_cameras, open_camera
from posture.capture import Orientation, RotationDeg
from posture.clips import VideoFileSource
from posture.errors import SourceError
from posture.landmarks import Frame
from posture.live import LiveSource
from posture.pictures import FOLDER_RATE_HZ, PICTURE_SUFFIXES, ImageFolderSource
from posture.redaction import mask_url
from posture.streams import check_url, open_stream

__all__ = [
    "FrameSource",
    "ImageFolderSource",
    "LiveSource",
    "PacedSource",
    "VideoFileSource",
    "open_source",
]

PACE_S = 0.1
"""Seconds; longest wait between two looks at the stop event while a clip is played."""


class FrameSource(Protocol):
    """Something that gives frames in the order of time; close it, or use it in a `with` block."""

    @property
    def name(self) -> str:
        """What messages call the source; never contains a password."""

    @property
    def is_live(self) -> bool:
        """Whether frames that are not fetched in time are gone."""

    @property
    def n_frames(self) -> int | None:
        """Number of frames as announced, which a container may only estimate; None = not known."""

    @property
    def duration_s(self) -> float | None:
        """Length as announced; None = not known."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the frames read so far, one line each; complete at the end."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; the first has `t_s` 0.0."""

    def close(self) -> None:
        """Let go of the device or file; the iteration ends."""

    def __enter__(self) -> Self:
        """Return the source."""

    def __exit__(self, *exc: object) -> None:
        """Close the source."""


class PacedSource:
    """A recorded source played as if it were live: no frame before its time, none left out.

    Parameters
    ----------
    source : FrameSource
        What to play; its own `t_s` stay.
    speed : float
        Seconds of clip per second of clock, above 0.
    clock : callable
        Return seconds that only grow.
    wait : callable
        Wait for so many seconds, at most 0.1 at a time.
    stop : threading.Event, optional
        Ends the iteration within 0.2 s.
    """

    def __init__(
        self,
        source: FrameSource,
        speed: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        stop: threading.Event | None = None,
    ) -> None:
        if not 0.0 < speed < float("inf"):
            raise SourceError(f"{source.name}: speed is {speed:g}, expected a number above 0")
        self._source = source
        self._speed = speed
        self._clock = clock
        self._wait = wait
        self._stop = stop or threading.Event()
        self._is_closed = False
        self.name = source.name
        self.is_live = source.is_live
        self.n_frames = source.n_frames
        self.duration_s = source.duration_s

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the source that is played."""
        return self._source.notes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration and close the source that is played."""
        self._is_closed = True
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        start_s: float | None = None
        for frame in self._source:
            start_s = self._clock() if start_s is None else start_s
            while (remaining_s := start_s + frame.t_s / self._speed - self._clock()) > 0:
                if self._is_closed or self._stop.is_set():
                    return
                self._wait(min(remaining_s, PACE_S))
            if self._is_closed or self._stop.is_set():
                return
            yield frame


def open_source(
    spec: str,
    *,
    mirror: bool = False,
    rotate_deg: RotationDeg = 0,
    width_px: int | None = 640,
    height_px: int | None = 480,
    rate_hz: float | None = None,
    stop: threading.Event | None = None,
) -> FrameSource:
    """Return the source that `spec` names.

    Tried in this order: a number is a camera; what contains `://` is a stream; an existing path is a
    clip or a folder of pictures; anything else is a camera's name or an unambiguous part of it.

    Parameters
    ----------
    spec : str
        What the user wrote after `--source`.
    mirror : bool
        Swap left and right, for a camera that delivers a mirrored picture.
    rotate_deg : {0, 90, 180, 270}
        Turn the picture clockwise.
    width_px, height_px : int, optional
        Picture size to ask a camera for; clips and streams have their own.
    rate_hz : float, optional
        Frames per second to take from a camera or stream, None = all; pictures of a folder are this
        rate apart, None = 1; a clip has its own times.
    stop : threading.Event, optional
        Ends the iteration soon after it is set, from any thread or a signal handler.

    Returns
    -------
    FrameSource
        Iterate it for its frames; close it, or use it in a ``with`` block.

    Raises
    ------
    SourceError
        If there is no such thing, or it cannot be read. A camera or stream is opened by the first
        step of its iteration, which raises then.
    """
    orientation = Orientation(mirror, rotate_deg)
    if rate_hz is not None and not 0.0 < rate_hz < float("inf"):
        raise SourceError(f"{spec}: rate is {rate_hz:g} Hz, expected a number above 0")
    if not spec.strip():
        raise SourceError("source: empty; give a camera number or name, a clip, a folder or an address")
    if "://" in spec:
        check_url(spec)
        name = mask_url(spec)
        return LiveSource(
            name, lambda: open_stream(spec), rate_hz=rate_hz, orientation=orientation, stop=stop
        )
    index = int(spec) if re.fullmatch(r"-?[0-9]{1,9}", spec.strip()) else _device_index(spec)
    if index is None and (path := _existing(spec)) is not None:
        if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
            rate = FOLDER_RATE_HZ if rate_hz is None else rate_hz
            return ImageFolderSource(path, rate_hz=rate, orientation=orientation, stop=stop)
        return VideoFileSource(path, orientation=orientation, stop=stop)
    name = f"camera {index}"
    if index is None:
        cameras = list_cameras()
        camera = find_camera(spec, cameras)
        if camera is None:
            raise SourceError(
                f"{spec}: no such file or folder, and no camera of that name; {describe(cameras)}"
            )
        index, name = camera.index, camera.name
    check_camera(index)
    number = index
    return LiveSource(
        name,
        lambda: open_camera(number, width_px=width_px, height_px=height_px, rate_hz=rate_hz),
        rate_hz=rate_hz,
        orientation=orientation,
        stop=stop,
    )


def _device_index(spec: str) -> int | None:
    """Return N for Linux' /dev/videoN, else None."""
    match = re.fullmatch(r"/dev/video([0-9]{1,3})", spec)
    return int(match[1]) if match else None


def _existing(spec: str) -> Path | None:
    """Return the path `spec` if there is something, else None."""
    try:
        path = Path(spec).expanduser()
        return path if spec and path.exists() else None
    except PermissionError as error:
        raise SourceError(f"{spec}: permission denied; check the rights of its folder") from error
    except (OSError, RuntimeError):  # too long for a path; no such home
        return None
