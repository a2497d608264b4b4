"""What is drawn on one picture, in plain numbers and words. Pure; no I/O.

Whoever draws it needs neither the landmarks nor the upright, so that little has to go to the process of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any, NamedTuple

from posture.baseline import Baseline
from posture.judging import Thresholds, make_thresholds
from posture.settings import Settings
from posture.slouch import Reason, SlouchState
from posture.step_result import StepResult
from posture.view.figure import Figure, find_figure
from posture.view.gauges import Gauge, make_gauges
from posture.view.moment import Moment
from posture.words import REASONS, STATES, part_phrase


class Sketch(NamedTuple):  # made twice a picture, in three quarters of a frozen dataclass's time
    """Lines, words and bars of one picture; left out = there are none."""

    figure: Figure | None = None
    """The judged person, not mirrored."""
    state: SlouchState | None = None
    """None while nothing is judged, as during a calibration."""
    is_judged: bool = False
    """Whether this very frame was."""
    title: str = ""
    """What the card says; empty = there is no card."""
    detail: str = ""
    is_prompt: bool = False
    """Whether the card says what to do, instead of the state."""
    is_good: bool = True
    """False = a prompt says what is wrong."""
    neck_deg: float = nan
    """Smoothed deviation, forward positive; NaN = not measured."""
    thoracic_deg: float = nan
    """As the neck's."""
    slouched_s: float = 0.0
    """Judged slouch time so far."""
    sustain_s: float = 0.0
    """Slouch time at which there is an alert."""
    release_ratio: float = 0.0
    """Share of a boundary below which a slouch is over."""
    gauges: tuple[Gauge, ...] = ()
    """Empty without an upright."""


class Sketcher:
    """Say what is to be drawn of the moments of one run.

    Parameters
    ----------
    settings : Settings
        ``judge`` and ``alert`` have the boundaries.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits: tuple[Baseline, Thresholds] | None = None

    def sketch(self, moment: Moment, baseline: Baseline | None) -> Sketch:
        """Return what is drawn of `moment`, judged against `baseline`."""
        figure = None if moment.landmarks is None else find_figure(moment.landmarks, baseline)
        result, prompt = moment.result, moment.prompt
        if result is None:
            if prompt is None:
                return Sketch(figure)
            return Sketch(
                figure, title=prompt.title, detail=prompt.detail, is_prompt=True, is_good=prompt.is_good
            )
        return Sketch(
            figure,
            result.state,
            result.reason is Reason.NONE and baseline is not None,
            STATES[result.state][1] if prompt is None else prompt.title,
            _detail(result) if prompt is None else prompt.detail,
            prompt is not None,
            prompt is None or prompt.is_good,
            result.neck_deviation_deg,
            result.thoracic_deviation_deg,
            result.slouched_s,
            self._settings.alert.sustain_s,
            self._settings.judge.release_ratio,
            () if baseline is None or prompt is not None else make_gauges(result, self._limits_of(baseline)),
        )

    def _limits_of(self, baseline: Baseline) -> Thresholds:
        """Return the boundaries; they are the same as long as the upright is."""
        if self._limits is None or self._limits[0] is not baseline:
            self._limits = baseline, make_thresholds(self._settings.judge, baseline)
        return self._limits[1]


def to_row(sketch: Sketch) -> tuple[object, ...]:
    """Return a sketch as plain values, which go to another process quicker than classes."""
    figure, state, *plain, gauges = sketch
    return (
        None if figure is None else tuple(figure),
        None if state is None else state.value,
        *plain,
        tuple(tuple(gauge) for gauge in gauges),
    )


def from_row(row: Sequence[Any]) -> Sketch:
    """Return the sketch that :func:`to_row` was given."""
    values = list(row)
    figure, state, gauges = values[0], values[1], values[-1]
    values[0] = None if figure is None else Figure(*figure)
    values[1] = None if state is None else SlouchState(state)
    values[-1] = tuple(Gauge(*gauge) for gauge in gauges)
    return Sketch(*values)


def _detail(result: StepResult) -> str:
    """Return why the state is what it is, in a few words."""
    if result.reason is not Reason.NONE:
        return REASONS[result.reason]
    if result.state is SlouchState.UNKNOWN:
        return "about to judge"
    if result.slouch_ratio >= 1.0:
        return part_phrase(result.driver)
    return f"{max(result.slouch_ratio, 0.0):.0%} of the limit"
