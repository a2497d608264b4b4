"""How the live panel of a run looks at any width. Builds text; prints nothing itself.

A slouch shows in the border's colour, shape and title from its onset, long before it is mentioned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.box import ASCII, ASCII_DOUBLE_HEAD, DOUBLE, ROUNDED, Box
from rich.cells import cell_len
from rich.panel import Panel
from rich.text import Text

from posture.panel_view import BAR_LIMITS, Level, PanelView
from posture.slouch import Reason, SlouchState
from posture.words import ASCII_SYMBOLS, BLUE, GREY, ORANGE, REASONS, STATES, clock

MAX_WIDTH: Final = 76
"""Columns; longer lines are hard to follow (our choice)."""
MIN_WIDTH: Final = 24
"""Columns; in fewer there is room for the state and no more (our choice)."""
HEIGHT: Final = 13
"""Lines of the panel."""
MIN_LINES: Final = 5
"""Lines without a border that are worth showing: the state and the four deviations."""
LABEL_WIDTH: Final = 9
VALUE_WIDTH: Final = 6


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters a panel is made of."""

    symbols: dict[SlouchState, str]
    full: str
    empty: str
    mark: str
    """Where the limit is."""
    degree: str
    boxes: tuple[Box, Box, Box]
    """One for each :class:`Level`."""


UNICODE_GLYPHS: Final = Glyphs(
    {state: symbol for state, (symbol, _, _) in STATES.items()},
    "█",
    "─",
    "┃",
    "°",
    (ROUNDED, ROUNDED, DOUBLE),
)
ASCII_GLYPHS: Final = Glyphs(ASCII_SYMBOLS, "#", "-", "|", "d", (ASCII, ASCII, ASCII_DOUBLE_HEAD))


def render(view: PanelView, width: int, glyphs: Glyphs) -> Panel:
    """Return the panel, `width` columns wide at most.

    Parameters
    ----------
    view : PanelView
        What to show.
    width : int
        Columns of the terminal.
    glyphs : Glyphs
        What to draw with.
    """
    width = max(min(width, MAX_WIDTH), MIN_WIDTH)
    colour = STATES[view.state][2] if view.level is Level.CALM else ORANGE
    return Panel(
        Text("\n").join(_lines(view, width - 4, glyphs)),
        title=Text(_title(view, width - 6), "bold default"),  # a longer one would widen the panel
        title_align="left",
        border_style=colour if view.level is Level.CALM else f"bold {colour}",
        box=glyphs.boxes[view.level],
        width=width,
    )


def render_low(view: PanelView, width: int, height: int, glyphs: Glyphs) -> Text:
    """Return the panel's first `height` lines without a border, for a terminal in which it has no room."""
    room = max(min(width, MAX_WIDTH), MIN_WIDTH)
    return Text("\n").join(_lines(view, room, glyphs)[:height])


def _lines(view: PanelView, room: int, glyphs: Glyphs) -> list[Text]:
    """Return what the panel says, the most telling first."""
    lines = [headline(view, glyphs, room)]
    lines += [_bar_line(bar, room, glyphs) for bar in view.bars]
    slouched = _row("slouched", f"{clock(view.slouched_s)} of {clock(view.sustain_s)}", room)
    lines.append(_gauge(slouched, view.slouched_s / max(view.sustain_s, 1), room, glyphs, ORANGE))
    lines += [
        _row("sitting", _sitting(view, room - LABEL_WIDTH - 1), room),
        _row(
            "upright",
            "-" if view.upright_percent is None else f"{view.upright_percent}% of {view.span}",
            room,
        ),
        _row("camera", view.camera, room),
    ]
    if view.trouble:
        lines[-1] = _row("camera", view.trouble, room, "bold")
    cpu = "" if view.cpu_percent is None else f", CPU {view.cpu_percent}%"
    rate = f"{view.frame_hz:.1f} fps"
    ways = (f"{rate}, {view.judged_hz:.1f} judged/s{cpu}", f"{rate}{cpu}")
    load = next((way for way in ways if LABEL_WIDTH + 1 + len(way) <= room), rate)
    lines.append(_row("load", load, room))
    lines.append(_row("notified", view.notified, room))
    for line in lines:
        line.truncate(room)
    return lines


