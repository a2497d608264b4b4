"""Where a labeller is in a clip, and how it goes on from there. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds of clip per second; a slouch is still seen to begin at 8 (our choice)."""


@dataclass(frozen=True, slots=True)
class Playhead:
    """A position in a clip."""

    duration_s: float
    """Where the clip ends."""
    t_s: float = 0.0
    is_playing: bool = False
    speed: float = 1.0
    """One of :data:`SPEEDS`."""

    def moved(self, t_s: float) -> Playhead:
        """Return it at another time, within the clip."""
        return replace(self, t_s=min(max(t_s, 0.0), self.duration_s))

    def toggled(self) -> Playhead:
        """Return it playing if it stood, and the other way round; at the end it begins again."""
        is_over = not self.is_playing and self.t_s >= self.duration_s
        return replace(self, is_playing=not self.is_playing, t_s=0.0 if is_over else self.t_s)

    def paced(self, steps: int) -> Playhead:
        """Return it so many :data:`SPEEDS` faster, or slower."""
        at = SPEEDS.index(self.speed) + steps
        return replace(self, speed=SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])

    def advanced(self, passed_s: float) -> Playhead:
        """Return where it is when so much time has passed; it stops at the end."""
        if not self.is_playing:
            return self
        after = self.moved(self.t_s + passed_s * self.speed)
        return replace(after, is_playing=after.t_s < self.duration_s)
