"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from posture.errors import OutputError

OWNER_ONLY_FOLDER = 0o700


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
        path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
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
