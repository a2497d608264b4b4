"""Annotated clips and charts: the clip's own frames and times, judged as without, and one line when it cannot be."""

import os
import re
import resource
import signal
import stat
import sys
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest
from browser import PHONE, chromium
from cli_helpers import (
    EMPTY,
    FIXTURES,
    FRONT,
    fails,
    front_baseline,
    front_replay,
    home_env,
    posture,
    running,
)
from desktop import wait_until
from video_times import N_FRAMES, frame_time_s

from posture.errors import OutputError
from posture.view.plot import PlotSink
from posture.view.video import MPEG4_NOTE, check_video_name, open_video

JUDGE = ("--calibrate", "0:6", "--set", "alert.sustain_s=10")


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """The front clip with everything drawn on it, its events, trace and charts."""
    folder = tmp_path_factory.mktemp("annotated")
    done = posture(
        *("replay", FRONT, *JUDGE, "--annotate", folder / "new" / "out.mp4", "--plot", folder / "plot.html"),
        *("--events", folder / "out.jsonl", "--trace", folder / "out.csv"),
        env=home_env(folder / "home"),
    )
    return folder, done


def read_video(path):
    """Pictures (RGB) and times in seconds of a clip."""
    capture, pictures, times_s = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), [], []
    while True:
        is_read, image = capture.read()
        if not is_read:
            capture.release()
            return pictures, times_s
        pictures.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3)


def without_av(folder):
    """A folder that makes PyAV and Matplotlib look as if they were not installed."""
    folder.mkdir()
    for name in ("av", "matplotlib"):
        (folder / f"{name}.py").write_text("raise ImportError('not installed')")
    return f"{folder}:{':'.join(sys.path)}"


def test_every_frame_is_there_at_its_own_time(annotated):
    pictures, times_s = read_video(annotated[0] / "new" / "out.mp4")
    originals, original_times_s = read_video(FRONT)
    assert len(pictures) == len(originals)
    assert times_s == pytest.approx(original_times_s, abs=1e-3)
    capture = cv2.VideoCapture(str(annotated[0] / "new" / "out.mp4"))
    fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    assert count / fps == pytest.approx(len(originals) / 4.0, abs=0.25), "the same length within a frame"
    assert int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little") == b"h264"
    capture.release()
    # The picture itself is the clip's, not mirrored: a box on the wall shows it.
    box = np.s_[230:320, 3:60]
    difference = [
        np.abs(pictures[40][box].astype(int) - one[box]).mean()
        for one in (originals[40], originals[40][:, ::-1])
    ]
    assert difference[0] < 5.0
    assert difference[1] > 15.0


def test_it_is_judged_as_without(annotated):
    trace, events, _ = front_replay()
    assert (annotated[0] / "out.jsonl").read_bytes() == events.read_bytes()
    assert (annotated[0] / "out.csv").read_bytes() == trace.read_bytes()


def test_what_is_drawn_is_what_was_judged(annotated):
    pictures, _ = read_video(annotated[0] / "new" / "out.mp4")
    frame = [picture[1, 300].astype(int) for picture in (pictures[10], pictures[36], pictures[100])]
    purple, blue, orange = (204, 121, 167), (86, 180, 233), (230, 159, 0)
    for colour, wanted in zip(frame, (purple, blue, orange), strict=True):
        assert np.abs(colour - wanted).max() < 40, "not judging, upright, slouching"


def test_it_is_for_the_owner_alone(annotated):
    """It shows a person."""
    for name in ("new/out.mp4", "plot.html"):
        assert stat.S_IMODE((annotated[0] / name).stat().st_mode) == 0o600


def test_a_page_needs_nothing_else_and_tells_the_events(annotated):
    page = (annotated[0] / "plot.html").read_text(encoding="utf-8")
    assert not re.findall(
        r"(?:src|href|url)\s*[=(]\s*[\"']?\s*(?!#)[\w/:]*//", page.replace("http://www.w3.org", "")
    )
    assert "<script" not in page
    assert page.count("<tr>") == 1 + (annotated[0] / "out.jsonl").read_text().count("\n")
    assert "<td>alert</td>" in page
    assert "<svg" in page


def test_a_pages_chart_keeps_readable_words_on_a_phone(annotated):
    with chromium() as browser:
        browser.open(annotated[0] / "plot.html", PHONE)
        assert browser.complaints() == []
        assert len(browser.requests()) == 1
        page, words = browser.execute_script(
            """return [document.documentElement.scrollWidth,
                [...document.querySelectorAll('svg [id^="text_"]')].map(t => t.getBoundingClientRect().height)]"""
        )
    assert page <= PHONE[0], "the chart scrolls, the page does not"
    assert min(words) >= 6, "letters, whose bodies are half as high again"


