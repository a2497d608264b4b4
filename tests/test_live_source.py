"""The live source: fresh pictures, time that moves on without any, reopening, and a prompt end."""

import functools
import http.server
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from mjpeg_server import MjpegServer, numbered_picture, read_number

from posture import live
from posture.errors import SourceError
from posture.live import LiveSource
from posture.sources import open_source

TIMEOUT_S = 15.0


def collect(source, is_enough, timeout_s=TIMEOUT_S):
    """Return frames until `is_enough(frames)`; a source that never gets there is a failure."""
    frames = []
    deadline_s = time.monotonic() + timeout_s
    for frame in source:
        frames.append(frame)
        if is_enough(frames):
            return frames
        assert time.monotonic() < deadline_s, [(f.t_s, f.image_rgb is None) for f in frames[-5:]]
    raise AssertionError("the source ended by itself")


def is_picture(frames):
    return frames[-1].image_rgb is not None


# -- over HTTP, through the real OpenCV --------------------------------------------------------------


def test_pictures_arrive_in_order_with_a_moving_clock():
    with MjpegServer() as server, open_source(server.url) as source:
        assert source.status == "opening"
        frames = collect(source, lambda frames: len(frames) == 30)
        assert source.status == "ok"
        assert source.detail == ""
        times = [frame.t_s for frame in frames]
        numbers = [read_number(frame.image_rgb) for frame in frames]
        assert times[0] == 0.0
        assert times == sorted(times)
        assert numbers == sorted(set(numbers))
        assert source.is_live
        assert (source.n_frames, source.duration_s, source.notes) == (None, None, ())
        assert frames[0].image_rgb.flags.c_contiguous
        assert source.name == server.url


def test_a_slow_reader_gets_fresh_pictures():
    """A plain `read` loop would be 4 s behind after these 5 s."""
    lags_s = []
    with MjpegServer(rate_hz=30) as server, open_source(server.url) as source:
        pause = threading.Event()
        for frame in source:
            lags_s.append((server.number() - read_number(frame.image_rgb)) / server.rate_hz)
            if frame.t_s > 5.0:
                break
            pause.wait(0.5)
        assert source.dropped > 50
    assert max(lags_s) < 1.0


def test_the_rate_is_bounded_and_may_change():
    with MjpegServer(rate_hz=30) as server, open_source(server.url, rate_hz=5.0) as source:
        times = np.array([f.t_s for f in collect(source, lambda frames: len(frames) == 12)])
        assert times[-1] >= 10 / 5.0
        source.rate_hz = None
        more = np.array([f.t_s for f in collect(source, lambda frames: len(frames) == 30)])
        assert more[0] > times[-1]
        assert more[-1] - more[0] < 30 / 5.0


@pytest.mark.parametrize("fault", ["close", "reset", "garbage"])
def test_a_broken_stream_is_opened_again(fault):
    with MjpegServer(fault, after=10) as server, open_source(server.url) as source:
        frames = iter(source)
        first = next(frames)
        server.fault = ""
        seen = collect(frames, lambda seen: server.n_connections > 1 and seen[-1].image_rgb is not None)
        assert source.status == "ok"
        times = [first.t_s, *(frame.t_s for frame in seen)]
        assert times == sorted(times)
        numbers = [read_number(f.image_rgb) for f in seen if f.image_rgb is not None]
        assert numbers == sorted(set(numbers))  # the clock of the camera went on, so did its numbers


def test_a_stalled_stream_becomes_lost_and_comes_back():
    with MjpegServer("stall", after=10) as server, open_source(server.url) as source:
        seen = collect(source, lambda frames: frames[-1].image_rgb is None)
        assert source.status == "lost"
        assert "no picture" in source.detail
        assert seen[-1].t_s - seen[-2].t_s == pytest.approx(live.STALL_S, abs=1.0)
        server.fault = ""
        collect(source, is_picture)
        assert source.status == "ok"
        assert source.detail == ""


