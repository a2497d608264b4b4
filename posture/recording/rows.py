"""Rows of a recording to bytes and back: times, flags, and the landmarks of rows that do not repeat the last."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posture.landmarks import N_FACE, N_LANDMARKS, Landmarks
from posture.recording.codec import DamageError, encode
from posture.recording.records import POINTS, WORLD_POINTS, Chunk
from posture.slouch import Reason

REPEATED, HAS_POINTS, HAS_SHIFT, HAS_FACE = 1, 2, 4, 8
"""Bits of a row's flags."""
ROW_BYTES: Final = 10
"""The least that a row takes: time, flags, condition."""
_UNKNOWN_SHIFT = (np.nan, np.nan, 0.0)
_CONDITIONS = {reason: number for number, reason in enumerate(Reason)}


class RowPacker:
    """Gather rows, one by one, for the next member.

    Points and faces are rounded to float32, which is what the models give; all else is kept in float64. Rows that
    have the same landmarks as the one before are stored as a time.
    """

    def __init__(self) -> None:
        self.first_t_s = 0.0
        """Frame time of the oldest row in here."""
        self._last: tuple[bytes, ...] | None = None  # picture, points, world and face of the newest row
        self.n_own = 0
        """Rows so far that did not repeat the one before."""
        self._n_before = 0
        self._clear()

    def __len__(self) -> int:
        """Return how many rows are in here."""
        return len(self._flags)

    @property
    def n_rows(self) -> int:
        """Rows so far, those taken included."""
        return self._n_before + len(self)

    def add(self, landmarks: Landmarks, condition: Reason) -> None:
        """Take one row (T = 1) in."""
        if not self._flags:
            self.first_t_s = float(landmarks.t_s[0])
        xyzv, world_m = landmarks.xyzv[0, : len(POINTS)], landmarks.world_m[0, WORLD_POINTS]
        flags, points, world = 0, b"", b""
        if not (np.isnan(xyzv).all() and np.isnan(world_m).all()):
            with np.errstate(over="ignore"):
                points, world = xyzv.astype("<f4").tobytes(), world_m.astype("<f4").tobytes()
            flags |= HAS_POINTS
        face = b""
        if not np.isnan(landmarks.face[0]).all():
            with np.errstate(over="ignore"):
                face = landmarks.face[0].astype("<f4").tobytes()
            flags |= HAS_FACE
        picture = np.array([landmarks.luminance[0], landmarks.height_ratio[0]], "<f8").tobytes()
        if self._last == (picture, points, world, face):
            flags |= REPEATED
        else:
            self._picture.append(picture)
            self._points.append(points)
            self._world.append(world)
            self._faces.append(face)
            self._last = picture, points, world, face
            self.n_own += 1
        shift = landmarks.scene_shift[0]
        if not (np.isnan(shift[0]) and np.isnan(shift[1]) and shift[2] == 0.0):
            flags |= HAS_SHIFT
            self._shifts.append(shift.astype("<f8").tobytes())
        self._t_s.append(landmarks.t_s.astype("<f8").tobytes())
        self._flags.append(flags)
        self._conditions.append(_CONDITIONS[condition])

    def take(self) -> bytes:
        """Return the member of the rows in here, and forget them."""
        columns = [self._t_s, [bytes(self._flags)], [bytes(self._conditions)], self._picture, self._shifts]
        arrays = b"".join(b"".join(column) for column in (*columns, self._points, self._world, self._faces))
        n = len(self)
        line = {"record": "rows", "first": self._n_before, "rows": n, "bytes": len(arrays)}
        self._n_before += n
        self._clear()
        return encode(line, arrays)

    def _clear(self) -> None:
        """Hold no row."""
        self._t_s: list[bytes] = []
        self._flags: list[int] = []
        self._conditions: list[int] = []
        self._picture: list[bytes] = []
        self._shifts: list[bytes] = []
        self._points: list[bytes] = []
        self._world: list[bytes] = []
        self._faces: list[bytes] = []


class RowUnpacker:
    """Turn the members of rows back into chunks, in the order of the file.

    Parameters
    ----------
    conditions : tuple of Reason
        What the header's numbers stand for.
    """

    def __init__(self, conditions: tuple[Reason, ...]) -> None:
        self.n_rows = 0
        """Rows so far."""
        self._conditions = conditions
        shapes = (2,), (N_LANDMARKS, 4), (N_LANDMARKS, 3), (N_FACE,)
        self._last = tuple(np.full(shape, np.nan) for shape in shapes)  # picture, points, world, face

    def unpack(self, line: dict[str, Any], arrays: bytes) -> Chunk:
        """Return the rows of one member.

        Raises
        ------
        DamageError
            If they are not what the line promises, or some are missing before them.
        """
        n = line.get("rows")
        if (
            line.get("first") != self.n_rows
            or not isinstance(n, int)
            or not 0 < n <= len(arrays) // ROW_BYTES
        ):
            raise DamageError
        take = _Cursor(arrays)
        t_s = take.numbers("<f8", n)
        flags = take.numbers("u1", n)
        conditions = take.numbers("u1", n)
        is_own = (flags & REPEATED) == 0
        has_points = (flags & HAS_POINTS) != 0
        has_shift = (flags & HAS_SHIFT) != 0
        has_face = (flags & HAS_FACE) != 0
        picture = take.numbers("<f8", int(is_own.sum()), 2)
        shift = np.tile(_UNKNOWN_SHIFT, (n, 1))
        shift[has_shift] = take.numbers("<f8", int(has_shift.sum()), 3)
        has_own = has_points[is_own]
        n_seen = int(has_own.sum())
        xyzv = np.full((len(picture), N_LANDMARKS, 4), np.nan)
        xyzv[has_own, : len(POINTS)] = take.numbers("<f4", n_seen, len(POINTS), 4)
        world_m = np.full((len(picture), N_LANDMARKS, 3), np.nan)
        world_m[np.ix_(has_own, WORLD_POINTS)] = take.numbers("<f4", n_seen, len(WORLD_POINTS), 3)
        own_face = has_face[is_own]
        face = np.full((len(picture), N_FACE), np.nan)
        face[own_face] = take.numbers("<f4", int(own_face.sum()), N_FACE)
        if take.n_left or conditions.max() >= len(self._conditions):
            raise DamageError
        row = np.cumsum(is_own)  # 0 = the last one of the member before
        own = picture, xyzv, world_m, face
        picture, xyzv, world_m, face = (
            np.concatenate([last[None], new]) for last, new in zip(self._last, own, strict=True)
        )
        self._last = picture[-1], xyzv[-1], world_m[-1], face[-1]
        self.n_rows += n
        landmarks = Landmarks(
            t_s.astype(np.float64),
            xyzv[row],
            world_m[row],
            picture[row, 0],
            picture[row, 1],
            shift,
            face[row],
        )
        return Chunk(landmarks, tuple(self._conditions[c] for c in conditions.tolist()), is_own)


class _Cursor:
    """Give the numbers of a member one column after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def n_left(self) -> int:
        """Bytes nobody asked for."""
        return len(self._data) - self._at

    def numbers(self, kind: str, *shape: int) -> NDArray[Any]:
        """Return the next column."""
        n_bytes = int(np.prod(shape)) * np.dtype(kind).itemsize
        if n_bytes > self.n_left:
            raise DamageError
        piece = self._data[self._at : self._at + n_bytes]
        self._at += n_bytes
        return np.frombuffer(piece, kind).reshape(shape)
