"""One labelled clip judged, exactly as ``posture replay`` judges it, and scored."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from posture.baseline import Baseline
from posture.errors import EvaluationError
from posture.evaluation.cases import Case
from posture.evaluation.course import CourseKeeper
from posture.evaluation.scoring import ClipScore, score_run
from posture.labels.labels import check_labels
from posture.opening import open_judged
from posture.session import StopSignals, replay
from posture.settings import Settings
from posture.sinks import Sink


@dataclass(frozen=True, slots=True)
class Way:
    """How clips are judged."""

    settings: Settings
    overrides: tuple[str, ...] = ()
    """Already in `settings`; named again because a recording brings settings of its own, and these go before them."""
    baseline: Baseline | None = None
    """Judge all clips against this one; None = each has its own."""
    span_s: tuple[float, float] | None = None
    """Calibrate on this span of each clip; None = on the one that its labels name."""

    @property
    def name(self) -> str:
        """What tells it from another: its overrides."""
        return ", ".join(self.overrides) or "your settings"


def score_case(
    case: Case, way: Way, *, signals: StopSignals, progress: Sink | None = None, sinks: Sequence[Sink] = ()
) -> ClipScore:
    """Judge a clip and score it.

    It is calibrated on the span of `way`, else on that of its labels, else as ``posture replay`` does it: by a
    recording's own baseline, or the first seconds.

    Raises
    ------
    PostureError
        As a replay, or if the labels do not belong to this clip. One line.
    """
    labels = case.labels
    span_s = None if way.baseline is not None else way.span_s or labels.baseline_s
    with ExitStack() as stack:
        source, observer, pipeline = open_judged(
            stack, str(case.clip), way.settings, list(way.overrides), way.baseline, span_s, signals
        )
        settings = pipeline.settings
        keeper = CourseKeeper(settings.judge.max_gap_s)
        calibrated_s = None
        if pipeline.baseline is None:
            calibrated_s = span_s or (0.0, settings.calibration.seconds)
        replay(
            source,
            observer,
            pipeline,
            trace=None,
            events=None,
            progress=progress,
            stop=signals.stop,
            sinks=[keeper, *sinks],
        )
        notes = source.notes
    course = keeper.course()
    if not len(course):
        raise EvaluationError(f"{case.clip}: no frames")
    if problems := check_labels(labels, float(course.t_s[-1]), case.clip.name):
        raise EvaluationError(f"{case.clip}: {problems[0]}")
    score = score_run(
        course,
        labels,
        clip=case.name,
        sustain_s=settings.alert.sustain_s,
        calibrated_s=calibrated_s,
    )
    return replace(score, notes=(*notes, *score.notes))
