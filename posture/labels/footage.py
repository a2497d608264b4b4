"""What a labeller looks at, at any time of it: a clip, a folder of pictures, or a recording's landmarks.

Times are those that a replay of the same thing has, so that labels fit what is judged.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from posture.capture import Orientation, import_cv2
from posture.clips import VideoFileSource
from posture.errors import SourceError
from posture.landmarks import FloatArray, Landmarks, UInt8Array
from posture.pictures import FOLDER_RATE_HZ, PICTURE_SUFFIXES, ImageFolderSource
from posture.recording.reader import looks_recorded
from posture.trace import load_trace

MAX_WIDTH_PX: Final = 1280
"""Wider pictures are made smaller: they are looked at in a window, and :data:`N_KEPT` of them kept (our choice)."""
N_KEPT: Final = 24
"""Pictures kept to step back through without decoding from the last key frame on: 66 MB of 1280x720 (our choice)."""
READ_ON_S: Final = 2.0
"""A picture no further ahead is come to by reading on, which is faster than finding a key frame (our choice)."""
_BACK_S: Final = (0.5, 4.0, 20.0, math.inf)  # before the wanted time: where to look for one not after it
_N_ATTEMPTS: Final = 64  # damaged packets in a row before the clip is taken to have ended, as a replay does


@dataclass(frozen=True, slots=True)
class Shot:
    """What there is to see at one time."""

    t_s: float
    """Seconds since the first frame."""
    image_rgb: UInt8Array | None
    """(H, W, 3) uint8; None = a recording, which has no pictures."""
    landmarks: Landmarks | None = None
    """One frame (T = 1) of a recording."""


class Footage(Protocol):
    """Something to look at, at any time."""

    @property
    def duration_s(self) -> float:
        """Time of the last frame; until it has been seen, as announced."""

    def at(self, t_s: float) -> Shot:
        """Return the newest frame that is not after `t_s`."""

    def step(self, t_s: float, *, is_back: bool) -> float:
        """Return the time of the frame after, or before, the one at `t_s`; its own if there is none."""

    def close(self) -> None:
        """Let go of the file."""


def open_footage(path: Path, orientation: Orientation | None = None) -> Footage:
    """Return what is to be labelled.

    Parameters
    ----------
    path : Path
        A clip, a folder of pictures (one a second), or a recording of landmarks.
    orientation : Orientation, optional
        Applied to every picture.

    Raises
    ------
    SourceError, TraceError
        If it is missing, cannot be read, or has nothing to see.
    """
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return FolderFootage(path, orientation)
    if path.exists() and looks_recorded(path):
        return TraceFootage(path)
    return ClipFootage(path, orientation)


def measure_duration(path: Path) -> float | None:
    """Return how long a clip, folder or recording lasts, seconds, without looking at its frames; None = not told.

    Raises
    ------
    SourceError, TraceError
        As :func:`open_footage`.
    """
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return ImageFolderSource(path).duration_s
    if path.exists() and looks_recorded(path):
        return TraceFootage(path).duration_s
    return VideoFileSource(path).duration_s


class ClipFootage:
    """A video file; see :func:`open_footage`.

    Frames have the container's times since the first one. Where a clock begins anew inside a clip (joined recordings),
    a replay joins it on and this does not: label such parts as clips of their own.
    """

    def __init__(self, path: Path, orientation: Orientation | None = None) -> None:
        source = VideoFileSource(path, orientation=orientation)  # says what is wrong with a file
        self._path, self._orientation = path, orientation or Orientation()
        self._is_timed, self._interval_s = source.is_timed, source.interval_s
        self._shots: deque[Shot] = deque(maxlen=N_KEPT)  # one after the other; the last is the newest read
        self._is_over = False
        self._capture = self._open()
        first = self._read()
        if first is None:
            raise SourceError(f"{path}: no frame can be decoded; it is damaged or cut short")
        self._shots.append(first)
        self.duration_s = max((source.duration_s or math.inf) - self._interval_s, 0.0)
        if math.isinf(self.duration_s):
            self.duration_s = self._find_end()

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def at(self, t_s: float) -> Shot:
        """Return the newest frame that is not after `t_s`."""
        if not self._shots or not self._shots[0].t_s <= t_s <= self._shots[-1].t_s + READ_ON_S:
            self._seek(t_s)
        while not self._is_over and self._shots[-1].t_s <= t_s:
            self._read_on()
        return next((shot for shot in reversed(self._shots) if shot.t_s <= t_s), self._shots[0])

    def step(self, t_s: float, *, is_back: bool) -> float:
        """Return the time of the frame after, or before, the one at `t_s`; its own if there is none."""
        here_s = self.at(t_s).t_s
        if not is_back:
            return min((shot.t_s for shot in self._shots if shot.t_s > here_s), default=here_s)
        if here_s == 0.0:
            return here_s
        earlier = [shot.t_s for shot in self._shots if shot.t_s < here_s]
        return max(earlier) if earlier else self.at(max(math.nextafter(here_s, 0.0), 0.0)).t_s

    def _open(self) -> Any:
        """Open the file at its beginning; times count from there on."""
        cv2 = import_cv2()
        self._origin_s: float | None = None
        return cv2.VideoCapture(str(self._path.absolute()), cv2.CAP_FFMPEG)

    def _read(self) -> Shot | None:
        """Return the next frame; None = there is none."""
        cv2 = import_cv2()
        for _ in range(_N_ATTEMPTS):
            is_read, image = self._capture.read()
            if not is_read:
                continue
            if self._is_timed:
                pos_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            else:
                pos_s = (self._capture.get(cv2.CAP_PROP_POS_FRAMES) - 1) * self._interval_s
            self._origin_s = pos_s if self._origin_s is None else self._origin_s
            return Shot(max(pos_s - self._origin_s, 0.0), _shrunk(self._orientation.to_rgb(image)))
        return None

    def _read_on(self) -> None:
        """Take in the next frame; at the end the clip's true length is known."""
        shot = self._read()
        if shot is None:
            self._is_over = True
            self.duration_s = self._shots[-1].t_s
        elif shot.t_s > self._shots[-1].t_s:  # a step back in time is left out
            self._shots.append(shot)

    def _seek(self, t_s: float) -> None:
        """Go to a frame that is not after `t_s`."""
        cv2 = import_cv2()
        for back_s in _BACK_S:
            self._is_over = False
            wanted_s = t_s - back_s if self._is_timed else 0.0  # a stream without times has no index either
            if wanted_s <= 0.0:
                self._capture.release()
                self._capture = self._open()
            else:
                self._capture.set(cv2.CAP_PROP_POS_MSEC, 1e3 * (wanted_s + (self._origin_s or 0.0)))
            shot = self._read()
            if shot is not None and (shot.t_s <= t_s or wanted_s <= 0.0):
                self._shots.clear()
                self._shots.append(shot)
                return
        raise SourceError(f"{self._path}: cannot be read any more")

    def _find_end(self) -> float:
        """Return the time of the last frame, by reading them all."""
        self.duration_s = math.inf
        while not self._is_over:
            self._read_on()
        return self.duration_s


