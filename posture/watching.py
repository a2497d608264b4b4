"""The commands that watch: run, demo. They return the exit code and raise PostureError."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path

import msgspec

from posture.assembly import Assembly
from posture.baseline import Baseline
from posture.bundled import DEMO_CLIP_NAME, asset_path
from posture.calibrating import choose_by_view, find_drift_from, stored_choice, take_baseline
from posture.calibration_run import CalibrationResult
from posture.config import load_settings, state_path
from posture.console import make_console
from posture.files import check_outputs
from posture.pipeline import Pipeline
from posture.profile_json import Profile
from posture.profiles import age_days, profile_path, save_profile
from posture.receipt import lacks_face
from posture.reception import Reception
from posture.recording.writer import RecordedPipeline, TraceWriter, make_header, recording_path
from posture.session import StopSignals, open_outputs
from posture.settings import Settings
from posture.sources import FrameSource, PacedSource
from posture.status import StatusBoard
from posture.tables import baseline_text
from posture.terminal import summary_table
from posture.wall_clock import WallClock, time_of_day_s
from posture.wiring import make_observer, open_preview, open_with_settings, print_notes

DEMO_CALIBRATION_S = (0.0, 10.0)
DEMO_SUSTAIN_S = 10.0
"""Seconds; the clip's slouch lasts 25 s, a working day's default is 60 s."""
OPENING_S = 10.0
"""Seconds that a camera let go may take to give a picture again (as `live.FIRST_PICTURE_S`)."""


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
    preview: bool = False,
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
        source = stack.enter_context(open_with_settings(spec, settings, signals.stop))
        reception = Reception(state_path(), signals.stop, StatusBoard(source.name, chosen.name))
        stack.enter_context(reception)
        is_clip = not source.is_live
        if is_clip and chosen.options:  # a look of its own: a run judges all of a clip
            ahead = stack.enter_context(open_with_settings(spec, settings, signals.stop))
        if is_clip:
            source = stack.enter_context(PacedSource(source, speed, stop=signals.stop))
        observer = stack.enter_context(make_observer(settings))
        stack.enter_context(signals)  # not before: until here a signal may simply end the process
        outputs = open_outputs(stack, trace, events)
        window = (
            stack.enter_context(open_preview(settings, console, takes_commands=True)) if preview else None
        )
        frames = iter(source)
        if chosen.options:
            first = iter(ahead) if is_clip else frames
            with make_observer(settings) as looking:
                chosen = choose_by_view(chosen, first, looking, settings, signals, console, source.name)
            if signals.stop.is_set():
                return signals.exit_code
        name, baseline = chosen.name, chosen.baseline
        reception.board.profile = name
        if baseline is None:
            path = None if is_clip else profile_path(name)
            name = "its first seconds" if is_clip else name
            console.print("No baseline yet: sit upright and look at the screen.")
            baseline = take_baseline(
                frames,
                observer,
                settings,
                signals,
                console,
                path,
                is_clip=is_clip,
                camera=source.name,
                window=window,
            )
        if baseline is None:
            return signals.exit_code
        console.print(
            f"Watching {source.name}, baseline {name!r}: {baseline_text(baseline)}. Ctrl-C ends it."
        )
        if (age := age_days(baseline)) is not None and age > settings.calibration.stale_after_days:
            console.print(
                "That baseline is getting old: 'posture calibrate' takes a fresh one.", style="bold"
            )
        if settings.pose.face and lacks_face(baseline):
            console.print(
                "That baseline lacks your face's measure: 'posture calibrate' takes one with it, which is more exact.",
                style="bold",
            )
        pipeline = _make_pipeline(stack, record, _spaced(settings, source), baseline, source, name)
        pipeline.set_standing(baseline_file is None and name in settings.breaks.standing_profiles)
        outputs.append(WallClock(pipeline))
        if record is not None:
            console.print(f"Recording landmarks, no picture, to {record}")
        is_kept = not is_clip and baseline_file is None
        save = functools.partial(_keep, profile_path(name), source.name) if is_kept else None
        assembly = Assembly(
            source,
            observer,
            pipeline,
            console,
            signals.stop,
            reception=reception,
            save=save,
            is_plain=is_plain,
            preview=window,
            outputs=outputs,
        )
        console.print(summary_table(assembly.run(frames)))
        print_notes(console, source)
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
    start_of_day_s = time_of_day_s()
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


def _keep(path: Path, camera: str, result: CalibrationResult) -> None:
    """Store a baseline that was taken while the monitor ran."""
    drift = find_drift_from(path, result.baseline)
    save_profile(path, Profile(result.baseline, camera, result.quality, drift))


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
        clip = stack.enter_context(
            open_with_settings(str(asset_path(DEMO_CLIP_NAME)), settings, signals.stop)
        )
        source = stack.enter_context(PacedSource(clip, speed, stop=signals.stop))
        observer = stack.enter_context(make_observer(settings))
        stack.enter_context(signals)
        pipeline = Pipeline(settings, calibrate_span_s=DEMO_CALIBRATION_S)
        assembly = Assembly(source, observer, pipeline, console, signals.stop)
        console.print(summary_table(assembly.run(iter(source))))
        if not signals.stop.is_set():
            console.print("With a webcam: 'posture calibrate', then 'posture run'.")
        return signals.exit_code
