"""Look at the machine: cameras, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from posture.commands.options import end


def cameras() -> None:
    """List the cameras found."""
    from posture.inspecting import show_cameras

    end(show_cameras())


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON array, an object per finding.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "--no-notify", help="Show no notification; only ask who would.")
    ] = False,
) -> None:
    """Check every part: camera, notifications, model, files, privacy; exit status 1 when something is broken."""
    from posture.doctor import run_doctor

    end(run_doctor(as_json, not quiet))
