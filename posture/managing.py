"""What `posture profiles` does: list, show, rename, delete. Returns the exit code."""

from __future__ import annotations

import json

from posture.config import load_settings
from posture.console import make_console
from posture.errors import ProfileError
from posture.profile_folder import (
    delete_profile,
    find_profile,
    load_profile,
    profile_names,
    rename_profile,
)
from posture.profile_json import Profile
from posture.profiles import age_text
from posture.receipt import Receipt, make_receipt
from posture.settings import Settings
from posture.tables import labelled, profile_data, profiles_table, receipt_rows

FILE_WIDTH = 250
"""Columns of a table that goes into a file: names are not broken there (our choice)."""


def list_profiles(as_json: bool) -> int:
    """Print the stored profiles."""
    settings, console = load_settings(), make_console()
    rows = [(name, _read(name)) for name in profile_names()]
    if as_json:
        data = [
            {"name": name, "error": str(profile)}
            if isinstance(profile, ProfileError)
            else profile_data(name, profile, _receipt(profile, settings))
            for name, profile in rows
        ]
        console.print(json.dumps(data), soft_wrap=True)
    elif rows:
        width = None if console.is_terminal else FILE_WIDTH
        console.print(profiles_table(rows, settings.calibration.stale_after_days), width=width)
    else:
        console.print("no profiles yet; 'posture calibrate' makes the first")
    return 0


def show_profile(name: str, as_json: bool) -> int:
    """Print one profile's receipt."""
    settings, console = load_settings(), make_console()
    profile = load_profile(name)
    receipt = _receipt(profile, settings)
    if as_json:
        console.print(json.dumps(profile_data(name, profile, receipt)), soft_wrap=True)
    else:
        console.print(f"Profile {name!r}", style="bold")
        rows = receipt_rows(profile, receipt, settings.calibration.stale_after_days)
        console.print(labelled(rows, is_terminal=console.is_terminal))
    return 0


def rename(old: str, new: str) -> int:
    """Give a profile another name."""
    path = rename_profile(old, new)
    make_console().print(f"Renamed {old!r} to {new!r}: {path}")
    return 0


def describe(name: str) -> str:
    """Return what is about to be deleted, which must be there, in one line."""
    find_profile(name)
    profile = _read(name)
    return (
        f"{name!r}, damaged"
        if isinstance(profile, ProfileError)
        else f"{name!r}, {age_text(profile.baseline)}"
    )


def delete(name: str) -> int:
    """Take a profile away."""
    delete_profile(name)
    make_console().print(f"Deleted {name!r}")
    return 0


def _read(name: str) -> Profile | ProfileError:
    """Return a profile, or why it cannot be read."""
    try:
        return load_profile(name)
    except ProfileError as error:
        return error


def _receipt(profile: Profile, settings: Settings) -> Receipt:
    """Return what a profile is worth with the settings in force."""
    return make_receipt(profile.baseline, settings.judge, profile.quality, wants_face=settings.pose.face)
