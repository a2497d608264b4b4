"""The console of a command's own words."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from posture.redaction import harmless


class _Console(Console):
    """Show names and notes that hold a terminal's commands, and obey none: they may come from anybody's file."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments; what has no width goes without moving the rest."""
        for segment in super().render(renderable, options):
            if segment.control or (shown := harmless(segment.text)) == segment.text:
                yield segment
            else:
                yield Segment(shown, segment.style)


def make_console(*, is_stderr: bool = False, is_quiet: bool = False) -> Console:
    """Return the console of a command's own words: wrapped at words on a terminal, not at all in a file.

    A quiet one shows nothing at all: errors don't go through it. What looks like markup is printed as it is: it may
    be a file's name.
    """
    console = _Console(stderr=is_stderr, quiet=is_quiet, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console
