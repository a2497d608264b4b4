"""From landmarks to the cues of one frame: what the estimator looks at. Pure; no I/O.

Every cue is a ratio of lengths in one picture, a direction cosine or a logarithm of a size. None is an absolute
position in the picture: chairs roll. Lengths are measured in *face units*: the size of the face as a
weak-perspective fit of a rigid face finds it, so that turning or nodding the head changes it little.

A cue is *even* when mirroring the picture and swapping left and right landmarks leaves it alone, *odd* when that
flips its sign (:data:`PARITY`); :mod:`posture.deviation` uses this to be exactly mirror symmetric.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posture.landmarks import N_FACE, FloatArray

# A face as the pose model sees it: median of its world landmarks relative to the middle of the tragi, centimetres,
# made symmetric (people of `models/training`, upright, frontal cameras). x to the person's left, y down, z away
# from the camera; rows 0-10 of the BlazePose topology: nose, three points of each eye, ears, mouth corners.
FACE_CM: Final = np.array(
    [
        [0.0, 1.5, -11.9],
        [1.0, -1.45, -10.3],
        [2.2, -1.55, -10.25],
        [3.2, -1.6, -10.3],
        [-1.0, -1.45, -10.3],
        [-2.2, -1.55, -10.25],
        [-3.2, -1.6, -10.3],
        [7.1, -0.8, 0.0],
        [-7.1, -0.8, 0.0],
        [2.1, 4.75, -8.4],
        [-2.1, 4.75, -8.4],
    ]
)

VECTORS: Final = (
    *("ears", "shoulders", "neck", "face", "nose", "eyes", "mouth"),
    *("eye_corners", "mouth_corners", "face_x", "face_y", "face_z"),
)
"""Vectors of the picture, each giving an x and a y cue: see :data:`CUES`."""
_N_POINTS = 13  # nose to right shoulder
_SPREAD_VECTORS = frozenset(
    {"ears", "shoulders", "eye_corners", "mouth_corners", "face_x"}
)  # left minus right

CUES: Final[dict[str, str]] = {
    # Vectors over face units; x to the right of the picture, y down.
    "ears_x": "right to left tragus",
    "shoulders_x": "right to left shoulder",
    "neck_x": "mid-shoulder to mid-tragus",
    "face_middle_x": "mid-shoulder to the middle of eleven face points",
    "nose_x": "mid-tragus to nose: the head's yaw",
    "eyes_x": "mid-tragus to the middle of the eyes",
    "mouth_x": "mid-tragus to the middle of the mouth",
    "eye_corners_x": "right to left outer eye corner",
    "mouth_corners_x": "right to left mouth corner",
    "face_x_x": "picture x of the face's own leftward axis: cosine of the head's yaw",
    "face_y_x": "picture x of the face's own downward axis: the head's roll",
    "face_z_x": "picture x of the face's own backward axis: sine of the head's yaw",
    "ears_y": "right to left tragus, downwards: the head's roll",
    "shoulders_y": "right to left shoulder, downwards: shoulder tilt",
    "neck_y": "mid-shoulder to mid-tragus, downwards: minus the ear-shoulder gap",
    "face_middle_y": "mid-shoulder to the middle of the face, downwards",
    "nose_y": "mid-tragus to nose, downwards: the head's pitch",
    "eyes_y": "mid-tragus to eyes, downwards",
    "mouth_y": "mid-tragus to mouth, downwards",
    "eye_corners_y": "right to left outer eye corner, downwards",
    "mouth_corners_y": "right to left mouth corner, downwards",
    "face_x_y": "picture y of the face's own leftward axis: the head's roll",
    "face_y_y": "picture y of the face's own downward axis: cosine of the head's pitch",
    "face_z_y": "picture y of the face's own backward axis: minus sine of the head's pitch",
    # Sizes, shoulders and the trunk.
    "log_face": "logarithm of the face unit in image widths: nearer is larger",
    "shoulder_width": "shoulder width with its yaw taken out, face units: head nearer than shoulders is smaller",
    "shoulder_cos": "cosine of the shoulder line's yaw in the world landmarks: 1 = square to the camera",
    "shoulder_sin": "sine of the same: plus = left shoulder further away",
    "neck_over_shoulder_y": "neck_y over the shoulder width instead of the face",
    "neck_over_shoulder_x": "neck_x over the shoulder width instead of the face",
    "neck_length": "length of the neck vector, face units: foreshortening",
    "neck_sine": "sine of the neck vector's angle from the picture's vertical, to the right positive",
    "hips_seen": "geometric mean of the hips' visibilities, 0-1; weighs the cues below",
    "trunk_x": "mid-hip to mid-shoulder, face units, times hips_seen",
    "trunk_y": "mid-hip to mid-shoulder, downwards, face units, times hips_seen",
    "trunk_sine": "sine of the trunk's angle from the picture's vertical, to the right positive, times hips_seen",
    "hips_x": "right to left hip, face units, times hips_seen",
    # The face as its own network sees it (:mod:`posture.face`); NaN where it does not.
    "mesh_x_x": "picture x of its leftward axis: cosine of the head's yaw",
    "mesh_x_y": "picture y of its leftward axis: the head's roll",
    "mesh_y_x": "picture x of its downward axis: the head's roll",
    "mesh_y_y": "picture y of its downward axis: cosine of the head's pitch",
    "mesh_z_x": "picture x of its backward axis: sine of the head's yaw",
    "mesh_z_y": "picture y of its backward axis: minus sine of the head's pitch",
    "mesh_over_face": "logarithm of its scale over the face unit",
    "mesh_size_over_face": "logarithm of its size in three dimensions over the face unit",
    "mesh_over_shoulder": "logarithm of its scale over the shoulder width as the picture shows it",
    "mesh_size_over_shoulder": "logarithm of its size over the same: head nearer than shoulders is larger",
    "mesh_above_x": "mid-shoulder to its middle, over its size",
    "mesh_above_y": "mid-shoulder to its middle, downwards, over its size",
    "mesh_ears_x": "mid-tragus to its middle, over its size",
    "mesh_ears_y": "mid-tragus to its middle, downwards, over its size",
}
"""Name and meaning of every column of :func:`compute_cues`, in order."""
N_CUES: Final = len(CUES)
CUE_NAMES: Final = tuple(CUES)
N_POSE_CUES: Final = CUE_NAMES.index("mesh_x_x")
"""So many of them come from the pose landmarks alone; the rest need the face network."""

_ODD = {f"{v}_y" for v in _SPREAD_VECTORS} | {
    f"{v}_x" for v in VECTORS if v not in _SPREAD_VECTORS and v != "face"
}
_ODD |= {"face_middle_x", "shoulder_sin", "neck_over_shoulder_x", "neck_sine", "trunk_x", "trunk_sine"}
_ODD |= {"mesh_x_y", "mesh_y_x", "mesh_z_x", "mesh_above_x", "mesh_ears_x"}
PARITY: Final = np.array([-1.0 if name in _ODD else 1.0 for name in CUES])
"""(Q,) +1 even, -1 odd under mirroring."""

MIN_FACE: Final = 5e-3
"""Image widths a face unit must exceed: 3 px of 640, a collapsed pose. Smallest in `models/training`: 25 px."""
MIN_SHOULDER_COS: Final = 0.3
"""Shoulder yaw is taken out of the width up to 73 degrees; seen end-on the width says nothing about size."""
MAX_COORDINATE: Final = 3.0
"""Image widths; landmarks further outside the picture are not believed."""
_TINY = 1e-12
_LEAST: Final = np.array(
    [[MIN_FACE], [0.05], [_TINY]]
)  # face unit, shoulder_width, square of a line in the world


def fit_weights(points: FloatArray) -> FloatArray:
    """Return (3, P) weights that turn a picture of a rigid body's P points into the rows of scale times rotation.

    Parameters
    ----------
    points : ndarray, shape (P, 3)
        The rigid body; its middle does not matter.

    Returns
    -------
    ndarray, shape (3, P)
        Of the weak-perspective fit, for a picture's points minus their middle.
    """
    centred = points - points.mean(axis=0)
    return np.asarray(np.linalg.pinv(centred) * np.sqrt((centred**2).sum() / 3.0))


def _vector_weights() -> FloatArray:
    """Return (13, 14) weights of the first 13 points: :data:`VECTORS` in image widths, shoulder and ear middles."""
    nose, eyes, ears, mouth, shoulders = (0,), (1, 2, 3, 4, 5, 6), (7, 8), (9, 10), (11, 12)

    def mean(rows: tuple[int, ...]) -> FloatArray:
        w = np.zeros(_N_POINTS)
        w[list(rows)] = 1.0 / len(rows)
        return w

    ear_middle, shoulder_middle = mean(ears), mean(shoulders)
    fit = fit_weights(FACE_CM)
    axes = np.zeros((_N_POINTS, 3))
    axes[:11] = fit.T - fit.T.mean(axis=0)
    columns = [
        mean((7,)) - mean((8,)),
        mean((11,)) - mean((12,)),
        ear_middle - shoulder_middle,
        mean(tuple(range(11))) - shoulder_middle,
        mean(nose) - ear_middle,
        mean(eyes) - ear_middle,
        mean(mouth) - ear_middle,
        mean((3,)) - mean((6,)),
        mean((9,)) - mean((10,)),
    ]
    return np.column_stack([*columns, axes, shoulder_middle, ear_middle])


_WEIGHTS: Final = _vector_weights()


@np.errstate(all="ignore")
def compute_cues(xyzv: FloatArray, world_m: FloatArray, face: FloatArray | None = None) -> FloatArray:
    """Compute the cues of every frame.

    Stateless and elementwise in time: T = 1 gives the same bits as the whole clip.

    Parameters
    ----------
    xyzv : ndarray, shape (T, 33, 4)
        x (right), y (down), z in image widths, and visibility.
    world_m : ndarray, shape (T, 33, 3)
        The model's own metres; used only for the direction of the shoulder line.
    face : ndarray, shape (T, 9), optional
        :attr:`posture.landmarks.Landmarks.face`; NaN = no face seen, and so is None.

    Returns
    -------
    ndarray, shape (T, Q)
        Columns as in :data:`CUES`; the last ones are NaN where no face was seen. The whole row is NaN where a landmark
        of the head or shoulders is missing, where the face or the shoulders have collapsed to a point, or where a
        point lies absurdly far outside.
    """
    cues = np.empty((len(xyzv), N_CUES))
    if len(cues):
        fill_cues(cues, xyzv, world_m, np.full((len(cues), N_FACE), np.nan) if face is None else face)
    return cues


def fill_cues(cues: FloatArray, xyzv: FloatArray, world_m: FloatArray, face: FloatArray) -> FloatArray:
    """Fill `cues`, (T, Q), T > 0, as :func:`compute_cues` does; return the middles of shoulders and ears, (2, 2, T).

    Numpy's warnings are the caller's to silence. Time is the last axis while working: numpy then does a quantity of
    all frames in one go.
    """
    rows = np.empty((N_CUES, len(xyzv)))
    points = np.ascontiguousarray(xyzv[:, :_N_POINTS, :2].transpose(1, 2, 0))  # (13, 2, T)
    vectors = np.einsum("qn,qp->pn", points.reshape(_N_POINTS, -1), _WEIGHTS, optimize=False)
    vectors = vectors.reshape(14, 2, -1)
    squares = vectors * vectors
    squares = squares[:, 0] + squares[:, 1]
    unit = np.sqrt((squares[9] + squares[10] + squares[11]) * 0.5)
    shoulders, neck = np.sqrt(squares[1:3])  # lengths in image widths
    np.divide(vectors[:12].transpose(1, 0, 2), unit, out=rows[:24].reshape(2, 12, -1))

    # Shoulders and neck.
    line = (world_m[:, 11] - world_m[:, 12]).T
    wx2, wy2, wz2 = line * line
    flat = wx2 + wz2
    seen_cos = np.sqrt((wx2 + wy2) / (flat + wy2))
    width = shoulders / (np.maximum(seen_cos, MIN_SHOULDER_COS) * unit)
    rows[25] = width
    rows[26:28] = line[::2] / np.sqrt(flat)
    rows[28:30] = rows[14:1:-12] / width  # neck_y and neck_x
    rows[30] = neck / unit
    rows[31] = vectors[2, 0] / neck

    # Trunk and hips.
    hips = xyzv[:, 23:25].transpose(1, 2, 0)  # (2, 4, T)
    visible = np.maximum(hips[:, 3], 0.0)
    seen = np.sqrt(visible[0] * visible[1])
    middles: FloatArray = vectors[12:]
    trunk = (middles[0] - (hips[0, :2] + hips[1, :2]) * 0.5) / unit
    squares = trunk * trunk
    rows[32] = seen
    rows[33:35] = seen * trunk
    rows[35] = rows[33] / np.sqrt(squares[0] + squares[1] + _TINY)
    rows[36] = seen * (hips[0, 0] - hips[1, 0]) / unit

    # The face as its own network sees it; all logarithms in one go.
    face = face.T
    axes, size = face[2:8], face[8]
    scale = np.sqrt(np.add.reduce(axes * axes) * 0.5)  # of six: numpy adds fewer than eight in order
    logs = np.log(np.concatenate((scale, size, unit, shoulders))).reshape(4, -1)
    rows[24] = logs[2]
    rows[37:43] = axes / scale
    rows[43:47] = (logs[:2] - logs[2:, None]).reshape(4, -1)
    rows[47:] = ((face[:2] - middles) / size).reshape(4, -1)
    cues[...] = rows.T

    is_large = np.concatenate((unit, width, flat)).reshape(3, -1) > _LEAST
    is_near = np.abs(points[10:]) < MAX_COORDINATE  # a corner of the mouth, the shoulders
    if np.count_nonzero(is_large) < is_large.size or np.count_nonzero(is_near) < is_near.size:
        cues[~(is_large.all(axis=0) & is_near.all(axis=(0, 1)))] = np.nan
    return middles
