"""Real inference: the same pose gives the same landmarks however the picture comes."""

import gc
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from posture.errors import LandmarkerError, ShapeError, TimestampError
from posture.landmarker import PoseLandmarker, mean_luminance
from posture.landmarks import Frame, Landmarks, PoseLandmark, concatenate
from posture.trace import load_trace

FIXTURES = Path(__file__).resolve().parent / "fixtures"
UPPER_BODY = slice(0, 13)  # nose to shoulders: what is in view at a desk
SWAPPED = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, 12, 11]  # left for right, of UPPER_BODY


def read(name: str, n: int, step: int = 1) -> list[np.ndarray]:
    """Return `n` pictures of a fixture clip, every `step`-th."""
    capture = cv2.VideoCapture(str(FIXTURES / f"{name}.mp4"))
    images = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB) for _ in range(n * step)]
    capture.release()
    return images[::step]


def detect(images: list[np.ndarray], dt_s: float = 0.25, start: int = 0) -> Landmarks:
    with PoseLandmarker() as landmarker:
        return concatenate(
            [landmarker.detect(Frame(i * dt_s, image)) for i, image in enumerate(images, start)]
        )


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how far the upper body's points are apart, in the picture, in the units given."""
    return np.linalg.norm((a - b)[:, UPPER_BODY, :2], axis=-1)


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return read("front_upright_slouch", 12, step=5)  # 15 s: upright, then slouching


@pytest.fixture(scope="module")
def plain(images) -> Landmarks:
    return detect(images)


@pytest.fixture
def landmarker():
    with PoseLandmarker() as opened:
        yield opened


# What comes out


@pytest.mark.parametrize("name", ["front_upright_slouch", "side_upright_slouch", "person_leaving", "dim"])
def test_the_model_finds_what_the_trace_says(name):
    expected = load_trace(FIXTURES / f"{name}.npz")[:32]
    found = detect(read(name, len(expected)), dt_s=float(expected.t_s[1]))
    np.testing.assert_allclose(found.t_s, expected.t_s)
    is_found, is_expected = ~np.isnan(found.xyzv[:, 0, 0]), ~np.isnan(expected.xyzv[:, 0, 0])
    assert (is_found == is_expected).mean() > 0.95  # processors round differently
    both = is_found & is_expected
    assert np.median(distances(found.xyzv[both], expected.xyzv[both])) < 0.002
    np.testing.assert_allclose(found.luminance, expected.luminance, atol=0.01)
    np.testing.assert_array_equal(found.height_ratio, expected.height_ratio)


def test_left_and_right_are_the_persons_own_and_y_points_down(plain):
    x, y = plain.xyzv[..., 0], plain.xyzv[..., 1]
    assert (x[:, PoseLandmark.LEFT_SHOULDER] > x[:, PoseLandmark.RIGHT_SHOULDER]).all()
    assert (x[:, PoseLandmark.LEFT_EAR] > x[:, PoseLandmark.RIGHT_EAR]).all()
    assert (y[:, PoseLandmark.NOSE] < y[:, PoseLandmark.LEFT_SHOULDER]).all()
    assert (plain.xyzv[:, UPPER_BODY, 3] > 0.5).all()
    assert (plain.xyzv[:, UPPER_BODY, 3] <= 1.0).all()


def test_the_same_frames_again_give_exactly_the_same(images, plain):
    again = detect(images)
    np.testing.assert_array_equal(again.xyzv, plain.xyzv)
    np.testing.assert_array_equal(again.world_m, plain.world_m)


def test_values_are_exact_in_float32(plain):
    for values in (plain.xyzv, plain.world_m):
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values.astype(np.float32).astype(np.float64), values)


@pytest.mark.parametrize(("name", "picture_has_someone"), [("empty_room", False), ("two_people", True)])
def test_nobody_is_a_row_of_nan_that_keeps_what_the_picture_tells(name, picture_has_someone):
    found = detect(read(name, 10))
    assert np.isnan(found.xyzv).all() != picture_has_someone
    assert np.isnan(found.world_m).all() != picture_has_someone
    assert (found.luminance > 0.3).all()
    assert (found.height_ratio == 0.75).all()


