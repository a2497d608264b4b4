"""Speak to the running monitor: status, pause, resume, snooze, recalibrate, re-zero, stop, tray."""

from __future__ import annotations

from typing import Annotated

import typer

from posture.commands.options import end


def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell what the running monitor sees; exit status 1 when none is running."""
    from posture.inspecting import show_status

    end(show_status(as_json))


def pause(
    duration: Annotated[
        str | None, typer.Argument(help="Such as 30m or 1h30m.", show_default="until you resume")
    ] = None,
) -> None:
    """Let the running monitor rest: nothing is judged, and the camera is let go."""
    from posture.controlling import run_pause

    end(run_pause(duration))


def resume() -> None:
    """End a pause or a snooze."""
    from posture.controlling import run_resume

    end(run_resume())


def snooze(duration: Annotated[str, typer.Argument(help="Such as 15m or 1h30m.")] = "15m") -> None:
    """Have the running monitor say nothing for a while; it goes on watching."""
    from posture.controlling import run_snooze

    end(run_snooze(duration))


def recalibrate(
    seconds: Annotated[
        float | None,
        typer.Option(min=3, max=120, help="How long to sit upright; 3 will do in a hurry.", show_default="8"),
    ] = None,
) -> None:
    """Have the running monitor take a new baseline: sit upright after the countdown."""
    from posture.controlling import run_recalibrate

    end(run_recalibrate(seconds))


def rezero() -> None:
    """Have the running monitor move its baseline to how you sit now: sit upright, it takes 3 seconds."""
    from posture.controlling import run_rezero

    end(run_rezero())


def stop() -> None:
    """End the running monitor."""
    from posture.controlling import run_stop

    end(run_stop())


def tray(
    wait: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds to wait for the desktop's tray, as at login.")
    ] = 0.0,
) -> None:
    """Show an icon in the desktop's tray for the running monitor; needs the extra 'tray'."""
    from posture.tray.command import run_tray

    end(run_tray(wait))
