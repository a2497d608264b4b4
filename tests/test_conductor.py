"""A running monitor does as it is told.

Claimed, over landmarks of a clip: a pause is never judged, releases the camera and is over when it should be; a
snooze silences and nothing else; a new baseline is used, or refused and the old one kept; whatever is asked in
whatever order, the monitor can be brought back to watching. And over a real camera stream and real processes: all of
it by the commands of the command line; the camera is let go between checks, and a slouch is told all the same.
"""

import itertools
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from cli_helpers import FIXTURES, front_baseline, home_env, posture, running, status
from hypothesis import given, settings
from hypothesis import strategies as st
from mjpeg_server import MjpegServer

from posture.conductor import CHECK_S, EXPOSE_S, Conductor
from posture.control.commands import Pause, Recalibrate, Resume, Rezero, Snooze, Wrong
from posture.desktop.circumstances import Orders
from posture.errors import ControlError
from posture.landmarks import Frame, no_person
from posture.pipeline import Pipeline
from posture.profiles import load_baseline
from posture.settings import AlertSettings, CalibrationSettings, CameraSettings, Settings
from posture.slouch import Reason, SlouchState
from posture.trace import load_trace
from posture.watching import _spaced

CLIP = load_trace(FIXTURES / "front_upright_slouch.npz")
PERIOD_S = 0.25
SETTINGS = Settings(
    alert=AlertSettings(sustain_s=5.0, cooldown_s=10.0, max_per_hour=60),
    calibration=CalibrationSettings(seconds=4.0, countdown_s=1.0),
)


class Camera:
    """A source at the mercy of the conductor."""

    def __init__(self):
        self.status, self.n_rests = "ok", 0

    def rest(self, is_resting):
        self.n_rests += is_resting and self.status == "ok"
        if is_resting:
            self.status = "resting"
        elif self.status == "resting":
            self.status = "opening"


class Seen:
    """An observer that sees the landmarks of the clip, upright or slouching."""

    condition = Reason.NONE

    def __init__(self):
        self.rows, self.n_rebased, self.all = CLIP[:20], 0, False

    def slouch(self):
        self.rows = CLIP[90:110]

    def detect(self, frame):
        if self.rows is None:
            return no_person(frame.t_s, 0.5)
        row = round(frame.t_s / PERIOD_S) % len(self.rows)
        return replace(self.rows[row : row + 1], t_s=np.array([frame.t_s]))

    def seek(self, baseline):
        self.sought = baseline

    def rebase(self):
        self.n_rebased += 1

    def judge_all(self, is_on):
        self.all = is_on


class Monitor:
    """A conductor with its loop, run by the test frame by frame."""

    def __init__(self, settings=SETTINGS, **options):
        self.camera, self.seen, self.said = Camera(), Seen(), []
        self.pipeline = Pipeline(settings, load_baseline(front_baseline()))
        self.conductor = Conductor(
            self.seen,
            self.pipeline,
            self.camera,
            announce=lambda title, message: self.said.append(f"{title}: {message}"),
            **options,
        )
        self.clock = itertools.count()
        self.frames = self.conductor.through(self.pictures())
        self.results = []

    def pictures(self):
        """Yield frames, from the camera or empty while it rests; opening it takes two of them."""
        n_opening = 0
        for n in self.clock:
            n_opening = n_opening + 1 if self.camera.status == "opening" else 0
            if n_opening == 2:
                self.camera.status = "ok"
            yield Frame(n * PERIOD_S, None)

    def run(self, seconds):
        """Let so much time pass, and return the results of it."""
        n_before = len(self.results)
        end_s = (self.results[-1].t_s if self.results else 0.0) + seconds
        for frame in self.frames:
            result = self.pipeline.step(self.conductor.detect(frame), self.conductor.condition)
            self.conductor.handle(result)
            self.results.append(result)
            if frame.t_s >= end_s:
                break
        return self.results[n_before:]

    def tell(self, command):
        """Ask, let a frame pass, and return the answer's text."""
        answer = self.conductor.submit(command)
        self.run(PERIOD_S)
        return answer.result(0).text


@pytest.fixture
def monitor():
    monitor = Monitor()
    monitor.run(8.0)
    assert monitor.results[-1].state is SlouchState.UPRIGHT
    return monitor


