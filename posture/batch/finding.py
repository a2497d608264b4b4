"""Clips and recordings found below folders, each with a name of its own."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from posture.pictures import PICTURE_SUFFIXES
from posture.recording.reader import looks_recorded

CLIP_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *(
            "3gp",
            "asf",
            "avi",
            "flv",
            "h264",
            "h265",
            "hevc",
            "m2ts",
            "m4v",
            "mjpeg",
            "mjpg",
            "mkv",
            "mov",
            "mp4",
        ),
        *("mpeg", "mpg", "mts", "mxf", "ogv", "vob", "webm", "wmv"),
    )
)
"""What video files are called: FFmpeg's common containers. ".ts" is not among them, being program text as often."""
TRACE_SUFFIX = ".npz"
TRACE_MEMBER = "xyzv.npy"  # of every trace of landmarks, and of no other archive


@dataclass(frozen=True, slots=True)
class Found:
    """A clip or recording."""

    path: str
    """As it was given, or below the folder that was."""
    name: str
    """Unique in a run: its path below the folder searched, or below the one that all given paths share, with "/"."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is in a folder and is not judged."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, in the order of the paths given and by name in each."""

    clips: tuple[Found, ...]
    skipped: tuple[Skipped, ...]


def holds_pictures(spec: str) -> bool:
    """Return whether `spec` is a folder with pictures right in it, which is judged as one clip."""
    try:
        return any(path.suffix.lower() in PICTURE_SUFFIXES for path in Path(spec).iterdir())
    except (OSError, ValueError):
        return False


def is_searched(spec: str) -> bool:
    """Return whether `spec` is a folder to look through, rather than a clip."""
    return Path(spec).is_dir() and not (holds_pictures(spec) and not _has_clips(spec))


def search(specs: Sequence[str], *, leave_out: Path | None = None) -> Search:
    """Find the clips and recordings that `specs` name or hold, folders within folders included.

    A file is a clip by its name's ending, a recording by its content. Hidden files and folders are passed over in
    silence, links to folders not followed.

    Parameters
    ----------
    specs : sequence of str
        Folders to look through; anything else, a folder of pictures too, is taken for a clip as it is.
    leave_out : Path, optional
        A folder that is not looked into: the results.
    """
    clips: list[str] = []
    skipped: list[Skipped] = []
    seen: dict[str, str] = {}
    hidden = None if leave_out is None else os.path.realpath(leave_out)
    for spec in specs:
        paths = _walk(spec, hidden, skipped) if is_searched(spec) else [spec]
        for path in paths:
            first = seen.setdefault(os.path.realpath(path), path)
            if first is path:
                clips.append(path)
            else:
                skipped.append(Skipped(path, f"the same file as {first}"))
    base = _base(specs)
    return Search(tuple(Found(path, _name(path, base)) for path in clips), tuple(skipped))


def readable(path: str) -> str:
    """Return a path as text that can be written anywhere: what is no UTF-8 in it as its bytes' numbers."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: str, hidden: str | None, skipped: list[Skipped]) -> Iterator[str]:
    """Yield the clips below `folder`."""

    def tell(error: OSError) -> None:
        skipped.append(Skipped(str(error.filename), f"cannot be listed: {error.strerror}"))

    for place, folders, files in os.walk(folder, onerror=tell):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(Path(place) / name) != hidden
        )
        for name in sorted(name for name in files if not name.startswith(".")):
            path = str(Path(place) / name)
            if why := _why_neither(path):
                skipped.append(Skipped(path, why))
            else:
                yield path


def _has_clips(folder: str) -> bool:
    """Return whether a clip or recording is anywhere below `folder`."""
    return next(_walk(folder, None, []), None) is not None


def _why_neither(path: str) -> str:
    """Return why a file is neither a clip nor a recording; empty = it is one."""
    if not Path(path).is_file():
        return "not a file"
    suffix = Path(path).suffix.lower()
    if suffix in CLIP_SUFFIXES:
        return ""
    if suffix in PICTURE_SUFFIXES:
        return "a picture; to judge a folder of pictures, name that folder"
    if suffix == TRACE_SUFFIX:
        return "" if _is_trace(path) else "an archive without landmarks"
    if not zipfile.is_zipfile(path) and looks_recorded(Path(path)):
        return ""
    return "neither a clip nor a recording"


def _is_trace(path: str) -> bool:
    """Return whether an archive holds landmarks."""
    try:
        with zipfile.ZipFile(path) as archive:
            return TRACE_MEMBER in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _base(specs: Sequence[str]) -> str | None:
    """Return the folder below which names are told; None = there is none."""
    if len(specs) == 1 and is_searched(specs[0]):
        return whole(specs[0])
    try:
        return os.path.commonpath([str(Path(whole(spec)).parent) for spec in specs])
    except ValueError:  # several drives
        return None


def whole(path: str) -> str:
    """Return the absolute path, without ".." and with links as they are: a link keeps its own name."""
    return os.path.normpath(Path(path).absolute())


def _name(path: str, base: str | None) -> str:
    """Return a clip's name."""
    below = whole(path) if base is None else os.path.relpath(whole(path), base)
    return readable(below.replace(os.sep, "/"))
