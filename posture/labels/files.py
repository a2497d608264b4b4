"""Label files: which one is a clip's, read and written whole. The only module that opens them.

Beside ``morning.mp4`` stands ``morning.mp4.labels.toml`` or ``morning.labels.toml``, or the same with ``.csv``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from posture.errors import LabelError
from posture.files import write_atomically
from posture.labels.document import parse_labels, render_labels
from posture.labels.labels import Labels, TrueAngles
from posture.labels.table import parse_angles, parse_table, render_angles, render_table

SUFFIXES: Final = (".labels.toml", ".labels.csv")
"""Endings of label files."""
MAX_BYTES: Final = 1 << 28
"""A file larger than this is no label file: a day's true angles at 30 a second take 100 MB (our choice)."""


def default_path(clip: Path) -> Path:
    """Return where labels for a clip or a folder of pictures are written, whether they exist or not."""
    named = _named(clip)
    return named.with_name(named.name + SUFFIXES[0])


def _named(clip: Path) -> Path:
    """Return a path that ends in a name, which ``.`` and ``..`` do not."""
    named = clip if clip.name not in ("", "..") else clip.resolve()
    if not named.name:
        raise LabelError(
            f"{clip}: there is no place beside it for labels; give a clip or a folder of pictures"
        )
    return named


def find_labels(clip: Path) -> Path | None:
    """Return the label file that stands beside a clip, or None if there is none.

    Parameters
    ----------
    clip : Path
        A clip, a recording of landmarks or a folder of pictures; it need not exist.

    Raises
    ------
    LabelError
        If there are two, or the folder cannot be looked into.
    """
    named = _named(clip)
    names = dict.fromkeys((named.name, named.stem))
    try:
        found = [
            path for name in names for suffix in SUFFIXES if (path := named.with_name(name + suffix)).exists()
        ]
    except OSError as error:
        raise LabelError(f"cannot look beside {clip}: {error.strerror}; check its folder's rights") from error
    if len(found) > 1:
        raise LabelError(f"{clip}: two label files, {found[0].name} and {found[1].name}; keep one")
    return found[0] if found else None


def find_clip(path: Path, labels: Labels) -> Path:
    """Return the clip that a label file stands beside.

    Parameters
    ----------
    path : Path
        The label file.
    labels : Labels
        What it says; its `clip` decides where several clips have the same name.

    Raises
    ------
    LabelError
        If there is none, or several and none is named.
    """
    name = next((path.name.removesuffix(end) for end in SUFFIXES if path.name.endswith(end)), path.stem)
    exact = path.with_name(name) if name else path.parent
    if name and exact.exists():
        return exact
    if labels.clip and Path(labels.clip).name == labels.clip and path.with_name(labels.clip).exists():
        return path.with_name(labels.clip)
    try:
        beside = sorted(path.absolute().parent.iterdir())
    except OSError as error:
        raise LabelError(f"{path}: cannot look beside it: {error.strerror}") from error
    others = [one for one in beside if one.stem == name and not one.name.endswith(SUFFIXES)]
    if len(others) == 1:
        return path.with_name(others[0].name)
    if others:
        listed = ", ".join(one.name for one in others[:3])
        raise LabelError(f"{path}: is it for {listed}? name the file after its clip, or give 'clip'")
    raise LabelError(f"{path}: its clip is missing; it should stand beside it and be called {name}")


def read_labels(path: Path) -> Labels:
    """Read a label file, TOML or CSV by its ending, and the file of true angles that it names.

    Raises
    ------
    LabelError
        If a file is missing, cannot be read, is not what its ending says, or says what cannot be. One line that
        begins with the file.
    """
    text = read_text(path)
    if not text.strip():
        raise LabelError(f"{path}: is empty; 'posture label CLIP' writes labels")
    is_table = path.suffix.lower() == ".csv"
    try:
        labels, angles_file = parse_table(text) if is_table else parse_labels(text)
    except LabelError as error:
        raise LabelError(f"{path}: {error}") from error
    if angles_file:
        angles = replace(read_angles(path.parent / angles_file), file=angles_file)
        labels = replace(labels, angles=angles)
    return labels


def read_angles(path: Path) -> TrueAngles:
    """Read true angles from a CSV file.

    Raises
    ------
    LabelError
        As :func:`read_labels`.
    """
    try:
        return parse_angles(read_text(path))
    except LabelError as error:
        text = str(error)
        raise LabelError(text if text.startswith(str(path)) else f"{path}: {text}") from error


def write_labels(path: Path, labels: Labels) -> None:
    """Write a label file, TOML or CSV by its ending: all of it or nothing, readable by the owner only.

    True angles that stand in a file of their own stay there; only its name is written.

    Raises
    ------
    LabelError
        If the labels have something that the kind of file has no place for.
    OutputError
        If it cannot be written; what was there is untouched.
    """
    write_atomically(path, encode_labels(path, labels))


def encode_labels(path: Path, labels: Labels) -> bytes:
    """Return what :func:`write_labels` writes; raises a LabelError as it does."""
    return _encoded(path, render_table(labels) if path.suffix.lower() == ".csv" else render_labels(labels))


def write_angles(path: Path, angles: TrueAngles) -> None:
    """Write true angles as CSV; raises as :func:`write_labels`."""
    write_atomically(path, _encoded(path, render_angles(angles)))


def _encoded(path: Path, text: str) -> bytes:
    """Return a text's bytes."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise LabelError(f"{path}: {text[error.start]!r} cannot be written as text; leave it out") from error


def read_text(path: Path) -> str:
    """Return a file's text, without a byte order mark.

    Raises
    ------
    LabelError
        If it is missing, too large, not text, or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LabelError(f"{path}: too large to be a label file")
        return path.read_bytes().decode("utf-8-sig")  # Notepad puts a byte order mark first
    except FileNotFoundError as error:
        raise LabelError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: not text in UTF-8; is this a label file?") from error
    except OSError as error:
        raise LabelError(f"cannot read {path}: {error.strerror}") from error
