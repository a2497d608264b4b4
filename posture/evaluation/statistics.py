"""How sure figures are: exact intervals, and whether a difference is more than noise. The only module with SciPy.

SciPy is the extra ``posture[lab]``; it is imported when figures are wanted and not before. The intervals could be had
from a page of own code, but nobody should have to check that page: SciPy's are used and tested everywhere.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf, nan
from typing import Any, Final

import numpy as np

from posture.errors import EvaluationError
from posture.evaluation.comparison import SAME, Pair

CONFIDENCE: Final = 0.95
NOISE_P: Final = 0.05
"""A difference less likely than this by chance is called one (the usual convention)."""
_N_RESAMPLES: Final = 20_000
"""Up to this many signs are tried one and all, so that for up to 14 units the p-value is exact."""
_BATCH_CELLS: Final = 1_000_000  # numbers held at once: 8 MB


def check_statistics() -> None:
    """Raise EvaluationError if SciPy is missing: better before hours of clips than after."""
    _load()


def poisson_interval(n: int, exposure: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate.

    Parameters
    ----------
    n : int
        Events seen.
    exposure : float
        In which they were seen, for example hours.

    Returns
    -------
    (float, float)
        Events per unit of exposure; from 0 for no event, to infinity for no exposure.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.
    """
    if exposure <= 0.0:
        return 0.0, inf
    stats = _load()
    tail = (1.0 - CONFIDENCE) / 2
    low = float(stats.chi2.ppf(tail, 2 * n)) / 2 if n else 0.0
    return low / exposure, float(stats.chi2.ppf(1.0 - tail, 2 * (n + 1))) / 2 / exposure


def proportion_interval(n_hits: int, n: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share; 0 to 1 for nothing tried.

    References
    ----------
    .. [1] Clopper, C. J., & Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of
       the binomial. Biometrika 26, 404-413. Never shorter than promised, which Wilson's interval is on few trials.
    """
    if not n:
        return 0.0, 1.0
    interval = _load().binomtest(n_hits, n).proportion_ci(CONFIDENCE, method="exact")
    return float(interval.low), float(interval.high)


class Verdict(StrEnum):
    """What a difference between two results is worth."""

    SAME = "the same"
    TOO_FEW = "too few to tell"
    NOISE = "within noise"
    BETTER = "better"
    WORSE = "worse"


def weigh(pair: Pair) -> tuple[float, Verdict]:
    """Return the p-value of a paired difference and what follows from it.

    The differences within persons or clips are taken to be as likely of one sign as of the other if nothing has changed
    (Fisher's randomisation test); units without a difference say nothing about that. Six units that differ are the
    fewest with which anything can be told: five have a smallest p-value of 2 / 2^5 = 0.06.

    Returns
    -------
    (float, Verdict)
        p is NaN where nothing differs.

    References
    ----------
    .. [1] Fisher, R. A. (1935). The Design of Experiments, section 21.
    """
    differences = pair.differences[np.abs(pair.differences) > SAME]
    if not len(differences):
        return nan, Verdict.SAME
    if len(differences) == 1:
        return 1.0, Verdict.TOO_FEW
    done = _load().permutation_test(
        (differences, np.zeros_like(differences)),
        _mean_difference,
        permutation_type="samples",
        n_resamples=_N_RESAMPLES,
        batch=max(1, _BATCH_CELLS // len(differences)),
        rng=0,
    )
    p = float(done.pvalue)
    if 2.0 / 2 ** len(differences) > NOISE_P:
        return p, Verdict.TOO_FEW
    if p >= NOISE_P:
        return p, Verdict.NOISE
    is_lower = float(differences.sum()) < 0.0
    return p, Verdict.BETTER if is_lower is pair.is_lower_better else Verdict.WORSE


def _mean_difference(first: Any, second: Any, axis: int) -> Any:
    """Return the mean difference along an axis."""
    return np.mean(first - second, axis=axis)


def _load() -> Any:
    """Return SciPy's statistics."""
    try:
        from scipy import stats
    except ImportError as error:
        raise EvaluationError("evaluating needs SciPy: python -m pip install scipy") from error
    return stats
