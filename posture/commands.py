"""What each command does, wired from settings to sinks; returns the exit code and raises PostureError."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from posture.baseline import Baseline
from posture.bundled import asset_path
from posture.config import load_settings, state_path
from posture.delivery import NotificationQueue
from posture.errors import OutputError, PostureError, ProfileError
from posture.landmarker import PoseLandmarker
from posture.landmarks import Frame
from posture.monitor import monitor
from posture.notify import Notifier, NullNotifier, PlyerNotifier
from posture.observer import Observer
from posture.pipeline import Pipeline
from posture.profiles import (
    DEFAULT_NAME,
    age_days,
    is_there,
    load_baseline,
    load_profile,
    profile_path,
    save_baseline,
)
from posture.session import CalibrationTick, StopSignals, calibrate, open_outputs, replay
from posture.settings import Settings
from posture.sinks import NotificationSink, Sink
from posture.sources import FrameSource, PacedSource, open_source
from posture.status import StatusFile, read_status
from posture.summary import Summarizer
from posture.terminal import (
    REASONS,
    STATES,
    ReplayProgress,
    StatusLine,
    baseline_text,
    clock,
    quality_text,
    summary_table,
)

OK, FAILURE = 0, 1
DEMO_CALIBRATION_S = (0.0, 10.0)
DEMO_SUSTAIN_S = 10.0
"""Seconds; the clip's slouch lasts 25 s, a working day's default is 60 s."""


def _console(*, is_stderr: bool = False) -> Console:
    """Return the console of a command's own words: wrapped at words on a terminal, not at all in a file.

    What looks like markup is printed as it is: it may be a file's name.
    """
    console = Console(stderr=is_stderr, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console


def _observer(settings: Settings) -> Observer:
    """Return a fresh observer with the chosen model."""
    path = Path(os.path.expanduser(settings.model.path)) if settings.model.path else None  # noqa: PTH111
    is_quiet = not logging.getLogger().isEnabledFor(logging.DEBUG)
    return Observer(PoseLandmarker(path, min_confidence=settings.model.min_confidence, quiet=is_quiet))


def _open(spec: str, settings: Settings, signals: StopSignals) -> FrameSource:
    """Return the source `spec` with the camera settings applied."""
    c = settings.camera
    return open_source(
        spec,
        mirror=c.mirror,
        rotate_deg=c.rotate_deg,
        width_px=c.width_px,
        height_px=c.height_px,
        rate_hz=c.rate_hz,
        stop=signals.stop,
    )


def _camera_note(source: FrameSource) -> str:
    """Return what is wrong with a live source, or nothing."""
    is_lost = getattr(source, "status", "ok") == "lost"
    return f"camera lost ({getattr(source, 'detail', '')}), retrying" if is_lost else ""


def run_live(
    spec: str | None,
    profile: str,
    baseline_file: Path | None,
    speed: float,
    overrides: list[str],
    trace: Path | None,
    events: Path | None,
) -> int:
    """Watch a source until it ends or a signal comes."""
    settings = load_settings(overrides=overrides)
    console = _console()
    path = profile_path(profile)
    if baseline_file is not None:
        baseline: Baseline | None = load_baseline(baseline_file)
    elif is_there(path) or profile != DEFAULT_NAME:
        baseline = load_profile(profile)
    else:
        baseline = None
    spec = spec or str(settings.camera.source)
    _check_outputs([spec], [trace, events])
    signals = StopSignals()
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_open(spec, settings, signals))
        is_clip = not source.is_live
        if is_clip:
            source = stack.enter_context(PacedSource(source, speed, stop=signals.stop))
        observer = stack.enter_context(_observer(settings))
        stack.enter_context(signals)  # not before: until here a signal may simply end the process
        outputs = open_outputs(stack, trace, events)
        frames = iter(source)
        name = baseline_file.name if baseline_file else f"profile {profile!r}"
        if baseline is None:
            name = "its first seconds" if is_clip else name
            console.print("No baseline yet: sit upright and look at the screen.")
            baseline = _take_baseline(
                frames, observer, settings, signals, console, None if is_clip else path, is_clip=is_clip
            )
        if baseline is None:
            return signals.exit_code
        console.print(f"Watching {source.name} against {name}: {baseline_text(baseline)}. Ctrl-C ends it.")
        if (age := age_days(baseline)) is not None and age > settings.calibration.stale_after_days:
            console.print(
                "That baseline is getting old: 'posture calibrate' takes a fresh one.", style="yellow"
            )
        pipeline = Pipeline(settings, baseline, start_of_day_s=_seconds_after_midnight())
        _watch(frames, source, observer, pipeline, console, signals, profile, outputs)
        return signals.exit_code


def _watch(
    frames: Iterator[Frame],
    source: FrameSource,
    observer: Observer,
    pipeline: Pipeline,
    console: Console,
    signals: StopSignals,
    profile: str,
    outputs: list[Sink],
) -> None:
    """Run the loop with everything a person sees, and show the summary."""
    settings = pipeline.settings
    notifier: Notifier = PlyerNotifier() if settings.notify.enabled else NullNotifier()
    queue = NotificationQueue(
        notifier,
        on_first_failure=lambda text: console.print(f"Notifications do not arrive: {text}", style="yellow"),
    )

    def note() -> str:
        failed = f"not notified: {queue.failed}" if queue.failed else ""
        return "  ".join(part for part in (_camera_note(source), failed) if part)

    def details() -> dict[str, int | str | None]:
        return {
            "notifications_sent": queue.sent,
            "notifications_failed": queue.failed,
            "notifications_dropped": queue.dropped,
            "last_notification_error": queue.last_error,
            "camera": _camera_note(source) or "ok",
        }

    summarizer = Summarizer(settings.judge.max_gap_s)
    sinks: list[Sink] = [
        summarizer,
        StatusFile(state_path() / "status.json", source.name, profile, details),
        NotificationSink(queue, settings.notify.timeout_s),
        StatusLine(console, note),
    ]
    with contextlib.ExitStack() as closing:
        for sink in sinks:
            closing.callback(sink.close)
        monitor(frames, observer, pipeline, [*outputs, *sinks], signals.stop)
    console.print(summary_table(summarizer.summary()))
    _print_notes(console, source)


def _take_baseline(
    frames: Iterator[Frame],
    observer: Observer,
    settings: Settings,
    signals: StopSignals,
    console: Console,
    path: Path | None,
    *,
    is_clip: bool,
    seconds: float | None = None,
) -> Baseline | None:
    """Calibrate, before a camera with a countdown, and store the result; None = stopped before it was done.

    Without a `path` nothing is stored: whoever is in a clip must not become the default.
    """

    def show(tick: CalibrationTick) -> None:
        phase = "get ready" if tick.is_counting_down else "hold still"
        text = Text.assemble((f"{phase}  {tick.remaining_s:.0f} s", "bold"))
        text.append(f"  {tick.problem or 'good'}", "yellow" if tick.problem else "green")
        if console.is_terminal:
            live.update(text, refresh=True)

    with Live(console=console, auto_refresh=False, transient=True) as live:
        result = calibrate(
            frames,
            observer,
            settings,
            seconds=seconds or settings.calibration.seconds,
            countdown_s=0.0 if is_clip else settings.calibration.countdown_s,
            on_tick=show,
            stop=signals.stop,
        )
    if result is None:
        return None
    if path is not None:
        save_baseline(path, result.baseline)
    console.print(
        f"Baseline taken: {baseline_text(result.baseline)}.\n{quality_text(result.quality)}.\n"
        + ("Taken from a clip, so for this run only." if path is None else f"Saved to {path}")
    )
    return result.baseline


def run_calibrate(spec: str | None, profile: str, seconds: float | None, overrides: list[str]) -> int:
    """Take a baseline and store it."""
    settings = load_settings(overrides=overrides)
    console = _console()
    path = profile_path(profile)
    if is_there(path):
        with contextlib.suppress(ProfileError):
            console.print(f"Profile {profile!r}, {age_days_text(path)}, will be replaced.")
    signals = StopSignals()
    with (
        _open(spec or str(settings.camera.source), settings, signals) as source,
        _observer(settings) as observer,
        signals,
    ):
        _take_baseline(
            iter(source),
            observer,
            settings,
            signals,
            console,
            path,
            is_clip=not source.is_live,
            seconds=seconds,
        )
        return signals.exit_code


def age_days_text(path: Path) -> str:
    """Return how old the baseline in `path` is, in words."""
    from posture.profiles import age_text

    return age_text(load_baseline(path))


def run_replay(
    clips: list[str],
    span_s: tuple[float, float] | None,
    baseline_file: Path | None,
    overrides: list[str],
    trace: Path | None,
    events: Path | None,
) -> int:
    """Judge clips one after the other; one that fails does not stop the rest."""
    settings = load_settings(overrides=overrides)
    console, errors = _console(), _console(is_stderr=True)
    baseline = load_baseline(baseline_file) if baseline_file is not None else None
    traces, event_files = _outputs(trace, clips, ".csv"), _outputs(events, clips, ".jsonl")
    _check_outputs(clips, [*traces, *event_files])
    if baseline is None and span_s is None:
        span_s = (0.0, settings.calibration.seconds)
        errors.print(f"posture: no baseline given: taking the first {span_s[1]:g} s of each clip as upright")
    n_failed = 0
    for clip, trace_file, event_file in zip(clips, traces, event_files, strict=True):
        signals = StopSignals()
        try:
            with _open(clip, settings, signals) as source, _observer(settings) as observer, signals:
                summary = replay(
                    source,
                    observer,
                    Pipeline(settings, baseline, calibrate_span_s=span_s),
                    trace=trace_file,
                    events=event_file,
                    progress=ReplayProgress(errors, Path(clip).name, source.duration_s),
                    stop=signals.stop,
                )
        except PostureError as error:
            n_failed += 1
            is_named = len(clips) == 1 or Path(clip).name in str(error)
            errors.print(f"posture: {error}" if is_named else f"posture: {clip}: {error}")
        else:
            console.print(clip, style="bold")
            console.print(summary_table(summary))
            _print_notes(errors, source)
        if signals.received is not None:
            errors.print("posture: interrupted; what was judged so far is kept")
            return signals.exit_code or 128 + signals.received
    if n_failed and len(clips) > 1:
        errors.print(f"posture: {n_failed} of {len(clips)} clips failed")
    return FAILURE if n_failed else OK


def _outputs(path: Path | None, clips: list[str], suffix: str) -> list[Path | None]:
    """Return the file for each clip's results: `path` itself for one clip, else one in the folder `path`."""
    if path is None or (len(clips) == 1 and not path.is_dir()):
        return [path] * len(clips)
    if path.suffix and not path.is_dir():
        raise OutputError(f"{path}: several clips need a folder to write to, not a file")
    return [path / (Path(clip).stem + suffix) for clip in clips]