def test_no_picture_is_a_row_of_nan(landmarker):
    found = landmarker.detect(Frame(1.5, None))
    assert found.t_s.tolist() == [1.5]
    for values in (found.xyzv, found.world_m, found.luminance, found.height_ratio):
        assert np.isnan(values).all()


# The same pose in another picture


def test_another_resolution_gives_the_same_landmarks_in_image_widths(images, plain):
    larger = detect([cv2.resize(image, (1280, 960)) for image in images])
    assert np.median(distances(larger.xyzv, plain.xyzv)) < 0.003
    assert distances(larger.xyzv, plain.xyzv).max() < 0.015
    np.testing.assert_array_equal(larger.height_ratio, plain.height_ratio)


@pytest.mark.parametrize(
    ("left", "right", "bottom"), [(106, 108, 0), (0, 0, 320)], ids=["sixteen to nine", "upright phone"]
)
def test_another_picture_shape_gives_the_same_body_shape(images, plain, left, right, bottom):
    border = cv2.BORDER_REPLICATE
    padded = detect([cv2.copyMakeBorder(image, 0, bottom, left, right, border) for image in images])
    width_px = 640 + left + right
    assert padded.height_ratio == pytest.approx((480 + bottom) / width_px)
    in_plain_widths = padded.xyzv[..., :3] * (width_px / 640)
    in_plain_widths[..., 0] -= left / 640
    assert np.median(distances(in_plain_widths, plain.xyzv[..., :3])) < 0.003
    assert distances(in_plain_widths, plain.xyzv[..., :3]).max() < 0.015
    depth_ratio = in_plain_widths[:, UPPER_BODY, 2] / plain.xyzv[:, UPPER_BODY, 2]
    assert np.median(depth_ratio) == pytest.approx(1.0, abs=0.04)


def test_a_mirrored_person_gives_mirrored_landmarks(images, plain):
    mirrored = detect([np.ascontiguousarray(image[:, ::-1]) for image in images]).xyzv[:, SWAPPED]
    mirrored[..., 0] = 1.0 - mirrored[..., 0]
    assert np.median(distances(mirrored, plain.xyzv[:, UPPER_BODY])) < 0.01
    assert distances(mirrored, plain.xyzv[:, UPPER_BODY]).max() < 0.04


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[:, ::-1],
        lambda image: image[::-1],
        lambda image: image[..., ::-1],
        lambda image: image[40:440, 80:560],
        lambda image: image[::2, ::2],
        np.asfortranarray,
    ],
    ids=["mirrored", "upside down", "BGR", "cropped", "halved", "Fortran order"],
)
def test_a_view_gives_exactly_what_a_copy_gives(images, view):
    of_view = detect([view(image) for image in images[:3]])
    of_copy = detect([np.array(view(image), order="C") for image in images[:3]])
    np.testing.assert_array_equal(of_view.xyzv, of_copy.xyzv)
    np.testing.assert_array_equal(of_view.luminance, of_copy.luminance)


def test_a_change_of_size_midway_leaves_no_trace_of_the_size_before(images):
    larger = [cv2.resize(image, (1280, 960)) for image in images[3:6]]
    both = detect([*images[:3], *larger])
    np.testing.assert_array_equal(both.xyzv[3:], detect(larger, start=3).xyzv)


# Brightness


def test_luminance_of_plain_pictures():
    for grey in (0, 51, 255):
        assert mean_luminance(np.full((480, 640, 3), grey, np.uint8)) == pytest.approx(grey / 255)
    green = np.zeros((480, 640, 3), np.uint8)
    green[..., 1] = 255
    assert mean_luminance(green) == pytest.approx(0.587)
    assert mean_luminance(np.full((1, 1, 3), 255, np.uint8)) == pytest.approx(1.0)


def test_luminance_from_few_pixels_is_that_of_all(images, plain):
    for image, luminance in zip(images, plain.luminance, strict=True):
        everything = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).mean() / 255
        assert luminance == pytest.approx(everything, abs=0.01)


# Time


