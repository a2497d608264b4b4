"""The way commands come in: a socket (a named pipe on Windows) of the owner, with a secret only the owner can read.

Whoever connects must answer a challenge with the secret of the state folder (HMAC, as `multiprocessing.connection`
has it), so that no other user is obeyed, whatever the rights of the socket. Messages are JSON; nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import socket
import struct
import sys
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path

import msgspec

from posture.control.commands import Command, Reply, decode
from posture.errors import ControlError, OutputError
from posture.files import make_folder, write_atomically

LONGEST_MESSAGE = 65_536
"""Bytes of a message; a status has some hundred."""
MOST_CONNECTIONS = 16
"""At a time (our choice: nobody has so many hotkeys); one more is turned away."""
SILENCE_S = 5.0
"""Seconds without a word after which a connection is closed."""
PATIENCE_S = 10.0
"""Seconds a client waits for an answer: the loop answers between two frames, a second apart at most."""
_LONGEST_PATH = 100  # bytes; sockaddr_un has 108 on Linux, 104 on macOS

_log = logging.getLogger(__name__)


def channel_address(folder: Path) -> str:
    """Return the address of the channel whose secret is in `folder`."""
    mark = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    if sys.platform == "win32":
        return rf"\\.\pipe\posture-{mark}"
    # A service may have a /tmp of its own, the runtime folder is the same for all of a user's programs.
    others = [
        Path(place) / f"posture-{mark}" for place in (os.environ.get("XDG_RUNTIME_DIR") or "/tmp", "/tmp")
    ]
    paths = [place / "control.sock" for place in (folder, *others)]
    return str(next(path for path in paths if len(os.fsencode(path)) <= _LONGEST_PATH))


class ControlServer:
    """Take commands, each connection in a thread of its own, until closed.

    Parameters
    ----------
    folder : Path
        Where the secret is; made, open to the owner only.
    obey : callable
        Return the answer to a command; called on a connection's thread. A ControlError it raises is the answer.

    Raises
    ------
    ControlError
        If there can be no channel here.
    """

    def __init__(self, folder: Path, obey: Callable[[Command], Reply]) -> None:
        self._obey = obey
        self._address = channel_address(folder)
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._is_closed = False
        try:
            self._secret = _make_secret(folder)
            if sys.platform != "win32":
                place = Path(self._address)
                make_folder(place.parent)
                place.unlink(
                    missing_ok=True
                )  # left by a monitor that was killed: there is only one, see `instance`
            self._listener = Listener(self._address, backlog=MOST_CONNECTIONS)
            if sys.platform != "win32":
                Path(self._address).chmod(0o600)
        except (OSError, OutputError) as error:
            raise ControlError(f"cannot be controlled: {self._address}: {error}") from error
        self._thread = threading.Thread(target=self._accept_all, name="posture-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more commands; answers under way are cut off."""
        with self._lock:
            self._is_closed = True
            for connection in self._connections:
                _shut(connection)
        with contextlib.suppress(
            OSError, EOFError
        ):  # wake the thread that accepts; whether it hears it or not
            Client(self._address).close()
        self._thread.join(0.5)
        self._listener.close()

    def _accept_all(self) -> None:
        """Take connections until closed."""
        while not self._is_closed:
            try:
                connection = self._listener.accept()
            except (
                OSError,
                EOFError,
            ) as error:  # whoever came has gone again, or there are too many files open
                _log.debug("control: %s", error)
                threading.Event().wait(0.1)
                continue
            with self._lock:
                is_welcome = not self._is_closed and len(self._connections) < MOST_CONNECTIONS
                if is_welcome:
                    self._connections.add(connection)
            if not is_welcome:
                connection.close()
                continue
            threading.Thread(
                target=self._serve, args=(connection,), name="posture-control-client", daemon=True
            ).start()

    def _serve(self, connection: Connection) -> None:
        """Answer one client until it goes, says nothing for long, or talks nonsense."""
        try:
            _limit_silence(connection)
            deliver_challenge(connection, self._secret)
            answer_challenge(connection, self._secret)
            while not self._is_closed and connection.poll(SILENCE_S):
                try:
                    reply = self._obey(decode(connection.recv_bytes(LONGEST_MESSAGE)))
                except ControlError as error:
                    reply = Reply(is_ok=False, text=str(error))
                connection.send_bytes(msgspec.json.encode(reply))
        except (AuthenticationError, OSError, EOFError, ValueError, struct.error) as error:
            _log.debug("control: a client was turned away or left: %s", error)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


def send(folder: Path, command: Command, *, patience_s: float = PATIENCE_S) -> Reply | None:
    """Return what the running monitor answers to `command`; None = no monitor is running.

    Raises
    ------
    ControlError
        If one runs and does not answer within `patience_s`, or refuses.
    """
    hung = f"the monitor does not answer within {patience_s:g} s; does it hang?"
    try:
        secret = _secret_path(folder).read_bytes()
        connection = _connect(channel_address(folder), min(patience_s, SILENCE_S))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return None
    except BlockingIOError as error:  # so many wait for it already that nobody else may
        raise ControlError(hung) from error
    except OSError as error:
        raise ControlError(f"cannot reach the monitor: {error}") from error
    with connection:
        try:
            answer_challenge(connection, secret)
            deliver_challenge(connection, secret)
            connection.send_bytes(msgspec.json.encode(command))
            if not connection.poll(patience_s):
                raise ControlError(hung)
            return msgspec.json.decode(connection.recv_bytes(LONGEST_MESSAGE), type=Reply)
        except AuthenticationError as error:
            raise ControlError("the monitor refuses this user") from error
        except (EOFError, ConnectionResetError, BrokenPipeError):  # it ended in this very moment
            return None
        except BlockingIOError as error:
            raise ControlError(hung) from error
        except (OSError, ValueError) as error:
            raise ControlError(f"the monitor's answer cannot be read: {error}") from error


def _connect(address: str, limit_s: float) -> Connection:
    """Return a connection to `address`; making it, and every read and write, fails after `limit_s`.

    Raises
    ------
    OSError
        If there is nobody; BlockingIOError after `limit_s`.
    """
    if sys.platform == "win32":
        return Client(address)
    with socket.socket(socket.AF_UNIX) as handle:
        _limit(handle, limit_s)  # connecting too waits, without end, for whom nobody accepts any more
        handle.connect(address)
        return Connection(handle.detach())


def _secret_path(folder: Path) -> Path:
    """Return the file of the secret."""
    return folder / "control.key"


def _make_secret(folder: Path) -> bytes:
    """Write a fresh secret, readable by the owner only, and return it."""
    secret = secrets.token_bytes(32)
    write_atomically(_secret_path(folder), secret, is_durable=False)
    return secret


def _limit_silence(connection: Connection) -> None:
    """Let reads and writes on a socket fail after a while: half a message must not hold a thread for ever."""
    if sys.platform == "win32":
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as handle:
        _limit(handle, SILENCE_S)


def _limit(handle: socket.socket, limit_s: float) -> None:
    """Let what a socket does fail after `limit_s`."""
    seconds, fraction = divmod(limit_s, 1.0)
    limit = struct.pack("ll", int(seconds), int(fraction * 1e6))
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _shut(connection: Connection) -> None:
    """End a conversation from another thread."""
    if sys.platform == "win32":
        return  # its thread is a daemon
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as handle:
        handle.shutdown(socket.SHUT_RDWR)
