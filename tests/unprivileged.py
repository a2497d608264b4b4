"""File permissions that bind, also when the tests run as root, whom they do not."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

NOBODY = 65534


@contextlib.contextmanager
def shared_folder():
    """Give a new folder that every user can enter, which pytest's tmp_path is not."""
    folder = Path(tempfile.mkdtemp(prefix="posture-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def as_nobody():
    """Be an ordinary user: nobody, if we are root, else who we are."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
