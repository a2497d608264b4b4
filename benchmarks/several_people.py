"""What following two people at once would cost, against following one and looking again when it is somebody else.

    python benchmarks/several_people.py CLIPS...

`CLIPS` are clips of one person with the truth beside them (``.json`` with ``frames``, ``fps``, ``baseline_s``). For
MediaPipe's `num_poses` 1 and 2: CPU time a frame, mean absolute error of the deviations, and how much they scatter
from frame to frame while nothing moves (median of |second difference|: a steady drift counts nothing). The two
advance frame by frame in turns, so that whatever else the machine does hits both. A full look at a still picture
(IMAGE mode, up to four people), as :mod:`posture.follower` takes when somebody else was followed, is timed beside them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from posture.angles import compute_angles
from posture.bundled import MODEL_NAME, asset_path
from posture.calibration import fit_baseline
from posture.coefficients import packaged_coefficients
from posture.deviation import compute_deviation, make_estimator
from posture.landmarks import Landmarks, concatenate, no_person
from posture.settings import Settings
from posture.sources import open_source
from posture.stderr import quiet_stderr


def make(mode: Any, num_poses: int) -> Any:
    """Return MediaPipe's landmarker with this program's other options."""
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(asset_path(MODEL_NAME))),
        running_mode=mode,
        num_poses=num_poses,
        min_pose_detection_confidence=0.5,
        min_pose_presence_confidence=0.5,
        min_tracking_confidence=0.5,
    )
    return vision.PoseLandmarker.create_from_options(options)


def rows(result: Any, t_s: float, height_ratio: float) -> Landmarks:
    """Return the largest of the people found as one row."""
    found = []
    for points, world in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
        xyzv = np.array([[(p.x, p.y * height_ratio, p.z, p.visibility) for p in points]])
        world_m = np.array([[(p.x, p.y, p.z) for p in world]])
        found.append(Landmarks(np.array([t_s]), xyzv, world_m, np.array([0.5]), np.array([height_ratio])))
    if not found:
        return no_person(t_s, 0.5, height_ratio)
    return max(found, key=lambda one: abs(one.xyzv[0, 11, 0] - one.xyzv[0, 12, 0]))


def measure(clip: Path) -> tuple[dict[str, list[Landmarks]], dict[str, float], int]:
    """Return the landmarks of a clip by either, and the CPU seconds of each."""
    with quiet_stderr(True):
        natives = {"1": make(vision.RunningMode.VIDEO, 1), "2": make(vision.RunningMode.VIDEO, 2)}
        look = make(vision.RunningMode.IMAGE, 4)
        seen: dict[str, list[Landmarks]] = {"1": [], "2": []}
        cpu_s = {"1": 0.0, "2": 0.0, "look": 0.0}
        n_looks = 0
        with open_source(str(clip)) as source:
            for frame in source:
                image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame.image_rgb))
                height_ratio = image.height / image.width
                for name, native in natives.items():
                    start_s = time.process_time()
                    result = native.detect_for_video(image, round(frame.t_s * 1000))
                    if seen[name]:  # the first frame loads the model
                        cpu_s[name] += time.process_time() - start_s
                    seen[name].append(rows(result, frame.t_s, height_ratio))
                if len(seen["1"]) % 10 == 0:
                    start_s = time.process_time()
                    look.detect(image)
                    if n_looks:
                        cpu_s["look"] += time.process_time() - start_s
                    n_looks += 1
        for native in (*natives.values(), look):
            native.close()
    n = len(seen["1"]) - 1
    return seen, {"1": cpu_s["1"] / n, "2": cpu_s["2"] / n, "look": cpu_s["look"] / (n_looks - 1)}, n


def errors(landmarks: Landmarks, truth: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 2) errors of neck and thoracic deviation, and (m, 2) second differences at rest, degrees."""
    start_s, end_s = truth["baseline_s"]
    t_s, fps, frames = landmarks.t_s, truth["fps"], truth["frames"]
    baseline = fit_baseline(landmarks[int(start_s * fps) : int(end_s * fps)], Settings().judge)
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    values = compute_deviation(compute_angles(landmarks).cues, estimator).values[:, :2]
    names = ("neck_deg", "thoracic_deg")
    first = [fmean(f[n] for i, f in enumerate(frames) if start_s <= i / fps < end_s) for n in names]
    n = min(len(t_s), len(frames))
    true = np.array([[f[name] for name in names] for f in frames[:n]]) - first
    settled = np.array([f["settled"] and f["present"] and i / fps >= end_s for i, f in enumerate(frames[:n])])
    scatter = np.abs(np.diff(values[:n], n=2, axis=0))[settled[2:] & settled[1:-1] & settled[:-2]]
    return (values[:n] - true)[settled], scatter


def main() -> None:
    """Measure the clips and print a table."""
    parser = argparse.ArgumentParser(description="The cost of following two people at once.")
    parser.add_argument("clips", nargs="+", type=Path)
    totals: dict[str, list[np.ndarray]] = {"1": [], "2": []}
    scatters: dict[str, list[np.ndarray]] = {"1": [], "2": []}
    costs: list[dict[str, float]] = []
    for clip in parser.parse_args().clips:
        seen, cost, _ = measure(clip)
        truth = json.loads(clip.with_suffix(".json").read_text(encoding="utf-8"))
        for name, parts in seen.items():
            error, scatter = errors(concatenate(parts), truth)
            totals[name].append(error)
            scatters[name].append(scatter)
        costs.append(cost)
        print(clip.stem, {name: round(1e3 * value, 1) for name, value in cost.items()}, flush=True)
    for name in ("1", "2"):
        mae = np.nanmean(np.abs(np.concatenate(totals[name])), axis=0)
        scatter = np.nanmedian(np.concatenate(scatters[name]), axis=0)
        cpu_ms = 1e3 * fmean(cost[name] for cost in costs)
        print(
            f"num_poses {name}: {cpu_ms:.1f} ms of CPU a frame, error {mae[0]:.2f} / {mae[1]:.2f} degrees, "
            f"scatter {scatter[0]:.2f} / {scatter[1]:.2f} degrees"
        )
    ratio = fmean(cost["2"] for cost in costs) / fmean(cost["1"] for cost in costs)
    look_ms = 1e3 * fmean(cost["look"] for cost in costs)
    print(f"two cost {ratio:.2f} times one; a full look {look_ms:.1f} ms")


if __name__ == "__main__":
    main()
