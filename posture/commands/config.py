"""Show or write the configuration file: config path, show, init."""

from __future__ import annotations

from typing import Annotated

import typer

from posture.commands.options import SetOption
from posture.redaction import redact

app = typer.Typer(help="Show, find or write the configuration file.", no_args_is_help=True)


@app.command("path")
def config_path() -> None:
    """Print where the configuration file is."""
    from posture.config import config_path

    print(config_path())


@app.command("show")
def config_show(set_: SetOption = None) -> None:
    """Print the settings in force, with units and ranges; a camera's password is shown as ***."""
    from posture.config import load_settings, render_settings

    print(redact(render_settings(load_settings(overrides=set_))), end="")


@app.command("init")
def config_init(force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False) -> None:
    """Write a configuration file with every setting commented out."""
    from posture.config import config_path, write_defaults

    write_defaults(config_path(), overwrite=force)
    print(f"wrote {config_path()}")
