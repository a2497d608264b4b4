"""What the page's charts are made of: axes, words, lines, patterns, as inline SVG.

Widths are per cent of the page and type is in CSS pixels, so that a chart fits a phone without its words shrinking.
Colours and patterns are the style sheet's, by class: they follow light, dark and print.

Every word goes through `escaped`: svg.py writes text and attributes as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import svg
from markupsafe import Markup, escape

from posture.report.day import DayCourse
from posture.slouch import SlouchState

TOP_PX, PLOT_PX = 20, 190
"""Room above the plot for notes and marks, and its usual height."""
MAX_LABELS = 8
"""As many short labels find room on a phone."""
BAND_HEIGHTS = {
    SlouchState.UPRIGHT: 0.6,
    SlouchState.SLOUCHING: 1.0,
    SlouchState.UNKNOWN: 0.3,
    SlouchState.AWAY: 0.1,
}
"""Share of a band's height that each state takes: most of its times are too short for a pattern."""
_STEPS = (0.1, 0.25, 0.5, 1, 2, 4, 5, 10, 20, 25, 50)
_MAX_LINES = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """A chart's upright axis: values to pixels from the top."""

    low: float
    high: float
    plot_px: int = PLOT_PX
    """Height of the plot itself."""

    @property
    def foot_px(self) -> int:
        """Return where the plot ends."""
        return TOP_PX + self.plot_px

    def y(self, value: float) -> float:
        """Return where a value lies, pixels from the chart's top."""
        return round(TOP_PX + self.plot_px * (self.high - value) / (self.high - self.low), 2)


def chart(elements: Sequence[svg.Element], height_px: float, label: str, name: str = "chart") -> Markup:
    """Return a whole chart: one image with a label."""
    extra = {"role": "img", "aria-label": escaped(label)}
    return Markup(svg.SVG(height=height_px, class_=[name], extra=extra, elements=list(elements)))


def grid(axis: Axis, values: Sequence[float], unit: str, *, is_signed: bool = False) -> list[svg.Element]:
    """Return horizontal lines with their numbers."""
    drawn: list[svg.Element] = []
    for value in values:
        y = axis.y(value)
        name = "ground-line" if value == 0 else "grid"
        words = (f"{value:+g}{unit}" if is_signed and value else f"{value:g}{unit}").replace("-", "−")
        drawn.append(svg.Line(x1=0, x2=percent(1.0), y1=y, y2=y, class_=[name]))
        drawn.append(svg.Text(x=-6, y=y + 4, text_anchor="end", class_=["tick"], text=escaped(words)))
    return drawn


def line(
    runs: Sequence[Sequence[tuple[float, float]]],
    box: tuple[float, float, float, float],
    height_px: float,
    y_px: float,
    name: str,
) -> svg.Element:
    """Return lines in their own coordinates, stretched to the chart's width."""
    # Written here: a day has a thousand points, and svg.py's objects take longer than all the rest of a page.
    parts = []
    for run in runs:
        points = [f"{x:.8g} {y:.2f}" for x, y in run]
        # A lone point is a line to itself, which has round ends.
        parts.append("M" + "L".join(points if len(points) > 1 else points * 2))
    d = "".join(parts)
    return svg.SVG(
        y=y_px,
        width=percent(1.0),
        height=height_px,
        viewBox=svg.ViewBoxSpec(*box),
        preserveAspectRatio=svg.PreserveAspectRatio("none"),
        elements=[svg.Path(extra={"d": d}, class_=[name])],
    )


def span_rect(
    start: float, end: float, span: tuple[int, int], y_px: float, height_px: float, name: str
) -> svg.Element:
    """Return a period as a rectangle."""
    total = span[1] - span[0]
    x, width = (start - span[0]) / total, (end - start) / total
    return svg.Rect(x=percent(x), width=percent(width), y=y_px, height=height_px, class_=[name])


def periods(
    times: Sequence[tuple[float, float]],
    span: tuple[int, int],
    y_px: float,
    height_px: float,
    name: str,
) -> svg.Element:
    """Return periods as rectangles of one shape: a day has hundreds, and an element each is slow to write and to show.

    Parameters
    ----------
    times : sequence of (float, float)
        From and to, in the span's unit.
    span : tuple of int
        What the chart's width shows.
    y_px, height_px : float
        Where they lie.
    name : str
        Style class.
    """
    d = "".join(f"M{start:.7g},0H{end:.7g}V1H{start:.7g}z" for start, end in times)
    return svg.SVG(
        y=round(y_px, 2),
        width=percent(1.0),
        height=round(height_px, 2),
        viewBox=svg.ViewBoxSpec(span[0], 0, span[1] - span[0], 1),
        preserveAspectRatio=svg.PreserveAspectRatio("none"),
        elements=[svg.Path(extra={"d": d}, class_=[name])],
    )


