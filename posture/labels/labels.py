r"""Labels: what a person saw in a clip, as intervals and, where it is known, as true angles. Pure; no I/O.

Two kinds of interval stand side by side; within a kind they do not overlap::

    state   ____uuuuuuuuuuSSSSSSSSSSSSSSSSSSSSSSuuuuuuu__aaaaa     what the person did
    duty    ......................mmmmmmmmmmmmmm......iiiii..     what a monitor owes: must, must not, ignored

Times are the clip's own: seconds since its first frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Final

import numpy as np

from posture.errors import LabelError
from posture.landmarks import BoolArray, FloatArray
from posture.slouch import SlouchState

END_SLACK_S: Final = 1.0
"""How far past a clip's last frame a label may end: lengths are announced to within a frame, and labelling programs
round to what they show (our choice)."""


class Duty(StrEnum):
    """What a monitor owes the person in an interval; in a label file the key is ``alert``."""

    MUST = "must"
    """An alert has to come."""
    MUST_NOT = "must_not"
    """An alert would be wrong."""
    IGNORE = "ignore"
    """Whatever comes does not count."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a clip and what is true of it."""

    start_s: float
    """Seconds since the clip's first frame, 0 or more."""
    end_s: float
    """After `start_s`."""
    state: SlouchState | None = None
    """What the person did; None = nothing is said of it."""
    duty: Duty | None = None
    """What a monitor owes; None = nothing is said of it."""
    posture: str = ""
    """Free text that figures are grouped by, such as ``slump``."""
    note: str = ""
    """Free text for people."""

    def __post_init__(self) -> None:
        """Check that the times can be and that something is said.

        Raises
        ------
        LabelError
            With the interval's times and what is wrong.
        """
        if not (isfinite(self.start_s) and isfinite(self.end_s)):
            raise LabelError(f"{span_text(self)}: a time is not finite; give seconds since the first frame")
        if self.start_s < 0:
            raise LabelError(f"{span_text(self)}: starts before the clip; give seconds since the first frame")
        if self.end_s <= self.start_s:
            raise LabelError(f"{span_text(self)}: end_s is not after start_s")


@dataclass(frozen=True, slots=True, eq=False)
class TrueAngles:
    """True inclinations over time, degrees from vertical, forward positive; NaN = not known then."""

    t_s: FloatArray
    """(T,) seconds since the clip's first frame, finite, never decreasing."""
    neck_deg: FloatArray
    """(T,) mid-shoulder to mid-tragus."""
    thoracic_deg: FloatArray
    """(T,) mid-hip to mid-shoulder."""
    is_settled: BoolArray
    """(T,) False while the person moves from one posture to the next."""
    posture: tuple[str, ...]
    """T names that figures are grouped by; empty texts where nothing is said."""
    file: str = ""
    """CSV file they stand in, relative to the label file; empty = they stand in the label file itself."""

    def __post_init__(self) -> None:
        """Check lengths and times.

        Raises
        ------
        LabelError
            If a length differs from that of `t_s`, or a time is not finite or goes back.
        """
        shape = (len(self.t_s),)
        for name in ("t_s", "neck_deg", "thoracic_deg", "is_settled"):
            if getattr(self, name).shape != shape:
                raise LabelError(f"angles: {name} has {len(getattr(self, name))} values, t_s has {shape[0]}")
        if len(self.posture) != shape[0]:
            raise LabelError(f"angles: posture has {len(self.posture)} values, t_s has {shape[0]}")
        if not np.isfinite(self.t_s).all():
            raise LabelError("angles: a time is not finite; give seconds since the first frame")
        back = np.flatnonzero(np.diff(self.t_s) < 0)
        if len(back):
            raise LabelError(f"angles: time goes back at row {back[0] + 2} ({self.t_s[back[0] + 1]:g} s)")

    def __eq__(self, other: object) -> bool:
        """Return whether all values are the same, NaN being NaN."""
        if not isinstance(other, TrueAngles):
            return NotImplemented
        numbers = ("t_s", "neck_deg", "thoracic_deg")
        return (
            all(np.array_equal(getattr(self, n), getattr(other, n), equal_nan=True) for n in numbers)
            and np.array_equal(self.is_settled, other.is_settled)
            and (self.posture, self.file) == (other.posture, other.file)
        )

    def __hash__(self) -> int:
        """Return a hash of the times, which equal angles share."""
        return hash((self.t_s.tobytes(), self.file))

    def __len__(self) -> int:
        """Return T, the number of moments."""
        return len(self.t_s)


