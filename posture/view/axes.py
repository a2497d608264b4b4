"""The parts of a chart of a replay, each drawn into axes that somebody else made.

Drawn by Matplotlib, the extra ``posture[plot]``; it is imported when a figure is wanted and not before.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np

from posture.errors import OutputError
from posture.judging import Thresholds
from posture.landmarks import FloatArray
from posture.slouch import EventKind, Reason, SlouchEvent, SlouchState
from posture.step_result import StepResult
from posture.words import ORANGE, REASONS, STATES, clock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def import_matplotlib(wanted_by: str) -> ModuleType:
    """Return Matplotlib, without its words about its font cache.

    Raises
    ------
    OutputError
        If it is not installed; the text begins with `wanted_by`.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError as error:
        raise OutputError(f"{wanted_by} needs Matplotlib: python -m pip install matplotlib") from error
    return matplotlib


def draw_all(
    figure: Figure,
    steps: Sequence[StepResult],
    limits: Thresholds | None,
    release_ratio: float,
    title: str,
) -> None:
    """Draw deviations, ratio and states below each other; `steps` is not empty."""
    events = [event for step in steps for event in step.events]
    degrees, ratio, band = figure.subplots(3, sharex=True, height_ratios=(5, 3, 1.1))
    degrees.set_title(title.replace("$", r"\$"), fontsize=12, fontweight="bold")
    draw_deviations(degrees, steps, limits)
    draw_ratio(ratio, steps, release_ratio)
    draw_band(band, steps)
    draw_events(degrees, events)
    draw_events(ratio, events, has_words=False)
    set_time_axis(band, steps)


def draw_deviations(ax: Axes, steps: Sequence[StepResult], limits: Thresholds | None) -> None:
    """Draw the two angles, with gaps where nothing was judged, and their thresholds."""
    t_s = _column(steps, "t_s")
    is_judged = np.array([step.reason is Reason.NONE for step in steps], dtype=np.bool_)
    for name, part, colour, style in (
        ("neck", "neck", _NECK, "-"),
        ("trunk", "thoracic", _TRUNK, (0, (4, 1))),
    ):
        degrees = np.where(is_judged, _column(steps, f"{part}_deviation_deg"), np.nan)
        ax.plot(t_s, degrees, color=colour, linestyle=style, linewidth=1.3, label=name)
        if limits is not None:
            limit_deg: float = getattr(limits, f"{part}_deg")
            text = f"{name} limit {limit_deg:.0f}°"
            ax.axhline(limit_deg, color=colour, linestyle=":", linewidth=1.2, label=text)
    ax.axhline(0.0, color="#bbbbbb", linewidth=0.8, zorder=0)
    ax.set_ylabel("degrees forward\nof your upright")
    ax.legend(loc="lower left", ncols=4, frameon=False, fontsize=9)
    ax.margins(y=0.2)


def draw_ratio(ax: Axes, steps: Sequence[StepResult], release_ratio: float) -> None:
    """Draw the slouch ratio with the boundaries of its hysteresis."""
    ratio = _column(steps, "slouch_ratio")
    ax.plot(_column(steps, "t_s"), ratio, color=_JUDGED, linewidth=1.2)
    ax.axhline(1.0, color=ORANGE, linewidth=1.4)
    ax.axhline(release_ratio, color="#999999", linestyle=":", linewidth=1.0)
    for y, text in ((1.0, "a slouch above this"), (release_ratio, "over below this")):
        ax.annotate(text, (0.005, y), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
    ax.set_ylabel("share of\nthe limit")
    ax.set_ylim(min(-0.2, float(np.nanmin(ratio, initial=0.0))), max(1.3, _top(ratio)))


def draw_events(ax: Axes, events: Sequence[SlouchEvent], *, has_words: bool = True) -> None:
    """Draw a line, and perhaps a word, at every event that somebody is told of."""
    for event in (event for event in events if event.kind in _MARKED):
        ax.axvline(event.confirmed_s, color="black", linewidth=1.0)
        if has_words:
            ax.annotate(
                _MARKED[event.kind],
                (event.confirmed_s, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, -9),
                textcoords="offset points",
                fontsize=9,
                fontweight="bold",
            )


def draw_band(ax: Axes, steps: Sequence[StepResult]) -> None:
    """Draw the states as a band."""
    told = [(step.state, step.reason) for step in steps]
    starts = [i for i, what in enumerate(told) if i == 0 or what != told[i - 1]]
    total_s = max(steps[-1].t_s - steps[0].t_s, 1e-9) if steps else 0.0
    for i, start in enumerate(starts):
        state, reason = told[start]
        begin_s = steps[start].t_s
        end_s = steps[starts[i + 1]].t_s if i + 1 < len(starts) else steps[-1].t_s
        ax.axvspan(
            begin_s, end_s, facecolor=STATES[state][2], hatch=_HATCHES[state], edgecolor="#00000055", lw=0
        )
        word = REASONS[reason] or STATES[state][1]
        if (end_s - begin_s) / total_s > 0.012 * len(word):  # a letter is about a hundredth of the width
            ax.text(
                (begin_s + end_s) / 2,
                0.5,
                word,
                ha="center",
                va="center",
                fontsize=9,
                bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5},
            )
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylabel("state", rotation=0, ha="right", va="center")


def set_time_axis(ax: Axes, steps: Sequence[StepResult]) -> None:
    """Let x run over the steps, in minutes and seconds."""
    if steps:
        ax.set_xlim(steps[0].t_s, max(steps[-1].t_s, steps[0].t_s + 1.0))
    ax.set_xlabel("time")
    ax.xaxis.set_major_formatter(lambda value, _position: clock(max(value, 0.0)))


def _column(steps: Sequence[StepResult], name: str) -> FloatArray:
    """Return one number of every step, (T,)."""
    return np.array([getattr(step, name) for step in steps], dtype=np.float64)


def _top(values: FloatArray) -> float:
    """Return the upper end of an axis that shows all but spikes."""
    is_there = values[~np.isnan(values)]
    return 1.1 * float(np.quantile(is_there, 0.995)) if len(is_there) else 1.0
