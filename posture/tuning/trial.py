"""What settings would have given on labelled recordings: counts that add up. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from posture.evaluation.alerting import match_alerts
from posture.evaluation.course import Course
from posture.evaluation.tally import HOUR_S
from posture.labels.labels import Duty, Labels
from posture.landmarks import FloatArray
from posture.settings import AlertSettings, JudgeSettings
from posture.tuning.tape import Tape, measuring_key
from posture.tuning.verdict import Course as StateCourse
from posture.tuning.verdict import Judge

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """S settings tried on one recording."""

    name: str
    """The recording's."""
    person: str
    """Who is in it; empty = not said."""
    n_must: int
    """Intervals that ask for an alert."""
    n_met: IntArray
    """(S,) those that got it."""
    n_false: IntArray
    """(S,) alerts that nobody asked for."""
    watched_s: FloatArray
    """(S,) frame time in which an alert could have been false, seconds."""
    late_s: tuple[tuple[float, ...], ...]
    """(S,) for each interval met, seconds from when its sustain had passed to the alert; negative = early."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way of judging gave on some recordings."""

    n_must: int
    n_met: int
    n_false: int
    watched_s: float
    late_s: tuple[float, ...]

    @property
    def recall(self) -> float:
        """Share of the intervals asking for an alert that got it; NaN = there were none."""
        return self.n_met / self.n_must if self.n_must else nan

    @property
    def watched_h(self) -> float:
        """Hours in which an alert could have been false."""
        return self.watched_s / HOUR_S

    @property
    def false_per_hour(self) -> float:
        """False alerts in an hour; NaN = no time."""
        return self.n_false / self.watched_h if self.watched_s else nan


def add_figures(parts: Sequence[tuple[Trial, int]]) -> Figures:
    """Return the figures of some recordings together, each with the settings it is judged by."""
    return Figures(
        sum(trial.n_must for trial, _ in parts),
        sum(int(trial.n_met[s]) for trial, s in parts),
        sum(int(trial.n_false[s]) for trial, s in parts),
        sum(float(trial.watched_s[s]) for trial, s in parts),
        tuple(late for trial, s in parts for late in trial.late_s[s]),
    )


def try_settings(
    name: str,
    labels: Labels,
    settings: Sequence[tuple[JudgeSettings, AlertSettings]],
    measure: Callable[[JudgeSettings], Tape],
    report: Callable[[float], None] = lambda share: None,
) -> Trial:
    """Try settings on one recording.

    Parameters
    ----------
    name : str
        The recording's.
    labels : Labels
        What is true of it.
    settings : sequence of (JudgeSettings, AlertSettings)
        S of them.
    measure : callable
        Return the recording's tape; called once for every combination of measuring settings among them.
    report : callable
        Told how much is done, 0..1.
    """
    n = len(settings)
    n_met, n_false = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    watched_s, late_s = np.zeros(n), [()] * n
    late: list[tuple[float, ...]] = list(late_s)
    # by what is measured, then by thresholds: a tape serves for many settings, a course of states for many alerts
    order = sorted(range(n), key=lambda s: (measuring_key(settings[s][0]), _values(settings[s][0])))
    key: tuple[float, ...] | None = None
    followed: JudgeSettings | None = None
    course: StateCourse | None = None
    for done, s in enumerate(order):
        judge, alert = settings[s]
        if measuring_key(judge) != key:
            key, followed = measuring_key(judge), None
            tape = measure(judge)
            bench = Judge(tape)
            seconds = watched_time_s(tape, labels, judge.max_gap_s)
        if course is None or judge != followed:
            followed, course = judge, bench.follow(judge)
        alerts_s = [one.confirmed_s for one in bench.alert(course, alert).alerts]
        match = match_alerts(alerts_s, labels.intervals, sustain_s=alert.sustain_s)
        n_met[s], n_false[s], watched_s[s] = match.n_met, len(match.false_s), seconds
        late[s] = tuple(one for one in match.late_s if one is not None)
        report((done + 1) / n)
    n_must = sum(interval.duty is Duty.MUST for interval in labels.intervals)
    return Trial(name, labels.person, n_must, n_met, n_false, watched_s, tuple(late))


def watched_time_s(tape: Tape, labels: Labels, max_gap_s: float) -> float:
    """Return the frame time in which an alert could have been false, seconds: as ``posture evaluate`` counts it."""
    nothing = np.zeros(len(tape), dtype=np.int8)
    unknown = np.full(len(tape), np.nan)
    held_s = Course(tape.t_s, nothing, nothing, unknown, unknown, (), max_gap_s).held_s
    is_ignored = np.zeros(len(tape), dtype=np.bool_)
    for interval in labels.intervals:
        if interval.duty is Duty.IGNORE:
            is_ignored |= (tape.t_s >= interval.start_s) & (tape.t_s < interval.end_s)
    return float(held_s[~is_ignored].sum())


def _values(judge: JudgeSettings) -> tuple[float, ...]:
    """Return all values of the settings, for sorting."""
    return tuple(getattr(judge, name) for name in judge.__struct_fields__)
