"""Baselines kept by name, in the platform's data folder. The only module that reads or writes baseline files."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from posture.baseline import Baseline
from posture.config import data_path
from posture.errors import ProfileError
from posture.files import write_atomically
from posture.profile_json import Profile, decode_profile, encode_profile

DEFAULT_NAME = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,47}")


def now_utc() -> str:
    """Return the present time as a baseline records it: ISO 8601, UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def profile_path(name: str) -> Path:
    """Return the file of a profile.

    Parameters
    ----------
    name : str
        As given to ``posture calibrate --profile``; "default" is what it is called without.

    Returns
    -------
    Path
        Whether it exists or not.

    Raises
    ------
    ProfileError
        If the name could not be a file's name everywhere.
    """
    if not _NAME.fullmatch(name):
        raise ProfileError(f"profile name {name!r}: use 1-48 letters from a to z, digits, spaces, '-' or '_'")
    return data_path() / "profiles" / f"{name}.json"


def is_there(path: Path) -> bool:
    """Return whether there is a file `path`.

    Raises
    ------
    ProfileError
        If its folder may not be looked into.
    """
    try:
        return path.exists()
    except OSError as error:
        raise ProfileError(
            f"cannot look for {path}: {error.strerror}; check its folder's permissions"
        ) from error


def save_baseline(path: str | os.PathLike[str], baseline: Baseline) -> None:
    """Write a baseline to a file, whole or not at all.

    Parameters
    ----------
    path : str or path
        A JSON file; one that is there is replaced.
    baseline : Baseline
        What to keep.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    save_profile(Path(path), Profile(baseline))


def save_profile(path: Path, profile: Profile) -> None:
    """Write `profile` to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_atomically(path, msgspec.json.format(encode_profile(profile), indent=2) + b"\n")


def load_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read a baseline from a file.

    Parameters
    ----------
    path : str or path
        What :func:`save_baseline` or ``posture calibrate`` wrote; :func:`profile_path` has the latter's.

    Returns
    -------
    Baseline
        Equal to what was saved.

    Raises
    ------
    ProfileError
        If the file is missing, unreadable, damaged, of another version or not a baseline.
    """
    return read_profile(Path(path)).baseline


def read_profile(path: Path) -> Profile:
    """Read all of `path`.

    Raises
    ------
    ProfileError
        As :func:`load_baseline`.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ProfileError(f"no baseline {path}: make one with 'posture calibrate'") from None
    except OSError as error:
        raise ProfileError(f"cannot read the baseline {path}: {error.strerror}") from error
    return decode_profile(raw, str(path))


def age_days(baseline: Baseline) -> float | None:
    """Return how old a baseline is, days; None when it does not say."""
    try:
        created = datetime.fromisoformat(baseline.created_utc)
    except ValueError:
        return None
    if created.tzinfo is None:
        created = created.replace(tzinfo=UTC)
    return (datetime.now(UTC) - created).total_seconds() / 86_400.0


def age_text(baseline: Baseline) -> str:
    """Return how old a baseline is, in words."""
    days = age_days(baseline)
    if days is None:
        return "of unknown age"
    if days < 1.0 / 24.0:
        return "made just now" if days < 1.0 / 288.0 else "made within the hour"
    return f"{days * 24.0:.0f} h old" if days < 2.0 else f"{days:.0f} days old"
