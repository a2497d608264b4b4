"""Show a run in the preview window, at the monitor's end: hand moments over and take keys back, never waiting."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Protocol

from posture.baseline import Baseline
from posture.calibration_run import CalibrationTick
from posture.settings import Settings
from posture.step_result import StepResult
from posture.view.child import CONTEXT, END_S, WindowProcess
from posture.view.handover import make_handover
from posture.view.moment import Moment, Prompt
from posture.view.onlooker import Onlooker
from posture.view.pane import find_obstacle
from posture.view.sketch import Sketcher
from posture.view.window import Command, show_window


class Rated(Protocol):
    """A source whose pictures per second may be changed while it runs."""

    rate_hz: float | None


class Preview:
    """The window of one run; whatever happens to it, the run goes on.

    Parameters
    ----------
    settings : Settings
        ``judge``, ``alert`` and ``view`` are used.
    takes_commands : bool
        Whether :attr:`on_command` will be set; if not, its keys are not offered.
    on_note : callable
        Told in one line when there is no window, or no longer one; on the same thread.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        takes_commands: bool,
        on_note: Callable[[str], None],
    ) -> None:
        self.on_command: Callable[[Command], None] | None = None
        """Told what a key asks for, on a thread of the preview's own; None = nobody is there to obey yet."""
        self._on_note, self._sketcher = on_note, Sketcher(settings)
        self._changed = threading.Lock()  # guards the two below
        self._newest: tuple[Moment, Baseline | None] | None = None
        self._is_open = False
        self._stirs: queue.SimpleQueue[None] = queue.SimpleQueue()
        """Has something when there is something new, or the end; written in C, at half a condition's time."""
        self._threads: list[threading.Thread] = []
        obstacle = find_obstacle(os.environ, sys.platform)
        if obstacle:
            on_note(f"No preview: {obstacle}.")
            return
        self._giver, theirs = make_handover(CONTEXT)
        show = partial(show_window, settings=settings, takes_commands=takes_commands)
        self._child = WindowProcess(show, "posture-preview", theirs)
        self._is_open = True
        for work in (self._give, self._receive):
            self._threads.append(threading.Thread(target=work, name="posture-preview", daemon=True))
            self._threads[-1].start()

    @property
    def is_open(self) -> bool:
        """Whether there is, or soon will be, a window."""
        return self._is_open

    def show(self, moment: Moment, baseline: Baseline | None) -> None:
        """Show `moment` as soon as the window can; one that it was too slow for is left out."""
        with self._changed:
            is_told, self._newest = self._newest is not None, (moment, baseline)
        if not is_told:
            self._stirs.put(None)

    def close(self) -> None:
        """Close the window; calling it again does nothing."""
        with self._changed:
            was_open, self._newest = self._is_open, None
            self._stop_giving()
        if was_open:
            self._child.end()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(END_S)

    def _stop_giving(self) -> None:
        """Have the giving thread end, whatever it waits for; the caller holds the lock."""
        if self._is_open:
            self._is_open = False
            self._stirs.put(None)
            self._giver.wake()

    def _give(self) -> None:
        """Hand over the newest moment whenever there is one and the window has taken the one before."""
        try:
            while True:
                self._giver.wait_for_room()
                self._stirs.get()
                with self._changed:
                    if self._newest is None or not self._is_open:
                        return
                    (moment, baseline), self._newest = self._newest, None
                try:
                    self._giver.give(moment.image_rgb, self._sketcher.sketch(moment, baseline))
                except OSError:
                    return
        finally:
            with self._changed:  # nobody wakes it any more
                self._giver.close()

    def _receive(self) -> None:
        """Take what the window tells until it is gone."""
        has_opened, told = False, ("", "")
        with contextlib.suppress(EOFError, OSError):
            while True:
                told = self._child.told.recv()
                has_opened = has_opened or told[0] == "opened"
                if told[0] == "command" and self.on_command is not None:
                    self.on_command(told[1])
        with self._changed:
            was_open = self._is_open
            self._stop_giving()
        if was_open:
            self._child.wait()
            self._on_note(_last_words(*told, has_opened=has_opened))


class PreviewSink:
    """Show every step of a running monitor, and have it look often enough to seem alive.

    Parameters
    ----------
    preview : Preview
        Closed with this sink.
    onlooker : Onlooker
        Has the picture and the landmarks of each step.
    baseline : callable
        Return the upright that is judged against now.
    source : Rated, optional
        A camera; while the window is open it is looked at `view.rate_hz` times a second, and what is looked at is
        judged as rarely as without it. Whatever else sets its rate stands before this sink.
    rate_hz : float
        How often that is.
    """

    def __init__(
        self,
        preview: Preview,
        onlooker: Onlooker,
        baseline: Callable[[], Baseline | None],
        source: Rated | None,
        rate_hz: float,
    ) -> None:
        self._preview, self._onlooker, self._baseline = preview, onlooker, baseline
        self._source, self._rate_hz = source, rate_hz

    def handle(self, result: StepResult) -> None:
        """Show one step."""
        if not self._preview.is_open:
            return
        if self._source is not None:
            self._source.rate_hz = max(self._source.rate_hz or self._rate_hz, self._rate_hz)
        self._preview.show(self._onlooker.moment(result), self._baseline())

    def close(self) -> None:
        """Close the window."""
        self._preview.close()


def prompt_for(tick: CalibrationTick) -> Prompt:
    """Return what the window says while a baseline is taken."""
    phase = "get ready" if tick.is_counting_down else "hold still"
    return Prompt(f"{phase}  {ceil(tick.remaining_s)} s", tick.problem or "good", tick.problem is None)


def _last_words(kind: str, detail: str, *, has_opened: bool) -> str:
    """Return what to tell when the window is gone."""
    if kind == "closed":
        return "Preview closed; posture goes on. Ctrl-C ends it."
    if kind == "failed":
        return f"No preview: {detail}."
    if has_opened:
        return "The preview window is gone (has the screen ended?); posture goes on."
    return "No preview: its window could not be opened (can DISPLAY be reached?); posture goes on."
