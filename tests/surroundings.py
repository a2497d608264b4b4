"""Desktops to look at from tests: services that say what a test wants, on private buses."""

import asyncio
import contextlib
import os
import subprocess
import threading
from pathlib import Path

import pytest
from dbus_fast import Message, Variant
from dbus_fast.aio import MessageBus
from desktop import running, session_bus, wait_until

NEVER = object()  # an answer that does not come
SYSTEM_PYTHON = "/usr/bin/python3"
DESKTOP_VARIABLES = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_CURRENT_DESKTOP",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_ID",
    "XDG_SESSION_TYPE",
)


@contextlib.contextmanager
def private_buses(monkeypatch):
    """Run a session and a system bus without services, used by this process too."""
    with session_bus() as session, session_bus() as system:
        for name in DESKTOP_VARIABLES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", system.address)
        yield session, system


class Answers(dict):
    """Answers by what is called, to be changed at any time; a property's value by its interface and name.

    An answer is a D-Bus signature and its values, `NEVER`, or missing: an error.
    """

    def reply(self, message: Message) -> Message | bool:
        key = (message.interface, message.member)
        if message.member == "Get":
            answer = self.get(tuple(message.body))
            answer = answer if answer is NEVER or answer is None else ("v", Variant(*answer))
        else:
            answer = self.get(key)
        if answer is NEVER:
            return True
        if answer is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", f"no {key}")
        return Message.new_method_return(message, answer[0], list(answer[1:]))


@contextlib.contextmanager
def service(address: str, name: str, answers: Answers):
    """Own a name on a bus and answer what is asked of it; yields the questions, as `(interface, member)`."""
    asked: list[tuple[str, str]] = []
    is_ready, loop, done = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    def handle(message: Message):
        if message.member == "NameAcquired" or message.interface is None:
            return None
        asked.append((message.interface, message.member))
        return answers.reply(message)

    async def serve():
        bus = await MessageBus(bus_address=address).connect()
        bus.add_message_handler(handle)
        await bus.request_name(name)
        is_ready.set()
        await done.wait()
        bus.disconnect()
        await bus.wait_for_disconnect()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert is_ready.wait(15), name
    try:
        yield asked
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(15)
        loop.close()


GNOME = {
    ("org.gnome.ScreenSaver", "GetActive"): ("b", False),
    ("org.freedesktop.ScreenSaver", "GetActive"): ("b", False),
    ("org.freedesktop.Notifications", "Inhibited"): ("b", False),
    ("org.freedesktop.Notifications", "GetCapabilities"): ("as", ["actions", "body"]),
    ("org.freedesktop.Notifications", "Notify"): ("u", 1),
    ("org.freedesktop.Notifications", "CloseNotification"): ("",),
    ("org.freedesktop.DBus.Properties", "GetAll"): (
        "a{sv}",
        {"LockedHint": Variant("b", False), **{f"Property{i}": Variant("s", "value") for i in range(30)}},
    ),
}


@contextlib.contextmanager
def gnome_session(n_names: int = 0):
    """Run private buses with services that answer like GNOME's, and others; yields the variables that name them."""
    with contextlib.ExitStack() as stack:
        session, system = stack.enter_context(session_bus()), stack.enter_context(session_bus())
        answers = Answers(GNOME)
        for name in ("org.gnome.ScreenSaver", "org.freedesktop.ScreenSaver", "org.freedesktop.Notifications"):
            stack.enter_context(service(session.address, name, answers))
        stack.enter_context(service(system.address, "org.freedesktop.login1", answers))
        for number in range(n_names // 2):  # each also has a unique name
            stack.enter_context(service(session.address, f"org.example.Service{number}", Answers()))
        yield {"DBUS_SESSION_BUS_ADDRESS": session.address, "DBUS_SYSTEM_BUS_ADDRESS": system.address}


def _require_dbusmock() -> None:
    """Skip the test without the Debian package, or fail it where everything is to be tested."""
    command = [SYSTEM_PYTHON, "-c", "import dbusmock"]
    if (
        Path(SYSTEM_PYTHON).exists()
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    ):
        return
    reason = "needs dbusmock for the system's Python: apt-get install python3-dbusmock"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def mocked(bus, template: str, name: str, *, is_system: bool = False):
    """Run one of dbusmock's templates, which were written by others from the real services."""
    _require_dbusmock()
    env = {**bus.env, "DBUS_SYSTEM_BUS_ADDRESS": bus.address}
    kind = "--system" if is_system else "--session"
    with running(SYSTEM_PYTHON, "-m", "dbusmock", kind, "--template", template, env=env) as process:
        bus_name = "org.freedesktop.DBus"
        wait_until(
            lambda: bus.call(bus_name, "/org/freedesktop/DBus", bus_name, "NameHasOwner", "s", name)[0], name
        )
        yield process
