"""Ask the desktop's services over D-Bus, without ever waiting long. The only module of these that knows D-Bus.

A desktop may have no bus, a bus that hangs, or a service that never answers: whatever happens, the answer is None then,
and who did not answer is left alone for a while. Nothing is ever started by asking.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Literal

CALL_S = 1.0
"""Seconds to wait for an answer: a healthy desktop needs milliseconds, and whoever asks can ask again (our choice)."""
MUTE_MIN_S, MUTE_MAX_S = 5.0, 60.0
"""Seconds that a bus is left alone after a failure, doubling: a restarted one is found within a minute (our choice)."""
MUTE_SERVICE_S = 30.0
"""Seconds that a service is left alone after it did not answer (our choice)."""

_BUS = "org.freedesktop.DBus"
_log = logging.getLogger(__name__)


class Bus:
    """One D-Bus bus, connected when needed, again when it was lost; for one thread.

    Parameters
    ----------
    kind : {"SESSION", "SYSTEM"}
        Which one; its address is looked up in the environment at every connection.
    """

    def __init__(self, kind: Literal["SESSION", "SYSTEM"]) -> None:
        self.kind = kind
        self._connection: Any = None
        self._mute_s: dict[str, float] = {}
        """Until when a service, or the bus itself (``""``), is not asked; `time.monotonic()`."""
        self._delay_s = MUTE_MIN_S
        self._failing: set[str] = set()

    def call(
        self, name: str, path: str, interface: str, member: str, signature: str = "", *arguments: object
    ) -> tuple[Any, ...] | None:
        """Return a method's results; None = no bus, no such service, refused, or no answer within a second."""
        now_s = time.monotonic()
        if max(self._mute_s.get("", 0.0), self._mute_s.get(name, 0.0)) > now_s:
            return None
        try:
            reply = self._ask(name, path, interface, member, signature, arguments)
        except Exception as error:  # whatever listens at the bus's address may send anything
            self._fail(name, error)
            return None
        self._delay_s = MUTE_MIN_S
        for answering in ("", name):
            self._mute_s.pop(answering, None)
            self._failing.discard(answering)
        return reply

    def get(self, name: str, path: str, interface: str, prop: str) -> object:
        """Return a property's value; None = as for :meth:`call`."""
        reply = self.call(name, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, prop)
        return value_of(reply[0]) if reply else None

    def names(self) -> frozenset[str]:
        """Return who is on the bus; empty = it cannot be asked."""
        reply = self.call(_BUS, "/org/freedesktop/DBus", _BUS, "ListNames")
        return frozenset(str(name) for name in reply[0]) if reply else frozenset()

    def close(self) -> None:
        """Let go of the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(
        self,
        name: str,
        path: str,
        interface: str,
        member: str,
        signature: str,
        arguments: tuple[object, ...],
    ) -> tuple[Any, ...] | None:
        from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call
        from jeepney.io.blocking import open_dbus_connection

        if self._connection is None:
            self._connection = open_dbus_connection(self.kind, auth_timeout=CALL_S)
            self._connection.sock.settimeout(CALL_S)  # for sending; jeepney waits for answers by itself
        message = new_method_call(DBusAddress(path, name, interface), member, signature, arguments)
        message.header.flags |= MessageFlag.no_auto_start
        reply = self._connection.send_and_get_reply(message, timeout=CALL_S)
        return tuple(reply.body) if reply.header.message_type is MessageType.method_return else None

    def _fail(self, name: str, error: Exception) -> None:
        """Leave alone who failed: a service that does not answer, or the bus."""
        now_s = time.monotonic()
        is_service = isinstance(error, TimeoutError) and self._connection is not None and name != _BUS
        self.close()  # an answer that comes late must find nobody
        if is_service:
            self._mute_s[name] = now_s + MUTE_SERVICE_S
        else:
            name = ""
            self._mute_s[name] = now_s + self._delay_s
            self._delay_s = min(2 * self._delay_s, MUTE_MAX_S)
        if name not in self._failing:
            kind = self.kind.lower()
            _log.debug("the %s bus does not answer: %s: %s", f"{kind} {name}", type(error).__name__, error)
        self._failing.add(name)


def value_of(variant: object) -> object:
    """Return what a D-Bus variant holds; None = it is none."""
    return variant[1] if isinstance(variant, tuple) and len(variant) == 2 else None
