"""The report in the terminal. Builds text; prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from posture.report import words
from posture.report.figures import Figures
from posture.report.panels import period_name
from posture.report.periods import Period, Times
from posture.words import BLUE, ORANGE

_BAR_CELLS = (9, 24)  # a shorter bar says little, and "no record" stands in its place; a longer one no more
_GAP_CELLS = 2
_LESS = ("slouching", "longest sat")  # what a narrow terminal does without
_MAX_ROWS = 31


def text_report(
    f: Figures, empty: Sequence[str], *, width_cells: int = 100, is_unicode: bool = True
) -> Iterator[RenderableType]:
    """Yield the lines and the table of a report.

    Parameters
    ----------
    f : Figures
        Of the span.
    empty : sequence of str
        What to say if nothing was recorded in it.
    width_cells : int
        Width of the terminal; a narrow one gets fewer columns.
    is_unicode : bool
        Whether the terminal has block characters.
    """
    yield Text(f"Posture, {words.span_name(f.first_day, f.last_day)}", "bold")
    if f.total.total_s <= 0:
        yield from (Text(line) for line in empty)
        return
    yield Text(" ".join(filter(None, (words.headline(f), _sentence(words.comparison(f))))))
    yield ""
    yield _table(f, width_cells, is_unicode)
    yield ""
    lines = Table.grid(padding=(0, 2, 0, 0))
    for name, sentence in (
        ("Hours", words.hours_sentence(f)),
        ("Sitting", words.sitting_sentence(f)),
        ("Alerts", words.alerts_sentence(f)),
        ("Trend", words.trend_sentence(f)),
        ("Data", words.sufficiency_sentence(f)),
    ):
        lines.add_row(Text(name, "bold"), Text(sentence))
    yield lines
    yield Text(
        "Estimates from a single webcam, against the upright you recorded; not a medical finding.", "dim"
    )


def _sentence(text: str) -> str:
    """Return a text with a full stop; nothing of nothing."""
    return f"{text}." if text else ""


def _table(f: Figures, width_cells: int, is_unicode: bool) -> Table:
    """Return a row for each day, week or month; of very many the newest."""
    periods = f.periods[-_MAX_ROWS:]
    columns: dict[str, list[str]] = {
        "Week from" if f.unit == "week" else f.unit.capitalize(): [_name(p, f.unit) for p in periods],
        "upright": [words.share(p.times.upright_share) for p in periods],
        "judged": [words.duration(p.times.judged_s) for p in periods],
        "slouching": [words.duration(p.times.slouching_s) for p in periods],
        "longest sat": [words.duration(p.longest_sat_s) for p in periods],
        "alerts": [f"{p.n_alerts:,}" for p in periods],
    }
    if _width_cells(columns) > width_cells:
        columns = {name: cells for name, cells in columns.items() if name not in _LESS}
    bar_cells = min(_BAR_CELLS[1], width_cells - _width_cells(columns) - _GAP_CELLS)
    has_bar = bar_cells >= _BAR_CELLS[0]
    table = Table(box=None, padding=(0, _GAP_CELLS, 0, 0), pad_edge=False, header_style="dim")
    for i, name in enumerate(columns):
        table.add_column(name, justify="right" if i else "left", no_wrap=True)
        if i == 0 and has_bar:
            table.add_column("", no_wrap=True)
    longest_s = max(p.times.judged_s for p in periods) or 1.0
    for p, row in zip(periods, zip(*columns.values(), strict=True), strict=True):
        if p.times.total_s <= 0:
            table.add_row(Text(row[0], "dim"), Text("no record" if has_bar else "–", "dim"))
            continue
        bar = [_bar(p.times, bar_cells * p.times.judged_s / longest_s, is_unicode)] if has_bar else []
        table.add_row(row[0], *bar, *row[1:])
    if any(words.little_note(p) for p in periods):
        table.caption = Text("* little judged")
        table.caption_justify = "left"
    return table


def _name(period: Period, unit: str) -> str:
    """Return what a row is called; a star for one with little to go by."""
    name = words.day_name(period.first_day) if unit == "week" else period_name(period, unit)
    return f"{name} *" if words.little_note(period) else name


def _width_cells(columns: dict[str, list[str]]) -> int:
    """Return the width of a table."""
    widths = [max(map(len, (name, *cells))) for name, cells in columns.items()]
    return sum(widths) + _GAP_CELLS * (len(widths) - 1)


def _bar(times: Times, n_cells: float, is_unicode: bool) -> Text:
    """Return the judged time as a bar, upright and slouching told apart by sign and colour."""
    upright, slouching = ("█", "▒") if is_unicode else ("#", "-")
    if isnan(times.upright_share):
        return Text("")
    n_whole = max(1, round(n_cells))
    n_upright = round(n_whole * times.upright_share)
    return Text.assemble((upright * n_upright, BLUE), (slouching * (n_whole - n_upright), ORANGE))
