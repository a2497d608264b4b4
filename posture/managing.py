"""What `posture profiles` does: list, show, rename, delete. Returns the exit code."""

from __future__ import annotations

import json
import time

from posture.config import history_path, load_settings
from posture.console import make_console
from posture.errors import HistoryError, ProfileError
from posture.history.store import History
from posture.profile_folder import (
    delete_profile,
    find_profile,
    load_profile,
    profile_names,
    rename_profile,
)
from posture.profile_json import Profile
from posture.profiles import age_days, age_text
from posture.receipt import Receipt, make_receipt
from posture.settings import Settings
from posture.slouch import SlouchState
from posture.tables import labelled, profile_data, profiles_table, receipt_rows, since_text

FILE_WIDTH = 250
"""Columns of a table that goes into a file: names are not broken there (our choice)."""
ENOUGH_S, NEWEST_S = 1800.0, 8 * 3600.0
"""Upright seconds from which the drift since a calibration is told, and how many of the newest it is told by: half an
hour is no single posture, and a day's worth is of now (our choice)."""


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
    since = _since(name, profile)
    if as_json:
        data = profile_data(name, profile, receipt)
        names = ("neck_deg", "thoracic_deg", "upright_s")
        data["since"] = since and dict(zip(names, (round(value, 4) for value in since), strict=True))
        console.print(json.dumps(data), soft_wrap=True)
    else:
        console.print(f"Profile {name!r}", style="bold")
        rows = receipt_rows(profile, receipt, settings.calibration.stale_after_days)
        if since is not None:
            rows.insert(
                -len(receipt.advice) or len(rows),
                ("since then", since_text(*since, receipt.thresholds)),
            )
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


def _since(name: str, profile: Profile) -> tuple[float, float, float] | None:
    """Return how upright has read against a baseline since it was taken: neck, trunk (degrees), over how many seconds.

    By the newest hours only: it is to tell of now. None = there is too little to say, or no history to be read.
    """
    days = age_days(profile.baseline)
    if days is None:
        return None
    taken_ms = round((time.time() - days * 86_400.0) * 1000.0)
    try:
        with History(history_path()) as history:
            mine = {row.id for row in history.sessions(taken_ms) if row.profile == name}
            bouts = [
                b for b in history.bouts(taken_ms) if b.session_id in mine and b.start_utc_ms >= taken_ms
            ]
    except HistoryError:
        return None  # that the history is damaged is not what was asked
    neck = thoracic = seconds = 0.0
    for bout in reversed(bouts):
        if (
            bout.state is SlouchState.UPRIGHT
            and bout.mean_neck_deg is not None
            and bout.mean_thoracic_deg is not None
        ):
            bout_s = (bout.end_utc_ms - bout.start_utc_ms) / 1000.0
            neck, thoracic = neck + bout_s * bout.mean_neck_deg, thoracic + bout_s * bout.mean_thoracic_deg
            seconds += bout_s
            if seconds >= NEWEST_S:
                break
    return (neck / seconds, thoracic / seconds, seconds) if seconds >= ENOUGH_S else None


def _read(name: str) -> Profile | ProfileError:
    """Return a profile, or why it cannot be read."""
    try:
        return load_profile(name)
    except ProfileError as error:
        return error


def _receipt(profile: Profile, settings: Settings) -> Receipt:
    """Return what a profile is worth with the settings in force."""
    return make_receipt(profile.baseline, settings.judge, profile.quality, wants_face=settings.pose.face)
