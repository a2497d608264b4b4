"""One chart of a whole clip: deviations with their boundaries, what was judged, states, reasons and events.

Drawn by Matplotlib, the extra ``posture[plot]``; it is imported when a chart is written and not before.
"""

from __future__ import annotations

import html
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from posture.baseline import Baseline
from posture.errors import OutputError
from posture.files import write_atomically
from posture.judging import Thresholds, make_thresholds
from posture.landmarks import FloatArray
from posture.pipeline import StepResult
from posture.settings import JudgeSettings
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.words import EVENTS, ORANGE, REASONS, STATES, clock

KINDS: Final = (".png", ".svg", ".html")
_NECK, _TRUNK, _JUDGED = "#0072b2", "#d55e00", "#444444"  # Okabe & Ito 2008
_HATCHES: Final = {
    SlouchState.UPRIGHT: "",
    SlouchState.SLOUCHING: "///",
    SlouchState.AWAY: "...",
    SlouchState.UNKNOWN: "xx",
}
"""So that a state can be told without its colour."""
_MARKED: Final = {
    EventKind.ALERT: "alert",
    EventKind.BREAK_DUE: "break due",
    EventKind.CAMERA_MOVED: "camera moved",
}
_SIZE_IN, _DPI = (12.0, 6.6), 150
_STYLE: Final = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "axes.titlelocation": "left",
    "font.size": 10,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "posture",  # the same clip gives the same file
    "xtick.color": "#333333",
    "ytick.color": "#333333",
}


class PlotSink:
    """Gather every step and write the chart at the end.

    Parameters
    ----------
    path : Path
        The file to write: ``.png``, ``.svg`` or ``.html``, a page that needs nothing else.
    title : str
        What was judged; may be any text.
    baseline : callable
        Return the upright that is judged against now.
    judge : JudgeSettings
        The boundaries.

    Raises
    ------
    OutputError
        If the file's name is of another kind or Matplotlib is missing; from :meth:`close` if it cannot be written.
    """

    def __init__(
        self, path: Path, title: str, baseline: Callable[[], Baseline | None], judge: JudgeSettings
    ) -> None:
        check_plot_name(path)
        _import_matplotlib()
        self._path, self._title, self._baseline, self._judge = path, title, baseline, judge
        self._rows: list[tuple[float, float, float, float]] = []
        self._states: list[tuple[SlouchState, Reason]] = []
        self._events: list[SlouchEvent] = []

    def handle(self, result: StepResult) -> None:
        """Take in one step."""
        is_judged = result.reason is Reason.NONE
        degrees = (
            (result.neck_deviation_deg, result.thoracic_deviation_deg) if is_judged else (np.nan, np.nan)
        )
        self._rows.append((result.t_s, *degrees, result.slouch_ratio))
        self._states.append((result.state, result.reason))
        self._events += result.events

    def close(self) -> None:
        """Write the chart; nothing if there was no step."""
        if not self._rows:
            return
        baseline = self._baseline()
        limits = None if baseline is None else make_thresholds(self._judge, baseline)
        kind = self._path.suffix.lower().removeprefix(".")
        drawn = _draw(
            np.array(self._rows),
            self._states,
            self._events,
            limits,
            self._judge.release_ratio,
            self._title,
            "png" if kind == "png" else "svg",
        )
        if kind == "html":
            drawn = _page(drawn.decode(), self._title, self._events).encode()
        write_atomically(self._path, drawn, is_durable=False)


def check_plot_name(path: Path) -> None:
    """Raise OutputError unless the end of the file's name tells a kind of chart that is written."""
    if path.suffix.lower() not in KINDS:
        raise OutputError(f"{path}: a plot is {', '.join(KINDS[:-1])} or {KINDS[-1]}: name such a file")


