"""Decide from the background's shift whether the camera has been moved. Pure; no I/O."""

from __future__ import annotations

from math import hypot, isnan


class CameraMoveJudge:
    """Decide from the background's shift, frame by frame, whether the camera has been moved.

    The answer changes when confident frames have said so for `SUSTAIN_S`, agreeing within `AGREE_RATIO`, none
    of them saying otherwise and none more than `GAP_S` after the last; frames that measure nothing neither
    help nor hinder. A camera put back is no longer moved. Only frame times count, not the frame rate.
    """

    ENTER_RATIO, LEAVE_RATIO = 0.012, 0.008  # picture widths; 0.8 degrees at 66 degrees of view; noise 0.004
    MIN_CONFIDENCE = 0.5
    SUSTAIN_S = 1.5  # false shifts on still cameras lasted one or two frames (passer-by, leaving)
    AGREE_RATIO = 0.03  # so a camera in somebody's hand is reported once it rests
    GAP_S = 10.0  # longer than the slowest frame rate's step

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: the camera is where it should be."""
        self.is_moved = False
        """Whether it is somewhere else."""
        self.since_s: float | None = None
        """Frame time at which it was first seen in the place it is in now."""
        self._run: tuple[float, float, float, float] | None = None  # first time, last time, dx, dy

    def step(self, t_s: float, dx_ratio: float, dy_ratio: float, confidence: float) -> bool:
        """Take one frame in and return whether the camera is moved, as of it.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        dx_ratio, dy_ratio, confidence : float
            A row of :attr:`posture.landmarks.Landmarks.scene_shift`; NaN = not measured.
        """
        size = hypot(dx_ratio, dy_ratio)
        if isnan(size) or not confidence >= self.MIN_CONFIDENCE:
            return self.is_moved
        if not (size < self.LEAVE_RATIO if self.is_moved else size > self.ENTER_RATIO):
            self._run = None
            return self.is_moved
        start_s, last_s, dx, dy = self._run or (t_s, t_s, dx_ratio, dy_ratio)
        if t_s - last_s > self.GAP_S or hypot(dx_ratio - dx, dy_ratio - dy) > self.AGREE_RATIO:
            start_s, dx, dy = t_s, dx_ratio, dy_ratio
        self._run = start_s, t_s, dx, dy
        if t_s - start_s >= self.SUSTAIN_S:
            self.is_moved, self.since_s, self._run = not self.is_moved, start_s, None
        return self.is_moved
