"""From cues and a personal baseline to deviations with standard errors. Pure; no I/O.

The estimator is one small network fitted on rendered people whose angles are known (`models/fit_estimator.py`).
Its weights are made personal once, at calibration: a baseline tells where the camera stands and how the person is
built, and that sets the gain and bias of every hidden unit, so that a frame costs one layer whatever the
placement. With ``z`` the standardised cues of a frame, ``c`` those of the baseline centre and ``s`` = +-1 the side
from which the camera looks (odd cues are multiplied by it, which makes the estimate exactly mirror symmetric)::

    f(z) = out . sigma(z A (1 + c G) + c C + b) + z L          sigma(a) = a / sqrt(1 + a a)
    deviation = f(z) - f(c)

A frame that looks like the baseline therefore deviates by exactly 0, whoever it is.

There are two such networks: one for frames in which the face network saw the face, and one that makes do with the pose
landmarks. Each is made personal by the same baseline, and a frame is measured by the better one that applies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.cues import N_POSE_CUES, PARITY
from posture.landmarks import FloatArray

Float32Array: TypeAlias = NDArray[np.float32]
"""The network runs in single precision: half the time, and its rounding is under 1e-4 degrees."""


class Measure(IntEnum):
    """Column of :attr:`Deviation.values`; each is the change from the person's own upright."""

    NECK_DEG = 0
    """Neck inclination, forward positive."""
    THORACIC_DEG = 1
    """Thoracic inclination, forward positive."""
    SINK_RATIO = 2
    """How far the shoulders have come down, in trunk (hip to shoulder) lengths."""
    HEAD_PITCH_DEG = 3
    """The head's own inclination in space, looking down positive."""
    HEAD_YAW_DEG = 4
    """Turned to the person's own left positive."""


N_MEASURES: Final = len(Measure)
_ODD_MEASURES: Final = np.array([1.0, 1.0, 1.0, 1.0, -1.0])

CLIP: Final = 5.0
"""Standard deviations of the training set beyond which a cue counts as this far."""
MAX_STRANGENESS: Final = 8.0
"""Standard deviations of the training set at which a single cue makes a frame something the estimator was never
fitted for: NaN. Several cues count together: the length of what they exceed :data:`CLIP` by."""
MAX_YAW_DEG: Final = 60.0
"""Head turned further from the baseline than any training posture (15-40 degrees, plus trunk twist): NaN."""
_ONE: Final = np.float32(1.0)
_BLOCK: Final = 504
"""Frames worked on at a time, so that they stay in the cache."""


@dataclass(frozen=True, slots=True)
class NetworkCoefficients:
    """What `models/fit_estimator.py` found: Q cues (the first of all), H hidden units, M measures."""

    centre: FloatArray
    """(Q,) mean of the training cues, odd cues after taking the side out."""
    scale: FloatArray
    """(Q,) their standard deviation."""
    side_weights: FloatArray
    """(Q,) the side is the sign of the baseline's odd cues weighted by these."""
    cue_weights: FloatArray
    """(Q, H) A."""
    gain_weights: FloatArray
    """(Q, H) G."""
    context_weights: FloatArray
    """(Q, H) C."""
    bias: FloatArray
    """(H,) b."""
    out_weights: FloatArray
    """(2 M, H) the measures, then the logarithms of their standard errors."""
    linear_weights: FloatArray
    """(Q, 2 M) L."""
    log_error: FloatArray
    """(M,) logarithm of the standard errors where everything else is 0, calibrated on left-out people."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Both networks."""

    pose: NetworkCoefficients
    """For the cues of the pose landmarks alone."""
    face: NetworkCoefficients
    """For all cues, where the face network saw the face."""


@dataclass(frozen=True, slots=True)
class Network:
    """One network made personal by a baseline."""

    centre: FloatArray
    """(Q, 1) cues at which the standardised cues are 0, as the picture shows them."""
    per_scale: FloatArray
    """(Q, 1) 1 / standard deviation, with the side's sign on odd cues."""
    weights: Float32Array
    """(Q, H + 2 M) personal first layer and linear part."""
    bias: Float32Array
    """(H + 2 M, 1) the same."""
    out_weights: Float32Array
    """(2 M, H)."""
    sign: FloatArray
    """(1, 2 M) the side on odd measures, 1 elsewhere."""
    offset: FloatArray
    """(1, 2 M) minus the measures at the baseline, then the logarithm of the standard errors."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """Coefficients made personal by a baseline; see :func:`make_estimator`."""

    pose: Network
    """For frames without a face."""
    face: Network | None
    """For frames with one; None where the baseline has none, or one that the network was never fitted for."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Deviation from upright over T frames; NaN = not measured."""

    values: FloatArray
    """(T, 5) one column per :class:`Measure`."""
    standard_error: FloatArray
    """(T, 5) one standard deviation of the error of a single frame."""

    def __getitem__(self, measure: Measure) -> FloatArray:
        """Return one measure, (T,); NaN = not measured."""
        return self.values[:, measure]


@np.errstate(all="ignore")
def make_estimator(baseline_centre: FloatArray, coefficients: Coefficients) -> Estimator:
    """Make the coefficients personal.

    Parameters
    ----------
    baseline_centre : ndarray, shape (Q,)
        Median of every cue over the calibration. A NaN among the cues of the pose makes an estimator that measures
        nothing, one among those of the face an estimator that makes do without the face.
    coefficients : Coefficients
        What was fitted.

    Returns
    -------
    Estimator
        Cheap to make (under a millisecond); keep it as long as the baseline.
    """
    pose = make_network(baseline_centre[:N_POSE_CUES], coefficients.pose)
    face = make_network(baseline_centre, coefficients.face)
    is_known = bool(np.isfinite(run_network(baseline_centre[None], face)[0, 0]))
    return Estimator(pose, face if is_known else None)


