"""Watching a camera: what is held, what is judged, and a camera that shows nothing.

Claimed, over a real MJPEG stream from the scripted server and over frames made by hand: an unchanged picture is held
and a changed one judged; black, covered and frozen pictures are never judged, say so, and are over by themselves;
pictures nobody judges are never decoded; a recorded clip knows none of this.
"""

import dataclasses
import threading

import cv2
import mjpeg_server
import numpy as np
import pytest
from cli_helpers import FIXTURES, home_env, posture
from mjpeg_server import MjpegServer
from rich.console import Console

from posture import assembly
from posture import attention as attention_module
from posture.angles import measure_rows, repeat_at
from posture.attention import Attention
from posture.capture import Orientation, keep_to_one_thread
from posture.conductor import Conductor
from posture.control.commands import Resume, Snooze
from posture.desktop.circumstances import Orders
from posture.duty import DutyCycle
from posture.encoded import EncodedFrame, Jpeg, open_jpeg
from posture.landmarks import Frame, no_person
from posture.live import LiveSource
from posture.monitor import run_monitor
from posture.pipeline import Pipeline
from posture.settings import PowerSettings, Settings
from posture.slouch import Reason, SlouchState
from posture.sources import open_source
from posture.trace import load_trace

NO_SHIFT = np.array([[np.nan, np.nan, 0.0]])
UPRIGHT = load_trace(FIXTURES / "front_upright_slouch.npz")
SETTINGS = Settings(power=PowerSettings(preset="eco"))


class Landmarker:
    """An observer that always finds the same person, and counts."""

    condition = Reason.NONE
    all = False

    def __init__(self):
        self.seen = []

    def seek(self, baseline):
        pass

    def detect(self, frame):
        if frame.image_rgb is None:
            return no_person(frame.t_s)
        self.seen.append(frame.t_s)
        return dataclasses.replace(
            UPRIGHT[8:9], t_s=np.array([frame.t_s]), scene_shift=np.array([[0.0, 0.0, 1.0]])
        )

    def judge_all(self, is_on):
        self.all = is_on


def test_a_held_frame_is_judged_as_if_it_had_been_measured_anew():
    session = load_trace(FIXTURES / "d301_monitor.npz")
    held, anew = (Pipeline(SETTINGS, calibrate_span_s=(0.0, 12.0)) for _ in range(2))
    for row in range(0, len(session), 3):  # each judged once and held for two looks
        (seen,) = measure_rows(session[row : row + 1])
        told = [held.step(seen)]
        plain = [anew.step(session[row : row + 1])]
        for t_s in session.t_s[row] + np.array([0.25, 0.5]):
            told.append(held.step(repeat_at(float(t_s), seen, NO_SHIFT)))
            plain.append(
                anew.step(
                    dataclasses.replace(session[row : row + 1], t_s=np.array([t_s]), scene_shift=NO_SHIFT)
                )
            )
        assert repr(told) == repr(plain)  # NaN is like NaN there


class Source:
    rate_hz = None


class Collector:
    """A sink that ends the run when it has seen enough."""

    def __init__(self, stop, is_enough, n_most=400):
        self.results, self._stop, self._is_enough, self._n_most = [], stop, is_enough, n_most

    def handle(self, result):
        self.results.append(result)
        assert len(self.results) < self._n_most, self.reasons()
        if self._is_enough(self):
            self._stop.set()

    def reasons(self):
        """Return the reasons in order, repetitions left out."""
        reasons = [result.reason for result in self.results]
        return [r for i, r in enumerate(reasons) if i == 0 or r is not reasons[i - 1]]


def pictures():
    """Return a picture of the person and the same one with noise that differs with every seed."""
    with open_source(str(FIXTURES / "front_upright_slouch.mp4")) as source:
        image = next(iter(source)).image_rgb

    def noisy(seed):
        noise = np.random.default_rng(seed).normal(0.0, 2.0, image.shape[:2])[..., None]
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    return noisy