def band(day: DayCourse, span: tuple[int, int], y_px: float, height_px: float) -> list[svg.Element]:
    """Return a day's states along a line; each has a height of its own, because most are too short for a pattern."""
    return [
        periods(
            [(s.start_minute, s.end_minute) for s in day.strips if s.state is state],
            span,
            y_px + height_px * (1 - part) / 2,
            height_px * part,
            f"band {state.value}",
        )
        for state, part in BAND_HEIGHTS.items()
        if any(s.state is state for s in day.strips)
    ]


def hour_labels(span: tuple[int, int], y_px: float) -> list[svg.Element]:
    """Return the hours below a chart over a day."""
    hours = range(ceil(span[0] / 60), span[1] // 60 + 1)
    every = ceil(len(hours) / MAX_LABELS)
    return [
        text(
            f"{hour}:00",
            (hour * 60 - span[0]) / (span[1] - span[0]),
            y_px,
            "tick minor" if i % every else "tick",
        )
        for i, hour in enumerate(hours)
    ]


def text(words: str, x: float, y_px: float, name: str) -> svg.Element:
    """Return centred words."""
    return svg.Text(x=percent(x), y=round(y_px, 2), text_anchor="middle", class_=[name], text=escaped(words))


def below(labels: Sequence[str], steps: tuple[int, int], axis: Axis) -> list[svg.Element]:
    """Return the labels of columns, one or two lines each; those for a wide page only are of class ``minor``."""
    sparse, every = steps
    return [
        text(
            words,
            (i + 0.5) / len(labels),
            axis.foot_px + 15 + 14 * n,
            "tick minor" if i % every else "tick",
        )
        for i, label in enumerate(labels)
        if i % sparse == 0
        for n, words in enumerate(label.split("\n"))
    ]


def label_steps(n: int, most: int) -> tuple[int, int]:
    """Return how many columns apart the labels stand on a wide page and on a phone, the second a multiple."""
    sparse = ceil(n / 16)
    return max(sparse, 1), max(sparse * ceil(n / (sparse * most)), 1) if n else 1


def nice_step(top: float) -> float:
    """Return the distance of the lines, so that there are few and their numbers plain."""
    scale = 1.0
    while top / (scale * _STEPS[-1]) > _MAX_LINES:
        scale *= 10
    return next(s * scale for s in _STEPS if top / (s * scale) <= _MAX_LINES)


def patterns() -> Markup:
    """Return the patterns that tell states apart without colour; once on a page."""
    size = 6
    made = [
        svg.Pattern(
            id=f"pattern-{state.value}",
            width=size,
            height=size,
            patternUnits="userSpaceOnUse",
            patternTransform=[svg.Rotate(45)] if state is not SlouchState.AWAY else None,
            elements=[svg.Rect(width=size, height=size, class_=["ground"]), *ink],
        )
        for state, ink in (
            (SlouchState.SLOUCHING, [svg.Rect(width=2, height=size, class_=["ink"])]),
            (
                SlouchState.UNKNOWN,
                [
                    svg.Rect(width=1, height=size, class_=["ink"]),
                    svg.Rect(width=size, height=1, class_=["ink"]),
                ],
            ),
            (SlouchState.AWAY, [svg.Circle(cx=3, cy=3, r=1, class_=["ink"])]),
        )
    ]
    defs = svg.Defs(elements=list(made))
    return Markup(svg.SVG(width=0, height=0, class_=["defs"], extra={"aria-hidden": "true"}, elements=[defs]))


def swatch(name: str, is_band: bool = False) -> Markup:
    """Return a legend's sample: a state, as in a column or in a band, ``neck``, ``trunk``, ``limit`` or ``alert``."""
    element: svg.Element
    if name in ("neck", "trunk", "limit"):
        classes = ["limit", "neck"] if name == "limit" else [name]
        element = svg.Line(x1=0, x2=22, y1=7, y2=7, class_=list(classes))
    elif name == "alert":
        element = svg.Text(x=11, y=12, class_=["alert"], text="▼")
    else:
        part = BAND_HEIGHTS[SlouchState(name)] if is_band else 1.0
        element = svg.Rect(
            y=7 * (1 - part), width=22, height=14 * part, class_=["band", name] if is_band else [name]
        )
    return Markup(
        svg.SVG(width=22, height=14, class_=["swatch"], extra={"aria-hidden": "true"}, elements=[element])
    )


def escaped(words: str) -> str:
    """Return words as they may stand in an attribute or between tags."""
    return str(escape(words))


def percent(part: float) -> svg.Length:
    """Return a part 0..1 of the chart's width."""
    return svg.Length(round(100 * part, 3), "%")
