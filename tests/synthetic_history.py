"""A made-up working life: sessions, bouts, minutes, alerts, breaks and feedback of as many days as asked for."""

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from posture.history.rows import AlertRow, BoutRow, BreakRow, FeedbackRow, MinuteRow, SessionRow
from posture.slouch import Reason, SlouchState

UPRIGHT, SLOUCHING, AWAY, UNKNOWN = (
    SlouchState.UPRIGHT,
    SlouchState.SLOUCHING,
    SlouchState.AWAY,
    SlouchState.UNKNOWN,
)
# Mean length, seconds, and what tends to come next.
LENGTHS_S = {UPRIGHT: 240.0, SLOUCHING: 60.0, AWAY: 300.0, UNKNOWN: 20.0}
NEXT = {
    UPRIGHT: ((SLOUCHING, 10), (UNKNOWN, 4), (AWAY, 1)),
    SLOUCHING: ((UPRIGHT, 8), (UNKNOWN, 1), (AWAY, 1)),
    AWAY: ((UPRIGHT, 3), (UNKNOWN, 1)),
    UNKNOWN: ((UPRIGHT, 4), (SLOUCHING, 1), (AWAY, 1)),
}
REASONS = (Reason.TURNED_AWAY, Reason.LOW_CONFIDENCE, Reason.OUT_OF_PLACE)
MINUTE_MS = 60_000
LIMITS = (10.0, 8.0, 17.0, 0.05)
MICRO_S = 1200.0


def make_year(history, days=365, seed=0, zone="Europe/Berlin", last_day=date(2026, 6, 30), hours=8.0):
    """Fill `history` with the working days of `days` days up to `last_day`; return the number of bouts.

    Two sessions a day (before and after lunch), five days a week, about `hours` hours. The same seed makes the same
    rows. Posture gets slowly better, and worse towards the evening.
    """
    rng = random.Random(seed)
    n_bouts = 0
    for back in range(days - 1, -1, -1):
        day = last_day - timedelta(days=back)
        if day.weekday() >= 5:
            continue
        start = datetime.combine(day, time(8, 30), ZoneInfo(zone)) + timedelta(minutes=rng.uniform(0, 45))
        improvement = 0.8 + 0.4 * back / max(days, 1)
        with history.transaction():
            for share in (0.45, 0.55):
                end = start + timedelta(hours=hours * share)
                n_bouts += _make_session(history, rng, start, end, improvement)
                start = end + timedelta(minutes=rng.uniform(30, 60))
    return n_bouts


def _make_session(history, rng, start, end, improvement):
    at_ms, end_ms = (round(moment.timestamp() * 1000) for moment in (start, end))
    offset_s = int(start.utcoffset().total_seconds())
    session = history.put(SessionRow(0, at_ms, end_ms, offset_s, "camera 0", "default", "front", *LIMITS))
    state, n_bouts, sat_s = UNKNOWN, 0, 0.0
    since_ms, minutes = at_ms, {}
    while at_ms < end_ms:
        tired = 1.0 + 0.5 * (at_ms - since_ms) / (end_ms - since_ms)
        length_s = rng.expovariate(1.0 / LENGTHS_S[state]) * (
            tired * improvement if state is SLOUCHING else 1.0
        )
        stop_ms = min(at_ms + 1000 + round(length_s * 1000), end_ms)
        neck = rng.gauss(3, 2) if state is UPRIGHT else max(10.2, rng.gauss(14, 3))
        values = (None,) * 6
        if state in (UPRIGHT, SLOUCHING):
            thoracic, ratio = 0.6 * neck, neck / 10
            means = (neck, neck + 3, thoracic, thoracic + 2, ratio, ratio + 0.3)
            values = tuple(round(value, 2) for value in means)
            for minute in range(at_ms // MINUTE_MS, (stop_ms - 1) // MINUTE_MS + 1):
                inside_ms = min(stop_ms, (minute + 1) * MINUTE_MS) - max(at_ms, minute * MINUTE_MS)
                sums = minutes.setdefault(minute, [0.0, 0.0, 0.0, 0.0])
                for i, value in enumerate((1.0, neck, thoracic, ratio)):
                    sums[i] += value * inside_ms / 1000
        reason = rng.choice(REASONS) if state is UNKNOWN else Reason.NONE
        history.put(BoutRow(0, session, state, reason, at_ms, stop_ms, offset_s, *values))
        n_bouts += 1
        if state is SLOUCHING and stop_ms - at_ms > 62_000:
            _make_alert(history, rng, session, at_ms, stop_ms, offset_s, neck)
        if state is AWAY and stop_ms - at_ms > 120_000:
            history.put(BreakRow(0, session, "taken", at_ms, stop_ms, offset_s, round(sat_s, 1)))
            sat_s = 0.0
        elif state is not AWAY:
            due = sat_s < 2700 <= sat_s + (stop_ms - at_ms) / 1000
            if sat_s // MICRO_S < (sat_s + (stop_ms - at_ms) / 1000) // MICRO_S:
                history.put(BreakRow(0, session, "micro_due", stop_ms, stop_ms, offset_s, round(sat_s, 1)))
            sat_s += (stop_ms - at_ms) / 1000
            if due:
                history.put(BreakRow(0, session, "due", stop_ms, stop_ms, offset_s, round(sat_s, 1)))
        states, weights = zip(*NEXT[state], strict=True)
        at_ms, state = stop_ms, rng.choices(states, weights)[0]
    for minute, (judged_s, *sums) in minutes.items():
        means = (round(total / judged_s, 2) for total in sums)
        history.put(MinuteRow(session, minute * MINUTE_MS, offset_s, round(judged_s, 1), *means))
    return n_bouts


def _make_alert(history, rng, session, onset_ms, end_ms, offset_s, neck):
    alert = AlertRow(
        id=0,
        session_id=session,
        onset_utc_ms=onset_ms,
        at_utc_ms=onset_ms + 60_000,
        utc_offset_s=offset_s,
        slouched_s=60.0,
        driver="neck",
        neck_deg=round(neck, 2),
        thoracic_deg=round(0.6 * neck, 2),
        flexion_deg=round(0.4 * neck, 2),
        sink_ratio=0.01,
        slouch_ratio=round(neck / 10, 3),
        neck_limit_deg=LIMITS[0],
        thoracic_limit_deg=LIMITS[1],
        flexion_limit_deg=LIMITS[2],
        sink_limit_ratio=LIMITS[3],
        baseline_utc="2025-06-01T08:00:00+00:00",
        recovered_utc_ms=end_ms,
        trace_path="",
        trace_t_s=0.0,
    )
    number = history.put(alert)
    if rng.random() < 0.05:
        verdict = rng.choice(["wrong", "right"])
        history.put(FeedbackRow(0, number, end_ms + 5000, offset_s, verdict, "<b>I was & am upright</b>"))
