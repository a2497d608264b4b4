"""From frame times to the history's UTC, whatever happens to the computer's clock meanwhile. Pure; no I/O.

Frame times run evenly, also while the computer sleeps; the clock on the wall is set, corrected, moved by travel and
daylight saving. So the wall is read to anchor the frames' clock, and again only to see whether the anchor still holds::

    wall   10:00 10:01 10:02 09:03 09:04 ...    set back an hour
    rows   [--- first stretch --)[- second -    09:03 09:04 ..., and nothing from 10:00 to 10:02: that is taken
"""

from __future__ import annotations

from dataclasses import dataclass

JUMP_MS = 5000
"""A difference between wall and anchor that is no jitter: a frame is judged within a second or two of being taken on a
busy computer, and a good oscillator drifts by 5 s in more than a day (our choice)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the clock on the wall says."""

    utc_ms: int
    utc_offset_s: int
    """Local time minus UTC, seconds."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the anchor held and the offset was one; a session's row."""

    anchor_s: float
    """Frame time that was at `anchor_utc_ms`."""
    anchor_utc_ms: int
    start_s: float
    """Frame time of its first frame."""
    utc_offset_s: int

    def utc_ms(self, t_s: float) -> int:
        """Return when a frame was, UTC ms; never before an earlier frame of the stretch."""
        return self.anchor_utc_ms + round((t_s - self.anchor_s) * 1000.0)


class Timeline:
    """Say for every frame which stretch it belongs to."""

    def __init__(self) -> None:
        self.stretch: Stretch | None = None
        self._odd_ms: int | None = None

    def step(self, t_s: float, wall: Moment) -> Stretch:
        """Take in one frame and return its stretch, which is a new object when a new one begins.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        wall : Moment
            What the clock on the wall says now, a little after the frame was taken.
        """
        now = self.stretch
        if now is None:
            self.stretch = Stretch(t_s, wall.utc_ms, t_s, wall.utc_offset_s)
            return self.stretch
        off_ms = wall.utc_ms - now.utc_ms(t_s)
        odd_ms, self._odd_ms = self._odd_ms, off_ms if abs(off_ms) > JUMP_MS else None
        # Twice the same: a process that was stopped between taking a frame and coming here is late only once.
        if self._odd_ms is not None and odd_ms is not None and abs(off_ms - odd_ms) <= JUMP_MS:
            self._odd_ms = None
            self.stretch = Stretch(t_s, wall.utc_ms, t_s, wall.utc_offset_s)
        elif wall.utc_offset_s != now.utc_offset_s:
            self.stretch = Stretch(now.anchor_s, now.anchor_utc_ms, t_s, wall.utc_offset_s)
        return self.stretch or now
