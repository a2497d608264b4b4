"""What a replay found, all in one object that a notebook shows. Pure; no I/O."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from posture.alerts import Alert
from posture.api.columns import Columns, bout_columns, event_columns, step_columns
from posture.baseline import Baseline
from posture.judging import Thresholds, make_thresholds
from posture.settings import Settings
from posture.slouch import SlouchEvent, SlouchState
from posture.step_result import StepResult
from posture.summary import Bout, Summarizer, Summary
from posture.words import REASONS, STATES, clock

_ORDER: Final = (SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.AWAY, SlouchState.UNKNOWN)

_COLOURS: Final = {word: colour for _, word, colour in STATES.values()}


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """What a replay found.

    ``pandas.DataFrame(result.columns())`` and ``polars.DataFrame(result.columns())`` make a data frame of it; a
    notebook shows it as a small table.
    """

    source: str
    """What was judged, as messages call it; never contains a password."""
    steps: tuple[StepResult, ...]
    """One for every frame, in order."""
    settings: Settings
    """What was judged by."""
    baseline: Baseline | None
    """The upright that was judged against at the end; None = there was none."""
    notes: tuple[str, ...] = ()
    """What a person should know about the source, one line each."""

    def __len__(self) -> int:
        """Return T, the number of frames."""
        return len(self.steps)

    def __repr__(self) -> str:
        """Return one line."""
        return f"<ReplayResult of {self.source!r}: {len(self)} frames, alerts: {len(self.alerts)}>"

    @property
    def events(self) -> tuple[SlouchEvent, ...]:
        """Everything that changed, in the order in which it was certain."""
        return tuple(event for step in self.steps for event in step.events)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The notifications that would have been sent."""
        return tuple(step.alert for step in self.steps if step.alert is not None)

    @cached_property
    def summary(self) -> Summary:
        """Times in every state, counts of events, and the bouts."""
        summarizer = Summarizer(self.settings.judge.max_gap_s)
        for step in self.steps:
            summarizer.handle(step)
        return summarizer.summary()

    @property
    def bouts(self) -> tuple[Bout, ...]:
        """Uninterrupted periods in one state."""
        return self.summary.bouts

    @property
    def thresholds(self) -> Thresholds | None:
        """Deviations that count as a slouch; None = there is no baseline."""
        return None if self.baseline is None else make_thresholds(self.settings.judge, self.baseline)

    def columns(self) -> Columns:
        """Return the steps as columns, one row a frame.

        Returns
        -------
        dict of str to ndarray, shape (T,)
            As :func:`step_columns`.
        """
        return step_columns(self.steps)

    def event_columns(self) -> Columns:
        """Return the events as columns, one row an event.

        Returns
        -------
        dict of str to ndarray, shape (N,)
            As :func:`event_columns`.
        """
        return event_columns(self.events)

    def bout_columns(self) -> Columns:
        """Return the bouts as columns, one row a bout.

        Returns
        -------
        dict of str to ndarray, shape (N,)
            As :func:`bout_columns`.
        """
        return bout_columns(self.bouts)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a band of the states and a table; every text is escaped."""
        summary = self.summary
        total_s = sum(summary.seconds.values())
        rows = [(STATES[state][1], _share(summary.seconds[state], total_s)) for state in _ORDER]
        rows += [(f"– {REASONS[reason]}", clock(seconds)) for reason, seconds in summary.not_judged_s.items()]
        told = ", ".join(clock(at_s) for at_s in summary.alerts_s)
        rows += [("alerts", f"{len(summary.alerts_s)}{f' (at {told})' if told else ''}")]
        rows += [("frames", str(summary.n_frames))]
        if self.baseline is not None:
            rows += [("seen from", self.baseline.placement.value)]
        rows += [("note", note) for note in self.notes]
        cells = "".join(_row(name, value) for name, value in rows)
        name = html.escape(self.source)
        return f"<figure><figcaption><b>{name}</b></figcaption>{self._band()}<table>{cells}</table></figure>"

    def _band(self) -> str:
        """Return the states over time as an inline picture; nothing for a clip without a length."""
        if not self.steps or (total_s := self.steps[-1].t_s - (start_s := self.steps[0].t_s)) <= 0.0:
            return ""
        pieces = "".join(
            f'<rect x="{100.0 * (bout.start_s - start_s) / total_s:.3f}" y="0" height="6" '
            f'width="{100.0 * (bout.end_s - bout.start_s) / total_s:.3f}" fill="{STATES[bout.state][2]}">'
            f"<title>{STATES[bout.state][1]}, {clock(bout.start_s)} to {clock(bout.end_s)}</title></rect>"
            for bout in self.bouts
        )
        return (
            '<svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="states over time" '
            f'style="width:100%;max-width:40em;height:1.5em;display:block">{pieces}</svg>'
        )


def _row(name: str, value: str) -> str:
    """Return a row of the table; a state's begins with its colour in the band."""
    colour = _COLOURS.get(name, "transparent")
    return (
        f'<tr><th scope="row" style="text-align:left"><span style="display:inline-block;width:.8em;height:.8em;'
        f'margin-right:.5em;background:{colour}"></span>{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(value)}</td></tr>'
    )


def _share(seconds: float, total_s: float) -> str:
    """Return a time and its share of all."""
    return f"{clock(seconds)} ({100.0 * seconds / total_s:.0f} %)" if total_s > 0.0 else clock(seconds)
