"""Serve the person: stretches, the report, why an alert came and whether it was wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import end


def break_(
    name: Annotated[
        str | None,
        typer.Argument(help="Which stretch, or how its name begins.", show_default="what fits today"),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            "-g",
            metavar="GROUP",
            help="Only for neck, shoulders, upper_back, chest, hips, eyes or wrists.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option(min=1, max=3600, help="How long.", show_default="its own time")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name them all.")] = False,
) -> None:
    """Show a stretch with a countdown, then the next one. Ctrl-C ends it."""
    from posture.stretching import run_break

    end(run_break(name, group, seconds, is_list=list_))


def report(
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days, today included.")] = 7,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Where to write the page; - = standard output.",
            show_default="report.html in the data folder",
        ),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the report here instead.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="A page that prints on one sheet, to show to someone.")
    ] = False,
) -> None:
    """Look back: time upright and slouching, breaks, alerts and the trend, on one page for the browser.

    The page is one file that loads nothing and is readable by you only. Print it from the browser.
    """
    import gc

    gc.disable()  # one page, and the end: to look for cycles among a year's rows took a tenth of the time

    from posture.reporting import run_report

    end(run_report(days, output, open_, text, summary))


AlertArgument = Annotated[
    int, typer.Argument(min=1, metavar="[N]", help="Which alert, counted back from the newest.")
]


def why(n: AlertArgument = 1) -> None:
    """Tell why you were alerted: what was measured, against what, and what came after."""
    from posture.history.commands import explain_alert

    end(explain_alert(n))


def wrong(
    n: AlertArgument = 1,
    reason: Annotated[str, typer.Option(help="In your own words.", show_default=False)] = "",
    right: Annotated[bool, typer.Option("--right", help="It was right after all.")] = False,
) -> None:
    """Say that an alert was wrong; after a few a better setting is proposed, never applied."""
    from posture.history.commands import answer_alert

    end(answer_alert(n, reason, is_right=right))
