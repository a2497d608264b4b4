"""Rules for the whole suite."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import mjpeg_server
import pytest
from actor import Actor
from cli_helpers import SHARED
from hypothesis import settings

import posture
from posture.capture import import_cv2

# A busy machine is not a bug: how long an example takes is no reason to fail.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

HAS_MOUNTS = (
    os.getuid() == 0
    and shutil.which("unshare") is not None
    and subprocess.run(["unshare", "-m", "true"], capture_output=True, timeout=30, check=False).returncode
    == 0
)
"""Whether a mount namespace may be had: a property of the kernel or container, which no package can mend."""
collect_ignore = [] if HAS_MOUNTS else ["test_autostart_live.py"]


def pytest_configure(config: pytest.Config) -> None:
    """Make every run alike, in the background too, and compile the program once: it is started some thousand times."""
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as a shell hands it to what runs in the background
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # else Ctrl-C would mean nothing to any child
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(posture.__file__).parent, quiet=2)
        os.environ[SHARED] = tempfile.mkdtemp(prefix="posture-shared-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take away what the processes of this run have shared."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ[SHARED], ignore_errors=True)


def pytest_report_header() -> list[str]:
    """Say what this machine does not allow to be tested."""
    return [] if HAS_MOUNTS else ["no root or no mount namespaces: the systemd sandbox is not tested"]


import_cv2()  # before any test imports it by itself: its log levels are read once


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """Under CI nothing may be skipped: a missing part is a failure."""
    report: pytest.TestReport = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture
def actor(monkeypatch: pytest.MonkeyPatch) -> Actor:
    """Return the person whom every MJPEG server of this test shows."""
    actor = Actor()
    monkeypatch.setattr(mjpeg_server, "numbered_picture", actor.picture)
    return actor
