"""From landmarks to what one picture tells: cues for the estimator, angles in the picture, the person's place. Pure.

The angles here are measured *in the picture* (degrees from vertical, forward positive; ISO 11226 "inclination"):
right for a camera from the side, no more than a hint from the front. The deviations that are judged come from
:mod:`posture.deviation`. None of them is a craniovertebral angle: that needs the seventh cervical vertebra, which
the pose model does not give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from posture.cues import CUE_NAMES, N_CUES, fill_cues
from posture.landmarks import BoolArray, FloatArray, Landmarks, PoseLandmark


class Place(IntEnum):
    """Column of :attr:`Angles.place`: where the person is, and how well they are seen."""

    SHOULDER_X = 0
    """Mid-shoulder, image widths from the left edge."""
    SHOULDER_Y = 1
    """Mid-shoulder, image widths from the top edge."""
    SHOULDER_WIDTH = 2
    """Apparent shoulder width with its yaw taken out, image widths."""
    EAR_Y = 3
    """Mid-tragus, image widths from the top edge."""
    VISIBILITY = 4
    """Smallest visibility among the shoulders, the nose and the nearer ear, in [0, 1]."""


N_PLACE = len(Place)
BLOCK = 504
"""Frames worked on at a time, so that they stay in the cache: 1.5 times the speed of all at once. No power of two:
numbers 4096 bytes apart displace each other there."""
_CUE = {name: i for i, name in enumerate(CUE_NAMES)}
_LOG_FACE, _SHOULDER_WIDTH = _CUE["log_face"], _CUE["shoulder_width"]
_P = PoseLandmark
_NOSE, _LEFT_EAR, _RIGHT_EAR, _LEFT_SHOULDER, _RIGHT_SHOULDER = (
    int(p) for p in (_P.NOSE, _P.LEFT_EAR, _P.RIGHT_EAR, _P.LEFT_SHOULDER, _P.RIGHT_SHOULDER)
)  # plain integers, as every frame asks for them


@dataclass(frozen=True, slots=True)
class Angles:
    """What each of T pictures tells; NaN = not measured."""

    t_s: FloatArray
    """(T,) seconds."""
    cues: FloatArray
    """(T, Q) ratios and direction cosines, see :data:`CUES`; the estimator's input."""
    place: FloatArray
    """(T, 5) one column per :class:`Place`."""

    def __len__(self) -> int:
        """Return T."""
        return len(self.t_s)

    def __getitem__(self, rows: slice | BoolArray) -> Angles:
        """Return some of the frames, time axis kept."""
        return Angles(self.t_s[rows], self.cues[rows], self.place[rows])

    @property
    def is_measured(self) -> BoolArray:
        """(T,) whether there is a person in the frame whose cues make sense."""
        return np.isfinite(self.cues[:, 0])

    @property
    def neck_inclination_deg(self) -> FloatArray:
        """(T,) mid-shoulder to mid-tragus in the picture, the way the face points positive; range (-180, 180]."""
        return self._inclination_deg("neck_x", "neck_y", 1.0)

    @property
    def thoracic_inclination_deg(self) -> FloatArray:
        """(T,) mid-hip to mid-shoulder in the picture, the way the face points positive; NaN = hips not seen."""
        return self._inclination_deg("trunk_x", "trunk_y", np.where(self.cue("hips_seen") > 0.5, 1.0, np.nan))

    @property
    def head_pitch_deg(self) -> FloatArray:
        """(T,) of the rigid face in the picture, looking down positive, camera pitch included."""
        return np.asarray(np.degrees(np.arctan2(-self.cue("face_z_y"), self.cue("face_y_y"))))

    @property
    def head_yaw_deg(self) -> FloatArray:
        """(T,) of the rigid face, turned to the picture's right (the person's own left) positive."""
        return np.asarray(np.degrees(np.arctan2(-self.cue("face_z_x"), self.cue("face_x_x"))))

    @property
    def shoulder_yaw_deg(self) -> FloatArray:
        """(T,) of the shoulder line, 0 = square to the camera, +-90 = from the side; left one further off positive."""
        return np.asarray(np.degrees(np.arctan2(self.cue("shoulder_sin"), self.cue("shoulder_cos"))))

    @property
    def shoulder_tilt_deg(self) -> FloatArray:
        """(T,) in the picture, left shoulder lower positive, range [-90, 90]."""
        return np.asarray(np.degrees(np.arctan2(self.cue("shoulders_y"), np.abs(self.cue("shoulders_x")))))

    def cue(self, name: str) -> FloatArray:
        """Return one cue of every frame.

        Parameters
        ----------
        name : str
            A key of :data:`CUES`.

        Returns
        -------
        ndarray, shape (T,)
            NaN = not measured.
        """
        return self.cues[:, _CUE[name]]

    def _inclination_deg(self, x: str, y: str, seen: FloatArray | float) -> FloatArray:
        """Return the angle of an upward vector from vertical, the way the face points positive."""
        forward = np.where(self.cue("nose_x") < 0.0, -1.0, 1.0)
        return np.asarray(np.degrees(np.arctan2(forward * self.cue(x), -self.cue(y))) * seen)


