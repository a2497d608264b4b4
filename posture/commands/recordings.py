"""Judge and make recordings: replay, record, bench."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import SetOption, SourceOption, end, parse_span


class DatasetFormat(StrEnum):
    """What a dataset's files are."""

    PARQUET = "parquet"
    CSV = "csv"


def replay(
    clips: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIP...",
            help="Clips, recorded landmarks, folders of pictures, or folders to look for clips in.",
        ),
    ],
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="A:B",
            help="Fit the baseline on these seconds of each clip.",
            show_default="0:8, or a recording's own baseline",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Judge against this baseline file.", show_default=False)
    ] = None,
    set_: SetOption = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv", help="Write one row per frame; a folder for several clips.", show_default=False
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.jsonl",
            help="Write one JSON object per event; a folder for several clips.",
            show_default=False,
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.mp4",
            help="Write the clip with everything drawn on it; a folder for several clips.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.png|.svg|.html",
            help="Write a chart of the whole clip; a folder for several clips.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Judge so many clips at a time.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write all results into this folder, as a dataset for other programs; run again, it goes on.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        DatasetFormat, typer.Option("--format", help="Of the dataset; Parquet needs the extra 'parquet'.")
    ] = DatasetFormat.PARQUET,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Have the workers of this Dask scheduler fill the dataset; needs the extra 'cluster'.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Judge recorded clips exactly as the live monitor would have."""
    if calibrate is not None and baseline is not None:
        raise typer.BadParameter("give either --calibrate or --baseline, not both")
    if output is not None and any((trace, events, annotate, plot)):
        raise typer.BadParameter(
            "--output has all results; leave out --trace, --events, --annotate and --plot"
        )
    if scheduler is not None and output is None:
        raise typer.BadParameter("--scheduler needs --output: a folder for the results")
    span_s = parse_span(calibrate)
    from posture.batch.command import DatasetRequest, run_replay
    from posture.clip_replay import Outputs

    dataset = None if output is None else DatasetRequest(output, format_.value, scheduler)
    asked = Outputs(trace, events, annotate, plot)
    end(run_replay(clips, span_s, baseline, set_ or [], asked, jobs, dataset))


def record(
    trace: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Write to this new file; in a folder, one named after the time."),
    ],
    source: SourceOption = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End after this long.", show_default="until Ctrl-C")
    ] = None,
    set_: SetOption = None,
) -> None:
    """Record what the camera sees as landmarks, without a picture and without judging it.

    'posture replay FILE --calibrate A:B' judges it later.
    """
    from posture.tracing import run_record

    end(run_record(source, trace, seconds, set_ or []))


def bench(
    clip: Annotated[
        Path | None, typer.Argument(help="A clip to measure with.", show_default="the packaged one")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=50, help="Interleaved rounds.")] = 3,
) -> None:
    """Measure speed on this machine, as ratios taken in one run."""
    from posture.inspecting import run_bench

    end(run_bench(clip, repeat))
