"""Options and help of what works on labelled clips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import SetOption, end, parse_span


def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Clips or recordings with a label file beside each; folders of them."
        ),
    ],
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="A:B",
            help="Fit the baseline on these seconds of each clip.",
            show_default="what its labels say",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Judge all against this baseline file.", show_default=False)
    ] = None,
    set_: SetOption = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE|FILE.toml|RESULT.json",
            help="Compare with these settings on top, or with a result kept by --json.",
            show_default=False,
        ),
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every figure.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page to look at.", show_default=False)
    ] = None,
    max_false_per_hour: Annotated[
        float | None, typer.Option(min=0, help="Fail above this.", show_default=False)
    ] = None,
    min_recall: Annotated[
        float | None, typer.Option(min=0, max=1, help="Fail below this share.", show_default=False)
    ] = None,
    max_neck_mae: Annotated[
        float | None, typer.Option(min=0, help="Fail above these degrees.", show_default=False)
    ] = None,
    max_thoracic_mae: Annotated[
        float | None, typer.Option(min=0, help="Fail above these degrees.", show_default=False)
    ] = None,
    max_late_s: Annotated[
        float | None,
        typer.Option(
            min=0, help="Fail if an alert comes later than this after its time.", show_default=False
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=256, help="Processes.")] = 1,
) -> None:
    """Score labelled clips: false alerts per hour, recall, delays, angle errors.

    Exit code 1 if a clip cannot be evaluated or a limit is not kept.
    """
    if calibrate is not None and baseline is not None:
        raise typer.BadParameter("give either --calibrate or --baseline, not both")
    from posture.evaluating import Request, run_evaluate
    from posture.evaluation.limits import Limits

    limits = Limits(max_false_per_hour, min_recall, max_neck_mae, max_thoracic_mae, max_late_s)
    request = Request(
        tuple(paths),
        parse_span(calibrate),
        baseline,
        tuple(set_ or ()),
        tuple(against or ()),
        json_,
        html,
        limits,
        jobs,
    )
    end(run_evaluate(request))
