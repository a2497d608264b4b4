"""What a person reads in the terminal: words, symbols, the status line, tables. Builds text; prints nothing itself.

Every state has its own symbol as well as its colour, so that it can be told without seeing colours.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from posture.baseline import Baseline
from posture.calibration import CalibrationQuality
from posture.pipeline import StepResult
from posture.profiles import age_text
from posture.sinks import word_alert
from posture.slouch import EventKind, Reason, SlouchState
from posture.summary import Summary

STATES: dict[SlouchState, tuple[str, str, str]] = {
    SlouchState.UPRIGHT: ("●", "upright", "green"),
    SlouchState.SLOUCHING: ("▲", "slouching", "yellow"),
    SlouchState.AWAY: ("○", "away", "blue"),
    SlouchState.UNKNOWN: ("?", "not judging", "magenta"),
}
REASONS: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.NOT_CALIBRATED: "calibrating",
    Reason.NO_PICTURE: "no picture from the camera",
    Reason.NO_PERSON: "nobody in view",
    Reason.TOO_DARK: "too dark",
    Reason.LOW_CONFIDENCE: "face or shoulders hidden",
    Reason.TURNED_AWAY: "turned away",
    Reason.OUT_OF_PLACE: "not in the calibrated place",
    Reason.CAMERA_MOVED: "the camera has moved: calibrate again",
    Reason.NOT_MEASURED: "posture not measurable",
    Reason.CAMERA_COVERED: "the camera is covered, or its picture black",
    Reason.CAMERA_FROZEN: "the camera's picture has frozen",
    Reason.PAUSED: "paused",
    Reason.SCREEN_LOCKED: "paused while the screen is locked",
    Reason.IDLE: "paused while nobody is at the computer",
    Reason.IN_CALL: "paused during a call",
    Reason.ON_BATTERY: "paused on battery",
}
EVENTS: dict[EventKind, str] = {
    EventKind.SLOUCH_STARTED: "slouch began",
    EventKind.SLOUCH_ENDED: "slouch ended",
    EventKind.AWAY: "left the desk",
    EventKind.RETURNED: "came back",
    EventKind.ALERT: "alert",
    EventKind.BREAK_DUE: "movement break due",
    EventKind.MICRO_BREAK_DUE: "short pause due",
    EventKind.CAMERA_MOVED: "the camera has moved",
    EventKind.CAMERA_LOST: "camera lost",
    EventKind.CAMERA_BACK: "camera back",
    EventKind.UNKNOWN_STARTED: "judging paused",
    EventKind.UNKNOWN_ENDED: "judging again",
}


def clock(seconds: float) -> str:
    """Return a time span as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _degrees(value: float) -> str:
    """Return a signed whole number of degrees; a dash when it was not measured."""
    return "-" if isnan(value) else f"{round(value):+d}°"


def status_text(result: StepResult, note: str = "") -> Text:
    """Return the one-line status after a frame."""
    symbol, word, colour = STATES[result.state]
    text = Text.assemble((f"{symbol} {word}", f"bold {colour}"), no_wrap=True, overflow="ellipsis")
    if result.reason is not Reason.NONE:
        text.append(f"  {REASONS[result.reason]}", "dim")
    elif not isnan(result.slouch_ratio):
        text.append(
            f"  neck {_degrees(result.neck_deviation_deg)}  trunk {_degrees(result.thoracic_deviation_deg)}"
            f"  {max(result.slouch_ratio, 0.0):.0%} of the limit"
        )
    if result.slouched_s > 0:
        text.append(f"  slouched {clock(result.slouched_s)}", colour)
    if note:  # before what a narrow terminal may cut
        text.append(f"  {note}", "yellow")
    text.append(f"  sat {clock(result.sat_s)}", "dim")
    return text


def event_lines(result: StepResult) -> list[Text]:
    """Return a line for every event of a frame."""
    lines = []
    for event in result.events:
        text = Text.assemble((f"{clock(event.confirmed_s):>8}", "dim"), "  ", EVENTS[event.kind])
        if event.kind is EventKind.ALERT:
            text.stylize("bold yellow", 10)
            if result.alert is not None:
                title, message = word_alert(result, result.alert)
                text.append(f": {title} - {message}", "bold")
        elif event.kind is EventKind.UNKNOWN_STARTED:
            text.append(f": {REASONS[event.reason]}")
        lines.append(text)
    return lines


class StatusLine:
    """Show the newest result as one live line on a terminal, and every event as a line; a sink.

    Where the output is not a terminal only the events are written.

    Parameters
    ----------
    console : Console
        Where to.
    note : callable
        Return what else to show at the line's end: camera trouble, failed notifications.
    """

    def __init__(self, console: Console, note: Callable[[], str]) -> None:
        self._console, self._note = console, note
        self._live = Live(console=console, auto_refresh=False, transient=True)
        if console.is_terminal:
            self._live.start()

    def handle(self, result: StepResult) -> None:
        """Show one frame's result."""
        for line in event_lines(result):
            self._console.print(line)
        if self._console.is_terminal:
            self._live.update(status_text(result, self._note()), refresh=True)

    def close(self) -> None:
        """Take the live line away."""
        self._live.stop()


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
        table.add_row(Text(f"{symbol} {word}", colour), clock(seconds), f"{share:.0%}")
    for reason, seconds in sorted(summary.not_judged_s.items(), key=lambda item: -item[1]):
        table.add_row(Text(f"  {REASONS[reason]}", "dim"), Text(clock(seconds), "dim"))
    at = ", ".join(clock(t_s) for t_s in summary.alerts_s)
    table.add_row("alerts", str(len(summary.alerts_s)), f"at {at}" if at else "")
    table.add_row("frames", str(summary.n_frames))
    return table


def baseline_text(baseline: Baseline) -> str:
    """Return a baseline in one line."""
    return (
        f"camera from the {baseline.placement.value}, {baseline.n_frames} frames over "
        f"{baseline.duration_s:.1f} s, {age_text(baseline)}"
    )


def quality_text(quality: CalibrationQuality) -> str:
    """Return a calibration's quality in one line."""
    return (
        f"seen in {quality.visible_ratio:.0%} of {quality.n_frames} frames, "
        f"sway {quality.sway_ratio:.3f} shoulder widths, head turned {quality.turn_deg:.1f}°, "
        f"brightness {quality.luminance:.2f}"
    )


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

    def handle(self, result: StepResult) -> None:
        """Advance to the frame's time."""
        self._progress.update(self._task, completed=result.t_s)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()
