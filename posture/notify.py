"""Show notifications on the desktop.

plyer does the sending and this is the only module that imports it, inside functions. What plyer leaves
to luck is dealt with here:

- On Linux plyer runs ``notify-send`` and ignores its exit status, so that a missing session bus or
  notification service goes unnoticed; it gives no time limit (75 s with a hung service), passes
  ``-t 0`` (some desktops then keep the popup for ever), and lets the command write to our terminal. Its
  command therefore runs through :class:`_NotifySend`: time limit, exit status, captured error text.
- plyer's own choice of a sender prints warnings and tracebacks, and takes any directory ``/app`` for
  Flatpak; the choice is made here instead: ``notify-send`` if installed, else dbus-python.
- On Windows plyer shows the balloon in a non-daemon thread, which delays the exit and loses every error;
  its balloon is called here directly, and :meth:`PlyerNotifier.send` returns when it has gone.

A sender may take seconds: let :class:`posture.delivery.NotificationQueue` wait for it.
"""

from __future__ import annotations

import html
import importlib
import logging
import math
import os
import re
import shutil
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias

from posture.errors import NotifyError

APP_NAME = "Posture"
# A session service may still have to be started by the bus, which takes seconds on a cold disk.
PATIENCE_S = 10.0
# Far below the 128 KiB that Linux allows one command-line argument, far above what a popup shows.
MAX_MESSAGE_LENGTH = 1000
# Of the sound naming specification of freedesktop.org; the desktop's own theme has the sound.
SOUND_NAME = "message-new-instant"
# NOTIFYICONDATAW: szInfoTitle[64] and szInfo[256], UTF-16 with the closing NUL,
# https://learn.microsoft.com/windows/win32/api/shellapi/ns-shellapi-notifyicondataw
WINDOWS_TITLE_UNITS = 63
WINDOWS_MESSAGE_UNITS = 255

_INSTALL_NOTIFY_SEND = (
    "cannot show notifications: install the command notify-send "
    "(Debian and Ubuntu: libnotify-bin; Fedora and Arch: libnotify)"
)
_NO_SERVICE = "no notification service is running on this desktop: start one, such as dunst"
_NO_BUS = (
    "no desktop session to notify: start posture inside the desktop session "
    "(the bus named by DBUS_SESSION_BUS_ADDRESS is missing)"
)
_EXPLANATIONS = (
    ("ServiceUnknown", _NO_SERVICE),
    ("NameHasNoOwner", _NO_SERVICE),
    ("Could not connect", _NO_BUS),
    ("autolaunch", _NO_BUS),
    ("Failed to connect to socket", _NO_BUS),
)

Action: TypeAlias = Literal["snooze", "recalibrate", "rezero", "wrong"]
"""What a button asks for: silence for a while, a new baseline, the old one moved to the upright of now, or to be told
that the alert was wrong."""

_log = logging.getLogger(__name__)
_plyer_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing to tell the person: plain text without markup, any characters."""

    title: str
    message: str
    timeout_s: int = 10
    """How long the popup should stay, where the desktop follows that wish; at least 1 s."""
    actions: tuple[Action, ...] = ()
    """Its buttons from left to right, where the notifier has any."""
    has_sound: bool = False
    """Whether to ask for a sound; not every desktop has one."""

    def cleaned(self) -> Notification:
        """Return it as any desktop can show it: no control characters, a title, an end."""
        return replace(
            self,
            title=" ".join(_clean(self.title).split()) or APP_NAME,
            message=_clean(self.message)[:MAX_MESSAGE_LENGTH],
            timeout_s=max(1, math.ceil(self.timeout_s)),
        )


class Notifier(Protocol):
    """Something that can show a notification."""

    name: str

    def send(self, notification: Notification) -> None:
        """Show a notification; may take seconds.

        Raises
        ------
        NotifyError
            If the notification was not delivered, as far as the platform can tell.
        """

    def close(self) -> None:
        """Take away what could not be answered any more, within half a second; called once, at the end."""


class NullNotifier:
    """Show nothing: for ``--quiet`` and machines without a desktop."""

    name = "none"

    def send(self, notification: Notification) -> None:
        """Drop a notification."""

    def close(self) -> None:
        """Nothing to take away."""


class PlyerNotifier:
    """Show notifications through plyer.

    Parameters
    ----------
    patience_s : float
        Longest wait for ``notify-send`` or ``osascript`` in seconds. dbus-python, used only where
        ``notify-send`` is not installed, has its own limit of 25 s.

    Notes
    -----
    On macOS plyer needs pyobjus and fails on current systems even with it (plyer issue 780), so
    ``osascript`` takes over there. A return without an error means that the notification service
    accepted the notification; "do not disturb" modes may still hide it.
    """

    name = "plyer"

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s

    def send(self, notification: Notification) -> None:
        """Show a notification; takes 10 to 80 ms, at worst `patience_s`.

        Raises
        ------
        NotifyError
            If nothing can show notifications here, or the service refused or did not answer.
        """
        cleaned = notification.cleaned()
        send = {"win32": _send_windows, "darwin": _send_macos}.get(sys.platform, _send_freedesktop)
        try:
            send(cleaned, self.patience_s)
        except NotifyError:
            raise
        except Exception as error:  # plyer and what it calls raise anything, even bare Exception
            raise NotifyError(explained(f"{type(error).__name__}: {error}")) from error

    def close(self) -> None:
        """Nothing to take away: its popups ask for no answer."""


@dataclass(frozen=True, slots=True)
class _NotifySend:
    """Stand in for the module ``subprocess`` where plyer runs ``notify-send``."""

    timeout_s: int
    patience_s: float
    has_sound: bool

    def call(self, command: Sequence[str]) -> int:
        """Run plyer's command ``notify-send TITLE MESSAGE -OPTION VALUE ...``; raise if it fails."""
        program, title, message, *options = command
        # The last of a repeated option counts. Transient: shown, but not collected in a list of nags.
        options += ["-t", str(self.timeout_s * 1000), "-h", "int:transient:1"]
        if self.has_sound:  # older versions know no boolean hint, so silence cannot be asked for, only sound
            options += ["-h", f"string:sound-name:{SOUND_NAME}"]
        # notify-send undoes C escapes in the message, and takes a leading "-" for an option.
        _run([program, *options, "--", title, message.replace("\\", "\\\\")], self.patience_s)
        return 0


