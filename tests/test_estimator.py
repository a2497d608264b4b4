"""The estimator keeps what holds for any person: with the coefficients that are shipped.

Claimed: streaming equals batch bit for bit; a mirrored picture gives the same posture; where in the picture
somebody sits does not matter; nonsense is not measured, never a warning; damaged coefficients are said.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from posture.bundled import asset_path
from posture.coefficients import ESTIMATOR_NAME, load_coefficients, packaged_coefficients
from posture.cues import CUE_NAMES, N_CUES, PARITY, compute_cues
from posture.deviation import Measure, compute_deviation, make_estimator
from posture.errors import ModelFileError

SWAP = [0, 4, 5, 6, 1, 2, 3, *(i + 1 if i % 2 else i - 1 for i in range(7, 33))]  # left for right
FACE = np.array(
    [
        [0, 1.5],
        [1, -1.4],
        [2.2, -1.5],
        [3.2, -1.6],
        [-1, -1.4],
        [-2.2, -1.5],
        [-3.2, -1.6],
        [7, -0.8],
        [-7, -0.8],
        [2, 4.7],
        [-2, 4.7],
    ]
)


def person(
    n: int = 40, noise: float = 2e-4, seed: int = 0, camera_left: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 33, 4) and (n, 33, 3) of a person sitting still before the camera."""
    rng = np.random.default_rng(seed)
    xyzv, world = np.zeros((n, 33, 4)), np.zeros((n, 33, 3))
    xyzv[:, :11, :2] = FACE * 0.011 + (0.5 + camera_left, 0.3)
    xyzv[:, 11], xyzv[:, 12] = (0.66, 0.52, 0, 1), (0.34, 0.53, 0, 1)
    xyzv[:, 23:25, :2] = (0.6, 0.95), (0.4, 0.95)
    xyzv[:, :, :2] += noise * rng.standard_normal((n, 33, 2))
    world[:, 11], world[:, 12] = (0.16, -0.4, 0.02), (-0.16, -0.4, -0.02)
    world += noise * rng.standard_normal(world.shape)
    return xyzv, world


def estimate(xyzv, world, n_base=20):
    """Return the deviation of every frame from the first `n_base`."""
    cues = compute_cues(xyzv, world)
    return compute_deviation(cues, make_estimator(np.median(cues[:n_base], axis=0), packaged_coefficients()))


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_in_chunks_is_bit_identical_to_all_at_once(chunk):
    xyzv, world = person(1200, noise=3e-3)
    cues = compute_cues(xyzv, world)
    estimator = make_estimator(np.median(cues[:20], axis=0), packaged_coefficients())
    whole = compute_deviation(cues, estimator)
    for i in range(0, 256, chunk):
        part = compute_cues(xyzv[i : i + chunk], world[i : i + chunk])
        assert part.tobytes() == cues[i : i + chunk].tobytes()
        got = compute_deviation(part, estimator)
        assert np.array_equal(got.values, whole.values[i : i + chunk], equal_nan=True)
        assert np.array_equal(got.standard_error, whole.standard_error[i : i + chunk], equal_nan=True)


@pytest.mark.parametrize("camera_left", [0.0, 0.03, -0.05])
def test_mirrored_picture_gives_the_same_posture_and_the_opposite_yaw(camera_left):
    xyzv, world = person(60, noise=4e-3, camera_left=camera_left)
    mirrored, mirrored_world = xyzv[:, SWAP].copy(), world[:, SWAP].copy()
    mirrored[..., 0] = 1.0 - mirrored[..., 0]
    mirrored_world[..., 0] *= -1.0
    np.testing.assert_allclose(
        compute_cues(mirrored, mirrored_world) * PARITY, compute_cues(xyzv, world), atol=1e-10
    )
    a, b = estimate(xyzv, world).values, estimate(mirrored, mirrored_world).values
    np.testing.assert_allclose(b * [1, 1, 1, 1, -1], a, atol=1e-3)  # degrees; single precision


def test_shift_of_the_picture_changes_nothing():
    xyzv, world = person()
    moved = xyzv.copy()
    moved[20:, :, 0] += 0.1
    moved[20:, :, 1] -= 0.05
    np.testing.assert_allclose(estimate(moved, world).values, estimate(xyzv, world).values, atol=1e-3)


def test_a_frame_like_the_baseline_deviates_by_exactly_nothing():
    cues = compute_cues(*person())
    centre = np.median(cues, axis=0)
    assert (
        compute_deviation(centre[None], make_estimator(centre, packaged_coefficients())).values == 0.0
    ).all()


def test_head_coming_down_towards_the_shoulders_is_a_slouch():
    xyzv, world = person()
    xyzv[20:, :11, 1] += 0.03
    values = estimate(xyzv, world).values[20:]
    assert np.median(values[:, Measure.NECK_DEG]) > 5
    assert np.median(values[:, Measure.NECK_DEG] - values[:, Measure.THORACIC_DEG]) > 5


@pytest.mark.parametrize("fill", [0.0, 0.5, np.nan, np.inf, -np.inf, 1e300, 100.0])
@pytest.mark.parametrize("world_fill", [0.0, np.nan, 1e300])
def test_nonsense_is_not_measured_and_does_not_warn(fill, world_fill):
    xyzv, world = person()
    xyzv[30:], world[30:] = fill, world_fill
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = estimate(xyzv, world)
    assert np.isnan(got.values[30:]).all() and np.isnan(got.standard_error[30:]).all()
    assert np.isfinite(got.values[:30]).all()


def test_far_outside_the_picture_collapsed_shoulders_and_no_baseline_are_not_measured():
    xyzv, world = person()
    far, flat = xyzv.copy(), xyzv.copy()
    far[:, :, 0] += 50.0
    flat[:, 11] = flat[:, 12]
    cues = compute_cues(xyzv, world)
    for bad in (far, flat):
        assert np.isnan(compute_cues(bad, world)).all()
    nothing = make_estimator(np.full(N_CUES, np.nan), packaged_coefficients())
    assert np.isnan(compute_deviation(cues, nothing).values).all()
    assert compute_deviation(cues[:0], nothing).values.shape == (0, len(Measure))


def test_baseline_of_three_frames_works():
    assert np.isfinite(estimate(*person(), n_base=3).values).all()


def test_every_cue_is_named_once_and_has_a_parity():
    assert len(CUE_NAMES) == N_CUES == len(set(CUE_NAMES)) == len(PARITY)
    assert set(PARITY.tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "truncated", "foreign", "not a number"])
def test_damaged_coefficients_are_one_line_with_what_to_do(tmp_path, damage):
    path = tmp_path / "estimator.npz"
    content = asset_path(ESTIMATOR_NAME).read_bytes()
    if damage == "foreign":
        np.savez(path, something=np.zeros(3))
    elif damage == "not a number":
        with np.load(io.BytesIO(content)) as archive:
            np.savez(path, **{name: archive[name] * np.nan for name in archive})
    elif damage != "missing":
        path.write_bytes({"empty": b"", "text": b"hello", "truncated": content[: len(content) // 2]}[damage])
    with pytest.raises(ModelFileError, match=r"estimator\.npz: .*install posture again") as told:
        load_coefficients(path)
    assert "\n" not in str(told.value)
