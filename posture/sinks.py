"""Where step results go: trace, event log, notifications, status file. Sinks deliver; they decide nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

from posture.alerts import Alert
from posture.delivery import NotificationQueue
from posture.errors import OutputError
from posture.notify import Action, Notification
from posture.slouch import EventKind, Reason, SlouchEvent
from posture.step_result import StepResult
from posture.stretches import Stretch, StretchAdvisor
from posture.wording import CAMERA_MOVED_TEXT, SlouchKind, alert_text, break_text, micro_break_text


class Sink(Protocol):
    """Something that takes every frame's result."""

    def handle(self, result: StepResult) -> None:
        """Take one frame's result in.

        Parameters
        ----------
        result : StepResult
            In the order of time.
        """
        ...

    def close(self) -> None:
        """Release what it holds; called once, also after an error."""
        ...


class TextSink:
    """A text file that grows line by line, so that an interrupted run keeps what it has.

    Parameters
    ----------
    path : Path
        Overwritten; its folder is made.

    Raises
    ------
    OutputError
        If it cannot be opened, or later written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = path.open("w", encoding="utf-8", newline="", buffering=1)
        except OSError as error:
            raise self._failure(error) from error

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def close(self) -> None:
        """Write out what is buffered and close the file."""
        try:
            self._file.close()
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> OutputError:
        """Return the error a person sees."""
        return OutputError(
            f"cannot write {self._path}: {error.strerror}; check the folder and the free space"
        )


TRACE_DIGITS = {
    "neck_deviation_deg": 3,
    "thoracic_deviation_deg": 3,
    "flexion_deviation_deg": 3,
    "sink_ratio": 4,
    "head_pitch_deviation_deg": 3,
    "slouch_ratio": 4,
    "slouched_s": 3,
    "slouch_ratio_error": 4,
    "release_ratio": 4,
}
"""What a trace tells of every frame in numbers, and their decimals: far finer than anything measured."""
TIME_DIGITS = 6


def trace_numbers(result: StepResult) -> tuple[float, ...]:
    """Return the numbers of one frame's row, rounded, in the order of `TRACE_DIGITS`; NaN = not measured."""
    # Adding 0.0 to the rounded value makes -0.0 a plain 0.
    return tuple(round(getattr(result, name), digits) + 0.0 for name, digits in TRACE_DIGITS.items())


def trace_cells(t_s: float, state: str, reason: str, numbers: Sequence[float]) -> list[str]:
    """Return one frame's row of a trace as text; an empty cell = not measured."""
    cells = [
        "" if isnan(value) else f"{value:.{digits}f}"
        for value, digits in zip(numbers, TRACE_DIGITS.values(), strict=True)
    ]
    return [f"{t_s:.{TIME_DIGITS}f}", str(state), str(reason), *cells]


class TraceSink(TextSink):
    """One CSV row a frame; an empty cell = not measured."""

    COLUMNS = ("t_s", "state", "reason", *TRACE_DIGITS)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._write(self.COLUMNS)

    def handle(self, result: StepResult) -> None:
        """Write one row."""
        self._write(trace_cells(result.t_s, result.state, result.reason, trace_numbers(result)))

    def _write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        try:
            self._writer.writerow(cells)
        except OSError as error:
            raise self._failure(error) from error


class EventSink(TextSink):
    """One JSON object per event and line."""

    def handle(self, result: StepResult) -> None:
        """Write the frame's events, if it has any."""
        try:
            for event in result.events:
                self._file.write(json.dumps(describe_event(event, result)) + "\n")
        except OSError as error:
            raise self._failure(error) from error


