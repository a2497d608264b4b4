"""Measure how well thoracic inclination can be told from head and shoulders alone, were they known exactly.

    python models/front_bound.py models/training/bodies.npz --output docs/validation/bound.md

No landmarks, no camera: the places of ears and shoulders come from the body itself, in metres. What is still wrong
with them no camera and no landmark model can mend as long as the hips are out of the picture. Needs torch, as
`fit_estimator.py` does. Seeded; about two minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

N_BASELINE = 3  # upright stills that make a baseline, as in `fit_estimator.predict`
DEPTH_NOISE = 0.01  # of the distance: the face network's scatter before a laptop, see docs/method.md
DISTANCE_M = 0.75  # middle of the front cameras' 0.55-1 m
UNIT_DEG = 6.0  # mean absolute thoracic deviation of the stills


def deviations(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the places of every still's joints, and its inclination, relative to the same person's baseline."""
    names = ("hip_m", "shoulder_m", "ear_m", "thoracic_deg")
    out = {n: data[n].astype(np.float64) for n in names}
    out["build"] = np.zeros_like(out["ear_m"])
    for subject in np.unique(data["subject"]):
        for camera in np.unique(data["camera"]):
            rows = np.flatnonzero((data["subject"] == subject) & (data["camera"] == camera))
            base = rows[data["upright"][rows]][:N_BASELINE]
            out["build"][rows] = (data["ear_m"][base] - data["shoulder_m"][base]).mean(axis=0)
            for n in names:
                out[n][rows] -= data[n][base].mean(axis=0)
    return out


def left_out(inputs: np.ndarray, truth: np.ndarray, subject: np.ndarray, o: argparse.Namespace) -> np.ndarray:
    """Return an estimate of `truth` for every still by a fit that never saw the person."""
    people = np.unique(subject)
    fold = np.random.default_rng(o.seed).permutation(len(people)) % o.folds
    fold_of = fold[np.searchsorted(people, subject)]
    got = np.zeros(len(truth))
    for f in range(o.folds):
        train = np.flatnonzero(fold_of != f)
        scaled = (inputs - inputs[train].mean(axis=0)) / (inputs[train].std(axis=0) + 1e-9)
        x, y = (torch.tensor(a, dtype=torch.float32) for a in (scaled, truth / UNIT_DEG))
        torch.manual_seed(o.seed)
        width = o.hidden
        net = nn.Sequential(
            nn.Linear(x.shape[1], width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1)
        )
        optimizer = torch.optim.AdamW(net.parameters(), o.rate, weight_decay=1e-2)
        n_batches = len(train) // o.batch
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, o.rate, total_steps=o.epochs * n_batches + 1
        )
        for _ in range(o.epochs):
            order = train[torch.randperm(len(train)).numpy()]
            for k in range(n_batches):
                j = order[k * o.batch : (k + 1) * o.batch]
                loss = nn.functional.smooth_l1_loss(net(x[j])[:, 0], y[j], beta=0.3)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        with torch.no_grad():
            got[fold_of == f] = net(x[fold_of == f])[:, 0].numpy() * UNIT_DEG
    return got


def main() -> None:
    """Fit, and write what is left."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    p.add_argument("data", type=Path)
    p.add_argument("--output", type=Path, default=Path("bound.md"))
    p.add_argument("--hidden", type=int, default=64)
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--batch", type=int, default=64, help="stills")
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--folds", type=int, default=4)
    p.add_argument("--seed", type=int, default=0)
    o = p.parse_args()
    torch.set_num_threads(1)
    data = dict(np.load(o.data))
    d = deviations(data)
    rng = np.random.default_rng(o.seed)
    blurred = [d[n].copy() for n in ("ear_m", "shoulder_m")]
    for place in blurred:
        place[:, 1] += rng.normal(0.0, DEPTH_NOISE * DISTANCE_M, len(place))
    known = {
        "ears and shoulders, exact": (d["ear_m"], d["shoulder_m"], d["build"]),
        f"the same, depths good to {100 * DEPTH_NOISE:.0f} %": (*blurred, d["build"]),
        "ears from shoulders only, exact": (d["ear_m"] - d["shoulder_m"], d["build"]),
        "ears, shoulders and hips, exact": (d["ear_m"], d["shoulder_m"], d["hip_m"], d["build"]),
    }
    judged = ~data["upright"]
    postures = np.unique(data["posture"][judged])
    lines = [
        "# What head and shoulders can tell of thoracic inclination",
        "",
        f"{len(np.unique(data['subject']))} rendered people, each estimated by a fit that never saw them; places in"
        " metres, straight from the body, relative to the person's baseline. Mean absolute error and mean bias by"
        " posture, degrees. The chair rolls and the seat slides, as they do in the training pictures.",
        "",
        "| known | MAE | r | " + " | ".join(postures) + " |",
        "|" + "---|" * (3 + len(postures)),
    ]
    truth = d["thoracic_deg"]
    for name, places in known.items():
        error = left_out(np.concatenate(places, axis=1), truth, data["subject"], o) - truth
        r = np.corrcoef(error[judged] + truth[judged], truth[judged])[0, 1]
        bias = [error[judged & (data["posture"] == q)].mean() for q in postures]
        row = [f"{np.abs(error[judged]).mean():.2f}", f"{r:.3f}", *(f"{b:+.1f}" for b in bias)]
        lines.append(f"| {name} | " + " | ".join(row) + " |")
        print(lines[-1], flush=True)
    lines += ["", "Made by `python models/front_bound.py models/training/bodies.npz`."]
    o.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
