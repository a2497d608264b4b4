"""Remember what the observer saw last, for whoever shows it. Used only when somebody looks."""

from __future__ import annotations

from posture.angles import measure_rows
from posture.baseline import Baseline
from posture.landmarks import Frame, Landmarks
from posture.monitor import FrameObserver
from posture.slouch import Reason
from posture.step_result import StepResult
from posture.view.moment import Moment, Prompt


class Onlooker:
    """An observer that passes everything on and keeps the newest frame with its landmarks, and none before it.

    Parameters
    ----------
    observer : FrameObserver
        Does the work; used on afterwards by whoever made it.
    """

    def __init__(self, observer: FrameObserver) -> None:
        self._observer = observer
        self._frame: Frame | None = None
        self._landmarks: Landmarks | None = None

    @property
    def condition(self) -> Reason:
        """Whatever the observer says of the newest picture."""
        return self._observer.condition

    def detect(self, frame: Frame) -> Landmarks:
        """Return the observer's landmarks of one frame (T = 1).

        Raises
        ------
        PostureError
            As the observer's.
        """
        self._frame = frame
        (self._landmarks,) = measure_rows(
            self._observer.detect(frame)
        )  # once, for the judge and for the drawing
        return self._landmarks

    def seek(self, baseline: Baseline | None) -> None:
        """Pass it on."""
        self._observer.seek(baseline)

    def rebase(self) -> None:
        """Pass it on."""
        self._observer.rebase()

    def judge_all(self, is_on: bool) -> None:
        """Pass it on."""
        self._observer.judge_all(is_on)

    def moment(self, result: StepResult | None, prompt: Prompt | None = None) -> Moment:
        """Return the newest frame with what was made of it."""
        image = None if self._frame is None else self._frame.image_rgb
        return Moment(image, self._landmarks, result, prompt)
