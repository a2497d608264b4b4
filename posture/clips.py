"""Recorded clips: every frame of a video file, at the time the container gives it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from posture.capture import Orientation, import_cv2
from posture.errors import SourceError
from posture.landmarks import Frame

_N_PROBED = 5  # frames looked at to see whether the container has timestamps at all
_N_ATTEMPTS = 64  # damaged packets skipped in a row before the clip is taken to have ended
_MAX_MS = 1e11  # 3 years: older OpenCV returns -3.7e20 for "no timestamp"
_RESTART_S = 1.0  # further back than this, and for so many frames, is a new clock (joined recordings);
_N_RESTART = 3  # fewer are frames that damage has put out of order
_FALLBACK_FPS = 25.0  # FFmpeg's own guess where a raw stream tells no rate
_MAX_FPS = 240.0  # the fastest rate that cameras record at; a higher one is a time base (1000, 90000)
_MAX_FRAMES = 1e9
_SNIFFED_BYTES = 1 << 20


class ClipClock:
    """Turn a container's timestamps into seconds since the first frame that never decrease.

    A missing timestamp (NaN or absurd) continues at the last interval. A step back repeats the last time;
    when three frames in a row are more than a second behind, a new clock has begun and is joined on.
    With `is_timed` False the timestamps are ignored and frames are `interval_s` apart.
    """

    def __init__(self, *, is_timed: bool = True, interval_s: float = 1.0 / _FALLBACK_FPS) -> None:
        self._is_timed = is_timed
        self._interval_s = interval_s
        self._origin_s: float | None = None
        self._last_s: float | None = None
        self._n_behind = 0

    def stamp(self, pos_ms: float) -> float:
        """Return the seconds of the next frame, whose container timestamp is `pos_ms` milliseconds."""
        pos_s = pos_ms / 1e3 if self._is_timed and abs(pos_ms) < _MAX_MS else math.nan
        if self._last_s is None:
            self._origin_s = pos_s if math.isfinite(pos_s) else None
            self._last_s = 0.0
            return 0.0
        if not math.isfinite(pos_s):
            t_s = self._last_s + self._interval_s
        else:
            is_behind = self._origin_s is not None and pos_s - self._origin_s < self._last_s - _RESTART_S
            self._n_behind = self._n_behind + 1 if is_behind else 0
            if self._origin_s is None or self._n_behind == _N_RESTART:
                self._origin_s = pos_s - self._last_s - self._interval_s * max(self._n_behind, 1)
                self._n_behind = 0
            t_s = max(pos_s - self._origin_s, self._last_s)
            if t_s > self._last_s and not is_behind:
                self._interval_s = t_s - self._last_s
        self._last_s = t_s
        return t_s


class VideoFileSource:
    """Every frame of a video file, turned as its rotation metadata says.

    Unreadable stretches are skipped; the frames after them keep their own time. A clip that ends
    before the length it announces is read as far as it goes, and noted.

    Parameters
    ----------
    path : Path
        Video file.
    orientation : Orientation
        Applied to every picture, after the file's own rotation.
    stop : threading.Event, optional
        Ends the iteration before the next frame.

    Raises
    ------
    SourceError
        If the file cannot be read, is no video, or has no frame that can be decoded.
    """

    is_live = False

    def __init__(
        self, path: Path, *, orientation: Orientation | None = None, stop: threading.Event | None = None
    ) -> None:
        self.name = path.name
        self._path = path
        self._orientation = orientation or Orientation()
        self._stop = stop or threading.Event()
        self._is_closed = False
        self._notes: list[str] = []
        _check_file(path)
        capture = self._open()
        try:
            self._probe(capture)
        finally:
            capture.release()

    def _open(self) -> Any:
        cv2 = import_cv2()
        capture = cv2.VideoCapture(str(self._path.absolute()), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self._path}: {_why_not_video(self._path)}")
        return capture

    def _probe(self, capture: Any) -> None:
        """Read the first frames, to know whether there are any and whether they have timestamps."""
        cv2 = import_cv2()
        fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        has_count = 0 < count < _MAX_FRAMES
        self.n_frames: int | None = round(count) if has_count else None
        self.duration_s: float | None = count / fps if has_count and 0 < fps < math.inf else None
        self._fps = fps if 1 / 3600 <= fps <= _MAX_FPS else _FALLBACK_FPS
        times_ms: list[float] = []
        for _ in range(_N_PROBED + _N_ATTEMPTS):
            if capture.grab() and (times_ms or capture.retrieve()[0]):
                times_ms.append(capture.get(cv2.CAP_PROP_POS_MSEC))
                if len(times_ms) == _N_PROBED:
                    break
        if not times_ms:
            codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
            why = "no frame can be decoded; it is damaged or cut short"
            if codec.isalnum():
                why += f", or its format ({codec.decode()}) is not supported"
            raise SourceError(f'{self._path}: {why}; try: ffmpeg -i "{self._path.name}" -c:v libx264 out.mp4')
        self._is_timed = len(times_ms) == 1 or any(
            abs(ms) < _MAX_MS and ms != times_ms[0] for ms in times_ms[1:]
        )

    @property
    def is_timed(self) -> bool:
        """Whether the container gives every frame its time; if not, frames are :attr:`interval_s` apart."""
        return self._is_timed

    @property
    def interval_s(self) -> float:
        """Seconds between two frames as announced."""
        return 1.0 / self._fps

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd about the clip, one line each; complete when the iteration has ended."""
        return tuple(self._notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        self._is_closed = True

    def __iter__(self) -> Iterator[Frame]:
        cv2 = import_cv2()
        self._notes = []
        if not self._is_timed:
            self._notes.append(f"{self.name}: no timestamps inside, frames taken as 1/{self._fps:g} s apart")
        clock = ClipClock(is_timed=self._is_timed, interval_s=1.0 / self._fps)
        n_read = n_failed = n_skipped = 0
        t_s = end_s = 0.0
        capture = self._open()
        try:
            while n_failed < _N_ATTEMPTS:
                if self._is_closed or self._stop.is_set():
                    return
                is_read, image = capture.read()
                if not is_read:
                    n_failed += 1
                    continue
                n_skipped, n_failed = n_skipped + n_failed, 0
                n_read += 1
                pos_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
                t_s = clock.stamp(pos_ms)
                end_s = max(t_s, pos_ms / 1e3 if abs(pos_ms) < _MAX_MS else 0.0, _stream_s(capture))
                yield Frame(t_s, self._orientation.to_rgb(image))
        finally:
            capture.release()
        if n_skipped:
            self._notes.append(
                f"{self.name}: {n_skipped} unreadable place{'s' if n_skipped > 1 else ''} skipped"
            )
        interval_s = t_s / (n_read - 1) if n_read > 1 else 1.0 / self._fps
        if self.n_frames is None or self.duration_s is None:
            return
        # The count alone may be an estimate from the length, too high where the rate varies.
        if n_read + 2 < self.n_frames and end_s + 3 * interval_s < self.duration_s:
            span = f"{end_s:.1f} of {self.duration_s:.1f} s"
            self._notes.append(f"{self.name}: truncated, {n_read} of {self.n_frames} frames read ({span})")


def _stream_s(capture: Any) -> float:
    """Return the frame's time including the clip's own start time, where OpenCV (5) tells it, else 0."""
    cv2 = import_cv2()
    fps = capture.get(cv2.CAP_PROP_FPS)
    prop = getattr(cv2, "CAP_PROP_PTS", None)
    return float(capture.get(prop)) / fps if prop is not None and fps > 0 else 0.0


def _check_file(path: Path) -> None:
    """Check that `path` is a file with something in it that may be read."""
    try:
        if not path.is_file():
            raise SourceError(
                f"{path}: {'is not a file' if path.exists() else 'no such file'}; give a video file"
            )
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"{path}: is empty (0 bytes); record or copy it again")
    except PermissionError as error:
        raise SourceError(f"{path}: permission denied; make it readable, e.g. chmod u+r") from error
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error


def _why_not_video(path: Path) -> str:
    """Return why FFmpeg finds no video in a file, from its first and last megabyte."""
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
        file.seek(max(0, path.stat().st_size - _SNIFFED_BYTES))
        data = head + file.read()
    if b"\0" not in head:
        return "is text, not a video; give a video file"
    if b"ftyp" in head[:12] and b"moov" not in data:
        return "is cut short: its index (at the end of the file) is missing; copy it again in full"
    if (b"soun" in data and b"vide" not in data) or head[:4] in (b"OggS", b"fLaC") or head[8:12] == b"WAVE":
        return "has sound but no picture; give a video file"
    return f'is damaged, or not a video that can be read; try: ffmpeg -i "{path.name}" -c:v libx264 out.mp4'