def test_a_pause_lets_the_camera_go_judges_nothing_and_lasts_until_it_is_ended(monitor):
    assert monitor.tell(Pause()) == "paused until you resume"
    monitor.seen.slouch()
    paused = monitor.run(120.0)
    assert {result.reason for result in paused} == {Reason.PAUSED}
    assert paused[-1].state is SlouchState.UNKNOWN
    assert paused[-1].slouched_s == 0.0
    assert monitor.camera.status == "resting"
    assert monitor.tell(Resume()) == "watching again"
    assert monitor.run(10.0)[-1].state is SlouchState.SLOUCHING
    assert monitor.camera.status == "ok"


@pytest.mark.parametrize("seconds", [1.0, 30.0, 600.0])
def test_a_pause_of_some_length_is_over_by_itself_after_that(monitor, seconds):
    monitor.tell(Pause(seconds))
    start_s = next(r.t_s for r in monitor.results if r.reason is Reason.PAUSED)
    paused = [r.t_s for r in monitor.run(seconds + 5.0) if r.reason is Reason.PAUSED]
    assert paused[-1] - start_s == pytest.approx(seconds, abs=PERIOD_S)
    assert monitor.conductor.paused_for_s is None
    assert monitor.results[-1].state is SlouchState.UPRIGHT


def test_nothing_of_a_pause_counts_as_slouched_or_as_sat():
    """The sitting clock neither runs on nor is it a break: nobody can tell."""
    a, b = Monitor(), Monitor()
    for monitor, gap in ((a, None), (b, Pause(60.0))):
        monitor.run(8.0)
        monitor.seen.slouch()
        monitor.run(3.0)
        if gap:
            monitor.tell(gap)
            monitor.run(60.0)
        monitor.run(10.0)
    assert b.results[-1].sat_s == pytest.approx(a.results[-1].sat_s, abs=1.0)
    assert b.results[-1].slouched_s <= a.results[-1].slouched_s


def test_a_snooze_silences_watches_on_and_ends_by_itself(monitor):
    assert monitor.tell(Snooze(40.0)) == "no notifications for 40 s"
    monitor.seen.slouch()
    snoozed = monitor.run(38.0)
    assert snoozed[-1].state is SlouchState.SLOUCHING
    assert not any(result.alert for result in snoozed)
    assert monitor.camera.n_rests == 0
    assert any(result.alert for result in monitor.run(5.0))
    assert monitor.conductor.snoozed_for_s is None


def test_resuming_ends_a_snooze(monitor):
    monitor.tell(Snooze(4000.0))
    monitor.seen.slouch()
    assert not any(result.alert for result in monitor.run(20.0))
    monitor.tell(Resume())
    assert monitor.results[-1].alert


def test_a_new_baseline_is_taken_used_and_kept():
    saved = []
    monitor = Monitor(
        save=lambda result: saved.append(result.baseline), now_utc=lambda: "2026-01-01T00:00:00+00:00"
    )
    monitor.run(8.0)
    monitor.seen.slouch()
    assert "begins in 1 s and takes 4 s" in monitor.tell(Recalibrate())
    assert monitor.seen.all, "a calibration needs every frame"
    taking = monitor.run(4.5)
    assert {result.reason for result in taking} == {Reason.NOT_CALIBRATED}
    after = monitor.run(10.0)[-1]
    assert after.state is SlouchState.UPRIGHT, "what was a slouch is upright now"
    assert abs(after.neck_deviation_deg) < 3.0
    assert [baseline.created_utc for baseline in saved] == ["2026-01-01T00:00:00+00:00"]
    assert monitor.pipeline.baseline is saved[0]
    assert monitor.seen.n_rebased == 1
    assert not monitor.seen.all
    assert monitor.said[-1].endswith("judged against it from now on.")


