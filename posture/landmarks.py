"""Frames and landmarks: what the camera saw, and where the joints are. Pure; no I/O.

Coordinate frame of `xyzv`: x to the right of the picture, y **down**, z away from the camera, all in
*image widths*, so that a unit is the same length in every direction and at every resolution. The
picture is not mirrored: the person's left side has the larger x when they face the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posture.errors import ShapeError

FloatArray: TypeAlias = NDArray[np.float64]
UInt8Array: TypeAlias = NDArray[np.uint8]
BoolArray: TypeAlias = NDArray[np.bool_]

_NO_SHIFT = (np.nan, np.nan, 0.0)
_NOT_WATCHED: FloatArray = np.empty((0, 3))  # told apart by identity: replaced by rows of _NO_SHIFT
_NOT_FITTED: FloatArray = np.empty((0, 9))  # likewise, by rows of NaN
N_LANDMARKS = 33  # BlazePose topology, https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker


class PoseLandmark(IntEnum):
    """Index of a landmark in axis 1 of :attr:`Landmarks.xyzv`; left and right are the person's own."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_HIP = 23
    RIGHT_HIP = 24


class Face(IntEnum):
    """Column of :attr:`Landmarks.face`: a face mesh as the fit of a rigid face sees it, image widths.

    The axes are the face's own, leftward, downward and backward, each times the face's scale, as they lie in the
    picture: their x is to the right, their y down. Mirroring the picture makes 1 minus `CENTRE_X` of it and flips
    the sign of the columns in `ODD_FACE`.
    """

    CENTRE_X = 0
    """Middle of the rigid points (`posture.face`), from the left edge."""
    CENTRE_Y = 1
    """The same, from the top edge."""
    AX_X = 2
    AX_Y = 3
    AY_X = 4
    AY_Y = 5
    AZ_X = 6
    AZ_Y = 7
    SIZE = 8
    """Root of the summed squares of these points about their middle, depth included."""


N_FACE = len(Face)
ODD_FACE = (Face.AX_Y, Face.AY_X, Face.AZ_X)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a source; it is looked at and dropped, never stored."""

    t_s: float
    """Seconds since the source's first frame, never decreasing."""
    image_rgb: UInt8Array | None
    """(H, W, 3) uint8, contiguous; None = the source has no picture (camera lost, asleep or stalled)."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Landmarks of one person over T frames; a frame without a person is an all-NaN row."""

    t_s: FloatArray
    """(T,) seconds since the source's first frame."""
    xyzv: FloatArray
    """(T, 33, 4) x, y, z in image widths and visibility in [0, 1]."""
    world_m: FloatArray
    """(T, 33, 3) metres from the mid-hip, the model's own guess; same axes as `xyzv`."""
    luminance: FloatArray
    """(T,) mean brightness of the picture in [0, 1]; NaN = there was no picture."""
    height_ratio: FloatArray
    """(T,) height of the picture in image widths (0.75 for 640x480); NaN = there was no picture."""
    scene_shift: FloatArray = field(default_factory=lambda: _NOT_WATCHED)
    """(T, 3) how far the background lies from where it was at the start: image widths to the right, image widths
    down, confidence in [0, 1]. NaN, NaN, 0 = not measured; left out = nobody watched the background."""
    face: FloatArray = field(default_factory=lambda: _NOT_FITTED)
    """(T, 9) the face, one column per :class:`Face`. NaN row = none seen: turned too far, hidden, or not looked for;
    left out = not looked for in any frame."""

    def __post_init__(self) -> None:
        """Check that every field has the same T and the documented shape."""
        t = self.t_s.shape[0] if self.t_s.ndim == 1 else -1
        if self.scene_shift is _NOT_WATCHED:
            object.__setattr__(self, "scene_shift", np.tile(_NO_SHIFT, (max(t, 0), 1)))
        if self.face is _NOT_FITTED:
            object.__setattr__(self, "face", np.full((max(t, 0), N_FACE), np.nan))
        expected = (
            ("t_s", self.t_s, (t,)),
            ("xyzv", self.xyzv, (t, N_LANDMARKS, 4)),
            ("world_m", self.world_m, (t, N_LANDMARKS, 3)),
            ("luminance", self.luminance, (t,)),
            ("height_ratio", self.height_ratio, (t,)),
            ("scene_shift", self.scene_shift, (t, 3)),
            ("face", self.face, (t, N_FACE)),
        )
        for name, value, shape in expected:
            if value.shape != shape:
                raise ShapeError(f"landmarks: {name} has shape {value.shape}, expected {shape}")

    def __len__(self) -> int:
        """Return T, the number of frames."""
        return len(self.t_s)

    def __getitem__(self, span: slice) -> Landmarks:
        """Return the frames of `span`, time axis kept."""
        return Landmarks(*(getattr(self, name)[span] for name in _FIELDS))

    @classmethod
    def empty(cls) -> Landmarks:
        """Return the landmarks of no frame at all.

        Returns
        -------
        Landmarks
            T = 0.
        """
        return no_person(0.0)[:0]


