"""Baselines kept by name, as readable JSON in the platform's data folder.

The only module that reads or writes baseline files. A file holds medians and spreads of angles and sizes,
nothing from which a picture could be made.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from posture.angles import Place
from posture.baseline import Baseline
from posture.config import data_path
from posture.cues import CUE_NAMES
from posture.deviation import Measure
from posture.errors import ProfileError
from posture.files import write_atomically
from posture.landmarks import FloatArray

VERSION = 1
"""Of the file's layout and of the quantities in it; another version's baseline must be taken again."""
DEFAULT_NAME = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,47}")


class _Stat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Centre and spread of one quantity."""

    centre: float
    spread: float


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a baseline file holds."""

    posture_baseline: int
    created_utc: str
    placement: str
    n_frames: int
    duration_s: float
    luminance: float
    cues: dict[str, _Stat]
    place: dict[str, float]
    deviation_spread: dict[str, float]


def now_utc() -> str:
    """Return the present time as a baseline records it: ISO 8601, UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def profile_path(name: str) -> Path:
    """Return the file of the profile `name`.

    Raises
    ------
    ProfileError
        If the name could not be a file's name everywhere.
    """
    if not _NAME.fullmatch(name):
        raise ProfileError(f"profile name {name!r}: use 1-48 letters, digits, spaces, '-' or '_'")
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


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Write `baseline` to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_atomically(path, msgspec.json.format(encode_baseline(baseline), indent=2) + b"\n")


def encode_baseline(baseline: Baseline) -> bytes:
    """Return `baseline` as the JSON of its file, on one line; every number exactly."""
    content = _File(
        posture_baseline=VERSION,
        created_utc=baseline.created_utc,
        placement=baseline.placement.value,
        n_frames=baseline.n_frames,
        duration_s=baseline.duration_s,
        luminance=baseline.luminance,
        cues={
            name: _Stat(float(baseline.cue_centre[i]), float(baseline.cue_spread[i]))
            for i, name in enumerate(CUE_NAMES)
        },
        place={p.name.lower(): float(baseline.place_centre[p]) for p in Place},
        deviation_spread={m.name.lower(): float(baseline.deviation_spread[m]) for m in Measure},
    )
    return msgspec.json.encode(content)


def load_baseline(path: Path) -> Baseline:
    """Read the baseline of `path`.

    Raises
    ------
    ProfileError
        If the file is missing, unreadable, damaged, of another version or not a baseline.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ProfileError(f"no baseline {path}: make one with 'posture calibrate'") from None
    except OSError as error:
        raise ProfileError(f"cannot read the baseline {path}: {error.strerror}") from error
    return decode_baseline(raw, str(path))


def decode_baseline(raw: bytes, where: str) -> Baseline:
    """Return the baseline in the JSON `raw`.

    Parameters
    ----------
    raw : bytes
        As :func:`encode_baseline` writes it.
    where : str
        What an error's text calls it.

    Raises
    ------
    ProfileError
        If it is damaged, of another version or not a baseline.
    """
    again = "take it again with 'posture calibrate'"
    try:
        version = msgspec.json.decode(raw, type=dict[str, object]).get("posture_baseline")
        if version != VERSION:
            raise ProfileError(f"{where}: baseline version {version}, this program reads {VERSION}; {again}")
        file = msgspec.json.decode(raw, type=_File)
        baseline = Baseline(
            cue_centre=_vector([file.cues[name].centre for name in CUE_NAMES]),
            cue_spread=_vector([file.cues[name].spread for name in CUE_NAMES]),
            place_centre=_vector([file.place[p.name.lower()] for p in Place]),
            deviation_spread=_vector([file.deviation_spread[m.name.lower()] for m in Measure]),
            luminance=file.luminance,
            n_frames=file.n_frames,
            duration_s=file.duration_s,
            created_utc=file.created_utc,
        )
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(f"{where} is not a baseline or is damaged ({error}); {again}") from error
    spreads = np.concatenate([baseline.cue_spread, baseline.deviation_spread])
    centres = np.concatenate([baseline.cue_centre, baseline.place_centre])
    if not (np.isfinite(centres).all() and (spreads >= 0).all() and baseline.n_frames > 0):
        raise ProfileError(f"{where} is not a baseline or is damaged (a number in it cannot be); {again}")
    return baseline


def load_profile(name: str) -> Baseline:
    """Read the baseline of the profile `name`.

    Raises
    ------
    ProfileError
        If there is none, naming those there are, or it cannot be used.
    """
    path = profile_path(name)
    if not is_there(path):
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.json"))) or "none"
        raise ProfileError(
            f"no profile {name!r} (there are: {known}); make it with 'posture calibrate --profile \"{name}\"'"
        )
    return load_baseline(path)


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


def _vector(values: list[float]) -> FloatArray:
    """Return `values` as a float64 vector."""
    return np.array(values, dtype=np.float64)
