"""People and signals made by arithmetic, for tests that need neither a model nor a recording.

A person is a handful of rigid parts in metres: X the way the person faces, Y to the person's left, Z up,
origin between the hips. A pinhole camera looks at the person horizontally from `azimuth_deg` (0 = from the
front, 90 = from the person's left side). Angles are degrees from vertical, forward positive.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from posture.face import RIGID_FACE, RIGID_POINTS, fit_face
from posture.landmarks import N_FACE, N_LANDMARKS, ODD_FACE, Face, Landmarks, PoseLandmark

P = PoseLandmark
TRUNK_M, NECK_M, FOCAL_RATIO, HEIGHT_RATIO = 0.48, 0.19, 0.75, 0.75

# Head points in the head's own frame (forward, left, up), metres from the middle between the ears.
HEAD = {
    P.NOSE: (0.10, 0.0, -0.01),
    P.LEFT_EYE_INNER: (0.083, 0.018, 0.03),
    P.LEFT_EYE: (0.08, 0.031, 0.03),
    P.LEFT_EYE_OUTER: (0.072, 0.045, 0.03),
    P.LEFT_EAR: (0.0, 0.068, 0.0),
    P.MOUTH_LEFT: (0.083, 0.025, -0.055),
}
FACE_SCALE = 1.28
"""How much larger the face network sees a face than this head's eyes are apart: with it the size of the one face over
the other is that of the fixtures' people (median of `mesh_over_face` 0.80)."""
FACE_M = (0.055, 0.0, 0.0)
"""Middle of the face network's rigid points in the same frame."""
MAX_FACE_YAW_DEG = 60.0
"""Away from the camera; a face turned further is not seen."""
PAIRS = (
    (P.LEFT_EYE_INNER, P.RIGHT_EYE_INNER),
    (P.LEFT_EYE, P.RIGHT_EYE),
    (P.LEFT_EYE_OUTER, P.RIGHT_EYE_OUTER),
    (P.LEFT_EAR, P.RIGHT_EAR),
    (P.MOUTH_LEFT, P.MOUTH_RIGHT),
    (P.LEFT_SHOULDER, P.RIGHT_SHOULDER),
    *((i, i + 1) for i in range(P.LEFT_ELBOW, N_LANDMARKS, 2)),
)
LEFT = np.array([left for left, _ in PAIRS])
RIGHT = np.array([right for _, right in PAIRS])


def _forward(length, deg):
    """Return the vector of a part inclined by `deg`, (T, 3)."""
    rad = np.radians(deg)
    return np.stack((length * np.sin(rad), np.zeros_like(rad), length * np.cos(rad)), axis=-1)


def body(neck_deg, thoracic_deg, sink_ratio, yaw_deg, pitch_deg):
    """Return the 33 points of a person in metres, (T, 33, 3); every argument (T,)."""
    n = len(neck_deg)
    points = np.zeros((n, N_LANDMARKS, 3))
    chest = _forward(TRUNK_M, thoracic_deg)
    chest[:, 2] -= sink_ratio * TRUNK_M
    ears = chest + _forward(NECK_M, neck_deg)
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    for landmark, (forward, left, up) in HEAD.items():
        for index, side in {
            landmark: left,
            (landmark + 3 if 1 <= landmark <= 3 else landmark + 1): -left,
        }.items():
            if landmark is P.NOSE and index != landmark:
                continue
            ahead = forward * np.cos(pitch) + up * np.sin(pitch)
            height = up * np.cos(pitch) - forward * np.sin(pitch)
            turned = (
                ahead * np.cos(yaw) - side * np.sin(yaw),
                ahead * np.sin(yaw) + side * np.cos(yaw),
                height,
            )
            points[:, index] = ears + np.stack(turned, axis=-1)
    rest = {  # offsets from the chest or the hips
        P.LEFT_SHOULDER: (chest, (0.0, 0.17, 0.0)),
        P.LEFT_ELBOW: (chest, (0.08, 0.21, -0.27)),
        P.LEFT_WRIST: (chest, (0.32, 0.16, -0.27)),
        P.LEFT_HIP: (0.0 * chest, (0.0, 0.11, 0.0)),
    }
    for index in range(P.LEFT_SHOULDER, N_LANDMARKS, 2):
        if index in rest:
            origin, offset = rest[index]
        elif index < P.LEFT_HIP:
            origin, offset = chest, (0.36, 0.15, -0.27)
        else:
            origin, offset = 0.0 * chest, (0.42, 0.12, -0.02 * (index - P.LEFT_HIP))
        points[:, index] = origin + np.array(offset)
        points[:, index + 1] = origin + np.array(offset) * (1.0, -1.0, 1.0)
    return points


