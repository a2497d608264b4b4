"""How well a baseline of another person or camera is told, on rendered people: the figures of docs/profiles.md.

    python benchmarks/evaluate_fit.py

The limits in `posture/fit.py` are read off the people of `models/training/people_1.npz`; what they achieve is measured
on those of `people_2.npz`, whom they have not seen. A query is the median of one posture's stills of one person before
one camera, a baseline that of their first upright ones.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from posture import fit
from posture.cues import CUE_NAMES, compute_cues

TRAINING = Path(__file__).parents[1] / "models" / "training"
SLOUCHES = ("slump", "sag", "turtle", "lean")
N_OTHERS = 6
SEED = 0


def load(path: Path) -> dict[tuple[int, str], list[tuple[str, np.ndarray, np.ndarray]]]:
    """Return the queries of every person and camera: posture, cues, place; the first is the baseline."""
    data = np.load(path)
    n = len(data["subject"])
    xyzv, world = np.zeros((n, 33, 4)), np.zeros((n, 33, 3))
    xyzv[:, :13, :2], xyzv[:, 23:25, :2] = data["points"][:, :13], data["points"][:, 13:]
    xyzv[:, 23:25, 3] = data["hip_visibility"]
    world[:, 11] = data["shoulder_line_m"]
    cues = compute_cues(xyzv, world)
    place = np.zeros((n, 5))
    place[:, :2] = (xyzv[:, 11, :2] + xyzv[:, 12, :2]) / 2
    place[:, 2] = cues[:, CUE_NAMES.index("shoulder_width")] * np.exp(cues[:, CUE_NAMES.index("log_face")])
    good = np.isfinite(cues[:, 0])
    found = {}
    for subject in np.unique(data["subject"]):
        for camera in np.unique(data["camera"]):
            rows = (data["subject"] == subject) & (data["camera"] == camera) & good
            upright = np.flatnonzero(rows & data["upright"])
            if len(upright) < 4:
                continue
            groups = [("baseline", upright[:3]), ("upright", upright[3:])]
            others = rows & ~data["upright"]
            groups += [
                (p, np.flatnonzero(others & (data["posture"] == p)))
                for p in np.unique(data["posture"][others])
            ]
            found[int(subject), str(camera)] = [
                (name, np.median(cues[i], axis=0), np.median(place[i], axis=0))
                for name, i in groups
                if len(i)
            ]
    return found


def compare(base: tuple, query: tuple) -> fit.Fit:
    """Return the fit of one query to one baseline."""
    return fit._compare(
        SimpleNamespace(cue_centre=base[1], place_centre=base[2]), query[1][fit._COLUMNS], query[2], 99
    )


def show_limits(people: dict) -> None:
    """Print the 98th percentiles of one person's changes before one camera."""
    changes = [np.abs(q[1] - qs[0][1]) for qs in people.values() for q in qs[1:]]
    limits = np.percentile(changes, 98, axis=0)
    for name in fit.LIMITS:
        print(f"| {name} | {limits[CUE_NAMES.index(name)]:.3f} |")


def main() -> None:
    rng = np.random.default_rng(SEED)
    show_limits(load(TRAINING / "people_1.npz"))
    people = load(TRAINING / "people_2.npz")
    subjects = sorted({s for s, _ in people})
    cameras = sorted({c for _, c in people})
    own = [(q[0], compare(qs[0], q).score) for qs in people.values() for q in qs[1:]]
    print("\n| one's own | refused |\n|---|---|")
    for told, names in (("upright", ("upright",)), ("slouches", SLOUCHES), ("every posture", None)):
        scores = [s for p, s in own if names is None or p in names]
        print(f"| {told} ({len(scores)}) | {np.mean(np.array(scores) > 1):.1%} |")
    print("\n| another person, the same kind of camera | refused |\n|---|---|")
    for camera in cameras:
        scores = []
        for subject in subjects:
            for other in rng.choice(subjects, N_OTHERS):
                if other != subject and {(subject, camera), (other, camera)} <= people.keys():
                    base = people[subject, camera][0]
                    scores += [compare(base, q).score for q in people[other, camera][1:]]
        print(f"| {camera} ({len(scores)}) | {np.mean(np.array(scores) > 1):.0%} |")
    print("\n| the same person, calibrated before (row), seen by (column) |" + " | ".join(cameras) + " |")
    print("|---|" + "---|" * len(cameras))
    for a in cameras:
        cells = []
        for b in cameras:
            scores = [
                compare(people[s, a][0], q).score
                for s in subjects
                if {(s, a), (s, b)} <= people.keys()
                for q in people[s, b][1:]
            ]
            cells.append(f"{np.mean(np.array(scores) > 1):.0%}")
        print(f"| {a} | " + " | ".join(cells) + " |")
    right = {"person": [0, 0], "camera": [0, 0]}
    for (subject, camera), qs in people.items():
        mates = [int(o) for o in rng.choice(subjects, 3) if o != subject and (int(o), camera) in people]
        by_person = [people[o, camera][0] for o in mates]
        by_camera = [people[subject, c][0] for c in cameras if c != camera and (subject, c) in people]
        for kind, rivals in (("person", by_person), ("camera", by_camera)):
            for q in qs[1:]:
                mine = compare(qs[0], q).distance
                right[kind][0] += all(mine < compare(r, q).distance for r in rivals)
                right[kind][1] += 1
    for kind, (n_right, n) in right.items():
        print(f"\nchoosing one's own among {kind}s: right in {n_right / n:.0%} of {n}")


if __name__ == "__main__":
    main()
