"""Everything that is taken from a picture before it is dropped: landmarks, and where the background lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np

from posture.landmarker import PoseLandmarker
from posture.landmarks import Frame, Landmarks
from posture.scene import SceneWatch
from posture.slouch import Reason

SCENE_PERIOD_S = 0.45
"""Seconds between two looks at the background, each 0.6 ms: four of them confirm a move within two seconds. The
frames between have no shift: two measurements must be two."""


class Observer:
    """Find the person and watch the background of one stream.

    Parameters
    ----------
    landmarker : PoseLandmarker
        Fresh for this stream; closed with this object.
    """

    condition = Reason.NONE
    """Every picture may be judged: a clip's own pauses are no fault of a camera."""

    def __init__(self, landmarker: PoseLandmarker) -> None:
        self._landmarker = landmarker
        self._scene = SceneWatch()
        self._looked_s: float | None = None

    def __enter__(self) -> Self:
        """Return the observer itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the landmarker."""
        self.close()

    def close(self) -> None:
        """Close the landmarker; calling it again does nothing."""
        self._landmarker.close()

    def rebase(self) -> None:
        """Take the background as it is from now on for where the camera should be."""
        self._scene = SceneWatch()

    def judge_all(self, is_on: bool) -> None:
        """Do nothing: every frame is judged.

        Parameters
        ----------
        is_on : bool
            Whether it is every frame; it always is.
        """

    def detect(self, frame: Frame) -> Landmarks:
        """Find the person, and every 0.45 s where the background lies.

        Parameters
        ----------
        frame : Frame
            Its time is never before that of the one before.

        Returns
        -------
        Landmarks
            One row (T = 1); NaN = nobody.

        Raises
        ------
        TimestampError, ShapeError, LandmarkerError
            As :meth:`PoseLandmarker.detect`.
        """
        landmarks = self._landmarker.detect(frame)
        if frame.image_rgb is None:
            return landmarks
        if self._looked_s is not None and frame.t_s - self._looked_s < SCENE_PERIOD_S:
            return landmarks
        self._looked_s = frame.t_s
        shift = self._scene.step(frame.t_s, frame.image_rgb, landmarks.xyzv[0])
        return replace(landmarks, scene_shift=np.array([[shift.dx_ratio, shift.dy_ratio, shift.confidence]]))
