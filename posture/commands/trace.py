"""Look into a recording: trace info, trace export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import end

app = typer.Typer(
    help="Look at what 'posture record' and 'posture run --record' wrote.", no_args_is_help=True
)


@app.command("info")
def trace_info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell when, how long, with which baseline it was recorded, and whether it is whole."""
    from posture.tracing import show_trace_info

    end(show_trace_info(file, as_json))


@app.command("export")
def trace_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.csv", help="The table to write.")],
) -> None:
    """Write the landmarks as a table: one row per frame."""
    from posture.tracing import export_trace

    end(export_trace(file, output))
