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
from posture.report.periods import Times

_BAR_CELLS = 24
_MAX_ROWS = 31


def text_report(f: Figures, empty: Sequence[str], *, is_unicode: bool = True) -> Iterator[RenderableType]:
    """Yield the lines and the table of a report.

    Parameters
    ----------
    f : Figures
        Of the span.
    empty : sequence of str
        What to say if nothing was recorded in it.
    is_unicode : bool
        Whether the terminal has block characters.
    """
    yield Text(f"Posture, {words.span_name(f.first_day, f.last_day)}", "bold")
    if f.total.total_s <= 0:
        yield from (Text(line) for line in empty)
        return
    yield Text(" ".join(filter(None, (words.headline(f), _sentence(words.comparison(f))))))
    yield ""
    yield _table(f, is_unicode)
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


def _table(f: Figures, is_unicode: bool) -> Table:
    """Return a row for each day, week or month; of very many the newest."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(f.unit.capitalize(), no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in ("upright", "judged", "slouching", "alerts", "longest sat"):
        table.add_column(name, justify="right", no_wrap=True)
    periods = f.periods[-_MAX_ROWS:]
    longest_s = max(p.times.judged_s for p in periods) or 1.0
    for p in periods:
        if p.times.total_s <= 0:
            table.add_row(Text(period_name(p, f.unit), "dim"), Text("no record", "dim"))
            continue
        mark = " *" if words.little_note(p) else ""
        table.add_row(
            period_name(p, f.unit) + mark,
            _bar(p.times, longest_s, is_unicode),
            words.share(p.times.upright_share),
            words.duration(p.times.judged_s),
            words.duration(p.times.slouching_s),
            f"{p.n_alerts:,}",
            words.duration(p.longest_sat_s),
        )
    if any(words.little_note(p) for p in periods):
        table.caption = Text("* little judged")
        table.caption_justify = "left"
    return table


def _bar(times: Times, longest_s: float, is_unicode: bool) -> Text:
    """Return the judged time as a bar, upright and slouching told apart by sign and colour."""
    upright, slouching = ("█", "▒") if is_unicode else ("#", "-")
    if isnan(times.upright_share):
        return Text("")
    cells = max(1, round(_BAR_CELLS * times.judged_s / longest_s))
    n_upright = round(cells * times.upright_share)
    return Text.assemble((upright * n_upright, "blue"), (slouching * (cells - n_upright), "yellow"))
