"""Video files: every frame, at the container's own time, and one clear line where that cannot be."""

import math
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mjpeg_server import numbered_picture, read_number
from unprivileged import as_nobody, shared_folder
from video_times import N_FRAMES, frame_time_s

from posture.clips import ClipClock, VideoFileSource
from posture.errors import SourceError
from posture.sources import open_source

VIDEO = Path(__file__).parent / "fixtures" / "video"
VARIABLE = ["variable_h264.mp4", "variable_mpeg4.mp4", "variable_vp8.webm", "variable_mjpeg.mov"]
ABSURD = ["late_start.mkv", "says_1000_fps.mkv", "says_90000_fps.mkv"]
REAL_CAPTURE = cv2.VideoCapture


def read(path, **options):
    with open_source(str(path), **options) as source:
        return list(source), source


@pytest.mark.parametrize("name", VARIABLE + ABSURD)
def test_each_frame_has_the_time_at_which_it_is_shown(name):
    frames, source = read(VIDEO / name)
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(N_FRAMES))
    expected = [frame_time_s(n) for n in range(N_FRAMES)]
    np.testing.assert_allclose([frame.t_s for frame in frames], expected, atol=1.1e-3)  # webm: whole ms
    assert frames[0].t_s == 0.0
    if name != "late_start.mkv" or hasattr(cv2, "CAP_PROP_PTS"):  # OpenCV 4 hides where a clip starts
        assert source.notes == ()
    assert source.duration_s is None or source.duration_s >= expected[-1] - 0.05


@pytest.mark.parametrize("fps", [0.0, math.nan, math.inf, -1.0, 1000.0, 90000.0])
@pytest.mark.parametrize("count", [0.0, -9.2e18, math.nan, 40.0])
def test_a_missing_or_absurd_rate_changes_nothing(monkeypatch, fps, count):
    class Capture:
        def __init__(self, *args):
            self._real = REAL_CAPTURE(*args)

        def __getattr__(self, name):
            return getattr(self._real, name)

        def get(self, prop):
            return {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: count}.get(prop, self._real.get(prop))

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    frames, source = read(VIDEO / "variable_h264.mp4")
    np.testing.assert_allclose([f.t_s for f in frames], [frame_time_s(n) for n in range(N_FRAMES)], atol=1e-3)
    assert source.notes == ()
    assert source.n_frames in (None, 40)
    assert source.duration_s is None or math.isfinite(source.duration_s)


def test_without_timestamps_the_rate_is_used_and_said():
    frames, source = read(VIDEO / "no_timestamps.h264")
    steps = np.diff([frame.t_s for frame in frames])
    assert len(frames) == N_FRAMES
    assert steps.min() > 0
    np.testing.assert_allclose(steps, steps[0])
    assert len(source.notes) == 1
    assert "no timestamps" in source.notes[0]


def test_rotation_metadata_is_applied_before_our_own():
    upright = read(VIDEO / "plain.mp4")[0][5].image_rgb
    turned = read(VIDEO / "rotated.mp4")[0][5].image_rgb
    assert turned.shape == (256, 48, 3)
    np.testing.assert_array_equal(np.rot90(upright), turned)  # as ffplay shows it: anticlockwise
    back = read(VIDEO / "rotated.mp4", rotate_deg=90)[0][5].image_rgb
    np.testing.assert_array_equal(back, upright)


def test_reading_again_gives_the_same():
    with open_source(str(VIDEO / "variable_mpeg4.mp4")) as source:
        first, second = list(source), list(source)
    assert [f.t_s for f in first] == [f.t_s for f in second]
    assert all(np.array_equal(a.image_rgb, b.image_rgb) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["half.mp4", "half.avi", "half.webm"])
def test_a_truncated_clip_is_read_as_far_as_it_goes_and_noted(name):
    frames, source = read(VIDEO / name)
    assert 5 < len(frames) < N_FRAMES
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(len(frames)))
    note = source.notes[-1]
    assert note.startswith(f"{name}: truncated, {len(frames)} of ")
    assert "\n" not in note


def test_frames_after_a_hole_are_read_and_keep_their_time():
    frames, source = read(VIDEO / "hole.mp4")
    times = [frame.t_s for frame in frames]
    assert N_FRAMES // 2 < len(frames) < N_FRAMES
    assert times == sorted(times)
    assert times[-1] == pytest.approx(3.9)
    assert read_number(frames[-1].image_rgb) == N_FRAMES - 1
    assert any("unreadable" in note for note in source.notes)
    assert not any("truncated" in note for note in source.notes)


