"""Fit the deviation estimator on rendered people and validate it on people it never saw.

    python models/fit_estimator.py models/training/people_[123].npz models/training/faces_[12].npz \
        --hidden 40 --weight side=5 --output models/estimator.npz --report docs/validation
    python models/fit_estimator.py models/training/faces_[12].npz --face --folds 8 \
        --output models/estimator_face.npz --report docs/validation --name faces

The first fits the network for the pose landmarks alone, the second the one for frames with a face.

Needs torch (`pip install torch==2.13.0`), which the package itself does not. Seeded; a few minutes on one core.
Writes the coefficients, and `NAME.md` and `NAME.json` with the errors on left-out people by camera and posture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from fit_report import MEASURES, N_FRAMES, separability, summarise, write_report
from torch import nn

from posture.cues import CUE_NAMES, N_CUES, N_POSE_CUES, PARITY, compute_cues
from posture.deviation import CLIP, N_MEASURES, NetworkCoefficients, make_network, run_network

GROUPS = {  # what `--without` takes away
    "face size": ("log_face",),
    "shoulder size": ("shoulder_width", "shoulders_x", "neck_over_shoulder_x", "neck_over_shoulder_y"),
    "shoulder yaw": ("shoulder_cos", "shoulder_sin"),
    "head orientation": (
        *(f"{v}_{a}" for v in ("nose", "eyes", "mouth", "face_x", "face_y", "face_z") for a in "xy"),
        *(f"{v}_{a}" for v in ("eye_corners", "mouth_corners", "face_middle") for a in "xy"),
    ),
    "ear-shoulder gap": (
        "neck_y",
        "neck_x",
        "neck_over_shoulder_y",
        "neck_over_shoulder_x",
        "neck_length",
        "neck_sine",
        "face_middle_x",
        "face_middle_y",
    ),
    "face network": CUE_NAMES[N_POSE_CUES:],
    "hips": ("hips_seen", "trunk_x", "trunk_y", "trunk_sine", "hips_x"),
}
UNIT = np.array(
    [8.0, 6.0, 0.05, 10.0, 15.0]
)  # typical size of each measure: what makes their errors comparable
SIDE_CUES = {"nose_x": 1.0, "shoulder_sin": 2.0}  # which side the camera is on; both vanish from the front


def load(paths: list[Path], without: str = "", *, with_face: bool = False) -> dict[str, np.ndarray]:
    """Return sequences: cues (S, K, Q), measures (S, K, M), upright and valid (S, K), and names.

    Without a face Q is the number of cues of the pose landmarks; with one, frames in which none was seen are left out.
    """
    parts = [dict(np.load(p)) for p in paths]
    data = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    n = len(data["subject"])
    xyzv, world = np.zeros((n, 33, 4)), np.zeros((n, 33, 3))
    xyzv[:, :13, :2], xyzv[:, 23:25, :2] = data["points"][:, :13], data["points"][:, 13:]
    xyzv[:, 23:25, 3] = data["hip_visibility"]
    world[:, 11] = data["shoulder_line_m"]
    n_cues = N_CUES if with_face else N_POSE_CUES
    parity = PARITY[:n_cues]
    cues = compute_cues(xyzv, world, data.get("face"))[:, :n_cues]
    full = cues.copy()
    cues[:, [CUE_NAMES.index(name) for name in GROUPS.get(without, ())]] *= 0.0
    truth = np.stack([data[k] for k in MEASURES], 1)
    key = np.unique(
        np.stack([data["subject"], np.unique(data["camera"], return_inverse=True)[1]]),
        axis=1,
        return_inverse=True,
    )[1]
    rows: dict[str, list[np.ndarray]] = {
        k: [] for k in ("cues", "full", "truth", "upright", "valid", "posture", "camera", "subject")
    }
    for s in range(int(key.max()) + 1):
        i = np.flatnonzero((key == s) & np.isfinite(cues).all(axis=1))
        if data["upright"][i].sum() < 2 or len(i) < 8:
            continue
        centre = np.median(full[i[data["upright"][i]]], axis=0)
        mirror = np.where(parity < 0, 1.0 if (centre * side_weights(n_cues)).sum() >= 0 else -1.0, 1.0)
        y = truth[i] * np.array([1, 1, 1, 1, mirror.min()])
        pad = N_FRAMES - len(i)
        rows["full"].append(np.pad(full[i] * mirror, ((0, pad), (0, 0))))
        rows["cues"].append(np.pad(cues[i] * mirror, ((0, pad), (0, 0))))
        rows["truth"].append(np.pad(y, ((0, pad), (0, 0))))
        rows["upright"].append(np.pad(data["upright"][i], (0, pad)))
        rows["valid"].append(np.arange(N_FRAMES) < len(i))
        rows["posture"].append(np.pad(data["posture"][i], (0, pad)))
        rows["camera"].append(data["camera"][i[0]])
        rows["subject"].append(data["subject"][i[0]])
    return {k: np.array(v) for k, v in rows.items()}


def side_weights(n_cues: int) -> np.ndarray:
    """Return (Q,) weights of the odd cues that tell the side."""
    return np.array([SIDE_CUES.get(name, 0.0) for name in CUE_NAMES[:n_cues]])


class Network(nn.Module):
    """The estimator of `posture.deviation`, trainable."""

    def __init__(self, n_cues: int, hidden: int) -> None:
        super().__init__()
        first = nn.Linear(n_cues, hidden)
        self.a = nn.Parameter(first.weight.T.detach().clone())
        self.b = nn.Parameter(first.bias.detach().clone())
        self.c = nn.Parameter(nn.Linear(n_cues, hidden).weight.T.detach().clone())
        self.g = nn.Parameter(torch.zeros(n_cues, hidden))
        self.o = nn.Parameter(nn.Linear(hidden, 2 * N_MEASURES).weight.T.detach().clone())
        self.l = nn.Parameter(0.05 * torch.randn(n_cues, 2 * N_MEASURES))
        self.e = nn.Parameter(torch.full((N_MEASURES,), -1.5))

    def forward(self, z: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Return (..., 2 M): measures, and what is added to `e` for the logarithm of their error."""
        pre = (z @ self.a) * (1 + c @ self.g) + c @ self.c + self.b
        out: torch.Tensor = (pre / torch.sqrt(pre * pre + 1)) @ self.o + z @ self.l
        return out


