"""From step results to bouts and totals. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

from posture.pipeline import StepResult
from posture.slouch import EventKind, Reason, SlouchState


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
        self._open: _OpenBout | None = None

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in."""
        self._n_frames += 1
        previous, self._previous = self._previous, result
        if previous is not None and (dt_s := result.t_s - previous.t_s) <= self._max_gap_s:
            self._seconds[previous.state] += dt_s
            if previous.state is SlouchState.UNKNOWN and previous.reason is not Reason.NONE:
                self._not_judged_s[previous.reason] = self._not_judged_s.get(previous.reason, 0.0) + dt_s
            if self._open is not None:
                self._open.end_s = result.t_s
        else:
            self._close_bout()
        if self._open is None or self._open.state is not result.state:
            self._close_bout()
            self._open = _OpenBout(result.state, result.t_s)
        self._open.add(result.slouch_ratio)
        for event in result.events:
            self._n_events[event.kind] = self._n_events.get(event.kind, 0) + 1
            if event.kind is EventKind.ALERT:
                self._alerts_s.append(event.confirmed_s)

    def close(self) -> None:
        """Nothing to release."""

    def summary(self) -> Summary:
        """Return what has happened so far."""
        bouts = list(self._bouts)
        if self._open is not None:
            bouts.append(self._open.closed())
        return Summary(
            self._n_frames,
            dict(self._seconds),
            dict(self._not_judged_s),
            dict(self._n_events),
            tuple(self._alerts_s),
            tuple(bouts),
        )

    def _close_bout(self) -> None:
        """End the open bout, if there is one."""
        if self._open is not None:
            self._bouts.append(self._open.closed())
            self._open = None


class _OpenBout:
    """A bout that still grows."""

    def __init__(self, state: SlouchState, start_s: float) -> None:
        self.state, self.start_s, self.end_s = state, start_s, start_s
        self._n_frames, self._n_judged, self._sum, self._max = 0, 0, 0.0, nan

    def add(self, slouch_ratio: float) -> None:
        """Take one frame in."""
        self._n_frames += 1
        if not isnan(slouch_ratio):
            self._n_judged += 1
            self._sum += slouch_ratio
            self._max = slouch_ratio if isnan(self._max) else max(self._max, slouch_ratio)

    def closed(self) -> Bout:
        """Return it as it is now."""
        mean = self._sum / self._n_judged if self._n_judged else nan
        return Bout(self.state, self.start_s, self.end_s, mean, self._max, self._n_frames)
