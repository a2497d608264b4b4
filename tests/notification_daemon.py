"""A notification service to script from tests: prints one JSON object per line for what it was asked.

`python notification_daemon.py [accept|refuse|hang|buttons]`, on the bus named by DBUS_SESSION_BUS_ADDRESS. The
first line is `{"ready": true}`. `refuse` answers every Notify with an error; `hang` prints it and answers
only after SIGUSR1. All but `accept` say that they have buttons; the method Press presses one.

No `from __future__ import annotations` here: dbus-fast reads the annotations as D-Bus types.
"""
# ruff: noqa: F722, F821

import asyncio
import json
import signal
import sys

from dbus_fast import DBusError
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method
from dbus_fast.service import signal as bus_signal

NAME = "org.freedesktop.Notifications"


def tell(**fields):
    print(json.dumps(fields), flush=True)


class Notifications(ServiceInterface):
    def __init__(self, behaviour: str):
        super().__init__(NAME)
        self.behaviour = behaviour
        self.n_shown = 0
        self.may_answer = asyncio.Event()

    @method()
    async def Notify(
        self,
        app_name: "s",
        replaces_id: "u",
        app_icon: "s",
        summary: "s",
        body: "s",
        actions: "as",
        hints: "a{sv}",
        expire_timeout: "i",
    ) -> "u":
        plain_hints = {name: variant.value for name, variant in hints.items()}
        tell(
            app_name=app_name,
            summary=summary,
            body=body,
            hints=plain_hints,
            expire_timeout_ms=expire_timeout,
            replaces_id=replaces_id,
            actions=actions,
        )
        if self.behaviour == "refuse":
            raise DBusError(
                "org.freedesktop.Notifications.Error.ExcessNotificationGeneration", "too many\nof them"
            )
        if self.behaviour == "hang":
            await self.may_answer.wait()
        if replaces_id:
            return replaces_id
        self.n_shown += 1
        return self.n_shown

    @method()
    def CloseNotification(self, notification_id: "u"):
        tell(closed=notification_id)
        self.NotificationClosed(notification_id, 3)

    @method()
    def Press(self, notification_id: "u", key: "s"):
        self.ActionInvoked(notification_id, key)

    @method()
    def Expire(self, notification_id: "u"):
        self.NotificationClosed(notification_id, 1)

    @bus_signal()
    def ActionInvoked(self, notification_id, key) -> "us":
        return [notification_id, key]

    @bus_signal()
    def NotificationClosed(self, notification_id, reason) -> "uu":
        return [notification_id, reason]

    @method()
    def GetCapabilities(self) -> "as":
        return ["body", "body-markup"] + (["actions"] if self.behaviour != "accept" else [])

    @method()
    def GetServerInformation(self) -> "ssss":
        return ["scripted", "tests", "1", "1.2"]


async def serve(behaviour: str) -> None:
    bus = await MessageBus().connect()
    notifications = Notifications(behaviour)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, notifications.may_answer.set)
    bus.export("/org/freedesktop/Notifications", notifications)
    await bus.request_name(NAME)
    tell(ready=True)
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1] if len(sys.argv) > 1 else "accept"))
