"""Watch somebody: run, calibrate, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import PreviewOption, ProfileOption, SetOption, SourceOption, end


def run(
    source: SourceOption = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            "-p",
            help="A baseline's name.",
            show_default="the one that fits what the camera sees",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A baseline file instead of a profile.", show_default=False)
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="For a clip: times real time.")] = 1.0,
    set_: SetOption = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="OUT.csv", help="Write one row per frame looked at.", show_default=False),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Write one JSON object per event.", show_default=False),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Events as lines instead of the live panel; good for screen readers."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the landmarks (no picture) for 'posture replay'; in a folder, named after the time.",
            show_default=False,
        ),
    ] = None,
    preview: PreviewOption = False,
) -> None:
    """Watch the camera and tell about a slouch that lasts. Ctrl-C ends it.

    Without a baseline it takes one first: sit upright for the countdown.
    """
    from posture.watching import run_live

    end(
        run_live(
            source,
            profile,
            baseline,
            speed,
            set_ or [],
            trace,
            events,
            record,
            is_plain=plain,
            is_quiet=quiet,
            preview=preview,
        )
    )


def calibrate(
    source: SourceOption = None,
    profile: ProfileOption = "default",
    seconds: Annotated[
        float | None, typer.Option(min=3, max=120, help="How long to sit upright.", show_default="8")
    ] = None,
    slouch: Annotated[
        bool, typer.Option("--slouch", help="Then show your usual slouch: it sharpens the thresholds.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Move the stored baseline to your upright of now: 3 seconds.")
    ] = False,
    set_: SetOption = None,
    preview: PreviewOption = False,
) -> None:
    """Record your upright: sit tall, look at the screen, hold still for a few seconds."""
    from posture.calibrating import run_calibrate

    if quick and (slouch or seconds is not None):
        raise typer.BadParameter("takes 3 seconds of upright and nothing else", param_hint="--quick")
    end(run_calibrate(source, profile, seconds, slouch, set_ or [], is_quick=quick, preview=preview))


def demo(
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Times real time.")] = 6.0,
) -> None:
    """Show the monitor at work on a packaged clip; no webcam needed."""
    from posture.watching import run_demo

    end(run_demo(speed))