def test_a_server_that_restarts_is_found_again(monkeypatch):
    monkeypatch.setattr(live, "REOPEN_MAX_S", 1.0)
    with MjpegServer() as server, open_source(server.url, rate_hz=10.0) as source:
        last_s = collect(source, lambda frames: len(frames) == 3)[-1].t_s
        server.close()
        gap = collect(source, lambda frames: sum(f.image_rgb is None for f in frames) == 3)
        assert np.diff([last_s, *(f.t_s for f in gap)]).max() < live.STALL_S + 1.0  # also for a new iterator
        empty_s = np.array([f.t_s for f in gap if f.image_rgb is None])
        assert np.all(np.diff(empty_s) > 0.5)  # about one a second
        assert np.all(np.diff(empty_s) < 2.0)
        assert source.status == "lost"
        assert "refused" in source.detail
        server.start()
        collect(source, is_picture)
        assert source.status == "ok"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("404", "404 Not Found"),
        ("401", "user and password"),
        ("html", r"not with a video stream \(text/html\)"),
        ("mute", "no picture within 3 s"),
        ("stall", "no picture within 3 s"),
        ("close", "without a picture"),
        ("garbage", "no readable picture"),
    ],
)
def test_what_never_works_is_one_line_within_a_bounded_time(fault, words, capfd):
    start_s = time.monotonic()
    with MjpegServer(fault) as server, open_source(server.url) as source:
        with pytest.raises(SourceError, match=words) as caught:
            next(iter(source))
        assert time.monotonic() - start_s < 6.0
        assert str(caught.value).startswith(server.url)
        assert "\n" not in str(caught.value)
        with pytest.raises(SourceError, match=words):  # and it stays so
            next(iter(source))
    assert not source.is_stuck
    assert capfd.readouterr() == ("", "")


def test_an_address_where_nobody_listens_is_refused():
    with MjpegServer() as server:
        url = server.url
    with open_source(url) as source, pytest.raises(SourceError, match="connection refused"):
        next(iter(source))


def test_an_unknown_host_is_named():
    url = "http://camera.invalid/video"
    with open_source(url) as source, pytest.raises(SourceError, match=r"camera\.invalid") as caught:
        next(iter(source))
    assert "\n" not in str(caught.value)


def test_a_password_goes_to_the_server_and_not_into_messages():
    with MjpegServer("401") as server:
        url = server.url.replace("http://", "http://me:s3cret@")
        with open_source(url) as source, pytest.raises(SourceError) as caught:
            next(iter(source))
        assert "s3cret" not in str(caught.value)
        assert "me:***@" in str(caught.value)
        assert server.last_authorization == "Basic bWU6czNjcmV0"


def test_a_clip_behind_an_address_is_not_a_camera():
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

    folder = Path(__file__).parent / "fixtures" / "video"
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/plain.mp4"
        with open_source(url) as source, pytest.raises(SourceError, match="recorded clip"):
            next(iter(source))
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("fault", "after"), [("", 0), ("stall", 5), ("mute", 0)])
def test_stopping_ends_the_iteration_at_once(fault, after):
    stop = threading.Event()
    stopped_s = []

    def stop_it():
        server.wait_for_connections(1)
        stop.wait(1.0)  # well into the stall
        stopped_s.append(time.monotonic())
        stop.set()

    with MjpegServer(fault, after=after) as server, open_source(server.url, stop=stop) as source:
        helper = threading.Thread(target=stop_it, daemon=True)
        helper.start()
        list(source)
        assert time.monotonic() - stopped_s[0] < 1.0
        helper.join()
        start_s = time.monotonic()
        source.close()
        assert time.monotonic() - start_s < 1.5
        assert list(source) == []


@pytest.mark.parametrize("fault", ["", "stall"])
def test_a_signal_ends_the_iteration_within_a_second(fault):
    code = textwrap.dedent("""
        import os, signal, sys, threading, time
        from posture.sources import open_source
        stop = threading.Event()
        signalled_s = []
        def handle(*args):
            signalled_s.append(time.monotonic())
            stop.set()
        signal.signal(signal.SIGTERM, handle)
        with open_source(sys.argv[1], stop=stop) as source:
            for n, frame in enumerate(source):
                if n == 2:
                    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
                    timer.start()
        late_s = time.monotonic() - signalled_s[0]
        print("stuck" if source.is_stuck else "clean", late_s)
        sys.stdout.flush()
        os._exit(0 if late_s < 1.0 else 1)
    """)
    with MjpegServer(fault, after=5) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0, done
    assert done.stderr == ""