def test_a_re_zero_moves_the_baseline_to_the_upright_of_now_and_keeps_what_is_known_of_the_person():
    saved = []
    monitor = Monitor(save=lambda result: saved.append(result.baseline), now_utc=lambda: "2026-01-01")
    monitor.run(8.0)
    old = monitor.pipeline.baseline
    monitor.seen.slouch()
    assert "begins in 1 s and takes 3 s" in monitor.tell(Rezero())
    assert monitor.seen.all
    assert {result.reason for result in monitor.run(3.5)} == {Reason.NOT_CALIBRATED}
    assert monitor.run(10.0)[-1].state is SlouchState.UPRIGHT, "what was a slouch is upright now"
    assert abs(monitor.results[-1].neck_deviation_deg) < 3.0
    new = monitor.pipeline.baseline
    assert saved == [new]
    assert (new.n_frames, new.created_utc) == (old.n_frames, "2026-01-01")
    np.testing.assert_array_equal(new.deviation_spread, old.deviation_spread)
    assert monitor.seen.n_rebased == 1, "and the camera is where it should be"
    assert monitor.said[-1].startswith("Re-zero: Done")
    monitor.tell(Recalibrate(4.0))
    monitor.run(8.0)
    assert monitor.said[-1].startswith("New baseline: Taken")
    assert monitor.pipeline.baseline.deviation_spread is not old.deviation_spread


def test_a_re_zero_on_nobody_or_before_another_camera_leaves_the_old_baseline(monitor):
    old = monitor.pipeline.baseline
    for rows, why in (
        (None, "nobody in view"),
        (load_trace(FIXTURES / "side_upright_slouch.npz")[:20], "side"),
    ):
        monitor.seen.rows = rows
        monitor.tell(Rezero())
        monitor.run(6.0)
        assert monitor.pipeline.baseline is old
        assert why in monitor.said[-1]
        assert "The old one is kept" in monitor.said[-1]


def test_without_a_baseline_there_is_nothing_to_move():
    monitor = Monitor()
    monitor.pipeline._use(None)
    monitor.run(1.0)
    with pytest.raises(ControlError, match="no baseline to move"):
        monitor.tell(Rezero())


def test_a_baseline_that_cannot_be_taken_leaves_the_old_one_and_says_why(monitor):
    old = monitor.pipeline.baseline
    monitor.tell(Recalibrate(3.0))
    monitor.seen.rows = None
    monitor.run(8.0)
    assert monitor.pipeline.baseline is old
    assert "The old one is kept" in monitor.said[-1]
    assert "nobody in view" in monitor.said[-1]
    monitor.seen.rows = CLIP[:20]
    assert monitor.run(5.0)[-1].state is SlouchState.UPRIGHT


def test_a_pause_in_the_middle_of_a_calibration_ends_it(monitor):
    old = monitor.pipeline.baseline
    monitor.tell(Recalibrate())
    monitor.run(2.0)
    monitor.tell(Pause())
    assert not monitor.seen.all, "as few frames as will do again"
    monitor.tell(Resume())
    assert monitor.run(10.0)[-1].state is SlouchState.UPRIGHT
    assert monitor.pipeline.baseline is old


def test_a_baseline_that_cannot_be_stored_is_used_all_the_same():
    def fail(result):
        raise ControlError("the disk is full")

    monitor = Monitor(save=fail)
    monitor.run(2.0)
    old = monitor.pipeline.baseline
    monitor.tell(Recalibrate())
    monitor.run(8.0)
    assert monitor.pipeline.baseline is not old
    assert "not stored: the disk is full" in monitor.said[-1]


@pytest.mark.parametrize("seconds", [1.0, 2.9, 121.0])
def test_a_calibration_of_absurd_length_is_refused(monitor, seconds):
    with pytest.raises(ControlError, match="3 to 120"):
        monitor.tell(Recalibrate(seconds))
    assert monitor.run(3.0)[-1].state is SlouchState.UPRIGHT


def test_what_was_said_about_an_alert_is_handed_on(monitor):
    with pytest.raises(ControlError, match="no history"):
        monitor.tell(Wrong("x"))
    notes = []
    told = Monitor(note_wrong=lambda note: notes.append(note) or "noted")
    told.run(1.0)
    assert (told.tell(Wrong("was reading")), notes) == ("noted", ["was reading"])


