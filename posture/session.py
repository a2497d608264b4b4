"""What a run is made of beside the loop: signals, calibration before a source, the replay of a clip."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Self

from posture.calibration_run import CalibrationRun, CalibrationTick
from posture.landmarks import Frame
from posture.monitor import FrameObserver, run_monitor
from posture.pipeline import Pipeline
from posture.settings import Settings
from posture.sinks import EventSink, Sink, TraceSink
from posture.sources import FrameSource
from posture.summary import Summarizer, Summary

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""
TERMINATED = 143
"""Exit code after SIGTERM of what was to bring something about and has not: 128 + SIGTERM."""
PATIENCE_S = 1.0
"""Seconds a clean end may take; a second Ctrl-C within them is the same wish (our choice)."""


class StopSignals:
    """Turn SIGINT and SIGTERM into an event to look at, for the time of a ``with`` block.

    A loop that looks at it ends within a second; whoever signals again after that leaves at once, by way of
    the ``finally`` blocks.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.received: int | None = None
        """The signal's number; None = none came."""
        self._received_s = 0.0
        self._previous: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, else 0: being asked to end is not a failure."""
        return INTERRUPTED if self.received == signal.SIGINT else 0

    def __enter__(self) -> Self:
        """Take the signals over."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc: object) -> None:
        """Give them back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        """Remember the first signal and ask the loop to end."""
        if self.received is None:
            self.received, self._received_s = number, time.monotonic()
            self.stop.set()
        elif time.monotonic() - self._received_s > PATIENCE_S:
            raise SystemExit(self.exit_code)  # not KeyboardInterrupt: frameworks print things for that


def collect(
    frames: Iterator[Frame],
    observer: FrameObserver,
    settings: Settings,
    *,
    seconds: float,
    countdown_s: float,
    on_tick: Callable[[CalibrationTick], None],
    stop: threading.Event,
) -> CalibrationRun | None:
    """Run a calibration before a running source, after a countdown.

    Parameters
    ----------
    frames : iterator of Frame
        Only as much as is needed is taken.
    observer : FrameObserver
        May be used on afterwards.
    settings : Settings
        ``judge`` is used.
    seconds, countdown_s : float
        Frame time to record, and to wait before it.
    on_tick : callable
        Called after every frame.
    stop : threading.Event
        Ends it.

    Returns
    -------
    CalibrationRun or None
        With all its frames, or as many as there were; None = it was stopped.
    """
    run = CalibrationRun(settings.judge, seconds=seconds, countdown_s=countdown_s)
    for frame in frames:
        if stop.is_set():
            return None
        if (tick := run.step(observer.detect(frame))) is None:
            break
        on_tick(tick)
    return None if stop.is_set() else run


def open_outputs(stack: contextlib.ExitStack, trace: Path | None, events: Path | None) -> list[Sink]:
    """Return the sinks of the files asked for; `stack` closes them."""
    sinks: list[Sink] = []
    if trace is not None:
        sinks.append(stack.enter_context(contextlib.closing(TraceSink(trace))))
    if events is not None:
        sinks.append(stack.enter_context(contextlib.closing(EventSink(events))))
    return sinks


def replay(
    source: FrameSource,
    observer: FrameObserver,
    pipeline: Pipeline,
    *,
    trace: Path | None,
    events: Path | None,
    progress: Sink | None,
    stop: threading.Event,
    sinks: Sequence[Sink] = (),
) -> Summary:
    """Judge a recorded clip and write what was asked for.

    Parameters
    ----------
    source : FrameSource
        An open clip or folder.
    observer : FrameObserver
        Fresh for this clip.
    pipeline : Pipeline
        Fresh for this clip.
    trace, events : Path or None
        Files to write: one CSV row a frame, one JSON object an event.
    progress : Sink or None
        Shows how far it is; closed at the end, whatever happens.
    stop : threading.Event
        Ends it; what was judged until then is kept.
    sinks : sequence of Sink
        Whatever else takes the results; closed at the end, whatever happens.
    """
    summarizer = Summarizer(pipeline.settings.judge.max_gap_s)
    with contextlib.ExitStack() as stack:
        own: list[Sink] = [summarizer]
        if progress is not None:  # first, so that it is closed also when an output cannot be opened
            own.append(stack.enter_context(contextlib.closing(progress)))
        own += [stack.enter_context(contextlib.closing(sink)) for sink in sinks]
        own += open_outputs(stack, trace, events)
        run_monitor(source, observer, pipeline, own, stop)
    return summarizer.summary()
