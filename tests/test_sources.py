"""Naming a source, folders of pictures, paced replay, mirroring and rotation."""

import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mjpeg_server import numbered_picture, read_number

from posture import sources
from posture.cameras import Camera
from posture.capture import Orientation
from posture.clips import VideoFileSource
from posture.errors import SourceError
from posture.landmarks import Frame
from posture.live import LiveSource
from posture.pictures import ImageFolderSource
from posture.redaction import mask_url
from posture.sources import PacedSource, open_source

VIDEO = Path(__file__).parent / "fixtures" / "video"


@pytest.fixture
def cameras(monkeypatch):
    found = [
        Camera(0, "Integrated Webcam", "/dev/video0", "V4L2"),
        Camera(4, "Desk Cam", "/dev/video4", "V4L2"),
    ]
    checked = []
    monkeypatch.setattr(sources, "list_cameras", lambda: found)
    monkeypatch.setattr(sources, "check_camera", checked.append)
    return checked


def test_importing_sources_imports_no_opencv():
    code = "import sys, posture.sources; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_kind_of_source_is_read_off_what_the_user_wrote(tmp_path, monkeypatch, cameras):
    cv2.imwrite(str(tmp_path / "a.png"), numbered_picture(1))
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_source("http://127.0.0.1:1/video"), LiveSource)
    assert isinstance(open_source(str(VIDEO / "plain.mp4")), VideoFileSource)
    assert isinstance(open_source(str(tmp_path)), ImageFolderSource)
    assert isinstance(open_source("a.png"), ImageFolderSource)
    assert open_source("4").name == "camera 4"
    assert open_source("/dev/video4").name == "camera 4"
    assert open_source("desk").name == "Desk Cam"
    assert open_source("integrated WEBCAM").name == "Integrated Webcam"
    assert cameras == [4, 4, 4, 0]
    (tmp_path / "desk").mkdir()  # a path comes before a camera's name
    with pytest.raises(SourceError, match="no pictures"):
        open_source("desk")
    (tmp_path / "4").mkdir()  # and a number before a path
    assert open_source("4").name == "camera 4"


def test_an_unknown_source_lists_what_there_is(cameras):
    with pytest.raises(SourceError) as caught:
        open_source("nosuch.mp4")
    message = str(caught.value)
    assert "nosuch.mp4: no such file or folder" in message
    assert "0 (Integrated Webcam), 4 (Desk Cam)" in message
    with pytest.raises(SourceError, match=r"2 cameras match.*number"):
        open_source("cam")


@pytest.mark.parametrize(
    "spec", ["", "  ", "x" * 5000, "nul\0byte", "~nobodyhere/x", "ftp://a/b", "http://", "http://a:99999/"]
)
def test_nonsense_is_one_line(spec):
    with pytest.raises(SourceError) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate_hz):
    with pytest.raises(SourceError, match="rate"):
        open_source("0", rate_hz=rate_hz)


def test_passwords_are_masked():
    for url in (
        "http://me:s3cret@cam/v",
        "rtsp://me:s3@cret@cam:554/v",
        "http://cam/v?user=me&password=s3cret&x=1",
    ):
        masked = mask_url(url)
        assert "cret" not in masked
        assert "cam" in masked
        assert "***" in masked
        assert open_source(url).name == masked
    assert mask_url("http://cam:80/v?x=1") == "http://cam:80/v?x=1"


# -- folders ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for n, suffix in ((10, "jpg"), (9, "JPEG"), (2, "png"), (1, "bmp"), (11, "webp")):
        cv2.imwrite(str(tmp_path / f"shot{n}.{suffix}"), numbered_picture(n))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_a_folder_is_read_in_natural_order(folder):
    with open_source(str(folder)) as source:
        frames = list(source)
    assert [read_number(frame.image_rgb) for frame in frames] == [1, 2, 9, 10, 11]
    assert [frame.t_s for frame in frames] == [0, 1, 2, 3, 4]
    assert (source.n_frames, source.duration_s, source.is_live, source.notes) == (5, 5.0, False, ())
    assert [frame.t_s for frame in open_source(str(folder), rate_hz=4.0)] == [0, 0.25, 0.5, 0.75, 1.0]


def test_pictures_that_cannot_be_read_are_skipped_and_noted(folder, capfd):
    (folder / "shot3.jpg").write_bytes((folder / "shot10.jpg").read_bytes()[:500])
    (folder / "shot4.png").write_bytes((folder / "shot2.png").read_bytes()[:18000])
    (folder / "shot5.jpg").touch()
    (folder / "shot6.jpg").mkdir()
    (folder / "shot0.jpg").write_text("first, and no picture")
    source = open_source(str(folder))
    frames = list(source)
    assert [read_number(frame.image_rgb) for frame in frames] == [1, 2, 9, 10, 11]
    assert [frame.t_s for frame in frames] == [0, 1, 6, 7, 8]  # their time stays empty
    assert [note.split(":")[0] for note in source.notes] == [
        f"shot{n}" for n in ("0.jpg", "3.jpg", "4.png", "5.jpg", "6.jpg")
    ]
    assert capfd.readouterr() == ("", "")  # neither libjpeg nor libpng


