"""The command ``posture report``: the history on a page or in the terminal. It returns the exit code."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from pathlib import Path
from typing import Final

from posture.config import data_path, history_path, load_settings
from posture.console import make_console
from posture.errors import OutputError
from posture.files import write_atomically
from posture.history.store import History
from posture.report import words
from posture.report.ledger import local_day
from posture.report.page import PageRows, render_page
from posture.report.reading import Report, read_report
from posture.report.text import text_report

STANDARD_OUTPUT: Final = Path("-")
"""Where a page goes that another program is to take."""


def report_path() -> Path:
    """Return where the page is written unless the user names a file."""
    return data_path() / "report.html"


def run_report(n_days: int, output: Path | None, is_opened: bool, is_text: bool, is_summary: bool) -> int:
    """Write the page, open it, or print the text.

    Parameters
    ----------
    n_days : int
        Days up to and including today.
    output : Path or None
        The page; None = `report_path`, which is written unless only the text is asked for; ``-`` = standard output.
    is_opened : bool
        Show the page in the browser.
    is_text : bool
        Print the report too; then the page is written only if it is asked for.
    is_summary : bool
        The page that prints on one sheet.

    Raises
    ------
    HistoryError
        If the history cannot be read.
    OutputError
        If the page cannot be written.
    """
    console = make_console()
    path = report_path() if output is None else output
    if output is not None:
        _check(output)
    if output == STANDARD_OUTPUT and (is_opened or is_text):
        raise OutputError(
            "-: standard output takes the page alone; leave --open and --text out, or name a file"
        )
    now_s = time.time()
    here = time.localtime(now_s)
    last_day = local_day(round(now_s * 1000), here.tm_gmtoff)
    settings = load_settings()
    with History(history_path()) as history:
        report = read_report(history, last_day - n_days + 1, last_day, settings.breaks.away_s)
    empty = _empty_text(report, last_day, here.tm_gmtoff)
    if not settings.history.enabled:
        empty.append("The setting history.enabled is off: nothing new is kept.")
    if is_text:
        is_unicode = console.encoding.lower().startswith("utf")
        for part in text_report(report.figures, empty, width_cells=console.width, is_unicode=is_unicode):
            console.print(part)
        if output is None and not is_opened:
            return 0
    page = render_page(
        report.figures,
        report.courses,
        PageRows(report.sessions, report.alerts, report.feedback),
        made=f"{words.day_name(last_day)} {here.tm_year}, {here.tm_hour}:{here.tm_min:02d}",
        empty=empty,
        is_summary=is_summary,
    )
    # errors="replace": a note may hold half of a character, which is no text
    content = page.encode("utf-8", errors="replace")
    if path == STANDARD_OUTPUT:
        sys.stdout.buffer.write(content)
        return 0
    write_atomically(path, content, is_durable=False)
    if report.figures.total.total_s <= 0 and not is_text:
        for line in empty:
            console.print(line)
    console.print(f"wrote {path}")
    if is_opened and not webbrowser.open(path.absolute().as_uri()):
        console.print("no browser could be opened; open that file in one", style="bold")
        return 1
    return 0


def _check(output: Path) -> None:
    """Raise if the page would take the place of the history or of something that is no file."""
    if output == STANDARD_OUTPUT:
        return
    history = os.path.realpath(history_path())
    if os.path.realpath(output) in {history, history + "-wal", history + "-shm"}:
        raise OutputError(f"{output}: would overwrite the history; name another file")
    if output.exists() and not output.is_file():
        raise OutputError(f"{output} is not a file; name one to write the page to, for example report.html")


def _empty_text(report: Report, today: int, utc_offset_s: int) -> list[str]:
    """Return what to say and to do when nothing was recorded in the span."""
    if report.newest_utc_ms is None:
        return [
            "Nothing has been kept yet.",
            "Start the monitor with 'posture run'. While it watches it keeps times and angles, never pictures; "
            "a day is enough for a first look, a trend takes some weeks.",
        ]
    newest = local_day(report.newest_utc_ms, utc_offset_s)
    advice = (
        f"'posture report --days {today - newest + 1}' reaches it."
        if newest <= today
        else "That is in the future: is this computer's clock right?"
    )
    return [f"The newest record is of {words.span_name(newest, newest)}.", advice]