@dataclass(frozen=True, slots=True)
class Labels:
    """All that is said of one clip."""

    clip: str = ""
    """Name of the clip it is for, with or without its ending; empty = whichever it stands beside."""
    person: str = ""
    """Who is in it; held-out figures keep a person's clips together."""
    camera: str = ""
    """Where the camera stood; free text, usually laptop, monitor, quarter or side."""
    baseline_s: tuple[float, float] | None = None
    """The upright span to calibrate on; None = not said."""
    intervals: tuple[Interval, ...] = field(default=())
    """In order of time."""
    angles: TrueAngles | None = None
    """None = not known."""

    def __post_init__(self) -> None:
        """Put the intervals in order and check that none of a kind overlap.

        Raises
        ------
        LabelError
            Naming both spans.
        """
        ordered = tuple(sorted(self.intervals, key=lambda interval: (interval.start_s, interval.end_s)))
        object.__setattr__(self, "intervals", ordered)
        if self.baseline_s is not None:
            start_s, end_s = self.baseline_s
            if not (0 <= start_s < end_s and isfinite(end_s)):
                raise LabelError(f"baseline_s: {start_s:g} to {end_s:g} s cannot be; give [START, END]")
        _forbid_overlap("state", (one for one in ordered if one.state is not None))
        _forbid_overlap("alert", (one for one in ordered if one.duty is not None))


def _forbid_overlap(kind: str, ordered: Iterable[Interval]) -> None:
    """Raise if two intervals of a kind overlap."""
    before: Interval | None = None
    for interval in ordered:
        if before is not None and interval.start_s < before.end_s:
            raise LabelError(
                f"intervals with {kind} overlap: {span_text(before)} and {span_text(interval)}; "
                "end one where the other begins"
            )
        before = interval


def span_text(interval: Interval) -> str:
    """Return an interval's times and what it says, for messages: ``18 to 43 s (slouching, must)``."""
    said = ", ".join(str(one) for one in (interval.state, interval.duty, interval.posture) if one)
    return f"{interval.start_s:.12g} to {interval.end_s:.12g} s" + (f" ({said})" if said else "")


def check_labels(labels: Labels, duration_s: float | None, clip: str = "") -> tuple[str, ...]:
    """Return what is wrong with labels for this clip, a line each; nothing if they fit.

    Parameters
    ----------
    labels : Labels
        What is said.
    duration_s : float or None
        Time of the clip's last frame; None or NaN = not known, and no time is checked.
    clip : str
        The clip's file name; empty = not known.
    """
    problems = []
    if clip and labels.clip and labels.clip not in (clip, clip.rpartition(".")[0]):
        problems.append(f"labels are for {labels.clip!r}, not for {clip!r}; mend 'clip', or rename the file")
    if duration_s is None or not isfinite(duration_s):
        return tuple(problems)
    ends = [(span_text(interval), interval.end_s) for interval in labels.intervals]
    if labels.baseline_s is not None:
        ends.append(("baseline_s {:.12g} to {:.12g} s".format(*labels.baseline_s), labels.baseline_s[1]))
    if labels.angles is not None and len(labels.angles):
        ends.append(("angles", float(labels.angles.t_s[-1])))
    problems += [
        f"{what}: past the end of the clip ({duration_s:.3f} s)"
        for what, end_s in ends
        if end_s > duration_s + END_SLACK_S
    ]
    return tuple(problems)
