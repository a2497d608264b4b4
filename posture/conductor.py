"""Conducts a running monitor: does what it is told from outside, and rests the camera while nothing is to be judged.

Stands between the frames and the loop. Time is frame time: a pause of half an hour is over half an hour later, also
when the computer slept meanwhile::

    asked         pause 30m                  resume        recalibrate
    camera     ___|~~~~~~~~ let go ~~~~~~~~~~|_____________|__________________
    reason        paused paused paused paused               not_calibrated
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import Protocol

from posture.baseline import Baseline
from posture.calibration_run import CalibrationResult, CalibrationRun
from posture.control.commands import (
    Command,
    Pause,
    Recalibrate,
    Reply,
    Resume,
    Rezero,
    Snooze,
    Wrong,
)
from posture.desktop.circumstances import Orders
from posture.errors import CalibrationError, ControlError, PostureError
from posture.landmarks import Frame, Landmarks, no_person
from posture.monitor import FrameObserver
from posture.pipeline import Pipeline
from posture.rezero import COUNTDOWN_S, SECONDS, rezero
from posture.slouch import Reason, SlouchState
from posture.step_result import StepResult
from posture.wording import span_text

PATIENCE_S = 8.0
"""Seconds somebody who asks waits for the loop (our choice: a lost camera gives a frame a second)."""
CHECK_S = 2.5
"""Seconds a check lasts when the camera is let go in between: webcams need about one to set their exposure."""
EXPOSE_S = 0.7
"""Of which so many are not looked at (our choice)."""

_log = logging.getLogger(__name__)


class Restable(Protocol):
    """A source whose camera may be let go for a while."""

    @property
    def status(self) -> str:
        """``resting`` while it is."""
        ...

    def rest(self, is_resting: bool) -> None:
        """Let the camera go, or take it again."""
        ...


class Conductor:
    """Do what is asked of a running monitor; an observer, and a sink that sees what came of it.

    Parameters
    ----------
    observer : FrameObserver
        Looks at the pictures.
    pipeline : Pipeline
        Judges.
    source : Restable or None
        The camera; None = a clip, whose pictures go on unjudged while the monitor is paused.
    announce : callable
        Tell the person something: title, message. Must not block.
    save : callable, optional
        Keep a new baseline.
    note_wrong : callable, optional
        Keep what was said about an alert, and return a line about it.
    find_orders : callable, optional
        Return what the surroundings ask for, given whether somebody may be there; called once a frame, must not block.
    """

    def __init__(
        self,
        observer: FrameObserver,
        pipeline: Pipeline,
        source: Restable | None,
        *,
        announce: Callable[[str, str], None],
        save: Callable[[CalibrationResult], None] | None = None,
        note_wrong: Callable[[str], str] | None = None,
        find_orders: Callable[[bool], Orders] | None = None,
        now_utc: Callable[[], str] = str,
    ) -> None:
        self._observer, self._pipeline, self._source = observer, pipeline, source
        self._announce, self._save, self._note_wrong = announce, save, note_wrong
        self._find_orders, self._now_utc = find_orders, now_utc
        self._settings = pipeline.settings
        self._inbox: queue.SimpleQueue[tuple[Command, Future[Reply]]] = queue.SimpleQueue()
        self._t_s = 0.0
        self._is_running = False
        self._is_paused = False
        self._paused_until_s: float | None = None
        self._run: CalibrationRun | None = None
        self._is_rezero = False
        self._orders = Orders()
        self._is_present = True
        self._check_until_s: float | None = None  # None = the camera has not been opened for this check yet
        self._rest_until_s = 0.0

    # -- from any thread ------------------------------------------------------------------------------

    def obey(self, command: Command) -> Reply:
        """Do what is asked and return what came of it; waits for the loop, some seconds at most.

        Raises
        ------
        ControlError
            If it cannot be done, or the loop does not answer.
        """
        if not self._is_running:
            raise ControlError("the monitor is starting or ending; try again in a moment")
        try:
            return self.submit(command).result(PATIENCE_S)
        except FutureTimeoutError as error:
            raise ControlError("the monitor is too busy to answer; is its camera stuck?") from error

    def submit(self, command: Command) -> Future[Reply]:
        """Have something done soon, for a button, a key, a menu, and return where its answer will be; never waits."""
        answer: Future[Reply] = Future()
        self._inbox.put((command, answer))
        return answer

    # -- the loop's side ------------------------------------------------------------------------------

    @property
    def rest_reason(self) -> Reason:
        """Why the monitor judges nothing now; NONE = it does."""
        return Reason.PAUSED if self._is_paused else self._orders.rest

    @property
    def rest_detail(self) -> str:
        """What the reason is about, such as the program in a call; may be empty."""
        return "" if self._is_paused else self._orders.detail

    @property
    def paused_for_s(self) -> float | None:
        """Seconds of the pause left; None = there is none, or it has no end."""
        return None if self._paused_until_s is None else max(0.0, self._paused_until_s - self._t_s)

    @property
    def snoozed_for_s(self) -> float | None:
        """Seconds of the snooze left; None = there is none."""
        until_s = self._pipeline.snoozed_until_s
        return None if until_s is None or until_s <= self._t_s else until_s - self._t_s

    @property
    def condition(self) -> Reason:
        """Why the frame is not to be judged."""
        if self.rest_reason is not Reason.NONE:
            return self.rest_reason
        return Reason.NOT_CALIBRATED if self._run is not None else self._observer.condition

    def through(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames that the loop is to see, and do between them what is asked."""
        for frame in frames:
            self._t_s, self._is_running = frame.t_s, True
            self._do_what_is_asked()
            is_between, is_hidden = self._check(frame.t_s)
            is_resting = is_between or self.rest_reason is not Reason.NONE
            if self._source is not None:
                self._source.rest(is_resting)
                is_hidden |= not is_resting and self._source.status == "opening"  # nothing to tell yet
            if not is_hidden:
                yield frame

    def seek(self, baseline: Baseline | None) -> None:
        """Look for the person of this baseline among several; for nobody's while another is being taken."""
        self._observer.seek(None if self._run is not None else baseline)

    def rebase(self) -> None:
        """Take the background as it is from now on for where the camera should be."""
        self._observer.rebase()

    def judge_all(self, is_on: bool) -> None:
        """Judge every frame from now on; or the next one, and then as few as will do."""
        self._observer.judge_all(is_on)

    def detect(self, frame: Frame) -> Landmarks:
        """Return the landmarks of one frame (T = 1); nobody while the monitor rests.

        Raises
        ------
        PostureError
            As the observer's.
        """
        if self.rest_reason is not Reason.NONE:
            return no_person(frame.t_s)
        landmarks = self._observer.detect(frame)
        if self._run is not None and self._run.step(landmarks) is None:
            self._finish_calibration(self._run)
        return landmarks

    def handle(self, result: StepResult) -> None:
        """Remember whether somebody may be there, which is not known while the camera is let go."""
        if self.rest_reason is Reason.NONE:
            self._is_present = result.state is not SlouchState.AWAY

    def close(self) -> None:
        """Answer whoever still waits."""
        self._is_running = False
        while not self._inbox.empty():
            self._inbox.get()[1].set_exception(ControlError("the monitor has ended"))

    def _do_what_is_asked(self) -> None:
        """Do what has come in, end what is over, and ask the desktop."""
        while not self._inbox.empty():
            command, answer = self._inbox.get()
            try:
                answer.set_result(Reply(is_ok=True, text=self._do(command)))
            except PostureError as error:
                _log.debug("control: %s: %s", command, error)
                answer.set_exception(ControlError(str(error)))
        if self._paused_until_s is not None and self._t_s >= self._paused_until_s:
            self._resume()
        if self._find_orders is not None:
            was_muted = self._orders.is_muted
            self._orders = self._find_orders(self._is_present)
            self._pipeline.set_muted(self._orders.is_muted)
            if was_muted and not self._orders.is_muted:
                self._judge_anew()

    def _do(self, command: Command) -> str:
        """Do one thing and return what to say about it."""
        match command:
            case Pause(seconds=seconds):
                self._end_calibration()
                self._is_paused = True
                self._paused_until_s = None if seconds is None else self._t_s + seconds
                return f"paused {'until you resume' if seconds is None else f'for {span_text(seconds)}'}"
            case Resume():
                was_paused = self._is_paused
                self._resume()
                self._pipeline.unsnooze()
                self._judge_anew()
                return "watching again" if was_paused else "watching; nothing is snoozed"
            case Snooze(seconds=seconds):
                self._pipeline.snooze(self._t_s + seconds)
                return f"no notifications for {span_text(seconds)}"
            case Recalibrate(seconds=seconds):
                return self._start_calibration(seconds)
            case Rezero():
                return self._start_rezero()
            case Wrong(note=note):
                if self._note_wrong is None:
                    raise ControlError("no history is kept, so nothing can be noted; see history.enabled")
                return self._note_wrong(note)
            case _:
                raise ControlError(f"{command} is not for the loop")

    def _judge_anew(self) -> None:
        """Have the next frame judged: silence has ended unforeseen, and nobody is to be told by an old picture."""
        if self._run is None:  # else every frame is
            self._observer.judge_all(False)

    def _resume(self) -> None:
        """End a pause."""
        self._is_paused, self._paused_until_s = False, None

    def _start_calibration(self, seconds: float | None) -> str:
        """Begin a new baseline; until it is taken nothing is judged."""
        if self._orders.rest is not Reason.NONE:
            raise ControlError("not now: the monitor rests, as 'posture status' tells")
        self._resume()
        chosen = self._settings.calibration
        seconds = seconds or chosen.seconds
        if not 3.0 <= seconds <= 120.0:  # as calibration.seconds
            raise ControlError(f"{seconds:g} s is no length for a calibration; choose 3 to 120 seconds")
        return self._collect("New baseline", seconds, chosen.countdown_s)

    def _start_rezero(self) -> str:
        """Begin to move the baseline to the present upright; until it is there nothing is judged."""
        if self._orders.rest is not Reason.NONE:
            raise ControlError("not now: the monitor rests, as 'posture status' tells")
        if self._pipeline.baseline is None:
            raise ControlError("there is no baseline to move yet; 'posture recalibrate' takes one")
        self._resume()
        countdown_s = min(self._settings.calibration.countdown_s, COUNTDOWN_S)
        text = self._collect("Re-zero", SECONDS, countdown_s)
        self._is_rezero = True
        return text

    def _collect(self, title: str, seconds: float, countdown_s: float) -> str:
        """Gather frames from now on, and tell the person."""
        self._run = CalibrationRun(self._settings.judge, seconds=seconds, countdown_s=countdown_s)
        self._is_rezero = False
        self._observer.judge_all(True)
        text = f"sit upright: it begins in {countdown_s:g} s and takes {seconds:g} s"
        self._announce(title, f"{text[0].upper()}{text[1:]}.")
        return text

    def _end_calibration(self) -> None:
        """Collect no more, and let the duty cycle decide again what is judged."""
        if self._run is not None:
            self._run = None
            self._observer.judge_all(False)

    def _finish_calibration(self, run: CalibrationRun) -> None:
        """Use the new baseline, or keep the old one and say why."""
        self._end_calibration()
        try:
            result, old = run.result(self._now_utc()), self._pipeline.baseline
            if self._is_rezero and old is not None:
                result = replace(result, baseline=rezero(old, result))
        except CalibrationError as error:
            self._announce("No new baseline", f"{error}. The old one is kept.")
            return
        if old is not None:  # how far the usual slouch is from upright is still known
            result = replace(result, baseline=replace(result.baseline, slouch_centre=old.slouch_centre))
        self._pipeline.use_baseline(result.baseline)
        self.rebase()
        try:
            if self._save is not None:
                self._save(result)
        except PostureError as error:
            self._announce("New baseline", f"It is used, but not stored: {error}.")
            return
        done = "Re-zero", "Done. You are judged against your upright of now."
        new = "New baseline", "Taken. You are judged against it from now on."
        self._announce(*(done if self._is_rezero else new))

    def _check(self, t_s: float) -> tuple[bool, bool]:
        """Return whether the camera is let go between two checks, and whether the loop does without the frame.

        The loop sees the frames of checks only: the time between two that show a slouch counts as slouched.
        """
        period_s = self._settings.camera.release_between_checks_s
        if (
            not period_s
            or self._source is None
            or self._run is not None
            or self.rest_reason is not Reason.NONE
        ):
            self._check_until_s, self._rest_until_s = None, t_s
            return False, False
        if t_s < self._rest_until_s:
            return True, True
        if self._check_until_s is None:
            if self._source.status != "ok":
                return False, False
            self._check_until_s = t_s + CHECK_S
        if t_s < self._check_until_s:
            return False, t_s < self._check_until_s - CHECK_S + EXPOSE_S
        self._check_until_s, self._rest_until_s = None, t_s + period_s
        return True, True
