"""Write files whole or not at all, and none that is read."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from posture.errors import OutputError

OWNER_ONLY_FOLDER = 0o700


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, open to the owner only.

    Raises
    ------
    OutputError
        If that cannot be done.
    """
    try:
        _make_folder(path)
    except OSError as error:
        raise OutputError(f"cannot make {path}: {error.strerror}; check the folder above it") from error


def _make_folder(path: Path) -> None:
    """Make a folder and those above it; ``mkdir(parents=True)`` would leave these open to everyone."""
    if not path.is_dir():
        if path.parent != path:
            _make_folder(path.parent)
        path.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)


def write_atomically(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Write `content` to `path`, readable by the owner only, so that a crash leaves the old file or the new.

    Parameters
    ----------
    path : Path
        Its folder is made, open to the owner only.
    content : bytes
        All of it.
    is_durable : bool
        Wait until it is on the disk; False for what is worthless after a power cut.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, or the disk is full; the old file is untouched.
    """
    temporary = None
    try:
        _make_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600 by definition
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {path}: {error.strerror}; check the folder and the free space"
        ) from error


def check_outputs(inputs: list[str], outputs: list[Path | None]) -> None:
    """Raise if a file to write is one to read, or is to be written twice."""
    seen = {name for spec in inputs for name in _names(spec)}
    for path in outputs:
        names = set() if path is None else _names(path)
        if names & seen:
            raise OutputError(f"{path}: would overwrite a clip or another result; name another file")
        seen |= names


def _names(path: str | Path) -> set[str | tuple[int, int]]:
    """Return what tells a file from others: where it lies and, if it is there, which it is; nothing for no file."""
    place = os.path.realpath(path)
    try:
        there = Path(place).stat()
    except (OSError, ValueError):
        return {place}
    # A hard link lies elsewhere and is the same file, and so is another spelling where case does not count.
    if not stat.S_ISREG(there.st_mode):
        return set() if place == os.devnull else {place}
    return {place, (there.st_dev, there.st_ino)}