@pytest.mark.parametrize("reason", [Reason.SCREEN_LOCKED, Reason.IN_CALL, Reason.ON_BATTERY, Reason.IDLE])
def test_the_monitor_rests_while_the_desktop_asks_for_it(reason):
    orders = [Orders()]
    monitor = Monitor(find_orders=lambda is_present: orders[0])
    monitor.run(8.0)
    orders[0] = Orders(reason)
    assert {result.reason for result in monitor.run(20.0)[1:]} == {reason}
    assert monitor.camera.status == "resting"
    for command in (Recalibrate(), Rezero()):
        with pytest.raises(ControlError, match="rests"):
            monitor.tell(command)
    orders[0] = Orders()
    assert monitor.run(5.0)[-1].state is SlouchState.UPRIGHT
    assert monitor.camera.status == "ok"


def test_who_has_gone_has_not_come_back_while_the_camera_is_let_go():
    orders = [Orders()]
    monitor = Monitor(find_orders=lambda is_present: orders[0])
    monitor.run(8.0)
    monitor.seen.rows = None
    monitor.run(10.0)
    orders[0] = Orders(Reason.IDLE)
    resting = monitor.run(300.0)
    assert {result.state for result in resting} == {SlouchState.AWAY}
    assert not any(result.events for result in resting)
    assert resting[-1].sat_s == 0.0, "an absence is a break, whoever noticed it"
    orders[0], monitor.seen.rows = Orders(), CLIP[:20]
    assert monitor.run(5.0)[-1].state is SlouchState.UPRIGHT


def test_do_not_disturb_silences_and_what_is_due_comes_afterwards():
    orders = [Orders(is_muted=True)]
    monitor = Monitor(find_orders=lambda is_present: orders[0])
    monitor.run(8.0)
    monitor.seen.slouch()
    assert not any(result.alert for result in monitor.run(60.0))
    orders[0] = Orders()
    assert any(result.alert for result in monitor.run(2.0))


def test_whether_somebody_is_there_is_told_to_whoever_decides():
    asked = []
    monitor = Monitor(find_orders=lambda is_present: asked.append(is_present) or Orders())
    monitor.run(8.0)
    assert asked[0] is True, "nobody has looked yet"
    assert asked[-1] is True
    monitor.seen.rows = None
    monitor.run(10.0)
    assert asked[-1] is False


ASKED = st.one_of(
    st.builds(Pause, st.one_of(st.none(), st.floats(1.0, 100.0))),
    st.builds(Snooze, st.floats(1.0, 100.0)),
    st.just(Resume()),
    st.builds(Recalibrate, st.floats(3.0, 6.0)),
    st.just(Rezero()),
)


@settings(max_examples=20)
@given(st.lists(st.tuples(ASKED, st.floats(0.25, 12.0)), max_size=6))
def test_whatever_is_asked_the_monitor_can_be_brought_back(asked):
    monitor = Monitor()
    monitor.run(2.0)
    for command, seconds in asked:
        monitor.conductor.submit(command)
        monitor.run(seconds)
    monitor.conductor.submit(Resume())
    back = monitor.run(20.0)
    assert back[-1].state is SlouchState.UPRIGHT
    assert monitor.camera.status == "ok"
    assert [r.t_s for r in monitor.results] == sorted(r.t_s for r in monitor.results)


def test_whoever_still_waits_at_the_end_is_answered(monitor):
    answers = []

    def ask():
        try:
            monitor.conductor.obey(Pause())
        except ControlError as error:
            answers.append(str(error))

    waiting = threading.Thread(target=ask)
    waiting.start()
    while monitor.conductor._inbox.empty():
        pass
    monitor.conductor.close()
    waiting.join(10.0)
    assert answers == ["the monitor has ended"]
    with pytest.raises(ControlError, match="starting or ending"):
        monitor.conductor.obey(Resume())


