"""Read Label Studio's JSON and JSON-MIN exports: labels on a video's timeline, and on time series. Pure; no I/O.

A timeline's ranges count frames from 1 and include the last one; what a frame's time is, only the rate in the
labelling configuration tells. A time series' ranges are in its own time column.

References
----------
Label Studio documentation, tags "Video", "TimelineLabels", "TimeSeries" and "TimeSeriesLabels".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final
from urllib.parse import unquote

from posture.errors import LabelError
from posture.labels.foreign import Foreign, Span, bare_name

DEFAULT_RATE_HZ: Final = 24.0
"""Label Studio's own where its configuration gives no ``frameRate``."""
MAX_CLIP_S: Final = 1e7
"""Larger numbers are dates or frame counts, not seconds of a clip: this is four months (our choice)."""
_KINDS: Final = ("timelinelabels", "timeserieslabels")
_UPLOAD: Final = re.compile(r"[0-9a-f]{8}-(?=.)")  # put before the name of an uploaded file


def parse_label_studio(text: str, rate_hz: float | None) -> tuple[Foreign, ...]:
    """Return the annotations of every clip (task) in an export.

    Of several annotations of one task the newest that was not cancelled is taken, and a note says so.

    Parameters
    ----------
    text : str
        JSON or JSON-MIN.
    rate_hz : float or None
        Frames a second of the labelling configuration; needed for timelines.

    Raises
    ------
    LabelError
        If it is no such export, a rate is needed, or a time cannot be.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"not a JSON file: {' '.join(str(error).split())}") from error
    tasks = content if isinstance(content, list) else [content]
    found = [
        _read_task(task, number, rate_hz) for number, task in enumerate(tasks, 1) if isinstance(task, dict)
    ]
    if not any(one.spans for one in found):
        raise LabelError("no timeline or time series labels in it; export as JSON or JSON-MIN")
    return tuple(one for one in found if one.spans)


def _read_task(task: dict[str, Any], number: int, rate_hz: float | None) -> Foreign:
    """Return one task."""
    where, notes = f"task {task.get('id', number)}", []
    if isinstance(task.get("annotations"), list):
        given = [one for one in task["annotations"] if isinstance(one, dict) and not one.get("was_cancelled")]
        given.sort(key=lambda one: str(one.get("updated_at") or one.get("created_at") or ""))
        if len(given) > 1:
            notes.append(f"{where}: {len(given)} annotations of the same clip; the newest is taken")
        result = given[-1].get("result") if given else []
        values = [
            (str(one.get("from_name", "")), one.get("value"))
            for one in (result if isinstance(result, list) else [])
            if isinstance(one, dict) and one.get("type") in _KINDS
        ]
        clip = _clip_name(task.get("data"), task.get("file_upload"))
    else:
        values = [(key, one) for key, many in task.items() if isinstance(many, list) for one in many]
        clip = _clip_name(task, None)
    spans = [span for tier, value in values for span in _read_value(value, tier, where, rate_hz)]
    return Foreign(clip, tuple(spans), tuple(notes))


def _read_value(value: Any, tier: str, where: str, rate_hz: float | None) -> Iterator[Span]:
    """Yield the spans of one annotation; nothing if it is of another kind."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get("timelinelabels"), list):
        if rate_hz is None:
            raise LabelError(
                "its times are frames: give --fps with the frameRate of the labelling configuration "
                f"({DEFAULT_RATE_HZ:g} where it has none)"
            )
        ranges = value.get("ranges")
        for one in ranges if isinstance(ranges, list) else []:
            first, last = _number(one, "start", where), _number(one, "end", where)
            for text in value["timelinelabels"]:
                yield Span((max(first, 1.0) - 1.0) / rate_hz, last / rate_hz, str(text), tier)
    elif isinstance(value.get("timeserieslabels"), list):
        start_s, end_s = _number(value, "start", where), _number(value, "end", where)
        if max(abs(start_s), abs(end_s)) > MAX_CLIP_S:
            raise LabelError(
                f"{where}: {start_s:.12g} is no second of a clip; label over a time column with the seconds since "
                "the clip's first frame, such as t_s of a trace"
            )
        for text in value["timeserieslabels"]:
            yield Span(start_s, end_s, str(text), tier)


def _number(given: Any, key: str, where: str) -> float:
    """Return a time, which Label Studio writes as a number or as its text."""
    value = given.get(key) if isinstance(given, dict) else None
    try:
        number = float(value) if isinstance(value, int | float | str) else float("nan")
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise LabelError(
            f"{where}: {key} is {value!r}, expected a number; label over a time column in seconds"
        )
    return number


def _clip_name(data: Any, upload: Any) -> str:
    """Return the name of a task's clip or table, without what Label Studio puts before it."""
    texts = [upload] if isinstance(upload, str) and upload else []
    if isinstance(data, dict):
        texts += [text for text in data.values() if isinstance(text, str) and "." in text.rpartition("/")[2]]
    if not texts:
        return ""
    return _UPLOAD.sub("", bare_name(unquote(texts[0]).rpartition("?d=")[2]), count=1)
