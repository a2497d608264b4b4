"""The program as a user starts it: a child process in a home of its own, and runs that several tests look at."""

import atexit
import contextlib
import functools
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import cv2
import msgspec
from filelock import FileLock

from posture.config import state_path
from posture.status import read_status

T = TypeVar("T")
FIXTURES = Path(__file__).parent / "fixtures"
FRONT = FIXTURES / "front_upright_slouch.mp4"
EMPTY = FIXTURES / "empty_room.mp4"
POSTURE = str(Path(sys.executable).with_name("posture"))

# Words of the libraries inside, which nobody should ever read.
FOREIGN_WORDS = (
    "Traceback",
    "INFO:",
    "WARNING:",
    "W0000",
    "I0000",
    "E0000",
    "TensorFlow",
    "inference_feedback",
    "[ WARN",
    "[ERROR",
    "Exception ignored",
    "FATAL",
    "GDBus",
    "plyer",
    "moov atom",
)


def home_env(home: Path, **changes: str) -> dict[str, str]:
    """Environment of a user whose home is `home`, without a desktop."""
    gone = (
        "XDG_",
        "DBUS_",
        "DISPLAY",
        "WAYLAND",
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "PYTHONUTF8",
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(gone)}
    home.mkdir(parents=True, exist_ok=True)
    return {
        **env,
        "HOME": str(home),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(shared_folder() / "matplotlib"),  # its list of fonts takes a second to make
        **changes,
    }


def assert_own_words(text: str) -> None:
    """Check that a text has none of the libraries' words in it, and no traceback."""
    found = [word for word in FOREIGN_WORDS if word in text]
    assert not found, f"{found} in:\n{text}"


def posture(
    *args: str | Path,
    env: dict[str, str],
    code: int = 0,
    wrapper: tuple[str, ...] = (),
    timeout_s: float = 120.0,
    **options,
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; check exit code and wording. `wrapper` is a command to run it under."""
    done = subprocess.run(
        [*wrapper, POSTURE, *map(str, args)],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
        **options,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert_own_words(done.stdout + done.stderr)
    return done


def fails(*args: str | Path, env: dict[str, str], code: int = 1, **options) -> str:
    """Run the program, which must fail with one line of standard error; return it without the prefix."""
    done = posture(*args, env=env, code=code, **options)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("posture: ")
    assert "[Errno" not in lines[0], lines[0]
    return lines[0].removeprefix("posture: ")


class Running:
    """The program while it runs; `text` grows with what it prints, both streams in one."""

    def __init__(self, args: tuple[str | Path, ...], env: dict[str, str], **options):
        self.popen = subprocess.Popen(
            [POSTURE, *map(str, args)],
            env={**env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            **options,
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.popen.stdout:
            self.text += line

    def wait_for(self, condition, timeout_s: float = 60.0):
        """First truthy value of `condition`, a text to be printed or a function, while the program runs."""
        check = (lambda: condition in self.text) if isinstance(condition, str) else condition
        deadline_s = time.monotonic() + timeout_s
        while not (value := check()):
            assert self.popen.poll() is None, f"ended with {self.popen.returncode}:\n{self.text}"
            assert time.monotonic() < deadline_s, f"waited {timeout_s:g} s for {condition}:\n{self.text}"
            time.sleep(0.005)
        return value

    def wait_for_library(self, name: str) -> None:
        """Wait until the process has loaded the native library `name`."""
        maps = Path(f"/proc/{self.popen.pid}/maps")
        self.wait_for(lambda: name in maps.read_text(errors="replace"))

    def stop(self, number: int = signal.SIGINT, *, within_s: float = 3.0) -> float:
        """Send a signal, check the contract of the end, and return the seconds it took.

        Where more processes want to run than there are processors it may take longer, up to twice as long.
        """
        start_s = time.monotonic()
        self.popen.send_signal(number)
        code = self.popen.wait(30)
        took_s = time.monotonic() - start_s
        self._reader.join(10)
        assert code == {signal.SIGINT: 130, signal.SIGTERM: 0}[number], f"exit {code}\n{self.text}"
        assert_own_words(self.text)
        busy = min(2.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
        assert took_s <= within_s * busy, f"took {took_s:.2f} s at {busy:.1f} processes a processor"
        print(f"{signal.Signals(number).name}: ended after {took_s:.2f} s")
        return took_s

    def finish(self, timeout_s: float = 120.0) -> int:
        """Wait for the end and return the exit code."""
        code = self.popen.wait(timeout_s)
        self._reader.join(10)
        assert_own_words(self.text)
        return code


@contextlib.contextmanager
def running(*args: str | Path, env: dict[str, str], **options):
    process = Running(args, env, **options)
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.wait(10)
        process._reader.join(10)
        process.popen.stdout.close()


def status(env: dict[str, str]) -> dict[str, Any]:
    """What `posture status --json` tells of the running monitor; asked from here, as often as one likes."""
    with mock.patch.dict(os.environ, env, clear=True):
        told = read_status(state_path())
    assert told is not None, "no monitor is running"
    return msgspec.to_builtins(told)


def read_events(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


SHARED = "POSTURE_TESTS_SHARED"
"""Variable that names the folder of :func:`shared_folder`; conftest.py makes it and takes it away."""


@functools.cache
def shared_folder() -> Path:
    """A folder for the runs that several test files look at, the same in all processes of a test run."""
    if SHARED in os.environ:
        return Path(os.environ[SHARED])
    folder = Path(tempfile.mkdtemp(prefix="posture-shared-"))  # a benchmark's, not a test run
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Have what `make` returns made once in a test run, by whichever process comes first; the others read it."""

    @functools.cache
    @functools.wraps(make)
    def made() -> T:
        path = shared_folder() / f"{make.__name__}.pickle"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                path.write_bytes(pickle.dumps(make()))
            return pickle.loads(path.read_bytes())

    return made


@once
def front_replay() -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    """Trace, events and output of replaying FRONT, its upright first 6 s taken as the baseline."""
    folder = shared_folder()
    trace, events = folder / "new" / "front.csv", folder / "new" / "front.jsonl"
    done = posture(
        *("replay", FRONT, "--calibrate", "0:6", "--set", "alert.sustain_s=10"),
        *("--trace", trace, "--events", events),
        env=home_env(folder / "home"),
    )
    return trace, events, done


@once
def front_start() -> Path:
    """The first 18 s of FRONT, in which a slouch begins: for what happens whatever the rest of it is."""
    path = shared_folder() / "front_start.avi"
    reader = cv2.VideoCapture(str(FRONT))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 4.0, (640, 480))
    for _ in range(18 * 4):
        writer.write(reader.read()[1])
    writer.release()
    reader.release()
    return path


@once
def front_baseline() -> Path:
    """Profile `front` as `posture calibrate` takes it from the upright first 6 s of FRONT."""
    home = shared_folder() / "home"
    done = posture("calibrate", "--source", FRONT, "--profile", "front", "--seconds", "6", env=home_env(home))
    path = home / ".local/share/posture/profiles/front.json"
    assert f"Saved to {path}" in done.stdout
    return path
