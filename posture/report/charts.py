"""The page's charts as inline SVG.

A chart is one image to a screen reader, with what it shows in its label; the table beside it has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import svg
from markupsafe import Markup

from posture.report.day import DayCourse
from posture.report.drawing import (
    MAX_LABELS,
    PLOT_PX,
    TOP_PX,
    Axis,
    band,
    below,
    chart,
    escaped,
    grid,
    hour_labels,
    label_steps,
    line,
    nice_step,
    percent,
    periods,
    text,
)
from posture.slouch import SlouchState

STACK = (SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.UNKNOWN, SlouchState.AWAY)
"""From the bottom up: what is judged stands on the ground line."""
MAX_NOTES = 16
"""More columns than this have no room for a note above each."""
_MAX_DATES = 5  # as many as find room on a phone
_FOOT_PX, _LINE_PX = 20, 14  # below the plot: one line of labels, each further one
_BAND_PX, _ROW_PX = 14, 26
# The degrees always shown, and never exceeded: a landmark that has slipped must not flatten the day.
_NARROW_DEG, _WIDE_DEG = (-10.0, 20.0), (-40.0, 60.0)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart."""

    label: str
    """Below it; a second line after a line break."""
    values: tuple[float, ...]
    """From the bottom up, one for each class of the chart."""
    tip: str
    """Shown by a pointer held over it."""
    note: str = ""
    """Above it."""
    is_faint: bool = False
    """Too little to go by."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line."""

    label: str
    share: float | None
    """0..1; None = nothing was judged."""
    tip: str
    is_enough: bool
    """Whether there is enough to go by; the line joins only such points."""


def columns(
    bars: Sequence[Column],
    classes: Sequence[str],
    unit: str,
    label: str,
    *,
    top: float = 0.0,
    plot_px: int = PLOT_PX,
) -> Markup:
    """Return stacked columns.

    Parameters
    ----------
    bars : sequence of Column
        From left to right; many of them are labelled only here and there.
    classes : sequence of str
        Style classes of a column's values.
    unit : str
        Behind the numbers of the axis.
    label : str
        What the chart shows, in a sentence, for who cannot see it.
    top : float
        The axis reaches at least this far up.
    plot_px : int
        Height of the columns' field.
    """
    tallest = max([top, *(sum(bar.values) for bar in bars)]) or 1.0
    step = nice_step(tallest)
    n_steps = ceil(tallest / step - 1e-9)
    axis = Axis(0.0, n_steps * step, plot_px)
    drawn = grid(axis, [i * step for i in range(n_steps + 1)], unit)
    width = 1.0 / max(len(bars), 1)
    note_class = "note minor" if len(bars) > MAX_LABELS else "note"
    for i, bar in enumerate(bars):
        parts: list[svg.Element] = [svg.Title(text=escaped(bar.tip))]
        height = 0.0
        x, w = percent((i + 0.14) * width), percent(0.72 * width)
        for value, name in zip(bar.values, classes, strict=True):
            y = axis.y(height + value)
            parts.append(svg.Rect(x=x, width=w, y=y, height=round(axis.y(height) - y, 2), class_=[name]))
            height += value
        # The whole height answers the pointer, also over a short column.
        x, w = percent(i * width), percent(width)
        parts.append(svg.Rect(x=x, width=w, y=TOP_PX, height=plot_px, class_=["touch"]))
        drawn.append(svg.G(elements=parts, class_=["faint"] if bar.is_faint else None))
        if bar.note and len(bars) <= MAX_NOTES:
            drawn.append(text(bar.note, (i + 0.5) * width, axis.y(height) - 5, note_class))
    drawn += below([bar.label for bar in bars], label_steps(len(bars), MAX_LABELS), axis)
    return chart(drawn, _height_px(axis, [bar.label for bar in bars]), label)


def share_line(points: Sequence[Point], label: str, *, plot_px: int = PLOT_PX) -> Markup:
    """Return shares over time as points joined by a line.

    Parameters
    ----------
    points : sequence of Point
        From left to right.
    label, plot_px
        As in `columns`.
    """
    axis = Axis(0.0, 100.0, plot_px)
    drawn = grid(axis, [0, 25, 50, 75, 100], "%")
    width = 1.0 / max(len(points), 1)
    joined: list[tuple[float, float]] = []
    dots: list[svg.Element] = []
    for i, point in enumerate(points):
        if point.share is None:
            continue
        x, y = (i + 0.5) * width, axis.y(100 * point.share)
        if point.is_enough:
            joined.append((x, y))
        dot = svg.Circle(
            cx=percent(x),
            cy=y,
            r=4 if len(points) <= 30 else 2.5,
            class_=["dot" if point.is_enough else "dot hollow"],
        )
        dots.append(svg.G(elements=[svg.Title(text=escaped(point.tip)), dot]))
    if joined:
        drawn.append(line([joined], (0.0, 0.0, 1.0, float(axis.foot_px)), axis.foot_px, 0, "line"))
    drawn += below([p.label for p in points], label_steps(len(points), _MAX_DATES), axis)
    return chart(drawn + dots, _height_px(axis, [p.label for p in points]), label)


