"""The command that shows a stretch: its steps, a countdown, and the next one. It returns the exit code."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Sequence
from math import ceil

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from posture.config import state_path
from posture.console import make_console
from posture.errors import ControlError, StretchError
from posture.session import INTERRUPTED
from posture.status import Status, read_status
from posture.stretch_file import load_stretches
from posture.stretches import SEE_SOMEONE, MuscleGroup, Stretch, choose_stretch

TICK_S = 0.1
"""Seconds between two looks at the clock (our choice: the countdown is in whole seconds)."""
MINUTE_S = 60.0


def run_break(name: str | None, group: str | None, seconds: int | None, *, is_list: bool) -> int:
    """Show stretches, one after the other while somebody wants the next.

    Parameters
    ----------
    name : str or None
        Which, or how its name begins; None = what the last reminder named, else what fits today.
    group : str or None
        Only this muscle group's.
    seconds : int or None
        How long, instead of its own time.
    is_list : bool
        List them instead.
    """
    console = make_console()
    stretches = load_stretches()
    if group is not None:
        wanted = group.strip().casefold().replace(" ", "_").replace("-", "_")
        stretches = [stretch for stretch in stretches if stretch.group == wanted]
        if not stretches:
            raise StretchError(f"no stretch for {group!r}; the groups are {', '.join(MuscleGroup)}")
    if is_list:
        _show_list(console, stretches)
        return 0
    status = _find_status()
    slouched = {} if status is None else status.slouched
    stretch = first_stretch(stretches, name, status)
    n = int(time.time() / MINUTE_S)  # another one every minute
    try:
        while True:
            _show(console, stretch, seconds or stretch.seconds)
            n += 1
            stretch = choose_stretch(stretches, n, slouched, avoid=stretch.group)
            if not (console.is_terminal and sys.stdin.isatty()) or not _is_wanted(console, stretch):
                return 0
    except KeyboardInterrupt:
        console.print()
        return INTERRUPTED


def _find_status() -> Status | None:
    """Return how the running monitor stands; None = there is none, or it does not say."""
    try:
        return read_status(state_path())
    except ControlError:
        return None


def first_stretch(stretches: Sequence[Stretch], name: str | None, status: Status | None) -> Stretch:
    """Return the stretch to begin with."""
    if name is not None:
        return find_stretch(stretches, name)
    named = "" if status is None else status.stretch
    for stretch in stretches:
        if stretch.name == named:
            return stretch
    return choose_stretch(stretches, int(time.time() / MINUTE_S), {} if status is None else status.slouched)


def find_stretch(stretches: Sequence[Stretch], name: str) -> Stretch:
    """Return the stretch called `name`, or the only one whose name begins so; upper and lower case are the same.

    Raises
    ------
    StretchError
        If there is none or are several, with their names.
    """
    wanted = name.strip().casefold()
    exact = [stretch for stretch in stretches if stretch.name.casefold() == wanted]
    like = exact or [
        stretch for stretch in stretches if wanted and stretch.name.casefold().startswith(wanted)
    ]
    if len(like) == 1:
        return like[0]
    if like:
        raise StretchError(
            f"{name!r} could be {' or '.join(stretch.name for stretch in like)}; write more of it"
        )
    raise StretchError(f"no stretch {name!r}; 'posture break --list' names them all")


def _show_list(console: Console, stretches: Sequence[Stretch]) -> None:
    """Print the stretches by muscle group: a table on a terminal, else a line each."""
    order = list(MuscleGroup)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("for", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("what it is for")
    for stretch in sorted(stretches, key=lambda s: order.index(s.group)):
        cells = (stretch.name, stretch.group.words, f"{stretch.seconds} s", stretch.purpose)
        table.add_row(*(Text(cell) for cell in cells))
        if not console.is_terminal:
            console.print("{:<28}  {:<10}  {:>5}  {}".format(*cells))
    if console.is_terminal:
        console.print(table)


def _show_steps(console: Console, stretch: Stretch, seconds: int) -> None:
    """Print a stretch with its steps."""
    head = Text.assemble((stretch.name, "bold"), (f"   {stretch.group.words}, {seconds} s", "dim"))
    if stretch.sides == 2:
        head.append(", the second half for the other side", "dim")
    console.print(head, Text(f"{stretch.purpose}\n"), sep="\n")
    steps = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for number, step in enumerate(stretch.steps, start=1):
        steps.add_row(Text(f"{number}.", "cyan"), Text(step))
        if not console.is_terminal:
            console.print(f"{number}. {step}")
    if console.is_terminal:
        console.print(steps)
    console.print(Text(f"\n{SEE_SOMEONE}", "dim"))


def countdown_text(stretch: Stretch, seconds: float, left_s: float) -> RenderableType:
    """Return how much of a stretch is left, and which side it is for."""
    side = ""
    if stretch.sides == 2:
        side = "  first side" if left_s > seconds / 2 else "  now the other side"
    bar = ProgressBar(total=seconds, completed=seconds - left_s, width=30)
    line = Table.grid(padding=(0, 1))
    line.add_row(Text(f"{ceil(left_s):>4} s", "bold"), bar, Text(side.strip(), "bold"))
    return line


def _show(console: Console, stretch: Stretch, seconds: int) -> None:
    """Print a stretch; on a terminal count its time down."""
    _show_steps(console, stretch, seconds)
    if not console.is_terminal:
        return
    end_s = time.monotonic() + seconds
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while (left_s := end_s - time.monotonic()) > 0:
            live.update(countdown_text(stretch, seconds, left_s), refresh=True)
            time.sleep(min(TICK_S, left_s))
    console.print("Done.", style="green")


def _is_wanted(console: Console, stretch: Stretch) -> bool:
    """Ask whether to go on with `stretch`."""
    console.print(f"Next: {stretch.name} ({stretch.seconds} s). Enter to go on, q to end: ", end="")
    # Ctrl-C in the moment in which reading begins is heard only when something is typed: so none begins before.
    while sys.platform != "win32" and not select.select([sys.stdin], [], [], TICK_S)[0]:
        pass
    try:
        answer = input()
    except EOFError:
        console.print()
        return False
    console.print()
    return answer.strip().casefold() in ("", "y", "yes", "n", "next")
