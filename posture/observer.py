"""All that is taken from a picture before it is dropped: one person's landmarks and face, the background's place."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np

from posture.baseline import Baseline
from posture.face_network import FaceNetwork
from posture.follower import Follower
from posture.landmarker import PoseLandmarker
from posture.landmarks import Frame, Landmarks
from posture.scene import SceneWatch
from posture.settings import JudgeSettings
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
    judge : JudgeSettings
        `max_offset_ratio` is used: how large the calibrated place is.
    face_network : FaceNetwork or None
        Measures the face of the person found; None = faces are not measured.
    """

    def __init__(
        self,
        landmarker: PoseLandmarker,
        judge: JudgeSettings | None = None,
        face_network: FaceNetwork | None = None,
    ) -> None:
        self._landmarker, self._face_network = landmarker, face_network
        self._wants_face, self._judges_all = True, False
        self._follower = Follower(landmarker, (judge or JudgeSettings()).max_offset_ratio)
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

    @property
    def condition(self) -> Reason:
        """Whether several people are in view and none in the calibrated place."""
        return self._follower.condition

    def seek(self, baseline: Baseline | None) -> None:
        """Look for the person of a baseline among several.

        Parameters
        ----------
        baseline : Baseline or None
            Whose place it is; None = whoever is there.
        """
        self._follower.seek(baseline)

    def rebase(self) -> None:
        """Take the background as it is from now on for where the camera should be."""
        self._scene = SceneWatch()

    def judge_all(self, is_on: bool) -> None:
        """Measure the face as well from now on, whatever :meth:`use_face` says: a baseline is being taken.

        Parameters
        ----------
        is_on : bool
            Whether it is being taken.
        """
        self._judges_all = is_on

    def use_face(self, is_on: bool) -> None:
        """Measure faces from now on, or don't, to save their processor time; without a network nothing changes.

        Parameters
        ----------
        is_on : bool
            Whether faces are measured.
        """
        self._wants_face = is_on

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
            As :meth:`PoseLandmarker.detect`, or if the face network fails.
        """
        landmarks = self._follower.detect(frame)
        if frame.image_rgb is None:
            return landmarks
        if self._face_network is not None and (self._wants_face or self._judges_all):
            face = self._face_network.measure(frame.image_rgb, landmarks.xyzv[0])
            landmarks = replace(landmarks, face=face[None])
        if self._looked_s is not None and frame.t_s - self._looked_s < SCENE_PERIOD_S:
            return landmarks
        self._looked_s = frame.t_s
        shift = self._scene.step(frame.t_s, frame.image_rgb, landmarks.xyzv[0])
        return replace(landmarks, scene_shift=np.array([[shift.dx_ratio, shift.dy_ratio, shift.confidence]]))
