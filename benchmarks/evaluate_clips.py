"""Score the estimator and the usual rules on clips with known angles.

    python benchmarks/evaluate_clips.py CLIPS [--output docs/validation/clips.md]

CLIPS holds NAME.mp4 with a NAME.json beside each: `kind` "angles", `camera`, `baseline_s` (start, stop) and
`frames`, one per frame with `neck_deg`, `thoracic_deg`, `label`, `settled`, `present`. Counted are settled
frames after the baseline span; truth is truth minus its mean over the span. Estimates are of single frames,
then smoothed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from posture.coefficients import packaged_coefficients
from posture.cues import CUE_NAMES, N_POSE_CUES, compute_cues
from posture.deviation import compute_deviation, make_estimator
from posture.face_network import FaceNetwork
from posture.judging import Thresholds, slouch_ratio
from posture.landmarker import PoseLandmarker
from posture.landmarks import Landmarks, concatenate
from posture.observer import Observer
from posture.settings import JudgeSettings
from posture.sources import open_source

TAU_S = (0.0, 0.2, 0.4)  # time constants of a causal exponential mean after the single-frame estimate


def smooth(t_s: np.ndarray, values: np.ndarray, tau_s: float) -> np.ndarray:
    """Return the causal exponential mean; a gap starts it afresh."""
    out = values.copy()
    for i in range(1, len(out)):
        if tau_s and np.isfinite(out[i - 1, 0]) and np.isfinite(values[i, 0]):
            out[i] = out[i - 1] + (1 - np.exp(-(t_s[i] - t_s[i - 1]) / tau_s)) * (values[i] - out[i - 1])
    return out


def landmarks_of(clip: Path) -> Landmarks:
    """Return the landmarks of every frame, as the monitor sees them."""
    with open_source(str(clip)) as source, Observer(PoseLandmarker(), face_network=FaceNetwork()) as observer:
        return concatenate([observer.detect(frame) for frame in source])


def slouch_measure(values: np.ndarray) -> np.ndarray:
    """Return (T,) the slouch ratio at the default thresholds."""
    judge = JudgeSettings()
    thresholds = Thresholds(judge.neck_deg, judge.thoracic_deg, judge.flexion_deg, judge.sink_ratio)
    return np.array([slouch_ratio(*row[:3].tolist(), thresholds)[0] for row in values])


def usual_rules(xyzv: np.ndarray, world: np.ndarray, base: np.ndarray) -> dict[str, np.ndarray]:
    """Return (T, 2) neck and thoracic deviation of the usual angle formulas."""
    mid = lambda a, i, j: (a[:, i] + a[:, j]) / 2  # noqa: E731
    ear, shoulder, hip = (mid(world, *p) for p in ((7, 8), (11, 12), (23, 24)))
    line = world[:, 11] - world[:, 12]
    yaw = np.arctan2(line[:, 2], line[:, 0])
    ahead = np.stack([np.sin(yaw), 0 * yaw, -np.cos(yaw)], 1)
    up = lambda v: -v[:, 1]  # noqa: E731
    e2, s2, h2 = (mid(xyzv[..., :2], *p) for p in ((7, 8), (11, 12), (23, 24)))
    facing = np.sign(xyzv[:, 0, 0] - e2[:, 0])
    angle = lambda f, u: np.degrees(np.arctan2(f, u))  # noqa: E731
    rules = {
        "world landmarks, y-z plane": np.stack(
            [
                angle(-(ear - shoulder)[:, 2], up(ear - shoulder)),
                angle(-(shoulder - hip)[:, 2], up(shoulder - hip)),
            ],
            1,
        ),
        "world landmarks, body's own frame": np.stack(
            [
                angle(((ear - shoulder) * ahead).sum(1), up(ear - shoulder)),
                angle(((shoulder - hip) * ahead).sum(1), up(shoulder - hip)),
            ],
            1,
        ),
        "image-plane angle": np.stack(
            [angle(facing * (e2 - s2)[:, 0], up(e2 - s2)), angle(facing * (s2 - h2)[:, 0], up(s2 - h2))], 1
        ),
    }
    return {name: v - np.nanmedian(v[base], axis=0) for name, v in rules.items()}


def main() -> None:
    """Print and write the tables."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    p.add_argument("clips", type=Path)
    p.add_argument("--output", type=Path, default=Path("docs/validation/clips.md"))
    o = p.parse_args()
    coefficients = packaged_coefficients()
    rows: dict[tuple[str, str], list[np.ndarray]] = {}
    scalars: dict[tuple[str, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    bias: dict[tuple[str, str], list[np.ndarray]] = {}
    for path in sorted(o.clips.glob("*.mp4")):
        meta = json.loads(path.with_suffix(".json").read_text())
        if meta["kind"] != "angles":
            continue
        landmarks = landmarks_of(path)
        t_s, xyzv, world = landmarks.t_s, landmarks.xyzv, landmarks.world_m
        start, stop = meta["baseline_s"]
        base = (t_s >= start) & (t_s < stop)
        column = lambda k, m=meta: np.array([f[k] for f in m["frames"]])  # noqa: E731
        truth = np.stack([column("neck_deg"), column("thoracic_deg")], 1)
        truth = truth - truth[base].mean(axis=0)
        judged = (t_s >= stop) & column("settled") & column("present")
        cues = compute_cues(xyzv, world, landmarks.face)
        centre = np.nanmedian(cues[base], axis=0)
        got = compute_deviation(cues, make_estimator(centre, coefficients))
        centre[N_POSE_CUES:] = np.nan
        faceless = compute_deviation(cues, make_estimator(centre, coefficients)).values[:, :2]
        for tau in TAU_S:
            e = smooth(t_s, got.values, tau)
            rows.setdefault((f"estimator, {tau:g} s mean", meta["camera"]), []).append(
                np.concatenate([e[:, :2], truth, got.standard_error[:, :2]], 1)[judged]
            )
            if tau == 0:
                for posture in np.unique(column("label")[judged]):
                    bias.setdefault((meta["camera"], str(posture)), []).append(
                        (e[:, :2] - truth)[judged & (column("label") == posture)]
                    )
        for name, e in (
            {"without the face network": faceless, "always 0": 0 * truth} | usual_rules(xyzv, world, base)
        ).items():
            rows.setdefault((name, meta["camera"]), []).append(np.concatenate([e, truth, 0 * e], 1)[judged])
        c = {n: cues[:, i] for i, n in enumerate(CUE_NAMES)}
        slouching, upright = (
            judged & np.isin(column("label"), ("slump", "sag", "turtle", "lean")),
            judged & (column("label") == "upright"),
        )
        for name, x in (
            ("slouch measure", slouch_measure(got.values)),
            ("(shoulder y - ear y) / ear width", c["neck_y"] / np.maximum(c["ears_x"], 1e-3)),
            ("nose height", xyzv[:, 0, 1]),
        ):
            scalars.setdefault((name, meta["camera"]), []).append((x[slouching], x[upright]))
    cameras = sorted({c for _, c in rows})
    lines = [
        "# Clips of six left-out people",
        "",
        "MAE in degrees (r), neck / thoracic:",
        "",
        "| estimator | " + " | ".join(cameras) + " |",
        "|---" * (len(cameras) + 1) + "|",
    ]
    for name in dict.fromkeys(n for n, _ in rows):
        cells = []
        for camera in cameras:
            a = np.concatenate(rows[name, camera])
            a = a[np.isfinite(a[:, 0])]
            r = [np.corrcoef(a[:, i], a[:, 2 + i])[0, 1] if a[:, i].std() > 0 else 0.0 for i in (0, 1)]
            mae = np.abs(a[:, :2] - a[:, 2:4]).mean(axis=0)
            cells.append(f"{mae[0]:.2f} / {mae[1]:.2f} ({r[0]:.2f}, {r[1]:.2f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "Share measured; share of errors within 1 and 1.96 standard errors (neck, thoracic):", ""]
    for camera in cameras:
        a = np.concatenate(rows["estimator, 0 s mean", camera])
        z = np.abs(a[:, :2] - a[:, 2:4]) / a[:, 4:6]
        ok = np.isfinite(z[:, 0])
        lines.append(
            f"- {camera}: {ok.mean():.1%}; within 1: {(z[ok] < 1).mean(0).round(2).tolist()}, "
            f"within 1.96: {(z[ok] < 1.96).mean(0).round(2).tolist()}"
        )
    postures = sorted({p for _, p in bias})
    lines += [
        "",
        "Mean bias by posture, neck / thoracic (single frames):",
        "",
        "| camera | " + " | ".join(postures) + " |",
        "|---" * (len(postures) + 1) + "|",
    ]
    for camera in cameras:
        lines.append(
            f"| {camera} | "
            + " | ".join(
                "{:+.1f} / {:+.1f}".format(*np.nanmean(np.concatenate(bias[camera, q]), axis=0))
                for q in postures
            )
            + " |"
        )
    lines += [
        "",
        "AUC slouch (slump, sag, turtle, lean) against upright within one clip, mean (lowest):",
        "",
        "| rule | " + " | ".join(cameras) + " |",
        "|---" * (len(cameras) + 1) + "|",
    ]
    for name in dict.fromkeys(n for n, _ in scalars):
        auc = [
            [float((a[:, None] > b).mean() + (a[:, None] == b).mean() / 2) for a, b in scalars[name, c]]
            for c in cameras
        ]
        lines.append(f"| {name} | " + " | ".join(f"{np.mean(v):.3f} ({min(v):.3f})" for v in auc) + " |")
    o.output.write_text("\n".join(lines) + "\n")
    print(o.output.read_text())


if __name__ == "__main__":
    main()
