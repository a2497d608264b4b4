"""What the history costs: a bout's write, a year's size, reading it; as figures of this machine and as ratios.

    python benchmarks/history.py

The year is made up (tests/synthetic_history.py): five days a week, eight hours, a bout every two to three minutes.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from history_driver import WATCH, Wall, frame
from synthetic_history import make_year

from posture.history.recorder import HistorySink
from posture.history.store import History

FRAMES = 2000
RATE_HZ = 2.0  # how often a camera is looked at


def seconds(act):
    """Return what `act` gives and how long it took, wall clock."""
    start_s = time.perf_counter()
    result = act()
    return result, time.perf_counter() - start_s


def measure_sink(path):
    """Return seconds per frame of the sink, writing included, and how many bouts there were."""
    wall = Wall()
    sink = HistorySink(path, WATCH, clock=wall)

    def run():
        for i in range(FRAMES):
            wall.show(i / RATE_HZ)
            sink.handle(frame(i / RATE_HZ))
        sink.close()

    start_s = time.process_time()
    _, took_s = seconds(run)
    cpu_s = time.process_time() - start_s
    with History(path) as history:
        return took_s / FRAMES, cpu_s / FRAMES, len(history.bouts())


def main():
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        wall_s, cpu_s, n_live = measure_sink(Path(folder) / "live.sqlite")
        path = Path(folder) / "year.sqlite"
        with History(path, is_writable=True) as history:
            n_bouts, make_s = seconds(lambda: make_year(history))
        size_mb = path.stat().st_size / 1e6
        with History(path) as history:
            last = history.span()[1]
            _, year_s = seconds(lambda: [getattr(history, name)() for name in ("bouts", "minutes", "alerts")])
            week, week_s = seconds(lambda: history.bouts(last - 7 * 86_400_000, last))
            n_minutes = len(history.minutes())
        _, open_s = seconds(lambda: History(path, is_writable=True).close())
    print(
        json.dumps(
            {
                "sink_ms_per_frame": round(1000 * wall_s, 3),
                "sink_cpu_ms_per_frame": round(1000 * cpu_s, 3),
                "sink_cpu_s_per_hour": round(cpu_s * RATE_HZ * 3600, 2),
                "frames_per_bout": round(FRAMES / n_live, 1),
                "insert_ms_per_bout_with_its_minutes": round(1000 * make_s / n_bouts, 3),
                "year_bouts": n_bouts,
                "year_minutes": n_minutes,
                "year_mb": round(size_mb, 2),
                "year_bytes_per_bout_with_its_minutes": round(1e6 * size_mb / n_bouts, 1),
                "year_read_s": round(year_s, 3),
                "week_read_ms": round(1000 * week_s, 2),
                "week_to_year_read_ratio": round(week_s / year_s, 4),
                "week_bouts": len(week),
                "open_and_check_year_s": round(open_s, 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
