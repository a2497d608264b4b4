"""Labelled clips and recordings among what a caller from Python gives."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from posture.errors import EvaluationError
from posture.evaluation.cases import Cases, find_cases


def find_labelled(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], caller: str, what: str
) -> tuple[Cases, dict[str, str]]:
    """Return the labelled clips or recordings among what is given, and why others cannot be used.

    Raises
    ------
    EvaluationError
        If there is none, with why the first cannot be used. It names `caller`, and `what` was looked for.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    found = find_cases([Path(path) for path in given])
    failures = {failure.clip: failure.problem for failure in found.failures}
    if not found.cases:
        told = next(iter(failures.values()), f"no labelled {what}: a label file lies beside its {what}")
        raise EvaluationError(f"{caller}: {told}")
    return found, failures
