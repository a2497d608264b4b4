"""Speed of this program on this machine, as ratios taken in one run.

Absolute times say little on a busy machine; every figure here is set against something plain that is
measured in the same seconds: the bare inference loop, or a copy of the same bytes.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from posture.angles import compute_angles
from posture.bundled import MODEL_NAME, asset_path
from posture.calibration import fit_baseline
from posture.capture import import_cv2
from posture.coefficients import packaged_coefficients
from posture.deviation import compute_deviation, make_estimator
from posture.face_network import FaceNetwork
from posture.landmarker import PoseLandmarker
from posture.landmarks import Landmarks, concatenate
from posture.observer import Observer
from posture.pipeline import Pipeline
from posture.scene import SceneWatch
from posture.settings import Settings
from posture.sources import open_source
from posture.stderr import quiet_stderr

CALIBRATION_S = 5.0
"""Seconds of the clip that are taken as upright."""
SMALL_PX = (160, 120)
"""Picture that the camera-move figure is of."""
N_STEPS = 2000
"""Single steps timed for the median."""
N_BATCH = 200_000
"""Frames of the batch figure: 380 MB of landmarks, far more than any cache."""

_FIRST_FRAME = """
import sys
from posture import FaceNetwork, Observer, Pipeline, PoseLandmarker, Reason, Settings, load_baseline, open_source
pipeline = Pipeline(Settings(), load_baseline(__import__("pathlib").Path(sys.argv[2])))
with open_source(sys.argv[1]) as source, Observer(PoseLandmarker(), face_network=FaceNetwork()) as observer:
    for frame in source:
        if pipeline.step(observer.detect(frame)).reason is Reason.NONE:
            break
"""


def measure(clip: Path, repeat: int) -> Iterator[str]:
    """Yield one line per figure, as soon as it is known.

    Parameters
    ----------
    clip : Path
        A clip that begins with a person sitting upright.
    repeat : int
        Passes over the clip for the replay figure.

    Raises
    ------
    PostureError
        If the clip cannot be read or shows nobody to calibrate on.
    """
    landmarks, ours_s, bare_s = _replay_against_bare(clip, repeat)
    n = len(landmarks) * repeat
    yield (
        f"replay / bare loop      {ours_s / bare_s:.3f}   ({1e3 * ours_s / n:.1f} / {1e3 * bare_s / n:.1f} ms of CPU "
        f"a frame, {n} frames, alternating, without the face; wanted: at most 1.10)"
    )
    pose_s, face_s = _face_against_pose(clip)
    yield (
        f"face / pose network     {face_s / pose_s:.3f}   ({1e3 * face_s:.1f} / {1e3 * pose_s:.1f} ms of CPU a frame, "
        "medians, alternating)"
    )
    step_us, copy_us = _step(landmarks)
    yield f"one step                {step_us:.0f} us  ({step_us / copy_us:.0f} x copying its bytes; wanted: <= 150 us)"
    frames_hz, copies_hz = _batch(landmarks)
    yield (
        f"batch                   {frames_hz:,.0f} frames/s  ({copies_hz / frames_hz:.1f} x copying their bytes; "
        "landmarks to deviations; wanted: at least 500,000)"
    )
    look_us, copy_us = _background(clip, landmarks)
    yield (
        f"camera moved?           {look_us / 1e3:.2f} ms  ({look_us / copy_us:.0f} x copying the picture, 160x120; "
        "wanted: at most 1 ms)"
    )
    yield f"start to first judgement  {_first_judgement_s(clip, landmarks):.2f} s  (a new process; wanted: at most 3)"


def _replay_against_bare(clip: Path, repeat: int) -> tuple[Landmarks, float, float]:
    """Return the clip's landmarks, and the CPU seconds of the whole pipeline and of bare inference.

    The two advance in turns, frame by frame, so that whatever else the machine does hits both.
    """
    ours_s = bare_s = 0.0
    seen: list[Landmarks] = []
    for _ in range(repeat):
        seen = []
        ours, bare = _ours(clip, seen), _bare(clip)
        next(ours), next(bare)  # the first frame loads the model
        while True:
            start_s = time.process_time()
            is_over = next(ours, None) is None
            middle_s = time.process_time()
            is_over |= next(bare, None) is None
            if is_over:
                break
            ours_s += middle_s - start_s
            bare_s += time.process_time() - middle_s
    return concatenate(seen), ours_s, bare_s


def _face_against_pose(clip: Path) -> tuple[float, float]:
    """Return the CPU seconds of the pose model and of the face network, medians over the clip's frames."""
    network, spent = FaceNetwork(), []
    with open_source(str(clip)) as source, PoseLandmarker() as landmarker:
        for frame in source:
            start_s = time.process_time()
            landmarks = landmarker.detect(frame)
            middle_s = time.process_time()
            if frame.image_rgb is not None and landmarks.xyzv[0, 0, 0] > 0.0:
                network.measure(frame.image_rgb, landmarks.xyzv[0])
                spent.append((middle_s - start_s, time.process_time() - middle_s))
    pose_s, face_s = np.median(spent[1:], axis=0)  # the first frame warms up
    return float(pose_s), float(face_s)


