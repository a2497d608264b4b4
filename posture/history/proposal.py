"""What the alerts called wrong speak for: another threshold, a new baseline, or nothing yet. Pure; no I/O.

It is only ever proposed. A threshold is raised to just above the wrong alerts, as far as that silences at least as many
wrong ones as right ones, and never by more than half at once; a baseline that was old comes first, since every angle is
measured against it, and any baseline last, when nearly all alerts are wrong and no such threshold helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Literal, get_type_hints

from posture.history.rows import AlertRow
from posture.settings import JudgeSettings

MIN_WRONG = 3
"""Wrong alerts that make a proposal; one or two may be a bad day (our choice)."""
MAX_FACTOR = 1.5
"""A threshold is raised by no more than half at once: a slouch must not vanish by one answer (our choice)."""
# Part of the slouch ratio: its setting, and the step to which a threshold is rounded up.
PARTS = {
    "neck": ("neck_deg", 0.5),
    "thoracic": ("thoracic_deg", 0.5),
    "flexion": ("flexion_deg", 0.5),
    "sink": ("sink_ratio", 0.005),
}


@dataclass(frozen=True, slots=True)
class Rated:
    """An alert and what the person said about it."""

    alert: AlertRow
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """What could be changed, and the evidence for it."""

    kind: Literal["threshold", "recalibrate"]
    part: str
    """``neck``, ``thoracic``, ``flexion`` or ``sink``; empty for a new baseline."""
    setting: str
    """The setting's name; empty for a new baseline."""
    old: float
    new: float
    """Values of the setting, in its unit; 0 for a new baseline."""
    wrong: tuple[float, ...]
    right: tuple[float, ...]
    """What that part measured at the alerts, lowest first; for a new baseline the slouch ratio."""
    n_wrong: int
    n_right: int
    """Alerts it rests on."""
    n_silenced: int
    n_lost: int
    """How many of the wrong and of the right ones would not have been given."""
    baseline_age_days: float | None
    """At the newest alert; None = not known."""


def propose(
    rated: Sequence[Rated], judge: JudgeSettings, stale_after_days: float, age_days: float | None
) -> list[Proposal]:
    """Return what the answers speak for; usually nothing.

    Parameters
    ----------
    rated : sequence of Rated
        Alerts that have been answered, in any order. Those against another baseline than the newest's say nothing.
    judge : JudgeSettings
        The settings in force. An alert that would not be given any more says nothing either.
    stale_after_days : float
        ``calibration.stale_after_days``.
    age_days : float or None
        How old the baseline was at the newest of the alerts; None = not known.
    """
    if not rated:
        return []
    newest = max(rated, key=lambda one: one.alert.at_utc_ms).alert
    same = [one for one in rated if one.alert.baseline_utc == newest.baseline_utc]
    same = [one for one in same if any(_is_over(one.alert, part, judge) for part in PARTS)]
    n_wrong = sum(one.is_wrong for one in same)
    is_stale = age_days is not None and age_days > stale_after_days
    if is_stale and n_wrong >= MIN_WRONG and 2 * n_wrong >= len(same):
        return [_recalibrate(same, age_days)]
    found = [one for part in PARTS if (one := _threshold(part, same, judge, age_days)) is not None]
    if not found and n_wrong >= MIN_WRONG and n_wrong > 2 * (len(same) - n_wrong):
        # So far beyond every threshold that the upright itself is in doubt.
        return [_recalibrate(same, age_days)]
    return found


def _threshold(
    part: str, rated: Sequence[Rated], judge: JudgeSettings, age_days: float | None
) -> Proposal | None:
    """Return the highest threshold of one part that silences at least as many wrong alerts as right ones."""
    setting, step = PARTS[part]
    old = float(getattr(judge, setting))
    mine = [one for one in rated if one.alert.driver == part and _value(one.alert, part) is not None]
    values: dict[bool, list[float]] = {True: [], False: []}
    only: dict[bool, list[float]] = {True: [], False: []}
    for one in mine:
        value = _value(one.alert, part)
        assert value is not None
        values[one.is_wrong].append(value)
        if not any(_is_over(one.alert, other, judge) for other in PARTS if other != part):
            only[one.is_wrong].append(value)  # another part alone would have given the alert
    highest = min(MAX_FACTOR * old, _upper_bound(setting))
    best: Proposal | None = None
    for value in sorted(only[True]):
        new = round(min((floor(value / step + 1e-9) + 1) * step, floor(highest / step + 1e-9) * step), 6)
        n_silenced, n_lost = (sum(one < new for one in only[is_wrong]) for is_wrong in (True, False))
        if new > old and n_silenced >= MIN_WRONG and n_silenced >= n_lost:
            wrong, right = (tuple(sorted(values[is_wrong])) for is_wrong in (True, False))
            best = Proposal(
                "threshold", part, setting, old, new, wrong, right, len(wrong), len(right),
                n_silenced, n_lost, age_days,
            )  # fmt: skip
    return best


def _recalibrate(rated: Sequence[Rated], age_days: float | None) -> Proposal:
    """Return the proposal of a new baseline."""
    wrong, right = (
        tuple(
            sorted(
                one.alert.slouch_ratio
                for one in rated
                if one.is_wrong is is_wrong and one.alert.slouch_ratio is not None
            )
        )
        for is_wrong in (True, False)
    )
    n_wrong = sum(one.is_wrong for one in rated)
    n_right = len(rated) - n_wrong
    return Proposal("recalibrate", "", "", 0.0, 0.0, wrong, right, n_wrong, n_right, 0, 0, age_days)


def _value(alert: AlertRow, part: str) -> float | None:
    """Return what one part measured at an alert."""
    value: float | None = getattr(alert, PARTS[part][0])
    return value


def limit(alert: AlertRow, part: str) -> float:
    """Return the threshold that was in force for one part."""
    name = {"sink": "sink_limit_ratio"}.get(part, f"{part}_limit_deg")
    value: float = getattr(alert, name)
    return value


def _is_over(alert: AlertRow, part: str, judge: JudgeSettings) -> bool:
    """Return whether one part alone would give the alert by the settings in force."""
    value = _value(alert, part)
    # The person's own unrest may have raised the threshold above the setting then, and still does.
    return value is not None and value >= max(float(getattr(judge, PARTS[part][0])), limit(alert, part))


def _upper_bound(setting: str) -> float:
    """Return the highest value that a setting may have."""
    hint = get_type_hints(JudgeSettings, include_extras=True)[setting]
    return float(hint.__metadata__[0].le)
