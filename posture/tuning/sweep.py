"""Which settings are tried: ``--sweep KEY=VALUES`` to a list of settings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product
from math import prod
from typing import Any, Final, TypeAlias

import msgspec

from posture.config import load_settings
from posture.errors import OverrideError
from posture.settings import AlertSettings, JudgeSettings, Settings

THRESHOLDS: Final = "thresholds"
"""Not a setting: all four thresholds times a number."""
SCALED: Final = ("neck_deg", "thoracic_deg", "flexion_deg", "sink_ratio")
"""What it multiplies, in ``[judge]``."""
ALERT_KEYS: Final = ("sustain_s", "cooldown_s", "max_cooldown_s", "max_per_hour")
KEYS: Final = (
    *(THRESHOLDS, "preset"),
    *(f"judge.{name}" for name in JudgeSettings.__struct_fields__),
    *(f"alert.{name}" for name in ALERT_KEYS),
)
"""What can be swept: nothing else changes what a recording gives."""
DEFAULT_SWEEPS: Final = (
    f"{THRESHOLDS}=0.6:1.6:0.1",
    "alert.sustain_s=20,30,45,60,90,120",
    "judge.recovery_s=2,3,5",
)
"""Thresholds about as far as the presets and a little beyond; shorter and longer than a minute (our choice)."""
MAX_SETTINGS: Final = 10_000
"""Settings tried at most: an hour of recording takes a minute and a half with so many (our choice)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that are tried."""

    changes: tuple[tuple[str, str], ...]
    """Keys and values as swept; empty = the settings in force."""
    judge: JudgeSettings
    alert: AlertSettings
    preset: str

    def written(self, current: Candidate) -> dict[str, Any]:
        """Return what has to be set so that `current` becomes this: full keys to values."""
        values: dict[str, Any] = {}
        for key, _ in self.changes:
            section, _, name = key.partition(".")
            if key == THRESHOLDS:
                values |= {f"judge.{one}": getattr(self.judge, one) for one in SCALED}
            elif key == "preset":
                values[key] = self.preset
            else:
                values[key] = getattr(getattr(self, section), name)
        if self.preset != current.preset:
            return values
        return {key: value for key, value in values.items() if value != value_of(current, key)}


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that is tried."""

    candidates: tuple[Candidate, ...]
    """The settings in force first, then every combination; no two judge alike."""
    n_out_of_range: int
    """Combinations left out because a scaled threshold may not be what it would be."""

    keys: tuple[str, ...]
    """What was swept."""

    def values(self, candidate: Candidate) -> tuple[str, ...]:
        """Return the values of what was swept, as text."""
        given = dict(candidate.changes)
        return tuple(
            given.get(key) or ("1" if key == THRESHOLDS else f"{value_of(candidate, key)}".removesuffix(".0"))
            for key in self.keys
        )

    @property
    def current(self) -> Candidate:
        """The settings in force."""
        return self.candidates[0]


def value_of(candidate: Candidate, key: str) -> Any:
    """Return the value of a full key."""
    section, _, name = key.partition(".")
    return getattr(getattr(candidate, section), name) if name else candidate.preset


Load: TypeAlias = Callable[[list[str]], Settings]
"""Returns the settings in force with some ``section.key=value`` on top."""


def load_configured(overrides: list[str]) -> Settings:
    """Return the settings of the user's configuration file with overrides on top."""
    return load_settings(overrides=overrides)


def make_sweep(sweeps: Sequence[str], overrides: Sequence[str] = (), load: Load = load_configured) -> Sweep:
    """Return the settings to try.

    Parameters
    ----------
    sweeps : sequence of str
        ``KEY=A:B:STEP`` (both ends included) or ``KEY=V1,V2,...`` each; every combination is tried. Empty =
        :data:`DEFAULT_SWEEPS`.
    overrides : sequence of str
        ``section.key=value`` as given to ``--set``: part of the settings in force.
    load : callable
        Where those come from.

    Raises
    ------
    OverrideError
        If a key is none of :data:`KEYS`, or given twice; if a value is not one, or is out of its range; or if there are
        more than :data:`MAX_SETTINGS` combinations. One line.
    SettingsError
        If the configuration file is at fault.
    """
    axes = _axes(sweeps or DEFAULT_SWEEPS)
    loaded = {
        (key, value): _load(load, overrides, key, value)
        for key, values in axes.items()
        for value in values
        if key != THRESHOLDS
    }
    in_force = load(list(overrides))
    current = _candidate((), in_force)
    found = {_identity(current): current}
    n_out = 0
    for combination in product(*axes.values()):
        changes = tuple(zip(axes, combination, strict=True))
        settings = _combined(in_force, changes, loaded)
        if settings is None:
            n_out += 1
            continue
        candidate = _candidate(changes, settings)
        found.setdefault(_identity(candidate), candidate)
    return Sweep(tuple(found.values()), n_out, tuple(axes))


