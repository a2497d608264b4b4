"""One run against the labels of its clip. Pure; no I/O.

The same for a replayed clip, for a rule of somebody else's, and for settings that are only tried: it wants the course
of the run, the labels, and how long a slouch had to last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from posture.evaluation.alerting import AlertMatch, is_meetable, match_alerts
from posture.evaluation.course import REASONS, STATES, Course, Span, join_spans
from posture.evaluation.tally import AngleTally, Tally
from posture.evaluation.truth import frames_at, labelled_states, posture_at, true_deviations
from posture.labels.labels import Duty, Interval, Labels
from posture.landmarks import BoolArray, FloatArray
from posture.slouch import SlouchState

UNLABELLED = -1
ENOUGH_S = 10.0
"""Seconds that must follow a slouch before its state is said to have gone on: thrice ``judge.recovery_s``."""
_UNKNOWN, _SLOUCHING = STATES.index(SlouchState.UNKNOWN), STATES.index(SlouchState.SLOUCHING)


@dataclass(frozen=True, slots=True)
class FalseAlert:
    """An alert that nobody asked for."""

    t_s: float
    posture: str
    """What the labels say of that moment; empty = nothing."""
    is_forbidden: bool
    """Whether they say that there must be none."""


@dataclass(frozen=True, slots=True)
class ClipScore:
    """A clip, as it was judged and as it is labelled."""

    clip: str
    person: str
    camera: str
    sustain_s: float
    duration_s: float
    tally: Tally
    by_posture: dict[str, Tally] = field(default_factory=dict)
    """The same of the times and samples of each posture that is named in the labels."""
    false_alerts: tuple[FalseAlert, ...] = ()
    missed: tuple[Interval, ...] = ()
    """Intervals that asked for an alert and got none."""
    alerts_s: tuple[float, ...] = ()
    """Times of all alerts."""
    due_s: tuple[float, ...] = ()
    """Times of those that were asked for."""
    truth: tuple[Span, ...] = ()
    """The labelled states, by time."""
    judged: tuple[Span, ...] = ()
    """The judged states, by time."""
    notes: tuple[str, ...] = ()
    """What to know about these figures."""


def score_run(
    course: Course,
    labels: Labels,
    *,
    clip: str = "",
    sustain_s: float,
    calibrated_s: tuple[float, float] | None = None,
) -> ClipScore:
    """Score one run.

    Parameters
    ----------
    course : Course
        As it was judged.
    labels : Labels
        Of its clip.
    clip : str
        Its name; empty = what the labels say.
    sustain_s : float
        How long a slouch had to last to be alerted (``alert.sustain_s``), seconds.
    calibrated_s : (float, float) or None
        The span of the clip that the run calibrated itself on; what comes before its end is not counted as not judged.
        None = it had its baseline from elsewhere.

    Returns
    -------
    ClipScore
        True deviations are true angles less their mean over `calibrated_s`, or over the labels' upright span if the
        baseline came from elsewhere; settled samples after it are compared with the newest frame.
    """
    moment = _Run(course, labels, sustain_s, calibrated_s)
    everything = np.ones(len(course), dtype=np.bool_)
    notes = list(moment.notes)
    n_short = sum(not is_meetable(i, sustain_s) for i in moment.match.must)
    if n_short:
        notes.append(
            f"{n_short} 'must' intervals are shorter than alert.sustain_s = {sustain_s:g}: they cannot be met"
        )
    return ClipScore(
        clip or labels.clip,
        labels.person,
        labels.camera,
        sustain_s,
        course.end_s,
        moment.tally(everything, None),
        {name: moment.tally(moment.is_posture(name), name) for name in moment.postures},
        tuple(
            FalseAlert(t_s, posture_at(labels.intervals, t_s), _is_forbidden(labels.intervals, t_s))
            for t_s in moment.match.false_s
        ),
        tuple(i for i, late_s in zip(moment.match.must, moment.match.late_s, strict=True) if late_s is None),
        tuple(course.alerts_s.tolist()),
        moment.match.due_s,
        join_spans(Span(i.start_s, i.end_s, state) for i, state in labelled_states(labels.intervals)),
        course.spans(),
        tuple(notes),
    )


class _Run:
    """One run beside its labels; gives the tally of any part of it."""

    def __init__(
        self, course: Course, labels: Labels, sustain_s: float, calibrated_s: tuple[float, float] | None
    ) -> None:
        self._course, self._labels, self._sustain_s = course, labels, sustain_s
        self.match: AlertMatch = match_alerts(course.alerts_s.tolist(), labels.intervals, sustain_s=sustain_s)
        self._held_s = course.held_s
        t_s = course.t_s
        self._is_observed = t_s >= (calibrated_s[1] if calibrated_s is not None else -np.inf)
        self._is_ignored = np.zeros(len(course), dtype=np.bool_)
        for interval in labels.intervals:
            if interval.duty is Duty.IGNORE:
                self._is_ignored |= _within(t_s, interval)
        self._slouches: list[Interval] = []
        self._truth = np.full(len(course), UNLABELLED, dtype=np.int8)
        for interval, state in labelled_states(labels.intervals):
            self._truth[_within(t_s, interval)] = STATES.index(state)
            if state is SlouchState.SLOUCHING:
                self._slouches.append(interval)
        self.notes: list[str] = []
        self._samples = self._compare_angles(calibrated_s or labels.baseline_s)

    @property
    def postures(self) -> list[str]:
        """Every posture that the labels name, in order."""
        named = [i.posture for i in self._labels.intervals]
        if self._labels.angles is not None:
            named += list(dict.fromkeys(self._labels.angles.posture))
        return [name for name in dict.fromkeys(named) if name]

    def is_posture(self, name: str) -> BoolArray:
        """Return (T,) which frames lie in intervals of a posture."""
        inside = np.zeros(len(self._course), dtype=np.bool_)
        for interval in self._labels.intervals:
            if interval.posture == name:
                inside |= _within(self._course.t_s, interval)
        return inside

    def tally(self, frames: BoolArray, posture: str | None) -> Tally:
        """Return what is counted of some frames, and of the intervals and samples of a posture; None = of all."""
        held_s = np.where(frames, self._held_s, 0.0)
        observed_s = np.where(self._is_observed, held_s, 0.0)
        is_unknown = self._course.state == _UNKNOWN
        unjudged_s = np.bincount(
            self._course.reason[is_unknown], observed_s[is_unknown], minlength=len(REASONS)
        )
        labelled = self._truth != UNLABELLED
        cells = self._truth[labelled] * len(STATES) + self._course.state[labelled]
        confusion_s = np.bincount(cells, observed_s[labelled], minlength=len(STATES) ** 2)
        matched = zip(self.match.must, self.match.late_s, strict=True)
        pairs = [(i, late_s) for i, late_s in matched if posture is None or i.posture == posture]
        false_s = [
            t_s
            for t_s in self.match.false_s
            if posture is None or posture_at(self._labels.intervals, t_s) == posture
        ]
        slouches = [i for i in self._slouches if posture is None or i.posture == posture]
        recoveries = [self._recovery_s(interval) for interval in slouches]
        onsets = [self._onset_s(interval) for interval in slouches]
        neck, thoracic = self._angles(posture)
        return Tally(
            watched_s=float(held_s[~self._is_ignored].sum()),
            n_must=len(pairs),
            n_met=sum(late_s is not None for _, late_s in pairs),
            n_unmeetable=sum(not is_meetable(i, self._sustain_s) for i, _ in pairs),
            n_false=len(false_s),
            late_s=tuple(late_s for _, late_s in pairs if late_s is not None),
            n_slouches=len(slouches),
            onset_s=tuple(onset for onset in onsets if onset is not None),
            recovery_s=tuple(r for r in recoveries if r is not None and np.isfinite(r)),
            n_unrecovered=sum(r is not None and not np.isfinite(r) for r in recoveries),
            observed_s=float(observed_s.sum()),
            not_judged_s={REASONS[i]: float(s) for i, s in enumerate(unjudged_s.tolist()) if s > 0.0},
            confusion_s=tuple(tuple(row) for row in confusion_s.reshape(len(STATES), -1).tolist()),
            neck=neck,
            thoracic=thoracic,
        )

    def _onset_s(self, slouch: Interval) -> float | None:
        """Return seconds from a slouch's start until the state was slouching; None = not before its end."""
        t_s = self._course.t_s
        hits = np.flatnonzero((self._course.state == _SLOUCHING) & _within(t_s, slouch))
        return float(t_s[hits[0]] - slouch.start_s) if len(hits) else None

    def _recovery_s(self, slouch: Interval) -> float | None:
        """Return seconds from a slouch's end until the state was something else; infinite = it never was.

        None where the state was not slouching at the end, and where too little follows to tell.
        """
        t_s = self._course.t_s
        before = np.flatnonzero(_within(t_s, slouch))
        if not len(before) or self._course.state[before[-1]] != _SLOUCHING:
            return None
        next_s = min((i.start_s for i in self._slouches if i.start_s >= slouch.end_s), default=np.inf)
        after = (t_s >= slouch.end_s) & (t_s < next_s)
        left = np.flatnonzero(after & (self._course.state != _SLOUCHING))
        if len(left):
            return float(t_s[left[0]] - slouch.end_s)
        return float(np.inf) if min(next_s, self._course.end_s) - slouch.end_s >= ENOUGH_S else None

    def _compare_angles(
        self, reference_s: tuple[float, float] | None
    ) -> tuple[FloatArray, FloatArray, BoolArray] | None:
        """Return (2, N) true and (2, N) estimated deviations, and (2, N) which of them count."""
        angles = self._labels.angles
        if angles is None or not len(angles.t_s):
            return None
        if reference_s is None:
            self.notes.append(
                "true angles without an upright span: add baseline_s to the labels to have them compared"
            )
            return None
        neck, thoracic, counted = true_deviations(angles, reference_s)
        truth = np.stack([neck, thoracic])
        index, found = frames_at(self._course, angles.t_s)
        estimate = np.full_like(truth, np.nan)
        estimate[0, found] = self._course.neck_deg[index[found]]
        estimate[1, found] = self._course.thoracic_deg[index[found]]
        if not np.isfinite(truth).any():
            self.notes.append("no true angle within the upright span: nothing to compare with")
        return truth, estimate, counted & np.isfinite(truth)

    def _angles(self, posture: str | None) -> tuple[AngleTally, AngleTally]:
        """Return the errors of neck and trunk over the samples of a posture; None = over all."""
        if self._samples is None or self._labels.angles is None:
            return AngleTally(), AngleTally()
        truth, estimate, counted = self._samples
        if posture is not None:
            counted = counted & np.array(
                [name == posture for name in self._labels.angles.posture], dtype=np.bool_
            )
        neck, thoracic = (AngleTally.of(t[c], e[c]) for t, e, c in zip(truth, estimate, counted, strict=True))
        return neck, thoracic


def _within(t_s: FloatArray, interval: Interval) -> BoolArray:
    """Return (T,) which times lie in an interval, its end excluded."""
    return (t_s >= interval.start_s) & (t_s < interval.end_s)


def _is_forbidden(intervals: Sequence[Interval], t_s: float) -> bool:
    """Return whether the labels say that there must be no alert."""
    return any(i.duty is Duty.MUST_NOT and i.start_s <= t_s < i.end_s for i in intervals)
