"""One recorded clip judged, whoever asks for it: by itself, as one of many, on another machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias

import msgspec

from posture import __version__
from posture.baseline import Baseline
from posture.coefficients import packaged_coefficients
from posture.config import restore_settings
from posture.errors import ModelFileError
from posture.model_file import MODEL_SHA256
from posture.monitor import FrameObserver
from posture.pipeline import Pipeline
from posture.profile_json import encode_baseline
from posture.recording.player import TraceObserver, TraceSource
from posture.recording.reader import looks_recorded
from posture.session import StopSignals, replay
from posture.settings import Settings
from posture.sinks import Sink
from posture.sources import FrameSource
from posture.summary import Summary
from posture.view.views import Views
from posture.wiring import make_observer, model_path, open_with_settings

Begin: TypeAlias = Callable[[ExitStack, FrameSource, Pipeline], Sink | None]
"""Called when a clip is open, before its first frame; returns what shows how far it is."""


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What the clips of a run are judged with; it can be pickled."""

    settings: Settings
    overrides: tuple[str, ...] = ()
    """As given to ``--set``: they are in `settings`, and go on top of a recording's own."""
    baseline: Baseline | None = None
    span_s: tuple[float, float] | None = None
    """Seconds of each clip to fit a baseline on; None, and no baseline: the first few, or a recording's own."""

    @property
    def has_baseline(self) -> bool:
        """Whether it tells what upright is."""
        return self.baseline is not None or self.span_s is not None

    def digest(self) -> str:
        """Return a SHA-256 of all that decides the result, the clip excepted: this plan, the program, its models.

        Raises
        ------
        ModelFileError
            If the pose model or the estimator's coefficients cannot be read.
        """
        coefficients = packaged_coefficients()
        parts = (
            __version__,
            self.settings,
            self.overrides,
            None if self.baseline is None else encode_baseline(self.baseline).decode(),
            self.span_s,
            model_digest(self.settings),
            [
                getattr(network, field.name).tobytes()
                for network in (coefficients.pose, coefficients.face)
                for field in fields(network)
            ],
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files to write for one clip; None = not asked for."""

    trace: Path | None = None
    events: Path | None = None
    annotate: Path | None = None
    plot: Path | None = None

    def paths(self) -> list[Path]:
        """Return those that are asked for."""
        return [path for field in fields(self) if (path := getattr(self, field.name)) is not None]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one clip."""

    summary: Summary
    notes: tuple[str, ...]
    """What a person should know about the clip and the files written, one line each."""
    took_first: bool
    """Whether its first seconds were taken for upright, since nobody said what is."""


def judge_clip(
    plan: ReplayPlan,
    clip: str,
    outputs: Outputs,
    signals: StopSignals,
    begin: Begin,
    sinks: tuple[Sink, ...] = (),
) -> Judged:
    """Judge one clip or recording from its first frame to its last.

    Parameters
    ----------
    plan : ReplayPlan
        What it is judged with.
    clip : str
        A clip, a folder of pictures or a recording.
    outputs : Outputs
        Files to write.
    signals : StopSignals
        Its event ends the replay; what was judged until then is returned.
    begin : callable
        Called when the clip is open.
    sinks : tuple of Sink
        Whatever else takes the results; closed at the end.

    Raises
    ------
    PostureError
        If the clip cannot be opened or judged, or a file cannot be written.
    """
    with ExitStack() as stack:
        source, observer, pipeline = _open(stack, plan, clip, signals)
        views = Views(source, observer, pipeline, outputs.annotate, outputs.plot)
        took_first = pipeline.baseline is None and not plan.has_baseline
        progress = begin(stack, source, pipeline)
        summary = replay(
            source,
            views.observer,
            pipeline,
            trace=outputs.trace,
            events=outputs.events,
            progress=progress,
            stop=signals.stop,
            sinks=[*views.sinks, *sinks],
        )
        return Judged(summary, (*source.notes, *views.notes), took_first)


def _open(
    stack: ExitStack, plan: ReplayPlan, clip: str, signals: StopSignals
) -> tuple[FrameSource, FrameObserver, Pipeline]:
    """Return what a clip or a recording is judged with; `stack` closes it.

    A recording is judged as it was: by its own settings and baseline, unless others were asked for.
    """
    settings, baseline, span_s = plan.settings, plan.baseline, plan.span_s
    first_s = span_s if plan.has_baseline else (0.0, settings.calibration.seconds)
    if not looks_recorded(Path(clip)):
        source = stack.enter_context(open_with_settings(clip, settings, signals.stop))
        observer = stack.enter_context(make_observer(settings))
        return source, observer, Pipeline(settings, baseline, calibrate_span_s=first_s)
    trace = stack.enter_context(TraceSource(Path(clip), stop=signals.stop))
    header = trace.header
    if header.settings is not None:
        settings, unknown = restore_settings(header.settings, settings, clip, list(plan.overrides))
        if unknown:
            trace.warn(f"was made with settings this program does not have: {', '.join(unknown)}")
    has_own = not plan.has_baseline and header.baseline is not None
    pipeline = Pipeline(
        settings,
        header.baseline if has_own else baseline,
        calibrate_span_s=None if has_own else first_s,
        start_of_day_s=header.start_of_day_s,
    )
    return trace, TraceObserver(pipeline, has_own_baseline=has_own), pipeline


def model_digest(settings: Settings) -> str:
    """Return the SHA-256 of the pose model that the settings name.

    Raises
    ------
    ModelFileError
        If it cannot be read.
    """
    path = model_path(settings)
    if path is None:  # checked whenever it is loaded
        return MODEL_SHA256
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelFileError(
            f"{path}: the pose model cannot be read ({error.strerror}): name a MediaPipe pose .task file,"
            " or remove model.path to use the packaged one"
        ) from error
