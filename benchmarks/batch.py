"""Clips judged by one worker and by several, in turns: how near to linear, in time and in processor time.

python benchmarks/batch.py CLIP [--jobs 2] [--clips 4] [--repeat 3]

Each round judges the same copies of one clip with one worker and then with several, so that whatever else the machine
does hits both; the start of the processes, a second or two whatever the number of clips, is left out of the time. The
second figure depends less on how busy the machine is: the processor time of several workers (starts included) against
that of one.
"""

from __future__ import annotations

import argparse
import functools
import resource
import time
from pathlib import Path
from statistics import median

from posture.batch.clip_work import ClipItem, judge_rows
from posture.batch.encoding import encode_trace
from posture.clip_replay import ReplayPlan, model_digest
from posture.jobs.processes import run_jobs
from posture.settings import Settings


def judge(clip: str, n_clips: int, n_jobs: int) -> tuple[float, float]:
    """Return seconds, and seconds of processor time of the workers, for `n_clips` times the clip."""
    settings = Settings()
    plan = ReplayPlan(settings, span_s=(0.0, 3.0))
    work = functools.partial(judge_rows, plan, model_digest(settings))
    given_s: list[float] = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcomes = list(
        run_jobs(
            work,
            [ClipItem(clip)] * n_clips,
            n_jobs,
            on_progress=lambda progress: given_s.append(time.perf_counter()),
        )
    )
    took_s, after = time.perf_counter() - given_s[0], resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not any(outcome.error for outcome in outcomes), outcomes
    return took_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def print_size(clip: str) -> None:
    """Print what a dataset keeps of a frame."""
    plan = ReplayPlan(Settings(), span_s=(0.0, 3.0))
    (outcome,) = run_jobs(
        functools.partial(judge_rows, plan, model_digest(plan.settings)), [ClipItem(clip)], 1
    )
    assert outcome.value is not None, outcome.error
    trace = outcome.value.trace
    sizes = {kind: len(encode_trace(trace, kind)) / len(trace.t_s) for kind in ("parquet", "csv")}
    print(
        ", ".join(f"{kind}: {size:.0f} bytes a frame" for kind, size in sizes.items()),
        f"({len(trace.t_s)} frames)",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    clip = str(options.clip.absolute())
    scalings, costs = [], []
    for _ in range(options.repeat):
        (one_s, one_cpu_s), (many_s, many_cpu_s) = (
            judge(clip, options.clips, n_jobs) for n_jobs in (1, options.jobs)
        )
        scalings.append(one_s / many_s / options.jobs)
        costs.append(many_cpu_s / one_cpu_s)
        print(
            f"1 worker {one_s:.1f} s ({one_cpu_s:.1f} s of CPU), {options.jobs} workers {many_s:.1f} s "
            f"({many_cpu_s:.1f} s of CPU): {scalings[-1]:.2f} of linear, {costs[-1]:.2f} times the CPU",
            flush=True,
        )
    print(
        f"median: {median(scalings):.2f} of linear (wanted: at least 0.9), {median(costs):.2f} times the CPU"
    )
    print_size(clip)


if __name__ == "__main__":
    main()
