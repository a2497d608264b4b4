"""A result as JSON: every figure with its interval, and every clip's counts, from which all can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from posture import __version__
from posture.errors import EvaluationError
from posture.evaluation.comparison import Comparison
from posture.evaluation.figures import make_figures
from posture.evaluation.limits import Limits
from posture.evaluation.result import Failure, Result
from posture.evaluation.scoring import ClipScore
from posture.evaluation.statistics import weigh
from posture.files import write_atomically

FORMAT: Final = 1
"""Raised when something that was there means something else."""


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a result's file; the rest is for people and other programs."""

    format: Annotated[int, msgspec.Meta(ge=1)]
    name: str
    clips: tuple[ClipScore, ...]
    failed: tuple[Failure, ...] = ()


def describe(
    result: Result,
    *,
    settings: dict[str, Any],
    limits: Limits | None = None,
    broken: tuple[str, ...] = (),
    comparison: Comparison | None = None,
) -> dict[str, Any]:
    """Return a result as plain data; NaN and infinity become null when it is written."""
    told: dict[str, Any] = {
        "format": FORMAT,
        "program": f"posture {__version__}",
        "name": result.name,
        "settings": settings,
        "figures": make_figures(result.overall),
        "by_camera": {name: make_figures(tally) for name, tally in result.by_camera.items()},
        "by_posture": {name: make_figures(tally) for name, tally in result.by_posture.items()},
        "by_clip": {score.clip: make_figures(score.tally) for score in result.scores},
        "limits": limits,
        "broken_limits": broken,
        "clips": result.scores,
        "failed": result.failures,
    }
    if comparison is not None:
        told["against"] = _describe_comparison(comparison)
    builtins: dict[str, Any] = msgspec.to_builtins(told)
    return builtins


def write_result(path: Path, described: dict[str, Any]) -> None:
    """Write a described result.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    content = msgspec.json.format(msgspec.json.encode(described), indent=1)
    write_atomically(path, content + b"\n", is_durable=False)


def read_result(path: Path) -> Result:
    """Read a result that was written by :func:`write_result`; it is named after its file and what it was.

    Raises
    ------
    EvaluationError
        If it is missing, none, or of a later format.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        stored = msgspec.json.decode(content, type=_Stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvaluationError(
            f"{path}: not a result of 'posture evaluate --json' ({error}); make it again"
        ) from error
    if stored.format > FORMAT:
        raise EvaluationError(
            f"{path}: of format {stored.format}, this program reads {FORMAT}; make it again"
        )
    return Result(f"{path.name} ({stored.name})", stored.clips, stored.failed)


def _describe_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data."""
    pairs = []
    for pair in comparison.pairs:
        p, verdict = weigh(pair)
        pairs.append(
            {
                "name": pair.name,
                "unit": pair.unit,
                "first": pair.first,
                "second": pair.second,
                "p": p,
                "verdict": verdict.value,
                "n_differ": pair.n_differ,
            }
        )
    return {
        "name": comparison.second.name,
        "n_units": comparison.n_units,
        "figures": make_figures(comparison.second.overall),
        "pairs": pairs,
        "changed": dict(comparison.changed),
        "only_first": comparison.only_first,
        "only_second": comparison.only_second,
        "clips": comparison.second.scores,
    }