class FolderFootage:
    """A folder of pictures, or one picture; see :func:`open_footage`."""

    def __init__(self, path: Path, orientation: Orientation | None = None) -> None:
        self._source = ImageFolderSource(path, orientation=orientation)
        n = self._source.n_frames or 0
        self._first = next((i for i in range(n) if self._source.read(i)[0] is not None), n)
        if self._first == n:
            raise SourceError(f"{path}: none of its {n} pictures can be read; are they damaged?")
        self.duration_s = (n - 1 - self._first) / FOLDER_RATE_HZ

    def close(self) -> None:
        """Nothing to let go of."""

    def at(self, t_s: float) -> Shot:
        """Return the newest picture that is not after `t_s` and can be read."""
        wanted_s = min(max(t_s, 0.0), self.duration_s)
        for i in range(int(wanted_s * FOLDER_RATE_HZ) + self._first, self._first, -1):
            image, _ = self._source.read(i)
            if image is not None:
                return Shot((i - self._first) / FOLDER_RATE_HZ, _shrunk(image))
        image, _ = self._source.read(self._first)
        return Shot(0.0, None if image is None else _shrunk(image))

    def step(self, t_s: float, *, is_back: bool) -> float:
        """Return the time of the next, or previous, picture."""
        here = int(t_s * FOLDER_RATE_HZ) + (-1 if is_back else 1)
        return min(max(here / FOLDER_RATE_HZ, 0.0), self.duration_s)


class TraceFootage:
    """A recording of landmarks, or an ``.npz`` trace; see :func:`open_footage`."""

    def __init__(self, path: Path) -> None:
        self._landmarks = load_trace(path)
        if not len(self._landmarks):
            raise SourceError(f"{path}: a recording without a single frame")
        self._t_s: FloatArray = self._landmarks.t_s
        self.duration_s = float(self._t_s[-1])

    def close(self) -> None:
        """Nothing to let go of."""

    def at(self, t_s: float) -> Shot:
        """Return the newest frame that is not after `t_s`."""
        i = self._index(t_s)
        return Shot(float(self._t_s[i]), None, self._landmarks[i : i + 1])

    def step(self, t_s: float, *, is_back: bool) -> float:
        """Return the time of the frame after, or before, the one at `t_s`; its own if there is none."""
        i = self._index(t_s) + (-1 if is_back else 1)
        return float(self._t_s[min(max(i, 0), len(self._t_s) - 1)])

    def _index(self, t_s: float) -> int:
        """Return which frame is the newest that is not after `t_s`; the first where there is none."""
        return max(int(np.searchsorted(self._t_s, t_s, side="right")) - 1, 0)


def _shrunk(image_rgb: UInt8Array) -> UInt8Array:
    """Return a picture no wider than :data:`MAX_WIDTH_PX`."""
    height, width = image_rgb.shape[:2]
    if width <= MAX_WIDTH_PX:
        return image_rgb
    cv2 = import_cv2()
    size = (MAX_WIDTH_PX, max(1, round(height * MAX_WIDTH_PX / width)))
    smaller: UInt8Array = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)
    return smaller
