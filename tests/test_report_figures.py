"""The report's figures.

Claimed: every second of every bout is in exactly one day, hour and state; days are those of the clock on the wall, also
when it changes; how bouts are cut into rows or read in parts makes no difference; a history a week later gives the same
figures a week later; what is said rests on enough.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import isnan
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.history.rows import AlertRow, BoutRow, BreakRow, FeedbackRow, MinuteRow, SessionRow
from posture.report import charts, words
from posture.report.day import make_course
from posture.report.figures import make_figures, new_ledger
from posture.report.ledger import DAY_MS, HOUR_MS, STATES, Ledger, utc_span_ms
from posture.report.periods import Sufficiency
from posture.report.trend import find_trend
from posture.slouch import Reason, SlouchState

DAY = 20_600  # a Wednesday in 2026
AWAY_S = 120.0
S = SlouchState


def bout(state, start_ms, end_ms, offset_s=0, reason=Reason.NONE):
    return BoutRow(0, 1, state, reason, start_ms, end_ms, offset_s, *(None,) * 6)


@st.composite
def histories(draw, first_day=DAY - 3, n=25):
    """Bouts one after another, with gaps, in offsets from UTC-12 to UTC+14 that may change on the way."""
    at = first_day * DAY_MS + draw(st.integers(0, DAY_MS))
    offset_s = draw(st.integers(-48, 56)) * 900
    rows = []
    for _ in range(draw(st.integers(0, n))):
        if draw(st.integers(0, 9)) == 0:
            offset_s = draw(st.integers(-48, 56)) * 900
        end = at + draw(st.integers(0, 5 * HOUR_MS))
        reason = draw(st.sampled_from([Reason.NONE, Reason.TOO_DARK, Reason.PAUSED]))
        state = draw(st.sampled_from(STATES))
        rows.append(bout(state, at, end, offset_s, reason if state is S.UNKNOWN else Reason.NONE))
        at = end + draw(st.sampled_from([0, 0, 0, 60_000, 119_999, 120_000, 3_600_000]))
    return rows


def ledger_of(rows, first_day=DAY - 5, last_day=DAY + 12):
    ledger = Ledger(first_day, last_day, AWAY_S)
    ledger.add(rows)
    return ledger


@given(histories())
def test_every_second_is_somewhere_once(rows):
    ledger = ledger_of(rows)
    for i, state in enumerate(STATES):
        expected = sum(b.end_utc_ms - b.start_utc_ms for b in rows if b.state is state)
        assert ledger.ms[..., i].sum() == expected
    assert (ledger.ms >= 0).all()


@given(histories())
def test_a_second_is_in_the_hour_that_the_clock_on_the_wall_shows(rows):
    ledger = ledger_of(rows)
    slow = np.zeros_like(ledger.ms)
    for b in rows:
        at = b.start_utc_ms
        while at < b.end_utc_ms:
            wall = datetime(1970, 1, 1) + timedelta(milliseconds=at + b.utc_offset_s * 1000)
            whole = wall.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            step = min(round((whole - wall) / timedelta(milliseconds=1)), b.end_utc_ms - at)
            day = (wall.date() - words.to_date(0)).days - ledger.first_day
            slow[day, wall.hour, STATES.index(b.state)] += step
            at += step
    assert np.array_equal(ledger.ms, slow)


@given(histories(), st.data())
def test_how_it_is_cut_and_read_makes_no_difference(rows, data):
    cut = []
    for b in rows:
        middle = data.draw(st.integers(b.start_utc_ms, b.end_utc_ms))
        cut += [replace(b, end_utc_ms=middle), replace(b, start_utc_ms=middle)]
    at = data.draw(st.integers(0, len(cut)))
    whole, parts = ledger_of(rows), ledger_of([])
    parts.add(cut[:at])
    parts.add(cut[at:])
    assert np.array_equal(whole.ms, parts.ms)
    assert whole.stretches() == parts.stretches()


@given(histories(), st.integers(1, 3))
def test_a_history_some_weeks_later_gives_the_same_figures_then(rows, n_weeks):
    """Weeks, because figures know weekdays."""
    n_days = 7 * n_weeks
    later = [
        replace(b, start_utc_ms=b.start_utc_ms + n_days * DAY_MS, end_utc_ms=b.end_utc_ms + n_days * DAY_MS)
        for b in rows
    ]
    figures = []
    for shift, bouts in ((0, rows), (n_days, later)):
        ledger = new_ledger(DAY - 3 + shift, DAY + 10 + shift, AWAY_S)
        ledger.add(bouts)
        figures.append(make_figures(DAY - 3 + shift, DAY + 10 + shift, ledger))
    now, then = figures
    assert (now.total, now.before, now.hours, now.trend.n_weeks, now.stretch_counts) == (
        (then.total, then.before, then.hours, then.trend.n_weeks, then.stretch_counts)
    )
    assert [p.times for p in now.days] == [p.times for p in then.days]
    assert [(s.day + n_days, s.sat_s) for s in now.stretches] == [(s.day, s.sat_s) for s in then.stretches]


@given(histories(n=40), st.sampled_from([1, 3, 4, 5, 6, 7, 31, 32, 182, 183, 400]))
def test_days_periods_and_hours_add_up_to_the_total(rows, n_days):
    first, last = DAY + 4 - n_days, DAY + 3
    ledger = new_ledger(first, last, AWAY_S)
    ledger.add(rows)
    f = make_figures(first, last, ledger)
    assert f.days[0].first_day == f.periods[0].first_day == first
    assert f.days[-1].last_day == f.periods[-1].last_day == f.weeks[-1].last_day == last
    for parts in (f.days, f.periods, f.hours):
        for name in ("upright_s", "slouching_s", "away_s", "unknown_s", "judged_s"):
            total = sum(getattr(p.times, name) for p in parts)
            assert total == pytest.approx(getattr(f.total, name), abs=1e-6)
    for group in (f.days, f.periods, f.weeks):
        assert all(a.last_day + 1 == b.first_day for a, b in pairwise(group))
    assert len(f.periods) <= 60
    assert sum(f.stretch_counts) == len(f.stretches)
    assert f.sat_s == pytest.approx(sum(s.sat_s for s in f.stretches))
    seen = f.total.judged_s + f.total.unknown_s + f.before.judged_s + f.before.unknown_s
    assert f.sat_s <= seen + 14 * 3600  # what began before midnight is sat on


@pytest.mark.parametrize(
    ("when", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-10", 24)],
)
def test_days_of_daylight_saving_are_as_long_as_they_are(when, hours):
    zone = ZoneInfo("Europe/Berlin")
    midnight = datetime.fromisoformat(when).replace(tzinfo=zone)
    at = round(midnight.timestamp() * 1000)
    end = round((midnight + timedelta(days=1)).replace(tzinfo=zone).timestamp() * 1000)
    rows = []
    while at < end:  # a row for each hour, in the offset of that hour
        offset_s = int(datetime.fromtimestamp(at / 1000, zone).utcoffset().total_seconds())
        rows.append(bout(S.UPRIGHT, at, at + HOUR_MS, offset_s))
        at += HOUR_MS
    day = words.to_day(midnight.date())
    ledger = ledger_of(rows, day - 1, day + 1)
    assert ledger.ms.sum(axis=(1, 2)).tolist() == [0, hours * HOUR_MS, 0]
    by_hour = ledger.ms[1].sum(axis=1) // HOUR_MS
    assert by_hour[2] == hours - 23
    assert (np.delete(by_hour, 2) == 1).all()
    assert make_course(day, rows, []).n_offsets == (1 if hours == 24 else 2)


def test_a_day_in_two_time_zones():
    """Work till noon in Lisbon, fly, work on in Tokyo's evening of the same UTC day: two local days."""
    noon = DAY * DAY_MS + 12 * HOUR_MS
    rows = [
        bout(S.UPRIGHT, noon - HOUR_MS, noon, 0),
        bout(S.SLOUCHING, noon + 4 * HOUR_MS, noon + 5 * HOUR_MS, 9 * 3600),
    ]
    ledger = ledger_of(rows, DAY, DAY + 1)
    assert ledger.ms[0, 11, 0] == HOUR_MS
    assert ledger.ms[1, 1, 1] == HOUR_MS
    assert ledger.ms.sum() == 2 * HOUR_MS


