"""A run put together: a source, an observer, a pipeline, and all that surrounds them while somebody is watched."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from rich.console import Console

from posture.attention import Attention
from posture.calibration_run import CalibrationResult
from posture.capture import keep_to_one_thread
from posture.conductor import Conductor
from posture.config import history_path
from posture.control.commands import Command, Pause, Recalibrate, Reply, Resume, Rezero, Snooze, Wrong
from posture.delivery import NotificationQueue
from posture.desktop.circumstances import Orders, decide
from posture.desktop.watcher import DesktopWatcher
from posture.duty import DutyCycle
from posture.history.answers import store_answer
from posture.history.recorder import HistorySink, make_watch
from posture.history.today import Today
from posture.landmarks import Frame
from posture.load import Load
from posture.monitor import FrameObserver, run_monitor
from posture.notifiers import make_notifier
from posture.notify import Action, Notification
from posture.observer import Observer
from posture.panel_view import Surroundings
from posture.pipeline import Pipeline
from posture.profiles import is_there, now_utc, profile_path
from posture.reception import Reception
from posture.recording.writer import RecordedPipeline
from posture.sinks import NotificationSink, Sink, TraceSink
from posture.slouch import Reason
from posture.sources import FrameSource, LiveSource
from posture.stretch_file import load_stretches_or_packaged
from posture.stretches import StretchAdvisor
from posture.summary import Summarizer, Summary
from posture.terminal import make_display
from posture.view.onlooker import Onlooker
from posture.view.preview import Preview, PreviewSink
from posture.view.window import Command as PreviewCommand

ASKED: dict[Action, Command] = {
    "snooze": Snooze(),
    "recalibrate": Recalibrate(),
    "rezero": Rezero(),
    "wrong": Wrong(),
}
"""What a notification's button has the monitor do."""