def fit(
    data: dict[str, np.ndarray], train: np.ndarray, o: argparse.Namespace, seed: int
) -> NetworkCoefficients:
    """Fit on the sequences `train`; baselines are means of random subsets of the upright stills."""
    torch.manual_seed(seed)
    cues, truth, upright, valid = (data[k][train] for k in ("cues", "truth", "upright", "valid"))
    centre, scale = cues[valid].mean(axis=0), cues[valid].std(axis=0) + 1e-6
    z = torch.tensor(np.clip((cues - centre) / scale, -CLIP, CLIP), dtype=torch.float32)
    within = (
        (
            z
            - (z * torch.tensor(valid)[..., None]).sum(1, keepdim=True)
            / torch.tensor(valid.sum(1))[:, None, None]
        )
        ** 2
    )[torch.tensor(valid)]
    jitter = o.noise * within.mean(0).sqrt()
    size = CUE_NAMES.index("log_face")
    jitter[size] = torch.hypot(jitter[size], torch.tensor(o.size_noise / scale[size], dtype=torch.float32))
    y = torch.tensor(truth / UNIT, dtype=torch.float32)
    has = torch.isfinite(y) & torch.tensor(valid)[..., None]
    y = torch.nan_to_num(y)
    up = torch.tensor(upright & valid).float()
    weights = dict(o.weight)
    share = torch.tensor([weights.get(str(c), 1.0) for c in data["camera"][train]])
    net = Network(z.shape[-1], o.hidden)
    optimizer = torch.optim.AdamW(net.parameters(), lr=o.rate, weight_decay=o.decay)
    n_batches = len(z) // o.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, o.rate, total_steps=o.epochs * n_batches + 1, pct_start=0.15
    )
    for _ in range(o.epochs):
        order = torch.randperm(len(z))
        for k in range(n_batches):
            j = order[k * o.batch : (k + 1) * o.batch]
            w = up[j] * (torch.rand(up[j].shape) < torch.rand(len(j), 1) * 0.9 + 0.1)
            w = torch.where(w.sum(1, keepdim=True) > 0, w, up[j])
            w = (w / w.sum(1, keepdim=True))[..., None]
            base, y0 = (z[j] * w).sum(1, keepdim=True), (y[j] * w).sum(1, keepdim=True)
            context = (base + o.context_noise * torch.randn_like(base)).expand(-1, N_FRAMES, -1)
            out = net(z[j] + jitter * torch.randn_like(z[j]), context)
            residual = out[..., :N_MEASURES] - net(base, context[:, :1])[..., :N_MEASURES] - (y[j] - y0)
            weight = has[j] * (1 - 0.8 * up[j])[..., None] * share[j, None, None]
            robust = nn.functional.smooth_l1_loss(
                residual, torch.zeros_like(residual), beta=0.3, reduction="none"
            )
            log_b = (out[..., N_MEASURES:] + net.e).clamp(-6, 3)
            likelihood = (
                residual.detach().abs() * torch.exp(-log_b) + log_b
            )  # Laplace: errors have long tails
            loss = ((robust + 0.1 * likelihood) * weight).sum() / weight.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    p = {k: v.detach().numpy().astype(np.float64) for k, v in net.named_parameters()}
    unit = np.concatenate([UNIT, np.ones(N_MEASURES)])
    return NetworkCoefficients(
        centre,
        scale,
        side_weights(z.shape[-1]),
        p["a"],
        p["g"],
        p["c"],
        p["b"],
        (p["o"] * unit).T,
        p["l"] * unit,
        p["e"] + np.log(UNIT),
    )


def camera_weight(text: str) -> tuple[str, float]:
    """Return a camera and how often its stills count, from ``CAMERA=WEIGHT``."""
    camera, weight = text.split("=")
    return camera, float(weight)


