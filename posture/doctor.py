"""The command ``doctor``: every part looked at, a line each with a remedy. Returns the exit code."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator

from rich.table import Table
from rich.text import Text

from posture.checks.camera import PICTURE_S, check_camera_list, check_camera_rights, check_picture
from posture.checks.engine import check_engine
from posture.checks.finding import Finding, Verdict, examine
from posture.checks.installation import (
    check_no_reports,
    check_opencv,
    check_pose_model,
    check_pygame,
    check_versions,
)
from posture.checks.running import check_autostart, check_monitor
from posture.checks.session import check_notifications, check_session
from posture.checks.storage import check_baselines, check_config, check_database, check_folders
from posture.config import load_settings, state_path
from posture.console import make_console
from posture.errors import PostureError
from posture.notifiers import make_notifier
from posture.settings import Settings
from posture.status import read_status

QUICK_S, SLOW_S = 5.0, 12.0
"""Seconds after which a check has hung: one that reads files, and one that loads libraries (our choice)."""

_SYMBOLS = {
    Verdict.FINE: ("●", "green"),
    Verdict.WARNING: ("▲", "yellow"),
    Verdict.BROKEN: ("✗", "red"),
    Verdict.SKIPPED: ("○", "dim"),
}


def run_doctor(as_json: bool, is_sending: bool) -> int:
    """Look at everything and tell; 1 when something is broken, warnings are no failure.

    Parameters
    ----------
    as_json : bool
        Print one array of objects with `check`, `verdict`, `found` and `remedy` instead of lines.
    is_sending : bool
        Whether a real notification may be shown.
    """
    console = make_console()
    found = []
    for finding in _examine_all(is_sending):
        found.append(finding)
        if not as_json:
            console.print(_row(finding) if console.is_terminal else _line(finding))
    if as_json:
        console.print(
            json.dumps([finding.as_plain() for finding in found], ensure_ascii=False), soft_wrap=True
        )
    n_broken = sum(finding.verdict is Verdict.BROKEN for finding in found)
    n_warnings = sum(finding.verdict is Verdict.WARNING for finding in found)
    if not as_json:
        console.print(_summary(n_broken, n_warnings))
    return 1 if n_broken else 0


def _examine_all(is_sending: bool) -> Iterator[Finding]:
    """Yield what every check finds, in the order of what depends on what."""
    settings, problem = Settings(), None
    try:
        settings = load_settings()
    except PostureError as error:
        problem = str(error)
    monitor = None
    with contextlib.suppress(PostureError):  # no folder to look in: the check of the folders says it
        monitor = read_status(state_path())
    checks: list[tuple[str, Callable[[], Iterable[Finding]], float]] = [
        ("versions", check_versions, QUICK_S),
        ("opencv", check_opencv, SLOW_S),
        ("pygame", check_pygame, QUICK_S),
        ("mediapipe", check_no_reports, QUICK_S),
        ("model", lambda: check_pose_model(settings), QUICK_S),
        ("pose model", lambda: check_engine(settings), SLOW_S),
        ("config", lambda: check_config(problem), QUICK_S),
        ("baseline", lambda: check_baselines(settings), QUICK_S),
        ("history", check_database, QUICK_S),
        ("folders", check_folders, QUICK_S),
        ("cameras", lambda: check_camera_list(settings), QUICK_S),
        ("camera rights", lambda: check_camera_rights(settings), QUICK_S),
        ("picture", lambda: check_picture(settings, monitor), PICTURE_S + 1.0),
        ("desktop session", check_session, QUICK_S),
        (
            "notifications",
            lambda: check_notifications(
                settings, make_notifier(settings.notify, lambda action: None), is_sending=is_sending
            ),
            SLOW_S,
        ),
        ("monitor", lambda: check_monitor(monitor), QUICK_S),
        ("autostart", check_autostart, QUICK_S),
    ]
    for check, look, limit_s in checks:
        yield from examine(check, look, limit_s)


def _line(finding: Finding) -> str:
    """Return a finding as one line, for a file."""
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    symbol = _SYMBOLS[finding.verdict][0]
    return f"{symbol} {finding.verdict.value:<11}  {finding.check}: {finding.found}{remedy}"


def _row(finding: Finding) -> Table:
    """Return a finding as symbol, word, part, what was found and, below that, the remedy, for a terminal."""
    symbol, colour = _SYMBOLS[finding.verdict]
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(width=1)
    line.add_column(width=11)
    line.add_column(width=15)
    line.add_column(overflow="fold")
    text = Text(finding.found)
    if finding.remedy:
        text.append(f"\n→ {finding.remedy}", "bold")
    line.add_row(Text(symbol, colour), Text(finding.verdict.value, colour), finding.check, text)
    return line


def _summary(n_broken: int, n_warnings: int) -> Text:
    """Return the last line."""
    if n_broken:
        warnings = f", {n_warnings} to look at" if n_warnings else ""
        return Text(f"{n_broken} broken{warnings}: what to do stands beside it", "bold red")
    if n_warnings:
        return Text(f"nothing is broken; {n_warnings} to look at", "bold")
    return Text("all is well", "bold green")
