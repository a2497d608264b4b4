"""Folders of pictures, played like a clip."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from posture.capture import Orientation, import_cv2
from posture.errors import SourceError
from posture.landmarks import Frame, UInt8Array
from posture.stderr import quiet_stderr

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
FOLDER_RATE_HZ = 1.0  # a folder of pictures is most often a time lapse, and one a second is easy to count


class ImageFolderSource:
    """The pictures of a folder in natural order (2 before 10), or a single picture.

    A picture that cannot be read is skipped and noted, and its time stays empty.

    Parameters
    ----------
    path : Path
        Folder with jpg, jpeg, png, bmp or webp files, or one such file.
    rate_hz : float
        `t_s` is the position in the folder divided by this; dates inside the files are ignored.
    orientation : Orientation
        Applied to every picture, after the file's own EXIF orientation.
    stop : threading.Event, optional
        Ends the iteration.

    Raises
    ------
    SourceError
        If the folder cannot be read or has no picture.
    """

    is_live = False

    def __init__(
        self,
        path: Path,
        *,
        rate_hz: float = FOLDER_RATE_HZ,
        orientation: Orientation | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.name = path.name or str(path)
        self._rate_hz = rate_hz
        self._orientation = orientation or Orientation()
        self._stop = stop or threading.Event()
        self._is_closed = False
        self._notes: list[str] = []
        try:
            files = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError as error:
            raise SourceError(f"{path}: cannot be listed: {error.strerror}") from error
        self._paths = sorted((p for p in files if p.suffix.lower() in PICTURE_SUFFIXES), key=_natural_key)
        if not self._paths:
            kinds = ", ".join(sorted(suffix[1:] for suffix in PICTURE_SUFFIXES))
            raise SourceError(f"{path}: no pictures in this folder; expected files of type {kinds}")
        self.n_frames: int | None = len(self._paths)
        self.duration_s: float | None = len(self._paths) / rate_hz

    @property
    def notes(self) -> tuple[str, ...]:
        """The pictures skipped so far, one line each."""
        return tuple(self._notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        self._is_closed = True

    def __iter__(self) -> Iterator[Frame]:
        self._notes = []
        first: int | None = None
        for i in range(len(self._paths)):
            if self._is_closed or self._stop.is_set():
                return
            image_rgb, problem = self.read(i)
            if image_rgb is None:
                self._notes.append(problem)
                continue
            first = i if first is None else first
            yield Frame((i - first) / self._rate_hz, image_rgb)
        if first is None:
            raise SourceError(
                f"{self.name}: none of its {len(self._paths)} pictures can be read; are they damaged?"
            )

    def read(self, index: int) -> tuple[UInt8Array | None, str]:
        """Return a picture, (H, W, 3) RGB, by its place in the folder; or None and why it cannot be read."""
        cv2, path = import_cv2(), self._paths[index]
        try:
            data = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            return None, f"{path.name}: skipped, {error.strerror}"
        with quiet_stderr():
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if image is None:
            return None, f"{path.name}: skipped, {'not a readable picture' if data.size else 'empty file'}"
        return self._orientation.to_rgb(image), ""


def _natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Return a key that sorts digits by value: frame2 before frame10."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]
