"""The command that judges recorded clips. It returns the exit code and raises PostureError."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from posture.clip_replay import Begin, Judged, Outputs, ReplayPlan, judge_clip
from posture.console import make_console
from posture.errors import OutputError, PostureError
from posture.files import check_outputs
from posture.pipeline import Pipeline
from posture.session import StopSignals
from posture.sinks import Sink
from posture.sources import FrameSource
from posture.terminal import ReplayProgress, summary_table


def replay_in_turn(plan: ReplayPlan, clips: list[str], outputs: list[Outputs]) -> int:
    """Judge clips one after the other; one that fails does not stop the rest."""
    console, errors = make_console(), make_console(is_stderr=True)
    opening = _Opening(errors, plan)
    n_failed = 0
    for clip, files in zip(clips, outputs, strict=True):
        signals = StopSignals()
        try:
            judged = judge_clip(plan, clip, files, signals, opening.of(clip, signals))
        except PostureError as error:
            n_failed += 1
            print_failure(errors, clip, str(error), is_only=len(clips) == 1)
        else:
            print_judged(console, errors, clip, judged)
        if signals.received is not None:
            errors.print("posture: interrupted; what was judged so far is kept")
            return signals.exit_code or 128 + signals.received
    if n_failed and len(clips) > 1:
        errors.print(f"posture: {n_failed} of {len(clips)} clips failed")
    return 1 if n_failed else 0


class _Opening:
    """What happens between the opening of a clip and its first frame."""

    def __init__(self, errors: Console, plan: ReplayPlan) -> None:
        self._errors = errors
        self._note = "" if plan.has_baseline else first_seconds_note(plan)

    def of(self, clip: str, signals: StopSignals) -> Begin:
        """Return it for one clip: from then on a signal ends the replay and keeps what was judged."""

        def begin(stack: ExitStack, source: FrameSource, pipeline: Pipeline) -> Sink:
            stack.enter_context(signals)
            if self._note and pipeline.baseline is None:
                self._errors.print(self._note)
                self._note = ""
            return ReplayProgress(self._errors, Path(clip).name, source.duration_s)

        return begin


def first_seconds_note(plan: ReplayPlan) -> str:
    """Return what is said where no baseline was given."""
    seconds = plan.settings.calibration.seconds
    return f"posture: no baseline given: taking the first {seconds:g} s of each clip as upright"


def print_judged(console: Console, errors: Console, clip: str, judged: Judged) -> None:
    """Print a clip's totals, and on standard error what there is to know about it."""
    console.print(clip, style="bold")
    console.print(summary_table(judged.summary))
    print_notes(errors, judged)


def print_notes(errors: Console, judged: Judged) -> None:
    """Print what there is to know about a clip."""
    for text in judged.notes:
        errors.print(f"note: {text}", style="bold")


def print_failure(errors: Console, clip: str, text: str, *, is_only: bool) -> None:
    """Print why a clip failed; which of several it was, is said."""
    is_named = is_only or Path(clip).name in text
    errors.print(f"posture: {text}" if is_named else f"posture: {clip}: {text}")


def outputs_for(
    clips: list[str],
    names: list[str],
    trace: Path | None,
    events: Path | None,
    annotate: Path | None,
    plot: Path | None,
) -> list[Outputs]:
    """Return the files of each clip.

    Parameters
    ----------
    clips : list of str
        Clips; none of the files may be one of them.
    names : list of str
        What each clip's files are called, without a suffix; may contain folders.
    trace, events, annotate, plot : Path or None
        As given: the file itself for one clip, else a folder.

    Raises
    ------
    OutputError
        If a file would be written twice, or over a clip, or several clips have one file to go to.
    """
    kinds = ((trace, ".csv"), (events, ".jsonl"), (annotate, ".mp4"), (plot, ".html"))
    columns = [_places(path, names, suffix) for path, suffix in kinds]
    check_outputs(clips, [path for column in columns for path in column])
    return [Outputs(*row) for row in zip(*columns, strict=True)]


def _places(path: Path | None, names: list[str], suffix: str) -> list[Path | None]:
    """Return the file for each clip's results: `path` itself for one clip, else one in the folder `path`."""
    if path is None or (len(names) == 1 and not path.is_dir()):
        return [path] * len(names)
    if path.suffix and not path.is_dir():
        raise OutputError(f"{path}: several clips need a folder to write to, not a file")
    return [path / (name + suffix) for name in names]
