"""Take the kept days along or away: history info, export, import, delete."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from posture.commands.options import end

app = typer.Typer(help="What has been kept of the days: export, import, delete.", no_args_is_help=True)
DayOption = typer.Option(metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], show_default=False)


@app.command("info")
def history_info() -> None:
    """Print where the history is, and how much is in it."""
    from posture.history.commands import run_info

    end(run_info())


@app.command("export")
def history_export(
    kind: Annotated[
        Literal["csv", "json", "parquet"], typer.Option("--format", help="Of the file.")
    ] = "json",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")
    ] = None,
    since: Annotated[datetime | None, DayOption] = None,
    until: Annotated[datetime | None, DayOption] = None,
) -> None:
    """Write the history to a file; --since and --until are days, both included."""
    from posture.history.commands import run_export

    end(run_export(kind, output, since and since.date(), until and until.date()))


@app.command("import")
def history_import(
    file: Annotated[Path, typer.Argument(help="Written by 'posture history export' as json or csv.")],
) -> None:
    """Merge an exported file into the history; what is there already stays once."""
    from posture.history.commands import run_import

    end(run_import(file))


@app.command("delete")
def history_delete(
    before: Annotated[datetime, DayOption],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete what ended before a day, for good."""
    from posture.history.commands import run_delete

    end(run_delete(before.date(), lambda text: yes or typer.confirm(text)))
