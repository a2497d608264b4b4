"""The strip below an annotated clip: deviations over the last minute, their boundary, states and events."""

from __future__ import annotations

from typing import Final

import numpy as np

from posture.judging import Thresholds
from posture.landmarks import FloatArray, UInt8Array
from posture.settings import Settings
from posture.slouch import EventKind, SlouchState
from posture.step_result import StepResult
from posture.view.canvas import DIM, WHITE, Canvas, Colour, colour_of
from posture.view.gauges import make_gauges
from posture.words import ORANGE, PARTS, STATES, clock

SPAN_S: Final = 60.0
"""Seconds shown, the sustain of the default settings: a slouch that is alerted fits (our choice)."""
HEIGHT: Final = 144
"""In units."""
_RANGE = (-0.5, 2.0)  # shares of the boundary
_LINES: Final[dict[str, Colour]] = {"neck": WHITE, "thoracic": (240, 228, 66)}  # yellow: Okabe & Ito
_JUDGED: Final[Colour] = (62, 66, 74)
_GROUND: Final[Colour] = (24, 26, 31)
_STATES = tuple(SlouchState)
_TOLD = {
    EventKind.ALERT: "alert",
    EventKind.BREAK_DUE: "break",
    EventKind.CAMERA_MOVED: "camera moved",
    EventKind.CAMERA_LOST: "camera lost",
    EventKind.AWAY: "away",
    EventKind.SLOUCH_STARTED: "slouch",
}
"""What is written beside an event's line; the others show in the band of states."""


class Strip:
    """Gather results and draw the newest stretch of them.

    Parameters
    ----------
    settings : Settings
        ``judge`` has the boundaries.
    duration_s : float or None
        Of the clip, if it is known: shown beside the time, and a shorter clip than the span fills the strip.
    """

    def __init__(self, settings: Settings, duration_s: float | None) -> None:
        self._release_ratio = settings.judge.release_ratio
        self._duration_s = duration_s
        self._span_s = min(SPAN_S, max(duration_s or SPAN_S, 1.0))
        self._rows: FloatArray = np.empty((256, 5))  # t_s, neck, thoracic, ratio, state
        self._n = 0
        self._events: list[tuple[float, EventKind]] = []

    def add(self, result: StepResult, limits: Thresholds | None) -> None:
        """Take in one frame's result.

        Parameters
        ----------
        result : StepResult
            Of the newest frame.
        limits : Thresholds or None
            Deviations that count as 1; None = not calibrated yet.
        """
        if self._n == len(self._rows):
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        shares = [np.nan, np.nan]
        if limits is not None and not np.isnan(result.slouch_ratio):
            shares = [gauge.share for gauge in make_gauges(result, limits)[:2]]
        state = _STATES.index(result.state)
        self._rows[self._n] = (result.t_s, *shares, result.slouch_ratio, state)
        self._n += 1
        self._events += [(event.confirmed_s, event.kind) for event in result.events]

    def draw(self, image: UInt8Array, unit: float) -> None:
        """Fill `image` (H, W, 3) with the strip."""
        canvas = Canvas(image, unit)
        u = unit
        image[:] = _GROUND
        now_s = float(self._rows[self._n - 1, 0]) if self._n else 0.0
        start_s = max(0.0, now_s - self._span_s)
        left, right, top, bottom = 12 * u, canvas.width - 12 * u, 38 * u, canvas.height - 36 * u
        x_of = _Scale(start_s, start_s + self._span_s, left, right)
        y_of = _Scale(_RANGE[0], _RANGE[1], bottom, top)
        first = int(np.searchsorted(self._rows[: self._n, 0], start_s))
        rows = self._rows[max(first - 1, 0) : self._n]
        self._draw_lines(canvas, rows, x_of, y_of)
        _draw_states(canvas, rows, x_of, bottom + 6 * u, 7 * u)
        for t_s in _ticks(start_s, start_s + self._span_s):
            x = x_of(t_s)
            canvas.fill(x, bottom + 13 * u, max(1.0, u), 4 * u, DIM)
            width, _ = canvas.text_size(clock(t_s), 10)
            canvas.text(min(max(x - width / 2, left), right - width), bottom + 18 * u, clock(t_s), 10, DIM)
        self._draw_events(canvas, start_s, x_of, top, bottom)
        x = left
        for text, colour in (
            (PARTS["neck"][0], _LINES["neck"]),
            (PARTS["thoracic"][0], _LINES["thoracic"]),
            ("judged", (150, 156, 166)),
        ):
            canvas.fill(x, 12 * u, 12 * u, 3 * u, colour)
            x += 16 * u + canvas.text(x + 16 * u, 6 * u, text, 11, DIM) + 12 * u
        canvas.text(x, 6 * u, "as shares of the limit", 11, DIM)
        total = "" if self._duration_s is None else f" of {clock(self._duration_s)}"
        width, _ = canvas.text_size(clock(now_s) + total, 12)
        canvas.text(right - width, 5 * u, clock(now_s) + total, 12, WHITE)

    def _draw_lines(self, canvas: Canvas, rows: FloatArray, x_of: _Scale, y_of: _Scale) -> None:
        """Draw the boundary, what is judged as a surface and the deviations as lines."""
        left, right, u = x_of.begin, x_of.end, canvas.unit
        x, zero = x_of(rows[:, 0]), y_of(0.0)
        for run in _runs(rows[:, 3]):
            surface = np.stack((x[run], y_of(np.clip(rows[run, 3], *_RANGE))), axis=1)
            ends = np.array([[surface[-1, 0], zero], [surface[0, 0], zero]])
            canvas.polygon(np.concatenate((surface, ends)), _JUDGED)
        canvas.fill(left, zero, right - left, max(1.0, 0.8 * u), (90, 94, 102))
        canvas.fill(left, y_of(self._release_ratio), right - left, max(1.0, 0.8 * u), (90, 94, 102))
        canvas.fill(left, y_of(1.0), right - left, max(1.0, 1.4 * u), colour_of(ORANGE))
        canvas.text(left + 2 * u, y_of(1.0) - 13 * u, "limit", 10, colour_of(ORANGE))
        for column, name in ((1, "neck"), (2, "thoracic")):
            for run in _runs(rows[:, column]):
                y = y_of(np.clip(rows[run, column], *_RANGE))
                canvas.polyline(np.stack((x[run], y), axis=1), _LINES[name], 1.6)

    def _draw_events(self, canvas: Canvas, start_s: float, x_of: _Scale, top: float, bottom: float) -> None:
        """Draw a line with a word for each event worth a word."""
        u, free = canvas.unit, 0.0
        for t_s, kind in self._events:
            if t_s < start_s or kind not in _TOLD:
                continue
            x, is_alert = x_of(t_s), kind is EventKind.ALERT
            canvas.fill(
                x,
                top - 12 * u,
                max(1.0, (2.0 if is_alert else 1.0) * u),
                bottom - top + 12 * u,
                WHITE if is_alert else DIM,
            )
            if x >= free:
                free = (
                    x
                    + canvas.text(x + 3 * u, top - 15 * u, _TOLD[kind], 11, WHITE if is_alert else DIM)
                    + 8 * u
                )