@pytest.mark.parametrize("name", ["plot.png", "plot.svg"])
def test_charts_are_whole_and_the_same_again(env, tmp_path, name):
    for again in ("a", "b"):
        posture("replay", EMPTY, "--baseline", front_baseline(), "--plot", tmp_path / again / name, env=env)
    content = (tmp_path / "a" / name).read_bytes()
    assert content == (tmp_path / "b" / name).read_bytes()
    if name.endswith("png"):
        assert cv2.imread(str(tmp_path / "a" / name)).shape[0] > 800
    else:
        assert ElementTree.fromstring(content).tag.endswith("svg")


def test_a_hostile_name_is_only_a_name(env, tmp_path):
    clip = tmp_path / "<b>$x$&.mp4"
    clip.write_bytes(EMPTY.read_bytes())
    posture("replay", clip, "--baseline", front_baseline(), "--plot", tmp_path / "p.html", env=env)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;$x$&amp;.mp4" in page


def test_uneven_times_are_kept(env, tmp_path):
    out = tmp_path / "out.mp4"
    posture(
        "replay",
        FIXTURES / "video/variable_h264.mp4",
        "--baseline",
        front_baseline(),
        "--annotate",
        out,
        env=env,
    )
    _, times_s = read_video(out)
    assert times_s == pytest.approx([frame_time_s(n) for n in range(N_FRAMES)], abs=2e-3)


def test_without_the_extra_it_is_mpeg_4_with_the_same_timing(tmp_path):
    env = home_env(tmp_path / "home", PYTHONPATH=without_av(tmp_path / "none"))
    out = tmp_path / "out.mp4"
    done = posture("replay", EMPTY, "--baseline", front_baseline(), "--annotate", out, env=env)
    assert MPEG4_NOTE in done.stderr.replace("\n", " ")
    pictures, times_s = read_video(out)
    originals, original_times_s = read_video(EMPTY)
    assert len(pictures) == len(originals)
    assert times_s == pytest.approx(original_times_s, abs=0.02)
    told = fails("replay", EMPTY, "--baseline", front_baseline(), "--plot", tmp_path / "p.png", env=env)
    assert told == "--plot needs Matplotlib: python -m pip install matplotlib"


