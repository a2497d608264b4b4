"""An alert told in full: what was measured against what, for how long, what came after. Builds text; prints nothing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from math import isnan
from pathlib import Path

from rich.table import Table
from rich.text import Text

from posture.errors import PostureError
from posture.history.proposal import PARTS, Proposal, limit
from posture.history.rows import AlertRow, BoutRow, FeedbackRow, MinuteRow, SessionRow
from posture.recording.excerpt import judge_excerpt
from posture.slouch import SlouchState
from posture.words import BLUE, ORANGE, STATES, clock, count, degrees_text, part_phrase

BEFORE_MS, AFTER_MS = 10 * 60_000, 5 * 60_000
"""How much is shown around an alert: it comes after a minute, and most slouches are over in one (our choice)."""
TRACE_BEFORE_S, TRACE_AFTER_S, TRACE_ROWS = 60.0, 30.0, 12
DAY_MS = 86_400_000
BAR_CELLS, FULL_RATIO = 20, 2.0


def local_text(utc_ms: int, utc_offset_s: int, form: str = "%a %d %b %Y, %H:%M:%S") -> str:
    """Return a moment by the clock that hung on the wall there and then."""
    zone = timezone(timedelta(seconds=utc_offset_s))
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(zone).strftime(form)


def amount_text(part: str, value: float | None) -> str:
    """Return what was measured of one part, with its unit."""
    if value is None:
        return "not measured"
    return f"{value:+z.3f} trunk" if part == "sink" else f"{value:+z.1f}°"


def alert_lines(alert: AlertRow, n: int, session: SessionRow | None, said: FeedbackRow | None) -> list[Text]:
    """Return what an alert was given for, as lines; `n` is its number, counted back from 1."""
    when = local_text(alert.at_utc_ms, alert.utc_offset_s)
    lines = [Text(f"Alert {n}: {when}", "bold")]
    lines.append(
        Text(
            f"Slouched for {clock(alert.slouched_s)}, since "
            f"{local_text(alert.onset_utc_ms, alert.utc_offset_s, '%H:%M:%S')}; mostly: "
            f"{part_phrase(alert.driver)}."
        )
    )
    by, name = (f" by {session.source}", f" {session.profile!r}") if session is not None else ("", "")
    lines.append(Text(f"Measured{by} against your upright{name}"))
    lines.append(Text(f"{_baseline_text(alert)}."))
    if alert.recovered_utc_ms is None:
        lines.append(Text("It was not seen to end."))
    else:
        after_s = (alert.recovered_utc_ms - alert.at_utc_ms) / 1000
        lines.append(Text(f"It was over {clock(after_s)} after the alert."))
    if said is not None:
        note = f": {said.note}" if said.note else ""
        lines.append(Text(f"You called it {said.verdict}{note}".replace("\n", " ")))
    return lines


def _baseline_text(alert: AlertRow) -> str:
    """Return when an alert's baseline was taken."""
    days = baseline_age_days(alert)
    if days is None:
        return "(when it was taken is not known)"
    taken_ms = alert.at_utc_ms - round(days * DAY_MS)
    return f"of {local_text(taken_ms, alert.utc_offset_s)} ({_age_text(days)} old then)"


def _age_text(days: float) -> str:
    """Return how long a time is, in words."""
    if days >= 1.5:
        return f"{days:.1f} days"
    return count(int(days * 24), "hour") if days >= 1 / 24 else "minutes"


def baseline_age_days(alert: AlertRow) -> float | None:
    """Return how old the baseline was at an alert, days; None = not known."""
    try:
        taken = datetime.fromisoformat(alert.baseline_utc)
    except ValueError:
        return None
    taken = taken if taken.tzinfo is not None else taken.replace(tzinfo=UTC)
    return (alert.at_utc_ms - taken.timestamp() * 1000.0) / DAY_MS


