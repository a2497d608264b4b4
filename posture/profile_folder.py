"""The profiles there are: list, load by name, rename, delete. Files are read and written by :mod:`posture.profiles`."""

from __future__ import annotations

from pathlib import Path

from posture.errors import ProfileError
from posture.fit import Candidate
from posture.profile_json import Profile
from posture.profiles import DEFAULT_NAME, is_there, profile_path, read_profile


def profile_names() -> list[str]:
    """Return the names of the stored profiles, the default first; damaged ones are among them.

    Raises
    ------
    ProfileError
        If the folder may not be looked into.
    """
    folder = profile_path(DEFAULT_NAME).parent
    try:
        found = [path.stem for path in folder.iterdir() if path.suffix == ".json" and _is_name(path.stem)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ProfileError(f"cannot look into {folder}: {error.strerror}; check its permissions") from error
    return sorted(found, key=lambda name: (name != DEFAULT_NAME, name.casefold()))


def find_profile(name: str) -> Path:
    """Return the file of the profile `name`, which must be there.

    Raises
    ------
    ProfileError
        If there is none, naming those there are.
    """
    path = profile_path(name)
    if not is_there(path):
        names = profile_names()
        known = f"there are: {', '.join(names)}" if names else "there is none yet"
        raise ProfileError(
            f"no profile {name!r} ({known}); make it with 'posture calibrate --profile \"{name}\"'"
        )
    return path


def load_profile(name: str) -> Profile:
    """Read the profile `name`.

    Raises
    ------
    ProfileError
        If there is none, naming those there are, or it cannot be used.
    """
    return read_profile(find_profile(name))


def candidates() -> tuple[list[Candidate], list[str]]:
    """Return the profiles to choose from, and why others cannot be read, a line each."""
    usable: list[Candidate] = []
    refused: list[str] = []
    for name in profile_names():
        try:
            profile = load_profile(name)
        except ProfileError as error:
            refused.append(str(error))
        else:
            usable.append(Candidate(name, profile.baseline, profile.camera))
    return usable, refused


def rename_profile(old: str, new: str) -> Path:
    """Give a profile another name, and return its file.

    Raises
    ------
    ProfileError
        If there is no `old`, there is a `new`, a name cannot be one, or the folder cannot be written.
    """
    path, target = find_profile(old), profile_path(new)
    is_same = is_there(target) and path.samefile(target)  # another case, where that makes no difference
    if is_there(target) and (not is_same or old == new):
        raise ProfileError(f"there is a profile {new!r} already: delete it first, or choose another name")
    try:
        return path.rename(target)
    except OSError as error:
        raise ProfileError(
            f"cannot rename {path}: {error.strerror}; check the folder's permissions"
        ) from error


def delete_profile(name: str) -> None:
    """Take a profile away, damaged or not.

    Raises
    ------
    ProfileError
        If there is none, or it cannot be removed.
    """
    path = find_profile(name)
    try:
        path.unlink()
    except OSError as error:
        raise ProfileError(
            f"cannot delete {path}: {error.strerror}; check the folder's permissions"
        ) from error


def _is_name(stem: str) -> bool:
    """Return whether a file's stem is a profile's name, and not somebody's backup copy."""
    try:
        profile_path(stem)
    except ProfileError:
        return False
    return True