def _send_freedesktop(notification: Notification, patience_s: float) -> None:
    """Send on Linux and other freedesktop systems."""
    linux: Any = importlib.import_module("plyer.platforms.linux.notification")
    if shutil.which("notify-send"):
        implementation = linux.NotifySendNotification()
    elif _is_importable("dbus"):
        implementation = linux.NotifyDbus()
    else:
        raise NotifyError(_INSTALL_NOTIFY_SEND)
    with _plyer_lock:
        linux.subprocess = _NotifySend(notification.timeout_s, patience_s, notification.has_sound)
        try:
            implementation.notify(
                title=notification.title,
                # Bodies are markup (Desktop Notifications Specification, "Markup").
                message=html.escape(notification.message, quote=False),
                app_name=APP_NAME,
                timeout=notification.timeout_s,
            )
        finally:
            linux.subprocess = subprocess


def _send_windows(notification: Notification, patience_s: float) -> None:
    """Send on Windows; returns when the balloon has gone, after `timeout_s`."""
    windows: Any = importlib.import_module("plyer.platforms.win.notification")
    windows.balloon_tip(
        title=_clipped(notification.title, WINDOWS_TITLE_UNITS),
        message=_clipped(notification.message, WINDOWS_MESSAGE_UNITS),
        app_name=APP_NAME,
        timeout=notification.timeout_s,
    )


def _send_macos(notification: Notification, patience_s: float) -> None:
    """Send on macOS through plyer, or through AppleScript where plyer cannot."""
    try:
        macos: Any = importlib.import_module("plyer.platforms.macosx.notification")
        macos.instance().notify(title=notification.title, message=notification.message, app_name=APP_NAME)
    except Exception as error:
        _log.debug("plyer cannot notify on this Mac, using osascript: %s", error)
        lines = (
            "on run argv",
            "display notification (item 2 of argv) with title (item 1 of argv)"
            + (' sound name "Glass"' if notification.has_sound else ""),
            "end run",
        )
        script = [part for line in lines for part in ("-e", line)]
        _run(["osascript", *script, "--", notification.title, notification.message], patience_s)


def _run(command: Sequence[str], patience_s: float) -> None:
    """Run a command without touching the terminal; raise NotifyError if it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LANGUAGE": "en"},
            timeout=patience_s,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, not for a notification on its way
        )
    except subprocess.TimeoutExpired as error:
        raise NotifyError(f"the notification service did not answer within {patience_s:g} s") from error
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip() or f"exit status {done.returncode}"
        raise NotifyError(explained(f"{command[0]}: {reason}"))


def explained(text: str) -> str:
    """Return what to do about an error text of D-Bus, or the text itself, on one line."""
    known = (advice for sign, advice in _EXPLANATIONS if sign in text)
    words = " ".join(
        re.sub(r"GDBus\.Error:\S+: ", "", text).split()
    )  # a name of the library's own, before the words
    return next(known, f"the notification was not delivered: {words}")


def _is_importable(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _clean(text: str) -> str:
    """Remove what no desktop can show: control characters (but newlines) and unpaired surrogates."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in valid if c == "\n" or unicodedata.category(c) != "Cc").strip()


def _clipped(text: str, units: int) -> str:
    """Shorten a text to so many UTF-16 units, never through a character, ending in an ellipsis."""
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * units:
        return text
    return encoded[: 2 * (units - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
