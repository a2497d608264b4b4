"""A recorded clip made ready to be judged: source, observer, pipeline. The same for everything that judges clips."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from posture.baseline import Baseline
from posture.config import restore_settings
from posture.monitor import FrameObserver
from posture.pipeline import Pipeline
from posture.recording.player import TraceObserver, TraceSource
from posture.recording.reader import looks_recorded
from posture.session import StopSignals
from posture.settings import Settings
from posture.sources import FrameSource
from posture.wiring import make_observer, open_with_settings


def open_judged(
    stack: ExitStack,
    clip: str,
    settings: Settings,
    overrides: list[str],
    baseline: Baseline | None,
    span_s: tuple[float, float] | None,
    signals: StopSignals,
) -> tuple[FrameSource, FrameObserver, Pipeline]:
    """Return what a clip or a recording is judged with; `stack` closes it.

    A recording is judged as it was: by its own settings and baseline, unless others were asked for.
    """
    first_s = (0.0, settings.calibration.seconds) if baseline is None and span_s is None else span_s
    if not looks_recorded(Path(clip)):
        source = stack.enter_context(open_with_settings(clip, settings, signals))
        observer = stack.enter_context(make_observer(settings))
        return source, observer, Pipeline(settings, baseline, calibrate_span_s=first_s)
    trace = stack.enter_context(TraceSource(Path(clip), stop=signals.stop))
    header = trace.header
    if header.settings is not None:
        settings, unknown = restore_settings(header.settings, settings, clip, overrides)
        if unknown:
            trace.warn(f"was made with settings this program does not have: {', '.join(unknown)}")
    has_own = baseline is None and span_s is None and header.baseline is not None
    pipeline = Pipeline(
        settings,
        header.baseline if has_own else baseline,
        calibrate_span_s=None if has_own else first_s,
        start_of_day_s=header.start_of_day_s,
    )
    return trace, TraceObserver(pipeline, has_own_baseline=has_own), pipeline