_FIELDS = tuple(f.name for f in fields(Landmarks))


def no_person(t_s: float, luminance: float = np.nan, height_ratio: float = np.nan) -> Landmarks:
    """Return the one-frame landmarks of a picture without a person, or of no picture at all."""
    return Landmarks(
        np.array([t_s]),
        np.full((1, N_LANDMARKS, 4), np.nan),
        np.full((1, N_LANDMARKS, 3), np.nan),
        np.array([luminance], dtype=np.float64),
        np.array([height_ratio], dtype=np.float64),
    )


def concatenate(parts: list[Landmarks]) -> Landmarks:
    """Return the frames of all `parts`, in order.

    Raises
    ------
    ShapeError
        If `parts` is empty.
    """
    if not parts:
        raise ShapeError("landmarks: nothing to concatenate")
    return Landmarks(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


def landmarks_from_mediapipe(
    t_s: ArrayLike,
    points: ArrayLike,
    *,
    width_px: float,
    height_px: float,
    world_m: ArrayLike | None = None,
    luminance: ArrayLike = 0.5,
) -> Landmarks:
    """Return landmarks that MediaPipe gave elsewhere, in this package's units.

    Parameters
    ----------
    t_s : array_like, shape (T,)
        Frame times, seconds, never decreasing.
    points : array_like, shape (T, 33, 4)
        x over the picture's width, y over its height (both from the upper left corner), z over its width, and
        visibility in [0, 1], as MediaPipe's normalised landmarks are. NaN rows = nobody.
    width_px, height_px : float
        Size of the pictures, above 0.
    world_m : array_like, shape (T, 33, 3), optional
        The world landmarks, metres. Only the direction of the shoulder line is used. Without them it is taken from
        `points`, whose z is coarser: deviations then differ by 0.04 to 1.5 degrees on average.
    luminance : array_like, shape () or (T,)
        Mean brightness of the pictures in [0, 1]; the default is bright enough to be judged. NaN = there was no
        picture.

    Returns
    -------
    Landmarks
        T frames; nobody watched the background, so a moved camera goes unnoticed.

    Raises
    ------
    ShapeError
        If an array is not of the documented shape, or the picture has no size.
    """
    times, xyzv = _floats("t_s", t_s), _floats("points", points)
    if xyzv.ndim != 3 or xyzv.shape[1:] != (N_LANDMARKS, 4):
        raise ShapeError(f"landmarks: points have shape {xyzv.shape}, expected (T, {N_LANDMARKS}, 4)")
    if not (0.0 < width_px < np.inf and 0.0 < height_px < np.inf):
        raise ShapeError(f"landmarks: a picture of {width_px:g} x {height_px:g} pixels has no size")
    xyzv[..., 1] *= height_px / width_px
    brightness = _floats("luminance", luminance)
    if brightness.ndim == 0:
        brightness = np.full(len(xyzv), brightness)
    world = xyzv[..., :3].copy() if world_m is None else _floats("world_m", world_m)
    height = np.where(np.isnan(brightness), np.nan, height_px / width_px)
    return Landmarks(times, xyzv, world, brightness, height)


def _floats(name: str, values: ArrayLike) -> FloatArray:
    """Return a copy of `values` as float64."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"landmarks: {name} is not an array of numbers ({error})") from error
