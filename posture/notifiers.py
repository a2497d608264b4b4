"""Which notifier a run uses: with buttons where the desktop has them, else plyer."""

from __future__ import annotations

import sys
from collections.abc import Callable

from posture.errors import NotifyError
from posture.notify import Action, Notification, Notifier, NullNotifier, PlyerNotifier
from posture.popups import PopupNotifier
from posture.settings import NotifySettings

FALLBACK_PATIENCE_S = 4.0
"""Seconds for plyer when the way with buttons has failed already (our choice: time for a service to be started)."""


class FallbackNotifier:
    """Show notifications one way, and where that fails the other; each notification tries the first way again.

    Parameters
    ----------
    first, second : Notifier
        Owned by this object: closed with it.
    on_fallback : callable
        Called once, when the second way has worked where the first had not, with the reason; on the thread that
        sends, so it must be quick and thread-safe.
    """

    name = "auto"

    def __init__(self, first: Notifier, second: Notifier, on_fallback: Callable[[str], None]) -> None:
        self._first, self._second, self._on_fallback = first, second, on_fallback
        self._is_told = False

    def send(self, notification: Notification) -> None:
        """Show a notification; at worst it takes as long as both ways do.

        Raises
        ------
        NotifyError
            If neither way works; the text is the second's.
        """
        try:
            self._first.send(notification)
        except NotifyError as error:
            self._second.send(notification)
            if not self._is_told:
                self._is_told = True
                self._on_fallback(str(error))

    def close(self) -> None:
        """Close both."""
        self._first.close()
        self._second.close()


def make_notifier(
    settings: NotifySettings,
    on_action: Callable[[Action], None],
    on_fallback: Callable[[str], None] = lambda reason: None,
) -> Notifier:
    """Return the notifier that the settings ask for.

    Parameters
    ----------
    settings : NotifySettings
        ``enabled``, ``backend`` and ``buttons`` are used.
    on_action : callable
        Called with what a pressed button asks for, on another thread: quick and thread-safe.
    on_fallback : callable
        Called once with the reason why notifications come without buttons, if they do; also on another thread.
    """
    if not settings.enabled:
        return NullNotifier()
    if settings.backend == "buttons":
        return PopupNotifier(on_action)
    is_freedesktop = sys.platform not in ("win32", "darwin")
    if settings.backend == "plain" or not settings.buttons or not is_freedesktop:
        return PlyerNotifier()
    return FallbackNotifier(
        PopupNotifier(on_action), PlyerNotifier(patience_s=FALLBACK_PATIENCE_S), on_fallback
    )
