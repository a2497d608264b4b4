"""The regression gate: what Posture does on the labelled fixtures, evaluated on every run.

Claimed: false alerts, recall, delay and angle errors stay within limits; docs/figures.json and docs/validation/peers.md
are what `python benchmarks/figures.py` would write now.
"""

import importlib.util
import json
from pathlib import Path

import pytest

from posture.evaluation.cases import find_cases
from posture.evaluation.limits import Limits, broken_limits
from posture.evaluation.result import Result

ROOT = Path(__file__).parents[1]
# A little above what it is now (0 false, 8 of 8, 0.5 s, 2.3 and 2.4 degrees): enough for another
# processor's rounding and for an honest exchange between cameras, not for a step back. Lower them when it gets better.
LIMITS = Limits(
    max_false_per_hour=0.0,
    min_recall=1.0,
    max_neck_mae_deg=2.6,
    max_thoracic_mae_deg=2.7,
    max_late_s=1.5,
)
MAX_CAMERA_MAE_DEG = 5.6
"""Of either angle for any camera: one may not pay for the others. 5.2 degrees for the neck before a laptop's."""
MAX_NOT_JUDGED_RATIO = 0.13
"""What says nothing is never wrong: 11 %, for the most part the 20 s that each person is turned to a second screen."""
TOLERANCE = 0.02
"""Of a figure, relative or absolute: processors round differently."""


def load(name):
    """Import a script of benchmarks/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures():
    return load("figures")


@pytest.fixture(scope="module")
def results(figures) -> dict[str, Result]:
    found = find_cases([figures.FIXTURES])
    assert found.failures == ()
    assert len(found.cases) == 8, "the set is whole"
    return figures.make_results(found.cases)


def test_it_is_within_its_limits(results, figures):
    ours = results[figures.OURS]
    assert broken_limits(ours.overall, LIMITS) == ()
    assert ours.overall.not_judged_ratio <= MAX_NOT_JUDGED_RATIO
    for camera, tally in ours.by_camera.items():
        assert tally.neck.mae_deg <= MAX_CAMERA_MAE_DEG, camera
        assert tally.thoracic.mae_deg <= MAX_CAMERA_MAE_DEG, camera


def test_it_is_better_than_the_rules_of_others(results, figures):
    ours = results[figures.OURS].overall
    for name, result in results.items():
        theirs = result.overall
        if name != figures.OURS:
            assert (theirs.n_met, -theirs.n_false) < (ours.n_met, -ours.n_false), name
            if theirs.neck.n_measured:
                assert theirs.neck.mae_deg > ours.neck.mae_deg, name


def close(kept, now):
    """Whether two documents are the same but for rounding."""
    if isinstance(kept, dict) and isinstance(now, dict):
        return kept.keys() == now.keys() and all(close(kept[key], now[key]) for key in kept)
    if isinstance(kept, list) and isinstance(now, list):
        return len(kept) == len(now) and all(map(close, kept, now))
    if isinstance(kept, float) and isinstance(now, (int, float)):
        return now == pytest.approx(kept, rel=TOLERANCE, abs=TOLERANCE)
    return kept == now


def test_the_kept_figures_are_todays(results, figures):
    kept = json.loads(figures.FIGURES.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(figures.make_document(results)))
    different = {key: (kept.get(key), now[key]) for key in now if not close(kept.get(key), now[key])}
    assert not different, "python benchmarks/figures.py"
    assert kept.keys() == now.keys()


def test_the_table_of_other_rules_is_made_of_them(figures, results):
    """Cells may round to the next digit elsewhere; rows, columns and words may not differ."""
    page, made = figures.PEERS.read_text(encoding="utf-8"), figures.make_page(results)
    strip = str.maketrans("", "", "0123456789.")
    assert page.translate(strip) == made.translate(strip), "python benchmarks/figures.py"
    for name in results:
        assert f"| {name} |" in page
