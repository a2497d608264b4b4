"""CPU time of watching what surrounds the monitor: the lock, idle time, the battery, calls, do not disturb.

python benchmarks/surroundings.py [--minutes 2] [--names 150]

On private buses with services that answer like GNOME's and `--names` others, an X server, and this machine's own
processes; figures of each part, and of the whole watcher as it runs in `posture run`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from desktop import x_display
from surroundings import gnome_session

WATCH = """
import sys, time
from posture.desktop.watcher import DesktopWatcher
from posture.settings import Settings
with DesktopWatcher(Settings()) as watcher:
    time.sleep(5.0)
    print(watcher.latest(), flush=True)
    sys.stdin.readline()
"""
PARTS = """
import time
from posture.desktop import watcher as module
from posture.settings import Settings
watcher = module.DesktopWatcher(Settings())
for probe in watcher._probes:
    probe.read()
    begin_s = time.process_time()
    for _ in range(100):
        probe.read()
    ms = (time.process_time() - begin_s) * 10.0
    print(f"{probe.name:16} {ms:6.2f} ms a look, every {probe.interval_s:4.0f} s: {ms / probe.interval_s / 10:.4f} %")
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--names", type=int, default=150, help="other services on the session bus")
    options = parser.parse_args()
    with ExitStack() as stack:
        env = {**os.environ, **stack.enter_context(gnome_session(options.names))}
        env["DISPLAY"] = stack.enter_context(x_display())
        subprocess.run([sys.executable, "-c", PARTS], env=env, check=True)
        command = [sys.executable, "-c", WATCH]
        child = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print(child.stdout.readline().strip())
        process = psutil.Process(child.pid)
        begin, begin_s = process.cpu_times(), time.monotonic()
        time.sleep(60.0 * options.minutes)
        end, took_s = process.cpu_times(), time.monotonic() - begin_s
        used_s = end.user + end.system - begin.user - begin.system
        child.communicate("\n")
        print(
            f"the watcher: {used_s / took_s:.4%} of a core, {used_s / took_s * 3600.0:.1f} CPU seconds an hour"
        )


if __name__ == "__main__":
    main()
