"""What is kept: configuration, baselines, history, and room and rights in their folders."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from posture.checks.finding import Finding, broken, fine, skipped, warning
from posture.config import config_path, data_path, history_path, state_path
from posture.errors import ProfileError
from posture.profiles import DEFAULT_NAME, age_days, age_text, load_baseline, profile_path
from posture.settings import Settings

LOW_BYTES, LEAST_BYTES = 100_000_000, 5_000_000
"""Free space to warn at, and without which nothing can be kept; a year of history is a few megabytes (our choice)."""
_DATABASE_WAIT_S = 2.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_config(problem: str | None) -> Iterator[Finding]:
    """Tell what loading the configuration has said.

    Parameters
    ----------
    problem : str or None
        The error's text; None = it was read.
    """
    path = config_path()
    if problem is not None:
        yield broken("config", problem, f"mend {path}; the checks below use the defaults")
    elif not path.exists():
        yield fine("config", "no file, so the defaults; 'posture config init' writes one")
    elif _is_open_to_others(path):
        yield warning("config", f"{path} can be read by others", f"chmod 600 {path}")
    else:
        yield fine("config", f"{path}: every key and value is known")


def check_baselines(settings: Settings) -> Iterator[Finding]:
    """Tell which baselines there are, how old, and whether they can be read."""
    folder = profile_path(DEFAULT_NAME).parent
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not paths:
        yield warning("baseline", "there is none yet", "sit upright and run 'posture calibrate'")
    for path in paths:
        check = "baseline" if path.stem == DEFAULT_NAME else f"baseline {path.stem}"
        try:
            baseline = load_baseline(path)
        except ProfileError as error:
            yield broken(check, str(error))
            continue
        age = age_days(baseline)
        text = f"{path.stem!r}, camera from the {baseline.placement.value}, {age_text(baseline)}"
        if age is not None and age > settings.calibration.stale_after_days:
            yield warning(check, text, "sit upright and run 'posture calibrate'")
        else:
            yield fine(check, text)


def check_database() -> Iterator[Finding]:
    """Have SQLite look through the history, without writing to it."""
    path = history_path()
    if not path.exists():
        yield skipped("history", "there is none yet")
        return
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_DATABASE_WAIT_S)
        try:
            answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        yield warning("history", f"{path}: {error}", "try again when nothing else uses it")
        return
    except sqlite3.DatabaseError as error:
        answer = str(error)
    if answer == "ok":
        yield fine("history", f"{path}, {path.stat().st_size / 1e6:.1f} MB, undamaged")
    else:
        first_line = answer.splitlines()[0]
        yield broken("history", f"{path} is damaged: {first_line}", "move it away; a new one is begun")


def check_folders() -> Iterator[Finding]:
    """Tell whether our folders can be written, by nobody else, and have room."""
    folders = {"data": data_path(), "state": state_path()}
    for name, folder in folders.items():
        nearest = _nearest(folder)
        if not nearest.is_dir():
            yield broken(f"{name} folder", f"{nearest} is a file", "move it away")
        elif not os.access(nearest, os.W_OK | os.X_OK):
            yield broken(f"{name} folder", f"cannot write in {nearest}", "check its owner and permissions")
        elif nearest == folder and _is_open_to_others(folder):
            yield warning(f"{name} folder", f"{folder} is open to others", f"chmod 700 {folder}")
        else:
            yield fine(f"{name} folder", f"{folder}{'' if nearest == folder else ', not made yet'}")
    free = shutil.disk_usage(_nearest(folders["data"])).free
    text = f"{free / 1e9:.1f} GB free" if free >= LOW_BYTES else f"only {free / 1e6:.1f} MB free"
    if free < LEAST_BYTES:
        yield broken("disk space", text, "make room: nothing can be kept")
    elif free < LOW_BYTES:
        yield warning("disk space", text, "make room before it is full")
    else:
        yield fine("disk space", text)


def _nearest(path: Path) -> Path:
    """Return what there is of a path: itself, or the lowest part that exists."""
    return next(part for part in (path, *path.parents) if part.exists())


def _is_open_to_others(path: Path) -> bool:
    """Return whether somebody else may look; Windows has no such bits, and homes that others cannot enter."""
    return sys.platform != "win32" and bool(path.stat().st_mode & _OTHERS)
