"""The loop: source in, pipeline, sinks out. The same for a camera, a clip and a demo; no decisions here."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from posture.baseline import Baseline
from posture.landmarks import Frame, Landmarks
from posture.pipeline import Pipeline
from posture.sinks import Sink
from posture.slouch import Reason


class FrameObserver(Protocol):
    """Whatever finds landmarks in a frame."""

    @property
    def condition(self) -> Reason:
        """Why the frame's picture must not be judged, whatever is seen in it; NONE = it may."""
        ...

    def detect(self, frame: Frame) -> Landmarks:
        """Find the landmarks of one frame.

        Parameters
        ----------
        frame : Frame
            Its time is never before that of the one before.

        Returns
        -------
        Landmarks
            One row (T = 1); NaN = nobody.
        """
        ...

    def seek(self, baseline: Baseline | None) -> None:
        """Look for the person of a baseline among several.

        Parameters
        ----------
        baseline : Baseline or None
            Whose place it is; None = whoever is there.
        """
        ...

    def rebase(self) -> None:
        """Take the background as it is from now on for where the camera should be."""
        ...

    def judge_all(self, is_on: bool) -> None:
        """Judge every frame from now on; or the next one, and then as few as will do.

        Parameters
        ----------
        is_on : bool
            Whether it is every frame.
        """
        ...


def run_monitor(
    frames: Iterable[Frame],
    observer: FrameObserver,
    pipeline: Pipeline,
    sinks: Sequence[Sink],
    stop: threading.Event,
) -> None:
    """Judge `frames` until they end or `stop` is set.

    Parameters
    ----------
    frames : iterable of Frame
        An open source; a live one ends when `stop` is set.
    observer : FrameObserver
        Fresh for this run: it follows the person from frame to frame.
    pipeline : Pipeline
        Judges; keeps its state afterwards.
    sinks : sequence of Sink
        Each gets every result, in this order; whoever made them closes them.
    stop : threading.Event
        Set by a signal handler, or by anybody, to end the loop after the frame at hand.

    Raises
    ------
    PostureError
        Whatever the source, the observer, the pipeline or a sink raises.
    """
    for frame in frames:
        if stop.is_set():
            return
        observer.seek(pipeline.followed)
        landmarks = observer.detect(frame)
        result = pipeline.step(landmarks, observer.condition)
        for sink in sinks:
            sink.handle(result)
    if not stop.is_set():
        pipeline.finish()