@pytest.fixture
def bad_file(tmp_path):
    def make(kind):
        path = tmp_path / f"{kind}.mp4"
        if kind == "empty":
            path.touch()
        elif kind == "text":
            path.write_text("Dear diary,\ntoday I sat upright.\n" * 20)
        elif kind == "random":
            path.write_bytes(np.random.default_rng(1).bytes(5000))
        elif kind == "folder":
            path.mkdir()
        elif kind != "missing":
            shutil.copy(VIDEO / path.name, path)
        return path

    return make


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("empty", "is empty"),
        ("text", "is text"),
        ("random", "not a video"),
        ("folder", "no pictures"),
        ("audio_only", "sound but no picture"),
        ("no_index", "cut short"),
        ("header_only", "no frame can be decoded"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(bad_file, kind, words, capfd):
    path = bad_file(kind)
    with pytest.raises(SourceError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert words in message
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def test_a_format_that_opens_but_is_never_decoded_is_an_error_or_is_read():
    try:
        frames, _ = read(VIDEO / "av1.mp4")
    except SourceError as error:  # OpenCV's wheels have no AV1 decoder
        assert "AV01" in str(error)
        assert "ffmpeg" in str(error)
    else:
        assert len(frames) == 5


def test_what_may_not_be_read_says_so():
    with shared_folder() as folder:
        clip = folder / "private.mp4"
        shutil.copy(VIDEO / "plain.mp4", clip)
        clip.chmod(0)
        closed = folder / "closed"
        closed.mkdir()
        shutil.copy(VIDEO / "plain.mp4", closed / "inside.mp4")
        closed.chmod(0)
        with as_nobody():
            for path in (clip, closed / "inside.mp4", closed):
                with pytest.raises(SourceError, match=r"(?i)permission denied") as caught:
                    read(path)
                assert str(path) in str(caught.value)
        closed.chmod(0o700)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    with pytest.raises(SourceError, match="is not a file"):
        VideoFileSource(path)


@pytest.mark.parametrize("name", ["half.mp4", "half.avi", "hole.mp4", "header_only.mp4", "no_index.mp4"])
def test_nothing_reaches_the_terminal(name):
    code = textwrap.dedent(f"""
        from posture.sources import open_source
        try:
            for frame in open_source({str(VIDEO / name)!r}): pass
        except OSError: pass
    """)
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENCV_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("suffix", "code"), [(".mp4", "mp4v"), (".avi", "MJPG")])
def test_what_opencv_writes_is_read_whole(tmp_path, suffix, code):
    path = tmp_path / f"clip with spaces, ümlaut{suffix}"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 12.5, (320, 240))
    assert writer.isOpened()
    for n in range(30):
        writer.write(numbered_picture(n))
    writer.release()
    frames, source = read(path)
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.t_s for frame in frames], np.arange(30) / 12.5, atol=1e-3)
    assert source.n_frames == 30
    assert source.duration_s == pytest.approx(30 / 12.5)
    image = frames[0].image_rgb
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous


def test_closing_ends_the_iteration_and_frees_the_file():
    n_open = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else None
    for _ in range(20):
        with open_source(str(VIDEO / "plain.mp4")) as source:
            frames = iter(source)
            next(frames)
            source.close()
            assert list(frames) == []
    if n_open is not None:
        assert len(list(Path("/proc/self/fd").iterdir())) <= n_open


timestamps = st.one_of(st.floats(), st.floats(0, 1e7), st.sampled_from([0.0, math.nan, -3.7e20, -100.0]))


@given(st.lists(timestamps, max_size=60), st.booleans())
def test_the_clock_starts_at_zero_and_never_goes_back(stamps_ms, is_timed):
    clock = ClipClock(is_timed=is_timed, interval_s=0.04)
    times = [clock.stamp(ms) for ms in stamps_ms]
    assert times[:1] in ([], [0.0])
    assert all(math.isfinite(t) for t in times)
    assert times == sorted(times)


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60), st.integers(-10_000_000, 10_000_000))
def test_the_clock_keeps_good_timestamps_whatever_their_start(steps_ms, start_ms):
    stamps_ms = np.cumsum([start_ms, *steps_ms])
    clock = ClipClock()
    times = [clock.stamp(float(ms)) for ms in stamps_ms]
    np.testing.assert_allclose(times, (stamps_ms - start_ms) / 1e3, atol=1e-6)


@given(st.integers(3, 50), st.integers(10, 50), st.integers(10_000, 10_000_000))
def test_a_clock_that_starts_again_is_joined_on(n_first, n_second, start_ms):
    first = [start_ms + 100.0 * n for n in range(n_first)]
    second = [100.0 * n for n in range(n_second)]
    clock = ClipClock()
    times = [clock.stamp(ms) for ms in first + second]
    assert times[-1] == pytest.approx(0.1 * (len(times) - 1))


def test_one_frame_out_of_order_does_not_shift_the_rest():
    clock = ClipClock()
    times = [clock.stamp(ms) for ms in (0, 100, 2400, 1200, 2500, 2600)]
    assert times == pytest.approx([0, 0.1, 2.4, 2.4, 2.5, 2.6])
