"""The console of a command's own words."""

from __future__ import annotations

from rich.console import Console


def make_console(*, is_stderr: bool = False, is_quiet: bool = False) -> Console:
    """Return the console of a command's own words: wrapped at words on a terminal, not at all in a file.

    A quiet one shows nothing at all: errors don't go through it. What looks like markup is printed as it is: it may
    be a file's name.
    """
    console = Console(stderr=is_stderr, quiet=is_quiet, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console