def _title(view: PanelView, room: int) -> str:
    """Return the border's words: they say a slouch without its colour."""
    if view.level is Level.CALM:
        return "posture"
    told = f"slouching, {clock(view.sustain_s - view.slouched_s)} to go"
    if view.level is Level.ALERT:
        told = "slouching: time to sit up?"
    return told if len(told) <= room else "time to sit up?" if view.level is Level.ALERT else "slouching"


def headline(view: PanelView, glyphs: Glyphs, room: int) -> Text:
    """Return the state, and as much of why it is that as there is room for."""
    _, word, colour = STATES[view.state]
    symbol = (f"{glyphs.symbols[view.state]} ", f"bold {colour}")
    text = Text.assemble(symbol, (word, "bold"), no_wrap=True, overflow="ellipsis")
    if view.reason is not Reason.NONE:
        text.append(f"  {REASONS[view.reason]}")
    elif view.limit_percent is not None:
        share = f"  {view.limit_percent}% of the limit"
        told = (f"{share}, by the {view.driver}", share, f"  {view.limit_percent}%")
        text.append(next((words for words in told if text.cell_len + len(words) <= room), ""))
    text.truncate(room, overflow="ellipsis" if glyphs is UNICODE_GLYPHS else "crop")
    return text


def status_line(view: PanelView, glyphs: Glyphs, room: int) -> Text:
    """Return the most telling parts of the panel in one line, for where there is no room for more."""
    slouched = f"  slouched {clock(view.slouched_s)}" if view.slouched_s else ""
    trouble = f"  {view.trouble}" if view.trouble else ""
    text = headline(view, glyphs, max(room - len(slouched) - cell_len(trouble), 16))
    for words, style in ((slouched, "bold"), (trouble, "bold"), (f"  sat {view.sat_min} min", "dim")):
        if text.cell_len + cell_len(words) <= room:
            text.append(words, style)
    text.truncate(room)
    return text


def _bar_line(bar: tuple[str, int | None, int, int, str], room: int, glyphs: Glyphs) -> Text:
    """Return one deviation: its value, a bar with the limit marked, and the limit."""
    name, value, limit, twentieths, unit = bar
    sign = glyphs.degree if unit == "deg" else unit
    told = "-" if value is None else f"{value:+d}{sign}"
    tail = f" +{limit}{sign}"
    text = Text.assemble(
        (f"{name:<{LABEL_WIDTH}}", "dim"), f"{told:>{VALUE_WIDTH}} ", no_wrap=True, overflow="crop"
    )
    cells = room - LABEL_WIDTH - VALUE_WIDTH - 1 - 6
    if cells < 4:
        return text
    at = round(cells / BAR_LIMITS)  # cells before the mark
    filled = round(twentieths / (20.0 * BAR_LIMITS) * cells)
    below, above = min(filled, at), max(filled - at - 1, 0)
    text.append(glyphs.full * below, BLUE).append(glyphs.empty * (at - below), GREY)
    text.append(glyphs.mark, "bold")
    text.append(glyphs.full * above, ORANGE).append(glyphs.empty * (cells - at - 1 - above), GREY)
    return text.append(f"{tail:>6}", "dim")


def _gauge(text: Text, share: float, room: int, glyphs: Glyphs, colour: str) -> Text:
    """Return `text` with a bar of `share` in what room it leaves."""
    cells = min(room - text.cell_len - 2, 20)
    if cells >= 4:
        filled = round(min(share, 1.0) * cells)
        text.append("  ").append(glyphs.full * filled, colour).append(glyphs.empty * (cells - filled), GREY)
    return text


def _sitting(view: PanelView, room: int) -> str:
    """Return the sitting clock, and if there is room when a break is due."""
    sat = f"{view.sat_min} min"
    if view.break_min is None:
        return sat
    due = f"{sat}, break in {view.break_min} min" if view.break_min else f"{sat}, a break is due"
    return due if len(due) <= room else sat


def _row(label: str, words: str, room: int, style: str = "") -> Text:
    """Return a label and its words, cut at the edge."""
    text = Text.assemble((f"{label:<{LABEL_WIDTH + 1}}", "dim"), (words, style), no_wrap=True)
    text.truncate(room, overflow="crop")
    return text
