"""A result in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from posture.evaluation.comparison import Comparison
from posture.evaluation.figures import make_figures
from posture.evaluation.result import NOT_GIVEN, Result
from posture.evaluation.scoring import ClipScore
from posture.evaluation.statistics import Verdict
from posture.evaluation.tally import Tally
from posture.evaluation.words import SHORT_HEAD, figure_rows, pair_rows, remarks, short_cells
from posture.words import count

_IN_ASCII = str.maketrans({"°": " deg", "–": "-", "−": "-", "→": "->"})
_STYLES = {Verdict.BETTER.value: "bold", Verdict.WORSE.value: "bold reverse"}
MAX_CLIPS = 40
"""Clips listed one by one; more are in the files (our choice)."""


def result_parts(result: Result, *, is_ascii: bool) -> Iterator[RenderableType]:
    """Yield what to print of a result, from the whole to the parts."""
    named = {score.person for score in result.scores} - {""}
    people = f" of {count(len(named), 'person', 'people')}" if named else ""
    yield Text(f"{count(len(result.scores), 'clip')}{people}, {result.name}", "bold")
    table = _table("", "Figure", "95 % interval, spread", "Of")
    for row in figure_rows(make_figures(result.overall)):
        table.add_row(*_cells((row.name, row.value, row.sure, row.basis), is_ascii))
    yield table
    if set(result.by_camera) - {NOT_GIVEN}:
        yield _groups("Camera", result.by_camera, is_ascii)
    if result.by_posture:
        yield _groups("Posture", result.by_posture, is_ascii)
    if 1 < len(result.scores) <= MAX_CLIPS:
        yield _groups("Clip", {score.clip: score.tally for score in result.scores}, is_ascii)
    yield from _remarks(result.scores, is_ascii)


def comparison_parts(comparison: Comparison, *, is_ascii: bool) -> Iterator[RenderableType]:
    """Yield what to print of two results side by side."""
    shared = count(len(comparison.first.scores), "clip")
    yield Text(f"A: {comparison.first.name}   B: {comparison.second.name}   ({shared} in both)", "bold")
    table = _table("", "A", "B", "B is", "p", "Differ")
    for cells in pair_rows(comparison):
        table.add_row(*_cells(cells, is_ascii), style=_STYLES.get(cells[3]))
    yield table
    for name, how in comparison.changed:
        yield _line(f"  {name}: {how}", is_ascii)
    for letter, names in (("A", comparison.only_first), ("B", comparison.only_second)):
        if names:
            yield _line(f"  only in {letter}, left out: {', '.join(names)}", is_ascii)


def _groups(title: str, tallies: dict[str, Tally], is_ascii: bool) -> Table:
    """Return a row for each group."""
    table = _table(title, *SHORT_HEAD)
    for name, tally in tallies.items():
        table.add_row(*_cells((name, *short_cells(make_figures(tally))), is_ascii))
    return table


def _remarks(scores: tuple[ClipScore, ...], is_ascii: bool) -> Iterator[RenderableType]:
    """Yield where to look: false alerts, missed slouches, notes."""
    for score in scores:
        for remark in remarks(score):
            yield _line(f"  {score.clip}: {remark}", is_ascii)


def _table(first: str, *others: str) -> Table:
    """Return an empty table."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in (first, *others):
        table.add_column(head, overflow="fold")
    return table


def _cells(words: tuple[str, ...], is_ascii: bool) -> list[Text]:
    """Return words as they can be shown."""
    return [Text(word.translate(_IN_ASCII) if is_ascii else word) for word in words]


def _line(words: str, is_ascii: bool) -> Text:
    """Return one line as it can be shown."""
    return Text(words.translate(_IN_ASCII) if is_ascii else words)
