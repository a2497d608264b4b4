"""A baseline as readable JSON, with what was known when it was made.

It holds medians and spreads of angles and sizes, nothing from which a picture could be made. What it lacks because
an older program wrote it is "not recorded".
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import msgspec
import numpy as np

from posture.angles import Place
from posture.baseline import Baseline
from posture.calibration import CalibrationQuality
from posture.cues import CUE_NAMES, N_POSE_CUES
from posture.deviation import Measure
from posture.errors import ProfileError
from posture.landmarks import FloatArray
from posture.receipt import Drift

VERSION = 1
"""Of the file's layout and of the quantities in it; another version's baseline must be taken again."""


class _Stat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Centre and spread of one quantity."""

    centre: float
    spread: float


_UNKNOWN = _Stat(nan, nan)


class _Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How good the calibration's frames were; None = not measured."""

    n_frames: int
    n_used: int
    sway_ratio: float | None
    turn_deg: float | None


class _Drift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far this upright lies from the one before it; None = not comparable."""

    neck_deg: float | None
    thoracic_deg: float | None
    sink_ratio: float | None
    since_utc: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
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
    slouch: dict[str, float] | None = None
    camera: str = ""
    quality: _Quality | None = None
    drift: _Drift | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A stored baseline and what was known when it was made."""

    baseline: Baseline
    camera: str = ""
    """Name of the camera; empty = not recorded."""
    quality: CalibrationQuality | None = None
    """How good its frames were; None = not recorded."""
    drift: Drift | None = None
    """How far it lies from the one it replaced; None = it replaced none."""


def encode_baseline(baseline: Baseline) -> bytes:
    """Return `baseline` as the JSON of its file, on one line; every number exactly."""
    return encode_profile(Profile(baseline))


def encode_profile(profile: Profile) -> bytes:
    """Return `profile` as the JSON of its file, on one line; every number exactly."""
    baseline, slouch = profile.baseline, profile.baseline.slouch_centre
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
            if isfinite(baseline.cue_centre[i])  # the face's, where it was not measured
        },
        place={p.name.lower(): float(baseline.place_centre[p]) for p in Place},
        deviation_spread={m.name.lower(): float(baseline.deviation_spread[m]) for m in Measure},
        slouch=None if slouch is None else {m.name.lower(): float(slouch[m]) for m in Measure},
        camera=profile.camera,
        quality=None if profile.quality is None else _pack_quality(profile.quality),
        drift=None if profile.drift is None else _pack_drift(profile.drift),
    )
    return msgspec.json.encode(content)


def decode_baseline(raw: bytes, where: str) -> Baseline:
    """Return the baseline in the JSON `raw`, as :func:`decode_profile` all of it."""
    return decode_profile(raw, where).baseline


def decode_profile(raw: bytes, where: str) -> Profile:
    """Return what is in the JSON `raw` of a profile.

    Parameters
    ----------
    raw : bytes
        As :func:`encode_profile` writes it.
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
        # an older program, or one that saw no face, wrote the first of them only
        cues = [file.cues[name] for name in CUE_NAMES[:N_POSE_CUES]]
        cues += [file.cues.get(name, _UNKNOWN) for name in CUE_NAMES[N_POSE_CUES:]]
        baseline = Baseline(
            cue_centre=_vector([cue.centre for cue in cues]),
            cue_spread=_vector([cue.spread for cue in cues]),
            place_centre=_vector([file.place[p.name.lower()] for p in Place]),
            deviation_spread=_vector([file.deviation_spread[m.name.lower()] for m in Measure]),
            luminance=file.luminance,
            n_frames=file.n_frames,
            duration_s=file.duration_s,
            created_utc=file.created_utc,
            slouch_centre=_unpack_slouch(file.slouch),
        )
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(f"{where} is not a baseline or is damaged ({error}); {again}") from error
    known = [cue for cue in cues if cue is not _UNKNOWN]
    spreads = np.concatenate([[cue.spread for cue in known], baseline.deviation_spread])
    centres = np.concatenate([[cue.centre for cue in known], baseline.place_centre])
    if not (np.isfinite(centres).all() and (spreads >= 0).all() and baseline.n_frames > 0):
        raise ProfileError(f"{where} is not a baseline or is damaged (a number in it cannot be); {again}")
    quality, drift = file.quality, file.drift
    return Profile(
        baseline,
        file.camera,
        None if quality is None else _unpack_quality(quality, file.luminance),
        None if drift is None else _unpack_drift(drift),
    )


def _pack_quality(q: CalibrationQuality) -> _Quality:
    """Return a calibration's quality as it is stored."""
    return _Quality(q.n_frames, q.n_used, _known(q.sway_ratio), _known(q.turn_deg))


def _unpack_quality(q: _Quality, luminance: float) -> CalibrationQuality:
    """Return a stored calibration's quality; it had no problems, or it would not be stored."""
    return CalibrationQuality(q.n_frames, q.n_used, _number(q.sway_ratio), _number(q.turn_deg), luminance, ())


def _pack_drift(d: Drift) -> _Drift:
    """Return a drift as it is stored."""
    return _Drift(_known(d.neck_deg), _known(d.thoracic_deg), _known(d.sink_ratio), d.since_utc)


def _unpack_drift(d: _Drift) -> Drift:
    """Return a stored drift."""
    return Drift(_number(d.neck_deg), _number(d.thoracic_deg), _number(d.sink_ratio), d.since_utc)


def _unpack_slouch(slouch: dict[str, float] | None) -> FloatArray | None:
    """Return a stored usual slouch."""
    return None if slouch is None else _vector([slouch[m.name.lower()] for m in Measure])


def _known(value: float) -> float | None:
    """Return `value`, or None for NaN, which JSON does not have."""
    return value if isfinite(value) else None


def _number(value: float | None) -> float:
    """Return `value`, or NaN for None."""
    return nan if value is None else value


def _vector(values: list[float]) -> FloatArray:
    """Return `values` as a float64 vector."""
    return np.array(values, dtype=np.float64)
