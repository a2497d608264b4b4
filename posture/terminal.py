"""What a run prints in the terminal: events as lines, the live panel below them, progress and totals.

Every state has its own symbol and word as well as its colour, so that it can be told without seeing colours.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from math import inf

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from posture.panel import (
    ASCII_GLYPHS,
    HEIGHT,
    MIN_LINES,
    MIN_WIDTH,
    UNICODE_GLYPHS,
    render,
    render_low,
    status_line,
)
from posture.panel_view import PanelView, Surroundings, make_view
from posture.pipeline import Pipeline
from posture.sinks import Sink, word_alert
from posture.slouch import EventKind, Reason, SlouchState
from posture.step_result import StepResult
from posture.summary import Summary
from posture.words import EVENTS, REASONS, STATES, clock, needs_ascii

CALM_S, SLOUCH_S = 2.0, 1.0
"""Seconds between two drawings at least, while the state stays as it is: drawing costs 1-2 ms, and numbers that change
faster cannot be read. While slouched there is a countdown to follow (our choice)."""
KEPT_EVENTS = 8
"""Event lines shown again after the terminal has been resized (our choice)."""
MIN_EVENTS = 2
"""Lines left above the panel, for the newest events (our choice)."""
MARGIN = 2
"""Columns left free at its right, for Ctrl-C's echo: where that has to be wrapped, a line of the panel stays behind."""


def as_ascii(text: Text) -> Text:
    """Return a line for a terminal that shows ASCII only."""
    return Text(text.plain.replace("°", " degrees").encode("ascii", "replace").decode(), text.style)


def event_lines(result: StepResult) -> list[Text]:
    """Return a line for every event of a frame."""
    lines = []
    for event in result.events:
        text = Text.assemble((f"{clock(event.confirmed_s):>8}", "dim"), "  ", EVENTS[event.kind])
        if event.kind is EventKind.ALERT:
            text.stylize("bold", 10)
            if result.alert is not None:
                title, message = word_alert(result, result.alert)
                text.append(f": {title} - {message}", "bold")
        elif event.kind is EventKind.UNKNOWN_STARTED:
            text.append(f": {REASONS[event.reason]}")
        lines.append(text)
    return lines


class EventLines:
    """Write every event as a line and nothing else; a sink, for files, pipes and screen readers.

    Parameters
    ----------
    console : Console
        Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_ascii = needs_ascii(console.encoding, os.environ)

    def handle(self, result: StepResult) -> None:
        """Write the frame's events."""
        for line in event_lines(result):
            self._console.print(as_ascii(line) if self._is_ascii else line)

    def close(self) -> None:
        """Nothing to take away."""


class LiveView:
    """Show the newest result as a live panel, or as much of it as there is room for, and events above it; a sink.

    It is drawn when the state changes, else every second or two at most, and only when something shown has changed.

    Parameters
    ----------
    console : Console
        A terminal's.
    pipeline : Pipeline
        Gives the settings and the thresholds in force.
    around : callable
        Return what else to show; it is asked only when there may be something to draw.
    """

    def __init__(self, console: Console, pipeline: Pipeline, around: Callable[[], Surroundings]) -> None:
        self._console, self._pipeline, self._around = console, pipeline, around
        self._is_ascii = needs_ascii(console.encoding, os.environ)
        self._glyphs = ASCII_GLYPHS if self._is_ascii else UNICODE_GLYPHS
        self._recent: deque[Text] = deque(maxlen=KEPT_EVENTS)
        self._shown: tuple[PanelView, int, int] | None = None
        self._drawn_s = -inf
        self._urgent: tuple[SlouchState, Reason, bool] | None = None
        self._live = self._start()

    def handle(self, result: StepResult) -> None:
        """Show one frame's result."""
        for line in event_lines(result):
            shown = as_ascii(line) if self._is_ascii else line
            self._recent.append(shown)
            self._console.print(shown)
        now_s, urgent = time.monotonic(), (result.state, result.reason, result.slouched_s > 0.0)
        is_told = bool(result.events) or urgent != self._urgent
        if not is_told and now_s - self._drawn_s < (SLOUCH_S if urgent[2] else CALM_S):
            return
        self._urgent = urgent
        settings = self._pipeline.settings
        view = make_view(
            result,
            self._around(),
            self._pipeline.thresholds,
            settings.alert.sustain_s,
            settings.breaks.interval_s if settings.breaks.enabled else None,
        )
        width, height = self._console.size
        if (view, width, height) == self._shown:
            return
        if self._shown is not None and (width, height) != self._shown[1:]:
            self._redraw()
        self._shown, self._drawn_s = (view, width, height), now_s
        self._live.update(self._draw(view, width - MARGIN, height - MIN_EVENTS), refresh=True)

    def close(self) -> None:
        """Take the panel away."""
        self._live.stop()

    def _draw(self, view: PanelView, width: int, height: int) -> RenderableType:
        """Return as much of a view as there is room for."""
        if width < MIN_WIDTH or height < MIN_LINES:
            return status_line(view, self._glyphs, width)
        if height <= HEIGHT:
            return render_low(view, width, height, self._glyphs)
        return render(view, width, self._glyphs)

    def _start(self) -> Live:
        """Begin a live region below what has been printed."""
        live = Live(console=self._console, auto_refresh=False, transient=True)
        live.start()
        return live

    def _redraw(self) -> None:
        """Start over on a terminal of another size: what is left of the panel there is anybody's guess."""
        self._live.update(Text(""))
        self._live.stop()
        self._console.clear()
        for line in self._recent:
            self._console.print(line)
        self._live = self._start()


def make_display(
    console: Console, pipeline: Pipeline, around: Callable[[], Surroundings], *, is_plain: bool
) -> Sink:
    """Return what shows a run: a live panel on a terminal, else, or when it is to be `is_plain`, event lines."""
    if is_plain or console.quiet or not console.is_terminal or console.is_dumb_terminal:
        return EventLines(console)
    return LiveView(console, pipeline, around)


def summary_table(summary: Summary) -> Table:
    """Return a run's totals."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    total_s = sum(summary.seconds.values())
    for state, (symbol, word, colour) in STATES.items():
        seconds = summary.seconds[state]
        share = seconds / total_s if total_s else 0.0
        table.add_row(Text.assemble((symbol, colour), f" {word}"), clock(seconds), f"{share:.0%}")
    for reason, seconds in sorted(summary.not_judged_s.items(), key=lambda item: -item[1]):
        table.add_row(Text(f"  {REASONS[reason]}", "dim"), Text(clock(seconds), "dim"))
    at = ", ".join(clock(t_s) for t_s in summary.alerts_s)
    table.add_row("alerts", str(len(summary.alerts_s)), f"at {at}" if at else "")
    table.add_row("frames", str(summary.n_frames))
    return table


class ReplayProgress:
    """Show how far a replay is, on a terminal; a sink.

    Parameters
    ----------
    console : Console
        Where to; nothing is shown if it is not a terminal.
    name : str
        The clip.
    duration_s : float or None
        How long it is, in frame time; None = not known.
    """

    def __init__(self, console: Console, name: str, duration_s: float | None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(name, total=duration_s)
        self._progress.start()
        self._shown_s = -inf

    def handle(self, result: StepResult) -> None:
        """Advance to the frame's time, once a second of it: most frames cannot be seen to move the bar."""
        if result.t_s - self._shown_s >= 1.0:
            self._shown_s = result.t_s
            self._progress.update(self._task, completed=result.t_s)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()
