"""The command that judges recorded clips. It returns the exit code and raises PostureError."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from posture.config import load_settings
from posture.errors import OutputError, PostureError
from posture.opening import open_judged
from posture.profiles import load_baseline
from posture.session import StopSignals, replay
from posture.terminal import ReplayProgress, summary_table
from posture.view.views import Views
from posture.wiring import check_outputs, make_console, print_notes


def run_replay(
    clips: list[str],
    span_s: tuple[float, float] | None,
    baseline_file: Path | None,
    overrides: list[str],
    trace: Path | None,
    events: Path | None,
    annotate: Path | None = None,
    plot: Path | None = None,
) -> int:
    """Judge clips one after the other; one that fails does not stop the rest."""
    settings = load_settings(overrides=overrides)
    console, errors = make_console(), make_console(is_stderr=True)
    baseline = load_baseline(baseline_file) if baseline_file is not None else None
    traces, event_files = _outputs(trace, clips, ".csv"), _outputs(events, clips, ".jsonl")
    videos, plots = _outputs(annotate, clips, ".mp4"), _outputs(plot, clips, ".html")
    check_outputs(clips, [*traces, *event_files, *videos, *plots])
    note = f"posture: no baseline given: taking the first {settings.calibration.seconds:g} s of each clip as upright"
    n_failed = 0
    files = zip(clips, traces, event_files, videos, plots, strict=True)
    for clip, trace_file, event_file, video_file, plot_file in files:
        signals = StopSignals()
        try:
            with ExitStack() as stack:
                source, observer, pipeline = open_judged(
                    stack, clip, settings, overrides, baseline, span_s, signals
                )
                stack.enter_context(signals)
                if pipeline.baseline is None and span_s is None and note:
                    errors.print(note)
                    note = ""
                views = Views(source, observer, pipeline, video_file, plot_file)
                summary = replay(
                    source,
                    views.observer,
                    pipeline,
                    trace=trace_file,
                    events=event_file,
                    progress=ReplayProgress(errors, Path(clip).name, source.duration_s),
                    stop=signals.stop,
                    sinks=views.sinks,
                )
        except PostureError as error:
            n_failed += 1
            is_named = len(clips) == 1 or Path(clip).name in str(error)
            errors.print(f"posture: {error}" if is_named else f"posture: {clip}: {error}")
        else:
            console.print(clip, style="bold")
            console.print(summary_table(summary))
            print_notes(errors, source)
            for text in views.notes:
                errors.print(f"note: {text}", style="yellow")
        if signals.received is not None:
            errors.print("posture: interrupted; what was judged so far is kept")
            return signals.exit_code or 128 + signals.received
    if n_failed and len(clips) > 1:
        errors.print(f"posture: {n_failed} of {len(clips)} clips failed")
    return 1 if n_failed else 0


def _outputs(path: Path | None, clips: list[str], suffix: str) -> list[Path | None]:
    """Return the file for each clip's results: `path` itself for one clip, else one in the folder `path`."""
    if path is None or (len(clips) == 1 and not path.is_dir()):
        return [path] * len(clips)
    if path.suffix and not path.is_dir():
        raise OutputError(f"{path}: several clips need a folder to write to, not a file")
    return [path / (Path(clip).stem + suffix) for clip in clips]
