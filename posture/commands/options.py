"""Options that several commands have, and how a command ends."""

from __future__ import annotations

from typing import Annotated

import typer

SourceOption = Annotated[
    str | None,
    typer.Option("--source", "-s", help="Camera index or name, clip, folder or URL.", show_default=False),
]
ProfileOption = Annotated[
    str, typer.Option("--profile", "-p", help="Whose or which upright: a baseline's name.")
]
PreviewOption = Annotated[
    bool, typer.Option("--preview", help="Show a window with what the camera sees and what is judged.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, e.g. alert.sustain_s=30.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def end(code: int) -> None:
    """End the command with `code`."""
    if code:
        raise typer.Exit(code)


def parse_span(text: str | None) -> tuple[float, float] | None:
    """Return the seconds of ``A:B``."""
    if text is None:
        return None
    try:
        start_s, end_s = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not START:END in seconds, for example 0:8") from None
    if not 0 <= start_s < end_s < float("inf"):
        raise typer.BadParameter(f"{text!r}: the start must come before the end, and neither before 0")
    return start_s, end_s
