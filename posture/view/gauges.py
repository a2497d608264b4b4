"""How near each deviation is to the boundary at which it counts as a slouch, in words and shares. Pure; no I/O."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from posture.judging import Thresholds
from posture.step_result import StepResult
from posture.words import PARTS, degrees_text


class Gauge(NamedTuple):  # made four times a picture, in three quarters of a frozen dataclass's time
    """One deviation beside its boundary."""

    name: str
    value: str
    """With sign and unit; a dash when it was not measured."""
    limit: str
    share: float
    """Of the boundary: 1 = at it, negative = on the other side of upright; NaN = not measured."""
    is_driver: bool
    """Whether it is the largest of all, which is what is judged."""


def make_gauges(result: StepResult, limits: Thresholds) -> tuple[Gauge, ...]:
    """Return neck, trunk, head poke and sink of one frame."""
    return (
        _degrees("neck", result.neck_deviation_deg, limits.neck_deg, result),
        _degrees("thoracic", result.thoracic_deviation_deg, limits.thoracic_deg, result),
        _degrees("flexion", result.flexion_deviation_deg, limits.flexion_deg, result),
        Gauge(
            PARTS["sink"][0],
            "-" if isnan(result.sink_ratio) else f"{round(100 * result.sink_ratio):+d}%",
            f"{round(100 * limits.sink_ratio)}%",
            result.sink_ratio / limits.sink_ratio,
            result.driver == "sink",
        ),
    )


def _degrees(name: str, value_deg: float, limit_deg: float, result: StepResult) -> Gauge:
    """Return the gauge of an angle."""
    return Gauge(
        PARTS[name][0],
        degrees_text(value_deg),
        f"{round(limit_deg)}°",
        value_deg / limit_deg,
        result.driver == name,
    )