@given(histories())
def test_rows_outside_the_span_are_left_out_and_the_span_of_utc_holds_the_days(rows):
    ledger = ledger_of(rows, DAY - 1, DAY)
    since, until = utc_span_ms(DAY - 1, DAY)
    read = [b for b in rows if b.end_utc_ms > since and b.start_utc_ms < until]
    assert np.array_equal(ledger.ms, ledger_of(read, DAY - 1, DAY).ms)
    assert np.array_equal(ledger.ms, ledger_of(rows).ms[4:6])


def test_the_ends_of_the_earth_are_read():
    """Just after midnight in UTC+14 and just before it in UTC-12 are a day's first and last minutes."""
    first = DAY * DAY_MS - 14 * HOUR_MS
    last = (DAY + 1) * DAY_MS + 12 * HOUR_MS
    rows = [
        bout(S.UPRIGHT, first, first + 60_000, 14 * 3600),
        bout(S.SLOUCHING, last - 60_000, last, -12 * 3600),
    ]
    since, until = utc_span_ms(DAY, DAY)
    assert [b.start_utc_ms >= since and b.end_utc_ms <= until for b in rows] == [True, True]
    ledger = ledger_of(rows, DAY, DAY)
    assert (ledger.ms[0, 0, 0], ledger.ms[0, 23, 1]) == (60_000, 60_000)


