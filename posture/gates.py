r"""Why one frame cannot be judged: gates, each with a hysteresis, so that nobody near a limit flickers. Pure; no I/O.

A gate shuts when its quantity is beyond the limit and opens again only :data:`MARGIN` inside it::

    turned    ___/\__/~~~\___/\_/\____      limit        20 degrees
             /         `  \      `  `\      limit - 15 %  17
    judged   jjj....jj.........jjjjjjj

What is asked first wins: a passer-by is in another place before they are badly seen. Gates open for whoever comes after
nobody was there for as long as it takes to count as away; a frame in which somebody was missed opens none.
"""

from __future__ import annotations

from enum import IntEnum
from math import isnan
from typing import Final

from posture.angles import Angles, Place
from posture.baseline import Baseline
from posture.landmarks import Landmarks
from posture.landmarks import PoseLandmark as P
from posture.people import baseline_spot, find_spot, offset_ratio, size_share
from posture.settings import JudgeSettings
from posture.slouch import Reason

MARGIN: Final = 0.15
"""Share of its limit that a quantity must come back (our choice; on the bench's clips a person at rest moves by 2
degrees of yaw and less than 0.03 of anything else within a second)."""
FAR_TURN_DEG: Final = 45.0
"""Degrees of the face's own yaw in the picture; slumps seen from three-quarter reach 39 on rendered people."""
EDGE_RATIO: Final = 0.02
"""Image widths; who was cut by the picture's edge is whole again when they are this far inside (our choice)."""
BELOW_RATIO: Final = 0.1
"""Image widths by which the shoulders may lie below the picture: the pose model still places them well, as on the
laptop session, two slouches of which lie 0.02-0.04 below."""

_MIDDLES: Final = tuple(
    (int(left), int(right))
    for left, right in (
        (P.NOSE, P.NOSE),
        (P.LEFT_EAR, P.RIGHT_EAR),
        (P.MOUTH_LEFT, P.MOUTH_RIGHT),
        (P.LEFT_SHOULDER, P.RIGHT_SHOULDER),
    )
)  # of what may be outside the picture; plain integers, as every frame asks for them
_N_POINTS: Final = max(right for _, right in _MIDDLES) + 1


class Gate(IntEnum):
    """What keeps a frame from being judged, in the order in which it is asked."""

    DARK = 0
    PLACE = 1
    SIZE = 2
    EDGE = 3
    UNSURE = 4
    TURNED = 5
    TURNED_FAR = 6