def test_several_clips_go_to_a_folder_also_pictures(env, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i, image in enumerate(read_video(EMPTY)[0][:4]):
        size = (321, 201) if i == 2 else (200, 301)  # odd, upright, and one of another shape
        cv2.imwrite(str(pictures / f"{i}.jpg"), cv2.resize(image, size))
    out = tmp_path / "out"
    posture(
        *("replay", EMPTY, pictures, "--baseline", front_baseline(), "--annotate", out, "--plot", out),
        *("--set", "camera.rate_hz=1"),
        env=env,
    )
    assert sorted(path.name for path in out.iterdir()) == [
        *("empty_room.html", "empty_room.mp4", "pictures.html", "pictures.mp4"),
    ]
    frames, times_s = read_video(out / "pictures.mp4")
    assert times_s == pytest.approx([0.0, 1.0, 2.0, 3.0], abs=1e-3)
    assert frames[0].shape[1] == 640


def test_a_very_tall_picture_still_plays(env, tmp_path):
    """Decoders take 4096 lines at most."""
    pictures, out = tmp_path / "tall", tmp_path / "out.mp4"
    pictures.mkdir()
    out.touch(0o644)
    for i in range(3):
        cv2.imwrite(str(pictures / f"{i}.png"), np.full((1200, 60, 3), 200, np.uint8))
    posture("replay", pictures, "--baseline", front_baseline(), "--annotate", out, env=env)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600, "also where others could read what was there"
    (frame, *_), _ = read_video(out)
    assert frame.shape[1] == 640
    assert 2160 < frame.shape[0] <= 2400
    grey = frame[1000].mean(axis=1)
    assert grey[300:340].min() > 150, "the picture, in the middle"
    assert max(grey[:200].max(), grey[-200:].max()) < 40


def test_blurred_is_blurred_in_the_file(env, tmp_path):
    out = tmp_path / "out.mp4"
    posture(
        *("replay", FIXTURES / "two_people.mp4", "--baseline", front_baseline(), "--set", "view.blur=true"),
        *("--annotate", out),
        env=env,
    )
    sharp, _ = read_video(FIXTURES / "two_people.mp4")
    blurred, _ = read_video(out)
    patch = np.s_[100:360, 310:630]
    grey = [one[-1][patch].astype(float).mean(axis=2) for one in (sharp, blurred)]
    steps = [np.abs(np.diff(one, axis=1)) for one in grey]
    assert np.quantile(steps[0], 0.999) > 30
    assert np.median(steps[1]) <= 1
    fine = [one - cv2.GaussianBlur(one, (0, 0), 8) for one in grey]
    assert abs(np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_clip_plays_as_far_as_it_went(env, tmp_path, number):
    out = tmp_path / "out.mp4"
    with running("replay", FRONT, "--baseline", front_baseline(), "--annotate", out, env=env) as process:
        process.wait_for(lambda: out.exists() and out.stat().st_size > 150_000)
        if number == signal.SIGINT:
            process.stop(number)
        else:
            process.popen.kill()
            process.popen.wait(10)
    pictures, times_s = read_video(out)
    assert 8 <= len(pictures) < 160
    assert times_s[-1] == pytest.approx((len(pictures) - 1) / 4.0, abs=1e-3)


@pytest.mark.parametrize("is_plain", [True, False], ids=["mpeg4", "h264"])
def test_a_full_disk_is_one_line(tmp_path, is_plain):
    changes = {"PYTHONPATH": without_av(tmp_path / "none")} if is_plain else {}
    env = home_env(tmp_path / "home", **changes)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    out = tmp_path / "out.mp4"
    clip = FIXTURES / "two_people.mp4"
    told = fails("replay", clip, "--baseline", front_baseline(), "--annotate", out, env=env, preexec_fn=limit)
    assert told.startswith(f"cannot write {out}: ")
    assert "free space" in told


def test_what_cannot_be_written_is_one_line(env, tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(EMPTY.read_bytes())
    common = ("replay", clip, "--baseline", front_baseline())
    assert "would overwrite a clip" in fails(*common, "--annotate", clip, env=env)
    (tmp_path / "other name.mp4").hardlink_to(clip)
    assert "would overwrite a clip" in fails(*common, "--annotate", tmp_path / "other name.mp4", env=env)
    assert clip.read_bytes() == EMPTY.read_bytes()
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "pipe.mp4 is not a file" in fails(*common, "--annotate", tmp_path / "pipe.mp4", env=env)
    assert "name a file that ends in .mp4" in fails(*common, "--annotate", tmp_path / "out.avi", env=env)
    assert "name such a file" in fails(*common, "--plot", tmp_path / "out.pdf", env=env)
    told = fails(*common, "--annotate", "/proc/none/out.mp4", env=env)
    assert told.startswith("cannot write /proc/none/out.mp4: ")
    assert not (tmp_path / "out.avi").exists()


COLOURS = [(204, 121, 167), (86, 180, 233), (230, 159, 0), (240, 228, 66), (255, 255, 255), (24, 26, 31)]


@pytest.mark.parametrize("height", [480, 960])
def test_a_browser_plays_it_in_its_own_colours(tmp_path, height):
    """Untold, Chromium takes the colours of 720 lines or more for those of another standard."""
    page = np.repeat(np.repeat(np.array([COLOURS], np.uint8), 100, axis=1), height, axis=0)
    writer = open_video(tmp_path / "out.mp4", page.shape[1], height, 4.0)
    for k in range(6):
        writer.write(page, k / 4)
    writer.close()
    (tmp_path / "page.html").write_text('<body style="margin:0"><video src="out.mp4" muted></video>')
    with chromium() as browser:
        browser.open(tmp_path / "page.html", (800, 1000))
        state = wait_until(
            lambda: browser.execute_script(
                """const v = document.querySelector('video');
                return v.error ? [v.error.message] : v.readyState > 3 && [v.videoWidth, v.videoHeight, v.duration]"""
            ),
            "the clip",
            30.0,
        )
        assert state == [600, height, 1.5]
        browser.screenshot(tmp_path / "shot.png")
    shot = cv2.cvtColor(cv2.imread(str(tmp_path / "shot.png")), cv2.COLOR_BGR2RGB)
    shown = shot[height // 2, 50:600:100].astype(int)
    assert np.abs(shown - COLOURS).max() <= 4


def test_writing_on_after_a_failure_raises(tmp_path):
    page = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(OutputError, match=r"\.mp4"):
        check_video_name(tmp_path / "x")
    writer = open_video(tmp_path / "x.mp4", 64, 64, 4.0)
    writer.write(page, 0.0)
    page[:] = 255  # what is handed over is not looked at again
    writer.write(page, 0.25)
    writer.close()
    pictures, _ = read_video(tmp_path / "x.mp4")
    assert [round(float(picture.mean()), -2) for picture in pictures] == [0.0, 300.0]


def test_nothing_judged_is_no_chart(tmp_path):
    sink = PlotSink(tmp_path / "p.png", "none", lambda: None, None)
    sink.close()
    assert not list(tmp_path.iterdir())