def make_network(baseline_centre: FloatArray, coefficients: NetworkCoefficients) -> Network:
    """Make one network's coefficients personal; see :func:`make_estimator`."""
    k = coefficients
    parity = PARITY[: len(k.centre)]
    side = 1.0 if float((baseline_centre * (parity < 0.0) * k.side_weights).sum()) >= 0.0 else -1.0
    mirror = np.where(parity < 0.0, side, 1.0)
    context = np.clip((baseline_centre * mirror - k.centre) / k.scale, -CLIP, CLIP)
    gain = 1.0 + (context[:, None] * k.gain_weights).sum(axis=0)
    bias = k.bias + (context[:, None] * k.context_weights).sum(axis=0)
    n_out = len(k.out_weights)
    network = Network(
        centre=(k.centre * mirror)[:, None],
        per_scale=(mirror / k.scale)[:, None],
        weights=np.concatenate((k.cue_weights * gain, k.linear_weights), axis=1).astype(np.float32),
        bias=np.concatenate((bias, np.zeros(n_out))).astype(np.float32)[:, None],
        out_weights=k.out_weights.astype(np.float32),
        sign=np.concatenate((np.where(_ODD_MEASURES < 0.0, side, 1.0), np.ones(N_MEASURES)))[None],
        offset=np.concatenate((np.zeros(N_MEASURES), k.log_error))[None],
    )
    z = np.clip((baseline_centre[:, None] - network.centre) * network.per_scale, -CLIP, CLIP)
    at_baseline = _evaluate(z, network)
    at_baseline[:, N_MEASURES:] = 0.0
    return replace(network, offset=network.offset - at_baseline)


def _evaluate(standardised: FloatArray, network: Network) -> FloatArray:
    """Return the network's (T, 2 M) outputs for (Q, T) inputs; sums run in a fixed order, whatever T is."""
    z = standardised.astype(np.float32)
    first = np.einsum("qt,qh->ht", z, network.weights, optimize=False)
    first += network.bias
    n_hidden = network.out_weights.shape[1]
    pre = first[:n_hidden]
    root = pre * pre
    root += _ONE
    np.sqrt(root, out=root)
    hidden = np.ascontiguousarray(np.divide(pre, root, out=root).T)
    out = np.einsum("th,oh->to", hidden, network.out_weights, optimize=False)
    out += first[n_hidden:].T
    result: FloatArray = out.astype(np.float64)
    return result


@np.errstate(all="ignore")
def compute_deviation(cues: FloatArray, estimator: Estimator) -> Deviation:
    """Compute how far every frame is from the baseline.

    Stateless over time: T = 1 gives the same bits as the whole clip.

    Parameters
    ----------
    cues : ndarray, shape (T, Q)
        As in :attr:`Angles.cues`.
    estimator : Estimator
        From :func:`make_estimator`.

    Returns
    -------
    Deviation
        NaN rows where the cues are NaN or unlike anything in the training set, where the baseline was, or where
        the head is turned more than 60 degrees away from the baseline.
    """
    if len(cues) <= _BLOCK:
        out = _block(cues, estimator)
    else:
        blocks = (cues[start : start + _BLOCK] for start in range(0, len(cues), _BLOCK))
        out = np.concatenate([_block(block, estimator) for block in blocks])
    return Deviation(out[:, :N_MEASURES], out[:, N_MEASURES:])


def _block(cues: FloatArray, estimator: Estimator) -> FloatArray:
    """Return measures and standard errors of a few frames, (T, 2 M), each by the better network that applies."""
    if estimator.face is None or not np.isfinite(cues[:, N_POSE_CUES]).any():  # no face in any of them
        return run_network(cues[:, :N_POSE_CUES], estimator.pose)
    out = run_network(cues, estimator.face)
    left = np.isnan(out[:, 0])
    if np.count_nonzero(left):
        out[left] = run_network(cues[left, :N_POSE_CUES], estimator.pose)
    return out


def run_network(cues: FloatArray, network: Network) -> FloatArray:
    """Return measures and standard errors of a few frames by one network, (T, 2 M); NaN where it does not apply.

    Numpy's warnings are the caller's to silence.
    """
    z = np.ascontiguousarray(cues.T)  # (Q, T): numpy then does a cue of all frames in one go
    z = z - network.centre
    z *= network.per_scale
    clipped = np.maximum(z, -CLIP)
    np.minimum(clipped, CLIP, out=clipped)
    out = _evaluate(clipped, network)
    out += network.offset
    out *= network.sign
    errors = out[:, N_MEASURES:]
    np.exp(errors, out=errors)
    is_known = np.abs(out[:, Measure.HEAD_YAW_DEG]) <= MAX_YAW_DEG
    z -= clipped
    if np.count_nonzero(z):  # NaN counts
        beyond = np.ascontiguousarray(z.T)
        is_known &= np.einsum("tq,tq->t", beyond, beyond, optimize=False) <= (MAX_STRANGENESS - CLIP) ** 2
    if np.count_nonzero(is_known) < len(out):
        out[~is_known] = np.nan
    return out