def test_the_span_before_is_as_long_and_just_before():
    rows = [
        bout(S.UPRIGHT, day * DAY_MS, day * DAY_MS + (day - DAY + 20) * 1000)
        for day in range(DAY - 9, DAY + 1)
    ]
    ledger = new_ledger(DAY - 2, DAY, AWAY_S)
    ledger.add(rows)
    f = make_figures(DAY - 2, DAY, ledger)
    assert f.total.upright_s == 18 + 19 + 20
    assert f.before.upright_s == 15 + 16 + 17


def test_weeks_begin_on_mondays_and_months_on_the_first():
    for n_days, firsts in ((100, {"Mon"}), (400, {1})):
        f = make_figures(DAY - n_days, DAY, new_ledger(DAY - n_days, DAY, AWAY_S))
        days = [words.to_date(p.first_day) for p in f.periods[1:]]
        assert {words.WEEKDAYS[d.weekday()] if f.unit == "week" else d.day for d in days} == firsts


@pytest.mark.parametrize(("minutes", "place"), [(29.9, 0), (30, 1), (44.9, 1), (45, 2), (60, 3), (90, 4)])
def test_a_stretch_is_in_the_range_it_is_named_after(minutes, place):
    ledger = new_ledger(DAY, DAY, AWAY_S)
    ledger.add([bout(S.UPRIGHT, DAY * DAY_MS, DAY * DAY_MS + round(minutes * 60_000))])
    assert make_figures(DAY, DAY, ledger).stretch_counts[place] == 1


