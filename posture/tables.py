"""What a calibration and the stored profiles look like in a terminal. Builds text; prints nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from posture.baseline import Baseline, Placement
from posture.calibration import CalibrationQuality
from posture.errors import ProfileError
from posture.judging import Thresholds
from posture.profile_json import Profile
from posture.profiles import age_days, age_text
from posture.receipt import Drift, Grade, Receipt
from posture.separation import Separation
from posture.words import PARTS, degrees_text

GRADES = {
    Grade.GOOD: "good",
    Grade.FAIR: "fair: it works, and could be better",
    Grade.POOR: "poor: only larger slouches will count",
}
PLACEMENTS = {
    Placement.FRONT: "in front",
    Placement.QUARTER: "half to the side",
    Placement.SIDE: "at the side",
}


def baseline_text(baseline: Baseline) -> str:
    """Return a baseline in one line."""
    return (
        f"camera {PLACEMENTS[baseline.placement]}, {baseline.n_frames} frames over "
        f"{baseline.duration_s:.1f} s, {age_text(baseline)}"
    )


def quality_text(quality: CalibrationQuality) -> str:
    """Return a calibration's quality in one line."""
    return (
        f"seen in {quality.visible_ratio:.0%} of {quality.n_frames} frames, "
        f"sway {quality.sway_ratio:.3f} shoulder widths, head turned {quality.turn_deg:.1f}°, "
        f"brightness {quality.luminance:.2f}"
    )


def thresholds_text(t: Thresholds) -> str:
    """Return thresholds in one line."""
    return (
        f"neck +{t.neck_deg:.0f}°, trunk +{t.thoracic_deg:.0f}°, {PARTS['flexion'][0]} +{t.flexion_deg:.0f}°, "
        f"shoulders {t.sink_ratio:.0%} lower"
    )


def receipt_rows(profile: Profile, receipt: Receipt, stale_after_days: float) -> list[tuple[str, Text]]:
    """Return what a calibration is worth: a label and a text each."""
    baseline, spread = profile.baseline, receipt.spread
    camera = f", {profile.camera}" if profile.camera else ""
    rows = [
        ("quality", Text(GRADES[receipt.grade], "bold")),
        ("taken", Text(f"{baseline_text(baseline)}{camera}")),
    ]
    if profile.quality is not None:
        rows.append(("frames", Text(quality_text(profile.quality))))
    unrest = (
        f"neck ±{spread.neck_deg:.1f}°, trunk ±{spread.thoracic_deg:.1f}°, shoulders ±{spread.sink_ratio:.1%}"
    )
    rows.append(("your own unrest", Text(unrest)))
    if isfinite(receipt.neck_error_deg):
        error = f"neck ±{receipt.neck_error_deg:.0f}°, trunk ±{receipt.thoracic_error_deg:.0f}° in a single picture"
        rows.append(("known error", Text(f"{error}, camera {PLACEMENTS[receipt.placement]}")))
    why = " (moved by your usual slouch)" if receipt.is_personal else ""
    why += f" ({', '.join(receipt.raised)} raised by your own unrest)" if receipt.raised else ""
    rows.append(("a slouch is beyond", Text(f"{thresholds_text(receipt.thresholds)}{why}")))
    rows.append(("good for", Text(_expiry_text(age_days(baseline), stale_after_days))))
    if profile.drift is not None:
        rows.append(("since the last one", Text(_drift_text(profile.drift))))
    rows += [("to do better", Text(advice, "bold")) for advice in receipt.advice]
    return rows


def labelled(rows: Sequence[tuple[str, Text]], *, is_terminal: bool) -> RenderableType:
    """Return labels and texts in two columns, or for a file a line each that is never broken."""
    if not is_terminal:
        return Text("\n").join(Text.assemble(f"{label}: ", text) for label, text in rows)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for label, text in rows:
        table.add_row(label, text)
    return table


def _expiry_text(days: float | None, stale_after_days: float) -> str:
    """Return until when a baseline is fresh."""
    if days is None:
        return "of unknown age; take a fresh one when in doubt"
    left = stale_after_days - days
    if left < 0.0:
        return "it is getting old: 'posture calibrate' takes a fresh one"
    return (
        f"{left:.0f} more days"
        if left >= 1.5
        else "until tomorrow"
        if left >= 0.5
        else "until the end of today"
    )


