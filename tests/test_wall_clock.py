"""Quiet hours follow the clock on the wall: through daylight saving, and into another time zone.

Claimed: alerts keep silent by local time in the nights in which the clock is changed; a computer that is carried into
another time zone is believed at once.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from synthetic import person

from posture.calibration import fit_baseline
from posture.pipeline import Pipeline
from posture.settings import AlertSettings, Settings
from posture.wall_clock import PERIOD_S, WallClock

SETTINGS = Settings(
    alert=AlertSettings(
        sustain_s=1, cooldown_s=0, max_cooldown_s=0, max_per_hour=60, quiet_hours=["22:00-07:00"]
    )
)


def alerts(start_utc, end_s, zone_at, step_s=60.0):
    """Return the local times of the alerts of somebody who slouches through a whole night, looked at once a minute."""
    now = [start_utc]

    def look():
        local = now[0].astimezone(zone_at(now[0]))
        return local.hour * 3600.0 + local.minute * 60.0 + local.second

    upright = fit_baseline(person(np.arange(0.0, 8.0, 0.25), noise=5e-4), SETTINGS.judge)
    pipeline = Pipeline(SETTINGS, upright)
    clock = WallClock(pipeline, look)
    found = []
    for t_s in np.arange(0.0, end_s, step_s):
        for k in range(10):  # long enough to be a slouch of its own: what is between is a hole
            now[0] = start_utc + timedelta(seconds=t_s + 0.5 * k)
            result = pipeline.step(person([t_s + 0.5 * k], neck_deg=50.0, thoracic_deg=25.0))
            clock.handle(result)
            if result.alert is not None:
                found.append(now[0].astimezone(zone_at(now[0])))
    return found


def is_quiet(local):
    return local.hour >= 22 or local.hour < 7


@pytest.mark.parametrize(
    "day",
    [datetime(2026, 3, 28, 18, tzinfo=UTC), datetime(2026, 10, 24, 18, tzinfo=UTC)],
    ids=["spring", "autumn"],
)
def test_the_nights_of_the_clock_change_are_quiet_by_the_clock(day):
    berlin = ZoneInfo("Europe/Berlin")
    found = alerts(day, 15 * 3600.0, lambda now: berlin, step_s=600.0)
    assert found
    assert not [local for local in found if is_quiet(local)]
    before = max(local for local in found if local.hour > 12)
    after = min(local for local in found if local.hour < 12)
    assert (before.hour, before.minute) == (21, 50)
    assert (after.hour, after.minute) == (7, 0), "not an hour late, not an hour early"
    assert after.utcoffset() != before.utcoffset()


def test_a_computer_carried_into_another_time_zone_is_believed_within_a_minute():
    start = datetime(2026, 6, 1, 9, tzinfo=UTC)
    landed = start + timedelta(hours=2, seconds=30)
    zones = {False: ZoneInfo("Europe/Berlin"), True: ZoneInfo("Asia/Tokyo")}
    found = alerts(start, 8 * 3600.0, lambda now: zones[now >= landed], step_s=300.0)
    assert {local.hour for local in found} == {11, 12, 13, 20, 21}, (
        "11:00 to 13:00 in Berlin, then 20:00 in Tokyo"
    )


def test_the_clock_is_looked_at_once_a_minute_at_most():
    looks = []
    upright = fit_baseline(person(np.arange(0.0, 8.0, 0.25), noise=5e-4), SETTINGS.judge)
    pipeline = Pipeline(SETTINGS, upright)
    clock = WallClock(pipeline, lambda: looks.append(1) or 0.0)
    times = np.arange(0.0, 601.0, 2.0)
    for t_s in times:
        clock.handle(pipeline.step(person([t_s])))
    assert len(looks) == 2 + 600 / PERIOD_S


@pytest.mark.skipif(os.name != "posix", reason="the time zone of the process cannot be changed here")
def test_a_new_time_zone_of_the_system_is_seen():
    code = (
        "import os; from posture.wall_clock import time_of_day_s as look; a = look(); os.environ['TZ'] = 'Asia/Tokyo';"
        "print(round((look() - a) / 3600) % 24)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "9"