def test_a_reversed_bout_and_a_clock_set_back_count_nothing_twice():
    at = DAY * DAY_MS + 9 * HOUR_MS
    hour = bout(S.UPRIGHT, at, at + HOUR_MS)
    backwards = bout(S.UPRIGHT, at + HOUR_MS, at)
    again = bout(S.UPRIGHT, at + HOUR_MS // 2, at + HOUR_MS)
    assert ledger_of([backwards]).ms.sum() == 0
    assert ledger_of([hour, backwards, again]).stretches()[0].sat_s == 3600.0


@given(st.integers(0, 600), st.sampled_from([S.AWAY, S.UNKNOWN, None]))
def test_only_a_long_absence_ends_a_stretch(gap_s, between):
    at = DAY * DAY_MS + 9 * HOUR_MS
    middle, later = at + HOUR_MS, at + HOUR_MS + gap_s * 1000
    rows = [bout(S.UPRIGHT, at, middle), bout(S.SLOUCHING, later, later + HOUR_MS)]
    if between is not None:
        reason = Reason.CAMERA_COVERED if between is S.UNKNOWN else Reason.NONE
        rows.insert(1, bout(between, middle, later, reason=reason))
    found = ledger_of(rows).stretches()
    assert [s.sat_s for s in found] == ([7200.0] if gap_s < AWAY_S else [3600.0, 3600.0])


def alert(number, at_ms, recovered_ms=None, offset_s=0):
    return AlertRow(
        number,
        1,
        at_ms - 60_000,
        at_ms,
        offset_s,
        60.0,
        "neck",
        *(12.0,) * 5,
        *(10.0,) * 4,
        "",
        recovered_ms,
        "",
        0.0,
    )


@given(st.lists(st.one_of(st.none(), st.integers(0, 3_600_000)), max_size=20))
def test_responses(took_ms):
    at = DAY * DAY_MS + 9 * HOUR_MS
    alerts = [alert(i, at + i, None if t is None else at + i + t) for i, t in enumerate(took_ms)]
    outside = [alert(98, at - 3 * DAY_MS, at), alert(99, at + 3 * DAY_MS)]
    said = [
        FeedbackRow(1, 0, at + 10, 0, "wrong", ""),
        FeedbackRow(2, 0, at + 20, 0, "right", ""),
        FeedbackRow(3, 1, at + 20, 0, "wrong", ""),
    ]
    r = make_figures(DAY, DAY, new_ledger(DAY, DAY, AWAY_S), alerts + outside, (), said).response
    seen = sorted(t / 1000 for t in took_ms if t is not None)
    assert (r.n_alerts, r.n_recovered, sum(r.counts)) == (len(took_ms), len(seen), len(took_ms))
    assert r.counts[-1] == took_ms.count(None)
    assert r.counts[0] == sum(t < 15 for t in seen)
    assert r.n_wrong == (1 if len(took_ms) > 1 else 0)  # the newest word on alert 0 is "right"
    assert isnan(r.median_s) if not seen else r.median_s == pytest.approx(float(np.median(seen)))


def test_breaks_and_alerts_are_of_the_local_day():
    late = DAY * DAY_MS + 23 * HOUR_MS  # UTC; tomorrow in Berlin
    breaks = [
        BreakRow(1, 1, "taken", late, late + 60_000, 3600, 100.0),
        BreakRow(2, 1, "due", late, late, 0, 100.0),
        BreakRow(3, 1, "micro_due", late, late, 0, 100.0),
        BreakRow(4, 1, "micro_due", late, late, 3600, 100.0),
    ]
    f = make_figures(DAY, DAY, new_ledger(DAY, DAY, AWAY_S), [alert(1, late, None, 3600)], breaks)
    assert (f.n_breaks, f.n_reminders, f.n_pauses, f.response.n_alerts) == (0, 1, 1, 0)
    f = make_figures(DAY, DAY + 1, new_ledger(DAY, DAY + 1, AWAY_S), [alert(1, late, None, 3600)], breaks)
    assert [(p.n_breaks, p.n_reminders, p.n_alerts) for p in f.days] == [(0, 1, 0), (1, 0, 1)]
    assert f.n_pauses == 2
    course = make_course(DAY, [], [], (), [replace(b, kind="micro_due", utc_offset_s=0) for b in breaks])
    assert course.breaks_minute == (), "a suggestion is no break"


@pytest.mark.parametrize("n", [0, 1, 1200])
def test_short_pauses_are_counted_and_not_claimed(n):
    at = DAY * DAY_MS
    ledger = new_ledger(DAY, DAY, AWAY_S)
    ledger.add([bout(S.UPRIGHT, at, at + HOUR_MS)])
    pauses = [BreakRow(i, 1, "micro_due", at, at, 0, 1.0) for i in range(n)]
    told = words.sitting_sentence(make_figures(DAY, DAY, ledger, (), pauses))
    assert "No breaks taken, no reminders." in told
    assert ("hort pause" in told) == ("cannot be seen" in told) == bool(n)
    assert n == 0 or f"{n:,} short pause" in told


def test_a_days_limits_are_those_of_its_sessions_and_drawn_where_the_axis_has_them():
    def session(start_h, end_h, *limits, offset_s=0):
        at = DAY * DAY_MS - offset_s * 1000
        return SessionRow(
            0, at + round(start_h * HOUR_MS), at + round(end_h * HOUR_MS), offset_s, "", "", "", *limits
        )

    rows = [
        session(-1, 1, 10.0, 5.0, 17.0, 0.05),
        session(2, 3),
        session(9, 12, 10.0, 5.0, 17.0, 0.05, offset_s=3600),
        session(12, 25, 30.0, 7.0, 17.0, 0.05),
        session(30, 31, 11.0, 6.0, 17.0, 0.05),
    ]
    course = make_course(DAY, [], [], (), (), rows)
    spans = [(x.start_minute, x.end_minute, x.neck_deg, x.thoracic_deg) for x in course.limits]
    assert spans == [(0, 60, 10.0, 5.0), (540, 720, 10.0, 5.0), (720, 1440, 30.0, 7.0)]
    told = words.limits_sentence(course.limits, is_measured=True)
    assert told == "Dotted: the limits, neck +10°, trunk +5°, then neck +30°, trunk +7°."
    unknown = make_course(DAY, [], [], (), (), rows[1:2]).limits
    assert words.limits_sentence(unknown, is_measured=False) == ""
    assert "no line" in words.limits_sentence(unknown, is_measured=True)
    drawn = str(charts.course(course, (0, 1440), "a day"))
    lines = [dict(re.findall(r'(\S+?)="(.*?)"', tag)) for tag in re.findall(r"<line .*?>", drawn)]
    ground = {line["y1"] for line in lines if line["class"] == "ground-line"}
    grid = sorted(float(line["y1"]) for line in lines if "limit" not in line["class"])
    neck = [float(line["y1"]) for line in lines if line["class"] == "limit neck"]
    trunk = [float(line["y1"]) for line in lines if line["class"] == "limit trunk"]
    at = dict(zip((30, 20, 10, 0, -10), grid, strict=True))
    assert ground == {f"{at[0]:g}"}
    assert neck == [at[10], at[10], at[30]]
    assert trunk[0] == (at[10] + at[0]) / 2
    assert all(line["y1"] == line["y2"] for line in lines if "limit" in line["class"])


def hours_of(shares, n_days=3, minutes=60):
    """Bouts of `minutes` in each hour of some days, upright for a share of it."""
    rows = []
    for day in range(DAY - n_days + 1, DAY + 1):
        for hour, share in shares.items():
            at = day * DAY_MS + hour * HOUR_MS
            middle = at + round(share * minutes * 60_000)
            rows += [bout(S.UPRIGHT, at, middle), bout(S.SLOUCHING, middle, at + minutes * 60_000)]
    ledger = new_ledger(DAY - n_days + 1, DAY, AWAY_S)
    ledger.add(rows)
    return make_figures(DAY - n_days + 1, DAY, ledger)


def test_best_and_worst_hours_only_where_enough_was_judged():
    f = hours_of({9: 0.9, 10: 0.5, 11: 0.7})
    assert (f.best.hour, f.worst.hour) == (9, 10)
    assert "9:00–10:00, 90% (3 h judged on 3 days)" in words.hours_sentence(f)
    for too_little in (hours_of({9: 0.9, 10: 0.5}, n_days=2), hours_of({9: 0.9, 10: 0.5}, minutes=9)):
        assert (too_little.best, too_little.worst) == (None, None)
        assert "Too little" in words.hours_sentence(too_little)
    assert hours_of({9: 0.5, 10: 0.5}).best is None, "no best where all are alike"


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, Sufficiency.NONE), (29, Sufficiency.LITTLE), (30, Sufficiency.ENOUGH)]
)
def test_a_day_says_whether_there_is_enough(minutes, expected):
    f = hours_of({9: 0.5}, n_days=1, minutes=minutes)
    assert f.days[0].sufficiency is expected
    assert bool(words.little_note(f.days[0])) == (expected is Sufficiency.LITTLE)
    assert ("too little to say much" in words.headline(f)) == (expected is Sufficiency.LITTLE)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=30), st.floats(-0.02, 0.02))
