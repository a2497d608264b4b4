"""Keep what native libraries print at descriptor 2, unasked, off the terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_lock = threading.RLock()


@contextmanager
def quiet_stderr(is_wanted: bool = True) -> Iterator[None]:
    """Point descriptor 2 to nowhere for a moment.

    Process-wide, hence for short calls only; one thread at a time: two at once would each restore the other's.

    Parameters
    ----------
    is_wanted : bool
        False leaves everything as it is.
    """
    if not is_wanted:
        yield
        return
    with _lock:
        saved = _redirect()
        try:
            yield
        finally:
            if saved is not None:
                os.dup2(saved, _STDERR)
                os.close(saved)


def _redirect() -> int | None:
    """Redirect descriptor 2 and return a copy of what it was; None if it is closed or cannot be redirected."""
    if sys.__stderr__ is None:
        return None  # closed before Python started: by now the number may belong to another file
    with suppress(AttributeError, ValueError, OSError):
        sys.stderr.flush()
    try:
        saved = os.dup(_STDERR)
    except OSError:
        return None
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except OSError:
        os.close(saved)
        return None
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    return saved