def merge(parts: list[NetworkCoefficients]) -> NetworkCoefficients:
    """Return one estimator that is the mean of several with the same centre and scale."""
    n = len(parts)
    first = parts[0]
    side_by_side = {
        k: np.concatenate([getattr(p, k) for p in parts], axis=-1)
        for k in ("cue_weights", "gain_weights", "context_weights", "bias")
    }
    out = np.concatenate([p.out_weights for p in parts], axis=1) / n
    linear, log_error = (
        np.mean([getattr(p, k) for p in parts], axis=0) for k in ("linear_weights", "log_error")
    )
    return NetworkCoefficients(
        first.centre, first.scale, first.side_weights, *side_by_side.values(), out, linear, log_error
    )


def predict(
    data: dict[str, np.ndarray], s: int, coefficients: NetworkCoefficients
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return estimate, standard error and truth of one sequence's frames after the first three upright ones."""
    base = np.flatnonzero(data["upright"][s] & data["valid"][s])[:3]
    # Sequences are stored as if the camera were on the positive side, which is what `make_estimator` will find.
    network = make_network(np.median(data["cues"][s][base], axis=0), coefficients)
    got = run_network(data["cues"][s], network)
    keep = data["valid"][s].copy()
    keep[base] = False
    truth = data["truth"][s] - data["truth"][s][base].mean(axis=0)
    truth[:, 4] *= network.sign[0, 4]
    values = got[:, :N_MEASURES] * np.where(keep, 1.0, np.nan)[:, None]
    return values, got[:, N_MEASURES:], np.where(keep[:, None], truth, np.nan)


def cross_validate(
    data: dict[str, np.ndarray], o: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (S, K, M) estimates, standard errors and truth, each person estimated by a fit that never saw them."""
    people = np.unique(data["subject"])
    fold_of = dict(
        zip(
            people.tolist(),
            (np.random.default_rng(o.seed).permutation(len(people)) % o.folds).tolist(),
            strict=True,
        )
    )
    fold = np.array([fold_of[int(s)] for s in data["subject"]])
    got = [np.full(data["truth"].shape, np.nan) for _ in range(3)]
    for f in range(o.folds):
        k = merge([fit(data, fold != f, o, o.seed + i) for i in range(o.members)])
        for s in np.flatnonzero(fold == f):
            for whole, part in zip(got, predict(data, s, k), strict=True):
                whole[s] = part
        print(f"fold {f + 1} of {o.folds}", flush=True)
    return got[0], got[1], got[2]


def calibration(value: np.ndarray, error: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (M,) what to add to log_error so that 95 % of left-out truths lie within 1.96 standard errors."""
    ratio = np.abs(value - truth) / error
    return np.log(np.nanquantile(ratio, 0.95, axis=(0, 1)) / 1.96)


def main() -> None:
    """Fit, validate, write."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    p.add_argument("data", type=Path, nargs="+")
    p.add_argument("--output", type=Path, default=Path("estimator.npz"))
    p.add_argument("--report", type=Path, default=Path("validation"))
    p.add_argument("--name", default="people", help="of the report's files")
    p.add_argument(
        "--face", action="store_true", help="use the face network's cues, and only frames that have them"
    )
    p.add_argument("--hidden", type=int, default=28, help="hidden units of one member")
    p.add_argument("--members", type=int, default=2, help="fits that are averaged into one estimator")
    p.add_argument("--epochs", type=int, default=120)
    p.add_argument("--batch", type=int, default=16, help="sequences")
    p.add_argument("--rate", type=float, default=4e-3)
    p.add_argument("--decay", type=float, default=1e-2)
    p.add_argument(
        "--noise", type=float, default=0.2, help="added to cues, share of their spread within a sequence"
    )
    p.add_argument(
        "--size-noise", type=float, default=0.03, help="added to log_face: chairs roll further than rendered"
    )
    p.add_argument(
        "--context-noise", type=float, default=0.3, help="added to the baseline, standard deviations"
    )
    p.add_argument(
        "--weight",
        type=camera_weight,
        action="append",
        default=[],
        metavar="CAMERA=WEIGHT",
        help="of a camera's stills: more for what is hard, or for what only this network measures",
    )
    p.add_argument("--folds", type=int, default=4)
    p.add_argument(
        "--without", choices=list(GROUPS), default="", help="ablation: a group of cues to take away"
    )
    p.add_argument("--seed", type=int, default=0)
    o = p.parse_args()
    torch.set_num_threads(1)
    data = load(o.data, o.without, with_face=o.face)
    value, error, truth = cross_validate(data, o)
    shift = calibration(value, error, truth)
    result = summarise(data, value, error * np.exp(shift), truth)
    write_report(o.report, result, separability(data, value), o, len(np.unique(data["subject"])))
    final = merge(
        [fit(data, np.ones(len(data["subject"]), dtype=bool), o, o.seed + i) for i in range(o.members)]
    )
    arrays = {k: getattr(final, k).astype(np.float32) for k in NetworkCoefficients.__dataclass_fields__}
    arrays["log_error"] = (final.log_error + shift).astype(np.float32)
    np.savez_compressed(o.output, **arrays)
    print((o.report / f"{o.name}.md").read_text())


if __name__ == "__main__":
    main()
