"""The commands that watch: run, calibrate, demo. They return the exit code and raise PostureError."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from posture.attention import Attention
from posture.baseline import Baseline
from posture.bundled import DEMO_CLIP_NAME, asset_path
from posture.config import load_settings, status_path
from posture.delivery import NotificationQueue
from posture.duty import DutyCycle
from posture.errors import ProfileError
from posture.landmarks import Frame
from posture.monitor import FrameObserver, run_monitor
from posture.notifiers import make_notifier
from posture.notify import Action
from posture.observer import Observer
from posture.pipeline import Pipeline
from posture.profiles import (
    DEFAULT_NAME,
    age_days,
    age_text,
    is_there,
    load_baseline,
    load_profile,
    profile_path,
    save_baseline,
)
from posture.session import CalibrationTick, StopSignals, calibrate, open_outputs
from posture.settings import Settings
from posture.sinks import NotificationSink, Sink
from posture.sources import FrameSource, LiveSource, PacedSource
from posture.status import StatusFile
from posture.stretch_file import load_stretches_or_packaged
from posture.stretches import StretchAdvisor
from posture.summary import Summarizer
from posture.terminal import StatusLine, baseline_text, quality_text, summary_table
from posture.wall_clock import WallClock
from posture.wiring import check_outputs, make_console, make_observer, open_with_settings, print_notes

DEMO_CALIBRATION_S = (0.0, 10.0)
DEMO_SUSTAIN_S = 10.0
"""Seconds; the clip's slouch lasts 25 s, a working day's default is 60 s."""


def _camera_note(source: FrameSource) -> str:
    """Return what is wrong with a live source, or nothing."""
    if isinstance(source, LiveSource) and source.status == "lost":
        return f"camera lost ({source.detail}), retrying"
    return ""


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
    console = make_console()
    path = profile_path(profile)
    if baseline_file is not None:
        baseline: Baseline | None = load_baseline(baseline_file)
    elif is_there(path) or profile != DEFAULT_NAME:
        baseline = load_profile(profile)
    else:
        baseline = None
    spec = spec or str(settings.camera.source)
    check_outputs([spec], [trace, events])
    signals = StopSignals()
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_with_settings(spec, settings, signals))
        is_clip = not source.is_live
        if is_clip:
            source = stack.enter_context(PacedSource(source, speed, stop=signals.stop))
        observer = stack.enter_context(make_observer(settings))
        stack.enter_context(signals)  # not before: until here a signal may simply end the process
        outputs = open_outputs(stack, trace, events)
        frames = iter(source)
        name = profile if baseline_file is None else baseline_file.name
        if baseline is None:
            name = "its first seconds" if is_clip else name
            console.print("No baseline yet: sit upright and look at the screen.")
            baseline = _take_baseline(
                frames, observer, settings, signals, console, None if is_clip else path, is_clip=is_clip
            )
        if baseline is None:
            return signals.exit_code
        console.print(
            f"Watching {source.name}, baseline {name!r}: {baseline_text(baseline)}. Ctrl-C ends it."
        )
        if (age := age_days(baseline)) is not None and age > settings.calibration.stale_after_days:
            console.print(
                "That baseline is getting old: 'posture calibrate' takes a fresh one.", style="yellow"
            )
        is_standing = baseline_file is None and profile in settings.breaks.standing_profiles
        pipeline = Pipeline(settings, baseline, is_standing=is_standing)
        outputs.append(WallClock(pipeline))
        _watch(frames, source, observer, pipeline, console, signals, name, outputs)
        return signals.exit_code


def _watch(
    frames: Iterator[Frame],
    source: FrameSource,
    observer: Observer,
    pipeline: Pipeline,
    console: Console,
    signals: StopSignals,
    baseline_name: str | None,
    outputs: list[Sink],
    on_action: Callable[[Action], None] | None = None,
) -> None:
    """Run the loop with everything a person sees, and show the summary.

    Without a `baseline_name` it is no monitor that ``posture status`` should tell about; without `on_action` its
    notifications have no buttons. `on_action` is called on another thread.
    """
    settings = pipeline.settings
    watcher: FrameObserver = observer
    attention: Attention | None = None
    if isinstance(source, LiveSource):
        watcher = attention = Attention(observer, source, DutyCycle(settings))

    def warn(text: str) -> None:
        console.print(text, style="yellow")

    notifier = make_notifier(
        settings.notify,
        on_action or (lambda action: None),
        lambda reason: warn(f"Notifications come without buttons: {reason}"),
    )
    advisor = StretchAdvisor(load_stretches_or_packaged(warn), n=int(time.time() / 60.0))
    queue = NotificationQueue(
        notifier,
        on_first_failure=lambda text: console.print(f"Notifications do not arrive: {text}", style="yellow"),
    )

    def note() -> str:
        failed = f"not notified: {queue.failed}" if queue.failed else ""
        rate = f"{attention.judged_hz:.1f} judged/s" if attention else ""
        return "  ".join(part for part in (_camera_note(source), failed, rate) if part)

    def details() -> dict[str, Any]:
        return {
            "notifications_sent": queue.sent,
            "notifications_failed": queue.failed,
            "notifications_dropped": queue.dropped,
            "last_notification_error": queue.last_error,
            "camera": _camera_note(source) or "ok",
            "judged_hz": round(attention.judged_hz, 2) if attention else None,
            "stretch": advisor.last.name if advisor.last else "",
            "slouched": advisor.slouched,
        }

    summarizer = Summarizer(settings.judge.max_gap_s)
    notifications = NotificationSink(
        queue,
        settings.notify.timeout_s,
        advisor=advisor,
        has_buttons=settings.notify.buttons and on_action is not None,
        has_sound=settings.notify.sound,
        can_stand=any(is_there(profile_path(name)) for name in settings.breaks.standing_profiles),
    )
    sinks: list[Sink] = [summarizer, notifications]
    if attention is not None:
        sinks.append(attention)
    if baseline_name is not None:
        sinks.append(StatusFile(status_path(), source.name, baseline_name, details))
    sinks.append(StatusLine(console, note))  # last: it holds the terminal as soon as it is made
    with contextlib.ExitStack() as closing:
        for sink in sinks:
            closing.callback(sink.close)
        run_monitor(frames, watcher, pipeline, [*outputs, *sinks], signals.stop)
    console.print(summary_table(summarizer.summary()))
    print_notes(console, source)


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
        console.print("Stopped; no baseline was taken.")
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
    console = make_console()
    path = profile_path(profile)
    if is_there(path):
        with contextlib.suppress(ProfileError):
            console.print(f"Profile {profile!r}, {age_text(load_baseline(path))}, will be replaced.")
    signals = StopSignals()
    with (
        open_with_settings(spec or str(settings.camera.source), settings, signals) as source,
        make_observer(settings) as observer,
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


def run_demo(speed: float) -> int:
    """Play the packaged clip through the live loop."""
    settings = load_settings(overrides=[f"alert.sustain_s={DEMO_SUSTAIN_S}"])
    console = make_console()
    console.print(
        f"A rendered person at a desk, {speed:g} times real time. The first {DEMO_CALIBRATION_S[1]:g} s are taken as "
        f"upright; a slouch of {DEMO_SUSTAIN_S:g} s is mentioned here, in daily use it is 60 s."
    )
    signals = StopSignals()
    with contextlib.ExitStack() as stack:
        clip = stack.enter_context(open_with_settings(str(asset_path(DEMO_CLIP_NAME)), settings, signals))
        source = stack.enter_context(PacedSource(clip, speed, stop=signals.stop))
        observer = stack.enter_context(make_observer(settings))
        stack.enter_context(signals)
        pipeline = Pipeline(settings, calibrate_span_s=DEMO_CALIBRATION_S)
        _watch(iter(source), source, observer, pipeline, console, signals, None, [])
        if not signals.stop.is_set():
            console.print("With a webcam: 'posture calibrate', then 'posture run'.")
        return signals.exit_code
