"""Write pictures as a clip that common players show, each at its own time.

H.264 in MP4 plays in every browser, phone and player of the last ten years; MPEG-4 part 2, the best that OpenCV's
wheels write into MP4 in real time, plays in VLC, mpv, QuickTime and Windows' player, and in no browser. H.264 comes
from PyAV, the extra ``posture[video]``: its wheels contain x264 (GPL), which is why they are no part of a plain
installation.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol

from posture.capture import import_cv2
from posture.errors import OutputError
from posture.landmarks import UInt8Array

MPEG4_NOTE: Final = (
    "written as MPEG-4 part 2, which browsers do not play; with the library PyAV it is H.264 "
    "(python -m pip install av)"
)
_TICK_S = Fraction(
    1, 90_000
)  # the time base that MPEG has always had; every common frame rate is whole in it
_X264: Final = {
    "preset": "veryfast",  # 3 ms a frame at 640x480
    "crf": "20",  # fine lines and letters stay sharp; 50 kbit/s for a still room
    "bf": "0",  # frames leave in order, so that the first is at 0
}
# What OpenCV's conversion makes, as ITU-T H.273 numbers it: the matrix of BT.601, limited range, a screen's primaries
# and transfer. Untold, players take pictures of 720 lines or more for BT.709 throughout, and their colours are off.
_COLOURS: Final = {"colorspace": 6, "color_range": 1, "color_primaries": 1, "color_trc": 1}
# Whole after every fragment while it is written, an ordinary file in the end: a killed program leaves what it had.
_MOVFLAGS: Final = "+hybrid_fragmented"
_N_WAITING = 4  # pictures between judging and encoding; only their differences in speed need room
_KEY_S = 4.0  # between key frames: how exactly players can jump, and how much a killed program loses


class VideoWriter(Protocol):
    """A clip being written."""

    note: str
    """What a person should know about the file; empty = nothing."""

    def write(self, image_rgb: UInt8Array, t_s: float) -> None:
        """Add a picture, all of one even size, at its time in seconds from the first, never decreasing."""

    def close(self) -> None:
        """Make it a whole file."""


def open_video(path: Path, width_px: int, height_px: int, rate_hz: float) -> VideoWriter:
    """Begin a clip that only its owner can read, also in the place of one that others could.

    Parameters
    ----------
    path : Path
        Overwritten; its folder is made.
    width_px, height_px : int
        Even.
    rate_hz : float
        Pictures per second, about; exact times are kept where the writer can.

    Raises
    ------
    OutputError
        If it cannot be written, or its name does not end in ``.mp4``.
    """
    check_video_name(path)
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is not a file; name one to write the clip to, for example out.mp4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))  # it shows a person
        with contextlib.suppress(PermissionError):  # somebody else's file, which may be written
            path.chmod(0o600)
    except OSError as error:
        raise _failure(path, error.strerror) from error
    try:
        import av  # noqa: F401
    except ImportError:
        return _Behind(_Mpeg4Writer(path, width_px, height_px, rate_hz))
    return _Behind(_H264Writer(path, width_px, height_px, rate_hz))


def check_video_name(path: Path) -> None:
    """Raise OutputError unless `path` is named as the one kind of clip that is written."""
    if path.suffix.lower() != ".mp4":
        raise OutputError(f"{path}: annotated clips are MP4: name a file that ends in .mp4")


class _Behind:
    """Encode on a thread of its own while the next frame is judged; a failure is raised by what follows it."""

    def __init__(self, writer: VideoWriter) -> None:
        self.note = writer.note
        self._writer = writer
        self._pages: queue.Queue[tuple[UInt8Array, float] | None] = queue.Queue(_N_WAITING)
        self._failure: OutputError | None = None
        self._thread = threading.Thread(target=self._run, name="posture-video", daemon=True)
        self._thread.start()

    def write(self, image_rgb: UInt8Array, t_s: float) -> None:
        """Copy the picture and have it written."""
        if self._failure is not None:
            raise self._failure
        self._pages.put((image_rgb.copy(), t_s))

    def close(self) -> None:
        """Wait until all is written."""
        self._pages.put(None)
        self._thread.join()
        try:
            self._writer.close()
        except OutputError as error:
            raise self._failure or error from None
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        """Write what comes; after a failure only take it, so that nobody waits."""
        while (page := self._pages.get()) is not None:
            if self._failure is None:
                try:
                    self._writer.write(*page)
                except OutputError as error:
                    self._failure = error


class _H264Writer:
    """H.264, each picture at its own time."""

    note = ""

    def __init__(self, path: Path, width_px: int, height_px: int, rate_hz: float) -> None:
        import av

        av.logging.set_level(None)
        self._path, self._last_tick, self._interval = (
            path,
            -1,
            round(1 / (_TICK_S * Fraction(max(rate_hz, 0.01)))),
        )
        try:
            # An absolute path is a file, whatever its name looks like to FFmpeg.
            self._file = av.open(str(path.absolute()), "w", format="mp4", options={"movflags": _MOVFLAGS})
            key_every = max(1, round(rate_hz * _KEY_S))
            self._stream: Any = self._file.add_stream(
                "libx264", rate=Fraction(max(rate_hz, 0.01)).limit_denominator(1001), options=_X264
            )
            self._stream.width, self._stream.height, self._stream.pix_fmt = width_px, height_px, "yuv420p"
            self._stream.codec_context.gop_size = key_every
            self._stream.codec_context.time_base = _TICK_S
            for name, value in _COLOURS.items():
                setattr(self._stream.codec_context, name, value)
        except OSError as error:
            raise _failure(path, error.strerror) from error

    def write(self, image_rgb: UInt8Array, t_s: float) -> None:
        """Add a picture."""
        import av

        cv2 = import_cv2()  # its conversion takes a fifth of FFmpeg's time
        frame = av.VideoFrame.from_ndarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2YUV_I420), format="yuv420p")
        tick = max(round(t_s / float(_TICK_S)), self._last_tick + 1)
        if self._last_tick >= 0:
            self._interval = tick - self._last_tick
        frame.pts, frame.time_base = tick, _TICK_S
        self._last_tick = tick
        self._mux(frame)

    def close(self) -> None:
        """Write what the encoder still has, and the index."""
        try:
            if self._last_tick >= 0:
                self._mux(None)
        finally:
            try:
                self._file.close()
            except OSError as error:
                raise _failure(self._path, error.strerror) from error

    def _mux(self, frame: Any) -> None:
        """Encode one picture, or what is left."""
        try:
            for packet in self._stream.encode(frame):
                if packet.pts == self._last_tick:  # nothing follows that would tell how long it lasts
                    packet.duration = self._interval
                self._file.mux(packet)
        except OSError as error:
            raise _failure(self._path, error.strerror) from error


class _Mpeg4Writer:
    """MPEG-4 part 2 at a constant rate: a picture is repeated until the next is due."""

    note = MPEG4_NOTE

    def __init__(self, path: Path, width_px: int, height_px: int, rate_hz: float) -> None:
        cv2 = import_cv2()
        self._path, self._rate_hz, self._n = path, rate_hz, 0
        code = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(
            str(path.absolute()), cv2.CAP_FFMPEG, code, rate_hz, (width_px, height_px)
        )
        if not self._writer.isOpened():
            raise _failure(path, "the encoder cannot be started")

    def write(self, image_rgb: UInt8Array, t_s: float) -> None:
        """Add a picture."""
        cv2 = import_cv2()
        image = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR)
        for _ in range(round(t_s * self._rate_hz) + 1 - self._n):
            self._writer.write(image)
            self._n += 1

    def close(self) -> None:
        """Write the index, and look whether it is there: OpenCV does not tell of a full disk."""
        cv2 = import_cv2()
        self._writer.release()
        if not self._n:
            return
        reader = cv2.VideoCapture(str(self._path.absolute()), cv2.CAP_FFMPEG)
        n_there = round(reader.get(cv2.CAP_PROP_FRAME_COUNT)) if reader.isOpened() else 0
        reader.release()
        if n_there < self._n:
            raise _failure(self._path, f"{n_there} of {self._n} pictures arrived")


def _failure(path: Path, why: str | None) -> OutputError:
    """Return the error a person sees."""
    return OutputError(f"cannot write {path}: {why or 'unknown error'}; check the folder and the free space")
