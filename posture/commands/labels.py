"""Label clips: label, and labels import, check, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posture.commands.options import SetOption, end

app = typer.Typer(
    help="What people saw in clips: label files, checked, shown and taken over.", no_args_is_help=True
)


def label(
    clip: Annotated[
        str, typer.Argument(metavar="CLIP", help="A clip, a folder of pictures, or recorded landmarks.")
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The label file.", show_default="CLIP.labels.toml, or the one there"
        ),
    ] = None,
    set_: SetOption = None,
) -> None:
    """Label a clip in a window, by keys; every change is saved at once."""
    from posture.labels.labelling import run_label

    end(run_label(clip, labels, set_ or []))


@app.command("import")
def labels_import(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="ELAN's tab-delimited text, or Label Studio's JSON or JSON-MIN."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="The label file, .toml or .csv, or a folder for several clips.",
            show_default="named after the clip, beside FILE",
        ),
    ] = None,
    tier: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Take only this tier; may be given again.", show_default="all"),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="TEXT=STATE[:ALERT]",
            help="What a text means, e.g. 'slump=slouching:must'; nothing after = leaves it out.",
            show_default="the states' and alerts' own names",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1000,
            metavar="N",
            help="Frames a second in Label Studio's configuration, for labels on a video's timeline.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace label files that are there.")] = False,
) -> None:
    """Take labels over from ELAN or Label Studio."""
    from posture.errors import LabelError
    from posture.labels.foreign import parse_meaning

    try:
        rules = dict(parse_meaning(rule) for rule in map_ or [])
    except LabelError as error:
        raise typer.BadParameter(str(error)) from None
    from posture.labels.commands import import_labels

    end(import_labels(file, output, tier or [], rules, fps, overwrites=force))


@app.command("check")
def labels_check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Label files, clips, or folders of them.")
    ],
) -> None:
    """Print what is wrong with label files, a line each; exit 1 if anything is."""
    from posture.labels.commands import check_paths

    end(check_paths(paths))


@app.command("show")
def labels_show(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="A clip, or a label file.")],
) -> None:
    """Show the labels of a clip as a timeline and a table."""
    from posture.labels.commands import show_labels

    end(show_labels(clip))
