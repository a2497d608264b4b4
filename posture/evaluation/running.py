"""Labelled clips judged, exactly as ``posture replay`` judges them, and scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from posture.baseline import Baseline
from posture.errors import EvaluationError, PostureError
from posture.evaluation.cases import Case
from posture.evaluation.course import CourseKeeper
from posture.evaluation.result import Failure, Result
from posture.evaluation.scoring import ClipScore, score_run
from posture.jobs import Report, run_jobs
from posture.labels.labels import check_labels
from posture.opening import open_judged
from posture.pipeline import StepResult
from posture.session import StopSignals, replay
from posture.settings import Settings


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


def score_case(case: Case, way: Way, *, signals: StopSignals, report: Report | None = None) -> ClipScore:
    """Judge a clip and score it.

    It is calibrated on the span of `way`, else on that of its labels, else as ``posture replay`` does it: by a
    recording's own baseline, or the first seconds.

    Parameters
    ----------
    case, way
        What, and how.
    signals : StopSignals
        Its event ends it early; the score is of no use then.
    report : callable, optional
        Called with the share of the clip that is done, 0..1.

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
            progress=None if report is None else _Share(report, source.duration_s),
            stop=signals.stop,
            sinks=[keeper],
        )
        notes = source.notes
    course = keeper.course()
    if not len(course):
        raise EvaluationError(f"{case.clip}: no frames")
    # not by the length that a clip's container announces, which may be wrong
    if problems := check_labels(labels, float(course.t_s[-1]), case.clip.name):
        raise EvaluationError(f"{case.clip}: {problems[0]}")
    score = score_run(
        course, labels, clip=case.name, sustain_s=settings.alert.sustain_s, calibrated_s=calibrated_s
    )
    return replace(score, notes=(*notes, *score.notes))


def evaluate(
    cases: Sequence[Case],
    way: Way,
    *,
    n_jobs: int = 1,
    signals: StopSignals,
    on_progress: Callable[[int, float], None] | None = None,
) -> Result:
    """Judge and score many clips; one that fails does not stop the rest.

    Parameters
    ----------
    cases, way
        What, and how.
    n_jobs : int
        Processes at most; the figures do not depend on it.
    signals : StopSignals
        Its event ends it; the result has the clips that were finished.
    on_progress : callable, optional
        Called with a clip's index and the share of it that is done, 1 when it is finished.

    Returns
    -------
    Result
        Scores and failures, each in the order of `cases`.
    """
    tell = on_progress or (lambda index, share: None)
    finished = (
        _one_by_one(cases, way, signals, tell)
        if n_jobs == 1
        else _side_by_side(cases, way, n_jobs, signals, tell)
    )
    done: dict[int, ClipScore | str] = {}
    for index, came in finished:
        done[index] = came
        tell(index, 1.0)
    ordered = [(cases[i].name, done[i]) for i in sorted(done)]
    return Result(
        way.name,
        tuple(came for _, came in ordered if isinstance(came, ClipScore)),
        tuple(Failure(name, came) for name, came in ordered if isinstance(came, str)),
    )


def _one_by_one(
    cases: Sequence[Case], way: Way, signals: StopSignals, tell: Callable[[int, float], None]
) -> Iterator[tuple[int, ClipScore | str]]:
    """Yield what came of each clip: its score, or the line that says why it has none."""
    for index, case in enumerate(cases):
        came: ClipScore | str
        try:
            came = score_case(case, way, signals=signals, report=partial(tell, index))
        except PostureError as error:
            came = str(error)
        if signals.stop.is_set():
            return
        yield index, came


def _side_by_side(
    cases: Sequence[Case], way: Way, n_jobs: int, signals: StopSignals, tell: Callable[[int, float], None]
) -> Iterator[tuple[int, ClipScore | str]]:
    """Yield the same from several processes, as they finish."""
    outcomes = run_jobs(
        partial(_work, way),
        cases,
        n_jobs,
        on_progress=lambda progress: tell(progress.index, progress.value or 0.0),
        stop=signals.stop,
    )
    for outcome in outcomes:
        yield outcome.index, outcome.error if outcome.value is None else outcome.value


def _work(way: Way, case: Case, report: Report) -> ClipScore:
    """Score one clip, in a process of its own."""
    return score_case(case, way, signals=StopSignals(), report=report)


class _Share:
    """Report how much of a clip is done; a sink."""

    def __init__(self, report: Report, duration_s: float | None) -> None:
        self._report, self._duration_s = report, duration_s

    def handle(self, result: StepResult) -> None:
        """Report the frame's share of the time."""
        if self._duration_s:
            self._report(min(result.t_s / self._duration_s, 1.0))

    def close(self) -> None:
        """Nothing to release."""
