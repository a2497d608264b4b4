"""The face network on real pictures of rendered people: what it measures is the face, and nothing but the face.

Claimed: the fit follows the face as pictures are mirrored, enlarged, turned and shifted; the same picture gives the
same bits in any order, with one thread or several; no face is no number; a missing or altered network, or an OpenCV
that cannot run it, is one line; the observer measures every picture's judged person, unless it is told not to.
"""

import dataclasses
import itertools

import cv2
import numpy as np
import pytest
from cli_helpers import FIXTURES
from synthetic import mirrored, scaled

from posture import face_network, model_file, wiring
from posture.bundled import FACE_MODEL_NAME, asset_path
from posture.config import load_settings
from posture.errors import LandmarkerError, ModelFileError
from posture.face_network import FaceNetwork
from posture.landmarks import N_FACE, Face, Frame, PoseLandmark, no_person
from posture.observer import Observer
from posture.sources import open_source
from posture.trace import load_trace

CLIP = "front_upright_slouch"
ROWS = range(4, 160, 26)  # upright and slouching


@pytest.fixture(scope="module")
def network():
    return FaceNetwork()


@pytest.fixture(scope="module")
def frames():
    with open_source(str(FIXTURES / f"{CLIP}.mp4")) as source:
        every = list(itertools.islice(source, max(ROWS) + 1))
    return [every[row] for row in ROWS]


@pytest.fixture(scope="module")
def people():
    """Return the pose landmarks of the frames, which the fixture keeps."""
    trace = load_trace(FIXTURES / f"{CLIP}.npz")
    return [trace[row : row + 1] for row in ROWS]


@pytest.fixture(scope="module")
def faces(network, frames, people):
    return np.array([network.measure(f.image_rgb, p.xyzv[0]) for f, p in zip(frames, people, strict=True)])


def assert_near(found, expected, width_share=0.012):
    """Compare fits: axes and size within a share of the face's own size, the centre within as much of it."""
    assert np.isfinite(found).all()
    assert found == pytest.approx(expected, abs=width_share * expected[Face.SIZE])


def test_what_is_found_is_the_face(faces, people):
    for face, person in zip(faces, people, strict=True):
        points = person.xyzv[0, : PoseLandmark.MOUTH_RIGHT + 1, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        assert (low < face[: Face.AX_X]).all()
        assert (face[: Face.AX_X] < high).all()
        assert face[Face.AX_X] > 5 * abs(face[Face.AX_Y]), "the person's left is the picture's right"
        assert face[Face.AY_Y] > 5 * abs(face[Face.AY_X]), "down is down"
        assert face[Face.AX_X] == pytest.approx(face[Face.AY_Y], rel=0.15), "both seen at full length"
    assert faces[3, Face.SIZE] > 1.15 * faces[0, Face.SIZE], "who slouches comes nearer"


def test_the_fixtures_keep_what_the_network_says(faces, people):
    kept = np.concatenate([person.face for person in people])
    assert kept == pytest.approx(faces, abs=1e-4), "another OpenCV or processor may differ in the last digits"


def test_the_same_picture_gives_the_same_bits_in_any_order_and_by_any_number_of_threads(
    frames, people, faces
):
    n_threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        again = FaceNetwork()
        for k in (3, 0, 5, 3):
            assert np.array_equal(again.measure(frames[k].image_rgb, people[k].xyzv[0]), faces[k])
    finally:
        cv2.setNumThreads(n_threads)
    assert np.array_equal(faces, faces.astype(np.float32)), "a recording keeps them exactly"


@pytest.mark.parametrize("k", range(0, len(ROWS), 2))
def test_the_mirrored_picture_gives_the_mirrored_fit(network, frames, people, faces, k):
    person = dataclasses.replace(people[k], face=faces[k : k + 1])
    other = mirrored(person)
    picture = np.ascontiguousarray(frames[k].image_rgb[:, ::-1])
    assert_near(network.measure(picture, other.xyzv[0]), other.face[0], 0.02)
    assert np.array_equal(
        network.measure(frames[k].image_rgb[:, ::-1], other.xyzv[0]), network.measure(picture, other.xyzv[0])
    )


def test_twice_the_pixels_and_a_strip_around_change_little(network, frames, people, faces):
    image, person = frames[0].image_rgb, dataclasses.replace(people[0], face=faces[:1])
    twice = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    assert_near(network.measure(twice, person.xyzv[0]), faces[0])
    height, width = image.shape[:2]
    framed = cv2.copyMakeBorder(image, height // 2, height // 2, width // 2, width // 2, cv2.BORDER_CONSTANT)
    zoomed = scaled(person, 0.5)
    assert_near(network.measure(framed, zoomed.xyzv[0]), zoomed.face[0])


def test_a_head_on_its_side_is_measured_as_well_as_an_upright_one(network, frames, people, faces):
    image = frames[0].image_rgb
    height, width = image.shape[:2]
    xyzv = people[0].xyzv[0].copy()
    turned = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)  # x' = height - y, y' = x, in pixels
    xyzv[:, 0], xyzv[:, 1] = (height - xyzv[:, 1] * width) / height, xyzv[:, 0] * width / height
    expected = faces[0] * width / height
    x, y = expected[0::2][:4].copy(), expected[1::2].copy()
    expected[0:8:2], expected[1:8:2] = -y, x
    expected[Face.CENTRE_X] += 1.0
    assert_near(network.measure(turned, xyzv), expected, 0.02)


@pytest.mark.parametrize("kind", ["grey", "noise", "room", "nobody", "far", "behind"])
def test_no_face_is_no_number(network, frames, people, kind):
    image, xyzv = frames[0].image_rgb, people[0].xyzv[0].copy()
    if kind == "grey":
        image = np.full_like(image, 127)
    elif kind == "noise":
        image = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)
    elif kind == "room":  # where the person of another clip's picture is not
        with open_source(str(FIXTURES / "empty_room.mp4")) as source:
            image = next(iter(source)).image_rgb
    elif kind == "nobody":
        xyzv = no_person(0.0).xyzv[0]
    elif kind == "far":
        xyzv[:, :2] = xyzv[PoseLandmark.NOSE, :2] + 0.01 * (xyzv[:, :2] - xyzv[PoseLandmark.NOSE, :2])
    else:
        xyzv[:, 0] += 2.0  # wholly outside the picture
    face = network.measure(image, xyzv)
    assert face.shape == (N_FACE,)
    assert np.isnan(face).all()