def test_opening_and_closing_leaks_neither_threads_nor_descriptors():
    def count():
        fds = Path("/proc/self/fd")
        return threading.active_count(), len(list(fds.iterdir())) if fds.exists() else 0

    def wait_until_settled(n_threads):  # the server's own threads notice a gone reader at the next picture
        done = threading.Event()
        for _ in range(100):
            if threading.active_count() <= n_threads:
                return
            done.wait(0.05)

    with MjpegServer() as server:
        with open_source(server.url) as source:
            next(iter(source))
        source = None
        wait_until_settled(threading.active_count() - 1)
        before = count()
        for _ in range(20):
            with open_source(server.url) as source:
                assert next(iter(source)).image_rgb is not None
            assert not source.is_stuck
        wait_until_settled(before[0])
        after = count()
    assert after[0] <= before[0]
    assert after[1] <= before[1] + 2  # a connection of the server may still be closing


# -- over a camera that does what the test says -------------------------------------------------------


class FakeCapture:
    """Gives `n_good` pictures, then blocks until `unblock` is set or fails at once."""

    def __init__(self, camera):
        self.camera = camera
        self.n_left = camera.n_good
        self.thread = threading.get_ident()

    def grab(self):
        assert threading.get_ident() == self.thread
        if self.n_left > 0:
            self.n_left -= 1
            self.camera.pace.wait(0.01)
            return True
        if self.camera.blocks:
            self.camera.is_blocked.set()
            self.camera.unblock.wait(60.0)
        return False

    def retrieve(self):
        assert threading.get_ident() == self.thread
        self.camera.n_decoded += 1
        return True, numbered_picture(self.camera.n_opened)

    def release(self):
        assert threading.get_ident() == self.thread, "released from another thread: OpenCV would crash"
        self.camera.n_released += 1
        self.camera.released.set()


class FakeCamera:
    def __init__(self, n_good=5, blocks=False, failures=(), opening_s=0.0):
        self.n_good, self.blocks, self.failures = n_good, blocks, list(failures)
        self.opening_s = opening_s
        self.n_opened = self.n_released = self.n_decoded = 0
        self.opened_s = []
        self.pace, self.is_blocked = threading.Event(), threading.Event()
        self.unblock, self.released = threading.Event(), threading.Event()

    def __call__(self):
        self.n_opened += 1
        self.opened_s.append(time.monotonic())
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                threading.Event().wait(self.opening_s)
                raise failure
        return FakeCapture(self)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(live, "STALL_S", 0.2)
    monkeypatch.setattr(live, "LOST_TICK_S", 0.1)
    monkeypatch.setattr(live, "GIVE_UP_S", 0.05)
    monkeypatch.setattr(live, "RETRY_S", 0.01)
    monkeypatch.setattr(live, "REOPEN_MIN_S", 0.05)
    monkeypatch.setattr(live, "REOPEN_MAX_S", 0.2)


def test_each_opening_is_a_new_capture_released_where_it_was_made(quick):
    camera = FakeCamera(n_good=5)
    with LiveSource("fake", camera) as source:
        collect(source, lambda frames: camera.n_opened == 4 and frames[-1].image_rgb is not None)
    assert camera.released.is_set()
    assert camera.n_released == camera.n_opened


def test_only_the_wanted_pictures_are_decoded(quick):
    camera = FakeCamera(n_good=10_000)
    with LiveSource("fake", camera, rate_hz=5.0) as source:
        frames = collect(source, lambda frames: len(frames) == 5)
    assert len(frames) <= camera.n_decoded <= len(frames) + 2
    assert source.dropped > 10


def test_a_failed_first_opening_raises_and_tries_no_more(quick):
    camera = FakeCamera(failures=[SourceError("camera 9: in use")])
    with LiveSource("fake", camera) as source, pytest.raises(SourceError, match="camera 9: in use"):
        next(iter(source))
    assert camera.n_opened == 1


def test_whatever_a_driver_raises_first_is_one_line(quick):
    camera = FakeCamera(failures=[RuntimeError("driver\nexploded")])
    with LiveSource("fake", camera) as source, pytest.raises(SourceError, match="fake: driver exploded"):
        next(iter(source))


def test_after_the_first_success_nothing_raises_and_openings_back_off(quick):
    failures = [None, *(SourceError("camera 9: gone") for _ in range(5)), RuntimeError("driver bug"), None]
    camera = FakeCamera(n_good=5, failures=failures)
    with LiveSource("fake", camera) as source:
        is_lost = []

        def is_enough(frames):
            is_lost.append(source.status == "lost" and bool(source.detail))
            return camera.n_opened == len(failures) and frames[-1].image_rgb is not None

        frames = collect(source, is_enough)
        assert source.status == "ok"
    assert any(is_lost)
    assert any(frame.image_rgb is None for frame in frames)
    waits_s = np.diff(camera.opened_s)[1:7]
    assert np.all(waits_s >= [0.05, 0.1, 0.2, 0.2, 0.2, 0.2])


