"""Notifications with buttons, straight over the desktop's message bus (Linux); the only module that imports jeepney.

One thread owns the connection: it sends what the delivery thread hands it and hears which button was pressed. Every
question to the desktop has a time limit, and each notification begins with a harmless one (what can you show?), so
that a service that hangs is noticed before it has been given something that it would show much later.

Only one popup is there at a time: the next replaces it. A button whose popup outlives the program would do nothing, so
:meth:`PopupNotifier.close` takes the popup away. A service that has been restarted is met like a new one.

Desktop Notifications Specification 1.2, https://specifications.freedesktop.org/notification-spec/1.2/
"""

from __future__ import annotations

import html
import logging
import os
import queue
import selectors
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast, get_args

from posture.errors import NotifyError
from posture.notify import APP_NAME, SOUND_NAME, Action, Notification, explained
from posture.wording import BUTTONS

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

SERVICE = "org.freedesktop.Notifications"
SERVICE_PATH = "/org/freedesktop/Notifications"
# Services answer in 1 to 30 ms; one that the bus has to start first may be slower, and plyer then waits longer for it.
ANSWER_S = 2.0
CLOSE_S = 0.5
NORMAL_URGENCY = 1

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Request:
    """A notification on its way to the thread that shows it; None = the end."""

    notification: Notification | None
    deadline_s: float
    done: Future[None] = field(default_factory=Future)


class PopupNotifier:
    """Show notifications with buttons.

    Parameters
    ----------
    on_action : callable
        Called with the button's action, on a thread of this object, so it must be quick and thread-safe.
    answer_s : float
        Longest wait for each answer of the desktop, seconds; a notification needs two.
    """

    name = "buttons"

    def __init__(self, on_action: Callable[[Action], None], *, answer_s: float = ANSWER_S) -> None:
        self.answer_s = answer_s
        self._on_action = on_action
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._wake_fd = -1
        self._lock = threading.Lock()
        self._is_closed = False

    def send(self, notification: Notification) -> None:
        """Show a notification in place of the one before; takes 2 to 30 ms, at worst twice `answer_s`.

        Raises
        ------
        NotifyError
            If there is no desktop session or service, it has no buttons, refuses or does not answer.
        """
        if sys.platform in ("win32", "darwin"):
            raise NotifyError(
                "notifications with buttons need a desktop of Linux; set notify.backend to auto"
            )
        patience_s = 2.0 * self.answer_s + CLOSE_S
        request = _Request(notification.cleaned(), time.monotonic() + patience_s)
        self._ask(request)
        try:
            request.done.result(patience_s)
        except TimeoutError as error:
            request.done.cancel()
            raise NotifyError(_unanswered(self.answer_s)) from error

    def close(self) -> None:
        """Take the popup with its buttons away and end the thread; waits half a second at most."""
        with self._lock:
            thread, is_closed, self._is_closed = self._thread, self._is_closed, True
        if thread is None or is_closed:
            return
        self._ask(_Request(None, time.monotonic() + CLOSE_S))
        thread.join(CLOSE_S)
        if not thread.is_alive():  # else it hangs, and this process is about to end
            os.close(self._wake_fd)

    def _ask(self, request: _Request) -> None:
        """Hand a request to the thread, which the first one starts."""
        with self._lock:
            if self._is_closed and request.notification is not None:
                raise NotifyError("the program is ending")
            if self._thread is None:
                wake, self._wake_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
                popups = _Popups(self._requests, wake, self._on_action, self.answer_s)
                self._thread = threading.Thread(target=popups.run, name="posture-popups", daemon=True)
                self._thread.start()
            self._requests.put(request)
            os.write(self._wake_fd, b".")


