"""Who answers for a monitor, from its first moment to its last: commands in, answers out."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Self

import msgspec

from posture.conductor import Conductor
from posture.control.channel import ControlServer
from posture.control.commands import Command, Reply, Status, Stop
from posture.control.instance import OnlyMonitor
from posture.errors import ControlError
from posture.status import StatusBoard

_log = logging.getLogger(__name__)


class Reception:
    """Be the user's only monitor, and answer for it, for the time of a ``with`` block.

    Parameters
    ----------
    folder : Path
        The state folder. Where it cannot be written the monitor runs all the same and cannot be told anything,
        which is logged.
    stop : threading.Event
        Set when the monitor is told to end.
    board : StatusBoard
        Knows how things stand.

    Raises
    ------
    AlreadyRunningError
        On entering, if another monitor of this user runs.
    """

    def __init__(self, folder: Path, stop: threading.Event, board: StatusBoard) -> None:
        self._folder, self._stop, self.board = folder, stop, board
        self._only = OnlyMonitor(folder)
        self._server: ControlServer | None = None
        self.conductor: Conductor | None = None
        """Obeys, once there is something to be told."""

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._only.__enter__()
        try:
            self._server = ControlServer(self._folder, self.obey)
        except ControlError as error:
            _log.warning("%s; 'posture status' and the other commands will not find this monitor", error)
        return self

    def __exit__(self, *exc: object) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
        self._only.__exit__(*exc)

    def obey(self, command: Command) -> Reply:
        """Return the answer to a command.

        Raises
        ------
        ControlError
            If it cannot be done.
        """
        if isinstance(command, Status):
            status = msgspec.json.encode(self.board.snapshot())
            return Reply(is_ok=True, text="", status=msgspec.Raw(status))
        if isinstance(command, Stop):
            self._stop.set()
            return Reply(is_ok=True, text="the monitor ends")
        if self.conductor is None:
            raise ControlError("the monitor is still starting; try again in a moment")
        return self.conductor.obey(command)
