"""The channel to a running monitor: who is answered, who is refused, and that nonsense harms nobody.

Claimed: commands arrive whole and are answered; 100,000 messages of nonsense, silent, rude and too many clients leave
the channel working; only who can read the owner's secret is obeyed; a killed monitor's left-overs do no harm.
"""

import contextlib
import os
import random
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
from multiprocessing.connection import Client, answer_challenge, deliver_challenge
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unprivileged import NOBODY, shared_folder

from posture.control import channel, commands
from posture.control.channel import ControlServer, channel_address, send
from posture.control.commands import Pause, Reply, Snooze, Status, decode, parse_duration
from posture.control.instance import OnlyMonitor
from posture.errors import AlreadyRunningError, ControlError

ALL = [
    Status(),
    Pause(),
    Pause(60.0),
    commands.Resume(),
    Snooze(),
    commands.Recalibrate(5.0),
    commands.Rezero(),
    commands.Wrong("no"),
]


class Desk:
    """Obeys everything, and remembers."""

    def __init__(self):
        self.asked = []

    def __call__(self, command):
        self.asked.append(command)
        return Reply(is_ok=True, text=type(command).__name__)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def server(tmp_path, desk):
    server = ControlServer(tmp_path, desk)
    yield server
    server.close()


def connect(folder):
    """Return an authenticated connection, with nothing said yet."""
    secret = (folder / "control.key").read_bytes()
    connection = Client(channel_address(folder))
    answer_challenge(connection, secret)
    deliver_challenge(connection, secret)
    return connection


# -- what is said ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ALL, ids=repr)
def test_a_command_arrives_whole_and_is_answered(tmp_path, server, desk, command):
    assert send(tmp_path, command).text == type(command).__name__
    assert desk.asked == [command]


def test_what_cannot_be_done_is_said(tmp_path, server, desk, monkeypatch):
    def refuse(command):
        raise ControlError("not now")

    monkeypatch.setattr(server, "_obey", refuse)
    reply = send(tmp_path, Pause())
    assert (reply.is_ok, reply.text) == (False, "not now")


def test_without_a_monitor_there_is_no_answer(tmp_path, server):
    assert send(tmp_path / "elsewhere", Status()) is None
    server.close()
    assert send(tmp_path, Status()) is None


def test_a_monitor_that_does_not_answer_is_not_waited_for_for_ever(tmp_path, server, monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(server, "_obey", lambda command: answered.wait(20) or Reply(is_ok=True, text=""))
    with pytest.raises(ControlError, match=r"does not answer within 0\.2 s"):
        send(tmp_path, Status(), patience_s=0.2)
    answered.set()


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_lengths_of_time_are_read_as_they_are_written(h, m, s):
    total = h * 3600 + m * 60 + s
    text = f"{h}h{m}m{s}s"
    if total == 0:
        with pytest.raises(ControlError, match="1 second to 24 hours"):
            parse_duration(text)
    else:
        assert parse_duration(text) == total == parse_duration(f" {h} H {m} min {s} s ")


@pytest.mark.parametrize(
    "text", ["", " ", "x", "-5m", "1e3", "5m5h", "m", "1.5h", "99h", "9" * 30, "nan", "5mm", "\x00"]
)
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ControlError, match="length") as caught:
        parse_duration(text)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_command_or_is_refused_in_one_line(message):
    try:
        decode(message)
    except ControlError as error:
        assert "\n" not in str(error)


ABSURD = (b"-1", b"0", b"1e9", b"NaN", b"1e400", b'"30m"', b"true", b"[]")


@pytest.mark.parametrize("seconds", ABSURD)
@pytest.mark.parametrize("name", [b"pause", b"snooze", b"recalibrate"])
def test_absurd_numbers_are_refused(name, seconds):
    with pytest.raises(ControlError):
        decode(b'{"do":"' + name + b'","seconds":' + seconds + b"}")


# -- nonsense ----------------------------------------------------------------------------------------


