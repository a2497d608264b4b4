"""CPU time of ``posture --help``, and of a Python that does nothing, alternating: the best of each.

python benchmarks/help_cpu.py
"""

from __future__ import annotations

import resource
import subprocess
import sys

ROUNDS = 7


def cpu_s(command: list[str]) -> float:
    """Return user and system seconds of one run of `command`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    pairs = [
        (cpu_s([sys.executable, "-m", "posture", "--help"]), cpu_s([sys.executable, "-c", "pass"]))
        for _ in range(ROUNDS)
    ]
    ours_s, plain_s = (min(column) for column in zip(*pairs, strict=True))
    print(
        f"posture --help {ours_s:.3f} s of CPU, {ours_s / plain_s:.1f} x a bare Python ({plain_s:.3f} s); wanted < 0.3"
    )


if __name__ == "__main__":
    main()