class Assembly:
    """Watch one source until it ends or is told to.

    Parameters
    ----------
    source : FrameSource
        Open. A camera is watched by the duty cycle, and let go when the surroundings ask for it; the pictures of a clip
        are judged one by one.
    observer : Observer
        Fresh, or used for the source's calibration.
    pipeline : Pipeline
        Fresh.
    console : Console
        Where a person reads.
    stop : threading.Event
        Ends it.
    reception : Reception, optional
        Answers for the monitor; without one it is none that can be told anything, and keeps no history.
    save : callable, optional
        Keep a baseline that is taken meanwhile.
    is_plain : bool
        Events as lines, no live panel.
    preview : Preview, optional
        A window that shows what is seen.
    outputs : sequence of Sink
        Files asked for; whoever opened them closes them.
    """

    def __init__(
        self,
        source: FrameSource,
        observer: Observer,
        pipeline: Pipeline,
        console: Console,
        stop: threading.Event,
        *,
        reception: Reception | None = None,
        save: Callable[[CalibrationResult], None] | None = None,
        is_plain: bool = False,
        preview: Preview | None = None,
        outputs: Sequence[Sink] = (),
    ) -> None:
        self._source, self._pipeline, self._console, self._stop = source, pipeline, console, stop
        self._observer = observer
        self._reception, self._is_plain, self._outputs = reception, is_plain, outputs
        self._preview = preview
        self._settings = settings = pipeline.settings
        self._camera = source if isinstance(source, LiveSource) else None
        self._duty = DutyCycle(settings)
        self._attention = None if self._camera is None else Attention(observer, self._camera, self._duty)
        if self._camera is not None:  # a clip is judged as well as can be
            observer.use_face(self._duty.has_face)
            keep_to_one_thread()
        self._desktop = None if self._camera is None else DesktopWatcher(settings)
        self._load = Load()
        keeps = reception is not None and self._camera is not None and settings.history.enabled
        self._history_path = history_path() if keeps else None
        self._history: HistorySink | None = None
        self._today = Today(self._history_path, settings.judge.max_gap_s)
        stretches = load_stretches_or_packaged(
            lambda text: self._warn(f"{text}. Going on with the packaged ones.")
        )
        self._advisor = StretchAdvisor(stretches, n=int(time.time() / 60.0))
        self._advisor.slouched |= self._today.slouched
        self._queue = NotificationQueue(
            make_notifier(
                settings.notify,
                lambda action: self._press(action),
                lambda reason: self._warn(f"Notifications come without buttons: {reason}"),
            ),
            on_first_failure=lambda text: self._warn(f"Notifications do not arrive: {text}"),
        )
        self._conductor = Conductor(
            self._attention or observer,
            pipeline,
            self._camera,
            announce=self._announce,
            save=save,
            note_wrong=None if self._history_path is None else self._note_wrong,
            find_orders=self._find_orders,
            now_utc=now_utc,
        )

    def run(self, frames: Iterator[Frame]) -> Summary:
        """Judge `frames`, tell what is to be told, and return what happened.

        Raises
        ------
        PostureError
            Whatever the source, the observer, the pipeline or a file raises.
        """
        summarizer = Summarizer(self._settings.judge.max_gap_s)
        observer: FrameObserver = self._conductor
        with contextlib.ExitStack() as stack:
            if self._desktop is not None:
                stack.enter_context(self._desktop)
            sinks: list[Sink] = [summarizer]
            if self._preview is not None:
                observer = onlooker = Onlooker(observer)
                sinks.append(self._show_in(self._preview, onlooker))
            sinks += self._sinks()
            for sink in sinks:
                stack.callback(sink.close)
            seen = self._conductor.through(frames)
            run_monitor(seen, observer, self._pipeline, [*self._outputs, *sinks], self._stop)
        return summarizer.summary()

    def _show_in(self, window: Preview, onlooker: Onlooker) -> Sink:
        """Return the sink that shows what is seen, in a window whose keys are obeyed."""
        window.on_command = self._obey_key
        rate_hz = self._settings.view.rate_hz
        return PreviewSink(window, onlooker, lambda: self._pipeline.baseline, self._camera, rate_hz)

    def _obey_key(self, key: PreviewCommand) -> None:
        """Do what a key in the preview asks for."""
        is_paused = self._conductor.rest_reason is Reason.PAUSED
        other = Resume() if is_paused else Pause()
        self._have_done(Recalibrate() if key == "recalibrate" else other)

    def _press(self, action: Action) -> None:
        """Do what a notification's button asks for."""
        self._have_done(ASKED[action])

    def _have_done(self, command: Command) -> None:
        """Have something done that nobody waits for, and say in the terminal what came of it."""
        self._conductor.submit(command).add_done_callback(self._tell_answer)

    def _tell_answer(self, answer: Future[Reply]) -> None:
        """Say what came of something that was asked for."""
        error = answer.exception()
        self._console.print(str(error) if error else answer.result().text, markup=False)

    def _sinks(self) -> Iterator[Sink]:
        """Yield whoever takes the results; the display last, as it holds the terminal as soon as it is made."""
        yield self._load
        yield self._today
        yield self._conductor
        notify, standing = self._settings.notify, self._settings.breaks.standing_profiles
        yield NotificationSink(
            self._queue,
            notify.timeout_s,
            advisor=self._advisor,
            has_buttons=notify.buttons,
            has_sound=notify.sound,
            can_stand=any(is_there(profile_path(name)) for name in standing),
        )
        if self._attention is not None:
            yield self._attention
        if self._reception is not None:
            self._reception.board.details, self._reception.conductor = self._details, self._conductor
            yield self._reception.board
            if self._history_path is not None:
                yield self._keep_history(self._history_path, self._reception.board.profile)
        yield make_display(self._console, self._pipeline, self._around, is_plain=self._is_plain)

    def _keep_history(self, path: Path, profile: str) -> Sink:
        """Return the sink that keeps the history."""
        trace = next((sink.path for sink in self._outputs if isinstance(sink, TraceSink)), None)
        if isinstance(self._pipeline, RecordedPipeline):
            trace = self._pipeline.path
        self._history = HistorySink(
            path,
            make_watch(self._pipeline, self._source.name, profile, trace),
            retention_days=self._settings.history.retention_days,
            tell=self._warn,
        )
        return self._history

    def _note_wrong(self, note: str) -> str:
        """Store that the newest alert was wrong, and return a line about it."""
        assert self._history_path is not None
        store_answer(self._history_path, 1, note, is_right=False, on_moved_aside=self._warn)
        return "noted: the newest alert was wrong; 'posture wrong' has what such answers speak for"

    def _find_orders(self, is_present: bool) -> Orders:
        """Return what the surroundings ask for, and go on at the pace they ask for."""
        if self._desktop is None:
            return Orders()
        circumstances = self._desktop.latest(is_idle_wanted=not is_present)  # who is there may be reading
        orders = decide(circumstances, self._settings, is_present=is_present)
        self._duty.use(orders.preset)
        self._observer.use_face(self._duty.has_face)
        return orders

    def _announce(self, title: str, message: str) -> None:
        """Tell something in the terminal and on the desktop."""
        self._console.print(f"{title}: {message}", style="bold")
        self._queue.post(Notification(title, message, self._settings.notify.timeout_s))

    def _warn(self, text: str) -> None:
        """Tell something in the terminal."""
        self._console.print(text, style="bold", markup=False)

    def _trouble(self) -> str:
        """Return what is wrong with a camera, or nothing."""
        if self._camera is not None and self._camera.status == "lost":
            return f"camera lost ({self._camera.detail}), retrying"
        return ""

    def _troubles(self) -> str:
        """Return what is wrong with the camera or the history, or nothing."""
        lost = "history not kept" if self._history and self._history.problem else ""
        return ", ".join(part for part in (self._trouble(), lost) if part)

    def _around(self) -> Surroundings:
        """Return what the panel shows beside the results."""
        queue, load = self._queue, self._load
        failed = f", {queue.failed} failed" if queue.failed else ""
        return Surroundings(
            camera=self._source.name,
            trouble=self._troubles(),
            frame_hz=load.frame_hz,
            judged_hz=self._attention.judged_hz if self._attention else load.frame_hz,
            cpu_ratio=load.cpu_ratio,
            notified=f"{queue.sent} sent{failed}" if self._settings.notify.enabled else "off",
            upright_ratio=self._today.upright_ratio,
            span="today",
        )

    def _details(self) -> dict[str, Any]:
        """Return what ``posture status`` shows beside the newest result."""
        queue, conductor, camera = self._queue, self._conductor, self._camera
        return {
            "notifications_sent": queue.sent if self._settings.notify.enabled else 0,
            "notifications_failed": queue.failed,
            "notifications_dropped": queue.dropped,
            "last_notification_error": queue.last_error,
            "camera": self._trouble() or ("let go" if camera and camera.status == "resting" else "ok"),
            "judged_hz": round(self._attention.judged_hz, 2) if self._attention else None,
            "rest_detail": conductor.rest_detail,
            "history": self._history.problem if self._history else "",
            "paused_for_s": conductor.paused_for_s,
            "snoozed_for_s": conductor.snoozed_for_s,
            "sustain_s": self._settings.alert.sustain_s,
            "stretch": self._advisor.last.name if self._advisor.last else "",
            "slouched": self._advisor.slouched,
        }