def _drift_text(drift: Drift) -> str:
    """Return how far this upright is from the one before it."""
    if not drift.is_comparable:
        return "seen from elsewhere: not comparable"
    sunk = round(100 * drift.sink_ratio) if isfinite(drift.sink_ratio) else 0
    shoulders = f"{abs(sunk)}% {'lower' if sunk > 0 else 'higher'}" if sunk else "as high"
    return (
        f"against the upright it replaced, neck {degrees_text(drift.neck_deg)}, "
        f"trunk {degrees_text(drift.thoracic_deg)}, shoulders {shoulders}"
    )


def since_text(neck_deg: float, thoracic_deg: float, upright_s: float, thresholds: Thresholds) -> Text:
    """Return how upright has read against a baseline of late; beyond half a limit it says what to do."""
    told = (
        f"while upright, neck {degrees_text(neck_deg)} and trunk {degrees_text(thoracic_deg)} on average "
        f"(the newest {upright_s / 3600:.1f} h)"
    )
    if 2 * abs(neck_deg) > thresholds.neck_deg or 2 * abs(thoracic_deg) > thresholds.thoracic_deg:
        told += ": it no longer fits how you sit, 'posture calibrate' takes a fresh one"
    return Text(told)


def separation_text(separation: Separation, before: Thresholds, after: Thresholds) -> str:
    """Return how a usual slouch compares with upright, in plain words."""
    if separation.problem:
        return f"Your usual slouch changes nothing: {separation.problem}."
    wrong = 1.0 - separation.auc
    told = "never" if wrong < 0.0005 else f"in {wrong:.1%} of pairs"
    text = (
        f"Your usual slouch reads {separation.slouch_ratio:.0%} of the limit, your upright "
        f"{max(separation.upright_ratio, 0.0):.0%}; two pictures are mixed up {told}."
    )
    if before == after:
        return f"{text} The thresholds stay as they are."
    return f"{text}\nA slouch now counts beyond {thresholds_text(after)}; it was {thresholds_text(before)}."


def profiles_table(rows: Sequence[tuple[str, Profile | ProfileError]], stale_after_days: float) -> Table:
    """Return the stored profiles, one a line; damaged ones say so."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "camera stands", "age", "slouch", "camera"):
        table.add_column(title, style="bold" if title == "name" else "")
    for name, profile in rows:
        if isinstance(profile, ProfileError):
            table.add_row(name, Text("damaged", "bold"))
            continue
        baseline = profile.baseline
        days = age_days(baseline)
        is_old = days is not None and days > stale_after_days
        table.add_row(
            name,
            PLACEMENTS[baseline.placement],
            Text(age_text(baseline) + (", getting old" if is_old else ""), "bold" if is_old else ""),
            "shown" if baseline.slouch_centre is not None else "-",
            Text(profile.camera or "-"),
        )
    return table


def profile_data(name: str, profile: Profile, receipt: Receipt) -> dict[str, Any]:
    """Return a profile and its receipt as plain data; None = not known."""
    baseline, t, drift = profile.baseline, receipt.thresholds, profile.drift
    return {
        "name": name,
        "placement": baseline.placement.value,
        "camera": profile.camera or None,
        "created_utc": baseline.created_utc or None,
        "age_days": _rounded(age_days(baseline)),
        "n_frames": baseline.n_frames,
        "grade": receipt.grade.value,
        "advice": list(receipt.advice),
        "thresholds": _thresholds_data(t),
        "spread": _thresholds_data(receipt.spread),
        "raised": list(receipt.raised),
        "has_slouch": receipt.is_personal,
        "standard_error": {
            "neck_deg": _rounded(receipt.neck_error_deg),
            "thoracic_deg": _rounded(receipt.thoracic_error_deg),
        },
        "drift": drift
        and {
            "neck_deg": _rounded(drift.neck_deg),
            "thoracic_deg": _rounded(drift.thoracic_deg),
            "sink_ratio": _rounded(drift.sink_ratio),
            "since_utc": drift.since_utc or None,
        },
    }


def _thresholds_data(t: Thresholds) -> dict[str, float | None]:
    """Return thresholds as plain data."""
    return {
        "neck_deg": _rounded(t.neck_deg),
        "thoracic_deg": _rounded(t.thoracic_deg),
        "flexion_deg": _rounded(t.flexion_deg),
        "sink_ratio": _rounded(t.sink_ratio),
    }


def _rounded(value: float | None) -> float | None:
    """Return `value` to a ten-thousandth, or None when it is not known."""
    return round(value, 4) if value is not None and isfinite(value) else None
