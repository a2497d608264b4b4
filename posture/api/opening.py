"""Sources and observers with the settings applied, for whoever calls from Python."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from posture.baseline import Baseline
from posture.config import check_settings, restore_settings
from posture.errors import CalibrationError, SourceError
from posture.monitor import FrameObserver
from posture.pipeline import Pipeline
from posture.profiles import load_baseline
from posture.recording.player import TraceObserver, TraceSource
from posture.recording.reader import looks_recorded
from posture.settings import Settings
from posture.sources import FrameSource
from posture.wiring import make_observer, open_with_settings

BaselineLike: TypeAlias = Baseline | str | os.PathLike[str]
"""A baseline, or the file of one."""
Spec: TypeAlias = str | int | os.PathLike[str]
"""A camera's number or name, a clip, a folder of pictures or an address."""


def take(baseline: BaselineLike) -> Baseline:
    """Return a baseline that is given as itself or as its file.

    Raises
    ------
    ProfileError
        As :func:`~posture.profiles.load_baseline`.
    CalibrationError
        If it is neither.
    """
    if isinstance(baseline, Baseline):
        return baseline
    if isinstance(baseline, (str, os.PathLike)):
        return load_baseline(baseline)
    raise CalibrationError(
        f"baseline: {type(baseline).__name__} is not one; posture.calibrate and posture.load_baseline give one"
    )


def open_pictures(source: Spec, settings: Settings, stop: threading.Event) -> FrameSource:
    """Return the source of pictures that `source` names, the camera's settings applied.

    Raises
    ------
    SourceError
        As :func:`~posture.sources.open_source`, or if it is a recording, which has no pictures.
    """
    spec = str(source) if isinstance(source, int) else os.fspath(source)
    return open_with_settings(spec, settings, stop, judge="posture.replay")


def open_clip(source: Spec, settings: Settings, stop: threading.Event) -> FrameSource:
    """Return a source of pictures that has an end.

    Raises
    ------
    SourceError
        As :func:`open_pictures`, or if it is a camera or a stream.
    """
    opened = open_pictures(source, settings, stop)
    if opened.is_live:
        opened.close()
        raise SourceError(f"{opened.name}: a camera or stream has no end; posture.watch follows it")
    return opened


def open_judged(
    stack: ExitStack,
    source: Spec,
    settings: Settings | None,
    baseline: Baseline | None,
    span_s: tuple[float, float] | None,
    stop: threading.Event,
) -> tuple[FrameSource, FrameObserver, Pipeline, tuple[str, ...]]:
    """Return what a clip or a recording is judged with, and what is to be said about it; `stack` closes it.

    Raises
    ------
    PostureError
        Whatever cannot be opened or used.
    """
    chosen = Settings() if settings is None else check_settings(settings)
    if isinstance(source, int) or not looks_recorded(Path(source)):
        opened = stack.enter_context(open_clip(source, chosen, stop))
        observer = stack.enter_context(make_observer(chosen))
        pipeline, notes = make_pipeline(chosen, baseline, span_s)
        return opened, observer, pipeline, notes
    trace = stack.enter_context(TraceSource(Path(source), stop=stop))
    header = trace.header
    if settings is None and header.settings is not None:
        chosen, unknown = restore_settings(header.settings, chosen, trace.name)
        if unknown:
            trace.warn(f"was made with settings this program does not have: {', '.join(unknown)}")
    has_own = baseline is None and span_s is None and header.baseline is not None
    pipeline, notes = make_pipeline(
        chosen, header.baseline if has_own else baseline, span_s, header.start_of_day_s
    )
    return trace, TraceObserver(pipeline, has_own_baseline=has_own), pipeline, notes


def make_pipeline(
    settings: Settings,
    baseline: Baseline | None,
    span_s: tuple[float, float] | None,
    start_of_day_s: float | None = None,
) -> tuple[Pipeline, tuple[str, ...]]:
    """Return a pipeline that judges against `baseline` or the upright of a span, by default the first seconds."""
    notes: tuple[str, ...] = ()
    if baseline is None and span_s is None:
        span_s = (0.0, settings.calibration.seconds)
        notes = (f"no baseline given: the first {span_s[1]:g} s are taken as upright",)
    return Pipeline(settings, baseline, calibrate_span_s=span_s, start_of_day_s=start_of_day_s), notes
