"""All that came of trying settings, ready to be told: in words, as JSON, as a curve. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, log

from posture.settings import AlertSettings, JudgeSettings
from posture.tuning.choice import (
    CURRENT,
    Choice,
    Group,
    false_rates,
    find_missing,
    group_trials,
    pareto_front,
    recalls,
    validate,
)
from posture.tuning.trial import Figures, Trial, add_figures


@dataclass(frozen=True)
class Finding:
    """What S settings gave on the recordings that could be used."""

    keys: tuple[str, ...]
    """K swept keys."""
    values: tuple[tuple[str, ...], ...]
    """(S, K) their values; the settings in force come first."""
    trials: tuple[Trial, ...]
    """At least one."""
    distances: tuple[float, ...]
    """(S,) how far each is from the settings in force."""
    max_false_per_hour: float
    """The limit that was asked for."""

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Who is held out together."""
        return group_trials(self.trials)

    @cached_property
    def missing(self) -> list[str]:
        """What is missing before anything can be proposed."""
        return find_missing(self.trials, self.groups, self.max_false_per_hour)

    @cached_property
    def choice(self) -> Choice | None:
        """What is proposed; None = there is too little to go by."""
        if self.missing:
            return None
        return validate(self.trials, self.groups, self.distances, self.max_false_per_hour)

    @cached_property
    def front(self) -> list[int]:
        """Settings that no other beats, by false alerts ascending; empty without anything to find."""
        return pareto_front(self.trials, self.distances) if self.total(CURRENT).n_must else []

    @cached_property
    def points(self) -> list[tuple[float, float]]:
        """(S,) false alerts per hour and recall."""
        return list(zip(false_rates(self.trials).tolist(), recalls(self.trials).tolist(), strict=True))

    def total(self, s: int) -> Figures:
        """Return the figures of settings on all recordings together."""
        return add_figures([(trial, s) for trial in self.trials])

    @property
    def names(self) -> list[str]:
        """(S,) the settings in words."""
        return [", ".join(f"{k}={v}" for k, v in zip(self.keys, row, strict=True)) for row in self.values]

    @property
    def n_persons(self) -> int:
        """People named."""
        return len({trial.person for trial in self.trials if trial.person})

    @property
    def warnings(self) -> list[str]:
        """What to know before believing the figures."""
        told = []
        n_nameless = sum(not trial.person for trial in self.trials)
        if self.choice is not None and not any(group.is_person for group in self.groups):
            told.append(
                "held out by recording, not by person: the same people are on both sides, so the figures are "
                "optimistic; name people in the labels (person = ...)"
            )
        elif self.choice is not None and n_nameless:
            told.append(
                f"{n_nameless} recordings name no person and are held out one by one: if people are in several of "
                "them, the figures are optimistic"
            )
        if self.choice is not None and not self.choice.is_within_limit:
            told.append(
                f"no settings tried keep to {self.max_false_per_hour:g} false alerts an hour: these come nearest"
            )
        elif self.choice is not None and self.choice.held_out.false_per_hour > self.max_false_per_hour:
            told.append(
                f"on people left out there were more than the {self.max_false_per_hour:g} false alerts an hour "
                "asked for"
            )
        return told


def distance(
    judge: JudgeSettings, alert: AlertSettings, current: tuple[JudgeSettings, AlertSettings]
) -> float:
    """Return how far settings are from those in force: the sum of the relative changes (logarithms of the ratios)."""
    total = 0.0
    for mine, theirs in ((judge, current[0]), (alert, current[1])):
        for name in mine.__struct_fields__:
            total += _step(getattr(mine, name), getattr(theirs, name))
    return total


def _step(new: object, old: object) -> float:
    """Return how large one change is; a switch thrown or a value from or to 0 counts as a doubling."""
    if new == old:
        return 0.0
    if isinstance(new, float | int) and isinstance(old, float | int) and new > 0 and old > 0:
        return abs(log(new / old))
    return log(2.0)


def finite_max(values: Sequence[float]) -> float:
    """Return the largest finite value; 0 if there is none."""
    return max((value for value in values if isfinite(value)), default=0.0)
