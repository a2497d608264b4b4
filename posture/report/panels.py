"""From figures to the report's charts: what stands where, and what it is called. Pure but for the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from markupsafe import Markup

from posture.report import charts, words
from posture.report.charts import Column, Point
from posture.report.day import DayCourse
from posture.report.figures import ENOUGH_HOUR_S, Figures, Hour
from posture.report.periods import Period, Sufficiency, Times
from posture.report.trend import MIN_JUDGED_S
from posture.slouch import SlouchState

_CLASSES = tuple(state.value for state in charts.STACK)


def period_chart(f: Figures, plot_px: int) -> Markup:
    """Return time in every state by day, week or month."""
    bars = [
        Column(
            _period_label(p, f.unit, p is f.periods[0]),
            _stack(p.times),
            _tip(period_name(p, f.unit), p.times),
            "" if isnan(p.times.upright_share) else words.share(p.times.upright_share),
            p.sufficiency is Sufficiency.LITTLE,
        )
        for p in f.periods
    ]
    return charts.columns(
        bars,
        _CLASSES,
        " h",
        f"Hours in each state by {f.unit}, stacked. {words.headline(f)}",
        plot_px=plot_px,
    )


def hour_chart(f: Figures, plot_px: int) -> Markup:
    """Return time in every state by hour of the day."""
    known = [h.hour for h in f.hours if h.times.total_s > 0]
    bars = [
        Column(
            f"{h.hour}:00",
            _stack(h.times),
            _tip(words.hour_name(h.hour), h.times),
            "" if isnan(h.times.upright_share) else words.share(h.times.upright_share),
            is_little(h),
        )
        for h in f.hours[min(known, default=8) : max(known, default=17) + 1]
    ]
    return charts.columns(
        bars,
        _CLASSES,
        " h",
        f"Hours in each state by hour of the day, stacked. {words.hours_sentence(f)}",
        plot_px=plot_px,
    )


def is_little(hour: Hour) -> bool:
    """Return whether there is little to go by in an hour of the day."""
    return hour.times.total_s > 0 and hour.times.judged_s < ENOUGH_HOUR_S


def week_chart(f: Figures, plot_px: int) -> Markup:
    """Return the upright share by week."""
    points = []
    for w in f.weeks:
        value = None if isnan(w.times.upright_share) else w.times.upright_share
        when = words.to_date(w.first_day)
        name = f"{when.day} {words.MONTHS[when.month - 1][:3]}"
        label = f"{name}\n{when.year}" if len(f.weeks) > 53 else name
        tip = _tip(f"Week of {words.day_name(w.first_day)}", w.times)
        points.append(Point(label, value, tip, w.times.judged_s >= MIN_JUDGED_S))
    return charts.share_line(
        points, f"Upright share of the judged time by week. {words.trend_sentence(f)}", plot_px=plot_px
    )


def count_chart(counts: Sequence[int], names: Sequence[str], label: str, plot_px: int) -> Markup:
    """Return a histogram."""
    bars = [
        Column(name, (float(n),), f"{_plain(name)}: {n}", str(n) if n else "")
        for name, n in zip(names, counts, strict=True)
    ]
    listed = ", ".join(bar.tip for bar in bars)
    return charts.columns(bars, ("plain",), "", f"{label}: {listed}.", top=4.0, plot_px=plot_px)


def strip_chart(courses: Sequence[DayCourse]) -> Markup:
    """Return the days side by side."""
    named = [(words.day_name(c.day), c) for c in courses]
    label = f"When you sat, slouched and were away on {words.count(len(named), 'day')}, one line for each"
    return charts.strips(named, charts.day_span(courses), label)


def day_rows(courses: Sequence[DayCourse]) -> list[tuple[str, str, str, list[str]]]:
    """Return the days as the rows of a table: name, when somebody was first and last seen, the breaks taken."""
    rows = []
    for c in courses:
        seen = [s for s in c.strips if s.state in (SlouchState.UPRIGHT, SlouchState.SLOUCHING)]
        first = words.wall_time(min(s.start_minute for s in seen)) if seen else "–"
        last = words.wall_time(max(s.end_minute for s in seen)) if seen else "–"
        breaks = [f"{words.wall_time(a)}–{words.wall_time(b)}" for a, b in c.breaks_minute]
        rows.append((words.day_name(c.day), first, last, breaks))
    return rows


def course_chart(course: DayCourse) -> Markup:
    """Return one day's deviations."""
    alerts = words.count(len(course.alerts_minute), "alert")
    label = f"Neck and trunk by the minute on {words.day_name(course.day)}, degrees from upright; {alerts}."
    label = f"{label} {words.limits_sentence(course.limits, is_measured=bool(course.curves))}".rstrip()
    return charts.course(course, charts.day_span([course]), label)


def count_rows(names: Sequence[str], counts: Sequence[int]) -> list[tuple[str, int]]:
    """Return a histogram as the rows of a table."""
    return [(_plain(name), n) for name, n in zip(names, counts, strict=True)]


def period_name(period: Period, unit: str) -> str:
    """Return what a row of the table is called."""
    if unit == "day":
        return words.day_name(period.first_day)
    when = words.to_date(period.first_day)
    if unit == "month":
        return f"{words.MONTHS[when.month - 1]} {when.year}"
    return f"Week of {words.day_name(period.first_day)}"


def _plain(name: str) -> str:
    """Return a name without its line break."""
    return name.replace("\n", " ")


def _period_label(period: Period, unit: str, is_first: bool) -> str:
    """Return what stands below a column."""
    when = words.to_date(period.first_day)
    month = words.MONTHS[when.month - 1][:3]
    if unit == "month":
        return f"{month}\n{when.year}"
    if unit == "week":
        return f"{when.day}\n{month}"
    return f"{words.WEEKDAYS[when.weekday()]}\n{when.day}{f' {month}' if is_first or when.day == 1 else ''}"


def _stack(times: Times) -> tuple[float, ...]:
    """Return hours in the order of the columns."""
    seconds = {
        "upright": times.upright_s,
        "slouching": times.slouching_s,
        "unknown": times.unknown_s,
        "away": times.away_s,
    }
    return tuple(seconds[state.value] / 3600 for state in charts.STACK)


def _tip(name: str, times: Times) -> str:
    """Return what a pointer over a column shows."""
    if times.total_s <= 0:
        return f"{name}: no record"
    return (
        f"{name}: {words.share(times.upright_share)} upright of {words.duration(times.judged_s)} judged; "
        f"slouching {words.duration(times.slouching_s)}, not judged {words.duration(times.unknown_s)}, "
        f"away {words.duration(times.away_s)}"
    )
