"""Write docs/figures.json and docs/validation/peers.md: Posture and other programs' rules on the labelled fixtures.

    python benchmarks/figures.py [FOLDER]

It takes a few seconds and only what is in the repository. With FOLDER, labelled clips of your own (docs/evaluate.md),
the table is printed and nothing is written. The test suite makes the same figures on every run and compares.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from peers import RULES, score_rule

from posture.clip_replay import ReplayPlan
from posture.config import restore_settings
from posture.evaluation.cases import Case, find_cases
from posture.evaluation.figures import Figures, make_figures
from posture.evaluation.result import Result
from posture.evaluation.running import evaluate
from posture.evaluation.words import degrees, interval, number, seconds, share
from posture.landmarker import PoseLandmarker
from posture.landmarks import concatenate
from posture.observer import Observer
from posture.session import StopSignals
from posture.settings import Settings
from posture.slouch import SlouchState
from posture.sources import open_source
from posture.trace import load_trace, save_trace

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures"
FIGURES, PEERS = ROOT / "docs" / "figures.json", ROOT / "docs" / "validation" / "peers.md"
OVERRIDES = ("alert.sustain_s=10",)
"""The slouches of the fixtures last 25 s, so that a clip need not be an hour."""
OURS = "Posture"
DIGITS = 3


def fixture_settings() -> Settings:
    """Return the settings the figures are made with: the defaults, whatever this user has configured."""
    return restore_settings({}, Settings(), "figures", list(OVERRIDES))[0]


def as_traces(cases: Sequence[Case], folder: Path) -> list[Case]:
    """Return the cases with clips replaced by their landmarks, kept in `folder`: all rules see the same."""
    traced = []
    for i, case in enumerate(cases):
        path = case.clip
        if path.suffix != ".npz":
            path = folder / f"{i}.npz"
            with open_source(str(case.clip)) as source, Observer(PoseLandmarker()) as observer:
                save_trace(path, concatenate([observer.detect(frame) for frame in source]))
        traced.append(Case(case.name, path, case.labels))
    return traced


def make_results(cases: Sequence[Case]) -> dict[str, Result]:
    """Return the result of Posture and of every rule on the same landmarks."""
    settings = fixture_settings()
    ours = evaluate(cases, ReplayPlan(settings, OVERRIDES), signals=StopSignals())
    assert not ours.failures, ours.failures
    results = {OURS: ours}
    landmarks = {case.name: load_trace(case.clip) for case in cases}
    for name, rule in RULES.items():
        scores = [score_rule(rule, landmarks[c.name], c.labels, c.name, settings) for c in cases]
        results[name] = Result(name, tuple(scores))
    return results


def rounded(f: Figures, result: Result) -> dict[str, Any]:
    """Return the figures that are kept, rounded; None = there is none."""

    def short(value: float) -> float | None:
        return None if isnan(value) else round(value, DIGITS)

    tally = result.overall
    slouching = SlouchState.SLOUCHING
    kept = {
        "clips": len(result.scores),
        "watched_h": short(f.watched_h),
        "false_alerts": f.n_false,
        "false_per_hour": short(f.false_per_hour.value),
        "false_per_hour_95": [short(f.false_per_hour.low), short(f.false_per_hour.high)],
        "slouches": f.n_must,
        "alerted": f.n_met,
        "recall": short(f.recall.value),
        "recall_95": [short(f.recall.low), short(f.recall.high)],
        "late_median_s": short(f.late_median_s),
        "late_worst_s": short(f.late_worst_s),
        "slouch_called_slouch": short(tally.called(slouching, of=slouching)),
        "upright_called_slouch": short(tally.called(slouching, of=SlouchState.UPRIGHT)),
        "not_judged": short(f.not_judged_ratio),
    }
    for name, angle in (("neck", f.neck), ("thoracic", f.thoracic)):
        kept |= {
            f"{name}_mae_deg": short(angle.mae_deg),
            f"{name}_bias_deg": short(angle.bias_deg),
            f"{name}_r": short(angle.correlation),
        }
    return kept


def make_document(results: dict[str, Result]) -> dict[str, Any]:
    """Return what docs/figures.json holds."""
    ours = results[OURS]
    return {
        "made_by": "python benchmarks/figures.py",
        "clips": "tests/fixtures/*.labels.toml",
        "settings": list(OVERRIDES),
        "posture": rounded(make_figures(ours.overall), ours),
        "posture_by_camera": {
            camera: {
                "neck_mae_deg": round(tally.neck.mae_deg, DIGITS),
                "thoracic_mae_deg": round(tally.thoracic.mae_deg, DIGITS),
            }
            for camera, tally in ours.by_camera.items()
            if tally.neck.n
        },
        "peers": {
            name: rounded(make_figures(result.overall), result)
            for name, result in results.items()
            if name != OURS
        },
    }


def false_during(result: Result) -> str:
    """Return when the false alerts came."""
    counts: dict[str, int] = {}
    for score in result.scores:
        for alert in score.false_alerts:
            counts[alert.posture or "elsewhere"] = counts.get(alert.posture or "elsewhere", 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in ordered) or "–"


def make_table(results: dict[str, Result]) -> str:
    """Return the table of docs/validation/peers.md."""
    head = (
        "rule",
        "false alerts",
        "per hour (95 %)",
        "false during",
        "recall (95 %)",
        "late, median (worst)",
        "slouch seen as such",
        "upright seen as slouch",
        "neck / trunk error (r)",
    )
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, result in results.items():
        tally = result.overall
        f = make_figures(tally)
        angles = "–"
        if f.neck.measured_ratio > 0:
            angles = (
                f"{degrees(f.neck.mae_deg)} / {degrees(f.thoracic.mae_deg)} "
                f"({number(f.neck.correlation)}, {number(f.thoracic.correlation)})"
            )
        late = f"{seconds(f.late_median_s)} ({seconds(f.late_worst_s)})" if f.n_met else "–"
        lines.append(
            f"| {name} | {f.n_false} | {number(f.false_per_hour.value)} ({interval(f.false_per_hour)}) "
            f"| {false_during(result)} "
            f"| {f.n_met} of {f.n_must} ({share(f.recall.low)} to {share(f.recall.high)}) | {late} "
            f"| {share(tally.called(SlouchState.SLOUCHING, of=SlouchState.SLOUCHING))} "
            f"| {share(tally.called(SlouchState.SLOUCHING, of=SlouchState.UPRIGHT))} | {angles} |"
        )
    return "\n".join(lines) + "\n"


def make_page(results: dict[str, Result]) -> str:
    """Return docs/validation/peers.md."""
    f = make_figures(results[OURS].overall)
    n_desk = sum(score.tally.n_must > 0 for score in results[OURS].scores)
    saying = f"{degrees(f.neck.zero_mae_deg)} / {degrees(f.thoracic.zero_mae_deg)}"
    return f"""# Other programs' rules on the same clips

