"""Figures in words, the same on the page and in the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import Final

from posture.evaluation.comparison import Comparison
from posture.evaluation.figures import AngleFigures, Estimate, Figures
from posture.evaluation.scoring import ClipScore
from posture.evaluation.statistics import weigh
from posture.slouch import Reason, SlouchState
from posture.words import REASONS, STATES, clock

NOTHING: Final = "–"
"""Stands where there is nothing to make a figure of."""
STATE_WORDS: Final = {state: word for state, (_, word, _) in STATES.items()} | {
    SlouchState.UNKNOWN: "not judged"
}
GROUP_HEAD: Final = (
    "Hours",
    "False",
    "per hour, 95 %",
    "Recall",
    "Late (worst)",
    "Not judged",
    "Neck (bias, r)",
    "Trunk (bias, r)",
)
"""Columns of a table by group."""
SHORT_HEAD: Final = ("Hours", "False", "Recall", "Late", "Not judged", "Neck", "Trunk")
"""The same where there is little room."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure in words."""

    name: str
    value: str
    sure: str
    """How sure it is, or how far it goes."""
    basis: str
    """What it rests on."""


def figure_rows(f: Figures) -> list[Row]:
    """Return every figure that there is something to make of."""
    rows = [
        Row(
            "False alerts per hour",
            number(f.false_per_hour.value),
            interval(f.false_per_hour),
            f"{f.n_false} in {f.watched_h:.2f} h watched",
        ),
        Row(
            "Recall",
            share(f.recall.value),
            f"{share(f.recall.low)} to {share(f.recall.high)}" if f.n_must else NOTHING,
            f"{f.n_met} of {f.n_must} slouches to be alerted" if f.n_must else "no 'must' in the labels",
        ),
    ]
    if f.n_met:
        rows.append(
            Row(
                "Alert late by",
                seconds(f.late_median_s),
                _worst(f.late_worst_s),
                "median, after the sustain",
            )
        )
    if f.n_slouches:
        basis = f"median of {f.n_noticed} of {f.n_slouches} slouches"
        rows.append(Row("Slouch noticed after", seconds(f.onset_median_s), _worst(f.onset_worst_s), basis))
        left = f"; {f.n_unrecovered} never" if f.n_unrecovered else ""
        rows.append(
            Row(
                "Sitting up noticed after",
                seconds(f.recovery_median_s),
                _worst(f.recovery_worst_s),
                f"median{left}",
            )
        )
    rows.append(Row("Not judged", share(f.not_judged_ratio), "", reasons(f.not_judged_s)))
    for name, angle in (("Neck error", f.neck), ("Trunk error", f.thoracic)):
        if angle.n:
            rows.append(
                Row(
                    name,
                    degrees(angle.mae_deg),
                    f"bias {signed(angle.bias_deg)}, r {number(angle.correlation)}",
                    f"saying 0: {degrees(angle.zero_mae_deg)}; {angle.n} samples, "
                    f"{share(angle.measured_ratio)} measured",
                )
            )
    return rows


def group_cells(f: Figures) -> tuple[str, ...]:
    """Return the cells of a group's row, in the order of `GROUP_HEAD`."""
    late = f"{seconds(f.late_median_s)} ({seconds(f.late_worst_s)})" if f.n_met else NOTHING
    return (
        f"{f.watched_h:.2f}",
        str(f.n_false) if f.watched_h else NOTHING,
        interval(f.false_per_hour),
        f"{f.n_met} of {f.n_must}" if f.n_must else NOTHING,
        late,
        share(f.not_judged_ratio),
        _angle(f.neck),
        _angle(f.thoracic),
    )


def short_cells(f: Figures) -> tuple[str, ...]:
    """Return the cells of a group's row, in the order of `SHORT_HEAD`: counts, the worst time, mean errors."""
    return (
        f"{f.watched_h:.2f}",
        str(f.n_false) if f.watched_h else NOTHING,
        f"{f.n_met} of {f.n_must}" if f.n_must else NOTHING,
        seconds(f.late_worst_s),
        share(f.not_judged_ratio),
        degrees(f.neck.mae_deg),
        degrees(f.thoracic.mae_deg),
    )


def pair_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the cells of every compared figure: name, A, B, what B is, p, how many differ."""
    rows: list[tuple[str, ...]] = []
    for pair in comparison.pairs:
        p, verdict = weigh(pair)
        rows.append(
            (
                pair.name,
                pair_value(pair.first, pair.unit),
                pair_value(pair.second, pair.unit),
                verdict.value,
                NOTHING if isnan(p) else f"{p:.3f}",
                f"{pair.n_differ} of {len(pair.differences)}",
            )
        )
    return rows


def remarks(score: ClipScore) -> list[str]:
    """Return where to look in a clip: false alerts, missed slouches, notes."""
    told = []
    for alert in score.false_alerts:
        during = f", {alert.posture}" if alert.posture else ""
        forbidden = ", where the labels forbid one" if alert.is_forbidden else ""
        told.append(f"false alert at {clock(alert.t_s)}{during}{forbidden}")
    for missed in score.missed:
        what = f" ({missed.posture})" if missed.posture else ""
        told.append(f"no alert for {clock(missed.start_s)} to {clock(missed.end_s)}{what}")
    return [*told, *score.notes]


def reasons(not_judged_s: dict[str, float]) -> str:
    """Return why nothing was judged, the longest first."""
    told = []
    for reason, seconds_ in not_judged_s.items():
        name = REASONS[Reason(reason)].partition(":")[0] or "not yet sure"
        told.append(f"{name} {seconds_:.0f} s")
    return ", ".join(told)


def pair_value(value: float, unit: str) -> str:
    """Return a compared figure with its unit."""
    match unit:
        case "°":
            return degrees(value)
        case "s":
            return seconds(value)
        case "share":
            return share(value)
        case _:
            return number(value)


def number(value: float) -> str:
    """Return a number with two places; a dash for NaN."""
    return NOTHING if isnan(value) else f"{value:.2f}".replace("-", "−")


def interval(estimate: Estimate) -> str:
    """Return an interval; a dash where there is nothing to make one of."""
    if isnan(estimate.value) or not isfinite(estimate.high):
        return NOTHING
    return f"{_rate(estimate.low)} to {_rate(estimate.high)}"


def _rate(value: float) -> str:
    """Return a number with two places, fewer if it is large."""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def share(value: float) -> str:
    """Return a share in per cent; a dash for NaN."""
    return NOTHING if isnan(value) else f"{100 * value:.0f} %"


def seconds(value: float) -> str:
    """Return seconds with one place; a dash for NaN."""
    return NOTHING if isnan(value) else f"{value:.1f} s".replace("-", "−")


def degrees(value: float) -> str:
    """Return degrees with one place; a dash for NaN."""
    return NOTHING if isnan(value) else f"{value:.1f}°".replace("-", "−")


def signed(value: float) -> str:
    """Return degrees with their sign."""
    return NOTHING if isnan(value) else f"{value:+.1f}°".replace("-", "−")


def _worst(value: float) -> str:
    """Return the worst of some times."""
    return "" if isnan(value) else f"worst {seconds(value)}"


def _angle(angle: AngleFigures) -> str:
    """Return an angle's errors in one cell."""
    if not angle.n:
        return NOTHING
    return f"{degrees(angle.mae_deg)} ({signed(angle.bias_deg)}, {number(angle.correlation)})"