class _Popups:
    """The thread: one connection, one popup."""

    def __init__(
        self,
        requests: queue.SimpleQueue[_Request],
        wake: int,
        on_action: Callable[[Action], None],
        answer_s: float,
    ) -> None:
        self._requests, self._wake = requests, wake
        self._on_action, self._answer_s = on_action, answer_s
        self._bus: DBusConnection | None = None
        self._signals: deque[Any] = deque()
        self._owner = ""  # the service's own name: nobody else's signals count
        self._shown_id = 0  # 0 = none, as the specification has it
        self._has_buttons = False

    def run(self) -> None:
        """Serve requests and listen for buttons until the end is asked for."""
        while True:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake, selectors.EVENT_READ)
                if self._bus is not None:
                    selector.register(self._bus.sock, selectors.EVENT_READ)
                ready = {key.fileobj for key, _ in selector.select()}
            if self._wake in ready:
                os.read(self._wake, 4096)
                if not self._serve():
                    return
            self._hear()

    def _serve(self) -> bool:
        """Answer what has been asked; False = the end."""
        while not self._requests.empty():
            request = self._requests.get()
            if request.notification is None:
                self._leave()
                return False
            if not request.done.set_running_or_notify_cancel():
                continue  # too late: whoever asked has given up on it
            try:
                self._show(request.notification, request.deadline_s)
            except Exception as error:
                _log.debug("a notification with buttons failed", exc_info=True)
                self._remove()  # nobody would hear its buttons
                self._drop()
                told = error if isinstance(error, NotifyError) else NotifyError(self._explain(error))
                request.done.set_exception(told)
            else:
                request.done.set_result(None)
        return True

    def _show(self, notification: Notification, deadline_s: float) -> None:
        """Show one notification, in place of the one before."""
        self._connect()
        self._hear()
        reply = self._call("GetCapabilities")
        capabilities = reply.body[0]
        owner = _sender(reply)
        if owner != self._owner:  # another service, or the same one restarted: it knows nothing of our popup
            self._owner, self._shown_id = owner, 0
        if "actions" not in capabilities:
            raise NotifyError("this desktop's notifications have no buttons")
        if time.monotonic() > deadline_s:
            raise TimeoutError
        has_markup = "body-markup" in capabilities
        body = html.escape(notification.message, quote=False) if has_markup else notification.message
        buttons = [text for action in notification.actions for text in (action, BUTTONS[action])]
        sound = (
            ("sound-name", ("s", SOUND_NAME)) if notification.has_sound else ("suppress-sound", ("b", True))
        )
        hints = dict((("urgency", ("y", NORMAL_URGENCY)), ("transient", ("b", True)), sound))
        expiry_ms = notification.timeout_s * 1000
        arguments = (APP_NAME, self._shown_id, "", notification.title, body, buttons, hints, expiry_ms)
        self._shown_id = self._call("Notify", "susssasa{sv}i", arguments).body[0]
        self._has_buttons = bool(buttons)

    def _connect(self) -> None:
        """Have a connection that hears of buttons, popups that close, and services that come and go."""
        if self._bus is not None:
            return
        from jeepney import MatchRule, message_bus
        from jeepney.io.blocking import open_dbus_connection

        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        address = os.environ.get("DBUS_SESSION_BUS_ADDRESS") or (
            f"unix:path={runtime}/bus" if runtime else ""
        )
        if not address:
            raise NotifyError(explained("Could not connect"))
        self._bus = open_dbus_connection(address, auth_timeout=self._answer_s)
        self._signals = deque()
        self._bus.filter(MatchRule(type="signal"), queue=self._signals)
        rule = MatchRule(type="signal", interface=SERVICE, path=SERVICE_PATH)
        self._checked(self._bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=self._answer_s))

    def _call(self, method: str, signature: str | None = None, arguments: tuple[Any, ...] = ()) -> Any:
        """Call the notification service and return its reply."""
        from jeepney import DBusAddress, new_method_call

        assert self._bus is not None
        message = new_method_call(DBusAddress(SERVICE_PATH, SERVICE, SERVICE), method, signature, arguments)
        return self._checked(self._bus.send_and_get_reply(message, timeout=self._answer_s))

    def _checked(self, reply: Any) -> Any:
        """Return a reply, or raise if it is an error."""
        from jeepney import HeaderFields, MessageType

        if reply.header.message_type is MessageType.error:
            name = reply.header.fields.get(HeaderFields.error_name, "")
            raise NotifyError(explained(f"{name}: {' '.join(str(part) for part in reply.body)}"))
        return reply

    def _hear(self) -> None:
        """Take in what has come from the bus, and act on buttons."""
        try:
            while self._bus is not None:
                self._bus.recv_messages(timeout=0.0)
        except TimeoutError:
            pass
        except Exception as error:  # the bus has gone, and our popup with it
            _log.debug("the session bus has gone: %s", error)
            self._drop()
        while self._signals:
            self._act(self._signals.popleft())

    def _act(self, signal: Any) -> None:
        """Act on one signal, if it is about our popup and from the service that shows it."""
        from jeepney import HeaderFields

        member, body = signal.header.fields.get(HeaderFields.member), signal.body
        if _sender(signal) != self._owner or not self._shown_id or body[:1] != (self._shown_id,):
            return
        if member == "NotificationClosed":
            self._shown_id = 0
        elif member == "ActionInvoked" and len(body) > 1 and body[1] in get_args(Action):
            self._remove()  # some services leave it standing
            try:
                self._on_action(cast(Action, body[1]))
            except Exception:  # the thread outlives its listener
                _log.exception("the listener for notification buttons failed")

    def _remove(self) -> None:
        """Ask for our popup to be taken away, without waiting and without starting a service for it."""
        from jeepney import DBusAddress, MessageFlag, new_method_call

        if self._bus is None or not self._shown_id:
            return
        # By its own name: its successor, after a restart, may have given the number to somebody else.
        service = DBusAddress(SERVICE_PATH, self._owner, SERVICE)
        message = new_method_call(service, "CloseNotification", "u", (self._shown_id,))
        message.header.flags = MessageFlag.no_reply_expected | MessageFlag.no_auto_start
        self._shown_id = 0
        try:
            self._bus.send(message)
        except OSError as error:
            _log.debug("cannot take the popup away: %s", error)

    def _leave(self) -> None:
        """Take the popup away if it has buttons, and let go of the bus."""
        self._hear()  # it may have been closed
        if self._has_buttons:
            self._remove()
        self._drop()
        os.close(self._wake)

    def _drop(self) -> None:
        """Let go of the connection; the next notification makes a new one."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()

    def _explain(self, error: Exception) -> str:
        """Return what a failed attempt means, on one line."""
        if isinstance(error, TimeoutError):
            return _unanswered(self._answer_s)
        if isinstance(error, OSError):
            return explained("Could not connect")
        return explained(f"{type(error).__name__}: {error}")


def _unanswered(answer_s: float) -> str:
    """Return the error text for a desktop that hangs."""
    return f"the notification service did not answer within {answer_s:g} s"


def _sender(message: Any) -> str:
    """Return who sent a message: the bus sees to it that this is true."""
    from jeepney import HeaderFields

    return str(message.header.fields.get(HeaderFields.sender, ""))