@pytest.fixture(scope="module")
def noisy():
    return pictures()


def play(images, step_s=0.5, landmarker=None):
    """Return the results of watching `images` (None = no picture), and the landmarker that judged them."""
    landmarker = landmarker or Landmarker()
    attention = Attention(landmarker, Source(), DutyCycle(SETTINGS))
    pipeline, results = Pipeline(SETTINGS, calibrate_span_s=(0.0, 1e6)), []
    for n, image in enumerate(images):
        result = pipeline.step(attention.detect(Frame(n * step_s, image)), attention.condition)
        attention.handle(result)
        results.append(result)
    return results, landmarker


def test_an_unchanged_picture_is_judged_once_in_a_while_and_time_goes_on(noisy):
    results, landmarker = play([noisy(n) for n in range(120)])
    assert [result.t_s for result in results] == [n * 0.5 for n in range(120)]
    waits_s = np.diff([t_s for t_s in landmarker.seen if t_s > 5.0])
    assert waits_s.min() > 5.0
    assert waits_s.max() <= 9.0


def test_a_changed_picture_is_judged_at_once(noisy):
    images = [noisy(n) for n in range(60)]
    for n in range(41, 60):
        images[n] = np.ascontiguousarray(images[n][:, ::-1])
    _, landmarker = play(images)
    assert 20.5 in landmarker.seen


def test_a_landmark_repeated_is_not_a_second_look_at_the_background(noisy):
    landmarker = Landmarker()
    attention = Attention(landmarker, Source(), DutyCycle(SETTINGS))
    pipeline = Pipeline(SETTINGS, calibrate_span_s=(0.0, 1e6))
    for n in range(60):
        landmarks = attention.detect(Frame(n * 0.5, noisy(n)))
        attention.handle(pipeline.step(landmarks, attention.condition))
        is_own = landmarker.seen[-1] == n * 0.5
        assert np.isnan(landmarks.scene_shift[0, 0]) == (not is_own)
        assert float(landmarks.t_s[0]) == n * 0.5


def test_while_all_is_to_be_judged_all_is_and_the_camera_is_asked_for_it(noisy):
    landmarker, source = Landmarker(), Source()
    attention = Attention(landmarker, source, DutyCycle(SETTINGS))
    pipeline = Pipeline(SETTINGS, calibrate_span_s=(0.0, 1e6))
    for n in range(60):
        if n in (20, 40):
            attention.judge_all(n == 20)
        attention.handle(pipeline.step(attention.detect(Frame(n * 0.5, noisy(n))), attention.condition))
        assert landmarker.all == (20 <= n < 40), "the observer is told as well"
        if 20 <= n < 40:
            assert source.rate_hz == SETTINGS.camera.rate_hz
    assert [t_s for t_s in landmarker.seen if 10.0 <= t_s < 20.0] == [n * 0.5 for n in range(20, 40)]
    assert len([t_s for t_s in landmarker.seen if t_s >= 20.0]) < 5
    assert source.rate_hz < SETTINGS.camera.rate_hz


@pytest.mark.parametrize("how", ["do not disturb ends", "a snooze is taken back"])
def test_when_silence_ends_nobody_is_told_by_an_old_picture(noisy, how):
    """Nobody could know that it would end just now: a picture is being held, and the person may have sat up since."""

    def play_until(end):
        muted, landmarker = [how.startswith("do")], Landmarker()
        attention = Attention(landmarker, Source(), DutyCycle(SETTINGS))
        pipeline = Pipeline(SETTINGS, calibrate_span_s=(0.0, 10.0))
        options = {"announce": print, "find_orders": lambda is_present: Orders(is_muted=muted[0])}
        conductor = Conductor(attention, pipeline, None, **options)
        for n, frame in enumerate(conductor.through(Frame(n * 0.5, noisy(n)) for n in range(100))):
            if n == 40 and how.startswith("a snooze"):
                conductor.submit(Snooze(300.0))
            if n == end - 1:  # heard before the next frame
                if muted[0]:
                    muted[0] = False
                else:
                    conductor.submit(Resume())
            result = pipeline.step(conductor.detect(frame), conductor.condition)
            attention.handle(result)
            conductor.handle(result)
        return landmarker.seen

    undisturbed = play_until(1000)
    held = [n for n in range(60, 90) if n * 0.5 not in undisturbed]
    for end in held[::5]:
        assert end * 0.5 in play_until(end)


