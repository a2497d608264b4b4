"""Recall against false alerts per hour, as inline SVG like the report's charts."""

from __future__ import annotations

from math import isfinite

import svg
from markupsafe import Markup

from posture.report.drawing import Axis, chart, escaped, grid, line, nice_step, percent, text
from posture.tuning.choice import CURRENT
from posture.tuning.curve_text import find_right
from posture.tuning.figures import bounds
from posture.tuning.finding import Finding

PLOT_PX = 300
_FOOT_PX = 52
_RECALLS = (0.0, 0.25, 0.5, 0.75, 1.0)


def curve_chart(finding: Finding) -> Markup:
    """Return the chart: a dot for every setting, the front as a line, and what is expected with its intervals."""
    axis = Axis(0.0, 100.0, PLOT_PX)
    right = find_right(finding)
    drawn = grid(axis, [100.0 * recall for recall in _RECALLS], " %")
    step = nice_step(right)
    for i in range(int(right / step + 1e-9) + 1):
        drawn.append(text(f"{i * step:g}", i * step / right, axis.foot_px + 22, "tick"))
    drawn.append(text("false alerts an hour", 0.5, axis.foot_px + 42, "tick"))
    drawn += _limit(finding.max_false_per_hour / right, axis)
    drawn += [
        _dot(finding.points[s], right, axis, "tried", finding.names[s])
        for s in range(len(finding.names))
        if s not in finding.front and finding.points[s][0] <= right
    ]
    drawn.append(_front(finding, right, axis))
    for s in finding.front:
        drawn.append(_dot(finding.points[s], right, axis, "best", finding.names[s]))
    drawn.append(_dot(finding.points[CURRENT], right, axis, "now", "yours as they are"))
    if finding.choice is not None:
        held = finding.choice.held_out
        limits = bounds(held)
        point = held.false_per_hour, held.recall
        drawn += _whiskers(point, limits.rate, limits.recall, right, axis)
        drawn.append(_dot(finding.points[finding.choice.chosen], right, axis, "proposed", "proposed"))
        drawn.append(_dot(point, right, axis, "expected", "expected of the proposal, on people left out"))
    label = "Recall against false alerts an hour of every setting tried"
    return chart(drawn, axis.foot_px + _FOOT_PX, label)


def swatch(name: str) -> Markup:
    """Return a legend's sample."""
    dot = svg.Circle(cx=7, cy=7, r=_radius(name), class_=["point", name])
    return Markup(
        svg.SVG(width=14, height=14, class_=["swatch"], extra={"aria-hidden": "true"}, elements=[dot])
    )


def _radius(name: str) -> float:
    """Return how large a kind of point is, pixels."""
    return {"tried": 2.5, "best": 4.0}.get(name, 6.0)


def _dot(point: tuple[float, float], right: float, axis: Axis, name: str, told: str) -> svg.Element:
    """Return one point that says what it is."""
    rate, recall = point
    return svg.Circle(
        cx=percent(min(rate / right, 1.0)),
        cy=axis.y(100.0 * recall),
        r=_radius(name),
        class_=["point", name],
        elements=[svg.Title(text=escaped(f"{told}: recall {100 * recall:.0f} %, {rate:.2f} false an hour"))],
    )


def _front(finding: Finding, right: float, axis: Axis) -> svg.Element:
    """Return the line through the settings that no other beats; between two of them nothing is known: steps."""
    corners: list[tuple[float, float]] = []
    for s in finding.front:
        rate, recall = finding.points[s]
        x, y = rate / right, axis.y(100.0 * recall)
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    return line([corners], (0, 0, 1, axis.foot_px), axis.foot_px, 0, "line")


def _limit(x: float, axis: Axis) -> list[svg.Element]:
    """Return the line of the most false alerts asked for."""
    return [
        svg.Line(x1=percent(x), x2=percent(x), y1=axis.y(100.0), y2=axis.y(0.0), class_=["limit"]),
        svg.Text(x=percent(x), dx=5, y=axis.y(2.0), class_=["tick"], text=escaped("at most asked for")),
    ]


def _whiskers(
    point: tuple[float, float],
    rates: tuple[float, float],
    recalls: tuple[float, float],
    right: float,
    axis: Axis,
) -> list[svg.Element]:
    """Return the 95 % intervals of a point, cut off at the chart's edge."""
    x, y = min(point[0] / right, 1.0), axis.y(100.0 * point[1])
    low, high = (min(rate / right, 1.0) if isfinite(rate) else 1.0 for rate in rates)
    return [
        svg.Line(x1=percent(low), x2=percent(high), y1=y, y2=y, class_=["whisker"]),
        svg.Line(
            x1=percent(x),
            x2=percent(x),
            y1=axis.y(100.0 * recalls[0]),
            y2=axis.y(100.0 * recalls[1]),
            class_=["whisker"],
        ),
    ]
