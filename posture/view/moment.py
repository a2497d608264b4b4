"""One frame with all that was made of it, in one piece. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from posture.landmarks import Landmarks, UInt8Array
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
