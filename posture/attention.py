"""Watch a camera for as little as possible: look often, judge seldom, and notice a camera that shows nothing.

Stands between the source and the observer of a running monitor; the rules are :mod:`posture.duty`'s. Recorded clips
are judged frame by frame and don't come by here.
"""

from __future__ import annotations

import zlib
from collections import deque
from math import hypot, nan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posture.angles import MeasuredLandmarks, measure_rows, repeat_at
from posture.baseline import Baseline
from posture.camera_move import CameraMoveJudge
from posture.duty import DutyCycle
from posture.encoded import EncodedFrame
from posture.glimpse import changed_ratio, glimpse, is_covered, person_cells
from posture.landmarks import FloatArray, Frame, Landmarks, no_person
from posture.monitor import FrameObserver
from posture.slouch import OTHERS, Reason
from posture.step_result import StepResult

FROZEN_S = 10.0
"""Seconds of pictures equal to the last bit; a sensor has noise (our choice: longer than some servers take to send
the next picture of a quiet scene)."""
ROW_STEP = 8
"""Of a picture's rows every so many are compared for that: all of 640x480 would cost 0.3-0.4 ms a look."""
RATE_SPAN_S = 30.0
"""Seconds over which the rate shown is counted (our choice)."""
_NO_SHIFT = np.array([[nan, nan, 0.0]])


class Rated(Protocol):
    """A source whose pictures per second may be changed while it runs."""

    rate_hz: float | None


class Attention:
    """Find landmarks in as few frames as the duty cycle allows; an observer, and a sink that sets the source's rate.

    Parameters
    ----------
    observer : FrameObserver
        Judges; used on afterwards by whoever made it.
    source : Rated
        Its rate follows the state.
    duty : DutyCycle
        Fresh.
    """

    def __init__(self, observer: FrameObserver, source: Rated, duty: DutyCycle) -> None:
        self._observer, self._source, self._duty = observer, source, duty
        self._condition = Reason.NONE
        self._held: tuple[MeasuredLandmarks, FloatArray, NDArray[np.bool_]] | None = None
        self._is_judged = self._is_shifted = False
        self._same: tuple[int, float] | None = (
            None  # checksum of the newest picture, and since when it is that
        )
        self._judged_s: deque[float] = deque()
        self._t_s = 0.0
        self._judges_all = False

    @property
    def condition(self) -> Reason:
        """Whether the camera is covered or frozen, or the observer's own as of the frame judged last."""
        return self._condition

    @property
    def judged_hz(self) -> float:
        """Frames judged per second of late."""
        return len(self._judged_s) / min(max(self._t_s, 1.0), RATE_SPAN_S)

    def seek(self, baseline: Baseline | None) -> None:
        """Look for the person of this baseline among several; None = whoever is there."""
        self._observer.seek(baseline)

    def rebase(self) -> None:
        """Take the background as it is from now on for where the camera should be."""
        self._observer.rebase()
        self._held = None

    def judge_all(self, is_on: bool) -> None:
        """Judge every frame from now on, whatever the duty cycle says; or the next one, and then as few as will do."""
        self._judges_all, self._held = is_on, None
        self._observer.judge_all(is_on)

    def detect(self, frame: Frame) -> Landmarks:
        """Return the landmarks of one frame (T = 1): its own, or the last ones if it shows the same.

        Raises
        ------
        PostureError
            As the observer's.
        """
        self._t_s, self._is_judged = frame.t_s, False
        seen = _look(frame)
        if seen is None:  # the camera is lost
            self._forget(Reason.NONE)
            self._same = None
            return self._observer.detect(frame)
        checksum, cells = seen
        is_frozen = self._is_frozen(frame.t_s, checksum)
        if is_covered(cells):
            self._forget(Reason.CAMERA_COVERED)
        elif is_frozen:
            self._forget(Reason.CAMERA_FROZEN)
        else:
            return self._judge_or_hold(frame, cells)
        return no_person(frame.t_s, float(cells.mean()) / 255.0)

    def handle(self, result: StepResult) -> None:
        """Set when the next frame is looked at."""
        if self._is_judged and self._held is not None and result.reason in OTHERS:
            # Who is followed is not who is waited for: anything that changes may be their coming back.
            self._held = (*self._held[:2], np.ones_like(self._held[2]))
        is_unsure = self._is_shifted is not (result.reason is Reason.CAMERA_MOVED)
        period_s = self._duty.step(result, is_judged=self._is_judged, is_unsure=is_unsure)
        self._source.rate_hz = 1.0 / (self._duty.fastest_s if self._judges_all else period_s)

    def close(self) -> None:
        """Nothing to let go of."""

    def _judge_or_hold(self, frame: Frame, cells: FloatArray) -> Landmarks:
        """Return the frame's own landmarks if it must be judged, else the last ones at its time."""
        changed = nan if self._held is None else changed_ratio(cells, self._held[1], self._held[2])
        is_due = self._judges_all or self._duty.is_due(frame.t_s, changed)
        if self._held is not None and not is_due:
            # The background is not repeated: two measurements of it must be two.
            return repeat_at(frame.t_s, self._held[0], _NO_SHIFT)
        (landmarks,) = measure_rows(self._observer.detect(frame))
        self._condition = self._observer.condition
        region = person_cells(landmarks.xyzv[0], float(landmarks.height_ratio[0]))
        self._held, self._is_judged = (landmarks, cells, region), True
        dx, dy, confidence = landmarks.scene_shift[0]
        self._is_shifted = (
            hypot(dx, dy) > CameraMoveJudge.ENTER_RATIO and confidence >= CameraMoveJudge.MIN_CONFIDENCE
        )
        self._judged_s.append(frame.t_s)
        while frame.t_s - self._judged_s[0] > RATE_SPAN_S:
            self._judged_s.popleft()
        return landmarks

    def _forget(self, condition: Reason) -> None:
        """Hold nothing: the next picture that can be judged is."""
        self._condition, self._held, self._is_shifted = condition, None, False

    def _is_frozen(self, t_s: float, checksum: int) -> bool:
        """Return whether the picture has been the same to the last bit for too long."""
        if self._same is None or checksum != self._same[0]:
            self._same = checksum, t_s
        return t_s - self._same[1] > FROZEN_S


def _look(frame: Frame) -> tuple[int, FloatArray] | None:
    """Return the picture's checksum and its cells; None = there is no picture."""
    if isinstance(frame, EncodedFrame):
        return zlib.crc32(frame.jpeg.data.data), glimpse(frame.jpeg.small)
    if frame.image_rgb is None:
        return None
    return zlib.crc32(np.ascontiguousarray(frame.image_rgb[::ROW_STEP]).data), glimpse(frame.image_rgb)