class _Scale:
    """A straight line from values to pixels."""

    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self._low, self._per = low, (end - begin) / (high - low)

    def __call__(self, value):  # type: ignore[no-untyped-def]  # a number or an array of them
        """Return the pixel of `value`."""
        return self.begin + (value - self._low) * self._per


def _runs(values: FloatArray) -> list[slice]:
    """Return the stretches without a NaN."""
    is_there = np.concatenate(([False], ~np.isnan(values), [False]))
    edges = np.flatnonzero(is_there[1:] != is_there[:-1])
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _draw_states(canvas: Canvas, rows: FloatArray, x_of: _Scale, y: float, height: float) -> None:
    """Draw the states as a band; one that is not judged is half as high, so that colour is not needed."""
    if not len(rows):
        return
    starts = np.flatnonzero(np.diff(rows[:, 4], prepend=-1.0))
    ends = [*starts[1:], len(rows) - 1]
    for start, end in zip(starts, ends, strict=True):
        state = _STATES[int(rows[start, 4])]
        x = max(x_of.begin, float(x_of(rows[start, 0])))
        is_thin = state in (SlouchState.UNKNOWN, SlouchState.AWAY)
        high = height * (0.4 if is_thin else 1.0)
        canvas.fill(
            x, y + height - high, max(1.0, float(x_of(rows[end, 0])) - x), high, colour_of(STATES[state][2])
        )


def _ticks(start_s: float, end_s: float) -> list[float]:
    """Return four to eight round times."""
    step_s = next((s for s in (1.0, 2.0, 5.0, 10.0) if (end_s - start_s) / s <= 8.0), 10.0)
    return [float(t) for t in np.arange(np.ceil(start_s / step_s), end_s / step_s + 1e-9) * step_s]