def face_points(ears, yaw_deg, pitch_deg):
    """Return the face network's rigid points in metres, (T, P, 3); `ears` (T, 3), the angles (T,)."""
    left, down, back = FACE_SCALE * RIGID_FACE.T / 100.0  # from centimetres
    forward, side, up = FACE_M[0] - back, FACE_M[1] + left, FACE_M[2] - down
    yaw, pitch = np.radians(yaw_deg)[:, None], np.radians(pitch_deg)[:, None]
    ahead = forward * np.cos(pitch) + up * np.sin(pitch)
    height = up * np.cos(pitch) - forward * np.sin(pitch)
    turned = (ahead * np.cos(yaw) - side * np.sin(yaw), ahead * np.sin(yaw) + side * np.cos(yaw), height)
    return ears[:, None] + np.stack(turned, axis=-1)


def measured_face(points, depth, facing_deg):
    """Return the (T, 9) fits of rigid points (T, P, 2) in image widths at a depth in metres; NaN = turned away."""
    flat = FOCAL_RATIO * (depth - depth.mean(axis=1, keepdims=True)) / depth.mean(axis=1, keepdims=True)
    face = np.full((len(points), N_FACE), np.nan)
    for t in np.flatnonzero(np.abs((facing_deg + 180.0) % 360.0 - 180.0) < MAX_FACE_YAW_DEG):
        mesh = np.zeros((468, 3))
        mesh[list(RIGID_POINTS)] = np.column_stack((points[t], flat[t]))
        face[t] = fit_face(mesh, 1.0)
    return face


def person(
    t_s,
    *,
    neck_deg=12.0,
    thoracic_deg=2.0,
    sink_ratio=0.0,
    yaw_deg=0.0,
    pitch_deg=5.0,
    shift_m=(0.0, 0.0, 0.0),
    azimuth_deg=0.0,
    distance_m=0.75,
    height_m=0.55,
    luminance=0.5,
    noise=0.0,
    seed=0,
):
    """Return T frames of a person; the posture arguments are numbers or (T,), `shift_m` (3,) or (T, 3)."""
    t_s = np.asarray(t_s, dtype=np.float64)
    posture = (neck_deg, thoracic_deg, sink_ratio, yaw_deg, pitch_deg)
    world = body(*(np.broadcast_to(np.asarray(v, dtype=np.float64), t_s.shape) for v in posture))
    azimuth = np.radians(azimuth_deg)
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    ahead = np.array([-np.cos(azimuth), -np.sin(azimuth), 0.0])
    seen = world + np.broadcast_to(np.asarray(shift_m), (len(t_s), 3))[:, None]
    depth = distance_m + seen @ ahead
    xyzv = np.empty((len(t_s), N_LANDMARKS, 4))
    xyzv[..., 0] = 0.5 + FOCAL_RATIO * (seen @ right) / depth
    xyzv[..., 1] = HEIGHT_RATIO / 2 - FOCAL_RATIO * (seen[..., 2] - height_m) / depth
    xyzv[..., 2] = (
        FOCAL_RATIO * (depth - depth[:, [P.LEFT_HIP, P.RIGHT_HIP]].mean(axis=1)[:, None]) / distance_m
    )
    ears = 0.5 * (seen[:, P.LEFT_EAR] + seen[:, P.RIGHT_EAR])
    face_m = face_points(ears, np.broadcast_to(posture[3], t_s.shape), np.broadcast_to(posture[4], t_s.shape))
    face_depth = distance_m + face_m @ ahead
    face = np.stack(
        (
            0.5 + FOCAL_RATIO * (face_m @ right) / face_depth,
            HEIGHT_RATIO / 2 - FOCAL_RATIO * (face_m[..., 2] - height_m) / face_depth,
        ),
        axis=-1,
    )
    rng = np.random.default_rng(seed)
    xyzv[..., :3] += noise * rng.normal(size=xyzv[..., :3].shape)
    inside = (np.abs(xyzv[..., 0] - 0.5) < 0.5) & (np.abs(xyzv[..., 1] - HEIGHT_RATIO / 2) < HEIGHT_RATIO / 2)
    xyzv[..., 3] = np.where(inside, 0.99, 0.1)
    return Landmarks(
        t_s,
        xyzv,
        np.stack((world @ right, -world[..., 2], world @ ahead), axis=-1),
        np.broadcast_to(np.asarray(luminance, dtype=np.float64), t_s.shape).copy(),
        np.full(t_s.shape, HEIGHT_RATIO),
        face=measured_face(
            face + noise * rng.normal(size=face.shape),
            face_depth,
            np.asarray(yaw_deg) - azimuth_deg + 0.0 * t_s,
        ),
    )


