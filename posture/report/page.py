"""The report as one self-contained page: nothing is fetched, and a policy in it forbids that anything be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from posture.history.rows import AlertRow, FeedbackRow, SessionRow
from posture.report import charts, drawing, panels, words
from posture.report.day import DayCourse
from posture.report.figures import Figures
from posture.report.ledger import local_day
from posture.report.periods import Sufficiency
from posture.report.sheet import make_sheet
from posture.report.trend import MIN_JUDGED_S
from posture.words import PARTS, STATES

STATE_WORDS = {state.value: word for state, (_, word, _) in STATES.items()} | {"unknown": "not judged"}
"""A report looks back; the monitor is "not judging"."""
SUMMARY_PX = 80
"""Height of a plot on the summary, so that all fit one printed page."""
MAX_NOTES = 20
"""Notes shown, the newest: a page, not an archive."""


@dataclass(frozen=True, slots=True)
class PageRows:
    """Rows that the page shows as they are, beside the figures."""

    sessions: Sequence[SessionRow] = ()
    alerts: Sequence[AlertRow] = ()
    feedback: Sequence[FeedbackRow] = ()


def render_page(
    figures: Figures,
    courses: Sequence[DayCourse] = (),
    rows: PageRows | None = None,
    *,
    made: str,
    empty: Sequence[str] = (),
    is_summary: bool = False,
) -> str:
    """Return the page.

    Parameters
    ----------
    figures : Figures
        Of the span.
    courses : sequence of DayCourse
        Its last days, oldest first; days on which nothing was recorded are left out.
    rows : PageRows or None
        Where baselines, cameras and notes come from.
    made : str
        When it was made, in words.
    empty : sequence of str
        What to say if nothing was recorded in the span.
    is_summary : bool
        One printed page: no single days, no notes, room to write on.
    """
    rows = PageRows() if rows is None else rows
    environment = make_sheet()
    environment.filters.update(
        duration=words.duration, share=words.share, day=words.day_name, hour=words.hour_name
    )
    plot_px = drawing.PLOT_PX if not is_summary else SUMMARY_PX
    shown = [c for c in courses if c.strips]
    latest = _latest(shown)
    return environment.get_template("page.html").render(
        f=figures,
        words=words,
        swatch=drawing.swatch,
        patterns=drawing.patterns(),
        made=made,
        empty=empty,
        is_summary=is_summary,
        span=words.span_name(figures.first_day, figures.last_day),
        state_words=STATE_WORDS,
        periods=[(panels.period_name(p, figures.unit), p) for p in figures.periods],
        period_chart=panels.period_chart(figures, plot_px),
        hour_chart=panels.hour_chart(figures, plot_px),
        is_little_hours=any(panels.is_little(h) for h in figures.hours),
        hours=[h for h in figures.hours if h.times.total_s > 0],
        weeks=[(words.day_name(w.first_day), w) for w in figures.weeks if w.times.total_s > 0],
        week_chart=panels.week_chart(figures, plot_px),
        length_rows=panels.count_rows(words.LENGTHS, figures.stretch_counts),
        length_chart=panels.count_chart(
            figures.stretch_counts, words.LENGTHS, "Stretches of sitting by length", plot_px
        ),
        response_rows=panels.count_rows(words.RESPONSES, figures.response.counts),
        response_chart=panels.count_chart(
            figures.response.counts, words.RESPONSES, "Alerts by the time until the slouch was over", plot_px
        ),
        day_rows=panels.day_rows(shown),
        strip_chart=panels.strip_chart(shown) if shown else None,
        days=[(words.day_name(c.day), c, panels.course_chart(c)) for c in shown[::-1][:7]],
        latest=latest,
        has_limits=any(c.limits for c in shown),
        parts=PARTS,
        profiles=sorted({s.profile for s in rows.sessions}),
        errors=words.error_sentences(sorted({s.placement for s in rows.sessions})),
        notes=_notes(figures, rows),
        little=[p for p in figures.days if p.sufficiency is Sufficiency.LITTLE],
        min_week=words.duration(MIN_JUDGED_S),
        isnan=isnan,
        hollow=any(0 < w.times.judged_s < MIN_JUDGED_S for w in figures.weeks),
        max_notes=charts.MAX_NOTES,
        n_last_days=len(courses),
    )


def _latest(courses: Sequence[DayCourse]) -> int | None:
    """Return the newest day with a curve, which is shown opened."""
    return next((c.day for c in reversed(courses) if c.curves), None)


def _notes(f: Figures, rows: PageRows) -> list[tuple[str, str, str]]:
    """Return what was said about the alerts of the span: day, verdict, note; newest first."""
    days = {a.id: local_day(a.at_utc_ms, a.utc_offset_s) for a in rows.alerts}
    said = sorted(rows.feedback, key=lambda said: said.at_utc_ms, reverse=True)
    return [
        (words.day_name(days[one.alert_id]), one.verdict, one.note)
        for one in said
        if f.first_day <= days.get(one.alert_id, f.first_day - 1) <= f.last_day
    ][:MAX_NOTES]