class Gates:
    """Say, frame by frame, why it cannot be judged.

    Parameters
    ----------
    judge : JudgeSettings
        Limits.
    """

    def __init__(self, judge: JudgeSettings) -> None:
        self._judge = judge
        self._baseline: Baseline | None = None
        self.reset()

    def reset(self) -> None:
        """Open all gates, as for somebody who has just come."""
        self._shut = [False] * len(Gate)
        self._empty_since_s: float | None = None
        self.is_near_limit = False
        """Whether place, size, turn or distance from the edge in the newest frame is within the margin of its limit:
        the answer depends on the frames before, and a small movement changes it. Not so light and visibility, which
        may stay there for hours."""

    def step(
        self,
        landmarks: Landmarks,
        angles: Angles,
        head_yaw_deg: float,
        baseline: Baseline | None,
        is_camera_moved: bool,
    ) -> Reason:
        """Return why one frame (T = 1) cannot be judged, or ``Reason.NONE``.

        Parameters
        ----------
        landmarks, angles : Landmarks, Angles
            The frame.
        head_yaw_deg : float
            How far the head is turned from the baseline, as the estimator has it; NaN = not measured.
        baseline : Baseline or None
            None = not calibrated.
        is_camera_moved : bool
            Whether the background is elsewhere than it was.
        """
        luminance = float(landmarks.luminance[0])
        is_nobody = isnan(landmarks.xyzv[0, 0, 0])
        self._open_if_away(float(landmarks.t_s[0]), is_nobody)
        self.is_near_limit = False
        if isnan(luminance):
            return Reason.NO_PICTURE
        is_dark = self._is_below(Gate.DARK, luminance, self._judge.min_luminance)
        if is_nobody:
            return Reason.TOO_DARK if is_dark else Reason.NO_PERSON
        if baseline is None:
            return Reason.NOT_CALIBRATED
        if is_camera_moved:
            return Reason.CAMERA_MOVED
        if isnan(angles.cues[0, 0]):
            return Reason.NOT_MEASURED
        if is_dark:
            return Reason.TOO_DARK
        return self._find_elsewhere(angles, baseline) or self._find_unclear(
            landmarks, angles, head_yaw_deg, baseline
        )

    def _open_if_away(self, t_s: float, is_nobody: bool) -> None:
        """Open the gates that are about the person once nobody has been there for as long as counts as away."""
        if not is_nobody:
            self._empty_since_s = None
            return
        if self._empty_since_s is None:
            self._empty_since_s = t_s
        if t_s - self._empty_since_s >= self._judge.away_after_s:
            self._shut[Gate.PLACE :] = [False] * (len(Gate) - Gate.PLACE)

    def _find_elsewhere(self, angles: Angles, baseline: Baseline) -> Reason:
        """Return OUT_OF_PLACE for somebody who is not where, or not as large as, the calibrated person."""
        if baseline is not self._baseline:
            self._baseline, self._own = baseline, baseline_spot(baseline)
            self._width = float(baseline.place_centre[Place.SHOULDER_WIDTH])
        spot = find_spot(angles)
        offset = offset_ratio(spot, self._own, self._width)
        is_away = self._is_above(Gate.PLACE, offset, self._judge.max_offset_ratio)
        is_away |= self._is_above(Gate.SIZE, size_share(spot, self._own), 1.0)
        return Reason.OUT_OF_PLACE if is_away else Reason.NONE

    def _find_unclear(
        self, landmarks: Landmarks, angles: Angles, head_yaw_deg: float, baseline: Baseline
    ) -> Reason:
        """Return why somebody in the calibrated place cannot be judged."""
        visibility = float(angles.place[0, Place.VISIBILITY])
        is_unsure = self._is_below(Gate.UNSURE, visibility, self._judge.min_visibility)
        head, shoulders = _outside(landmarks)
        if self._is_cut(max(head, shoulders if is_unsure else shoulders - BELOW_RATIO)):
            return Reason.PARTLY_OUT
        if is_unsure or isnan(visibility):
            return Reason.LOW_CONFIDENCE
        if not isnan(head_yaw_deg):
            self._shut[Gate.TURNED_FAR] = False
            is_turned = self._is_above(Gate.TURNED, abs(head_yaw_deg), self._judge.max_yaw_deg)
            return Reason.TURNED_AWAY if is_turned else Reason.NONE
        # Unlike anything the estimator knows: is it for the head's being turned far, as the picture has it?
        turn_deg = (float(angles.head_yaw_deg[0]) - baseline.head_yaw_deg + 180.0) % 360.0 - 180.0
        is_turned = self._is_above(Gate.TURNED_FAR, abs(turn_deg), FAR_TURN_DEG)
        return Reason.TURNED_AWAY if is_turned else Reason.NOT_MEASURED

    def _is_above(self, gate: Gate, value: float, limit: float) -> bool:
        """Return whether a gate is shut by too large a value."""
        inner = (1.0 - MARGIN) * limit
        self.is_near_limit |= inner < value <= limit
        return self._set(gate, value > (inner if self._shut[gate] else limit))

    def _is_below(self, gate: Gate, value: float, limit: float) -> bool:
        """Return whether a gate is shut by too small a value."""
        boundary = (1.0 + MARGIN) * limit if self._shut[gate] else limit
        return self._set(gate, value < boundary)

    def _is_cut(self, outside: float) -> bool:
        """Return whether somebody is cut by the edge, given how far they are outside, image widths."""
        self.is_near_limit |= -EDGE_RATIO < outside <= 0.0
        return self._set(Gate.EDGE, outside > (-EDGE_RATIO if self._shut[Gate.EDGE] else 0.0))

    def _set(self, gate: Gate, is_shut: bool) -> bool:
        """Remember whether a gate is shut, and return it."""
        self._shut[gate] = is_shut
        return is_shut


def _outside(landmarks: Landmarks) -> tuple[float, float]:
    """Return how far head and shoulders lie outside the picture, image widths; negative = inside by so much.

    Of the head: nose, mouth and the middle of the ears, as a cropped forehead does no harm, and of an ear that the
    head hides the model only guesses; of the shoulders their middle.
    """
    xy = landmarks.xyzv[0, :_N_POINTS, :2].tolist()
    height = float(landmarks.height_ratio[0])
    *head, shoulders = [_beyond(xy[left], xy[right], height) for left, right in _MIDDLES]
    return max(head), shoulders


def _beyond(left: list[float], right: list[float], height: float) -> float:
    """Return how far the middle of two points lies outside the picture, image widths; negative = inside by so much."""
    x, y = (left[0] + right[0]) * 0.5, (left[1] + right[1]) * 0.5
    return max(-x, x - 1.0, -y, y - height)