def _check_outputs(inputs: list[str], outputs: list[Path | None]) -> None:
    """Raise if a file to write is one to read, or is to be written twice."""
    seen = {os.path.realpath(spec) for spec in inputs}
    for path in outputs:
        place = os.devnull if path is None else os.path.realpath(path)
        if place in seen:
            raise OutputError(f"{path}: would overwrite a clip or another result; name another file")
        seen |= {place} - {os.devnull}


def _print_notes(console: Console, source: FrameSource) -> None:
    """Tell what a source could not read."""
    for note in source.notes:
        console.print(f"note: {note}", style="yellow")


def _seconds_after_midnight() -> float:
    """Return the local time of day."""
    now = datetime.now().astimezone()
    return now.hour * 3600.0 + now.minute * 60.0 + now.second


def run_demo(speed: float) -> int:
    """Play the packaged clip through the live loop."""
    settings = load_settings(overrides=[f"alert.sustain_s={DEMO_SUSTAIN_S}"])
    console = _console()
    console.print(
        f"A rendered person at a desk, {speed:g} times real time. The first {DEMO_CALIBRATION_S[1]:g} s are taken as "
        f"upright; a slouch of {DEMO_SUSTAIN_S:g} s is mentioned here, in daily use it is 60 s."
    )
    signals = StopSignals()
    with contextlib.ExitStack() as stack:
        clip = stack.enter_context(_open(str(asset_path("demo.mp4")), settings, signals))
        source = stack.enter_context(PacedSource(clip, speed, stop=signals.stop))
        observer = stack.enter_context(_observer(settings))
        stack.enter_context(signals)
        pipeline = Pipeline(settings, calibrate_span_s=DEMO_CALIBRATION_S)
        _watch(iter(source), source, observer, pipeline, console, signals, "demo", [])
        if not signals.stop.is_set():
            console.print("With a webcam: 'posture calibrate', then 'posture run'.")
        return signals.exit_code