def without_person(landmarks, rows):
    """Return `landmarks` with nobody in the frames `rows`."""
    xyzv, world_m, face = landmarks.xyzv.copy(), landmarks.world_m.copy(), landmarks.face.copy()
    xyzv[rows], world_m[rows], face[rows] = np.nan, np.nan, np.nan
    return dataclasses.replace(landmarks, xyzv=xyzv, world_m=world_m, face=face)


def without_picture(landmarks, rows):
    """Return `landmarks` with no picture in the frames `rows`."""
    empty = without_person(landmarks, rows)
    luminance, height_ratio = empty.luminance.copy(), empty.height_ratio.copy()
    luminance[rows], height_ratio[rows] = np.nan, np.nan
    return dataclasses.replace(empty, luminance=luminance, height_ratio=height_ratio)


def mirrored(landmarks):
    """Return what a mirrored camera sees of the mirrored person."""
    xyzv, world_m = landmarks.xyzv.copy(), landmarks.world_m.copy()
    for points, side in ((xyzv, 1.0 - xyzv[..., 0]), (world_m, -world_m[..., 0])):
        points[..., 0] = side
        points[:, np.r_[LEFT, RIGHT]] = points[:, np.r_[RIGHT, LEFT]]
    face = landmarks.face.copy()
    face[:, Face.CENTRE_X] = 1.0 - face[:, Face.CENTRE_X]
    face[:, ODD_FACE] *= -1.0
    return dataclasses.replace(landmarks, xyzv=xyzv, world_m=world_m, face=face)


def scaled(landmarks, factor):
    """Return `landmarks` zoomed about the middle of the picture; sizes of the body stay."""
    xyzv = landmarks.xyzv.copy()
    middle = np.stack((np.full(len(landmarks), 0.5), landmarks.height_ratio / 2), axis=-1)[:, None]
    xyzv[..., :2] = middle + factor * (xyzv[..., :2] - middle)
    xyzv[..., 2] *= factor
    face = factor * landmarks.face
    face[:, : Face.AX_X] += (1.0 - factor) * middle[:, 0]
    return dataclasses.replace(landmarks, xyzv=xyzv, face=face)


def signal(pieces, times):
    """Return a piecewise-constant signal at `times`; `pieces` are (duration_s, value), the last one goes on."""
    ends = np.cumsum([duration for duration, _ in pieces])[:-1]
    return [pieces[i][1] for i in np.searchsorted(ends, times, side="right")]


def steady_times(rate_hz, end_s):
    """Return the frame times of a camera that keeps its rate, from 0 to before `end_s`."""
    return [k / rate_hz for k in range(int(np.ceil(end_s * rate_hz)))]


def jittered_times(rate_hz, end_s, seed, jitter=0.9):
    """Return irregular frame times, steps between (1 - jitter) and (1 + jitter) of the mean one."""
    rng = np.random.default_rng(seed)
    steps = (1.0 + jitter * rng.uniform(-1.0, 1.0, size=int(4 * end_s * rate_hz) + 4)) / rate_hz
    times = np.concatenate(([0.0], np.cumsum(steps)))
    return [float(t) for t in times[times < end_s]]
