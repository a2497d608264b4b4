"""What a recording holds: all that a pipeline is given, in order, and no picture. Pure; no I/O.

Two recordings of the same run give the same events as the run did, because what stands here is everything that
:class:`~posture.pipeline.Pipeline` takes in: the settings, the baseline and the time of day it begins with, then every
frame's landmarks and condition, and whatever it was told in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.baseline import Baseline
from posture.landmarks import Face, Frame, Landmarks
from posture.landmarks import PoseLandmark as P
from posture.slouch import Reason

POINTS: Final = tuple(range(P.RIGHT_HIP + 1))
"""Rows of :attr:`Landmarks.xyzv` that are kept: down to the hips. At a desk the model invents the legs."""
WORLD_POINTS: Final = (P.LEFT_SHOULDER, P.RIGHT_SHOULDER, P.LEFT_HIP, P.RIGHT_HIP)
"""Rows of :attr:`Landmarks.world_m` that are kept: the cues use the shoulders, the hips are what they turn about."""
FACE: Final = tuple(column.name.lower() for column in Face)
"""What :attr:`Landmarks.face` holds, all of which is kept: nine numbers of the 1404 that a face mesh has."""
CHUNK_S: Final = 5.0
"""Seconds of frames written at a time, and so what a kill may cost; as the history (our choice)."""
CHUNK_ROWS: Final = 256
"""Frames written at a time at most: 124 kB, 17 s of a clip at 15 fps (our choice)."""
SECTIONS: Final = ("judge", "alert", "breaks")
"""Sections of the settings that a pipeline uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is known when a recording begins."""

    program: str = ""
    """Version of the program; empty = not known."""
    source: str = ""
    """What was watched; without a password, a user's name or a folder."""
    start_utc_ms: int | None = None
    """Time of day at which the recording began, UTC, milliseconds since 1970; None = not known."""
    utc_offset_s: int = 0
    """What the clock on the wall was ahead of UTC then and there."""
    start_of_day_s: float | None = None
    """The pipeline's: local time of day at frame time 0, seconds; None = quiet hours don't apply."""
    rate_hz: float | None = None
    """Pictures a second asked of the source; None = all it has."""
    profile: str = ""
    """The baseline's name; empty = it had none."""
    baseline: Baseline | None = None
    """The one in force at the beginning; None = nothing was judged."""
    settings: dict[str, Any] | None = None
    """The :data:`SECTIONS` in force; None = nothing was judged."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some frames in a row."""

    landmarks: Landmarks
    """(T,); points that are not kept are NaN."""
    conditions: tuple[Reason, ...]
    """(T,) why each frame's picture must not be judged; NONE = it may."""
    is_own: NDArray[np.bool_]
    """(T,) whether its landmarks are its own; False = those of the frame before are repeated."""


@dataclass(frozen=True, slots=True)
class Rebase:
    """The baseline was taken anew."""

    baseline: Baseline


@dataclass(frozen=True, slots=True)
class Snooze:
    """Alerts were put off."""

    until_s: float
    """Frame time, seconds; infinite = until further notice."""


@dataclass(frozen=True, slots=True)
class Mute:
    """The desktop is not to be disturbed, or is again."""

    is_muted: bool


@dataclass(frozen=True, slots=True)
class Stand:
    """The person stands at the desk, or sits again."""

    is_standing: bool


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """The clock on the wall has been put forward or back."""

    t_s: float
    """Frame time, seconds."""
    time_of_day_s: float
    """What it shows then, seconds after midnight."""


@dataclass(frozen=True, slots=True)
class End:
    """The recording was closed, and nothing is missing."""

    n_rows: int


Command: TypeAlias = Rebase | Snooze | Mute | Stand | TimeOfDay
Record: TypeAlias = Chunk | Command | End


@dataclass(frozen=True, slots=True)
class SeenFrame(Frame):
    """A frame of which only what was seen is left; its picture is None."""

    landmarks: Landmarks
    """One row."""
    condition: Reason
    """Why its picture must not be judged."""
    commands: tuple[Command, ...]
    """What the pipeline was told before this frame."""