Made by `python benchmarks/figures.py` from the labelled traces of rendered people in `tests/fixtures`: {n_desk} desk
sessions ({f.watched_h:.2f} h, {f.n_must} slouches of 25 s, a nuisance of every kind) for alerts and states, and
{len(results[OURS].scores) - n_desk} posture series for angles. `alert.sustain_s=10`.

{make_table(results)}
Saying 0 always has an error of {saying}.

How to read it:

- Every rule is written afresh from its published description ([benchmarks/peers.py](../../benchmarks/peers.py) names
  it), and goes through the same state machine and sustain as Posture's own measure, so that what differs is what it
  looks at. The programs themselves differ in much more: dwell times in frames, glows instead of alerts.
- Posture says that it cannot judge a turned person or a moved camera; these rules have no such state and judge on.
  Part of the difference is that, and it is meant to be.
- {f.watched_h:.2f} hours are little. The intervals are exact and say so: compare them, not the figures alone. And
  rendered people are not real ones. [evaluate.md](../evaluate.md) tells how to do the same with clips of your own:
  `python benchmarks/figures.py FOLDER`.
- The estimator was fitted on other rendered people of the same generator, which the rules were not.
"""


def main() -> None:
    """Make and write everything, or print the table for a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="labelled clips of your own; nothing is written")
    given = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as folder:
        found = find_cases([given or FIXTURES])
        results = make_results(as_traces(found.cases, Path(folder)))
    print(make_table(results))
    if given is None:
        FIGURES.write_text(json.dumps(make_document(results), indent=1, ensure_ascii=False) + "\n", "utf-8")
        PEERS.write_text(make_page(results), "utf-8")
        print(f"wrote {FIGURES}\nwrote {PEERS}")


if __name__ == "__main__":
    main()
