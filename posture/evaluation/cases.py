"""Which clips are to be evaluated: paths as given to clips with their labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posture.errors import PostureError
from posture.evaluation.result import Failure
from posture.labels.files import SUFFIXES, find_clip, find_labels, read_labels
from posture.labels.labels import Labels
from posture.recording.reader import looks_recorded

CLIP_SUFFIXES: Final = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".npz"})
"""What counts as a clip without labels in a folder; recordings are told by their first bytes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A clip and what is true of it."""

    name: str
    """Its file's name, or as much of its path as tells it from another of the same name."""
    clip: Path
    labels: Labels


@dataclass(frozen=True, slots=True)
class Cases:
    """What was found."""

    cases: tuple[Case, ...]
    failures: tuple[Failure, ...]
    """Clips and label files that cannot be used."""
    unlabelled: tuple[Path, ...]
    """Clips in folders that have no label file."""


def find_cases(paths: Sequence[Path]) -> Cases:
    """Return every labelled clip that `paths` name.

    Parameters
    ----------
    paths : sequence of Path
        Clips, recordings, label files, and folders, which are looked through with all that is below them. What is named
        twice is taken once.
    """
    found: dict[str, tuple[Path, Labels]] = {}
    failures: list[Failure] = []
    unlabelled: list[Path] = []
    for path in paths:
        files, bare = _label_files(path, failures)
        unlabelled += bare
        for file in files:
            try:
                labels = read_labels(file)
                clip = find_clip(file, labels)
                find_labels(clip)  # raises if there are two
            except PostureError as error:
                failures.append(Failure(str(file), str(error)))
            else:
                found.setdefault(os.path.realpath(clip), (clip, labels))
    names = _names([clip for clip, _ in found.values()])
    cases = [Case(name, clip, labels) for name, (clip, labels) in zip(names, found.values(), strict=True)]
    told = {
        failure.problem: failure for failure in reversed(failures)
    }  # two label files of one clip are one problem
    return Cases(tuple(cases), tuple(reversed(told.values())), tuple(dict.fromkeys(unlabelled)))


def _label_files(path: Path, failures: list[Failure]) -> tuple[list[Path], list[Path]]:
    """Return the label files that a path stands for, and the clips in it that have none."""
    try:
        if path.name.endswith(SUFFIXES):
            return [path], []
        if not path.exists():
            failures.append(Failure(str(path), f"{path}: no such file or folder"))
            return [], []
        own = find_labels(path)
        if own is not None:
            return [own], []
        if path.is_dir():
            return _look_through(path, failures)
        name = path.name + SUFFIXES[0]
        failures.append(Failure(str(path), f"{path}: no label file beside it; it would be called {name}"))
    except (PostureError, OSError) as error:
        failures.append(Failure(str(path), str(error)))
    return [], []


def _look_through(folder: Path, failures: list[Failure]) -> tuple[list[Path], list[Path]]:
    """Return the label files in a folder and below, and the clips there that have none."""

    def tell(error: OSError) -> None:
        failures.append(Failure(str(error.filename), f"{error.filename}: {error.strerror}; left out"))

    files: list[Path] = []
    bare: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=tell):
        folders.sort()
        inside = [Path(place, name) for name in sorted(names)]
        labels = [path for path in inside if path.name.endswith(SUFFIXES)]
        files += labels
        stems = {
            path.name.removesuffix(end) for path in labels for end in SUFFIXES if path.name.endswith(end)
        }
        bare += [p for p in inside if _looks_like_clip(p) and not {p.name, p.stem} & stems]
    return files, bare


def _looks_like_clip(path: Path) -> bool:
    """Return whether a file is a clip by its name, or a recording by its first bytes."""
    if path.name.startswith(".") or path.name.endswith(SUFFIXES):
        return False
    return path.suffix.lower() in CLIP_SUFFIXES or looks_recorded(path)


def _names(clips: Sequence[Path]) -> list[str]:
    """Return a name for each clip that no other has: as little of its path as will do."""
    parts = [clip.absolute().parts for clip in clips]
    names = [""] * len(clips)
    left, n = list(range(len(clips))), 1
    while left:
        counts = Counter(parts[i][-n:] for i in left)
        for i in left:
            names[i] = "/".join(parts[i][-n:])
        left = [i for i in left if counts[parts[i][-n:]] > 1 and n < len(parts[i])]
        n += 1
    return names
