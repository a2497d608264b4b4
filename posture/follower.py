"""Keep the pose model's one tracked person the calibrated one, whoever else is in view.

Following two people costs 1.5 times the processor time of following one, and turns the model's own smoothing off
(docs/design.md has the figures). So one is followed, and only when that is somebody else, or has jumped, a still look
finds everybody in view; if the calibrated person is among them, the picture is shown to the model once more with
all others painted over, and from then on it follows them::

    followed    me me me me passer-by           me me me me me
    still look              `-- me, passer-by --^ painted over: found again in the same picture
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import numpy as np

from posture.angles import Place, compute_angles
from posture.baseline import Baseline
from posture.landmarker import PoseLandmarker
from posture.landmarks import FloatArray, Frame, Landmarks, UInt8Array
from posture.landmarks import PoseLandmark as P
from posture.people import SAME_WIDTHS, Spot, baseline_spot, distance, find_spot, offset_ratio
from posture.slouch import Reason

LOOK_S = 1.0
"""Seconds between two still looks while nobody is where they should be (our choice: a look takes as long as 1.5
pictures)."""
JUMP = 0.35
"""Share of the width of the place (see :func:`posture.people.distance`) by which one person does not move between two
pictures less than `RECENT_S` apart without being looked at again (our choice; it costs a look, no more)."""
RECENT_S = 3.0
"""Seconds for which the place where somebody was last tells more than the calibrated one (our choice)."""
MARGIN_RATIO, CROWN_RATIO = 0.35, 1.0
"""Of somebody's width beside them, and of ears to shoulders above the ears, that is left to be seen of them."""
GREY = 127
"""Brightness of what is painted over."""


class Follower:
    """Find the calibrated person in every frame of one stream.

    Parameters
    ----------
    landmarker : PoseLandmarker
        Fresh for this stream.
    max_offset_ratio : float
        Shoulder widths from the calibrated place, as `judge.max_offset_ratio`.
    """

    def __init__(self, landmarker: PoseLandmarker, max_offset_ratio: float) -> None:
        self._landmarker, self._max_offset_ratio = landmarker, max_offset_ratio
        self._place: Spot | None = None
        self._width = 1.0
        self._baseline: Baseline | None = None
        self.reset()

    def reset(self) -> None:
        """Forget where somebody was."""
        self.condition = Reason.NONE
        """SEVERAL_PEOPLE when some are in view and none is the calibrated one."""
        self._last: tuple[float, Spot] | None = None
        self._looked_s: float | None = None

    def seek(self, baseline: Baseline | None) -> None:
        """Follow the person of this baseline from now on; None = whoever the model finds."""
        if baseline is self._baseline:
            return
        self._baseline = baseline
        self.reset()
        if baseline is None:
            self._place = None
        else:
            self._place, self._width = (
                baseline_spot(baseline),
                float(baseline.place_centre[Place.SHOULDER_WIDTH]),
            )

    def detect(self, frame: Frame) -> Landmarks:
        """Return the calibrated person's landmarks (T = 1), or of whoever else is followed; see :attr:`condition`.

        Raises
        ------
        PostureError
            As :meth:`PoseLandmarker.detect <posture.landmarker.PoseLandmarker.detect>`.
        """
        found = self._landmarker.detect(frame)
        if self._place is None or isnan(found.xyzv[0, 0, 0]):
            self.condition = Reason.NONE
            return found
        spot = find_spot(compute_angles(found))
        is_own, is_steady = self._is_own(spot), self._is_steady(frame.t_s, spot)
        if not is_own or not is_steady:
            if is_own or self._looked_s is None or frame.t_s - self._looked_s >= LOOK_S:
                self._looked_s = frame.t_s
                found = self._look_again(frame, found, spot)
                spot = find_spot(compute_angles(found))
                is_own = self._is_own(spot)
        elif is_own:
            self._looked_s = None
        if is_own:
            self._last, self.condition = (frame.t_s, spot), Reason.NONE
        return found

    def _is_own(self, spot: Spot) -> bool:
        """Return whether somebody is in the calibrated place."""
        assert self._place is not None
        return distance(spot, self._place, self._width, self._max_offset_ratio) <= 1.0

    def _is_steady(self, t_s: float, spot: Spot) -> bool:
        """Return whether somebody is where the calibrated person was a moment ago, if that is known."""
        if self._last is None or t_s - self._last[0] > RECENT_S:
            return True
        return distance(spot, self._last[1], self._width, self._max_offset_ratio) <= JUMP

    def _look_again(self, frame: Frame, found: Landmarks, spot: Spot) -> Landmarks:
        """Return the calibrated person if they are in view, else who was followed."""
        people = self._landmarker.detect_all(frame)
        spots = [find_spot(compute_angles(one)) for one in people]
        own = [(one, at) for one, at in zip(people, spots, strict=True) if self._is_own(at)]
        self.condition = Reason.SEVERAL_PEOPLE if len(people) > 1 and not own else Reason.NONE
        if not own:
            return found
        is_recent = self._last is not None and frame.t_s - self._last[0] <= RECENT_S
        expected = self._last[1] if is_recent and self._last is not None else self._place
        assert expected is not None
        one, at = min(own, key=lambda pair: self._apart(pair[1], expected))
        if offset_ratio(at, spot, self._width) <= SAME_WIDTHS and self._is_own(spot):
            return found
        return self._follow(frame, one, at, [other for other in people if other is not one])

    def _apart(self, spot: Spot, other: Spot) -> float:
        """Return how far two spots are apart."""
        return distance(spot, other, self._width, self._max_offset_ratio)

    def _follow(self, frame: Frame, one: Landmarks, at: Spot, others: list[Landmarks]) -> Landmarks:
        """Have the model follow `one`, and return their landmarks."""
        assert frame.image_rgb is not None
        alone = leave_only(frame.image_rgb, one.xyzv[0], [other.xyzv[0] for other in others])
        self._landmarker.detect(Frame(frame.t_s, np.full_like(alone, GREY)))  # it loses whom it followed
        seen = self._landmarker.detect(Frame(frame.t_s, alone))
        found = seen if self._apart(find_spot(compute_angles(seen)), at) <= JUMP else one
        return replace(found, luminance=one.luminance)  # of the whole picture


