"""Write files whole or not at all, and none that is read."""

from __future__ import annotations

import os
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
    seen = {os.path.realpath(spec) for spec in inputs}
    for path in outputs:
        place = os.devnull if path is None else os.path.realpath(path)
        if place in seen:
            raise OutputError(f"{path}: would overwrite a clip or another result; name another file")
        seen |= {place} - {os.devnull}