def parts_table(alert: AlertRow) -> Table:
    """Return the four parts of the slouch ratio with their limits; the largest is marked."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "measured", "limit", "share of the limit"):
        is_text = name in ("", "share of the limit")
        table.add_column(name, justify="left" if is_text else "right", no_wrap=True)
    for part, (field, _) in PARTS.items():
        value, most = getattr(alert, field), limit(alert, part)
        ratio = None if value is None else value / most
        style = "bold" if part == alert.driver else ""
        table.add_row(
            Text(("▶ " if part == alert.driver else "  ") + part_phrase(part), style),
            Text(amount_text(part, value), style),
            Text(amount_text(part, most).lstrip("+")),
            Text("-") if ratio is None else bar(ratio),
        )
    return table


def bar(ratio: float) -> Text:
    """Return a bar that is full at twice the limit, with the limit marked: ``█████│``."""
    at = BAR_CELLS // 2
    filled = min(BAR_CELLS, max(0, round(ratio / FULL_RATIO * BAR_CELLS)))
    cells = "█" * filled + " " * (BAR_CELLS - filled)
    text = Text.assemble((cells[:at], BLUE))
    text.append("│", "bold")
    text.append(cells[at:], ORANGE)
    return text.append(f" {ratio:.0%}")


def minute_lines(alert: AlertRow, minutes: Sequence[MinuteRow], bouts: Sequence[BoutRow]) -> list[Text]:
    """Return one line for every minute around an alert: how much of the limit, or why there is nothing.

    Those before anything was recorded are left out, and those after.

    Parameters
    ----------
    alert : AlertRow
        The alert.
    minutes, bouts : sequence of MinuteRow, of BoutRow
        What is known around it.
    """
    by_start = {row.start_utc_ms: row for row in minutes}
    lines = []
    known = [(row.start_utc_ms, row.start_utc_ms + 1) for row in minutes]
    known += [(bout.start_utc_ms, bout.end_utc_ms) for bout in bouts]
    known.append((alert.at_utc_ms, alert.at_utc_ms + 1))
    start_ms = max(alert.at_utc_ms - BEFORE_MS, min(start for start, _ in known))
    end_ms = min(alert.at_utc_ms + AFTER_MS, max(end for _, end in known))
    for at_ms in range(start_ms // 60_000 * 60_000, end_ms, 60_000):
        text = Text.assemble((local_text(at_ms, alert.utc_offset_s, "%H:%M "), "dim"))
        row = by_start.get(at_ms)
        if row is not None:
            text.append_text(bar(row.slouch_ratio))
            text.append(f", neck {degrees_text(row.neck_deg)}, trunk {degrees_text(row.thoracic_deg)}", "dim")
        else:
            text.append_text(_state_text(at_ms, bouts))
        if at_ms <= alert.at_utc_ms < at_ms + 60_000:
            text.append("  ◀ alert", "bold")
        lines.append(text)
    return lines


def _state_text(at_ms: int, bouts: Sequence[BoutRow]) -> Text:
    """Return what state most of a minute without a judgement was in."""
    seconds: dict[SlouchState, int] = {}
    for bout in bouts:
        inside = min(bout.end_utc_ms, at_ms + 60_000) - max(bout.start_utc_ms, at_ms)
        if inside > 0:
            seconds[bout.state] = seconds.get(bout.state, 0) + inside
    if not seconds:
        return Text("nothing recorded", "dim")
    symbol, word, colour = STATES[max(seconds, key=seconds.__getitem__)]
    return Text.assemble((symbol, colour), f" {word}")


def trace_lines(alert: AlertRow) -> list[Text]:
    """Return the stretch of the trace or recording that was kept around an alert; nothing when none was."""
    if not alert.trace_path:
        return []
    path = Path(alert.trace_path)
    where = f"{'Trace' if path.suffix == '.csv' else 'Recording'} {path}, around {alert.trace_t_s:.1f} s"
    try:
        rows = _trace_rows(path, alert) if path.suffix == ".csv" else _recorded_rows(path, alert)
    except PostureError as error:
        return [Text(f"{where}: cannot be shown: {error}", "bold")]
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no trace of 'posture run'"
        return [Text(f"{where}: cannot be shown: {reason}", "bold")]
    if not rows:
        return [Text(f"{where}: it has nothing from then any more; was it overwritten?", "bold")]
    lines = [
        Text(f"{where}:"),
        Text(f"{'s':>9} {'state':>10} {'neck':>7} {'trunk':>7} {'ratio':>6} {'slouched':>8}", "dim"),
    ]
    for t_s, state, neck, trunk, ratio, slouched_s in rows[:: max(1, len(rows) // TRACE_ROWS)]:
        lines.append(
            Text(
                f"{float(t_s):>9.1f} {state:>10} {neck[:6]:>7} {trunk[:6]:>7} {ratio[:5]:>6} {slouched_s[:6]:>8}"
            )
        )
    return lines


def _trace_rows(path: Path, alert: AlertRow) -> list[tuple[str, ...]]:
    """Return the rows of a trace around an alert."""
    names = ("t_s", "state", "neck_deviation_deg", "thoracic_deviation_deg", "slouch_ratio", "slouched_s")
    from_s, to_s = alert.trace_t_s - TRACE_BEFORE_S, alert.trace_t_s + TRACE_AFTER_S
    with path.open(encoding="utf-8", newline="") as file:
        return [
            tuple(row.get(name) or "-" for name in names)
            for row in csv.DictReader(file)
            if from_s <= float(row.get("t_s") or "nan") <= to_s
        ]


def _recorded_rows(path: Path, alert: AlertRow) -> list[tuple[str, ...]]:
    """Return the same of a recording, whose frames around the alert are judged again."""
    from_s, to_s = alert.trace_t_s - TRACE_BEFORE_S, alert.trace_t_s + TRACE_AFTER_S
    began_s = alert.trace_t_s - (alert.at_utc_ms - alert.onset_utc_ms) / 1000.0
    results = judge_excerpt(path, min(from_s, began_s) - TRACE_BEFORE_S, from_s, to_s)
    return [
        (
            f"{result.t_s}",
            result.state.value,
            _cell(result.neck_deviation_deg),
            _cell(result.thoracic_deviation_deg),
            _cell(result.slouch_ratio),
            _cell(result.slouched_s),
        )
        for result in results
    ]


def _cell(value: float) -> str:
    """Return a number as a table shows it; a dash when it was not measured."""
    return "-" if isnan(value) else f"{value:z.3f}"  # as a trace has it, without -0.000


def proposal_lines(proposal: Proposal) -> list[Text]:
    """Return what is proposed, the evidence, and how to do it."""
    if proposal.kind == "recalibrate":
        days = proposal.baseline_age_days
        baseline = "a baseline" if days is None else f"a baseline {_age_text(days)} old"
        said = f"You called {count(proposal.n_wrong, 'alert')} wrong and {proposal.n_right} right"
        ratios = proposal.wrong
        read = f" The wrong ones read {ratios[0]:.0%} to {ratios[-1]:.0%} of the limit." if ratios else ""
        return [
            Text("The upright you are compared with may not be yours of today.", "bold"),
            Text(f"{said}, against {baseline}.{read}"),
            Text("Take a fresh one: posture calibrate. Nothing has been changed."),
        ]
    part = proposal.part
    wrong = ", ".join(amount_text(part, value) for value in proposal.wrong)
    right = ", ".join(amount_text(part, value) for value in proposal.right) or "none"
    return [
        Text(
            f"A higher threshold may suit you: {part_phrase(part)}, {proposal.new:g} instead of {proposal.old:g}.",
            "bold",
        ),
        Text(
            f"At the {proposal.n_wrong} alerts you called wrong it was {wrong}; at those you called right: {right}."
        ),
        Text(
            f"It would have spared {proposal.n_silenced} of the wrong ones and {proposal.n_lost} of the right ones."
        ),
        Text(f"Try it: posture run --set judge.{proposal.setting}={proposal.new:g}"),
        Text(
            "Keep it: the same line in the file that 'posture config path' names. Nothing has been changed."
        ),
    ]
