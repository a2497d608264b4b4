"""The same work on other machines, handed out by a Dask scheduler: :func:`posture.jobs.run_jobs`, elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence

from posture.jobs import Outcome, Progress, R, Report, T


def run_on_cluster(
    work: Callable[[T, Report], R],
    items: Sequence[T],
    address: str,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Generator[Outcome[R], None, None]:
    """Todo."""
    raise NotImplementedError
