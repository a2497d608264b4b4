"""The icon and its menu (Qt). Everything that may take time happens on other threads."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from pathlib import Path

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    QSocketNotifier,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtGui import QAction, QCursor, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from posture.control.commands import Command, Reply, Wrong
from posture.tray import programs
from posture.tray.contact import START_S, Contact
from posture.tray.icon import make_icon
from posture.tray.view import COMMANDS, GROUPS, Icon, Item, Standing, TrayView, make_view

MESSAGE_MS = 8000
"""How long a message stays (our choice: a line to read)."""
_NOTHING_YET = TrayView(
    Icon.UNKNOWN, "Posture", {Item.STATE: "asking the monitor", Item.QUIT: "Remove this icon"}
)
_POPUP_PLATFORMS = ("xcb", "windows")  # elsewhere a click opens the menu by itself, or nothing can

_log = logging.getLogger(__name__)


class Tray(QObject):
    """An icon, its tooltip and its menu, for the monitor of a state folder."""

    standing_came = Signal(object)
    """How things stand; from any thread."""
    message_came = Signal(str, str)
    """Title and text to show; from any thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._menu = QMenu()
        self._actions: dict[Item, QAction] = {}
        for group in GROUPS:
            if self._actions:
                self._menu.addSeparator()
            for item in group:
                action = self._menu.addAction("")
                action.triggered.connect(lambda _checked=False, item=item: self._choose(item))
                self._actions[item] = action
        self._actions[Item.STATE].setEnabled(False)
        self._icon = QSystemTrayIcon()
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._pop_up)
        self._shown: TrayView | None = None
        self._show(_NOTHING_YET)
        self._icon.show()
        self.standing_came.connect(self._take)
        self.message_came.connect(self._tell)
        self._contact = Contact(folder, self.standing_came.emit, self._take_reply)
        self._menu.aboutToShow.connect(lambda: self._contact.look())

    def close(self) -> None:
        """Take the icon away."""
        self._contact.close()
        self._menu.close()
        self._icon.hide()

    def _take(self, standing: Standing) -> None:
        """Show how things stand."""
        self._show(make_view(standing))

    def _show(self, view: TrayView) -> None:
        """Change what differs from what is shown."""
        shown = self._shown
        if shown is None or shown.icon is not view.icon:
            self._icon.setIcon(make_icon(view.icon))
            self._actions[Item.STATE].setIcon(make_icon(view.icon))
        if shown is None or shown.tooltip != view.tooltip:
            self._icon.setToolTip(view.tooltip)
        if shown is None or shown.entries != view.entries:
            for item, action in self._actions.items():
                action.setVisible(item in view.entries)
                action.setText(view.entries.get(item, ""))
        self._shown = view

    def _choose(self, item: Item) -> None:
        """Do what was chosen from the menu."""
        if item is Item.QUIT:
            QApplication.exit(0)
        elif item is Item.START:
            self._start(programs.MONITOR, "The monitor ended")
            self._tell("Posture", "The monitor starts. Sit upright: without a baseline it takes one first.")
            self._contact.look(START_S)
        elif item is Item.REPORT:
            self._start(programs.REPORT, "Report")
        elif item in COMMANDS:
            self._contact.tell(COMMANDS[item])

    def _start(self, arguments: tuple[str, ...], title: str) -> None:
        """Start a program, and tell if it fails, now or later."""
        try:
            programs.start(arguments, lambda why: self.message_came.emit(title, why))
        except OSError as error:
            self._tell(title, str(error))

    def _take_reply(self, command: Command, reply: Reply) -> None:
        """Tell what cannot be seen in the icon; called on the contact's thread."""
        if not reply.is_ok or isinstance(command, Wrong):
            self.message_came.emit("Posture", reply.text)

    def _tell(self, title: str, text: str) -> None:
        """Show a message beside the icon."""
        _log.debug("tray: %s: %s", title, text)
        self._icon.showMessage(
            title, text, make_icon(self._shown.icon if self._shown else Icon.UNKNOWN), MESSAGE_MS
        )

    def _pop_up(self, how: QSystemTrayIcon.ActivationReason) -> None:
        """Open the menu for a plain click too."""
        if (
            how is QSystemTrayIcon.ActivationReason.Trigger
            and QGuiApplication.platformName() in _POPUP_PLATFORMS
        ):
            self._menu.popup(QCursor.pos())


class Waker(QObject):
    """End Qt's loop soon after a signal: Python's handlers run only when Qt calls Python."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop
        self._inner, self._outer = socket.socketpair()
        self._inner.setblocking(False)
        self._outer.setblocking(False)
        self._previous = signal.set_wakeup_fd(self._outer.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._inner.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._wake)

    def close(self) -> None:
        """Listen no more."""
        signal.set_wakeup_fd(self._previous)
        self._notifier.setEnabled(False)
        self._inner.close()
        self._outer.close()

    def _wake(self) -> None:
        """Look whether the signal was meant to end this."""
        self._inner.recv(4096)
        if self._stop.is_set():
            QApplication.exit(0)


def show_tray(folder: Path, stop: threading.Event) -> None:
    """Show the icon until it is removed or `stop` is set by a signal.

    Parameters
    ----------
    folder : Path
        The monitor's state folder.
    stop : threading.Event
        Set by the handlers of SIGINT and SIGTERM.
    """
    qInstallMessageHandler(_log_message)
    app = QApplication([sys.argv[0]])
    app.setApplicationName("posture")
    app.setApplicationDisplayName("Posture")
    app.setQuitOnLastWindowClosed(False)
    waker, tray = Waker(stop), Tray(folder)
    try:
        if not stop.is_set():
            app.exec()
    finally:
        tray.close()
        waker.close()


def _log_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """Keep Qt's words for the log."""
    _log.debug("Qt: %s: %s", kind.name, text)