BLACK = np.zeros((480, 640, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "reason"),
    [(BLACK, Reason.CAMERA_COVERED), (BLACK + 90, Reason.CAMERA_COVERED), (None, Reason.NO_PICTURE)],
    ids=["black", "covered", "lost"],
)
def test_a_camera_that_shows_nothing_is_never_judged_and_recovers(noisy, image, reason):
    results, landmarker = play(
        [*(noisy(n) for n in range(20)), *([image] * 20), *(noisy(n) for n in range(20))]
    )
    assert {result.reason for result in results[20:40]} == {reason}
    assert results[39].state is SlouchState.UNKNOWN
    assert not [t_s for t_s in landmarker.seen if 10.0 <= t_s < 20.0]
    assert 20.0 in landmarker.seen, "the first picture is judged"
    assert reason not in {result.reason for result in results[40:]}


def test_a_frozen_picture_is_noticed_after_a_while_and_over_with_the_next_one(noisy):
    results, landmarker = play([*(noisy(n) for n in range(20)), *([noisy(99)] * 40), noisy(100), noisy(101)])
    frozen = [result.t_s for result in results if result.reason is Reason.CAMERA_FROZEN]
    assert frozen[0] == pytest.approx(10.0 + attention_module.FROZEN_S, abs=1.0)
    assert len(frozen) == 60 - round(frozen[0] / 0.5)
    assert not [t_s for t_s in landmarker.seen if frozen[0] <= t_s <= frozen[-1]]
    assert 30.0 in landmarker.seen


def test_sitting_time_stands_still_while_the_camera_is_covered(noisy):
    results, _ = play([*(noisy(n) for n in range(20)), *([BLACK] * 20)])
    assert len({result.sat_s for result in results[20:]}) == 1
    assert results[20].sat_s > 5.0


# -- over a real stream -------------------------------------------------------------------------------


class Scene:
    """What the scripted camera sees; may be changed while it is watched."""

    def __init__(self, noisy):
        self.images = [cv2.cvtColor(noisy(n), cv2.COLOR_RGB2BGR) for n in range(30)]
        self.fault = ""

    def picture(self, number):
        if self.fault == "black":
            return BLACK
        return self.images[0 if self.fault == "frozen" else number % len(self.images)]


@pytest.fixture
def scene(noisy, monkeypatch):
    scene = Scene(noisy)
    monkeypatch.setattr(mjpeg_server, "numbered_picture", scene.picture)
    return scene


def watch(server, is_enough):
    """Return what a run over the stream saw, and how often it judged."""
    stop, landmarker = threading.Event(), Landmarker()
    settings = Settings(camera=SETTINGS.camera, power=SETTINGS.power)
    with open_source(server.url, rate_hz=20.0, stop=stop) as source:
        attention = Attention(landmarker, source, DutyCycle(settings))
        collector = Collector(stop, is_enough)
        pipeline = Pipeline(settings, calibrate_span_s=(0.0, 1e6))
        run_monitor(source, attention, pipeline, [attention, collector], stop)
    return collector, landmarker


@pytest.mark.parametrize(
    ("fault", "reason"), [("black", Reason.CAMERA_COVERED), ("frozen", Reason.CAMERA_FROZEN)]
)
def test_faults_of_a_stream_come_and_go(scene, monkeypatch, fault, reason):
    monkeypatch.setattr(attention_module, "FROZEN_S", 1.0)

    def go_on(collector):
        reasons = collector.reasons()
        scene.fault = fault if reasons == [Reason.NOT_CALIBRATED] else scene.fault
        if reason in reasons:
            scene.fault = ""
        return len(reasons) > 2

    with MjpegServer(rate_hz=15.0) as server:
        collector, _ = watch(server, go_on)
    assert collector.reasons() == [Reason.NOT_CALIBRATED, reason, Reason.NOT_CALIBRATED]


