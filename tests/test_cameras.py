"""Listing and opening cameras: on a computer with none, and on a pretended one."""

import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import cv2_enumerate_cameras
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unprivileged import as_nobody, shared_folder

from posture import cameras
from posture.cameras import Camera, check_camera, describe, find_camera, list_cameras, open_camera
from posture.errors import SourceError
from posture.sources import open_source

ABSENT = 97  # no computer has so many
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about /dev/videoN")


def info(index, name, path, backend=0):
    return SimpleNamespace(index=index, name=name, path=path, vid=None, pid=None, backend=backend)


def test_listing_never_fails_and_prints_nothing(capfd):
    found = list_cameras()
    assert all(isinstance(camera, Camera) for camera in found)
    assert capfd.readouterr() == ("", "")


def test_listing_survives_a_broken_system(monkeypatch, capfd):
    def broken(backend):
        print("noise", file=sys.stderr)
        raise OSError("no such thing here")

    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", broken)
    assert list_cameras() == []


def test_each_camera_is_listed_once_in_order(monkeypatch):
    found = [
        info(4, "Desk Cam", "/dev/video4"),
        info(0, "Integrated  Webcam\n", "/dev/video0"),
        info(4, "Desk Cam", "/dev/video4"),
        info(2, None, None),
        info(2, None, None),
        info(6, "Desk Cam", "/dev/video6"),
    ]
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", lambda backend: found)
    listed = [(camera.index, camera.name, camera.path) for camera in list_cameras()]
    assert listed == [
        (0, "Integrated Webcam", "/dev/video0"),
        (2, "camera 2", None),
        (4, "Desk Cam", "/dev/video4"),
        (6, "Desk Cam", "/dev/video6"),
    ]
    assert describe(list_cameras()).startswith("cameras found: 0 (Integrated Webcam), 2 (camera 2)")
    assert describe([]) == "no cameras found"


names = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6)


@given(names, st.text(max_size=5))
def test_a_camera_is_found_by_its_name_or_not_at_all(all_names, part):
    found = [Camera(i, name, None, "V4L2") for i, name in enumerate(all_names)]
    try:
        camera = find_camera(part, found)
    except SourceError as error:
        assert "number instead" in str(error)
        return
    if camera is not None:
        assert part.casefold().strip() in camera.name.casefold()
        others = [c for c in found if c != camera]
        is_whole = camera.name.casefold() == part.casefold().strip()
        assert is_whole or not any(part.casefold().strip() in c.name.casefold() for c in others)


def test_a_whole_name_beats_a_part_of_another():
    found = [Camera(0, "Cam", None, "V4L2"), Camera(2, "Cam Pro", None, "V4L2")]
    assert find_camera("cam", found).index == 0
    assert find_camera("PRO", found).index == 2
    assert find_camera("Sony", found) is None
    twins = [Camera(0, "Cam", None, "V4L2"), Camera(2, "Cam", None, "V4L2")]
    with pytest.raises(SourceError, match=r"0 \(Cam\), 2 \(Cam\)"):
        find_camera("cam", twins)


@pytest.mark.parametrize("index", [-1, -5, 256, 10**8])
def test_an_index_that_would_crash_opencv_is_refused(index):
    with pytest.raises(SourceError, match="not a camera number"):
        open_camera(index)
    with pytest.raises(SourceError, match="not a camera number"):
        open_source(str(index))


@linux_only
def test_a_missing_camera_lists_those_found(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(cameras, "list_cameras", lambda: [Camera(0, "Desk Cam", "/dev/video0", "V4L2")])
    with pytest.raises(SourceError, match=r"no such camera.*cameras found: 0 \(Desk Cam\)"):
        open_camera(ABSENT)
    with pytest.raises(SourceError, match=f"camera {ABSENT}: no such camera"):
        open_source(f"/dev/video{ABSENT}")
    assert capfd.readouterr() == ("", "")


@linux_only
def test_a_forbidden_camera_tells_how_to_be_allowed():
    with shared_folder() as folder:
        device = folder / "video0"
        device.touch(mode=0o600)
        check_camera(0, folder)
        device.chmod(0)
        with as_nobody(), pytest.raises(SourceError, match=r"permission denied.*video0.*usermod -aG video"):
            check_camera(0, folder)


@linux_only
def test_a_camera_that_exists_and_does_not_open_is_called_busy(tmp_path, capfd):
    (tmp_path / f"video{ABSENT}").touch()
    with pytest.raises(SourceError, match="in use by another program") as caught:
        open_camera(ABSENT, device_folder=tmp_path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@linux_only
@pytest.mark.parametrize(
    ("size", "rate_hz", "is_mjpg", "is_slow"),
    [((640, 480), 5.0, False, True), ((1280, 720), 30.0, True, False), ((None, None), None, False, False)],
)
def test_a_camera_is_asked_for_the_smallest_useful_stream(
    monkeypatch, tmp_path, size, rate_hz, is_mjpg, is_slow
):
    asked = {}

    class Capture:
        def __init__(self, index, backend):
            assert (index, backend) == (3, cv2.CAP_V4L2)

        def isOpened(self):
            return True

        def set(self, prop, value):
            asked[prop] = value
            return False  # refusing is no failure

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    (tmp_path / "video3").touch()
    capture = open_camera(
        3, width_px=size[0], height_px=size[1], rate_hz=rate_hz, device_folder=Path(tmp_path)
    )
    assert isinstance(capture, Capture)
    assert asked[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert asked.get(cv2.CAP_PROP_FRAME_WIDTH) == size[0]
    assert asked.get(cv2.CAP_PROP_FRAME_HEIGHT) == size[1]
    assert (cv2.CAP_PROP_FOURCC in asked) == is_mjpg
    assert (cv2.CAP_PROP_FPS in asked) == is_slow