def test_a_folder_of_broken_pictures_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_text("no")
    with pytest.raises(SourceError, match="none of its 1 pictures"):
        list(open_source(str(tmp_path)))


def test_a_folder_without_pictures_names_itself(tmp_path):
    with pytest.raises(SourceError, match="no pictures") as caught:
        open_source(str(tmp_path))
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("kind", ["grey", "alpha", "grey16"])
def test_grey_and_transparent_pictures_are_rgb_in_the_end(tmp_path, kind):
    picture = numbered_picture(77)
    shapes = {
        "grey": picture[..., 0],
        "alpha": np.dstack([picture, np.full(picture.shape[:2], 128, np.uint8)]),
        "grey16": picture[..., 0].astype(np.uint16) * 256,
    }
    cv2.imwrite(str(tmp_path / "a.png"), shapes[kind])
    (frame,) = open_source(str(tmp_path))
    np.testing.assert_array_equal(frame.image_rgb, picture)
    np.testing.assert_array_equal(Orientation().to_rgb(shapes[kind]), picture)


# -- mirroring and rotation -------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.sampled_from([0, 90, 180, 270]))
def test_orientation_is_numpys_made_contiguous(height, width, mirror, rotate_deg):
    bgr = np.random.default_rng(height * 41 + width).integers(0, 256, (height, width, 3), np.uint8)
    rgb = Orientation(mirror, rotate_deg).to_rgb(bgr)
    expected = np.rot90(bgr[..., ::-1], k=-rotate_deg // 90)
    np.testing.assert_array_equal(rgb, expected[:, ::-1] if mirror else expected)
    assert rgb.flags.c_contiguous
    assert rgb.dtype == np.uint8


@pytest.mark.parametrize("spec", ["plain.mp4", "folder"])
def test_mirroring_and_rotation_reach_every_source(spec, folder):
    path = str(folder if spec == "folder" else VIDEO / spec)
    plain = [frame.image_rgb for frame in open_source(path)]
    turned = [frame.image_rgb for frame in open_source(path, mirror=True, rotate_deg=90)]
    for a, b in zip(plain, turned, strict=True):
        np.testing.assert_array_equal(np.rot90(a, k=-1)[:, ::-1], b)


def test_a_crooked_rotation_is_refused():
    with pytest.raises(SourceError, match="rotation is 45"):
        open_source("0", rotate_deg=45)


# -- paced replay -----------------------------------------------------------------------------------


class FakeSource:
    name, is_live, n_frames, duration_s, notes = "fake", False, None, None, ("a note",)

    def __init__(self, times_s):
        self.times_s, self.is_closed = times_s, False

    def __iter__(self):
        for t_s in self.times_s:
            yield Frame(t_s, None)

    def close(self):
        self.is_closed = True


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=30).map(sorted),
    st.floats(0.01, 100),
    st.lists(st.floats(0, 5), min_size=30, max_size=30),
)
def test_no_frame_comes_before_its_time_and_none_is_dropped(times_s, speed, work_s):
    times_s = [t - times_s[0] for t in times_s]
    now = [1000.0]

    def wait(seconds):
        assert 0 < seconds <= 0.1
        now[0] += max(seconds, 1e-9)

    got = []
    for frame, busy_s in zip(
        PacedSource(FakeSource(times_s), speed, clock=lambda: now[0], wait=wait), work_s, strict=False
    ):
        assert now[0] - 1000.0 >= frame.t_s / speed - 1e-6
        got.append(frame.t_s)
        now[0] += busy_s
    assert got == times_s


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(SourceError, match="speed"):
        PacedSource(FakeSource([0.0]), speed)


def test_stopping_ends_a_long_wait():
    stop = threading.Event()
    source = PacedSource(FakeSource([0.0, 3600.0]), stop=stop)
    frames = iter(source)
    assert next(frames).t_s == 0.0
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (list(frames), ended.set()), daemon=True)
    thread.start()
    assert not ended.is_set()
    stop.set()
    assert ended.wait(1.0)
    thread.join()
    source.close()
    assert source.notes == ("a note",)


def test_closing_closes_what_is_played():
    inner = FakeSource([0.0, 1.0])
    with PacedSource(inner) as source:
        pass
    assert inner.is_closed
    assert list(source) == []