def _ours(clip: Path, seen: list[Landmarks]) -> Iterator[bool]:
    """Judge the clip, one frame per step; the landmarks go to `seen`."""
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, CALIBRATION_S))
    with open_source(str(clip)) as source, Observer(PoseLandmarker()) as observer:
        for frame in source:
            seen.append(observer.detect(frame))
            pipeline.step(seen[-1])
            yield True


def _bare(clip: Path) -> Iterator[bool]:
    """Read and infer, nothing else, one frame per step."""
    cv2 = import_cv2()
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(asset_path(MODEL_NAME))),
        running_mode=vision.RunningMode.VIDEO,
    )
    capture = cv2.VideoCapture(str(clip))
    with contextlib.ExitStack() as stack:
        with quiet_stderr():
            landmarker = stack.enter_context(vision.PoseLandmarker.create_from_options(options))
        for t_ms in range(0, 10**9, 100):
            ok, image = capture.read()
            if not ok:
                break
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            with quiet_stderr(t_ms == 0):
                landmarker.detect_for_video(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb), t_ms)
            yield True
    capture.release()


def _step(landmarks: Landmarks) -> tuple[float, float]:
    """Return the median microseconds of one pipeline step and of copying one frame's landmarks."""
    pipeline = Pipeline(Settings(), calibrate_span_s=(0.0, CALIBRATION_S))
    frames = [landmarks[t : t + 1] for t in range(len(landmarks))]
    steps: list[float] = []
    copies: list[float] = []
    while len(steps) < N_STEPS:
        pipeline.reset()
        for frame in frames:
            start_s = time.perf_counter()
            pipeline.step(frame)
            middle_s = time.perf_counter()
            frame.xyzv.copy()
            copies.append(time.perf_counter() - middle_s)
            if pipeline.baseline is not None:
                steps.append(middle_s - start_s)
    return 1e6 * median(steps), 1e6 * median(copies)


def _background(clip: Path, landmarks: Landmarks) -> tuple[float, float]:
    """Return the median microseconds of a look at the background at 160x120, and of copying that picture."""
    cv2 = import_cv2()
    watch = SceneWatch()
    looks: list[float] = []
    copies: list[float] = []
    with open_source(str(clip)) as source:
        for frame, xyzv in zip(source, landmarks.xyzv, strict=False):
            if frame.image_rgb is None:
                continue
            small = cv2.resize(frame.image_rgb, SMALL_PX, interpolation=cv2.INTER_AREA)
            start_s = time.perf_counter()
            watch.step(frame.t_s, small, xyzv)
            middle_s = time.perf_counter()
            small.copy()
            copies.append(time.perf_counter() - middle_s)
            if watch.has_reference:
                looks.append(middle_s - start_s)
    return 1e6 * median(looks), 1e6 * median(copies)


def _batch(landmarks: Landmarks) -> tuple[float, float]:
    """Return frames per second from landmarks to deviations, and of copying the landmarks."""
    baseline = fit_baseline(landmarks[: int(np.searchsorted(landmarks.t_s, CALIBRATION_S))], Settings().judge)
    estimator = make_estimator(baseline.cue_centre, packaged_coefficients())
    many = concatenate([landmarks] * (N_BATCH // len(landmarks) + 1))[:N_BATCH]
    work_s: list[float] = []
    copy_s: list[float] = []
    for _ in range(3):
        start_s = time.perf_counter()
        compute_deviation(compute_angles(many).cues, estimator)
        middle_s = time.perf_counter()
        many.xyzv.copy()
        copy_s.append(time.perf_counter() - middle_s)
        work_s.append(middle_s - start_s)
    return N_BATCH / min(work_s), N_BATCH / min(copy_s)


def _first_judgement_s(clip: Path, landmarks: Landmarks) -> float:
    """Return the seconds from starting a process to its first judged frame, best of three."""
    import tempfile

    from posture.profiles import save_baseline

    end = int(np.searchsorted(landmarks.t_s, CALIBRATION_S))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        save_baseline(path, fit_baseline(landmarks[:end], Settings().judge))
        taken = []
        for _ in range(3):
            start_s = time.perf_counter()
            subprocess.run([sys.executable, "-c", _FIRST_FRAME, str(clip), str(path)], check=True)
            taken.append(time.perf_counter() - start_s)
    return min(taken)