def describe_event(event: SlouchEvent, result: StepResult) -> dict[str, Any]:
    """Return an event as plain data; an alert also tells what was seen."""
    told: dict[str, Any] = {
        "kind": event.kind.value,
        "onset_s": round(event.onset_s, 6),
        "confirmed_s": round(event.confirmed_s, 6),
    }
    if event.reason is not Reason.NONE and event.kind is EventKind.UNKNOWN_STARTED:
        told["reason"] = event.reason.value
    if event.kind is EventKind.ALERT:
        told |= {
            "slouched_s": round(result.slouched_s, 3),
            "driver": result.driver,
            "neck_deviation_deg": _rounded(result.neck_deviation_deg),
            "thoracic_deviation_deg": _rounded(result.thoracic_deviation_deg),
            "flexion_deviation_deg": _rounded(result.flexion_deviation_deg),
            "slouch_ratio": _rounded(result.slouch_ratio),
        }
    return told


def _rounded(value: float) -> float | None:
    """Return `value` to a thousandth, or None when it was not measured."""
    return None if isnan(value) else round(value, 3)


def word_alert(result: StepResult, alert: Alert) -> tuple[str, str]:
    """Return title and message of the alert of one frame: what was seen, for how long, what may help."""
    kind = cast(SlouchKind, result.driver)
    amount = {
        "neck": result.neck_deviation_deg,
        "thoracic": result.thoracic_deviation_deg,
        "flexion": result.flexion_deviation_deg,
        "sink": result.sink_ratio,
    }[kind]
    return alert_text(kind, amount, alert.slouched_s, alert.n)


def stretch_text(stretch: Stretch) -> str:
    """Return a stretch in one sentence, for a notification."""
    return f"{stretch.name}: {stretch.short}"


class NotificationSink:
    """Word alerts and due breaks and hand them to the delivery queue.

    Parameters
    ----------
    queue : NotificationQueue
        Owned by this sink: closed with it.
    timeout_s : int
        How long the desktop is asked to show them.
    advisor : StretchAdvisor or None
        Names a stretch for each break; None = breaks go without.
    has_buttons, has_sound : bool
        Whether they shall have buttons, and a sound, where the notifier can give them.
    can_stand : bool
        Whether the person could work standing, so that a change can be suggested.
    """

    def __init__(
        self,
        queue: NotificationQueue,
        timeout_s: int,
        *,
        advisor: StretchAdvisor | None = None,
        has_buttons: bool = False,
        has_sound: bool = False,
        can_stand: bool = False,
    ) -> None:
        self._queue, self._timeout_s, self._n_breaks = queue, timeout_s, 0
        self._advisor, self._can_stand = advisor, can_stand
        self._has_buttons, self._has_sound = has_buttons, has_sound

    def handle(self, result: StepResult) -> None:
        """Post what is due; never blocks."""
        if result.alert is not None:
            self._post(word_alert(result, result.alert), "snooze", "recalibrate", "wrong")
        for event in result.events:
            if event.kind is EventKind.SLOUCH_STARTED and self._advisor is not None and result.driver:
                self._advisor.note_slouch(result.driver)
            elif event.kind in (EventKind.BREAK_DUE, EventKind.MICRO_BREAK_DUE):
                self._post(self._word_break(result, event.kind is EventKind.MICRO_BREAK_DUE), "snooze")
            elif event.kind is EventKind.CAMERA_MOVED:
                self._post(CAMERA_MOVED_TEXT, "rezero", "recalibrate")

    def _word_break(self, result: StepResult, is_micro: bool) -> tuple[str, str]:
        """Return title and message of a break reminder."""
        stretch = "" if self._advisor is None else stretch_text(self._advisor.advise(is_micro=is_micro))
        self._n_breaks += 1
        if is_micro:
            return micro_break_text(self._n_breaks - 1, stretch)
        return break_text(
            result.stood_s or result.sat_s,
            self._n_breaks - 1,
            stretch,
            is_standing=result.stood_s > 0.0,
            can_change=self._can_stand,
        )

    def close(self) -> None:
        """Stop delivering, within half a second."""
        self._queue.close()

    def _post(self, text: tuple[str, str], *actions: Action) -> None:
        """Queue one notification."""
        shown = actions if self._has_buttons else ()
        self._queue.post(Notification(*text, self._timeout_s, shown, self._has_sound))
