"""One frame measured, before anybody judges it. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from posture.slouch import Reason


@dataclass(frozen=True, slots=True)
class Measured:
    """One frame, measured and not judged yet."""

    t_s: float
    """Frame time, seconds."""
    values: list[float]
    """(4,) smoothed deviations, the first four of :class:`~posture.deviation.Measure`; NaN = not measured."""
    reason: Reason
    """Why it must not be judged; NONE = it may."""
    raw: tuple[float, float, float] | None
    """Neck, thoracic and sink before smoothing, to be followed for their scatter; None = they are not."""
