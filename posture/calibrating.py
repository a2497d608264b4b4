"""What `posture calibrate` does, and how a run comes by its baseline. Returns exit codes, raises PostureError."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from posture.baseline import Baseline
from posture.calibration_run import CalibrationResult, CalibrationTick
from posture.config import load_settings, state_path
from posture.console import make_console
from posture.errors import ControlError, ProfileError
from posture.fit import LOOK_S, MIN_FRAMES, Candidate, choose, fit
from posture.judging import make_thresholds
from posture.landmarks import Frame
from posture.monitor import FrameObserver
from posture.profile_folder import candidates, load_profile
from posture.profile_json import Profile
from posture.profiles import (
    DEFAULT_NAME,
    age_text,
    is_there,
    load_baseline,
    now_utc,
    profile_path,
    read_profile,
    save_profile,
)
from posture.receipt import Drift, find_drift, make_receipt
from posture.rezero import SECONDS, rezero
from posture.separation import separate, sharpen
from posture.session import TERMINATED, StopSignals, collect
from posture.settings import Settings
from posture.status import read_status
from posture.tables import labelled, receipt_rows, separation_text
from posture.view.onlooker import Onlooker
from posture.view.preview import Preview, prompt_for
from posture.wiring import make_observer, open_preview, open_with_settings

LOOK_ROUNDS = 5
"""Times `LOOK_S` that somebody is waited for before a profile is taken unseen (our choice: 15 s)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a run is to be judged against."""

    baseline: Baseline | None
    """None = there is none yet."""
    name: str
    """The profile's or the file's."""
    options: tuple[Candidate, ...] = ()
    """Several profiles to choose from by what the camera sees; empty = the choice is made."""


@contextlib.contextmanager
def _countdown(
    console: Console, prompt: str, window: Preview | None = None, onlooker: Onlooker | None = None
) -> Iterator[Callable[[CalibrationTick], None]]:
    """Show how a calibration is going in one live line, and in a window if there is one."""

    def show(tick: CalibrationTick) -> None:
        if window is not None and onlooker is not None and window.is_open:
            window.show(onlooker.moment(None, prompt_for(tick)), None)
        phase = "get ready" if tick.is_counting_down else prompt
        text = Text.assemble((f"{phase}  {tick.remaining_s:.0f} s", "bold"))
        text.append(f"  {tick.problem or 'good'}", "bold" if tick.problem else "")
        if console.is_terminal:
            live.update(text, refresh=True)

    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield show


def take_baseline(
    frames: Iterator[Frame],
    observer: FrameObserver,
    settings: Settings,
    signals: StopSignals,
    console: Console,
    path: Path | None,
    *,
    is_clip: bool,
    camera: str,
    seconds: float | None = None,
    with_slouch: bool = False,
    old: Profile | None = None,
    window: Preview | None = None,
) -> Baseline | None:
    """Calibrate, before a camera with a countdown, and store the result; None = stopped before it was done.

    Without a `path` nothing is stored: whoever is in a clip must not become the default. An `old` one is moved to
    what is seen, and its quality kept.
    """
    seconds = seconds or settings.calibration.seconds
    countdown_s = 0.0 if is_clip else settings.calibration.countdown_s
    onlooker = Onlooker(observer)
    with _countdown(console, "hold still", window, onlooker) as show:
        run = collect(
            frames,
            onlooker,
            settings,
            seconds=seconds,
            countdown_s=countdown_s,
            on_tick=show,
            stop=signals.stop,
        )
    if run is None:
        console.print("Stopped; no baseline was taken.")
        return None
    result = run.result(now_utc())
    baseline: Baseline | None = result.baseline if old is None else rezero(old.baseline, result)
    if with_slouch:
        console.print("Now your usual slouch: sink into it as at the end of a day, and stay there.")
        with _countdown(console, "stay slouched", window, onlooker) as show:
            baseline = _with_slouch(
                frames, onlooker, settings, signals, console, result, seconds, countdown_s, show
            )
    if baseline is None:
        console.print("Stopped; nothing was stored.")
        return None
    quality = result.quality if old is None else old.quality
    profile = Profile(baseline, camera, quality, find_drift_from(path, baseline))
    if path is not None:
        save_profile(path, profile)
    console.print("Baseline taken." if old is None else "Baseline moved to your upright of now.")
    receipt = make_receipt(baseline, settings.judge, quality, wants_face=settings.pose.face)
    rows = receipt_rows(profile, receipt, settings.calibration.stale_after_days)
    console.print(labelled(rows, is_terminal=console.is_terminal))
    console.print("Taken from a clip, so for this run only." if path is None else f"Saved to {path}")
    return baseline


def _with_slouch(
    frames: Iterator[Frame],
    observer: FrameObserver,
    settings: Settings,
    signals: StopSignals,
    console: Console,
    upright: CalibrationResult,
    seconds: float,
    countdown_s: float,
    show: Callable[[CalibrationTick], None],
) -> Baseline | None:
    """Return the baseline sharpened by a usual slouch, or as it was; None = stopped."""
    slouch = collect(
        frames,
        observer,
        settings,
        seconds=seconds,
        countdown_s=countdown_s,
        on_tick=show,
        stop=signals.stop,
    )
    if slouch is None:
        return None
    found = separate(upright.baseline, upright.landmarks, slouch.landmarks, settings.judge)
    sharpened = sharpen(upright.baseline, found)
    before, after = (make_thresholds(settings.judge, b) for b in (upright.baseline, sharpened))
    console.print(separation_text(found, before, after))
    return sharpened


def find_drift_from(path: Path | None, baseline: Baseline) -> Drift | None:
    """Return how far `baseline` lies from the one it is about to replace; None = there is none that can be read."""
    if path is None or not is_there(path):
        return None
    with contextlib.suppress(ProfileError):  # damaged, which has been said, and is about to be replaced
        return find_drift(read_profile(path).baseline, baseline)
    return None


def run_calibrate(
    spec: str | None,
    profile: str,
    seconds: float | None,
    with_slouch: bool,
    overrides: list[str],
    *,
    is_quick: bool = False,
    preview: bool = False,
) -> int:
    """Take a baseline and store it, or move the stored one to the upright of now."""
    settings = load_settings(overrides=overrides)
    console = make_console()
    path = profile_path(profile)
    old_profile = load_profile(profile) if is_quick else None  # there must be one to move
    if is_there(path) and not is_quick:
        with contextlib.suppress(ProfileError):
            old = load_baseline(path)
            console.print(f"Profile {profile!r}, {age_text(old)}, will be replaced.")
            if old.slouch_centre is not None and not with_slouch:
                console.print("It knows your usual slouch, the new one will not: --slouch shows it again.")
    signals = StopSignals()
    with (
        open_with_settings(spec or str(settings.camera.source), settings, signals.stop) as source,
        make_observer(settings) as observer,
        signals,
        open_preview(settings, console, takes_commands=False)
        if preview
        else contextlib.nullcontext() as window,
    ):
        if source.is_live:
            _check_camera_is_free(source.name)
        taken = take_baseline(
            iter(source),
            observer,
            settings,
            signals,
            console,
            path,
            is_clip=not source.is_live,
            camera=source.name,
            seconds=SECONDS if is_quick else seconds,
            with_slouch=with_slouch,
            old=old_profile,
            window=window,
        )
        return signals.exit_code or (TERMINATED if taken is None else 0)


def _check_camera_is_free(name: str) -> None:
    """Raise ControlError if the running monitor has the camera."""
    running = read_status(state_path())
    if running is not None and running.source == name:
        raise ControlError(
            f"{name}: the running monitor has this camera; 'posture recalibrate' takes a baseline with it"
        )


def stored_choice(profile: str | None, baseline_file: Path | None, console: Console) -> Chosen:
    """Return what a run was told to judge against, or what is stored to choose from.

    Raises
    ------
    ProfileError
        If what was named is not there or cannot be used, or nothing stored can be used.
    """
    if baseline_file is not None:
        return Chosen(load_baseline(baseline_file), baseline_file.name)
    if profile is not None:
        if profile == DEFAULT_NAME and not is_there(profile_path(profile)):
            return Chosen(None, DEFAULT_NAME)
        return Chosen(load_profile(profile).baseline, profile)
    usable, refused = candidates()
    if not usable:
        if refused:
            raise ProfileError(refused[0])
        return Chosen(None, DEFAULT_NAME)
    for line in refused:
        console.print(f"note: {line}", style="bold")
    if len(usable) == 1:
        return Chosen(usable[0].baseline, usable[0].name)
    return Chosen(usable[0].baseline, usable[0].name, tuple(usable))


def choose_by_view(
    chosen: Chosen,
    frames: Iterator[Frame],
    observer: FrameObserver,
    settings: Settings,
    signals: StopSignals,
    console: Console,
    camera: str,
) -> Chosen:
    """Look at the first seconds of `frames` and return the profile that fits them; says which and why."""
    why = "nobody was in view"
    for _ in range(LOOK_ROUNDS):
        with _countdown(console, "looking which profile fits") as show:
            run = collect(
                frames,
                observer,
                settings,
                seconds=LOOK_S,
                countdown_s=0.0,
                on_tick=show,
                stop=signals.stop,
            )
        if run is None:
            return chosen
        seen = run.landmarks
        if not len(seen):
            break
        if fit(chosen.options[0].baseline, seen).n_frames < MIN_FRAMES:
            continue
        choice = choose(chosen.options, seen, camera)
        why = choice.why
        if choice.name is not None:
            console.print(f"Profile {choice.name!r}: {why}.")
            return Chosen(next(c.baseline for c in chosen.options if c.name == choice.name), choice.name)
        break
    console.print(f"Profile {chosen.name!r}, unseen: {why}.", style="bold")
    return Chosen(chosen.baseline, chosen.name)