def test_an_engine_that_gives_one_output_at_a_time_says_the_same(monkeypatch, frames, people, faces):
    content = asset_path(FACE_MODEL_NAME).read_bytes()
    real = face_network._load
    monkeypatch.setattr(face_network, "_load", lambda cv2, path, _: real(cv2, "\N{SNOWMAN}", content))
    other = FaceNetwork()
    other._has_both = False  # where OpenCV has but one engine, it gives both
    for k in (0, 3):
        found = other.measure(frames[k].image_rgb, people[k].xyzv[0])
        assert found == pytest.approx(faces[k], abs=1e-5)
        assert np.isnan(other.measure(np.full_like(frames[k].image_rgb, 127), people[k].xyzv[0])).all()


# -- what can be wrong with it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text"), [("missing", "is missing"), ("altered", "wrong SHA-256"), ("folder", "cannot be read")]
)
def test_another_file_is_one_clear_line(monkeypatch, tmp_path, kind, text):
    path = tmp_path / FACE_MODEL_NAME
    if kind == "altered":
        content = bytearray(asset_path(FACE_MODEL_NAME).read_bytes())
        content[600_000] ^= 1
        path.write_bytes(content)
    elif kind == "folder":
        path.mkdir()
    monkeypatch.setattr(face_network, "asset_path", lambda _name: path)
    with pytest.raises(ModelFileError, match=text) as caught:
        FaceNetwork()
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "pose.face = false" in message
    assert "\n" not in message


def test_an_opencv_that_cannot_run_it_is_one_clear_line(monkeypatch, tmp_path):
    path = tmp_path / FACE_MODEL_NAME
    path.write_bytes(b"no network")
    monkeypatch.setattr(face_network, "asset_path", lambda _name: path)
    monkeypatch.setattr(face_network, "read_face_model", lambda path: path.read_bytes())
    with pytest.raises(LandmarkerError, match=r"OpenCV .* cannot run") as caught:
        FaceNetwork()
    assert "\n" not in str(caught.value)


def test_a_picture_that_opencv_fails_on_is_one_clear_line(people):
    with pytest.raises(LandmarkerError, match="failed on a picture") as caught:
        FaceNetwork().measure(np.zeros((480, 640, 0), np.uint8), people[0].xyzv[0])
    assert "\n" not in str(caught.value)


def test_without_it_the_file_is_not_even_looked_for(monkeypatch):
    monkeypatch.setattr(model_file, "FACE_MODEL_SHA256", "")
    with pytest.raises(ModelFileError):
        wiring.make_observer(load_settings())
    wiring.make_observer(load_settings(overrides=["pose.face=false"])).close()


# -- in the observer -----------------------------------------------------------------------------------------


class Model:
    """A pose model that says what the fixture says."""

    def __init__(self, people):
        self.people = people

    def detect(self, frame):
        row = self.people[int(frame.t_s)]
        return dataclasses.replace(row, t_s=np.array([frame.t_s]), face=np.full((1, N_FACE), np.nan))

    def close(self):
        pass


def test_the_observer_measures_every_picture_unless_told_not_to(network, frames, people, faces):
    observer = Observer(Model(people), face_network=network)
    asked = []
    for k, frame in enumerate(frames):
        observer.use_face(k != 1 and k != 2)
        observer.judge_all(k == 2)
        found = observer.detect(Frame(float(k), frame.image_rgb)).face[0]
        asked.append(not np.isnan(found).any())
        assert np.isnan(found).all() or np.array_equal(found, faces[k])
    assert asked == [k != 1 for k in range(len(frames))]
    plain = Observer(Model(people)).detect(Frame(0.0, frames[0].image_rgb))
    assert np.isnan(plain.face).all()


def test_without_a_picture_there_is_no_face(network, people):
    observer = Observer(Model([no_person(0.0)]), face_network=network)
    assert np.isnan(observer.detect(Frame(0.0, None)).face).all()
    assert people
