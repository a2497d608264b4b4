"""What the live panel of a run shows: everything rounded as shown, so that equal views look the same. Pure; no I/O.

Nothing in it changes more often than it is worth redrawing: degrees are whole, the limit's share goes in steps, the
sitting clock counts minutes. A slouch raises the level from its onset, long before it is mentioned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite, isnan
from typing import Final

from posture.judging import Thresholds
from posture.slouch import Reason, SlouchState
from posture.step_result import StepResult
from posture.words import PARTS

BAR_LIMITS: Final = 2.0
"""A bar ends at this many times the limit (our choice: the limit stands in its middle)."""
PERCENT_STEP: Final = 5
"""Per cent of the limit that are told apart: one is noise (our choice)."""
MAX_SHOWN: Final = 999.0
"""Degrees or per cent; more is nonsense and would not fit."""


class Level(IntEnum):
    """How much the panel calls for attention."""

    CALM = 0
    WARNING = 1
    """A slouch has begun."""
    ALERT = 2
    """It has lasted as long as it takes to be mentioned."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a panel shows beside the judgement."""

    camera: str
    """The source's name."""
    trouble: str
    """What is wrong with it; empty = nothing."""
    frame_hz: float
    """Pictures looked at per second of late."""
    judged_hz: float
    """Pictures judged per second of late."""
    cpu_ratio: float
    """Share of one core this process has used of late; NaN = not known yet."""
    notified: str
    """What became of the notifications."""
    upright_ratio: float
    """Share of the judged time spent upright; NaN = nothing was judged."""
    span: str
    """Of which time: ``today``, ``this run``."""


@dataclass(frozen=True, slots=True)
class PanelView:
    """Exactly what a panel shows, rounded as shown: equal views look the same."""

    state: SlouchState
    reason: Reason
    level: Level
    limit_percent: int | None
    driver: str
    bars: tuple[tuple[str, int | None, int, int, str], ...]
    """Label, value, limit, share of the limit in twentieths, unit."""
    slouched_s: int
    sustain_s: int
    sat_min: int
    break_min: int | None
    """Minutes until the next break is due; None = breaks are off."""
    upright_percent: int | None
    span: str
    camera: str
    trouble: str
    frame_hz: float
    judged_hz: float
    cpu_percent: int | None
    notified: str


def make_view(
    result: StepResult,
    around: Surroundings,
    thresholds: Thresholds | None,
    sustain_s: float,
    break_interval_s: float | None,
) -> PanelView:
    """Return what is to be shown after a frame.

    Parameters
    ----------
    result : StepResult
        The frame's.
    around : Surroundings
        Camera, load and the like.
    thresholds : Thresholds or None
        Those in force; None = there is no baseline yet.
    sustain_s : float
        How long a slouch must last to be mentioned, seconds.
    break_interval_s : float or None
        How long somebody sits before a break is due, seconds; None = breaks are off.
    """
    is_slouch = result.slouched_s > 0.0
    level = Level.CALM if not is_slouch else Level.ALERT if result.slouched_s >= sustain_s else Level.WARNING
    return PanelView(
        result.state,
        result.reason,
        level,
        None if isnan(result.slouch_ratio) else max(0, PERCENT_STEP * round(20.0 * result.slouch_ratio)),
        PARTS[result.driver][0] if result.driver else "",
        _bars(result, thresholds),
        int(result.slouched_s),
        round(sustain_s),
        int(result.sat_s // 60.0),
        None if break_interval_s is None else max(0, round((break_interval_s - result.sat_s) / 60.0)),
        _percent(around.upright_ratio),
        around.span,
        _printable(around.camera),
        _printable(around.trouble),
        round(2.0 * around.frame_hz) / 2.0,  # finer steps would have the panel drawn for nothing
        round(around.judged_hz, 1),
        _percent(around.cpu_ratio),
        _printable(around.notified),
    )


def _bars(
    result: StepResult, thresholds: Thresholds | None
) -> tuple[tuple[str, int | None, int, int, str], ...]:
    """Return the four deviations with their limits; they are kept in view while nothing is measured."""
    if thresholds is None:
        return ()
    t = thresholds
    rows = (
        ("neck", result.neck_deviation_deg, t.neck_deg, 1.0, "deg"),
        ("thoracic", result.thoracic_deviation_deg, t.thoracic_deg, 1.0, "deg"),
        ("flexion", result.flexion_deviation_deg, t.flexion_deg, 1.0, "deg"),
        ("sink", result.sink_ratio, t.sink_ratio, 100.0, "%"),
    )
    return tuple(
        (
            PARTS[name][0],
            None if isnan(value) else round(max(-MAX_SHOWN, min(value * scale, MAX_SHOWN))),
            round(limit * scale),
            0 if isnan(value) else max(0, min(round(20.0 * value / limit), round(20 * BAR_LIMITS))),
            unit,
        )
        for name, value, limit, scale, unit in rows
    )


def _percent(ratio: float) -> int | None:
    """Return whole per cent; None for NaN."""
    return round(100.0 * ratio) if isfinite(ratio) else None


def _printable(words: str) -> str:
    """Return `words` on one line, without what a terminal would take for a command."""
    return "".join(c if c.isprintable() else "?" for c in words)
