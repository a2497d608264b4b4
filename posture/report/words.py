"""The figures in words: durations, days, and the sentences that page and terminal share. Pure; no I/O.

Plain and short; comfort and movement, never a medical claim, and no share without what it is a share of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import isnan

from posture.report.day import Limits
from posture.report.figures import Figures, Hour
from posture.report.periods import ENOUGH_DAY_S, Period, Sufficiency
from posture.report.trend import MIN_JUDGED_S, MIN_WEEKS

_EPOCH = date(1970, 1, 1).toordinal()
# Not strftime: its names follow whatever locale another library has set, and the page is in English.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# docs/method.md, left-out people: mean absolute error of neck and thoracic deviation, degrees. From the front the
# larger of a laptop's and a monitor's camera, since a baseline does not tell them apart.
ERROR_DEG = {"front": (2.8, 3.2), "quarter": (2.0, 2.9), "side": (1.6, 1.3)}
FACELESS_ERROR_DEG = {"front": (3.7, 3.6), "quarter": (2.6, 3.3)}
"""Without the face network: a history does not say when it was used. From the side it never is."""
PLACEMENTS = {"front": "in front", "quarter": "at an angle", "side": "at the side"}

LENGTHS = ("under\n30 min", "30–45\nmin", "45–60\nmin", "60–90\nmin", "over\n90 min")
"""Names of the ranges between `figures.LENGTHS_S`, in two lines."""
RESPONSES = ("under\n15 s", "15–60\ns", "1–5\nmin", "over\n5 min", "not\nseen")
"""Names of the ranges between `figures.RESPONSES_S`, and of what was not seen to end."""


def to_date(day: int) -> date:
    """Return the calendar date of a local day."""
    return date.fromordinal(_EPOCH + day)


def to_day(when: date) -> int:
    """Return the local day of a calendar date."""
    return when.toordinal() - _EPOCH


def duration(seconds: float) -> str:
    """Return a time span in words: ``45 s``, ``12 min``, ``3 h 05 min``, ``120 h``."""
    if seconds < 59.5:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes >= 6000 or minutes % 60 == 0:
        return f"{round(seconds / 3600):,} h"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(value: float) -> str:
    """Return a share 0..1 as whole per cent; a dash if there is none."""
    return "–" if isnan(value) else f"{100 * value:.0f}%"


def count(n: int, singular: str, plural: str = "") -> str:
    """Return ``1 alert``, ``3 alerts``, ``no alerts``."""
    return f"{n:,} {singular}" if n == 1 else f"{f'{n:,}' if n else 'no'} {plural or singular + 's'}"


def day_name(day: int) -> str:
    """Return ``Mon 16 Nov``."""
    when = to_date(day)
    return f"{WEEKDAYS[when.weekday()]} {when.day} {MONTHS[when.month - 1][:3]}"


def span_name(first_day: int, last_day: int) -> str:
    """Return the days in words: ``16 to 22 November 2026``."""
    first, last = to_date(first_day), to_date(last_day)
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return f"{WEEKDAYS[last.weekday()]} {end}"
    if first.year != last.year:
        return f"{first.day} {MONTHS[first.month - 1]} {first.year} to {end}"
    if first.month != last.month:
        return f"{first.day} {MONTHS[first.month - 1]} to {end}"
    return f"{first.day} to {end}"


def hour_name(hour: int) -> str:
    """Return ``9:00–10:00``."""
    return f"{hour}:00–{hour + 1}:00"


def wall_time(minute: float) -> str:
    """Return minutes since midnight as ``9:05``; past midnight goes on from 0:00."""
    whole = int(minute)
    return f"{whole // 60 % 24}:{whole % 60:02d}"


def headline(f: Figures) -> str:
    """Return what the report comes to, in one sentence."""
    if f.total.judged_s <= 0:
        return f"The monitor ran for {duration(f.total.total_s)}, and nothing could be judged."
    text = f"Upright for {share(f.total.upright_share)} of the {duration(f.total.judged_s)} that could be judged."
    return text if f.total.judged_s >= ENOUGH_DAY_S else f"{text} That is too little to say much."


def comparison(f: Figures) -> str:
    """Return how this compares with the span before; empty when either has too little."""
    if min(f.before.judged_s, f.total.judged_s) < ENOUGH_DAY_S:
        return ""
    n_days = f.last_day - f.first_day + 1
    span = "the day" if n_days == 1 else f"the {n_days:,} days"
    return f"{share(f.before.upright_share)} in {span} before ({duration(f.before.judged_s)} judged)"


def trend_sentence(f: Figures) -> str:
    """Return where the weeks lead, and whether that can be told from chance."""
    t = f.trend
    if isnan(t.share_per_week):
        return (
            f"{count(t.n_weeks, 'week has', 'weeks have').capitalize()} enough judged "
            f"({duration(MIN_JUDGED_S)} or more); a trend needs {MIN_WEEKS}."
        )
    if not t.is_clear:
        return f"No clear trend over {t.n_weeks} weeks: the ups and downs are what chance alone would give."
    points = abs(100 * t.share_per_week)
    size = f"{points:.1f} percentage points" if points >= 0.05 else "less than 0.1 percentage points"
    way = "more" if t.share_per_week > 0 else "less"
    return f"Over {t.n_weeks} weeks: about {size} {way} upright each week, which is more than chance."


def hours_sentence(f: Figures) -> str:
    """Return the best and the worst hour, and on how much that rests."""
    if f.best is None or f.worst is None:
        return "Too little was judged to tell good hours from bad ones: that takes half an hour on three days in each."
    return f"Most upright: {_hour(f.best)}. Least: {_hour(f.worst)}."


def _hour(hour: Hour) -> str:
    """Return one hour with what it rests on."""
    on = f"{duration(hour.times.judged_s)} judged on {count(hour.n_days, 'day')}"
    return f"{hour_name(hour.hour)}, {share(hour.times.upright_share)} ({on})"


def alerts_sentence(f: Figures) -> str:
    """Return how the alerts were answered."""
    r = f.response
    if r.n_alerts == 0:
        return "No alerts."
    text = f"{count(r.n_alerts, 'alert')}"
    if r.n_recovered:
        text += (
            f"; the slouch was over after {duration(r.median_s)} (median of {r.n_recovered:,} seen to end)"
        )
    else:
        text += "; none was seen to end"
    if r.n_wrong:
        text += f"; {r.n_wrong:,} called wrong by you"
    return text + "."


def sitting_sentence(f: Figures) -> str:
    """Return how long was sat at a time, and the breaks."""
    if not f.stretches:
        return "Nobody was seen sitting."
    longest = max(f.stretches, key=lambda s: s.sat_s)
    return (
        f"{count(len(f.stretches), 'stretch', 'stretches').capitalize()} of sitting, "
        f"{duration(f.sat_s / len(f.stretches))} on average; the longest {duration(longest.sat_s)} "
        f"on {day_name(longest.day)}. {count(f.n_breaks, 'break').capitalize()} taken, "
        f"{count(f.n_reminders, 'reminder')}.{_pauses(f.n_pauses)}"
    )


def _pauses(n: int) -> str:
    """Return how many short pauses were suggested; nothing for none."""
    they = "it was" if n == 1 else "they were"
    said = f" {count(n, 'short pause').capitalize()} suggested; whether {they} taken cannot be seen."
    return said if n else ""


def limits_sentence(limits: Sequence[Limits], *, is_measured: bool) -> str:
    """Return where neck and trunk count as a slouch on a day, in the order of time.

    Parameters
    ----------
    limits : sequence of Limits
        Those in force; empty = not known.
    is_measured : bool
        Whether any angle of that day is shown; if not, nothing is said.
    """
    if not limits:
        return (
            "The limits of this day are not in the history, so there is no line for them."
            if is_measured
            else ""
        )
    texts = [f"neck {x.neck_deg:+.0f}°, trunk {x.thoracic_deg:+.0f}°" for x in limits]
    told = ", then ".join(dict.fromkeys(texts))
    return f"Dotted: the limits, {told}."


def sufficiency_sentence(f: Figures) -> str:
    """Return on how many days there is little or nothing to go by."""
    by = {kind: sum(p.sufficiency is kind for p in f.days) for kind in Sufficiency}
    text = f"{count(by[Sufficiency.ENOUGH], 'day')} with enough to go by"
    if by[Sufficiency.LITTLE]:
        text += f", {by[Sufficiency.LITTLE]:,} with less than {duration(ENOUGH_DAY_S)} judged"
    if by[Sufficiency.NONE]:
        text += f", {by[Sufficiency.NONE]:,} without any record"
    return text[0].upper() + text[1:] + "."


def little_note(period: Period) -> str:
    """Return the mark of a period with little to go by; empty when there is enough, or nothing."""
    return "little judged" if period.sufficiency is Sufficiency.LITTLE else ""


def error_sentences(placements: list[str]) -> list[str]:
    """Return how wrong the angles may be for the cameras that were used."""
    known = [p for p in ERROR_DEG if p in placements] or ["front"]
    return [_error_sentence(p) for p in known]


def _error_sentence(placement: str) -> str:
    """Return how wrong the angles of one camera may be."""
    neck, trunk = ERROR_DEG[placement]
    text = f"Camera {PLACEMENTS[placement]}: off by {neck:g}° (neck) and {trunk:g}° (trunk) on average"
    if placement in FACELESS_ERROR_DEG:
        neck, trunk = FACELESS_ERROR_DEG[placement]
        text += f", by {neck:g}° and {trunk:g}° where the face is not looked at (eco)"
    return f"{text}."
