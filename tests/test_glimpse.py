"""The glimpse at a picture: what counts as a change, and what does not; a covered camera.

Claimed: sensor noise, exposure and another size of the picture are no change, a moved head is; the person's cells hold
the person; a covered or black picture is told from a dim room.
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posture.glimpse import CELLS, changed_ratio, glimpse, is_covered, person_cells
from posture.sources import open_source
from posture.trace import load_trace

FIXTURES = Path(__file__).resolve().parent / "fixtures"
EVERYWHERE = np.ones(CELLS, dtype=np.bool_)


def pictures(name):
    with open_source(str(FIXTURES / f"{name}.mp4")) as source:
        return [frame.image_rgb for frame in source]


@pytest.fixture(scope="module")
def front():
    return pictures("front_upright_slouch"), load_trace(FIXTURES / "front_upright_slouch.npz")


def noisy(image, grey, seed):
    noise = np.random.default_rng(seed).normal(0.0, grey, image.shape[:2])[..., None]
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def region(landmarks, row):
    return person_cells(landmarks.xyzv[row], float(landmarks.height_ratio[row]))


def test_noise_is_no_change_and_a_slouch_is(front):
    images, landmarks = front
    cells = region(landmarks, 8)
    still = changed_ratio(glimpse(noisy(images[8], 6.0, 1)), glimpse(noisy(images[8], 6.0, 2)), cells)
    slouched = changed_ratio(glimpse(images[100]), glimpse(images[8]), cells)
    typing = changed_ratio(glimpse(images[10]), glimpse(images[8]), cells)
    assert still < 0.03
    assert typing < 0.3 * slouched
    assert slouched > 0.2


@given(st.floats(0.6, 1.3))
def test_exposure_is_no_change(gain):
    image = np.tile(np.linspace(30, 180, 320, dtype=np.uint8)[None, :, None], (240, 1, 3))
    brighter = np.clip(image * gain, 0, 255).astype(np.uint8)
    assert changed_ratio(glimpse(brighter), glimpse(image), EVERYWHERE) == 0.0


def test_a_change_in_a_third_of_the_picture_is_seen_there_and_nowhere_else():
    image = np.tile(np.linspace(30, 180, 320, dtype=np.uint8)[None, :, None], (240, 1, 3))
    other = image.copy()
    other[:80] = 255 - other[:80]
    rows = np.arange(CELLS[0])[:, None] < 10
    assert changed_ratio(glimpse(other), glimpse(image), EVERYWHERE & rows) > 0.9
    assert changed_ratio(glimpse(other), glimpse(image), EVERYWHERE & ~rows) == 0.0


@pytest.mark.parametrize(
    "shape", [(60, 80), (90, 120), (480, 640), (100, 130), (233, 311, 3), (30, 40), (7, 5)]
)
def test_a_cell_is_the_mean_of_its_samples(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    n = min(4, max(1, shape[1] // CELLS[1]))
    rows, columns = (np.arange(c * n) * size // (c * n) for c, size in zip(CELLS, shape, strict=False))
    plane = image if image.ndim == 2 else image[..., 1]
    samples = plane[rows][:, columns].reshape(CELLS[0], n, CELLS[1], n).astype(np.float64)
    np.testing.assert_array_equal(glimpse(image), samples.mean(axis=(1, 3)))


def test_the_overall_brightness_is_the_median_of_the_ratios():
    rng = np.random.default_rng(1)
    now, then = rng.uniform(0.0, 255.0, (2, *CELLS))
    gain = np.median((now + 1.0) / (then + 1.0))
    changed = np.abs(now + 1.0 - gain * (then + 1.0)) > 6.0
    assert changed_ratio(now, then, EVERYWHERE) == pytest.approx(changed.mean())
    assert changed_ratio(now, then, changed) == 1.0


def test_size_and_colour_of_the_picture_do_not_matter(front):
    image = front[0][0]
    grey = image[..., 1]
    np.testing.assert_array_equal(glimpse(image), glimpse(np.ascontiguousarray(grey)))
    for smaller in (image[::2, ::2], image[::4, ::4]):
        assert np.abs(glimpse(smaller) - glimpse(image)).mean() < 3.0
    for shape in ((480, 640, 3), (1080, 1920, 3), (30, 40), (7, 5, 3), (1, 1)):
        assert glimpse(np.full(shape, 9, dtype=np.uint8)).shape == CELLS


def test_the_cells_of_a_person_hold_head_and_shoulders(front):
    landmarks = front[1]
    for row in range(0, len(landmarks), 10):
        cells = region(landmarks, row)
        for x, y in landmarks.xyzv[row, :13, :2] - (0.0, 0.02):
            assert cells[int(y / 0.75 * CELLS[0]), int(x * CELLS[1])]
        assert cells.mean() < 0.6


def test_without_a_person_every_cell_counts():
    nobody = np.full((33, 4), np.nan)
    assert person_cells(nobody, 0.75).all()
    assert person_cells(np.zeros((33, 4)), np.nan).all()
    assert person_cells(np.full((33, 4), 5.0), 0.75).all(), "outside the picture"


def test_covered_is_told_from_a_dim_room(front):
    assert not any(
        is_covered(glimpse(image)) for image in [*pictures("dim"), *pictures("empty_room"), front[0][0]]
    )
    black, thumb = np.zeros((480, 640, 3), np.uint8), np.full((480, 640, 3), 70, np.uint8)
    assert is_covered(glimpse(black))
    assert is_covered(glimpse(noisy(thumb, 8.0, 3)))
