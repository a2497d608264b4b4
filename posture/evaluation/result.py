"""What came of evaluating many clips with one set of settings, and its figures by group. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from posture.evaluation.scoring import ClipScore
from posture.evaluation.tally import Tally, add_up

NOT_GIVEN = "not given"
"""Group of the clips whose labels do not name one."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A clip that could not be evaluated."""

    clip: str
    problem: str
    """One line."""


@dataclass(frozen=True, slots=True)
class Result:
    """All that was evaluated in one way."""

    name: str
    """How: the settings in words, such as ``alert.sustain_s=30``."""
    scores: tuple[ClipScore, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def overall(self) -> Tally:
        """Everything together."""
        return add_up(score.tally for score in self.scores)

    @property
    def by_camera(self) -> dict[str, Tally]:
        """The same by where the camera stood."""
        return group(self.scores, lambda score: score.camera)

    @property
    def by_person(self) -> dict[str, Tally]:
        """The same by who is in it."""
        return group(self.scores, lambda score: score.person)

    @property
    def by_posture(self) -> dict[str, Tally]:
        """The same of the times and samples of every posture named in the labels."""
        names = sorted({name for score in self.scores for name in score.by_posture})
        return {
            name: add_up(s.by_posture[name] for s in self.scores if name in s.by_posture) for name in names
        }


def group(scores: Iterable[ClipScore], key: Callable[[ClipScore], str]) -> dict[str, Tally]:
    """Return the tallies of clips with the same key, by name; those without one come last."""
    members: dict[str, list[Tally]] = {}
    for score in scores:
        members.setdefault(key(score) or NOT_GIVEN, []).append(score.tally)
    names = sorted(members, key=lambda name: (name == NOT_GIVEN, name))
    return {name: add_up(members[name]) for name in names}
