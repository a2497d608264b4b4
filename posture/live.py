"""Live pictures: one thread that keeps a camera drained and gives only the latest.

A camera read slowly falls behind: at 5 Hz from a 15 Hz stream the picture is seconds old after 20 s.
So a thread grabs every picture, and decodes only the one the consumer is waiting for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import Literal, Self, TypeAlias

from posture.capture import Capture, Orientation
from posture.encoded import EncodedFrame, Jpeg
from posture.errors import SourceError
from posture.landmarks import Frame, UInt8Array
from posture.redaction import redact

LiveState: TypeAlias = Literal["opening", "ok", "lost", "resting"]

STALL_S = 2.0  # no picture for this long is a lost camera; the slowest desk webcams give 5 a second
LOST_TICK_S = 1.0  # interval of the empty frames that keep time moving while the camera is lost
REST_TICK_S = 0.5  # the same while it rests: what is asked of the monitor is answered between two frames
FIRST_PICTURE_S = 10.0  # opening a camera takes up to some seconds (Media Foundation, RTSP handshakes)
# Between the beginnings of two attempts, doubling; a long one is followed by the shortest pause. An attempt takes up to
# 4 s where a server does not answer: who comes back is seen again within 5 s (measured by benchmarks/fault_drill.py).
REOPEN_MIN_S, REOPEN_MAX_S = 0.5, 3.0
GIVE_UP_S = 0.5  # failed reads for this long mean a new capture: a failed stream never recovers by itself
RETRY_S = 0.1  # pause after a failed read, which may have failed at once
# Longest wait between two looks at the stop event, which nobody can be woken by (each costs 0.1 ms). While pictures
# come the capture thread looks at it with each, and wakes whoever waits: the longer one is for a camera that stalls.
SLICE_S, CAPTURING_SLICE_S = 0.25, 0.45
JOIN_S = 0.5  # how long close() waits for a thread that may be blocked in a driver
# Frames are timed by a clock that goes on while the computer sleeps: Linux' BOOTTIME, macOS' MONOTONIC (which
# time.monotonic does not read there), and Windows' only one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class LiveSource:
    """A camera or stream: always the latest picture, and an empty frame when there is none.

    Frame times go on while the computer sleeps: a suspended night is a gap, not a moment. Iterating starts
    the capture thread and yields frames until `stop` is set or :meth:`close` is
    called. The first opening may fail with :class:`SourceError`; after it has worked once nothing
    raises: a lost camera yields `Frame(t_s, None)` once a second while it is opened again and again.

    Parameters
    ----------
    name : str
        For messages.
    open_capture : callable
        Return a new, opened :class:`Capture`, or raise SourceError; called on the capture thread.
    rate_hz : float, optional
        Pictures per second to yield at most; None = every one. May be changed while iterating.
    orientation : Orientation
        Applied to every picture.
    stop : threading.Event, optional
        Ends the iteration within 0.3 s, or 0.5 s if the camera has just stalled; only looked at, never waited on,
        so that a signal handler may set it without a deadlock.
    """

    is_live = True
    n_frames: int | None = None
    duration_s: float | None = None
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        open_capture: Callable[[], Capture],
        *,
        rate_hz: float | None = None,
        orientation: Orientation | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.name = name
        self.rate_hz = rate_hz
        self._open_capture = open_capture
        self._orientation = orientation or Orientation()
        self._stop = stop or threading.Event()
        self._changed = threading.Condition()  # guards everything below
        self._thread: threading.Thread | None = None
        self._closed = False
        self._due_s: float | None = -inf  # the first picture from then on is wanted; None = none is
        self._picture: UInt8Array | Jpeg | None = None
        self._status: LiveState = "opening"
        self._detail = ""
        self._is_resting = False
        self._has_worked = False
        self._failure: SourceError | None = None
        self._n_dropped = 0
        self._start_s: float | None = None

    @property
    def status(self) -> LiveState:
        """Whether pictures are coming: opening, ok, lost, or resting because :meth:`rest` was asked for."""
        return self._status

    @property
    def detail(self) -> str:
        """Why the camera is lost, in one line; empty while it is not."""
        return self._detail

    @property
    def dropped(self) -> int:
        """Number of pictures the camera gave that nobody was waiting for."""
        return self._n_dropped

    @property
    def is_stuck(self) -> bool:
        """Whether the source is closed and its thread still blocked in the driver.

        The interpreter cannot end cleanly then: the caller should leave through `os._exit`.
        """
        return self._closed and self._thread is not None and self._thread.is_alive()

    def rest(self, is_resting: bool) -> None:
        """Let go of the camera, so that its light goes out, or take it again; asking twice does nothing.

        Empty frames go on meanwhile, every half second. A camera that cannot be had again is lost until it can.
        """
        with self._changed:
            if is_resting is self._is_resting:
                return
            self._is_resting = is_resting
            self._status, self._detail = ("resting" if is_resting else "opening"), ""
            self._picture = None
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration and the capture thread; waits for it no longer than 0.5 s."""
        with self._changed:
            self._closed = True
            self._picture = None
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    def __iter__(self) -> Iterator[Frame]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="posture-capture", daemon=True)
            self._thread.start()
        due_s = time.monotonic()
        patience_s = STALL_S if self._has_worked else FIRST_PICTURE_S
        while True:
            picture = self._take(due_s, patience_s)
            if self._is_over():
                return
            now_s = _now_s()
            if self._start_s is None:
                self._start_s = now_s
            taken_s = time.monotonic()
            if isinstance(picture, Jpeg):
                yield EncodedFrame(now_s - self._start_s, picture, self._orientation)
            else:
                yield Frame(now_s - self._start_s, picture)
            if self._is_resting:
                due_s, patience_s = taken_s + REST_TICK_S, STALL_S
            elif picture is None:  # ask again at once, and wait a second for the answer
                due_s, patience_s = taken_s, LOST_TICK_S
            else:  # on a grid, so that the rate holds whatever the camera's own; a late one starts it anew
                period_s = 1.0 / self.rate_hz if self.rate_hz else 0.0
                due_s, patience_s = max(due_s + period_s, time.monotonic()), STALL_S

    # -- the consumer's side ------------------------------------------------------------------------

    def _is_over(self) -> bool:
        return self._closed or self._stop.is_set()

    def _take(self, due_s: float, patience_s: float) -> UInt8Array | Jpeg | None:
        """Return the first picture given from `due_s` on; None = none within `patience_s`, a rest, or the end.

        The capture thread, which sees every picture, keeps the time: nobody wakes for the others.
        """
        deadline_s = max(due_s, time.monotonic()) + patience_s
        with self._changed:
            if self._picture is not None:  # came after we had given up waiting: old by now
                self._picture, self._n_dropped = None, self._n_dropped + 1
            self._due_s = due_s
            while self._picture is None and not self._is_over():
                if self._failure is not None:
                    raise self._failure
                remaining_s = (due_s if self._is_resting else deadline_s) - time.monotonic()
                if remaining_s <= 0:
                    self._give_up(patience_s)
                    return None
                self._changed.wait(min(remaining_s, CAPTURING_SLICE_S if self._status == "ok" else SLICE_S))
            picture, self._picture = self._picture, None
            return picture

    def _give_up(self, patience_s: float) -> None:
        """Note that no picture has come, unless none was to be."""
        if self._is_resting:
            return
        if not self._has_worked:
            raise SourceError(f"{self.name}: no picture within {patience_s:g} s; is it in use?")
        if self._status not in ("lost", "resting"):
            self._status, self._detail = "lost", f"{self.name}: no picture for {patience_s:g} s"

    # -- the capture thread -------------------------------------------------------------------------

    def _run(self) -> None:
        delay_s = REOPEN_MIN_S
        while self._is_wanted_again():
            capture: Capture | None = None
            n_pictures = 0
            start_s = time.monotonic()
            try:
                capture = self._open_capture()
                n_pictures = self._read(capture)
                failure = SourceError(f"{self.name}: opens, but gives no readable picture; in use elsewhere?")
                if n_pictures:
                    failure = SourceError(f"{self.name}: stopped giving pictures")
            except SourceError as error:
                failure = error
            except Exception as error:  # cv2.error and whatever a driver's wrapper raises
                failure = SourceError(redact(f"{self.name}: {error}".replace("\n", " ")))
            finally:
                if capture is not None:
                    capture.release()  # here and nowhere else: from another thread it crashes
            delay_s = REOPEN_MIN_S if n_pictures else delay_s
            with self._changed:
                if self._is_over():
                    return
                if self._is_resting:
                    delay_s = REOPEN_MIN_S
                    continue
                if not self._has_worked:
                    self._failure = failure
                    self._changed.notify_all()
                    return
                self._status, self._detail = "lost", str(failure)
            self._sleep_until(max(start_s + delay_s, time.monotonic() + REOPEN_MIN_S))
            delay_s = min(2 * delay_s, REOPEN_MAX_S)

    def _sleep_until(self, due_s: float) -> None:
        """Wait until `due_s` or the end."""
        with self._changed:
            while not self._is_over() and (remaining_s := due_s - time.monotonic()) > 0.0:
                self._changed.wait(min(remaining_s, SLICE_S))

    def _is_wanted_again(self) -> bool:
        """Wait while the camera rests, and return whether it is to be opened after that."""
        with self._changed:
            while self._is_resting and not self._is_over():
                self._changed.wait(SLICE_S)
        return not self._is_over()

    def _read(self, capture: Capture) -> int:
        """Return the number of pictures read until there were no more, or no more were wanted."""
        n_read = 0
        last_s = time.monotonic()
        while not self._is_over() and not self._is_resting:
            image = None
            if is_grabbed := capture.grab():
                with self._changed:
                    now_s = time.monotonic()
                    is_unwanted = n_read > 0 and (self._due_s is None or now_s < self._due_s)
                    self._n_dropped += is_unwanted
                if is_unwanted:
                    last_s = now_s
                    continue
                is_grabbed, image = capture.retrieve()
            if not is_grabbed or image is None:
                if time.monotonic() - last_s >= GIVE_UP_S:
                    break
                self._sleep_until(time.monotonic() + RETRY_S)
                continue
            picture = image if isinstance(image, Jpeg) else self._orientation.to_rgb(image)
            n_read += 1
            last_s = time.monotonic()
            with self._changed:
                if self._is_resting:
                    break
                self._picture, self._due_s = (None if self._closed else picture), None
                self._status, self._detail, self._has_worked = "ok", "", True
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()  # who waits does not look out for the end while pictures come
        return n_read


def _now_s() -> float:
    """Return seconds from some point on that only grow, time asleep included."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