def test_an_attempt_that_took_long_is_followed_by_the_next_one_soon(quick, monkeypatch):
    monkeypatch.setattr(live, "REOPEN_MAX_S", 0.6)
    failures = [None, *(SourceError("camera 9: gone") for _ in range(6)), None]
    camera = FakeCamera(n_good=5, failures=failures, opening_s=0.6)
    with LiveSource("fake", camera) as source:
        collect(source, lambda frames: camera.n_opened == len(failures) and is_picture(frames))
    assert min(np.diff(camera.opened_s)[5:]) < 1.0, "not the second of the attempt and another of waiting"


def test_no_picture_at_all_is_an_error_in_the_end(quick, monkeypatch):
    monkeypatch.setattr(live, "FIRST_PICTURE_S", 0.3)
    camera = FakeCamera(n_good=0, blocks=True)
    with LiveSource("fake", camera) as source, pytest.raises(SourceError, match="fake: no picture within"):
        next(iter(source))
    camera.unblock.set()
    assert camera.released.wait(TIMEOUT_S)


def test_a_camera_that_blocks_for_ever_delays_nobody(quick):
    camera = FakeCamera(n_good=3, blocks=True)
    source = LiveSource("fake", camera)
    collect(source, lambda frames: sum(f.image_rgb is None for f in frames) == 3)
    assert camera.is_blocked.is_set()
    assert not source.is_stuck  # not closed yet
    start_s = time.monotonic()
    source.close()
    assert time.monotonic() - start_s < 1.5
    assert source.is_stuck
    assert camera.n_released == 0
    camera.unblock.set()
    assert camera.released.wait(TIMEOUT_S)


def test_closing_wakes_a_waiting_reader():
    camera = FakeCamera(n_good=1, blocks=True)
    source = LiveSource("fake", camera)
    frames = iter(source)
    assert next(frames).image_rgb is not None
    ended = threading.Event()
    reader = threading.Thread(target=lambda: (list(frames), ended.set()), daemon=True)
    reader.start()
    assert camera.is_blocked.wait(TIMEOUT_S)
    camera.unblock.set()
    source.close()
    assert ended.wait(1.0)
    reader.join()


def test_a_picture_from_before_a_long_pause_is_not_given(quick):
    camera = FakeCamera(n_good=1, blocks=True)
    with LiveSource("fake", camera) as source:
        frames = iter(source)
        assert read_number(next(frames).image_rgb) == 1
        assert next(frames).image_rgb is None  # asked for one, and gave up
        camera.unblock.set()  # it reopens, gives a picture, and fails, again and again, while we are away
        away = threading.Event()
        for _ in range(200):
            if camera.n_opened >= 6:
                break
            away.wait(0.05)
        assert camera.n_opened >= 6
        assert read_number(collect(frames, is_picture)[-1].image_rgb) > 5


def test_a_suspended_night_is_in_the_frame_times_and_delays_no_picture(quick, monkeypatch):
    asleep_s = [0.0]
    now_s = live._now_s
    monkeypatch.setattr(live, "_now_s", lambda: now_s() + asleep_s[0])
    camera = FakeCamera(n_good=10_000)
    with LiveSource("fake", camera) as source:
        frames = iter(source)
        before_s = next(frames).t_s
        asleep_s[0] = 8 * 3600.0
        after = [next(frames) for _ in range(3)]
    assert after[0].t_s - before_s == pytest.approx(8 * 3600.0, abs=TIMEOUT_S)
    assert after[-1].t_s - after[0].t_s < TIMEOUT_S
    assert all(frame.image_rgb is not None for frame in after)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux' clock")
def test_the_clock_of_frames_counts_sleep():
    assert live._now_s() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=1.0)


def test_a_closed_source_starts_nothing():
    camera = FakeCamera()
    source = LiveSource("fake", camera)
    source.close()
    assert list(source) == []
    assert camera.n_opened == 0
    assert not source.is_stuck


