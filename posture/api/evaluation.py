"""Judge labelled clips and say how well that went, from Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np

from posture.api.columns import Columns
from posture.api.labelled import find_labelled
from posture.api.opening import BaselineLike, take
from posture.clip_replay import ReplayPlan
from posture.config import check_settings, settings_overrides
from posture.evaluation.figures import AngleFigures, Estimate, Figures, make_figures
from posture.evaluation.running import evaluate as evaluate_cases
from posture.evaluation.statistics import check_statistics
from posture.session import StopSignals
from posture.settings import Settings


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """How well labelled clips were judged.

    ``pandas.DataFrame(result.columns())`` makes a data frame of it, one row a clip.
    """

    figures: Figures
    """Of all clips together."""
    by_clip: dict[str, Figures]
    by_camera: dict[str, Figures]
    """By where the camera stood, as the labels say."""
    by_person: dict[str, Figures]
    """By who is in the clip, as the labels say."""
    by_posture: dict[str, Figures]
    """By posture, as the labels name them."""
    failures: dict[str, str]
    """Clips and label files that could not be used, each with the reason in one line."""

    def __repr__(self) -> str:
        """Return one line."""
        f = self.figures
        return (
            f"<EvaluationResult: {len(self.by_clip)} clips, {f.n_false} false alerts in {f.watched_h:.2f} h, "
            f"{f.n_met} of {f.n_must} asked for, failed: {len(self.failures)}>"
        )

    def columns(self) -> Columns:
        """Return the figures as columns, one row a clip.

        Returns
        -------
        dict of str to ndarray, shape (N,)
            ``clip``, then every number of :class:`Figures` under its own name; an interval's ends end in ``_low`` and
            ``_high``, an angle's figures begin with ``neck_`` and ``thoracic_``. NaN = nothing to make it of.
        """
        rows = [_flat(figures) for figures in self.by_clip.values()]
        names = _flat(self.figures)
        return {
            "clip": np.array(list(self.by_clip), dtype=np.str_),
            **{name: np.array([row[name] for row in rows], dtype=np.float64) for name in names},
        }


def evaluate(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    baseline: BaselineLike | None = None,
    settings: Settings | None = None,
    n_jobs: int = 1,
    on_progress: Callable[[int, float], None] | None = None,
) -> EvaluationResult:
    """Judge labelled clips as a replay does, and compare with the labels, as ``posture evaluate`` does.

    Parameters
    ----------
    paths : path or iterable of path
        Clips, recordings, traces, label files, and folders, which are looked through with all that is below them.
    baseline : Baseline, str or path, optional
        Judge against this one; the default is the upright span that each clip's labels name.
    settings : Settings, optional
        See :func:`make_settings`. The default is what comes with the program, for a recording what it was made with.
    n_jobs : int
        Processes at most; the figures do not depend on it. With more than 1 a script must be importable without
        running itself (``if __name__ == "__main__":``).
    on_progress : callable, optional
        Called with a clip's index and the share of it that is done, 1 when it is finished.

    Returns
    -------
    EvaluationResult
        One clip that fails does not stop the rest; it is among the failures.

    Raises
    ------
    EvaluationError
        If there is no labelled clip at all, or SciPy (``posture[lab]``) is missing.
    ProfileError, CalibrationError
        If that is no baseline.
    SettingsError
        If a setting is out of its range.
    """
    check_statistics()
    chosen = Settings() if settings is None else check_settings(settings)
    overrides = () if settings is None else settings_overrides(chosen)
    plan = ReplayPlan(chosen, overrides, None if baseline is None else take(baseline))
    found, failures = find_labelled(paths, "evaluate", "clip")
    done = evaluate_cases(found.cases, plan, n_jobs=n_jobs, signals=StopSignals(), on_progress=on_progress)
    return EvaluationResult(
        make_figures(done.overall),
        {score.clip: make_figures(score.tally) for score in done.scores},
        {name: make_figures(tally) for name, tally in done.by_camera.items()},
        {name: make_figures(tally) for name, tally in done.by_person.items()},
        {name: make_figures(tally) for name, tally in done.by_posture.items()},
        failures | {failure.clip: failure.problem for failure in done.failures},
    )


def _flat(figures: Figures) -> dict[str, float]:
    """Return the numbers of some figures by column."""
    row: dict[str, float] = {}
    for field in fields(Figures):
        value = getattr(figures, field.name)
        if isinstance(value, Estimate):
            row |= {
                field.name: value.value,
                f"{field.name}_low": value.low,
                f"{field.name}_high": value.high,
            }
        elif isinstance(value, AngleFigures):
            row |= {f"{field.name}_{part.name}": getattr(value, part.name) for part in fields(AngleFigures)}
        elif not isinstance(value, dict):
            row[field.name] = float(value)
    return row