def _import_matplotlib() -> Any:
    """Return Matplotlib, without its words about its font cache."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError as error:
        raise OutputError("--plot needs Matplotlib: python -m pip install matplotlib") from error
    return matplotlib


def _draw(
    rows: FloatArray,
    states: list[tuple[SlouchState, Reason]],
    events: list[SlouchEvent],
    limits: Thresholds | None,
    release_ratio: float,
    title: str,
    kind: str,
) -> bytes:
    """Return the chart as the content of a file."""
    matplotlib = _import_matplotlib()
    with matplotlib.rc_context(_STYLE):
        figure = matplotlib.figure.Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
        degrees, judged, band = figure.subplots(3, sharex=True, height_ratios=(5, 3, 1.1))
        degrees.set_title(title.replace("$", r"\$"), fontsize=12, fontweight="bold")
        t_s = rows[:, 0]
        for column, name, colour, style in ((1, "neck", _NECK, "-"), (2, "trunk", _TRUNK, (0, (4, 1)))):
            degrees.plot(t_s, rows[:, column], color=colour, linestyle=style, linewidth=1.3, label=name)
            if limits is not None:
                limit_deg = limits.neck_deg if name == "neck" else limits.thoracic_deg
                text = f"{name} limit {limit_deg:.0f}°"
                degrees.axhline(limit_deg, color=colour, linestyle=":", linewidth=1.2, label=text)
        degrees.axhline(0.0, color="#bbbbbb", linewidth=0.8, zorder=0)
        degrees.set_ylabel("degrees forward\nof your upright")
        degrees.legend(loc="upper left", ncols=4, frameon=False, fontsize=9)
        degrees.margins(y=0.2)
        judged.plot(t_s, rows[:, 3], color=_JUDGED, linewidth=1.2)
        judged.axhline(1.0, color=ORANGE, linewidth=1.4)
        judged.axhline(release_ratio, color="#999999", linestyle=":", linewidth=1.0)
        for y, text in ((1.0, "a slouch above this"), (release_ratio, "over below this")):
            judged.annotate(text, (0.005, y), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
        judged.set_ylabel("share of\nthe limit")
        judged.set_ylim(min(-0.2, float(np.nanmin(rows[:, 3], initial=0.0))), max(1.3, _top(rows[:, 3])))
        _draw_band(matplotlib, band, t_s, states)
        for event in (event for event in events if event.kind in _MARKED):
            for axis in (degrees, judged):
                axis.axvline(event.confirmed_s, color="black", linewidth=1.0)
            degrees.annotate(
                _MARKED[event.kind],
                (event.confirmed_s, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, -9),
                textcoords="offset points",
                fontsize=9,
                fontweight="bold",
            )
        band.set_xlim(t_s[0], max(t_s[-1], t_s[0] + 1.0))
        band.set_xlabel("time")
        band.xaxis.set_major_formatter(lambda value, _position: clock(max(value, 0.0)))
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return content.getvalue()


def _draw_band(matplotlib: Any, axis: Any, t_s: FloatArray, states: list[tuple[SlouchState, Reason]]) -> None:
    """Draw the states as a band, each with its colour, its hatch and, where there is room, its word."""
    starts = [i for i, told in enumerate(states) if i == 0 or told != states[i - 1]]
    last_s, total_s = float(t_s[-1]), max(float(t_s[-1] - t_s[0]), 1e-9)
    for i, start in enumerate(starts):
        state, reason = states[start]
        begin_s = float(t_s[start])
        end_s = float(t_s[starts[i + 1]]) if i + 1 < len(starts) else last_s
        axis.axvspan(
            begin_s, end_s, facecolor=STATES[state][2], hatch=_HATCHES[state], edgecolor="#00000055", lw=0
        )
        word = REASONS[reason] or STATES[state][1]
        if (end_s - begin_s) / total_s > 0.012 * len(word):  # a letter is about a hundredth of the width
            axis.text(
                (begin_s + end_s) / 2,
                0.5,
                word,
                ha="center",
                va="center",
                fontsize=9,
                bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5},
            )
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.set_ylabel("state", rotation=0, ha="right", va="center")


def _top(values: FloatArray) -> float:
    """Return the upper end of an axis that shows all but spikes."""
    is_there = values[~np.isnan(values)]
    return 1.1 * float(np.quantile(is_there, 0.995)) if len(is_there) else 1.0


def _page(svg: str, title: str, events: list[SlouchEvent]) -> str:
    """Return a page with the chart and the events as a table, for whoever does not see charts."""
    svg = svg[svg.index("<svg") :]
    rows = "".join(
        f"<tr><td>{clock(event.onset_s)}</td><td>{clock(event.confirmed_s)}</td><td>{EVENTS[event.kind]}"
        f"{': ' + REASONS[event.reason] if event.kind is EventKind.UNKNOWN_STARTED else ''}</td></tr>\n"
        for event in events
    )
    name = html.escape(title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222;
  background: #fff; }}
svg {{ width: 100%; height: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem 1rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd; }}
</style>
</head>
<body>
<main>
<figure role="img" aria-label="Deviations, states and events of {name}; the events are in the table below">
{svg}</figure>
<table>
<caption>Events</caption>
<thead><tr><th scope="col">began</th><th scope="col">certain at</th><th scope="col">what</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</main>
</body>
</html>
"""
