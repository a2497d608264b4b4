"""Steps, events and bouts as columns: what a data frame is made from. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.slouch import SlouchEvent
from posture.step_result import StepResult
from posture.summary import Bout

Columns: TypeAlias = dict[str, NDArray[Any]]
"""Name to values, every array of the same length, in the order of time."""

_STEP_WORDS: Final = ("state", "reason", "driver", "urgency")
_STEP_COLUMNS: Final = (
    "t_s",
    "state",
    "reason",
    "neck_deviation_deg",
    "thoracic_deviation_deg",
    "flexion_deviation_deg",
    "sink_ratio",
    "head_pitch_deviation_deg",
    "slouch_ratio",
    "slouched_s",
    "slouch_ratio_error",
    "release_ratio",
    "driver",
    "urgency",
    "sat_s",
    "stood_s",
)
"""The first twelve are those of ``posture replay --trace``, in its order."""


def step_columns(steps: Iterable[StepResult]) -> Columns:
    """Return steps as columns, one row a frame.

    Parameters
    ----------
    steps : iterable of StepResult
        In the order of time.

    Returns
    -------
    dict of str to ndarray, shape (T,)
        The numbers of :class:`StepResult` as float64, NaN = not measured, and ``state``, ``reason``, ``driver`` and
        ``urgency`` as text.
    """
    rows = list(steps)
    return {
        name: _texts([str(getattr(row, name)) for row in rows])
        if name in _STEP_WORDS
        else np.array([getattr(row, name) for row in rows], dtype=np.float64)
        for name in _STEP_COLUMNS
    }


def event_columns(events: Iterable[SlouchEvent]) -> Columns:
    """Return events as columns, one row an event.

    Parameters
    ----------
    events : iterable of SlouchEvent
        In the order of time.

    Returns
    -------
    dict of str to ndarray, shape (N,)
        ``kind``, ``onset_s``, ``confirmed_s`` and ``reason``; times in seconds.
    """
    rows = list(events)
    return {
        "kind": _texts([event.kind.value for event in rows]),
        "onset_s": np.array([event.onset_s for event in rows], dtype=np.float64),
        "confirmed_s": np.array([event.confirmed_s for event in rows], dtype=np.float64),
        "reason": _texts([event.reason.value for event in rows]),
    }


def bout_columns(bouts: Iterable[Bout]) -> Columns:
    """Return bouts as columns, one row a bout.

    Parameters
    ----------
    bouts : iterable of Bout
        In the order of time.

    Returns
    -------
    dict of str to ndarray, shape (N,)
        Every field of :class:`Bout` under its own name; ``state`` and ``reason`` as text.
    """
    rows = list(bouts)
    table: Columns = {}
    for field in fields(Bout):
        values = [getattr(bout, field.name) for bout in rows]
        if field.name in ("state", "reason"):
            table[field.name] = _texts([value.value for value in values])
        else:
            table[field.name] = np.array(values, dtype=np.int64 if field.name == "n_frames" else np.float64)
    return table


def _texts(values: list[str]) -> NDArray[np.str_]:
    """Return words as an array, also when there are none."""
    return np.array(values, dtype=np.str_)