def test_trend_of_a_straight_line_is_its_slope_and_mirrors(noise, slope):
    n = len(noise)
    line = find_trend(range(n), [0.5 + slope * i for i in range(n)])
    assert line.share_per_week == pytest.approx(slope, abs=1e-12)
    if n >= 6 and abs(slope) > 1e-6:
        assert line.is_clear
    up, down = find_trend(range(n), noise), find_trend(range(n), [-y for y in noise])
    assert up.share_per_week == pytest.approx(-down.share_per_week, abs=1e-12)
    assert up.is_clear == down.is_clear


def test_chance_alone_is_seldom_called_a_trend():
    rng = np.random.default_rng(1)
    clear = sum(find_trend(range(12), rng.random(12)).is_clear for _ in range(2000))
    assert 0.02 < clear / 2000 < 0.06  # the test's level is 5 %
    assert isnan(find_trend(range(3), [0.1, 0.5, 0.9]).share_per_week)


@given(histories(), st.integers(-2, 4))
def test_a_days_strips_are_its_bouts(rows, shift):
    day = DAY + shift
    course = make_course(day, rows, [])
    for i, state in enumerate(STATES):
        minutes = sum(s.end_minute - s.start_minute for s in course.strips if s.state is state)
        assert minutes * 60_000 == pytest.approx(ledger_of(rows).ms[day - (DAY - 5), :, i].sum(), abs=1)
    assert all(0 <= s.start_minute < s.end_minute <= 1440 for s in course.strips)


