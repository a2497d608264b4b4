"""How long a report takes over made-up histories of a week, a year and ten years, and the size of the files.

Run `python benchmarks/report.py`. The whole command is a fresh process; beside it Python that only imports numpy.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from synthetic_history import make_year

from posture.history.store import History
from posture.report.page import PageRows, render_page
from posture.report.reading import read_report
from posture.report.words import to_day

REPEATS = 5


def shortest_s(action):
    """Shortest of some runs: the one that was disturbed least."""
    times_s = []
    for _ in range(REPEATS):
        start_s = time.perf_counter()
        action()
        times_s.append(time.perf_counter() - start_s)
    return min(times_s)


def main():
    today = date.today()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data = home / "data" / "posture"
        for n_years in (1, 10):
            path = data / "history.sqlite" if n_years == 1 else home / "ten.sqlite"
            with History(path, is_writable=True) as history:
                n_bouts = make_year(history, days=365 * n_years, last_day=today)
            print(f"{n_years} year(s): {n_bouts:,} bouts, database {path.stat().st_size / 1e6:.1f} MB")
            for n_days in (7, 365, 3650)[: n_years + 1]:

                def read(path=path, n_days=n_days):
                    with History(path) as history:
                        return read_report(history, to_day(today) - n_days + 1, to_day(today), 120.0)

                report = read()
                rows = PageRows(report.sessions, report.alerts, report.feedback)

                def render(report=report, rows=rows):
                    return render_page(report.figures, report.courses, rows, made="now")

                size = len(render().encode())
                print(
                    f"  {n_days:>4} days: read and add up {shortest_s(read):.3f} s, "
                    f"page {shortest_s(render):.3f} s, {size / 1e3:.0f} kB"
                )
        env = {**os.environ, "HOME": folder, "XDG_DATA_HOME": str(home / "data")}
        command = [sys.executable, "-m", "posture", "report", "--days", "365"]
        whole_s = shortest_s(lambda: subprocess.run(command, env=env, check=True, capture_output=True))
        plain = [sys.executable, "-c", "import numpy"]
        plain_s = shortest_s(lambda: subprocess.run(plain, env=env, check=True))
        print(f"posture report --days 365: {whole_s:.2f} s; import numpy alone: {plain_s:.2f} s")


if __name__ == "__main__":
    main()
