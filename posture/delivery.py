"""Deliver notifications off the loop: whatever the desktop does, the monitor does not wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from posture.errors import NotifyError
from posture.notify import Notification, Notifier

# Room for what is being said now; older reminders are out of date.
QUEUE_LENGTH = 4

_log = logging.getLogger(__name__)


class NotificationQueue:
    """Deliver notifications in one daemon thread, so that nobody waits for the desktop.

    A full queue drops its oldest notification: what is said should be about now.

    Parameters
    ----------
    notifier : Notifier
        What shows the notifications; an exception of any kind counts as a failed delivery.
    on_first_failure : callable or None
        Called with the error text at the first failure and at the first after each success, on the
        delivery thread, so it must be quick and thread-safe.
    length : int
        Most notifications waiting at a time.
    """

    def __init__(
        self,
        notifier: Notifier,
        *,
        on_first_failure: Callable[[str], None] | None = None,
        length: int = QUEUE_LENGTH,
    ) -> None:
        self.sent = 0
        """Notifications delivered."""
        self.failed = 0
        """Notifications that the notifier could not deliver."""
        self.dropped = 0
        """Notifications that were never tried: the queue was full or closed."""
        self.last_error: str | None = None
        """Text of the latest failure; stays after a success."""
        self.is_busy_since_s: float | None = None
        """``time.monotonic()`` at the start of the delivery under way; None while there is none."""
        self.notifier = notifier
        self._on_first_failure = on_first_failure
        self._length = length
        self._waiting: deque[Notification] = deque()
        self._is_closed = False
        self._is_failing = False
        self._changed = threading.Condition()  # re-entrant: a signal handler may post
        self._thread = threading.Thread(target=self._deliver_all, name="posture-notify", daemon=True)
        self._thread.start()

    def post(self, notification: Notification) -> None:
        """Queue a notification: never waits, never raises."""
        with self._changed:
            if self._is_closed:
                self.dropped += 1
                return
            if len(self._waiting) >= self._length:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(notification)
            self._changed.notify()

    def close(self, timeout_s: float = 0.5) -> None:
        """Deliver what is waiting, for at most `timeout_s`, and stop; what is left counts as dropped.

        The notifier is closed then, which may take another half second. A delivery that hangs is left to its
        daemon thread, which does not hold up the exit.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(max(0.0, timeout_s))
        with self._changed:
            self.dropped += len(self._waiting)
            self._waiting.clear()
        try:
            self.notifier.close()
        except Exception:
            _log.exception("the notifier %s could not be closed", self.notifier.name)

    def _deliver_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return
                notification = self._waiting.popleft()
                self.is_busy_since_s = time.monotonic()
            error_text = self._deliver(notification)
            with self._changed:
                self.is_busy_since_s = None
                is_first_failure = error_text is not None and not self._is_failing
                self._is_failing = error_text is not None
                if error_text is None:
                    self.sent += 1
                else:
                    self.failed += 1
                    self.last_error = error_text
            if is_first_failure and error_text is not None and self._on_first_failure is not None:
                try:
                    self._on_first_failure(error_text)
                except Exception:  # the thread outlives its listener
                    _log.exception("the listener for failed notifications failed itself")

    def _deliver(self, notification: Notification) -> str | None:
        """Send one notification; return the error text, None = delivered."""
        try:
            self.notifier.send(notification)
        except NotifyError as error:
            return str(error)
        except Exception as error:
            _log.exception("the notifier %s failed unexpectedly", self.notifier.name)
            return f"{type(error).__name__}: {error}"
        return None
