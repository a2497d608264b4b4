"""Try settings on labelled recordings: tune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import SetOption, end


def tune(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Labelled recordings of landmarks, or folders of them."),
    ],
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=A:B:STEP|KEY=V1,V2",
            help="What to try; 'thresholds' scales all four. Every combination of several is tried.",
            show_default="thresholds, sustain, recovery",
        ),
    ] = None,
    max_false_per_hour: Annotated[
        float,
        typer.Option(min=0.01, max=60.0, help="False alerts an hour that the proposal may give at most."),
    ] = 0.5,
    write: Annotated[
        bool, typer.Option("--write", help="Put the proposal into the configuration file.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="OUT.toml", help="Write the proposal to this new file.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.html", help="Write a page with the curve and all figures.", show_default=False
        ),
    ] = None,
    json_: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT.json", help="Write every figure to a file.", show_default=False),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, max=256, help="Processes.", show_default="as many as there are cores"
        ),
    ] = None,
    set_: SetOption = None,
) -> None:
    """Try settings on labelled recordings: how many slouches are found, how many alerts are false.

    Proposes a setting with what to expect of it on people left out; writes it only when asked to.
    """
    from posture.tuning.command import run_tune

    end(
        run_tune(
            paths,
            sweep or [],
            set_ or [],
            max_false_per_hour=max_false_per_hour,
            n_jobs=jobs,
            json_file=json_,
            html=html,
            is_written=write,
            output=output,
        )
    )
