"""What a row of the history is. Pure; no I/O.

Moments are integer UTC milliseconds since 1970. `utc_offset_s` beside them is what the clock on the wall was ahead of
UTC then and there: days are cut in the time the person lived in, also when the computer travels or daylight saving
begins. A row never spans a change of the offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from posture.slouch import Reason, SlouchState


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One run of the monitor, or the part of it between two changes: a new offset, a clock set anew, other limits."""

    id: int
    start_utc_ms: int
    end_utc_ms: int
    """Of the newest frame stored."""
    utc_offset_s: int
    source: str
    profile: str
    placement: str
    neck_limit_deg: float | None = None
    """The thresholds in force, the same for the whole session; None = not known: nothing has been judged in it, or it
    was kept before they were. The next two and `sink_limit_ratio` likewise."""
    thoracic_limit_deg: float | None = None
    flexion_limit_deg: float | None = None
    sink_limit_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class BoutRow:
    """An uninterrupted period in one state."""

    id: int
    session_id: int
    state: SlouchState
    reason: Reason
    """Why nothing was judged for most of it; NONE unless the state is UNKNOWN."""
    start_utc_ms: int
    end_utc_ms: int
    utc_offset_s: int
    mean_neck_deg: float | None
    """Deviation from upright over the judged frames, forward positive; None = none was judged."""
    max_neck_deg: float | None
    mean_thoracic_deg: float | None
    max_thoracic_deg: float | None
    mean_slouch_ratio: float | None
    max_slouch_ratio: float | None


class BoutSpan(NamedTuple):
    """A bout without its angles: all that adding up times needs, read in a third of the time."""

    state: SlouchState
    reason: Reason
    start_utc_ms: int
    end_utc_ms: int
    utc_offset_s: int


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """Means over the judged part of one minute, which begins at a whole UTC minute."""

    session_id: int
    start_utc_ms: int
    utc_offset_s: int
    judged_s: float
    neck_deg: float
    thoracic_deg: float
    slouch_ratio: float


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert: what was measured, against what."""

    id: int
    session_id: int
    onset_utc_ms: int
    at_utc_ms: int
    utc_offset_s: int
    slouched_s: float
    driver: str
    """Which part was largest: ``neck``, ``thoracic``, ``flexion``, ``sink``."""
    neck_deg: float | None
    thoracic_deg: float | None
    flexion_deg: float | None
    sink_ratio: float | None
    slouch_ratio: float | None
    neck_limit_deg: float
    """The thresholds in force; the alert's own part was at or above its limit."""
    thoracic_limit_deg: float
    flexion_limit_deg: float
    sink_limit_ratio: float
    baseline_utc: str
    """When the baseline was taken (ISO 8601); empty = not known."""
    recovered_utc_ms: int | None
    """When the slouch behind it ended; None = not seen to end."""
    trace_path: str
    """The trace that was being kept, if any."""
    trace_t_s: float
    """The alert's frame time, seconds, in that trace."""


@dataclass(frozen=True, slots=True)
class BreakRow:
    """A break that was due, or one that was taken; short pauses are a kind of their own."""

    id: int
    session_id: int
    kind: str
    """``due``: reminded of a movement break at `start_utc_ms`, which `end_utc_ms` equals; ``micro_due``: of a short
    pause at the desk, which nobody can see taken; ``taken``: away from start to end."""
    start_utc_ms: int
    end_utc_ms: int
    utc_offset_s: int
    sat_s: float
    """Time sat before it, seconds."""


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """What the person said about an alert."""

    id: int
    alert_id: int
    at_utc_ms: int
    utc_offset_s: int
    verdict: str
    """``wrong`` or ``right``."""
    note: str
