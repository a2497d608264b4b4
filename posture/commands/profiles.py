"""Look after the stored baselines: profiles list, show, rename, delete."""

from __future__ import annotations

from typing import Annotated

import typer

from posture.commands.options import JsonOption, end

app = typer.Typer(help="List, show, rename or delete stored baselines.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="A profile's name.")]


@app.command("list")
def profiles_list(as_json: JsonOption = False) -> None:
    """List the stored profiles."""
    from posture.managing import list_profiles

    end(list_profiles(as_json))


@app.command("show")
def profiles_show(name: NameArgument = "default", as_json: JsonOption = False) -> None:
    """Tell how good a profile is, what counts as a slouch with it, and what would make it better."""
    from posture.managing import show_profile

    end(show_profile(name, as_json))


@app.command("rename")
def profiles_rename(
    name: NameArgument, new: Annotated[str, typer.Argument(help="What it is to be called.")]
) -> None:
    """Give a profile another name; one that is there already is not overwritten."""
    from posture.managing import rename

    end(rename(name, new))


@app.command("delete")
def profiles_delete(
    name: NameArgument, yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False
) -> None:
    """Delete a profile, after asking."""
    from posture.managing import delete, describe

    what = describe(name)
    if not yes:
        typer.confirm(f"Delete profile {what}?", abort=True)
    end(delete(name))
