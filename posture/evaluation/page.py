"""A result as one self-contained page: nothing is fetched, and a policy in it forbids that anything be."""

from __future__ import annotations

from typing import Final

from posture.evaluation import strips, words
from posture.evaluation.comparison import Comparison
from posture.evaluation.course import STATES
from posture.evaluation.figures import Figures, make_figures
from posture.evaluation.result import NOT_GIVEN, Result
from posture.evaluation.scoring import ClipScore
from posture.evaluation.tally import Tally
from posture.report import drawing
from posture.report.sheet import make_sheet
from posture.slouch import SlouchState
from posture.words import count

MAX_STRIPS: Final = 60
"""Strips on a page; those with mistakes come first (our choice)."""
_SHOWN: Final = (SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.AWAY, SlouchState.UNKNOWN)


def render_page(result: Result, comparison: Comparison | None = None, broken: tuple[str, ...] = ()) -> str:
    """Return the page.

    Parameters
    ----------
    result : Result
        What was evaluated.
    comparison : Comparison or None
        With what it is set side by side.
    broken : tuple of str
        Limits that are not kept, in words.
    """
    environment = make_sheet("posture.evaluation", "page.css")
    comparison = comparison if comparison is not None and comparison.first.scores else None
    figures = make_figures(result.overall)
    labelled = sorted((s for s in result.scores if s.truth or s.false_alerts), key=_interest)
    shown = labelled[:MAX_STRIPS]
    return environment.get_template("page.html").render(
        title=_title(result),
        lead=_lead(figures),
        result=result,
        broken=broken,
        comparison=comparison,
        pairs=[] if comparison is None else words.pair_rows(comparison),
        cards=_cards(figures),
        rows=words.figure_rows(figures),
        head=words.GROUP_HEAD,
        cameras=_rows(result.by_camera) if set(result.by_camera) - {NOT_GIVEN} else [],
        postures=_rows(result.by_posture),
        clips=_rows({score.clip: score.tally for score in result.scores}),
        confusion=_confusion(result.overall),
        strips=[(score, strips.strip(score), words.remarks(score)) for score in shown],
        n_hidden=len(labelled) - len(shown),
        states=[(state.value, words.STATE_WORDS[state]) for state in _SHOWN],
        swatch=drawing.swatch,
        alerts=[(strips.mark(kind), said) for kind, (_, said) in strips.ALERTS.items()],
        patterns=drawing.patterns(),
    )


def _interest(score: ClipScore) -> tuple[int, str]:
    """Return what to sort strips by: mistakes first, then the name."""
    return -(len(score.false_alerts) + len(score.missed)), score.clip


def _title(result: Result) -> str:
    """Return how much was evaluated."""
    people = {score.person for score in result.scores} - {""}
    clips = count(len(result.scores), "clip")
    return f"{clips} of {count(len(people), 'person', 'people')}" if people else clips


def _lead(f: Figures) -> str:
    """Return the main figures in a sentence."""
    told = f"{count(f.n_false, 'false alert')} in {f.watched_h:.2f} h"
    if f.n_must:
        told += f"; {f.n_met} of {count(f.n_must, 'slouch', 'slouches')} alerted"
    return told + "."


def _cards(f: Figures) -> list[tuple[str, str, str]]:
    """Return name, value and note of what is to be seen at a glance."""
    cards = [
        ("False alerts per hour", words.number(f.false_per_hour.value), words.interval(f.false_per_hour)),
    ]
    if f.n_must:
        recall = f"{words.share(f.recall.low)} to {words.share(f.recall.high)}"
        cards.append(("Recall", words.share(f.recall.value), recall))
    if f.n_met:
        cards.append(
            ("Alert late by", words.seconds(f.late_median_s), f"worst {words.seconds(f.late_worst_s)}")
        )
    cards.append(("Not judged", words.share(f.not_judged_ratio), "of the time"))
    for name, angle in (("Neck error", f.neck), ("Trunk error", f.thoracic)):
        if angle.n:
            cards.append(
                (name, words.degrees(angle.mae_deg), f"saying 0: {words.degrees(angle.zero_mae_deg)}")
            )
    return cards


def _rows(tallies: dict[str, Tally]) -> list[tuple[str, tuple[str, ...]]]:
    """Return name and cells of every group."""
    return [(name, words.group_cells(make_figures(tally))) for name, tally in tallies.items()]


def _confusion(tally: Tally) -> list[tuple[str, list[tuple[str, bool]], str]]:
    """Return the labelled states: name, shares of each judged one, time."""
    rows = []
    for state in _SHOWN:
        total_s = sum(tally.confusion_s[STATES.index(state)])
        if total_s > 0.0:
            cells = [(words.share(tally.called(judged, of=state)), judged is state) for judged in _SHOWN]
            rows.append((words.STATE_WORDS[state], cells, f"{total_s:.0f} s"))
    return rows
