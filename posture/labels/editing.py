"""Labels being made: what a labeller's commands do to them, and how they are taken back. Pure; no I/O.

A stretch is marked and then given a state or a duty, which takes the place of whatever of that kind was there; the
next stretch begins where it ends::

    marks    i...............o                 i = start, o = end; without an end, the present moment is it
    state    uuuuuuuuuSSSSSSSSSSS    -> "upright" ->    uuuuuuuuuuuuuuuuuSSS
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from posture.labels.labels import Duty, Interval, Labels
from posture.slouch import SlouchState

MARK_FIRST: Final = "nothing is marked here: i marks a start; go to the end, then 1 to 7"
DUTIES: Final[dict[Duty, str]] = {
    Duty.MUST: "must alert",
    Duty.MUST_NOT: "must not alert",
    Duty.IGNORE: "ignore alerts",
}
"""What a labeller calls them."""
_DECIMALS = 3  # of a second; the frames of the fastest camera (240 Hz) are 4 ms apart


@dataclass(frozen=True, slots=True)
class Draft:
    """Labels with what a labeller has marked and can take back."""

    labels: Labels
    start_s: float | None = None
    """Where the marked stretch begins; None = not marked."""
    end_s: float | None = None
    """Where it ends; None = wherever the labeller is."""
    message: str = ""
    """What the last command did, or why it did nothing."""
    past: tuple[Labels, ...] = ()
    """What :func:`undo` goes back to, newest last."""
    future: tuple[Labels, ...] = ()
    """What :func:`redo` goes on to, newest last."""


def mark_start(draft: Draft, t_s: float) -> Draft:
    """Begin a stretch here; an end that is not after it is forgotten."""
    start_s = round(t_s, _DECIMALS)
    end_s = draft.end_s if draft.end_s is not None and draft.end_s > start_s else None
    return replace(draft, start_s=start_s, end_s=end_s, message=f"start at {moment_text(start_s)}")


def mark_end(draft: Draft, t_s: float) -> Draft:
    """End the stretch here; a start that is not before it is forgotten."""
    end_s = round(t_s, _DECIMALS)
    start_s = draft.start_s if draft.start_s is not None and draft.start_s < end_s else None
    return replace(draft, start_s=start_s, end_s=end_s, message=f"end at {moment_text(end_s)}")


def clear_marks(draft: Draft) -> Draft:
    """Forget the marked stretch."""
    return replace(draft, start_s=None, end_s=None, message="nothing is marked")


def give(draft: Draft, said: SlouchState | Duty, t_s: float) -> Draft:
    """Say of the marked stretch what the person did or what a monitor owes.

    Without a marked stretch the one under (or ending at) the present moment is said so of, first of the same kind.

    Parameters
    ----------
    draft : Draft
        As it is.
    said : SlouchState or Duty
        Takes the place of what was there of its kind; the other kind stays.
    t_s : float
        Where the labeller is, seconds.

    Returns
    -------
    Draft
        The next stretch begins where this one ends.
    """
    span_s = selection(draft, t_s)
    if span_s is None:
        kind = _kind(said)
        found = sorted(_under(draft.labels, t_s), key=lambda one: getattr(one, kind) is None)
        if not found:
            return replace(draft, message=MARK_FIRST)
        span_s = found[0].start_s, found[0].end_s
    word = DUTIES[said] if isinstance(said, Duty) else said.value
    message = f"{word}: {moment_text(span_s[0])} to {moment_text(span_s[1])}"
    return _changed(draft, put(draft.labels, *span_s, said), message, next_start_s=span_s[1])


def set_baseline(draft: Draft, t_s: float) -> Draft:
    """Make the marked stretch the upright to calibrate on; without one, forget which it was."""
    span_s = selection(draft, t_s)
    if span_s is None:
        if draft.labels.baseline_s is None:
            return replace(draft, message=MARK_FIRST)
        return _changed(draft, replace(draft.labels, baseline_s=None), "no baseline")
    message = f"baseline: {moment_text(span_s[0])} to {moment_text(span_s[1])}"
    return _changed(draft, replace(draft.labels, baseline_s=span_s), message, next_start_s=span_s[1])


def delete(draft: Draft, kind: str, t_s: float) -> Draft:
    """Take away the label of a kind, ``state`` or ``duty``, under the present moment."""
    found = [one for one in _under(draft.labels, t_s) if getattr(one, kind) is not None]
    name = "state" if kind == "state" else "alert"
    if not found:
        return replace(draft, message=f"no {name} is labelled here")
    gone = found[0]
    other = "duty" if kind == "state" else "state"
    rest = [one for one in draft.labels.intervals if one is not gone]
    if getattr(gone, other) is not None:
        rest.append(_without(gone, kind))
    message = f"deleted: {name} {moment_text(gone.start_s)} to {moment_text(gone.end_s)}"
    return _changed(draft, replace(draft.labels, intervals=tuple(rest)), message)


def undo(draft: Draft) -> Draft:
    """Take the last change back."""
    if not draft.past:
        return replace(draft, message="nothing to undo")
    return replace(
        draft,
        labels=draft.past[-1],
        past=draft.past[:-1],
        future=(*draft.future, draft.labels),
        start_s=None,
        end_s=None,
        message=f"undone; {len(draft.past) - 1} more",
    )


def redo(draft: Draft) -> Draft:
    """Make the change again that was taken back last."""
    if not draft.future:
        return replace(draft, message="nothing to redo")
    return replace(
        draft,
        labels=draft.future[-1],
        past=(*draft.past, draft.labels),
        future=draft.future[:-1],
        start_s=None,
        end_s=None,
        message=f"redone; {len(draft.future) - 1} more",
    )


def selection(draft: Draft, t_s: float) -> tuple[float, float] | None:
    """Return the marked stretch, an open one up to the present moment; None if nothing, or no time, is marked."""
    marks = [mark for mark in (draft.start_s, draft.end_s) if mark is not None]
    if len(marks) == 1:
        marks.append(round(t_s, _DECIMALS))
    if len(marks) < 2 or marks[0] == marks[1]:
        return None
    return min(marks), max(marks)


def edges(labels: Labels) -> tuple[float, ...]:
    """Return the times at which something begins or ends, in order."""
    spans = [(one.start_s, one.end_s) for one in labels.intervals]
    spans += [labels.baseline_s] if labels.baseline_s is not None else []
    return tuple(sorted({t_s for span in spans for t_s in span}))


def put(labels: Labels, start_s: float, end_s: float, said: SlouchState | Duty) -> Labels:
    """Return the labels with something said of a span; what was there of the same kind gives way.

    An interval that says both and is cut into keeps the other kind whole. The new one is joined with what it touches
    and is the same, and with an interval of the other kind over the very same span.
    """
    kind = _kind(said)
    other = "duty" if kind == "state" else "state"
    kept: list[Interval] = []
    for one in labels.intervals:
        if getattr(one, kind) is None or one.end_s <= start_s or one.start_s >= end_s:
            kept.append(one)
            continue
        if getattr(one, other) is not None:
            kept.append(_without(one, kind))
        kept += _outside(_without(one, other), start_s, end_s)
    new = Interval(start_s, end_s, said if isinstance(said, SlouchState) else None, _duty(said))
    for one in [one for one in kept if _is_joined(one, new)]:
        kept.remove(one)
        new = replace(new, start_s=min(one.start_s, new.start_s), end_s=max(one.end_s, new.end_s))
    for one in [one for one in kept if (one.start_s, one.end_s) == (new.start_s, new.end_s)]:
        if getattr(one, kind) is None and getattr(one, other) is not None:
            kept.remove(one)
            new = replace(one, state=new.state or one.state, duty=new.duty or one.duty)
            break
    return replace(labels, intervals=(*kept, new))


def moment_text(t_s: float) -> str:
    """Return a time as ``m:ss.s`` or ``h:mm:ss.s``."""
    tenths = round(t_s * 10.0)
    hours, minutes, seconds = tenths // 36000, tenths // 600 % 60, tenths % 600
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{seconds // 10:02d}.{seconds % 10}"


def _changed(draft: Draft, labels: Labels, message: str, next_start_s: float | None = None) -> Draft:
    """Return the draft after a change that can be taken back."""
    if labels == draft.labels:
        return replace(draft, start_s=next_start_s, end_s=None, message=f"{message} (as it was)")
    return Draft(labels, next_start_s, None, message, (*draft.past, draft.labels), ())


def _kind(said: SlouchState | Duty) -> str:
    """Return the field of an interval in which this is said."""
    return "duty" if isinstance(said, Duty) else "state"


def _duty(said: SlouchState | Duty) -> Duty | None:
    """Return what is said if it is a duty."""
    return said if isinstance(said, Duty) else None


def _without(interval: Interval, kind: str) -> Interval:
    """Return an interval that says nothing of a kind."""
    return replace(interval, state=None) if kind == "state" else replace(interval, duty=None)


def _outside(interval: Interval, start_s: float, end_s: float) -> Iterator[Interval]:
    """Yield what of an interval lies outside of a span."""
    if interval.start_s < start_s:
        yield replace(interval, end_s=start_s)
    if interval.end_s > end_s:
        yield replace(interval, start_s=end_s)


def _is_joined(one: Interval, new: Interval) -> bool:
    """Return whether an interval touches the new one and says exactly the same."""
    is_same = (one.state, one.duty, one.posture, one.note) == (new.state, new.duty, "", "")
    return is_same and (one.end_s == new.start_s or one.start_s == new.end_s)


def _under(labels: Labels, t_s: float) -> list[Interval]:
    """Return the intervals under a moment, else those that end at it, latest first."""
    moment_s = round(t_s, _DECIMALS)
    inside = [one for one in labels.intervals if one.start_s <= moment_s < one.end_s]
    ending = [one for one in labels.intervals if one.end_s == moment_s]
    return (inside or ending)[::-1]
