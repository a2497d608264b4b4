"""Labelled clips judged, exactly as ``posture replay`` judges them, and scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from posture.clip_replay import Outputs, ReplayPlan, judge_clip
from posture.errors import EvaluationError, PostureError
from posture.evaluation.cases import Case
from posture.evaluation.course import CourseKeeper
from posture.evaluation.result import Failure, Result
from posture.evaluation.scoring import ClipScore, score_run
from posture.jobs.outcome import Report
from posture.jobs.processes import run_jobs
from posture.labels.labels import check_labels
from posture.pipeline import Pipeline
from posture.session import StopSignals
from posture.settings import Settings
from posture.sources import FrameSource
from posture.step_result import StepResult


def score_case(
    case: Case, plan: ReplayPlan, *, signals: StopSignals, report: Report | None = None
) -> ClipScore:
    """Judge a clip and score it.

    It is calibrated as `plan` says, else on the span that its labels name, else as ``posture replay`` does it: by a
    recording's own baseline, or the first seconds.

    Parameters
    ----------
    case, plan
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
    if not plan.has_baseline:
        plan = replace(plan, span_s=labels.baseline_s)
    keeper = _Keeper(report)
    judged = judge_clip(plan, str(case.clip), Outputs(), signals, keeper.begin, (keeper,))
    course = keeper.course()
    if not len(course):
        raise EvaluationError(f"{case.clip}: no frames")
    # not by the length that a clip's container announces, which may be wrong
    if problems := check_labels(labels, float(course.t_s[-1]), case.clip.name):
        raise EvaluationError(f"{case.clip}: {problems[0]}")
    score = score_run(
        course,
        labels,
        clip=case.name,
        sustain_s=keeper.settings.alert.sustain_s,
        calibrated_s=keeper.calibrated_s(plan),
    )
    return replace(score, notes=(*judged.notes, *score.notes))


class _Keeper(CourseKeeper):
    """Keep the course and the settings of a run, and report how much of it is done; a sink."""

    def __init__(self, report: Report | None) -> None:
        super().__init__()
        self.settings = Settings()
        self._has_baseline = False
        self._report = report
        self._duration_s: float | None = None

    def begin(self, stack: ExitStack, source: FrameSource, pipeline: Pipeline) -> None:
        """Take in what the clip is judged by, which a recording may bring with it."""
        self.settings, self.max_gap_s = pipeline.settings, pipeline.settings.judge.max_gap_s
        self._has_baseline, self._duration_s = pipeline.baseline is not None, source.duration_s

    def calibrated_s(self, plan: ReplayPlan) -> tuple[float, float] | None:
        """Return the span of the clip it was calibrated on; None = it came with a baseline."""
        if self._has_baseline:
            return None
        return plan.span_s or (0.0, self.settings.calibration.seconds)

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        super().handle(result)
        if self._report is not None and self._duration_s:
            self._report(min(result.t_s / self._duration_s, 1.0))


def name_of(plan: ReplayPlan) -> str:
    """Return what tells a plan from another: its overrides."""
    return ", ".join(plan.overrides) or "your settings"


def evaluate(
    cases: Sequence[Case],
    plan: ReplayPlan,
    *,
    n_jobs: int = 1,
    signals: StopSignals,
    on_progress: Callable[[int, float], None] | None = None,
) -> Result:
    """Judge and score many clips; one that fails does not stop the rest.

    Parameters
    ----------
    cases, plan
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
        _one_by_one(cases, plan, signals, tell)
        if n_jobs == 1
        else _side_by_side(cases, plan, n_jobs, signals, tell)
    )
    done: dict[int, ClipScore | str] = {}
    for index, came in finished:
        done[index] = came
        tell(index, 1.0)
    ordered = [(cases[i].name, done[i]) for i in sorted(done)]
    return Result(
        name_of(plan),
        tuple(came for _, came in ordered if isinstance(came, ClipScore)),
        tuple(Failure(name, came) for name, came in ordered if isinstance(came, str)),
    )


def _one_by_one(
    cases: Sequence[Case], plan: ReplayPlan, signals: StopSignals, tell: Callable[[int, float], None]
) -> Iterator[tuple[int, ClipScore | str]]:
    """Yield what came of each clip: its score, or the line that says why it has none."""
    for index, case in enumerate(cases):
        came: ClipScore | str
        try:
            came = score_case(case, plan, signals=signals, report=partial(tell, index))
        except PostureError as error:
            came = str(error)
        if signals.stop.is_set():
            return
        yield index, came


def _side_by_side(
    cases: Sequence[Case],
    plan: ReplayPlan,
    n_jobs: int,
    signals: StopSignals,
    tell: Callable[[int, float], None],
) -> Iterator[tuple[int, ClipScore | str]]:
    """Yield the same from several processes, as they finish."""
    outcomes = run_jobs(
        partial(_work, plan),
        cases,
        n_jobs,
        on_progress=lambda progress: tell(progress.index, progress.value or 0.0),
        stop=signals.stop,
    )
    for outcome in outcomes:
        yield outcome.index, outcome.error if outcome.value is None else outcome.value


def _work(plan: ReplayPlan, case: Case, report: Report) -> ClipScore:
    """Score one clip, in a process of its own."""
    return score_case(case, plan, signals=StopSignals(), report=report)
