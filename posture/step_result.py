"""One frame judged: what every sink sees. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from posture.alerts import Alert, Urgency
from posture.settings import JudgeSettings
from posture.slouch import Reason, SlouchEvent, SlouchState


@dataclass(frozen=True, slots=True)
class StepResult:
    """Everything known after one frame; the only thing a sink sees."""

    t_s: float
    """Frame time, seconds."""
    state: SlouchState
    """What is known about the person, after the dwell times."""
    reason: Reason
    """Why this very frame was not judged; NONE when it was."""
    neck_deviation_deg: float
    """Smoothed, as judged; forward positive; NaN = not measured."""
    thoracic_deviation_deg: float
    """Smoothed, as judged; forward positive; NaN = not measured."""
    sink_ratio: float
    """Smoothed; shoulders lower positive, trunk lengths; NaN = not measured."""
    head_pitch_deviation_deg: float
    """Smoothed; looking down positive; NaN = not measured. Never judged."""
    slouch_ratio: float
    """The decision quantity: 1 = at the threshold; NaN = not judged."""
    driver: str
    """Which part of it is largest: ``neck``, ``thoracic``, ``flexion``, ``sink``; empty = not judged."""
    slouched_s: float
    """Judged slouch time so far, seconds."""
    sat_s: float
    """Time sat since the last break, seconds."""
    events: tuple[SlouchEvent, ...]
    """What this frame made certain; usually empty."""
    alert: Alert | None
    """The notification that is due now, if any; its event is among `events`."""
    stood_s: float = 0.0
    """Time stood at the desk since the last break, seconds; 0 unless the profile is a standing one."""
    urgency: Urgency = Urgency.NONE
    """How far a slouch has come; may be shown as a colour before anything is said."""
    slouch_ratio_error: float = nan
    """One standard error of `slouch_ratio` against the truth, mostly the same from frame to frame; NaN = not judged."""
    release_ratio: float = JudgeSettings().release_ratio
    """Slouch ratio below which a slouch is over now: the noisier the landmarks, the lower."""
    is_near_limit: bool = False
    """Whether a small movement decides if the frame can be judged at all: the head turned by nearly `max_yaw_deg`."""

    alert_due_s: float = nan
    """Frame time from which an alert comes if the slouch goes on; NaN = no slouch, or silence without an end."""

    @property
    def flexion_deviation_deg(self) -> float:
        """Neck minus thoracic deviation: the head poking forward of the trunk."""
        return self.neck_deviation_deg - self.thoracic_deviation_deg
