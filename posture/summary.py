"""From step results to bouts and totals. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

from posture.slouch import EventKind, Reason, SlouchState
from posture.step_result import StepResult


@dataclass(frozen=True, slots=True)
class Bout:
    """An uninterrupted period in one state (the term of sedentary-behaviour research: Tremblay et al. 2017)."""

    state: SlouchState
    start_s: float
    end_s: float
    """Frame times, seconds; the next bout starts where this one ends, gaps excepted."""
    mean_slouch_ratio: float
    """Mean of the decision quantity over its judged frames; NaN = none was judged."""
    max_slouch_ratio: float
    n_frames: int
    reason: Reason = Reason.NONE
    """Why most of its frames were not judged; NONE unless the state is UNKNOWN."""
    mean_neck_deg: float = nan
    """Deviations over its judged frames, forward positive; NaN = none was judged."""
    max_neck_deg: float = nan
    mean_thoracic_deg: float = nan
    max_thoracic_deg: float = nan


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened in a run."""

    n_frames: int
    seconds: dict[SlouchState, float]
    """Time in every state; gaps belong to none."""
    not_judged_s: dict[Reason, float]
    """Time in UNKNOWN by the reason of its frames; a part of it may have none (judged again, not yet confirmed)."""
    n_events: dict[EventKind, int]
    alerts_s: tuple[float, ...]
    """Frame times of the alerts."""
    bouts: tuple[Bout, ...]


class BoutTracker:
    """Follow the bouts of a stream of step results.

    Parameters
    ----------
    max_gap_s : float
        A longer hole between two frames is a gap: it ends the bout and belongs to no state.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._previous_s: float | None = None
        self._open: _OpenBout | None = None

    @property
    def open(self) -> Bout | None:
        """The bout that goes on, as far as it has come."""
        return None if self._open is None else self._open.closed()

    def step(self, result: StepResult) -> Bout | None:
        """Take one frame in and return the bout that has ended with it, if one has."""
        previous_s, self._previous_s = self._previous_s, result.t_s
        ended = None
        if self._open is not None and previous_s is not None:
            is_gap = result.t_s - previous_s > self._max_gap_s
            if not is_gap:
                self._open.end_s = result.t_s
            if is_gap or self._open.state is not result.state:
                ended = self.cut()
        if self._open is None:
            self._open = _OpenBout(result.state, result.t_s)
        self._open.add(result)
        return ended

    def cut(self) -> Bout | None:
        """End the open bout at its newest frame and return it; None = there is none."""
        ended, self._open = self.open, None
        return ended


class Summarizer:
    """Add up step results; a sink.

    Parameters
    ----------
    max_gap_s : float
        A longer hole between two frames is a gap: it ends the bout and belongs to no state.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._previous: StepResult | None = None
        self._n_frames = 0
        self._seconds = dict.fromkeys(SlouchState, 0.0)
        self._not_judged_s: dict[Reason, float] = {}
        self._n_events: dict[EventKind, int] = {}
        self._alerts_s: list[float] = []
        self._bouts: list[Bout] = []
        self._tracker = BoutTracker(max_gap_s)

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in.

        Parameters
        ----------
        result : StepResult
            Its time is never before that of the one before.
        """
        self._n_frames += 1
        previous, self._previous = self._previous, result
        if previous is not None and (dt_s := result.t_s - previous.t_s) <= self._max_gap_s:
            self._seconds[previous.state] += dt_s
            if previous.state is SlouchState.UNKNOWN and previous.reason is not Reason.NONE:
                self._not_judged_s[previous.reason] = self._not_judged_s.get(previous.reason, 0.0) + dt_s
        if (ended := self._tracker.step(result)) is not None:
            self._bouts.append(ended)
        for event in result.events:
            self._n_events[event.kind] = self._n_events.get(event.kind, 0) + 1
            if event.kind is EventKind.ALERT:
                self._alerts_s.append(event.confirmed_s)

    def close(self) -> None:
        """Nothing to release."""

    def summary(self) -> Summary:
        """Add up what has happened so far.

        Returns
        -------
        Summary
            The open bout is in it, as far as it has come.
        """
        still_open = self._tracker.open
        bouts = self._bouts if still_open is None else [*self._bouts, still_open]
        return Summary(
            self._n_frames,
            dict(self._seconds),
            dict(self._not_judged_s),
            dict(self._n_events),
            tuple(self._alerts_s),
            tuple(bouts),
        )


class _OpenBout:
    """A bout that still grows."""

    def __init__(self, state: SlouchState, start_s: float) -> None:
        self.state, self.start_s, self.end_s = state, start_s, start_s
        self._n_frames = 0
        self._ratio, self._neck, self._thoracic = _Spread(), _Spread(), _Spread()
        self._n_unjudged: dict[Reason, int] = {}

    def add(self, result: StepResult) -> None:
        """Take one frame in."""
        self._n_frames += 1
        if not isnan(result.slouch_ratio):
            self._ratio.add(result.slouch_ratio)
            self._neck.add(result.neck_deviation_deg)
            self._thoracic.add(result.thoracic_deviation_deg)
        elif self.state is SlouchState.UNKNOWN:
            self._n_unjudged[result.reason] = self._n_unjudged.get(result.reason, 0) + 1

    def closed(self) -> Bout:
        """Return it as it is now."""
        return Bout(
            self.state,
            self.start_s,
            self.end_s,
            self._ratio.mean,
            self._ratio.highest,
            self._n_frames,
            max(self._n_unjudged, key=self._n_unjudged.__getitem__, default=Reason.NONE),
            self._neck.mean,
            self._neck.highest,
            self._thoracic.mean,
            self._thoracic.highest,
        )


class _Spread:
    """Mean and maximum of what has been added; NaN = nothing."""

    def __init__(self) -> None:
        self._n, self._sum, self.highest = 0, 0.0, nan

    def add(self, value: float) -> None:
        """Take one value in."""
        self._n += 1
        self._sum += value
        self.highest = value if isnan(self.highest) else max(self.highest, value)

    @property
    def mean(self) -> float:
        """The mean."""
        return self._sum / self._n if self._n else nan
