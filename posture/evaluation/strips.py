"""Strips of labelled over judged states, one chart a clip, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import svg
from markupsafe import Markup

from posture.evaluation.course import Span
from posture.evaluation.scoring import ClipScore
from posture.report.drawing import BAND_HEIGHTS, chart, escaped, nice_step, percent, span_rect, text
from posture.words import clock

_MARKS_PX, _BAND_PX, _GAP_PX, _FOOT_PX = 18, 20, 6, 20
_STEPS_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
_MAX_TICKS = 8
"""As many times find room on a phone."""

ALERTS: Final = {
    "due": ("▼", "alert that was due"),
    "false": ("✕", "false alert"),
    "neither": ("▽", "alert that does not count"),
}
"""Mark and word of what became of an alert."""


def mark(kind: str) -> Markup:
    """Return a legend's sample of an alert."""
    element = svg.Text(x=11, y=12, class_=["alert"], text=ALERTS[kind][0])
    return Markup(
        svg.SVG(width=22, height=14, class_=["swatch"], extra={"aria-hidden": "true"}, elements=[element])
    )


def strip(score: ClipScore) -> Markup:
    """Return a clip's labelled states over its judged ones, with its alerts above; a false one is a cross."""
    span = (0, max(ceil(score.duration_s), 1))
    top = _MARKS_PX
    below = top + _BAND_PX + _GAP_PX
    false_s = {alert.t_s for alert in score.false_alerts}
    drawn: list[svg.Element] = [
        _name("labelled", top + 14),
        _name("judged", below + 14),
        *_band(score.truth, span, top),
        *_band(score.judged, span, below),
    ]
    for t_s in score.alerts_s:
        kind = "false" if t_s in false_s else "due" if t_s in score.due_s else "neither"
        sign = text(ALERTS[kind][0], t_s / span[1], top - 4, "alert")
        tip = f"{ALERTS[kind][1]}, {clock(t_s)}"
        drawn.append(svg.G(elements=[svg.Title(text=escaped(tip)), sign]))
    foot = below + _BAND_PX
    step = next((s for s in _STEPS_S if span[1] / s <= _MAX_TICKS), nice_step(span[1]))
    for i in range(int(span[1] // step) + 1):
        drawn.append(text(clock(i * step), i * step / span[1], foot + 16, "tick minor" if i % 2 else "tick"))
    false = f", {len(false_s)} of them false" if false_s else ""
    length = clock(score.duration_s)
    label = f"{score.clip}: labelled states over judged ones, {length}; alerts: {len(score.alerts_s)}{false}"
    return chart(drawn, foot + _FOOT_PX, label, "chart named")


def _name(words: str, y_px: float) -> svg.Element:
    """Return what a band is called, left of it."""
    return svg.Text(x=-8, y=y_px, text_anchor="end", class_=["tick"], text=escaped(words))


def _band(spans: Sequence[Span], span: tuple[int, int], y_px: float) -> list[svg.Element]:
    """Return states along a line, each with a height of its own."""
    drawn: list[svg.Element] = [
        svg.Rect(x=percent(0.0), width=percent(1.0), y=y_px, height=_BAND_PX, class_=["empty"])
    ]
    for one in spans:
        height = _BAND_PX * BAND_HEIGHTS[one.state]
        y = y_px + (_BAND_PX - height) / 2
        end_s = min(one.end_s, float(span[1]))
        drawn.append(span_rect(one.start_s, end_s, span, y, height, f"band {one.state.value}"))
    return drawn