def nonsense(n, seed=0):
    """Yield `n` messages: noise, and good commands with something wrong about them."""
    rng = random.Random(seed)
    good = [msgspec.json.encode(command) for command in ALL]
    for k in range(n):
        message = bytearray(rng.choice(good))
        match k % 5:
            case 0:
                message = bytearray(rng.randbytes(rng.randrange(0, 200)))
            case 1:
                message[rng.randrange(len(message))] ^= 1 << rng.randrange(8)
            case 2:
                del message[rng.randrange(len(message)) :]
            case 3:
                message[rng.randrange(len(message)) : 0] = rng.randbytes(3)
            case 4:
                message = bytearray(
                    b'{"do":"' + rng.choice([b"stop!", b"STOP", b"exec", b"", b"_command"]) + b'"}'
                )
        yield bytes(message)


def is_command(message):
    try:
        decode(message)
    except ControlError:
        return False
    return True


def test_100_000_messages_of_nonsense_are_answered_and_harm_nothing(tmp_path, server, desk):
    connection = connect(tmp_path)
    n_good = 0
    for message in nonsense(100_000):
        connection.send_bytes(message)
        reply = msgspec.json.decode(connection.recv_bytes(), type=Reply)
        assert reply.is_ok is is_command(message), message
        n_good += reply.is_ok
    assert len(desk.asked) == n_good < 10_000
    connection.close()
    assert send(tmp_path, Pause()).is_ok


def test_a_message_that_is_too_long_ends_its_conversation_and_no_other(tmp_path, server):
    other, rude = connect(tmp_path), connect(tmp_path)
    with pytest.raises((EOFError, OSError)):  # it may be shown out after the message's length already
        rude.send_bytes(b" " * (channel.LONGEST_MESSAGE + 1))
        rude.recv_bytes()
    other.send_bytes(msgspec.json.encode(Pause()))
    assert other.recv_bytes()


@pytest.mark.parametrize(
    "bytes_sent", [b"", b"\x00", b"\x00\x00\x00\x08abc", b"\xff" * 64, b"GET / HTTP/1.0\r\n\r\n"]
)
def test_clients_that_say_nothing_or_half_of_it_hold_up_nobody(tmp_path, server, bytes_sent):
    rude = []
    for _ in range(channel.MOST_CONNECTIONS - 1):
        client = socket.socket(socket.AF_UNIX)
        client.connect(channel_address(tmp_path))
        client.send(bytes_sent)
        rude.append(client)
    assert send(tmp_path, Pause()).is_ok
    for client in rude:
        client.close()


def test_clients_beyond_the_limit_are_turned_away_and_silent_ones_are_shown_out(
    tmp_path, server, monkeypatch
):
    monkeypatch.setattr(channel, "SILENCE_S", 0.5)
    silent = []
    for _ in range(3 * channel.MOST_CONNECTIONS):
        client = socket.socket(socket.AF_UNIX)
        client.connect(channel_address(tmp_path))
        client.settimeout(20.0)
        silent.append(client)
    n_challenged = 0
    for client in silent:  # the challenge at most, then the end
        n_challenged += bool(first := client.recv(4096))
        while first and client.recv(4096):
            pass
        client.close()
    assert n_challenged == channel.MOST_CONNECTIONS
    assert send(tmp_path, Pause()).is_ok


@pytest.mark.parametrize("is_full", [False, True])
def test_a_monitor_that_hangs_is_not_waited_for_however_many_do_so_already(tmp_path, is_full):
    """Whoever connects waits without end for whom nobody accepts any more, as those who asked every 2 s found."""
    channel._make_secret(tmp_path)
    told = []

    def ask():
        try:
            send(tmp_path, Status(), patience_s=0.2)
        except ControlError as error:
            told.append(str(error))

    with socket.socket(socket.AF_UNIX) as stopped, contextlib.ExitStack() as stack:
        stopped.bind(channel_address(tmp_path))
        stopped.listen(1)
        while is_full:
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            try:
                waiting.connect(channel_address(tmp_path))
            except BlockingIOError:
                break
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(20.0)
        assert not asking.is_alive()
    assert told == ["the monitor does not answer within 0.2 s; does it hang?"]


def test_a_closed_channel_keeps_no_thread(tmp_path, desk):
    server = ControlServer(tmp_path, desk)
    idle = connect(tmp_path)
    server.close()
    with pytest.raises((EOFError, OSError)):
        idle.recv_bytes()
    names = [thread.name for thread in threading.enumerate()]
    assert "posture-control" not in names


