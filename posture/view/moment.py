"""All that the overlay shows of one frame, in one piece that can be handed to another process. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posture.angles import N_PLACE, Angles, MeasuredLandmarks, compute_angles
from posture.cues import N_CUES
from posture.landmarks import N_LANDMARKS, Landmarks, UInt8Array
from posture.step_result import StepResult


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person is to do now, while a baseline is taken."""

    title: str
    detail: str
    is_good: bool
    """False = something is wrong with the picture, and `detail` says what."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame with what was made of it."""

    image_rgb: UInt8Array | None
    """(H, W, 3) uint8, not mirrored; None = the source has no picture."""
    landmarks: Landmarks | None
    """One frame (T = 1); None = not looked at."""
    result: StepResult | None
    """None while nothing is judged, as during a calibration."""
    prompt: Prompt | None = None


_SHAPES = ((), (N_LANDMARKS, 4), (N_LANDMARKS, 3), (), (), (3,), (N_CUES,), (N_PLACE,))
_ENDS = np.cumsum([int(np.prod(shape)) for shape in _SHAPES]).tolist()


def pack(landmarks: Landmarks) -> bytes:
    """Return all numbers of one frame (T = 1) and what was measured on it, as float64.

    Pickled, they would take five times as long.
    """
    angles = compute_angles(landmarks)
    parts = (
        landmarks.t_s,
        landmarks.xyzv,
        landmarks.world_m,
        landmarks.luminance,
        landmarks.height_ratio,
        landmarks.scene_shift,
        angles.cues,
        angles.place,
    )
    return np.concatenate([part.ravel() for part in parts], dtype=np.float64).tobytes()


def unpack(packed: bytes) -> Landmarks:
    """Return the landmarks that :func:`pack` was given, to the bit; they cannot be written into."""
    row, start, parts = np.frombuffer(packed), 0, []
    for shape, end in zip(_SHAPES, _ENDS, strict=True):
        parts.append(row[start:end].reshape(1, *shape))
        start = end
    t_s, xyzv, world_m, luminance, height_ratio, scene_shift, cues, place = parts
    angles = Angles(t_s, cues, place)
    return MeasuredLandmarks(t_s, xyzv, world_m, luminance, height_ratio, scene_shift, angles=angles)