@pytest.mark.parametrize("period_s", [5.0, 20.0])
def test_between_checks_the_camera_is_let_go_and_the_loop_sees_checks_only(period_s):
    changed = Settings(
        alert=AlertSettings(sustain_s=60.0), camera=CameraSettings(release_between_checks_s=period_s)
    )

    class Live:
        is_live = True

    monitor = Monitor(_spaced(changed, Live()))
    seen = monitor.run(10.0 * (period_s + CHECK_S))
    times = np.array([result.t_s for result in seen])
    assert monitor.camera.n_rests == pytest.approx(10, abs=1)
    assert np.diff(times).max() == pytest.approx(period_s, abs=2.0)
    per_check = len(times) * PERIOD_S / monitor.camera.n_rests
    assert per_check == pytest.approx(CHECK_S - EXPOSE_S, abs=PERIOD_S), "not while the exposure settles"
    monitor.seen.slouch()
    start_s = monitor.results[-1].t_s
    alerts = [r.t_s for r in monitor.run(60.0 + 3 * (period_s + CHECK_S)) if r.alert]
    assert alerts
    assert alerts[0] - start_s < 60.0 + 2 * period_s + CHECK_S, "late by a check at most"
    monitor.seen.rows = CLIP[:20]
    assert monitor.run(3 * (period_s + CHECK_S))[-1].state is SlouchState.UPRIGHT


# -- over a real camera ------------------------------------------------------------------------------


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


FAST = [
    part
    for setting in (
        "calibration.countdown_s=0.2",
        "calibration.seconds=3",
        "camera.rate_hz=8",
        "notify.enabled=false",
    )
    for part in ("--set", setting)
]


def test_a_monitor_obeys_the_command_line(env, tmp_path, actor):
    profile = tmp_path / "home/.local/share/posture/profiles/default.json"
    with (
        MjpegServer(rate_hz=16) as camera,
        running("run", "--source", camera.url, *FAST, env=env) as process,
    ):
        process.wait_for("Watching")
        first = profile.read_bytes()
        assert "already running" in posture("run", "--source", camera.url, env=env, code=1).stderr
        assert "recalibrate" in posture("calibrate", "--source", camera.url, env=env, code=1).stderr
        before_s = time.monotonic()
        assert posture("pause", "30m", env=env).stdout == "paused for 30 min\n"
        process.wait_for(lambda: status(env)["reason"] == "paused" and status(env)["camera"] == "let go")
        assert 1799 - (time.monotonic() - before_s) < status(env)["paused_for_s"] <= 1800
        n_connections = camera.n_connections
        assert "camera lost" not in process.text
        assert posture("resume", env=env).stdout == "watching again\n"
        process.wait_for(lambda: status(env)["state"] == "upright")
        assert camera.n_connections == n_connections + 1, "the camera was let go and taken again"
        assert "camera lost" not in process.text
        assert "15 min" in posture("snooze", env=env).stdout
        assert status(env)["snoozed_for_s"] > 800
        assert "3 s" in posture("recalibrate", "--seconds", "3", env=env).stdout
        process.wait_for("judged against it from now on")
        assert profile.read_bytes() != first
        assert "length" in posture("pause", "soon", env=env, code=1).stderr
        assert posture("stop", env=env).stdout == "the monitor ends\n"
        process.popen.wait(10.0)
        assert process.popen.returncode == 0
    assert "no monitor is running" in posture("pause", env=env, code=1).stderr


def test_of_two_monitors_started_at_once_one_runs(env, actor):
    with MjpegServer(rate_hz=16) as camera:
        args = ("run", "--source", camera.url, "--baseline", front_baseline(), *FAST)
        with running(*args, env=env) as one, running(*args, env=env) as other:
            one.wait_for(lambda: "already running" in one.text + other.text)
            loser = one if "already running" in one.text else other
            winner = other if loser is one else one
            loser.popen.wait(20.0)
            assert loser.popen.returncode == 1
            winner.wait_for("Watching")
            winner.stop(signal.SIGINT)


def test_a_camera_let_go_between_checks_tells_a_slouch(env, actor):
    settings = [
        part
        for setting in ("camera.release_between_checks_s=2", "alert.sustain_s=3")
        for part in ("--set", setting)
    ]
    with (
        MjpegServer(rate_hz=16) as camera,
        running(
            *("run", "--source", camera.url, "--baseline", front_baseline(), *FAST, *settings), env=env
        ) as process,
    ):
        process.wait_for("Watching")
        process.wait_for(lambda: camera.n_connections >= 3)
        actor.now = actor.slouched
        process.wait_for("alert: ")
        process.stop(signal.SIGINT)
        assert "camera lost" not in process.text