def _combined(
    in_force: Settings, changes: tuple[tuple[str, str], ...], loaded: dict[tuple[str, str], Settings]
) -> Settings | None:
    """Return the settings with all changes, each of which has been loaded alone; None = out of range when scaled."""
    settings, scale = in_force, None
    for key, value in sorted(
        changes, key=lambda change: change[0] != "preset"
    ):  # which is a layer below the others
        section, _, name = key.partition(".")
        if key == THRESHOLDS:
            scale = Decimal(value)
        elif key == "preset":
            settings = loaded[key, value]
        else:
            new = getattr(getattr(loaded[key, value], section), name)
            part = msgspec.structs.replace(getattr(settings, section), **{name: new})
            settings = msgspec.structs.replace(settings, **{section: part})
    return settings if scale is None else _scaled(settings, scale)


def _axes(sweeps: Sequence[str]) -> dict[str, list[str]]:
    """Return every swept key with its values."""
    counts: dict[str, int] = {}
    parsed: dict[str, list[str] | tuple[Decimal, Decimal, int]] = {}
    for text in sweeps:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not values:
            raise OverrideError(
                f"--sweep {text}: expected KEY=A:B:STEP or KEY=V1,V2, e.g. judge.neck_deg=6:16:2"
            )
        if key not in KEYS:
            raise OverrideError(f"--sweep {text}: {key} cannot be swept; {_advice(key)}")
        if key in parsed:
            raise OverrideError(f"--sweep {text}: {key} is swept twice; give all its values at once")
        parsed[key] = _span(text, values) if ":" in values else _listed(text, key, values)
        span = parsed[key]
        counts[key] = span[2] if isinstance(span, tuple) else len(span)
    n = prod(counts.values())
    if n > MAX_SETTINGS:
        raise OverrideError(
            f"--sweep: {n:,} combinations, at most {MAX_SETTINGS:,} are tried: take wider steps or fewer keys"
        )
    return {
        key: [f"{(span[0] + i * span[1]).normalize():f}" for i in range(span[2])]
        if isinstance(span, tuple)
        else span
        for key, span in parsed.items()
    }


def _span(text: str, values: str) -> tuple[Decimal, Decimal, int]:
    """Return start, step and number of the values ``A:B:STEP``."""
    try:
        start, end, step = (Decimal(part.strip()) for part in values.split(":"))
        n = int((end - start) / step) + 1
    except (ValueError, ArithmeticError, InvalidOperation):
        n = 0
    if n < 1 or not (start <= end and step > 0):
        raise OverrideError(
            f"--sweep {text}: expected FROM:TO:STEP, from low to high, e.g. judge.neck_deg=6:16:2"
        )
    return start, step, n


def _listed(text: str, key: str, values: str) -> list[str]:
    """Return the values ``V1,V2,...``, each once."""
    listed = list(dict.fromkeys(value.strip() for value in values.split(",")))
    if key == THRESHOLDS:
        for value in listed:
            _number(text, value)
    if not all(listed):
        raise OverrideError(f"--sweep {text}: an empty value; expected KEY=V1,V2, e.g. alert.sustain_s=30,60")
    return listed


def _number(text: str, value: str) -> None:
    """Raise unless a value is a positive number."""
    try:
        is_fine = 0 < Decimal(value) < Decimal("inf")
    except InvalidOperation:
        is_fine = False
    if not is_fine:
        raise OverrideError(
            f"--sweep {text}: {value!r} is not a positive number; 1 = the thresholds in force"
        )


def _load(load: Load, overrides: Sequence[str], key: str, value: str) -> Settings:
    """Return the settings with one change on top."""
    try:
        return load([*overrides, f"{key}={value}"])
    except OverrideError as error:
        raise OverrideError(str(error).replace("--set ", "--sweep ", 1)) from error


def _scaled(settings: Settings, scale: Decimal) -> Settings | None:
    """Return settings with all thresholds times `scale`; None = one of them may not be that."""
    judge: dict[str, Any] = msgspec.to_builtins(settings.judge)
    for name in SCALED:
        judge[name] = float(Decimal(repr(judge[name])) * scale)
    try:
        return msgspec.structs.replace(settings, judge=msgspec.convert(judge, JudgeSettings))
    except msgspec.ValidationError:
        return None


def _candidate(changes: tuple[tuple[str, str], ...], settings: Settings) -> Candidate:
    """Return settings as a candidate."""
    return Candidate(changes, settings.judge, settings.alert, settings.preset)


def _identity(candidate: Candidate) -> bytes:
    """Return what is the same for settings that judge alike."""
    return msgspec.msgpack.encode([candidate.judge, candidate.alert])


def _advice(key: str) -> str:
    """Return what to sweep instead of a key that cannot be."""
    near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.75)
    if near:
        return f"did you mean {near[0]}?"
    return (
        f"what can be: {THRESHOLDS}, preset, judge.KEY, {', '.join(f'alert.{name}' for name in ALERT_KEYS)}"
    )
