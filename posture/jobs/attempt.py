"""The work done on one item, in whichever process or machine that is; what goes wrong becomes a sentence."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from posture.errors import PostureError
from posture.jobs.outcome import Report, one_line

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    ),
    "1",
)
"""Environment that keeps a worker's native libraries to one thread, so that N workers keep N cores busy. XNNPACK,
inside MediaPipe, takes one on desktops by itself."""


def attempt(work: Callable[[Any, Report], Any], pickled_item: bytes, report: Report) -> bytes:
    """Do the work on one item, here; return what came of it, pickled: ``done`` or ``failed``, and a value or why."""
    try:
        return pickle.dumps(("done", work(pickle.loads(pickled_item), report)))
    except PostureError as error:
        why = str(error)
    except MemoryError:
        why = "out of memory; try fewer --jobs"
    except Exception as error:  # whatever it is: the other items go on
        why = f"{type(error).__name__}: {one_line(error)}"
    return pickle.dumps(("failed", why))
