"""Start at login: autostart enable, disable, status."""

from __future__ import annotations

from typing import Annotated

import typer

from posture.commands.options import ProfileOption, end

app = typer.Typer(help="Start the monitor when you log in.", no_args_is_help=True)


@app.command("enable")
def autostart_enable(
    profile: ProfileOption = "default",
    now: Annotated[bool, typer.Option("--now", help="Start it at once as well.")] = False,
) -> None:
    """Start the monitor at every login, shut in as far as this system can."""
    from posture.starting import enable

    end(enable(profile, now))


@app.command("disable")
def autostart_disable() -> None:
    """Take that back; nothing that posture has not written is touched."""
    from posture.starting import disable

    end(disable())


@app.command("status")
def autostart_status() -> None:
    """Tell whether it is enabled and would work; exit status 1 when not."""
    from posture.starting import show_status

    end(show_status())
