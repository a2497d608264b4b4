"""Recall against false alerts per hour, in the characters of a terminal. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite
from typing import Final

from posture.tuning.choice import CURRENT
from posture.tuning.finding import Finding, finite_max

ROWS: Final = 14
_MARGIN: Final = 6
_MAX_COLUMNS: Final = 76


@dataclass(frozen=True, slots=True)
class Marks:
    """A sign for every kind of point; the later ones lie on top."""

    tried: str
    best: str
    current: str
    proposed: str


UNICODE: Final = Marks("·", "o", "◆", "★")
ASCII: Final = Marks(".", "o", "#", "*")


def marks(is_unicode: bool) -> Marks:
    """Return the signs that a terminal has."""
    return UNICODE if is_unicode else ASCII


def draw_curve(finding: Finding, width_cells: int, *, is_unicode: bool) -> list[str]:
    """Return the lines of the chart.

    Parameters
    ----------
    finding : Finding
        With something to find.
    width_cells : int
        Room.
    is_unicode : bool
        Whether the terminal has more than ASCII.
    """
    n = max(min(width_cells - _MARGIN - 2, _MAX_COLUMNS), 20)
    right = find_right(finding)
    cells: dict[tuple[int, int], str] = {}
    signs = marks(is_unicode)
    layers = [
        (signs.tried, range(len(finding.points))),
        (signs.best, finding.front),
        (signs.current, [CURRENT]),
    ]
    if finding.choice is not None:
        layers.append((signs.proposed, [finding.choice.chosen]))
    for sign, settings in layers:
        for s in settings:
            rate, recall = finding.points[s]
            if isfinite(rate) and rate <= right:
                cells[round((1.0 - recall) * (ROWS - 1)), round(rate / right * (n - 1))] = sign
    wall, corner, floor = ("│", "└", "─") if is_unicode else ("|", "+", "-")
    lines = ["recall"]
    for row in range(ROWS):
        share = 1.0 - row / (ROWS - 1)
        label = f"{100 * share:3.0f} %" if row in (0, ROWS - 1) else ""
        lines.append(
            f"{label:>{_MARGIN - 1}} {wall}" + "".join(cells.get((row, x), " ") for x in range(n)).rstrip()
        )
    lines.append(" " * _MARGIN + corner + floor * n)
    middle = f"{right / 2:g}"
    scale = list(" " * (n + 8))
    for x, text in ((0, "0"), ((n - 1) // 2, middle), (n - 1, f"{right:g}")):
        scale[x : x + len(text)] = text
    lines.append(" " * (_MARGIN + 1) + "".join(scale).rstrip())
    lines.append(" " * (_MARGIN + 1) + "false alerts an hour")
    n_beyond = sum(not rate <= right for rate, _ in finding.points)
    lines.append(
        f"{signs.tried} tried   {signs.best} no other beats it   {signs.current} yours"
        + (f"   {signs.proposed} proposed" if finding.choice is not None else "")
        + (f"   ({n_beyond} lie further right)" if n_beyond else "")
    )
    return lines


def find_right(finding: Finding) -> float:
    """Return the rate at which the chart ends: all that matters is in it, and a number that is easy to read."""
    shown = [finding.points[s][0] for s in (*finding.front, CURRENT)]
    most = max(finite_max(shown), finding.max_false_per_hour)
    step = 10.0 ** len(str(int(most))) / 10.0 if most >= 1.0 else 0.2
    return round(ceil(most * 1.05 / step) * step, 6)
