"""What the fit of the estimator reports about people it never saw: errors, biases, separability."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from posture.cues import CUE_NAMES
from posture.deviation import Measure
from posture.settings import JudgeSettings

N_FRAMES = 25  # a sequence is one person before one camera: at most this many stills
MEASURES = ("neck_deg", "thoracic_deg", "sink_ratio", "head_pitch_deg", "head_yaw_deg")


def summarise(
    data: dict[str, np.ndarray], value: np.ndarray, error: np.ndarray, truth: np.ndarray
) -> dict[str, Any]:
    """Return errors by camera, and by camera and posture."""
    camera = np.repeat(data["camera"][:, None], N_FRAMES, axis=1)
    judged = np.isfinite(truth[..., 0])
    result: dict[str, Any] = {}
    for c in np.unique(data["camera"]):
        here = judged & (camera == c)
        entry: dict[str, Any] = {
            "measured": float(np.isfinite(value[here][:, 0]).mean()),
            "frames": int(here.sum()),
        }
        for m, name in enumerate(MEASURES):
            ok = here & np.isfinite(value[..., m]) & np.isfinite(truth[..., m])
            if ok.sum() < 10:
                continue
            e, t = value[ok][:, m], truth[ok][:, m]
            inside = np.abs(e - t) / error[ok][:, m]
            entry[name] = {
                "mae": float(np.abs(e - t).mean()),
                "mae_of_zero": float(np.abs(t).mean()),
                "r": float(np.corrcoef(e, t)[0, 1]),
                "within_1_se": float((inside < 1).mean()),
                "within_2_se": float((inside < 1.96).mean()),
                "bias": {
                    str(p): round(float((value - truth)[ok & (data["posture"] == p)][:, m].mean()), 3)
                    for p in np.unique(data["posture"][ok])
                },
            }
        result[str(c)] = entry
    return result


def slouch_measure(values: np.ndarray) -> np.ndarray:
    """Return (T,) the slouch ratio of (T, M) deviations at the default thresholds; see `posture.judging`."""
    judge = JudgeSettings()
    neck, thoracic, sink = (
        values[:, m] for m in (Measure.NECK_DEG, Measure.THORACIC_DEG, Measure.SINK_RATIO)
    )
    parts = (
        neck / judge.neck_deg,
        thoracic / judge.thoracic_deg,
        (neck - thoracic) / judge.flexion_deg,
        sink / judge.sink_ratio,
    )
    return np.asarray(np.max(parts, axis=0))


def area_under_curve(slouching: np.ndarray, upright: np.ndarray) -> float:
    """Return the chance that a slouching frame has the larger value than an upright one."""
    d = slouching[:, None] - upright
    return float((d > 0).mean() + 0.5 * (d == 0).mean())


def separability(data: dict[str, np.ndarray], value: np.ndarray) -> dict[str, Any]:
    """Return the mean AUC, upright against each slouch, within one person before one camera, of four rules."""
    column = {name: data["full"][..., i] for i, name in enumerate(CUE_NAMES[: data["full"].shape[-1]])}
    rules = {
        "slouch measure": np.stack([slouch_measure(v) for v in value]),
        "ear-shoulder gap / ear width": column["neck_y"] / np.maximum(column["ears_x"], 1e-3),
        "ear-shoulder gap / shoulder width": column["neck_over_shoulder_y"],
        "nose above shoulders / shoulder width": (column["nose_y"] + column["neck_y"])
        / np.maximum(column["shoulder_width"], 1e-3),
    }
    result: dict[str, Any] = {}
    for rule, x in rules.items():
        for camera in np.unique(data["camera"]):
            auc: dict[str, list[float]] = {p: [] for p in ("slump", "sag", "turtle", "lean")}
            for s in np.flatnonzero(data["camera"] == camera):
                ok = data["valid"][s] & np.isfinite(x[s])
                up = ok & (data["posture"][s] == "upright")
                for p, got in auc.items():
                    bad = ok & (data["posture"][s] == p)
                    if up.sum() >= 2 and bad.any():
                        got.append(area_under_curve(x[s][bad], x[s][up]))
            result.setdefault(rule, {})[str(camera)] = {
                p: round(float(np.mean(v)), 3) for p, v in auc.items()
            }
    return result


def write_report(
    folder: Path, result: dict[str, Any], auc: dict[str, Any], o: argparse.Namespace, n_people: int
) -> None:
    """Write NAME.json and NAME.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{o.name}.json").write_text(json.dumps({"left_out_people": result, "auc": auc}, indent=1))
    lines = [
        f"# Left-out people ({n_people} people, {o.folds} folds, whole people left out, single stills)",
        "",
    ]
    lines += [
        "| camera | frames | measured | neck MAE / r | thoracic MAE / r | sink MAE / r | pitch MAE | yaw MAE "
        "| neck within 1 / 1.96 se |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for camera, entry in result.items():
        pair = [f"{entry[m]['mae']:.2f} / {entry[m]['r']:.2f}" for m in MEASURES[:2]] + [
            f"{entry[MEASURES[2]]['mae']:.3f} / {entry[MEASURES[2]]['r']:.2f}"
        ]
        pair += [f"{entry[m]['mae']:.1f}" if m in entry else "" for m in MEASURES[3:]]
        pair += [f"{entry[MEASURES[0]]['within_1_se']:.0%} / {entry[MEASURES[0]]['within_2_se']:.0%}"]
        lines.append(f"| {camera} | {entry['frames']} | {entry['measured']:.1%} | " + " | ".join(pair) + " |")
    for m in MEASURES[:2]:
        postures = sorted({p for e in result.values() for p in e[m]["bias"]})
        lines += [
            "",
            f"Mean bias of {m} by posture (degrees):",
            "",
            "| camera | " + " | ".join(postures) + " |",
            "|---" * (len(postures) + 1) + "|",
        ]
        lines += [
            f"| {c} | " + " | ".join(f"{e[m]['bias'].get(p, float('nan')):+.1f}" for p in postures) + " |"
            for c, e in result.items()
        ]
    lines += [
        "",
        "AUC upright against slouch, within one person before one camera (mean over left-out people):",
        "",
        "| rule | camera | slump | sag | turtle | lean |",
        "|---|---|---|---|---|---|",
    ]
    for rule, by_camera in auc.items():
        lines += [
            f"| {rule} | {c} | " + " | ".join(f"{v:.3f}" for v in e.values()) + " |"
            for c, e in by_camera.items()
        ]
    (folder / f"{o.name}.md").write_text("\n".join(lines) + "\n")
