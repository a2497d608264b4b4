"""Pictures that stay encoded until somebody wants to see them: most pictures of a camera are never judged.

FFmpeg's `grab` decodes every picture (OpenCV 5.0: 16 ms of CPU per second of 640x480 MJPEG at 15 fps). Taken as they
come they cost 1.8 ms, a look at an eighth of their size 0.15 ms and a whole one 1 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from posture.capture import Orientation, import_cv2
from posture.landmarks import Frame, UInt8Array
from posture.stderr import quiet_stderr

_START, _END = b"\xff\xd8", b"\xff\xd9"  # of image, ISO/IEC 10918-1, table B.1
_SMALL_PX = 160  # a look needs 40 cells (posture.glimpse): pictures narrower than this are reduced less


class Jpeg:
    """One picture as the camera sent it.

    Parameters
    ----------
    data : (N,) uint8
        The file.
    small : (h, w) uint8
        Its brightness, much reduced.
    """

    def __init__(self, data: UInt8Array, small: UInt8Array) -> None:
        self.data = data
        self.small = small

    def decode(self) -> UInt8Array | None:
        """Return the picture, (H, W, 3) BGR; None = it cannot be decoded after all."""
        cv2 = import_cv2()
        return _decode(self.data, cv2.IMREAD_COLOR)


def open_jpeg(data: UInt8Array) -> Jpeg | None:
    """Return the picture in `data`, or None if it is not a whole JPEG that can be decoded."""
    if data[:2].tobytes() != _START or data[-1024:].tobytes().rfind(_END) < 0:
        return None
    cv2 = import_cv2()
    small = _decode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    if small is not None and small.shape[1] * 8 < 2 * _SMALL_PX:
        small = _decode(data, cv2.IMREAD_REDUCED_GRAYSCALE_2)
    return None if small is None else Jpeg(data, small)


def _decode(data: UInt8Array, flags: int) -> UInt8Array | None:
    cv2 = import_cv2()
    with quiet_stderr():  # libjpeg prints what it thinks of a damaged one
        try:
            image: UInt8Array | None = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            return None
    return image


class JpegCapture:
    """A stream of JPEG pictures, read without decoding; a :class:`~posture.capture.Capture`.

    Parameters
    ----------
    capture : cv2.VideoCapture
        Opened, nothing grabbed yet, told to give packets as they come.
    """

    def __init__(self, capture: Any) -> None:
        self._capture = capture

    def grab(self) -> bool:
        """Take the next picture, still encoded; False = there was none."""
        return bool(self._capture.grab())

    def retrieve(self) -> tuple[bool, Jpeg | None]:
        """Return the picture taken last; what cannot be decoded is none."""
        is_there, packet = self._capture.retrieve()
        if not is_there or packet is None or packet.dtype != np.uint8:
            return False, None
        jpeg = open_jpeg(packet.ravel())
        return jpeg is not None, jpeg

    def release(self) -> None:
        """Let go of the stream."""
        self._capture.release()


class EncodedFrame(Frame):
    """A frame whose picture is decoded when it is first asked for; it looks like any other frame."""

    __slots__ = ("_image_rgb", "_is_decoded", "_orientation", "jpeg")

    def __init__(self, t_s: float, jpeg: Jpeg, orientation: Orientation) -> None:
        for name, value in (
            ("t_s", t_s),
            ("jpeg", jpeg),
            ("_orientation", orientation),
            ("_is_decoded", False),
            ("_image_rgb", None),
        ):
            object.__setattr__(self, name, value)

    jpeg: Jpeg
    _orientation: Orientation
    _is_decoded: bool
    _image_rgb: UInt8Array | None

    @property
    def image_rgb(self) -> UInt8Array | None:
        """(H, W, 3) uint8, contiguous; None = it could not be decoded."""
        if not self._is_decoded:
            image = self.jpeg.decode()
            object.__setattr__(self, "_image_rgb", None if image is None else self._orientation.to_rgb(image))
            object.__setattr__(self, "_is_decoded", True)
        return self._image_rgb
