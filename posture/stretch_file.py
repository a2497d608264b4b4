"""Stretches in a file: those that come with the program, and the user's own, which add to them or take their place.

The only module that reads stretch files.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec

from posture.bundled import asset_path
from posture.config import config_path
from posture.errors import StretchError
from posture.stretches import MuscleGroup, Occasion, Stretch

FILE_NAME = "stretches.toml"
TABLE = "stretch"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ``[[stretch]]``; the descriptions are what an error says. Lengths are what a notification has room for."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=28, description="1 to 28 characters")]
    group: Annotated[MuscleGroup, msgspec.Meta(description=f"one of {', '.join(MuscleGroup)}")]
    seconds: Annotated[int, msgspec.Meta(ge=10, le=300, description="a whole number of seconds, 10 to 300")]
    fits: Annotated[
        list[Occasion], msgspec.Meta(min_length=1, description=f"a list of {', '.join(Occasion)}")
    ]
    purpose: Annotated[
        str, msgspec.Meta(min_length=1, max_length=120, description="one sentence, at most 120 characters")
    ]
    short: Annotated[
        str, msgspec.Meta(min_length=1, max_length=75, description="one sentence, at most 75 characters")
    ]
    steps: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=160)]],
        msgspec.Meta(
            min_length=2, max_length=4, description="2 to 4 sentences of at most 160 characters each"
        ),
    ]
    sides: Annotated[int, msgspec.Meta(ge=1, le=2, description="1 or 2")] = 1


def user_file() -> Path:
    """Return where the user's own stretches are, whether there are any or not."""
    return config_path().with_name(FILE_NAME)


def load_stretches(own: Path | None = None) -> list[Stretch]:
    """Return all stretches, the packaged ones first; a user's own takes the place of one with the same name.

    Parameters
    ----------
    own : Path or None
        The user's file, which need not exist; None = the one in the configuration folder.

    Raises
    ------
    StretchError
        If a file is not as it has to be; the text names file, entry and key.
    """
    found = {stretch.name.casefold(): stretch for stretch in read_stretches(asset_path(FILE_NAME))}
    path = user_file() if own is None else own
    try:
        is_there = path.exists()
    except OSError as error:
        raise StretchError(
            f"cannot look for {path}: {error.strerror}; check its folder's permissions"
        ) from error
    if is_there:
        found |= {stretch.name.casefold(): stretch for stretch in read_stretches(path)}
    return list(found.values())


def load_stretches_or_packaged(on_problem: Callable[[str], None], own: Path | None = None) -> list[Stretch]:
    """Return what :func:`load_stretches` does, or without a usable file of the user's the packaged ones.

    Parameters
    ----------
    on_problem : callable
        Called with the error text when the user's file cannot be used.
    own : Path or None
        As for :func:`load_stretches`.
    """
    try:
        return load_stretches(own)
    except StretchError as error:
        on_problem(str(error))
        return read_stretches(asset_path(FILE_NAME))


def read_stretches(path: Path) -> list[Stretch]:
    """Return the stretches of one file.

    Raises
    ------
    StretchError
        If it cannot be read, is not TOML, or an entry is not as it has to be.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Notepad puts a byte order mark first
    except OSError as error:
        raise StretchError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not TOML, not text, nested too deep
        raise StretchError(f"{path} is not a TOML file: {' '.join(str(error).split())}") from error
    for key in content:
        if key != TABLE:
            raise StretchError(f"{path}: unknown key {key!r}; begin every stretch with [[{TABLE}]]")
    entries = content.get(TABLE, [])
    if not isinstance(entries, list):
        raise StretchError(f"{path}: {TABLE} is not a list; begin every stretch with [[{TABLE}]]")
    stretches: list[Stretch] = []
    for number, entry in enumerate(entries, start=1):
        name = entry.get("name") if isinstance(entry, dict) else None
        where = f"{path}: stretch {number}" + (f" ({name[:28]!r})" if isinstance(name, str) else "")
        stretch = _read_entry(entry, where)
        if any(stretch.name.casefold() == earlier.name.casefold() for earlier in stretches):
            raise StretchError(f"{where}: name: there is one of that name above; choose another")
        stretches.append(stretch)
    return stretches


def _read_entry(entry: Any, where: str) -> Stretch:
    """Return one stretch, or raise with the key and what is allowed."""
    keys = _Entry.__struct_fields__
    if not isinstance(entry, dict):
        raise StretchError(f"{where}: is no table; begin every stretch with [[{TABLE}]]")
    for key in entry:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0.0)
            raise StretchError(f"{where}: unknown key {key!r}; did you mean {near[0]}?")
    for key in keys:
        if key not in entry and key != "sides":
            raise StretchError(f"{where}: {key} is missing; give {_allowed(key)}")
    try:
        read = msgspec.convert(entry, _Entry)
    except msgspec.ValidationError as error:
        key = str(error).partition(" - at `$.")[2].strip("`").partition("[")[0]
        raise StretchError(f"{where}: {key or 'entry'}: give {_allowed(key)}") from error
    texts = {"name": [read.name], "purpose": [read.purpose], "short": [read.short], "steps": read.steps}
    for key, values in texts.items():
        if not all(value.isprintable() and value == value.strip() and value for value in values):
            raise StretchError(f"{where}: {key}: plain text on one line, please, with no space at its ends")
    return Stretch(
        read.name,
        read.group,
        read.seconds,
        tuple(read.fits),
        read.purpose,
        read.short,
        tuple(read.steps),
        read.sides,
    )


def _allowed(key: str) -> str:
    """Return what an entry may have under a key."""
    metas = get_args(get_type_hints(_Entry, include_extras=True).get(key))
    return next(
        (str(m.description) for m in metas if isinstance(m, msgspec.Meta)), "what the packaged file has"
    )