def test_milliseconds_are_whole_and_always_grow(landmarker, monkeypatch):
    times_ms = []
    detect_for_video = landmarker._native.detect_for_video

    def note(image, timestamp_ms):
        times_ms.append(timestamp_ms)
        return detect_for_video(image, timestamp_ms)

    monkeypatch.setattr(landmarker._native, "detect_for_video", note)
    black = np.zeros((48, 64, 3), np.uint8)
    for t_s in (0.0, 0.0, 0.0, 0.0004, 0.0008, 0.5, 0.5004, 1.0, 1.0, 1.7e9):
        assert landmarker.detect(Frame(t_s, black)).t_s.tolist() == [t_s]
    assert times_ms == [0, 1, 2, 3, 4, 500, 501, 1000, 1001, 1_700_000_000_000]
    assert all(type(t_ms) is int for t_ms in times_ms)


@pytest.mark.parametrize("t_s", [0.999, -1.0, math.nan, math.inf, -math.inf, 1e300])
def test_a_bad_time_is_an_error_and_does_no_harm(landmarker, t_s):
    black = np.zeros((48, 64, 3), np.uint8)
    landmarker.detect(Frame(1.0, None))  # a frame without a picture counts too
    with pytest.raises(TimestampError):
        landmarker.detect(Frame(t_s, black))
    assert landmarker.detect(Frame(1.0, black)).t_s.tolist() == [1.0]


# What goes wrong


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((1, 480, 640, 3), np.uint8),
        np.zeros((0, 640, 3), np.uint8),
    ],
    ids=lambda image: f"{image.shape} {image.dtype}",
)
def test_a_picture_of_another_shape_is_an_error(landmarker, images, image):
    with pytest.raises(ShapeError, match="expected"):
        landmarker.detect(Frame(0.0, image))
    assert not np.isnan(landmarker.detect(Frame(0.0, images[0])).xyzv).any()


def test_one_pixel_is_nobody(landmarker):
    assert np.isnan(landmarker.detect(Frame(0.0, np.zeros((1, 1, 3), np.uint8))).xyzv).all()


def test_detect_after_close_is_an_error(images):
    with PoseLandmarker() as landmarker:
        landmarker.detect(Frame(0.0, images[0]))
    with pytest.raises(LandmarkerError, match="after close"):
        landmarker.detect(Frame(1.0, images[0]))
    landmarker.close()


def break_graph(landmarker: PoseLandmarker, timestamp_ms: int, image: np.ndarray) -> None:
    """Give the model a grey picture, which kills it for good."""
    mediapipe = landmarker._mediapipe
    grey = mediapipe.Image(image_format=mediapipe.ImageFormat.GRAY8, data=image[..., 0].copy())
    with pytest.raises(ValueError, match="failed"):
        landmarker._native.detect_for_video(grey, timestamp_ms)


def test_a_dead_graph_is_replaced_once(landmarker, images, plain):
    landmarker.detect(Frame(0.0, images[0]))
    break_graph(landmarker, 10, images[0])
    found = landmarker.detect(Frame(0.25, images[0]))
    np.testing.assert_array_equal(found.xyzv, plain.xyzv[:1])  # a fresh start sees it as a first frame
    assert not np.isnan(landmarker.detect(Frame(0.5, images[1])).xyzv).any()


def test_a_dead_graph_can_be_closed(images):
    landmarker = PoseLandmarker()
    landmarker.detect(Frame(0.0, images[0]))
    break_graph(landmarker, 10, images[0])
    landmarker.close()
    del landmarker
    gc.collect()  # a second native close, in a finalizer, would be an unraisable error, which pytest reports


def test_a_picture_that_fails_twice_is_an_error_and_the_next_one_works(landmarker, images, monkeypatch):
    attempts = []

    def fail(image, timestamp_ms):
        attempts.append(timestamp_ms)
        raise ValueError("Graph has errors:\nCalculator::Process() failed")

    monkeypatch.setattr(landmarker, "_detect_native", fail)
    with pytest.raises(LandmarkerError, match="Graph has errors") as caught:
        landmarker.detect(Frame(0.0, images[0]))
    assert "\n" not in str(caught.value)
    assert len(attempts) == 2
    monkeypatch.undo()
    assert not np.isnan(landmarker.detect(Frame(0.25, images[0])).xyzv).any()