def test_waiting_costs_next_to_nothing(quick):
    camera = FakeCamera(n_good=1, blocks=True)
    with LiveSource("fake", camera) as source:
        start_cpu_s = time.process_time()
        collect(source, lambda frames: frames[-1].t_s > 2.0)
        assert time.process_time() - start_cpu_s < 0.5
        camera.unblock.set()


def test_who_waits_for_a_picture_is_woken_by_it_alone(quick, monkeypatch):
    monkeypatch.setattr(live, "CAPTURING_SLICE_S", 10.0 * TIMEOUT_S)
    with LiveSource("fake", FakeCamera(n_good=100_000), rate_hz=2.5) as source:
        frames, wait, n_waits = iter(source), source._changed.wait, [0]
        next(frames)

        def counted(timeout_s):
            n_waits[0] += threading.current_thread() is threading.main_thread()
            return wait(timeout_s)

        monkeypatch.setattr(source._changed, "wait", counted)
        assert all(next(frames).image_rgb is not None for _ in range(4))
        assert n_waits[0] <= 4
        assert source.dropped > 4, "the capture thread saw the others"


def test_the_capture_thread_ends_the_wait_for_a_picture(quick, monkeypatch):
    monkeypatch.setattr(live, "CAPTURING_SLICE_S", 10.0 * TIMEOUT_S)
    stop = threading.Event()
    with LiveSource("fake", FakeCamera(n_good=100_000), rate_hz=0.01, stop=stop) as source:
        frames, start_s = iter(source), time.monotonic()
        next(frames)
        threading.Timer(0.1, stop.set).start()
        assert next(frames, None) is None
        assert time.monotonic() - start_s < TIMEOUT_S


# -- a camera that is let go for a while --------------------------------------------------------------


def test_a_resting_camera_is_let_go_and_taken_again(quick):
    camera = FakeCamera(n_good=100_000)
    with LiveSource("fake", camera) as source:
        frames = iter(source)
        assert next(frames).image_rgb is not None
        source.rest(True)
        assert source.status == "resting"
        assert camera.released.wait(TIMEOUT_S)
        empty = [next(frames) for _ in range(4)]
        assert [frame.image_rgb for frame in empty[1:]] == [None] * 3
        assert (camera.n_opened, camera.n_released, source.status) == (1, 1, "resting")
        source.rest(False)
        back = collect(frames, is_picture)
        assert source.status == "ok"
        assert camera.n_opened == 2
        assert [f.t_s for f in empty + back] == sorted(f.t_s for f in empty + back)


def test_time_goes_on_in_even_steps_while_a_camera_rests(quick, monkeypatch):
    monkeypatch.setattr(live, "REST_TICK_S", 0.05)
    with LiveSource("fake", FakeCamera(n_good=100_000), rate_hz=1.0) as source:
        frames = iter(source)
        next(frames)
        source.rest(True)
        times = np.array([next(frames).t_s for _ in range(8)])
        assert np.all(np.diff(times[1:]) < 0.5), "the rate of the pictures is not the ticks'"


def test_a_camera_that_was_taken_meanwhile_is_lost_until_it_is_free_again(quick):
    camera = FakeCamera(n_good=100_000, failures=[None] + 9 * [SourceError("fake: busy")])
    with LiveSource("fake", camera) as source:
        frames = iter(source)
        next(frames)
        source.rest(True)
        assert camera.released.wait(TIMEOUT_S)
        source.rest(False)
        collect(frames, lambda frames: source.status == "lost" and "busy" in source.detail)
        collect(frames, lambda frames: source.status == "ok" and frames[-1].image_rgb is not None)
        assert camera.n_opened == 11


def test_a_resting_camera_is_not_opened_however_often_it_is_told(quick):
    camera = FakeCamera(n_good=100_000)
    with LiveSource("fake", camera) as source:
        frames = iter(source)
        next(frames)
        for _ in range(50):
            source.rest(False)
            source.rest(True)
        assert camera.released.wait(TIMEOUT_S)
        n_opened = camera.n_opened
        for _ in range(5):
            next(frames)
        assert camera.n_opened == n_opened <= 3
    assert source.status == "resting"


def test_resting_ends_with_the_source(quick):
    camera = FakeCamera(n_good=100_000)
    stop = threading.Event()
    with LiveSource("fake", camera, stop=stop) as source:
        frames = iter(source)
        next(frames)
        source.rest(True)
        stop.set()
        assert next(frames, None) is None
    assert not source.is_stuck
