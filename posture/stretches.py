"""What a stretch is, and which one is next: another muscle group each time, and what fits the day's slouches. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MICRO_S = 30
"""Seconds of the longest stretch for a micro-break (our choice: `breaks.micro_away_s`, the pause it stands for)."""
FITTING_WEIGHT = 2
"""How often a muscle group comes up that fits, for once of another (our choice)."""

SEE_SOMEONE = (
    "Stay where it is comfortable. Pain, numbness or dizziness that stays or comes back is for a doctor or a "
    "physiotherapist, not for a program."
)
"""When to see a professional."""


class MuscleGroup(StrEnum):
    """What a stretch is good to."""

    NECK = "neck"
    SHOULDERS = "shoulders"
    UPPER_BACK = "upper_back"
    CHEST = "chest"
    HIPS = "hips"
    EYES = "eyes"
    WRISTS = "wrists"

    @property
    def words(self) -> str:
        """Return it as people write it."""
        return self.value.replace("_", " ")


class Occasion(StrEnum):
    """After what a stretch feels good: the drivers of a slouch, and long sitting of any kind."""

    NECK = "neck"
    THORACIC = "thoracic"
    FLEXION = "flexion"
    SINK = "sink"
    SITTING = "sitting"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something to do at the desk for less than a few minutes."""

    name: str
    group: MuscleGroup
    seconds: int
    """How long it takes, both sides together."""
    fits: tuple[Occasion, ...]
    purpose: str
    """What it is for, one sentence."""
    short: str
    """All of it in one sentence."""
    steps: tuple[str, ...]
    """2 to 4 sentences."""
    sides: int = 1
    """2 = the second half of the time is for the other side."""


def choose_stretch(
    stretches: Sequence[Stretch],
    n: int,
    slouched: Mapping[str, float] | None = None,
    *,
    avoid: MuscleGroup | None = None,
) -> Stretch:
    """Return the stretch number `n` of an endless sequence.

    Two neighbours never have the same muscle group while there are others. A group that fits what was slouched most
    comes up twice as often as the others, and then only with stretches that fit.

    Parameters
    ----------
    stretches : sequence of Stretch
        What to choose from; at least one.
    n : int
        Which; the same number gives the same stretch. Any integer.
    slouched : mapping or None
        How much was slouched today by driver (``neck``, ``thoracic``, ``flexion``, ``sink``), in any unit; None or
        nothing above 0 = long sitting is all there is to go by.
    avoid : MuscleGroup or None
        The group that was shown last, if the sequence is not simply gone along: another one is given if there is one.

    Raises
    ------
    ValueError
        If there is nothing to choose from.
    """
    if not stretches:
        raise ValueError("no stretches to choose from")
    wanted = _wanted(slouched or {})
    by_group: dict[MuscleGroup, list[Stretch]] = {}
    for stretch in stretches:
        by_group.setdefault(stretch.group, []).append(stretch)
    fitting = {
        group: [s for s in members if wanted in s.fits] or members for group, members in by_group.items()
    }
    cycle = _arrange({g: FITTING_WEIGHT if wanted in s[0].fits else 1 for g, s in fitting.items()})
    if avoid is not None and cycle[n % len(cycle)] is avoid:
        n += 1  # its neighbour is of another group, if there is one
    turn, place = divmod(n, len(cycle))
    group = cycle[place]
    n_before = turn * cycle.count(group) + cycle[:place].count(group)
    return fitting[group][n_before % len(fitting[group])]


def _wanted(slouched: Mapping[str, float]) -> Occasion:
    """Return what was slouched most."""
    drivers = [o for o in Occasion if o is not Occasion.SITTING and slouched.get(o.value, 0.0) > 0.0]
    return max(drivers, key=lambda o: slouched[o.value], default=Occasion.SITTING)


def _arrange(weights: Mapping[MuscleGroup, int]) -> list[MuscleGroup]:
    """Return a cycle in which every group comes as often as its weight and never twice in a row.

    The most frequent ones take every second place first, the others fill the gaps. None may take more than half.
    """
    total = sum(weights.values())
    most = {group: max(1, min(weight, total - weight)) for group, weight in weights.items()}
    listed = [group for group in sorted(most, key=lambda g: (-most[g], g)) for _ in range(most[group])]
    places = [*range(0, len(listed), 2), *range(1, len(listed), 2)]
    cycle = list(listed)
    for place, group in zip(places, listed, strict=True):
        cycle[place] = group
    return cycle


class StretchAdvisor:
    """Count the slouches of a run and name a stretch for each break.

    Parameters
    ----------
    stretches : sequence of Stretch
        What to choose from; at least one.
    n : int
        Where in the sequence to begin.
    """

    def __init__(self, stretches: Sequence[Stretch], n: int = 0) -> None:
        self._stretches = list(stretches)
        self._micro = [s for s in stretches if s.seconds <= MICRO_S] or self._stretches
        self._n = n
        self.slouched: dict[str, float] = {}
        """Slouches so far by what drove them; may be filled with what is known of the day."""
        self.last: Stretch | None = None
        """What was named last; None = nothing was."""

    def note_slouch(self, driver: str) -> None:
        """Count a slouch that began with `driver` as its largest part."""
        self.slouched[driver] = self.slouched.get(driver, 0.0) + 1.0

    def advise(self, *, is_micro: bool) -> Stretch:
        """Return the stretch for a break that is due, a short one for a micro-break."""
        avoid = None if self.last is None else self.last.group
        choice = self._micro if is_micro else self._stretches
        self.last = choose_stretch(choice, self._n, self.slouched, avoid=avoid)
        self._n += 1
        return self.last
