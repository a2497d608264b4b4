"""What the labeller's window shows, in one piece that can be handed to another process. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from posture.labels.editing import Draft, moment_text, selection
from posture.labels.labels import Labels
from posture.labels.playhead import Playhead
from posture.landmarks import Landmarks


@dataclass(frozen=True, slots=True)
class LabelView:
    """One moment of labelling; its picture goes beside it."""

    name: str
    """The clip's."""
    t_s: float = field(compare=False)
    """The position; told apart by the tenths of :attr:`clock`, as often as it needs to be drawn."""
    duration_s: float
    clock: str
    """Position, length and pace in words."""
    labels: Labels
    marked_s: tuple[float, float] | None
    """The marked stretch; None = nothing is marked."""
    message: str
    """What the last command did."""
    trouble: str
    """Why the labels are not saved; empty = they are."""
    landmarks: Landmarks | None = field(compare=False)
    """One frame (T = 1) of a recording, which has no picture; what it is follows from the position."""


def make_view(
    name: str, playhead: Playhead, draft: Draft, landmarks: Landmarks | None, trouble: str
) -> LabelView:
    """Return what to show.

    Parameters
    ----------
    name : str
        The clip's.
    playhead : Playhead
        Where the labeller is.
    draft : Draft
        The labels and marks.
    landmarks : Landmarks or None
        Of a recording's frame.
    trouble : str
        Why the labels are not saved, or nothing.
    """
    pace = f"{playhead.speed:g} x" if playhead.is_playing else "stopped"
    clock = f"{moment_text(playhead.t_s)} of {moment_text(playhead.duration_s)}  {pace}"
    marks = [mark for mark in (draft.start_s, draft.end_s) if mark is not None]
    marked = selection(draft, playhead.t_s) or ((marks[0], marks[0]) if marks else None)
    return LabelView(
        name,
        playhead.t_s,
        playhead.duration_s,
        clock,
        draft.labels,
        marked,
        draft.message,
        trouble,
        landmarks,
    )
