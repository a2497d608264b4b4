"""What the tray icon costs: processor time an hour and memory, with and without a monitor that answers.

    python benchmarks/tray.py [SECONDS]

Needs a display with a tray, such as `xvfb-run -a bash -c 'trayer & sleep 1; python benchmarks/tray.py'`, and no
running monitor or icon: it brings its own, in a state folder of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

from posture.control.channel import ControlServer
from posture.control.commands import Command, Reply
from posture.slouch import Reason, SlouchState
from posture.status import Status

SETTLE_S = 6.0


def stand(state: SlouchState) -> Reply:
    """Return the answer of a monitor whose clocks run."""
    now_s = time.monotonic()
    status = Status(
        pid=os.getpid(),
        age_s=0.2,
        source="0",
        profile="default",
        state=state,
        reason=Reason.NONE,
        neck_deviation_deg=now_s % 5.0,
        thoracic_deviation_deg=3.0,
        slouch_ratio=1.2,
        slouched_s=now_s % 1000.0 if state is SlouchState.SLOUCHING else 0.0,
        sat_s=now_s % 5000.0,
        alerts=1,
        sustain_s=60.0,
        camera="ok",
    )
    return Reply(is_ok=True, text="", status=msgspec.Raw(msgspec.json.encode(status)))


def measure(home: Path, seconds: float, name: str) -> None:
    """Print what an icon costs now, and what answering it does."""
    env = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / ".local/state")}
    icon = subprocess.Popen([sys.executable, "-m", "posture", "tray", "--wait", "10"], env=env)
    try:
        time.sleep(SETTLE_S)
        process = psutil.Process(icon.pid)
        before_s, own_s = sum(process.cpu_times()[:2]), time.process_time()
        time.sleep(seconds)
        used_s, own_s = sum(process.cpu_times()[:2]) - before_s, time.process_time() - own_s
        memory = process.memory_full_info()
        print(
            f"{name:<12} icon {used_s * 3600.0 / seconds:5.1f} s of CPU an hour, RSS {memory.rss / 2**20:.0f} MB "
            f"(its own: {memory.uss / 2**20:.0f} MB); answering it {own_s * 3600.0 / seconds:.1f} s an hour",
            flush=True,
        )
    finally:
        icon.terminate()
        icon.wait(10)


def main() -> None:
    """Measure three situations."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120.0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        measure(home, seconds, "no monitor")
        state = [SlouchState.UPRIGHT]

        def obey(_command: Command) -> Reply:
            return stand(state[0])

        server = ControlServer(home / ".local/state/posture", obey)
        measure(home, seconds, "upright")
        state[0] = SlouchState.SLOUCHING
        measure(home, seconds, "slouching")
        server.close()


if __name__ == "__main__":
    main()