def minute(at_min, neck=5.0, judged_s=60.0, offset_s=0):
    return MinuteRow(1, at_min * 60_000, offset_s, judged_s, neck, neck / 2, neck / 10)


def test_a_curve_is_broken_where_nothing_was_judged_or_the_clock_changed():
    start = DAY * 1440 + 600
    rows = [
        minute(start),
        minute(start + 1),
        minute(start + 3),
        minute(start + 4, judged_s=5),
        minute(start + 5),
    ]
    rows += [minute(start + 6, offset_s=3600)]
    course = make_course(DAY, [], rows)
    assert [c.minute for c in course.curves] == [(600.5, 601.5), (603.5,), (605.5,), (666.5,)]
    assert [(h.hour, h.judged_s) for h in course.hours] == [(10, 245.0), (11, 60.0)]


@given(st.lists(st.tuples(st.floats(0.5, 60), st.floats(-20, 40)), min_size=1, max_size=60))
def test_an_hours_mean_weighs_by_what_was_judged(values):
    rows = [minute(DAY * 1440 + 540 + i, neck, judged) for i, (judged, neck) in enumerate(values)]
    (hour,) = make_course(DAY, [], rows).hours
    weights, necks = zip(*values, strict=True)
    assert hour.neck_deg == pytest.approx(np.average(necks, weights=weights), abs=1e-6)


@given(st.floats(0, 4e7))
def test_durations_read_as_what_they_are(seconds):
    text = words.duration(seconds).replace(",", "")
    parts = text.split()
    units = {"s": 1, "min": 60, "h": 3600}
    value = sum(float(n) * units[u] for n, u in zip(parts[::2], parts[1::2], strict=True))
    assert abs(value - seconds) <= (0.5 if "s" in parts else 30 if seconds < 359_970 else 1800) + 1e-6
    assert not re.search(r"\b60 (s|min)", text)


def test_dates_are_the_calendars():
    for day in (0, 59, DAY, 365 * 60):
        assert words.to_day(words.to_date(day)) == day
    assert words.day_name(words.to_day(datetime(2026, 11, 16).date())) == "Mon 16 Nov"
    assert words.span_name(DAY, DAY) == "Wed 27 May 2026"
    assert words.span_name(DAY, DAY + 6) == "27 May to 2 June 2026"
