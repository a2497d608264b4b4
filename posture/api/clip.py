"""Judge what was recorded: a clip, a folder of pictures, a recording or landmarks, from Python."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack

from posture.api.opening import make_pipeline, open_clip, open_judged, take
from posture.api.result import ReplayResult
from posture.baseline import Baseline
from posture.config import check_settings
from posture.errors import CalibrationError
from posture.landmarks import Landmarks, concatenate
from posture.monitor import run_monitor
from posture.settings import Settings
from posture.step_result import StepResult
from posture.wiring import make_observer


def replay(
    source: str | os.PathLike[str] | Landmarks,
    *,
    calibrate: tuple[float, float] | None = None,
    baseline: Baseline | str | os.PathLike[str] | None = None,
    settings: Settings | None = None,
    on_step: Callable[[StepResult], object] | None = None,
) -> ReplayResult:
    """Judge recorded material exactly as a camera would be judged, as fast as it goes.

    Parameters
    ----------
    source : str, path or Landmarks
        A clip, a folder of pictures, a recording (``posture record``), a trace, or landmarks that are already found.
    calibrate : tuple of (float, float), optional
        Take the frames with start <= t_s < end (seconds) as the person's upright; nothing is judged before the end.
    baseline : Baseline, str or path, optional
        Judge against this one, or the one in this file, instead. Without either the first
        ``settings.calibration.seconds`` are taken, which :attr:`ReplayResult.notes` says; a recording with a baseline
        of its own is judged against that.
    settings : Settings, optional
        See :func:`make_settings`. The default is what comes with the program, for a recording what it was made
        with; no file of the user is read.
    on_step : callable, optional
        Called with every step as it comes, for instance to show progress.

    Returns
    -------
    ReplayResult
        Steps, events, bouts; the same for the same input, to the last bit.

    Raises
    ------
    CalibrationError
        If there is no upright to judge against: the span's frames make no baseline, or both `calibrate` and
        `baseline` are given.
    SourceError
        If the source cannot be read, or is a camera.
    TraceError
        If a recording cannot be read.
    ProfileError
        If the baseline's file cannot be.
    SettingsError
        If a setting is out of its range.
    TimestampError
        If the times of landmarks go backwards.
    """
    if calibrate is not None:
        if baseline is not None:
            raise CalibrationError("replay: give calibrate or baseline, not both")
        start_s, end_s = calibrate
        if not 0.0 <= start_s < end_s:
            raise CalibrationError(
                f"replay: calibrate=({start_s:g}, {end_s:g}) is no span: give its start and a later end, seconds"
            )
    upright = None if baseline is None else take(baseline)
    steps: list[StepResult] = []
    sink = _Steps(steps, on_step)
    if isinstance(source, Landmarks):
        chosen = Settings() if settings is None else check_settings(settings)
        pipeline, notes = make_pipeline(chosen, upright, calibrate)
        for step in pipeline.run(source):
            sink.handle(step)
        pipeline.finish()
        return ReplayResult("landmarks", tuple(steps), chosen, pipeline.baseline, notes)
    stop = threading.Event()
    with ExitStack() as stack:
        opened, observer, pipeline, notes = open_judged(stack, source, settings, upright, calibrate, stop)
        run_monitor(opened, observer, pipeline, [sink], stop)
    return ReplayResult(
        opened.name, tuple(steps), pipeline.settings, pipeline.baseline, (*notes, *opened.notes)
    )


def detect_landmarks(source: str | os.PathLike[str], *, settings: Settings | None = None) -> Landmarks:
    """Find the landmarks of a clip or a folder of pictures, to be kept or judged as often as one likes.

    Parameters
    ----------
    source : str or path
        A clip or a folder of pictures.
    settings : Settings, optional
        ``camera`` (mirror, rotation) and ``model`` are used; the default is what comes with the program.

    Returns
    -------
    Landmarks
        Every frame; about 2 kB each. The background's shift is measured too, as in a run.

    Raises
    ------
    SourceError
        If the source cannot be read, or is a camera.
    ModelFileError, LandmarkerError
        If the pose model cannot be used.
    SettingsError
        If a setting is out of its range.
    """
    chosen = Settings() if settings is None else check_settings(settings)
    with open_clip(source, chosen, threading.Event()) as opened, make_observer(chosen) as observer:
        found = [observer.detect(frame) for frame in opened]
    return concatenate(found) if found else Landmarks.empty()


class _Steps:
    """Gather steps, and hand each on."""

    def __init__(self, steps: list[StepResult], on_step: Callable[[StepResult], object] | None) -> None:
        self._steps, self._on_step = steps, on_step

    def handle(self, result: StepResult) -> None:
        """Take one step in."""
        self._steps.append(result)
        if self._on_step is not None:
            self._on_step(result)

    def close(self) -> None:
        """Nothing to release."""
