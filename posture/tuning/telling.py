"""What came of trying settings, in the terminal. Builds text; prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from posture.evaluation.tally import median_s
from posture.tuning.choice import CURRENT
from posture.tuning.curve_text import draw_curve
from posture.tuning.figures import Bounds, against_current, bounds
from posture.tuning.finding import Finding
from posture.tuning.trial import Figures
from posture.words import count

MAX_ROWS = 12
"""Settings listed at most; all of them are in the JSON and on the page."""


def tell(finding: Finding, *, width_cells: int, is_unicode: bool) -> Iterator[RenderableType]:
    """Yield the lines, the chart and the tables."""
    yield Text(headline(finding), "bold")
    yield ""
    if finding.front:
        for line in draw_curve(finding, width_cells, is_unicode=is_unicode):
            yield Text(line, no_wrap=True)
        yield ""
        yield _front(finding, is_unicode)
        yield ""
    choice = finding.choice
    if choice is None:
        yield Text(f"Too little to propose a setting. Missing: {'; '.join(finding.missing)}.", "bold")
        return
    yield _compared(finding, is_unicode)
    yield Text(
        "Held out: chosen on some, counted on the others; expect that. Seen: where it was chosen, which is too good.",
        "dim",
    )
    for warning in finding.warnings:
        yield Text(f"note: {warning}", "bold")
    if choice.chosen == CURRENT:
        yield Text("Nothing to change: of all that was tried, your settings are the best.", "bold")
        return
    yield Text(against_current(finding))


def headline(finding: Finding) -> str:
    """Return what was looked at, in a sentence."""
    total = finding.total(CURRENT)
    who = f" of {count(finding.n_persons, 'person', 'people')}" if finding.n_persons else ""
    return (
        f"{count(len(finding.trials), 'recording')}{who}, {total.watched_h:.1f} hours, "
        f"{count(total.n_must, 'slouch', 'slouches')} to be alerted; {count(len(finding.names), 'setting')} tried."
    )


def _front(finding: Finding, is_unicode: bool) -> Table:
    """Return the table of settings that no other beats."""
    table = _table("No other finds more at as few false alerts", "", finding, is_unicode)
    front = finding.front
    shown = front if len(front) <= MAX_ROWS else front[:: -(-len(front) // MAX_ROWS)]
    for s in shown:
        _add(table, "yours" if s == CURRENT else "", finding.values[s], finding.total(s), is_unicode)
    return table


def _compared(finding: Finding, is_unicode: bool) -> Table:
    """Return the table of the proposal beside the settings in force."""
    choice = finding.choice
    assert choice is not None
    table = _table("The proposal beside your settings", "", finding, is_unicode)
    chosen = finding.values[choice.chosen]
    _add(table, "yours", finding.values[CURRENT], choice.current, is_unicode)
    _add(table, "held out", chosen, choice.held_out, is_unicode)
    _add(table, "seen", chosen, choice.seen, is_unicode)
    return table


def _table(title: str, first: str, finding: Finding, is_unicode: bool) -> Table:
    """Return a table of figures."""
    style = box.SIMPLE_HEAD if is_unicode else box.ASCII2
    table = Table(
        title=title, title_justify="left", title_style="bold", box=style, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column(first)
    for key in finding.keys:
        table.add_column(key.rpartition(".")[2], justify="right", overflow="fold")
    for name in ("recall %", "false an hour", "late"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add(table: Table, name: str, values: tuple[str, ...], figures: Figures, is_unicode: bool) -> None:
    """Add a row."""
    table.add_row(
        name, *(Text(one) for one in values), *cells(figures, bounds(figures), "–" if is_unicode else "-")
    )


def cells(figures: Figures, limits: Bounds, dash: str = "–") -> tuple[str, str, str]:
    """Return recall in per cent, false alerts an hour and the median delay in words, with their 95 % intervals."""
    recall = f"{100 * figures.recall:.0f} ({100 * limits.recall[0]:.0f}{dash}{100 * limits.recall[1]:.0f})"
    rate = f"{figures.false_per_hour:.2f} ({limits.rate[0]:.2f}{dash}{limits.rate[1]:.2f})"
    late_s = median_s(figures.late_s)
    return (
        dash if isnan(figures.recall) else recall,
        dash if isnan(figures.false_per_hour) else rate,
        dash if isnan(late_s) else f"{late_s:+.1f} s",
    )


def to_value(text: Any) -> Any:
    """Return a value as it is written in TOML, for a person."""
    return f'"{text}"' if isinstance(text, str) else f"{text:g}" if isinstance(text, float) else text