def course(day: DayCourse, span: tuple[int, int], label: str) -> Markup:
    """Return a day's deviations by the minute and their limits, slouches shaded, alerts marked, the states below.

    Parameters
    ----------
    day : DayCourse
        The day.
    span : tuple of int
        First and last minute since midnight shown; see `day_span`.
    label : str
        What the chart shows, in a sentence.
    """
    degrees = [value for c in day.curves for value in (*c.neck_deg, *c.thoracic_deg)]
    degrees += [value for known in day.limits for value in (known.neck_deg, known.thoracic_deg)]
    low = max(_WIDE_DEG[0], floor(min([_NARROW_DEG[0], *degrees]) / 10) * 10.0)
    high = min(_WIDE_DEG[1], ceil(max([_NARROW_DEG[1], *degrees]) / 10) * 10.0)
    axis = Axis(low, high)
    step = 10 if high - low <= 50 else 20
    first = ceil(low / step) * step
    ticks = [first + i * step for i in range(int((high - first) // step) + 1)]
    slouches = [(s.start_minute, s.end_minute) for s in day.strips if s.state is SlouchState.SLOUCHING]
    shades = [periods(slouches, span, TOP_PX, axis.plot_px, "shade")] if slouches else []
    box = (float(span[0]), -high, float(span[1] - span[0]), high - low)
    lines = []
    for name in ("trunk", "neck"):
        runs = [
            [(x, -max(low, min(high, y))) for x, y in zip(c.minute, values, strict=True)]
            for c in day.curves
            for values in (c.neck_deg if name == "neck" else c.thoracic_deg,)
        ]
        lines.append(line(runs, box, axis.plot_px, TOP_PX, name))
    total = span[1] - span[0]
    limits: list[svg.Element] = [
        svg.Line(
            x1=percent((known.start_minute - span[0]) / total),
            x2=percent((known.end_minute - span[0]) / total),
            y1=axis.y(min(high, value)),
            y2=axis.y(min(high, value)),
            class_=["limit", name],
        )
        for known in day.limits
        for name, value in (("trunk", known.thoracic_deg), ("neck", known.neck_deg))
    ]
    marks = [text("▼", (at - span[0]) / total, TOP_PX - 5, "alert") for at in day.alerts_minute]
    states = band(day, span, axis.foot_px + 6, _BAND_PX)
    foot = axis.foot_px + 6 + _BAND_PX + 16
    drawn = [*shades, *grid(axis, ticks, "°", is_signed=True), *limits, *lines, *states, *marks]
    return chart([*drawn, *hour_labels(span, foot)], foot + 6, label)


def strips(days: Sequence[tuple[str, DayCourse]], span: tuple[int, int], label: str) -> Markup:
    """Return one line for each day, with the states from left to right.

    Parameters
    ----------
    days : sequence of (str, DayCourse)
        Name and course of each.
    span, label
        As in `course`.
    """
    bar_px = _ROW_PX - 8
    drawn: list[svg.Element] = []
    for hour in range(ceil(span[0] / 60), span[1] // 60 + 1):
        x = percent((hour * 60 - span[0]) / (span[1] - span[0]))
        drawn.append(svg.Line(x1=x, x2=x, y1=0, y2=_ROW_PX * len(days), class_=["grid"]))
    for i, (name, day) in enumerate(days):
        y = _ROW_PX * i + 4
        drawn.append(svg.Text(x=-8, y=y + 13, text_anchor="end", class_=["tick"], text=escaped(name)))
        drawn += band(day, span, y, bar_px)
    foot = _ROW_PX * len(days) + 16
    return chart([*drawn, *hour_labels(span, foot)], foot + 6, label, "chart named")


def day_span(days: Sequence[DayCourse]) -> tuple[int, int]:
    """Return the whole hours that hold everything recorded on these days, minutes since midnight."""
    edges = [edge for day in days for s in day.strips for edge in (s.start_minute, s.end_minute)]
    if not edges:
        return 0, 1440
    return floor(min(edges) / 60) * 60, ceil(max(edges) / 60) * 60


def _height_px(axis: Axis, labels: Sequence[str]) -> int:
    """Return the height of a chart with these labels below."""
    return axis.foot_px + _FOOT_PX + _LINE_PX * max((words.count("\n") for words in labels), default=0)