def show_status(as_json: bool) -> int:
    """Print the running monitor's status."""
    console = _console()
    status = read_status(state_path() / "status.json")
    if status is None:
        console.print(
            json.dumps({"running": False}) if as_json else "no monitor is running; 'posture run' starts one"
        )
        return FAILURE
    if as_json:
        console.print(json.dumps({"running": True} | msgspec.to_builtins(status)))
        return OK
    symbol, word, colour = STATES[status.state]
    line = Text.assemble((f"{symbol} {word}", f"bold {colour}"), f"  {REASONS[status.reason]}")
    console.print(line)
    console.print(
        f"watching {status.source} against profile {status.profile!r}, process {status.pid}", markup=False
    )
    console.print(
        f"sat for {clock(status.sat_s)}, slouched for {clock(status.slouched_s)}, alerts: {status.alerts}"
    )
    console.print(f"camera {status.camera}")
    console.print(
        f"notifications: {status.notifications_sent} sent, {status.notifications_failed} failed, "
        f"{status.notifications_dropped} dropped"
    )
    if status.last_notification_error:
        console.print(f"last failure: {status.last_notification_error}", style="yellow")
    console.print(f"as of {time.time() - status.updated_unix_s:.0f} s ago", style="dim")
    return OK


def show_cameras() -> int:
    """Print the cameras found."""
    from posture.cameras import list_cameras

    console = _console()
    found = list_cameras()
    for camera in found:
        console.print(f"{camera.index}  {camera.name}  {camera.path or ''}")
    if not found:
        console.print("no cameras found; is one plugged in, and may this user open it?")
    return OK


def run_bench(clip: Path | None, repeat: int) -> int:
    """Print speed ratios measured here and now."""
    from posture.bench import measure

    console = _console()
    for line in measure(asset_path("demo.mp4") if clip is None else clip, repeat):
        console.print(line)
    return OK
