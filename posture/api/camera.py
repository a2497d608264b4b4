"""Follow a camera from Python: take a baseline, then one step after the other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from posture.api.opening import BaselineLike, Spec, open_pictures, take
from posture.attention import Attention
from posture.baseline import Baseline
from posture.calibration_run import CalibrationTick
from posture.config import check_settings
from posture.duty import DutyCycle
from posture.errors import CalibrationError, SourceError
from posture.monitor import FrameObserver
from posture.pipeline import Pipeline
from posture.profiles import now_utc
from posture.session import collect
from posture.settings import Settings
from posture.sinks import Sink
from posture.sources import FrameSource, LiveSource
from posture.step_result import StepResult
from posture.wall_clock import WallClock
from posture.wiring import make_observer


class Watch:
    """A source that is being watched: iterate it, once, for its steps. Made by :func:`watch`.

    The source is let go when the iteration ends, when a ``with`` block is left, or by :meth:`close`.

    Parameters
    ----------
    source : FrameSource
        Fresh; closed with this object.
    pipeline : Pipeline
        Fresh; may be told things while it runs, such as :meth:`Pipeline.snooze`.
    stop : threading.Event
        The one that ends `source`.
    """

    def __init__(self, source: FrameSource, pipeline: Pipeline, stop: threading.Event) -> None:
        self.pipeline = pipeline
        """What judges."""
        self._source, self._stop = source, stop
        self._is_used = False

    @property
    def name(self) -> str:
        """What messages call the source; never contains a password."""
        return self._source.name

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the frames so far, one line each."""
        return self._source.notes

    def __enter__(self) -> Self:
        """Return the watch itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the source."""
        self.close()

    def stop(self) -> None:
        """End the iteration soon, from any thread or a signal handler."""
        self._stop.set()

    def close(self) -> None:
        """End the iteration and let go of the source; calling it again does nothing."""
        self._stop.set()
        self._source.close()

    def __iter__(self) -> Iterator[StepResult]:
        """Yield a step for every frame that is looked at.

        Raises
        ------
        SourceError
            If the camera cannot be opened, or this object has been iterated before.
        """
        if self._is_used:
            raise SourceError(f"{self.name}: watched already; call posture.watch again to begin anew")
        self._is_used = True
        return self._steps()

    def _steps(self) -> Iterator[StepResult]:
        """Yield the steps."""
        settings = self.pipeline.settings
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            observer: FrameObserver = stack.enter_context(make_observer(settings))
            sinks: list[Sink] = []
            if isinstance(self._source, LiveSource):
                observer = attention = Attention(observer, self._source, DutyCycle(settings))
                sinks = [attention, WallClock(self.pipeline)]
            for frame in self._source:
                if self._stop.is_set():
                    return
                result = self.pipeline.step(observer.detect(frame), observer.condition)
                for sink in sinks:
                    sink.handle(result)
                yield result


def watch(source: Spec, baseline: BaselineLike, *, settings: Settings | None = None) -> Watch:
    """Follow a camera step by step, judged as ``posture run`` judges; nothing is notified or stored.

    Parameters
    ----------
    source : int, str or path
        A camera's number or name, or an address; a clip is read as fast as it can be judged, without a pause.
    baseline : Baseline, str or path
        The person's upright, or the file of it: from :func:`calibrate`, or kept by :func:`save_baseline`.
    settings : Settings, optional
        See :func:`make_settings`; the default is what comes with the program. ``power`` decides how often a camera's
        picture is judged.

    Returns
    -------
    Watch
        Iterate it; best in a ``with`` block, which lets go of the camera whatever happens.

    Raises
    ------
    SourceError
        If there is no such source; a camera or stream is opened by the first step, which raises then.
    ProfileError, CalibrationError
        If that is no baseline.
    SettingsError
        If a setting is out of its range.

    Notes
    -----
    A step comes for every picture that is looked at, and once a second while the camera is lost. Desktop, lock screen
    and battery are not asked.
    """
    chosen = Settings() if settings is None else check_settings(settings)
    pipeline = Pipeline(chosen, take(baseline))
    stop = threading.Event()
    return Watch(open_pictures(source, chosen, stop), pipeline, stop)


def calibrate(
    source: Spec,
    *,
    seconds: float | None = None,
    countdown_s: float | None = None,
    settings: Settings | None = None,
    on_tick: Callable[[CalibrationTick], object] | None = None,
) -> Baseline:
    """Take a baseline of somebody who sits upright before a camera now, or at the beginning of a clip.

    Parameters
    ----------
    source : int, str or path
        As for :func:`watch`.
    seconds : float, optional
        How long; the default is ``settings.calibration.seconds``.
    countdown_s : float, optional
        Time to settle before that; the default is ``settings.calibration.countdown_s`` before a camera, 0 in a clip.
    settings : Settings, optional
        The default is what comes with the program.
    on_tick : callable, optional
        Called after every frame, to show how it goes and what to do better.

    Returns
    -------
    Baseline
        Keep it with :func:`save_baseline`; nothing is stored by itself.

    Raises
    ------
    CalibrationError
        If the frames make no baseline; the text says what to do.
    SourceError
        If the source cannot be opened or read.
    ModelFileError, LandmarkerError
        If the pose model cannot be used.
    SettingsError
        If a setting is out of its range.
    """
    chosen = Settings() if settings is None else check_settings(settings)
    wanted_s = chosen.calibration.seconds if seconds is None else seconds
    if not 0.0 < wanted_s < float("inf"):
        raise CalibrationError(f"calibrate: seconds is {wanted_s:g}, expected a number above 0")

    def tell(tick: CalibrationTick) -> None:
        if on_tick is not None:
            on_tick(tick)

    stop = threading.Event()
    with open_pictures(source, chosen, stop) as opened, make_observer(chosen) as observer:
        default_s = chosen.calibration.countdown_s if opened.is_live else 0.0
        run = collect(
            iter(opened),
            observer,
            chosen,
            seconds=wanted_s,
            countdown_s=default_s if countdown_s is None else countdown_s,
            on_tick=tell,
            stop=stop,
        )
        assert run is not None, "nobody has stopped it"
        return run.result(now_utc() if opened.is_live else "").baseline