# -- who is answered ---------------------------------------------------------------------------------


def test_secret_and_socket_are_the_owners_alone(tmp_path, desk):
    folder = tmp_path / "state"
    old = os.umask(0)
    try:
        server = ControlServer(folder, desk)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("control.key", "control.sock"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    server.close()


def test_a_wrong_secret_is_refused(tmp_path, server, desk):
    (tmp_path / "control.key").write_bytes(b"guess")
    with pytest.raises(ControlError, match="refuses"):
        send(tmp_path, Pause())
    assert not desk.asked


def test_another_user_is_refused_even_where_the_folder_is_open_to_all(desk):
    if os.getuid() != 0:
        pytest.skip("needs root, to be two users")
    with shared_folder() as folder:
        server = ControlServer(folder, desk)
        (folder / "control.sock").chmod(0o777)
        script = (
            "import hmac, os\nfrom multiprocessing.connection import Client, answer_challenge\n"
            f"os.setresuid({NOBODY}, {NOBODY}, {NOBODY})\n"
            f"connection = Client({channel_address(folder)!r})\n"
            "answer_challenge(connection, b'guess')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert "AuthenticationError" in done.stderr
        script = (
            "import hmac, os\nfrom pathlib import Path\nfrom posture.control.channel import send\n"
            "from posture.control.commands import Pause\n"
            f"os.setresuid({NOBODY}, {NOBODY}, {NOBODY})\n"
            f"send(Path({str(folder)!r}), Pause())"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert "ControlError: cannot reach the monitor" in done.stderr
        assert not desk.asked
        server.close()


def test_nothing_is_unpickled():
    """`Connection.recv` would run what an attacker wrote."""
    text = Path(channel.__file__).read_text(encoding="utf-8")
    assert ".recv(" not in text
    assert "pickle" not in text.replace("nothing is unpickled", "")


# -- one monitor, and what a dead one leaves ---------------------------------------------------------


@pytest.mark.parametrize("runtime", [None, "", "short", "y" * 120])
def test_a_long_home_has_a_channel_too(tmp_path, desk, monkeypatch, runtime):
    folder = tmp_path / ("x" * 120)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with shared_folder() as short:
        if runtime is not None:
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(short / runtime) if runtime else "")
        server = ControlServer(folder, desk)
        assert send(folder, Pause()).is_ok
        server.close()
        place = Path(channel_address(folder)).parent
        assert (place.parent == short / "short") is (runtime == "short")
        place.rmdir()


def test_there_is_one_monitor_and_another_when_it_has_gone(tmp_path):
    with (
        OnlyMonitor(tmp_path),
        pytest.raises(AlreadyRunningError, match="already running"),
        OnlyMonitor(tmp_path),
    ):
        pass
    with OnlyMonitor(tmp_path):
        pass


HOLD = """
import sys
from pathlib import Path
from posture.control.channel import ControlServer
from posture.control.commands import Reply
from posture.control.instance import OnlyMonitor
folder = Path(sys.argv[1])
with OnlyMonitor(folder):
    ControlServer(folder, lambda command: Reply(is_ok=True, text="first"))
    print("up", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_monitor_leaves_does_no_harm(tmp_path, desk):
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert held.stdout.readline() == "up\n"
    assert send(tmp_path, Pause()).text == "first"
    with pytest.raises(AlreadyRunningError), OnlyMonitor(tmp_path):
        pass
    held.send_signal(signal.SIGKILL)
    held.communicate()
    assert (tmp_path / "control.sock").exists()
    assert send(tmp_path, Pause()) is None
    with OnlyMonitor(tmp_path):
        server = ControlServer(tmp_path, desk)
        assert send(tmp_path, Pause()).text == "Pause"
        server.close()


def test_the_silence_limit_reaches_the_socket(tmp_path, server, desk):
    """Half a message must not hold a thread for ever: the system's own time-out ends the read."""
    connection = connect(tmp_path)
    with socket.socket(fileno=os.dup(connection.fileno())) as handle:
        handle.send(struct.pack("!i", 50) + b"half")
    assert send(tmp_path, Pause()).is_ok
    connection.close()