def leave_only(image_rgb: UInt8Array, xyzv: FloatArray, others: Sequence[FloatArray] = ()) -> UInt8Array:
    """Return a copy of a picture with everything painted over but one person.

    Parameters
    ----------
    image_rgb : UInt8Array
        (H, W, 3).
    xyzv : FloatArray
        (33, 4) landmarks of whom is left, image widths.
    others : sequence of FloatArray
        The same of others, whose faces are painted over even where they are close by: the model finds people by them.
    """
    alone = np.full_like(image_rgb, GREY)
    body = _box(xyzv[: P.RIGHT_SHOULDER + 1], image_rgb.shape)
    alone[body] = image_rgb[body]
    for other in others:
        alone[_box(other[: P.MOUTH_RIGHT + 1], image_rgb.shape)] = GREY
    if others:
        face = _box(xyzv[: P.MOUTH_RIGHT + 1], image_rgb.shape)
        alone[face] = image_rgb[face]
    return alone


def _box(points: FloatArray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the part of a picture around (n, 4) `points` from the nose on: a face, or a body down to its edge."""
    height, width = shape[:2]
    (left, top), (right, bottom) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    margin = MARGIN_RATIO * (right - left)
    is_body = len(points) > P.LEFT_SHOULDER
    ears = points[P.LEFT_EAR : P.RIGHT_EAR + 1, 1].mean()
    chin = points[P.LEFT_SHOULDER :, 1].mean() if is_body else points[P.MOUTH_LEFT :, 1].mean()
    top = min(top, ears - (CROWN_RATIO if is_body else 2.0 * CROWN_RATIO) * abs(chin - ears))
    bottom = height / width if is_body else bottom + margin
    x0, x1, y0, y1 = (
        int(np.clip(v * width, 0, limit))
        for v, limit in ((left - margin, width), (right + margin, width), (top, height), (bottom, height))
    )
    return slice(y0, y1), slice(x0, x1)
