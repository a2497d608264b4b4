"""A recording measured once, so that it can be judged by many settings: all of a run but its thresholds. Pure; no I/O.

What a frame measures depends on the baseline and on a few settings (:data:`MEASURING`); thresholds, dwell times and
everything about alerts come after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.baseline import Baseline
from posture.deviation import Measure
from posture.landmarks import BoolArray, FloatArray, Landmarks
from posture.pipeline import Pipeline
from posture.recording.records import Command, Mute, Rebase, Snooze, Stand, TimeOfDay
from posture.settings import JudgeSettings
from posture.slouch import Reason

CodeArray: TypeAlias = NDArray[np.uint8]
Order: TypeAlias = Snooze | Mute | TimeOfDay
"""What a monitor was told that changes when it speaks."""

REASONS: Final = tuple(Reason)
"""What the codes of :attr:`Tape.reason` stand for."""
MEASURING: Final = (
    *("smoothing_s", "max_gap_s", "max_yaw_deg"),
    *("min_luminance", "min_visibility", "max_offset_ratio"),
)
"""Settings in ``[judge]`` that change what is measured; a recording is measured again for every value of them."""
_CODES: Final = {reason: code for code, reason in enumerate(REASONS)}
_N_JUDGED: Final = Measure.SINK_RATIO + 1
_NOT_FOLLOWED: Final = (nan, nan, nan)


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """T measured frames."""

    t_s: FloatArray
    """(T,) frame times, seconds, never decreasing."""
    values: FloatArray
    """(T, 3) smoothed deviations in degrees, degrees, trunk lengths: neck, thoracic, sink; NaN = not measured."""
    reason: CodeArray
    """(T,) index into :data:`REASONS`: why a frame must not be judged."""
    raw: FloatArray
    """(T, 3) the same deviations before smoothing."""
    is_followed: BoolArray
    """(T,) whether these are followed for their scatter."""
    baselines: tuple[tuple[int, Baseline], ...]
    """Frames from which on a baseline is in force, ascending; before the first there is none."""
    orders: tuple[tuple[int, Order], ...] = ()
    """What was told before which frame, ascending."""
    start_of_day_s: float | None = None
    """Local time of day at frame time 0, seconds; None = unknown, and quiet hours don't apply."""

    def __len__(self) -> int:
        """Return T."""
        return len(self.t_s)


def measuring_key(judge: JudgeSettings) -> tuple[float, ...]:
    """Return the values of :data:`MEASURING`: settings with the same ones share a tape."""
    return tuple(getattr(judge, name) for name in MEASURING)


class TapeMaker:
    """Measure the frames of a recording.

    Parameters
    ----------
    pipeline : Pipeline
        Fresh, with the settings, the baseline or the calibration span to measure with.
    has_own_baseline : bool
        Whether baselines that were taken meanwhile are to be used.
    start_of_day_s : float or None
        The pipeline's.
    """

    def __init__(
        self, pipeline: Pipeline, *, has_own_baseline: bool = True, start_of_day_s: float | None = None
    ) -> None:
        self._pipeline, self._has_own_baseline = pipeline, has_own_baseline
        self._start_of_day_s = start_of_day_s
        self._t_s: list[float] = []
        self._values: list[list[float]] = []
        self._reasons: list[int] = []
        self._raw: list[tuple[float, float, float]] = []
        self._is_followed: list[bool] = []
        self._baselines: list[tuple[int, Baseline]] = []
        self._orders: list[tuple[int, Order]] = []

    def tell(self, command: Command) -> None:
        """Take in what the monitor was told before the next frame."""
        match command:
            case Rebase(baseline=baseline):
                if self._has_own_baseline:
                    self._pipeline.use_baseline(baseline)
            case Stand():
                pass  # counts for breaks only
            case _:
                self._orders.append((len(self._t_s), command))

    def add(self, landmarks: Landmarks, conditions: Sequence[Reason]) -> None:
        """Measure the next T frames.

        Parameters
        ----------
        landmarks : Landmarks
            T frames.
        conditions : sequence of Reason
            (T,) why each must not be judged, whatever its landmarks say; NONE = it may.

        Raises
        ------
        TimestampError, CalibrationError
            As :meth:`posture.pipeline.Pipeline.step`.
        """
        pipeline = self._pipeline
        for measured in pipeline.measure_all(landmarks, conditions):
            baseline = pipeline.baseline
            if baseline is not None and (not self._baselines or self._baselines[-1][1] is not baseline):
                self._baselines.append((len(self._t_s), baseline))
            self._t_s.append(measured.t_s)
            self._values.append(measured.values[:_N_JUDGED])
            self._reasons.append(_CODES[measured.reason])
            self._raw.append(measured.raw or _NOT_FOLLOWED)
            self._is_followed.append(measured.raw is not None)

    def tape(self) -> Tape:
        """Return what was measured.

        Raises
        ------
        CalibrationError
            If the frames ended before the calibration span did.
        """
        self._pipeline.finish()
        return Tape(
            np.array(self._t_s, dtype=np.float64),
            np.array(self._values, dtype=np.float64).reshape(-1, _N_JUDGED),
            np.array(self._reasons, dtype=np.uint8),
            np.array(self._raw, dtype=np.float64).reshape(-1, _N_JUDGED),
            np.array(self._is_followed, dtype=np.bool_),
            tuple(self._baselines),
            tuple(self._orders),
            self._start_of_day_s,
        )
