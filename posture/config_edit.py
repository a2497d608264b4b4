"""Put values into the configuration file and leave all else in it as it is, comments included.

tomlkit, of the extra ``posture[lab]``, edits the text; it is imported when something is written and not before.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posture.errors import OutputError
from posture.files import write_atomically


def check_editor() -> None:
    """Raise OutputError if tomlkit is missing."""
    if importlib.util.find_spec("tomlkit") is None:
        raise OutputError("writing settings needs tomlkit: python -m pip install tomlkit")


def store_values(path: Path, values: Mapping[str, Any], comment: str = "") -> None:
    """Write settings into a TOML file, which need not exist.

    Parameters
    ----------
    path : Path
        The file.
    values : mapping
        Full keys, such as ``judge.neck_deg``, to values; they have been checked.
    comment : str
        First lines of a new file, without their ``#``.

    Raises
    ------
    OutputError
        If tomlkit is missing, or the file cannot be read, is not TOML or cannot be written; it is untouched then.
    """
    check_editor()
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        document = tomlkit.document()
        for line in comment.splitlines():
            document.add(tomlkit.comment(line))
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror}; nothing was written") from error
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise OutputError(f"{path} is not a TOML file: {error}; nothing was written") from error
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if section and section not in document:
            document[section] = tomlkit.table()
        table: Any = document[section] if section else document
        table[name] = value
    write_atomically(path, tomlkit.dumps(document).encode())