def test_a_stream_that_shows_the_same_is_looked_at_and_hardly_decoded(scene, monkeypatch):
    n_decoded = []
    decode = Jpeg.decode
    monkeypatch.setattr(Jpeg, "decode", lambda jpeg: (n_decoded.append(1), decode(jpeg))[1])
    with MjpegServer(rate_hz=15.0) as server:
        collector, landmarker = watch(server, lambda collector: collector.results[-1].t_s > 7.0)
    assert len(n_decoded) == len(landmarker.seen) < len(collector.results)
    late = [result.t_s for result in collector.results if result.t_s > 3.5]
    assert not [t_s for t_s in landmarker.seen if t_s > 3.5 + 0.5]
    assert len(late) > 2


# -- encoded pictures ----------------------------------------------------------------------------------


def encode(image):
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].ravel()


def test_an_encoded_frame_is_the_decoded_one(noisy):
    data = encode(noisy(1))
    frame = EncodedFrame(1.5, open_jpeg(data), Orientation())
    expected = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(frame.image_rgb, expected)
    assert frame.image_rgb is frame.image_rgb
    assert frame.image_rgb.flags.c_contiguous
    assert (frame.t_s, isinstance(frame, Frame)) == (1.5, True)
    assert frame.jpeg.small.shape == (60, 80)


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (320, 240), (160, 120), (32, 24)])
def test_the_small_picture_is_large_enough_for_a_look(noisy, size):
    small = open_jpeg(encode(cv2.resize(noisy(1), size))).small
    assert small.ndim == 2
    assert small.shape[1] >= min(40, size[0] // 2)


@pytest.mark.parametrize("damage", ["cut", "zeros", "empty", "text", "middle"])
def test_a_damaged_picture_is_none_or_decodes_quietly(noisy, damage, capfd):
    data = encode(noisy(1))
    damaged = {
        "cut": data[: len(data) // 2],
        "zeros": np.zeros_like(data),
        "empty": data[:0],
        "text": np.frombuffer(b"<html>no</html>", np.uint8),
        "middle": np.concatenate([data[:3000], np.full(2000, 0x5A, np.uint8), data[3000:]]),
    }[damage]
    jpeg = open_jpeg(damaged)
    if damage != "middle":
        assert jpeg is None
    elif jpeg is not None:
        jpeg.decode()
    assert capfd.readouterr() == ("", "")


# -- recorded clips ------------------------------------------------------------------------------------


def test_a_clip_that_stands_still_is_not_a_frozen_camera(noisy, tmp_path):
    clip = tmp_path / "still.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 2.0, (640, 480))
    for _ in range(40):
        writer.write(cv2.cvtColor(noisy(1), cv2.COLOR_RGB2BGR))
    writer.release()
    trace = tmp_path / "trace.csv"
    posture("replay", clip, "--calibrate", "0:6", "--trace", trace, env=home_env(tmp_path / "home"))
    rows = trace.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 41
    assert not [row for row in rows if "camera" in row]


@pytest.mark.parametrize("is_live", [True, False])
def test_a_live_run_keeps_opencv_to_one_thread_and_a_clip_does_not(monkeypatch, is_live):
    told = []
    monkeypatch.setattr(assembly, "keep_to_one_thread", lambda: told.append(True))
    source = LiveSource("fake", lambda: None) if is_live else Source()
    observer = Landmarker()
    observer.use_face = lambda is_on: None
    assembly.Assembly(source, observer, Pipeline(SETTINGS), Console(), threading.Event())
    assert told == [True] * is_live


def test_opencv_kept_to_one_thread_has_one():
    n_threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        keep_to_one_thread()
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(n_threads)