@dataclass(frozen=True, slots=True)
class MeasuredLandmarks(Landmarks):
    """Landmarks that were measured already, mostly together with others (:func:`measure_rows`)."""

    angles: Angles = field(kw_only=True)
    """What :func:`compute_angles` gives for exactly these landmarks."""
    block: Angles | None = field(default=None, kw_only=True)
    """The same of all frames that were measured with this one, T = 1; None = it was measured alone."""
    row: int = field(default=0, kw_only=True)
    """Which of the block's rows it is."""


def repeat_at(t_s: float, seen: MeasuredLandmarks, scene_shift: FloatArray) -> MeasuredLandmarks:
    """Return one frame (T = 1) again at another time, its measurements with it.

    Parameters
    ----------
    t_s : float
        Seconds.
    seen : MeasuredLandmarks
        From :func:`measure_rows`.
    scene_shift : ndarray, shape (1, 3)
        As in :attr:`Landmarks.scene_shift`: where the background is then.
    """
    time_s = np.array([t_s])
    again = Angles(time_s, seen.angles.cues, seen.angles.place)
    return replace(seen, t_s=time_s, scene_shift=scene_shift, angles=again)


def measure_rows(landmarks: Landmarks) -> Iterator[MeasuredLandmarks]:
    """Yield every frame of `landmarks` (T = 1), measured in blocks beforehand: the same bits in a third of the time."""
    angles = compute_angles(landmarks)
    xyzv, world_m, luminance = landmarks.xyzv, landmarks.world_m, landmarks.luminance
    for t in range(len(landmarks)):
        one = slice(t, t + 1)
        yield MeasuredLandmarks(
            landmarks.t_s[one],
            xyzv[one],
            world_m[one],
            luminance[one],
            landmarks.height_ratio[one],
            landmarks.scene_shift[one],
            landmarks.face[one],
            angles=angles[one],
            block=angles,
            row=t,
        )


@np.errstate(all="ignore")
def compute_angles(landmarks: Landmarks) -> Angles:
    """Measure every frame.

    Stateless: row t of the result depends on row t of the input only, so calling it with T = 1 gives the
    same bits as calling it with the whole clip.

    Parameters
    ----------
    landmarks : Landmarks
        T frames; x right, y down, in image widths. NaN rows mean "no person".

    Returns
    -------
    Angles
        NaN rows where there is no person, where face or shoulders have collapsed to a point, or where a
        needed landmark lies absurdly far outside the picture.
    """
    if isinstance(landmarks, MeasuredLandmarks):
        return landmarks.angles
    n = len(landmarks)
    cues, place = np.empty((n, N_CUES)), np.empty((n, N_PLACE))
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        seen, xyzv = cues[block], landmarks.xyzv[block]
        middles = fill_cues(seen, xyzv, landmarks.world_m[block], landmarks.face[block])
        _fill_place(place[block], seen, middles, xyzv[:, :, 3])
    return Angles(landmarks.t_s, cues, place)


def _fill_place(place: FloatArray, cues: FloatArray, middles: FloatArray, visibility: FloatArray) -> None:
    """Fill the (T, 5) columns of :class:`Place`, given the middles of shoulders and ears, (2, 2, T)."""
    place[:, : Place.SHOULDER_WIDTH] = middles[0].T
    place[:, Place.SHOULDER_WIDTH] = cues[:, _SHOULDER_WIDTH] * np.exp(cues[:, _LOG_FACE])
    place[:, Place.EAR_Y] = middles[1, 1]
    nearer_ear = np.maximum(visibility[:, _LEFT_EAR], visibility[:, _RIGHT_EAR])
    shoulders = np.minimum(visibility[:, _LEFT_SHOULDER], visibility[:, _RIGHT_SHOULDER])
    place[:, Place.VISIBILITY] = np.minimum(np.minimum(shoulders, visibility[:, _NOSE]), nearer_ear)
