"""The commands that watch: run, demo. They return the exit code and raise PostureError."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from posture.attention import Attention
from posture.baseline import Baseline
from posture.bundled import DEMO_CLIP_NAME, asset_path
from posture.calibrating import choose_by_view, find_drift_from, stored_choice, take_baseline
from posture.calibration_run import CalibrationResult
from posture.conductor import Conductor
from posture.config import history_path, load_settings, state_path
from posture.delivery import NotificationQueue
from posture.desktop.circumstances import Orders, decide
from posture.desktop.watcher import DesktopWatcher
from posture.duty import DutyCycle
from posture.history.recorder import HistorySink, make_watch
from posture.landmarks import Frame
from posture.load import Load
from posture.monitor import FrameObserver, run_monitor
from posture.notify import Notification, Notifier, NullNotifier, PlyerNotifier
from posture.observer import Observer
from posture.panel_view import Surroundings
from posture.pipeline import Pipeline
from posture.profiles import Profile, age_days, now_utc, profile_path, save_profile
from posture.reception import Reception
from posture.recording.writer import RecordedPipeline, TraceWriter, make_header, recording_path
from posture.session import StopSignals, open_outputs
from posture.settings import Settings
from posture.sinks import NotificationSink, Sink, TraceSink
from posture.sources import FrameSource, LiveSource, PacedSource
from posture.status import StatusBoard
from posture.summary import Summarizer
from posture.tables import baseline_text
from posture.terminal import make_display, summary_table
from posture.wiring import check_outputs, make_console, make_observer, open_with_settings, print_notes

DEMO_CALIBRATION_S = (0.0, 10.0)
DEMO_SUSTAIN_S = 10.0
"""Seconds; the clip's slouch lasts 25 s, a working day's default is 60 s."""
OPENING_S = 10.0
"""Seconds that a camera let go may take to give a picture again (as `live.FIRST_PICTURE_S`)."""


def _camera_note(source: FrameSource) -> str:
    """Return what is wrong with a live source, or nothing."""
    if isinstance(source, LiveSource) and source.status == "lost":
        return f"camera lost ({source.detail}), retrying"
    return ""


def run_live(
    spec: str | None,
    profile: str | None,
    baseline_file: Path | None,
    speed: float,
    overrides: list[str],
    trace: Path | None,
    events: Path | None,
    record: Path | None = None,
    *,
    is_plain: bool = False,
    is_quiet: bool = False,
) -> int:
    """Watch a source until it ends or a signal comes."""
    settings = load_settings(overrides=overrides)
    console = make_console(is_quiet=is_quiet)
    chosen = stored_choice(profile, baseline_file, console)
    spec = spec or str(settings.camera.source)
    record = None if record is None else recording_path(record)
    check_outputs([spec], [trace, events, record])
    signals = StopSignals()
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_with_settings(spec, settings, signals))
        reception = Reception(state_path(), signals.stop, StatusBoard(source.name, chosen.name))
        stack.enter_context(reception)
        is_clip = not source.is_live
        if is_clip and chosen.options:  # a look of its own: a run judges all of a clip
            ahead = stack.enter_context(open_with_settings(spec, settings, signals))
        if is_clip:
            source = stack.enter_context(PacedSource(source, speed, stop=signals.stop))
        observer = stack.enter_context(make_observer(settings))
        stack.enter_context(signals)  # not before: until here a signal may simply end the process
        outputs = open_outputs(stack, trace, events)
        frames = iter(source)
        if chosen.options:
            first = iter(ahead) if is_clip else frames
            with make_observer(settings) as looking:
                chosen = choose_by_view(chosen, first, looking, settings, signals, console, source.name)
        name, baseline = chosen.name, chosen.baseline
        reception.board.profile = name
        if baseline is None:
            path = None if is_clip else profile_path(name)
            name = "its first seconds" if is_clip else name
            console.print("No baseline yet: sit upright and look at the screen.")
            baseline = take_baseline(
                frames, observer, settings, signals, console, path, is_clip=is_clip, camera=source.name
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
        pipeline = _make_pipeline(stack, record, _spaced(settings, source), baseline, source, name)
        if record is not None:
            console.print(f"Recording landmarks, no picture, to {record}")
        is_kept = not is_clip and baseline_file is None
        save = functools.partial(_keep, profile_path(name), source.name) if is_kept else None
        _watch(
            frames, source, observer, pipeline, console, signals, reception, save, outputs, is_plain=is_plain
        )
        return signals.exit_code


def _spaced(settings: Settings, source: FrameSource) -> Settings:
    """Return the settings with the time between two checks being no gap, where the camera is let go in between."""
    period_s = settings.camera.release_between_checks_s if source.is_live else 0.0
    longest_s = max(settings.judge.max_gap_s, OPENING_S + period_s) if period_s else settings.judge.max_gap_s
    return msgspec.structs.replace(
        settings, judge=msgspec.structs.replace(settings.judge, max_gap_s=longest_s)
    )


def _make_pipeline(
    stack: contextlib.ExitStack,
    record: Path | None,
    settings: Settings,
    baseline: Baseline,
    source: FrameSource,
    profile: str,
) -> Pipeline:
    """Return the pipeline of a run; if it is recorded, `stack` closes the file."""
    start_of_day_s = _seconds_after_midnight()
    if record is None:
        return Pipeline(settings, baseline, start_of_day_s=start_of_day_s)
    header = make_header(
        source.name,
        rate_hz=settings.camera.rate_hz if source.is_live else None,
        settings=settings,
        baseline=baseline,
        profile=profile,
        start_of_day_s=start_of_day_s,
    )
    writer = stack.enter_context(TraceWriter(record, header))
    return RecordedPipeline(settings, baseline, writer, start_of_day_s=start_of_day_s)


def _watch(
    frames: Iterator[Frame],
    source: FrameSource,
    observer: Observer,
    pipeline: Pipeline,
    console: Console,
    signals: StopSignals,
    reception: Reception | None,
    save: Callable[[CalibrationResult], None] | None,
    outputs: list[Sink],
    *,
    is_plain: bool = False,
) -> None:
    """Run the loop with everything a person sees, and show the summary.

    Without a `reception` it is no monitor that can be told anything.
    """
    settings = pipeline.settings
    watcher: FrameObserver = observer
    attention: Attention | None = None
    camera: LiveSource | None = None
    duty = DutyCycle(settings)
    if isinstance(source, LiveSource):
        camera = source
        watcher = attention = Attention(observer, source, duty)
    surroundings = DesktopWatcher(settings) if camera is not None else None

    def find_orders(is_present: bool) -> Orders:
        if surroundings is None:
            return Orders()
        orders = decide(surroundings.latest(), settings, is_present=is_present)
        duty.use(orders.preset)
        return orders

    notifier: Notifier = PlyerNotifier() if settings.notify.enabled else NullNotifier()
    queue = NotificationQueue(
        notifier,
        on_first_failure=lambda text: console.print(f"Notifications do not arrive: {text}", style="yellow"),
    )

    def announce(title: str, message: str) -> None:
        console.print(f"{title}: {message}", style="bold")
        queue.post(Notification(title, message, settings.notify.timeout_s))

    conductor = Conductor(
        watcher, pipeline, camera, announce=announce, save=save, now_utc=now_utc, find_orders=find_orders
    )

    load = Load(settings.judge.max_gap_s)

    def around() -> Surroundings:
        failed = f", {queue.failed} failed" if queue.failed else ""
        return Surroundings(
            camera=source.name,
            trouble=_camera_note(source),
            judged_hz=attention.judged_hz if attention else load.frame_hz,
            cpu_ratio=load.cpu_ratio,
            notified=f"{queue.sent} sent{failed}" if settings.notify.enabled else "off",
            upright_ratio=load.upright_ratio,
            span="this run",
        )

    def details() -> dict[str, Any]:
        return {
            "notifications_sent": queue.sent,
            "notifications_failed": queue.failed,
            "notifications_dropped": queue.dropped,
            "last_notification_error": queue.last_error,
            "camera": _camera_note(source) or ("let go" if camera and camera.status == "resting" else "ok"),
            "judged_hz": round(attention.judged_hz, 2) if attention else None,
            "rest_detail": conductor.rest_detail,
            "paused_for_s": conductor.paused_for_s,
            "snoozed_for_s": conductor.snoozed_for_s,
            "sustain_s": settings.alert.sustain_s,
        }

    summarizer = Summarizer(settings.judge.max_gap_s)
    sinks: list[Sink] = [summarizer, load, conductor, NotificationSink(queue, settings.notify.timeout_s)]
    if attention is not None:
        sinks.append(attention)
    if reception is not None:
        reception.board.details, reception.conductor = details, conductor
        sinks.append(reception.board)
    if reception is not None and source.is_live and settings.history.enabled:
        trace = next((sink.path for sink in outputs if isinstance(sink, TraceSink)), None)
        sinks.append(
            HistorySink(
                history_path(),
                make_watch(pipeline, source.name, reception.board.profile, trace),
                retention_days=settings.history.retention_days,
                tell=lambda text: console.print(text, style="yellow", markup=False),
            )
        )
    # last: it holds the terminal as soon as it is made
    sinks.append(make_display(console, pipeline, around, is_plain=is_plain))
    with contextlib.ExitStack() as closing:
        if surroundings is not None:
            closing.enter_context(surroundings)
        for sink in sinks:
            closing.callback(sink.close)
        run_monitor(conductor.through(frames), conductor, pipeline, [*outputs, *sinks], signals.stop)
    console.print(summary_table(summarizer.summary()))
    print_notes(console, source)


def _keep(path: Path, camera: str, result: CalibrationResult) -> None:
    """Store a baseline that was taken while the monitor ran."""
    drift = find_drift_from(path, result.baseline)
    save_profile(path, Profile(result.baseline, camera, result.quality, drift))


def _seconds_after_midnight() -> float:
    """Return the local time of day."""
    now = datetime.now().astimezone()
    return now.hour * 3600.0 + now.minute * 60.0 + now.second


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
        _watch(iter(source), source, observer, pipeline, console, signals, None, None, [])
        if not signals.stop.is_set():
            console.print("With a webcam: 'posture calibrate', then 'posture run'.")
        return signals.exit_code
