"""The labeller: its editing is exact and can be undone, its frames are a replay's, and nothing of it is lost.

Claimed: a label changes its span and kind and nothing else; undo and redo retrace every step; a time shows the frame
that a replay has then; every change is in the file at once, whatever ends the program; the window obeys its keys.
"""

import contextlib
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_helpers import FIXTURES, FRONT, home_env, posture, running
from desktop import require, screenshot, wait_until, x_display
from desktop import running as running_child
from hypothesis import given, settings
from hypothesis import strategies as st
from unprivileged import as_nobody, shared_folder

from posture.clips import VideoFileSource
from posture.errors import LabelError, OutputError, PostureError, SourceError
from posture.labels.document import render_labels
from posture.labels.editing import (
    MARK_FIRST,
    Draft,
    clear_marks,
    delete,
    edges,
    give,
    mark_end,
    mark_start,
    moment_text,
    put,
    redo,
    selection,
    set_baseline,
    undo,
)
from posture.labels.files import read_labels, write_labels
from posture.labels.footage import measure_duration, open_footage
from posture.labels.keeper import Keeper
from posture.labels.keys import HELP, Action, action_of
from posture.labels.labelling import Labeller, run_label
from posture.labels.labels import Duty, Interval, Labels
from posture.labels.page import draw_page
from posture.labels.playhead import SPEEDS, Playhead
from posture.labels.view import make_view
from posture.landmarks import Frame
from posture.slouch import SlouchState
from posture.trace import load_trace

UPRIGHT, SLOUCHING, AWAY = SlouchState.UPRIGHT, SlouchState.SLOUCHING, SlouchState.AWAY
SAID = st.sampled_from([*SlouchState, *Duty])
TICKS = st.integers(0, 40)  # quarters of a second: edges often meet


def said_at(labels, t_s):
    """The state, the duty and the posture that are labelled at a time."""
    there = [one for one in labels.intervals if one.start_s <= t_s < one.end_s]
    state = [one.state for one in there if one.state is not None]
    duty = [one.duty for one in there if one.duty is not None]
    assert len(state) <= 1 and len(duty) <= 1
    return next(iter(state), None), next(iter(duty), None)


def course(labels):
    """What is labelled in every eighth of a second of 10 s."""
    return [said_at(labels, i / 8 + 0.01) for i in range(82)]


@st.composite
def drafts(draw):
    """Labels made by some commands, with marks and a past."""
    draft = Draft(Labels(clip="a.mp4", intervals=(Interval(1.0, 9.0, SLOUCHING, Duty.MUST, "slump", "n"),)))
    for _ in range(draw(st.integers(0, 12))):
        draft = draw(commands())(draft)
    return draft


@st.composite
def commands(draw):
    """Any command at any time."""
    t_s, said = draw(TICKS) / 4, draw(SAID)
    return draw(
        st.sampled_from(
            [
                lambda draft: mark_start(draft, t_s),
                lambda draft: mark_end(draft, t_s),
                lambda draft: give(draft, said, t_s),
                lambda draft: give(mark_start(draft, 10.0 - t_s), said, t_s),
                lambda draft: set_baseline(draft, t_s),
                lambda draft: delete(draft, "state", t_s),
                lambda draft: delete(draft, "duty", t_s),
                clear_marks,
                undo,
                redo,
            ]
        )
    )


@settings(max_examples=60)
@given(drafts(), TICKS, TICKS, SAID)
def test_a_label_changes_its_span_and_kind_and_nothing_else(draft, a, b, said):
    start_s, end_s = min(a, b) / 4, max(a, b) / 4 + 0.25
    before, after = course(draft.labels), course(put(draft.labels, start_s, end_s, said))
    kind = isinstance(said, Duty)
    for i, (was, is_now) in enumerate(zip(before, after, strict=True)):
        assert is_now[not kind] == was[not kind], "the other kind stays"
        assert is_now[kind] == (said if start_s <= i / 8 + 0.01 < end_s else was[kind])


def test_cutting_a_label_of_both_kinds_keeps_the_other_whole():
    """Three pieces of one duty would be three alerts that have to come."""
    both = Labels(intervals=(Interval(1.0, 9.0, SLOUCHING, Duty.MUST, "slump", "n"),))
    cut = put(both, 3.0, 4.0, UPRIGHT)
    assert [one for one in cut.intervals if one.duty is not None] == [
        Interval(1.0, 9.0, None, Duty.MUST, "slump", "n")
    ]
    states = [
        (one.start_s, one.end_s, one.state, one.posture) for one in cut.intervals if one.state is not None
    ]
    assert states == [(1.0, 3.0, SLOUCHING, "slump"), (3.0, 4.0, UPRIGHT, ""), (4.0, 9.0, SLOUCHING, "slump")]


def test_what_touches_and_is_the_same_becomes_one():
    labels = put(put(put(Labels(), 0.0, 2.0, AWAY), 4.0, 5.0, AWAY), 2.0, 4.0, AWAY)
    assert labels.intervals == (Interval(0.0, 5.0, AWAY),)
    assert put(labels, 0.0, 5.0, Duty.IGNORE).intervals == (Interval(0.0, 5.0, AWAY, Duty.IGNORE),)


@settings(max_examples=60)
@given(drafts(), st.lists(commands(), max_size=8))
def test_undo_and_redo_retrace_every_step(draft, more):
    draft = replace(draft, past=(), future=())
    first, seen = draft.labels, [draft.labels]
    for command in more:
        draft = command(draft)
    while draft.future:
        draft = redo(draft)
    last = draft.labels
    while draft.past:
        draft = undo(draft)
        seen.append(draft.labels)
    assert draft.labels == first and undo(draft).message == "nothing to undo"
    while draft.future:
        draft = redo(draft)
    assert draft.labels == last and redo(draft).message == "nothing to redo"
    assert len(seen) == len(draft.past) + 1
    render_labels(draft.labels)


def test_a_stretch_is_marked_and_the_next_begins_where_it_ends():
    draft = Draft(Labels())
    assert give(draft, UPRIGHT, 5.0).message == MARK_FIRST and not give(draft, UPRIGHT, 5.0).past
    draft = give(mark_start(draft, 0.0), UPRIGHT, 18.0)
    draft = give(draft, SLOUCHING, 43.0)
    assert [(one.start_s, one.end_s, one.state) for one in draft.labels.intervals] == [
        (0.0, 18.0, UPRIGHT),
        (18.0, 43.0, SLOUCHING),
    ]
    draft = give(draft, Duty.MUST, 43.0)  # nothing more is marked: said of the stretch just labelled
    assert draft.labels.intervals[1] == Interval(18.0, 43.0, SLOUCHING, Duty.MUST)
    draft = give(draft, AWAY, 43.0)
    assert draft.labels.intervals[1] == Interval(18.0, 43.0, AWAY, Duty.MUST), "a wrong key is put right"
    assert edges(draft.labels) == (0.0, 18.0, 43.0)
    draft = delete(draft, "state", 20.0)
    assert draft.labels.intervals[1] == Interval(18.0, 43.0, None, Duty.MUST)
    assert delete(draft, "state", 20.0).message == "no state is labelled here"
    assert delete(draft, "duty", 42.9).labels.intervals == (Interval(0.0, 18.0, UPRIGHT),)


def test_marks_may_be_set_in_any_order():
    draft = mark_start(Draft(Labels()), 5.0)
    assert selection(draft, 5.0) is None
    assert selection(draft, 3.0) == (3.0, 5.0) == selection(mark_start(mark_end(draft, 5.0), 3.0), 9.0)
    assert selection(mark_end(draft, 7.0), 1.0) == (5.0, 7.0)
    assert mark_end(draft, 4.0).start_s is None and mark_start(mark_end(draft, 7.0), 8.0).end_s is None
    assert selection(clear_marks(draft), 9.0) is None


def test_the_baseline_is_a_marked_stretch_too():
    draft = set_baseline(mark_start(Draft(Labels()), 0.0), 8.0)
    assert draft.labels.baseline_s == (0.0, 8.0) and edges(draft.labels) == (0.0, 8.0)
    draft = set_baseline(draft, 8.0)
    assert draft.labels.baseline_s is None
    assert set_baseline(draft, 8.0).message == MARK_FIRST
    assert undo(draft).labels.baseline_s == (0.0, 8.0)


def test_moments_are_told_to_a_tenth():
    assert [moment_text(t) for t in (0.0, 59.96, 3599.9, 3661.04)] == [
        "0:00.0",
        "1:00.0",
        "59:59.9",
        "1:01:01.0",
    ]


def test_the_playhead_stays_in_the_clip():
    head = Playhead(10.0)
    assert head.advanced(1.0).t_s == 0.0, "it stands"
    assert head.toggled().advanced(2.0).t_s == 2.0 == head.toggled().paced(1).advanced(1.0).t_s
    over = head.moved(9.5).toggled().advanced(2.0)
    assert (over.t_s, over.is_playing) == (10.0, False)
    assert over.toggled() == Playhead(10.0, is_playing=True), "from the end it begins again"
    assert head.moved(-1.0).t_s == 0.0 and head.moved(11.0).t_s == 10.0
    assert head.paced(-9).speed == SPEEDS[0] and head.paced(9).speed == SPEEDS[-1]


def test_keys_are_known():
    assert action_of("2") is SLOUCHING and action_of("6") is Duty.MUST_NOT
    assert action_of("x") is Action.DELETE_STATE and action_of("X") is Action.DELETE_ALERT
    assert action_of("left") is Action.BACK and action_of("backspace") is action_of("delete")
    assert action_of("left shift") is action_of("") is action_of("y") is None
    told = " ".join(keys for line in HELP for keys, _ in line).split()
    assert all(action_of(key) is not None for key in told if len(key) == 1)


CLIPS = [
    FIXTURES / "video" / name
    for name in ("plain.mp4", "rotated.mp4", "variable_vp8.webm", "no_timestamps.h264", "half.webm")
]


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_a_time_shows_the_frame_that_a_replay_has_then(clip):
    frames = [Frame(f.t_s, cv2.resize(f.image_rgb, (32, 24))) for f in VideoFileSource(clip)]
    times = [frame.t_s for frame in frames]
    rng = np.random.default_rng(6)
    with contextlib.closing(open_footage(clip)) as footage:
        for t_s in [*rng.uniform(0.0, times[-1] + 0.5, 12), times[-1], 0.0, 1e6]:
            frame = [one for one in frames if one.t_s <= t_s + 1e-9][-1]
            shot = footage.at(t_s + 1e-9)
            assert shot.t_s == pytest.approx(frame.t_s, abs=1e-6)
            assert np.array_equal(cv2.resize(shot.image_rgb, (32, 24)), frame.image_rgb)
        assert footage.duration_s == pytest.approx(times[-1]), "known once its end has been seen"
        here_s = times[-1]
        for before_s in times[-2 : max(-len(times) - 1, -32) : -1]:  # past what is kept
            here_s = footage.step(here_s, is_back=True)
            assert here_s == pytest.approx(before_s, abs=1e-6)
        for after_s in times[1:6]:
            here_s = footage.step(here_s if after_s != times[1] else 0.0, is_back=False)
            assert here_s == pytest.approx(after_s, abs=1e-6)
        assert footage.step(0.0, is_back=True) == 0.0


def test_folders_and_recordings_can_be_looked_at(tmp_path):
    for number, value in ((1, 10), (2, None), (10, 200)):
        path = tmp_path / f"p{number}.png"
        cv2.imwrite(str(path), np.full((48, 64, 3), value or 0, np.uint8))
        if value is None:
            path.write_bytes(b"no picture")
    folder = open_footage(tmp_path)
    assert folder.duration_s == 2.0 and measure_duration(tmp_path) == 3.0
    assert [int(folder.at(t_s).image_rgb[0, 0, 0]) for t_s in (0.0, 1.5, 2.0, 9.0)] == [10, 10, 200, 200]
    assert folder.step(0.0, is_back=False) == 1.0 and folder.step(0.0, is_back=True) == 0.0
    path = FIXTURES / "s202_laptop.npz"
    trace, landmarks = open_footage(path), load_trace(path)
    assert trace.duration_s == landmarks.t_s[-1] == measure_duration(path)
    shot = trace.at(float(landmarks.t_s[7]) + 1e-6)
    assert shot.image_rgb is None and np.array_equal(shot.landmarks.xyzv, landmarks.xyzv[7:8], equal_nan=True)
    assert trace.step(float(landmarks.t_s[7]), is_back=True) == landmarks.t_s[6]
    for nothing in (tmp_path / "no.mp4", tmp_path / "p2.png"):
        with pytest.raises(SourceError):
            open_footage(nothing)


def labeller(path, clip=FIXTURES / "s202_laptop.npz"):
    return Labeller(open_footage(clip), Keeper(clip, path))


def test_every_change_is_in_the_file_at_once(tmp_path):
    path = tmp_path / "a.labels.toml"
    one = labeller(path)
    one.press(Action.SAVE)
    assert not path.exists(), "nothing has been said yet"
    for action in (Action.MARK_START, Action.FORWARD_FAR, UPRIGHT):
        one.press(action)
    assert read_labels(path).intervals == (Interval(0.0, 10.0, UPRIGHT),)
    one.press(Action.FORWARD)
    one.press(Duty.MUST_NOT)
    assert len(read_labels(path).intervals) == 2
    one.press(Action.UNDO)
    assert read_labels(path) == one.draft.labels and len(one.draft.labels.intervals) == 1
    again = labeller(path)
    assert again.draft.labels == one.draft.labels, "another time it goes on from there"


def test_the_labeller_goes_where_its_keys_say(tmp_path):
    one = labeller(tmp_path / "a.labels.toml")
    end_s = one.playhead.duration_s

    def after(*actions):
        for action in actions:
            one.press(action)
        return one.playhead.t_s

    assert after(Action.FORWARD_FAR, Action.FORWARD, Action.BACK) == 10.0
    assert after(Action.END) == end_s == after(Action.FORWARD)
    assert after(Action.BEGIN, Action.BACK_FAR) == 0.0
    assert after(Action.NEXT_FRAME) == one.shot.t_s > 0.0 == after(Action.PREVIOUS_FRAME)
    assert after(Action.MARK_START, Action.FORWARD_FAR, UPRIGHT, Action.BEGIN, Action.NEXT_EDGE) == 10.0
    assert after(Action.NEXT_EDGE) == end_s and after(Action.PREVIOUS_EDGE, Action.PREVIOUS_EDGE) == 0.0
    one.press(Action.PLAY)
    one.advance(0.1)
    assert one.playhead.t_s == pytest.approx(0.1) and one.shot.t_s <= 0.1
    one.advance(60.0)
    assert one.playhead.t_s < 1.0, "a computer that slept does not skip the clip"
    one.seek(0.5)
    assert one.playhead.t_s == pytest.approx(end_s / 2)


def test_what_cannot_be_written_is_kept_and_tried_again(tmp_path, monkeypatch):
    path = tmp_path / "a.labels.toml"
    one = labeller(path)

    def full(self, *_):
        raise OutputError(
            f"cannot write {path}: No space left on device; check the folder and the free space"
        )

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "save", full)
        for action in (Action.MARK_START, Action.FORWARD_FAR, UPRIGHT):
            one.press(action)
        assert one.alarm == "not saved: cannot write a.labels.toml: No space left on device; s tries again"
        assert one.draft.labels.intervals
    one.press(Action.SAVE)
    assert one.alarm == "" and read_labels(path) == one.draft.labels


def test_what_another_program_wrote_is_not_overwritten(tmp_path):
    path = tmp_path / "a.labels.toml"
    one = labeller(path)
    write_labels(path, Labels(person="another"))
    for action in (Action.MARK_START, Action.FORWARD_FAR, UPRIGHT):
        one.press(action)
    assert "has been changed by another program" in one.trouble
    assert read_labels(path) == Labels(person="another")


def test_a_file_written_by_hand_is_kept_beside_the_new_one(tmp_path):
    path = tmp_path / "a.labels.toml"
    text = '# mine\nformat = 1\n[[intervals]]\nend_s = 5\nstart_s = 1\nstate = "away"  # really\n'
    path.write_text(text, "utf-8")
    one = labeller(path)
    one.press(Duty.IGNORE)
    assert not (tmp_path / "a.labels.toml~").exists(), "nothing has changed"
    one.press(Action.FORWARD)
    one.press(Duty.IGNORE)
    assert read_labels(path).intervals == (Interval(1.0, 5.0, AWAY, Duty.IGNORE),)
    assert (tmp_path / "a.labels.toml~").read_text("utf-8") == text
    one.press(Action.UNDO)
    assert (tmp_path / "a.labels.toml~").read_text("utf-8") == text
    (tmp_path / "a.labels.toml~").unlink()
    for name in ("a.labels.toml", "a.labels.csv"):
        write_labels(tmp_path / name, Labels(person="p"))
        again = labeller(tmp_path / name)
        for action in (Action.MARK_START, Action.FORWARD_FAR, UPRIGHT):
            again.press(action)
        assert read_labels(tmp_path / name).intervals and not (tmp_path / f"{name}~").exists(), (
            "as we write it"
        )


def test_the_page_shows_labels_where_they_are():
    labels = put(put(Labels(baseline_s=(0.0, 2.0)), 0.0, 5.0, UPRIGHT), 5.0, 10.0, Duty.MUST)
    picture = np.full((48, 64, 3), 90, np.uint8)
    view = make_view("a.mp4", Playhead(10.0, 2.5), Draft(labels), None, "")
    for size_px in ((640, 480), (1280, 720), (300, 500), (64, 20), (2, 2)):
        page = draw_page(view, picture, size_px)
        assert page.shape == (*size_px[::-1], 3)
    page = draw_page(view, picture, (640, 480))[:, :, ::-1].astype(int)
    foot = page[480 - 144 :]
    blue = np.abs(foot - (86, 180, 233)).max(axis=2) < 12
    orange = np.abs(foot - (230, 159, 0)).max(axis=2) < 12
    middle = 58 + (640 - 58 - 12) / 2
    assert np.flatnonzero(blue.any(axis=0)).max() <= middle <= np.flatnonzero(orange.any(axis=0)).min() + 1
    assert not np.array_equal(page[:336], draw_page(view, picture, (640, 480))[:336] * 0)
    alarmed = draw_page(replace(view, trouble="not saved"), picture, (640, 480))
    assert not np.array_equal(alarmed[400:], draw_page(view, picture, (640, 480))[400:])
    seen = load_trace(FIXTURES / "s202_laptop.npz")[40:41]
    figure = draw_page(make_view("a", Playhead(1.0), Draft(labels), seen, ""), None, (640, 480))
    nobody = draw_page(make_view("a", Playhead(1.0), Draft(labels), None, ""), None, (640, 480))
    assert not np.array_equal(figure[60:300], nobody[60:300])


@pytest.fixture(scope="module")
def display():
    """A screen with a window manager."""
    require("openbox")
    with x_display("900x800") as name, running_child("openbox", env={**os.environ, "DISPLAY": name}):
        yield name


def ask(display, *command):
    """Output of an X program, empty when it fails."""
    require(command[0])
    env = {**os.environ, "DISPLAY": display}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout if done.returncode == 0 else ""


def find_window(display):
    return ask(display, "xdotool", "search", "--onlyvisible", "--class", "^posture-labels$").split()


@contextlib.contextmanager
def labelling(display, tmp_path, clip=FRONT, *more):
    """The labeller with its window in front, and the label file."""
    path = tmp_path / "made.labels.toml"
    env = home_env(tmp_path / "home", DISPLAY=display)
    with running("label", clip, "--labels", path, *more, env=env) as process:
        (window,) = process.wait_for(lambda: find_window(display))
        ask(display, "xdotool", "windowactivate", "--sync", window)
        process.wait_for(lambda: is_painted(display, tmp_path))
        yield process, path


def is_painted(display, tmp_path):
    return share(screenshot(display, tmp_path / "a.png"), (24, 26, 31)) > 0.05


def share(picture_bgr, colour_rgb):
    """How much of a picture has a colour."""
    return (np.abs(picture_bgr[:, :, ::-1].astype(int) - colour_rgb).max(axis=2) < 12).mean()


def press(display, *keys):
    ask(display, "xdotool", "key", *keys)


def changed(display, path, before):
    """Whether the screen has changed."""
    return not np.array_equal(screenshot(display, path), before)


def test_keys_in_the_window_make_labels_and_closing_it_keeps_them(display, tmp_path):
    require("wmctrl")
    with labelling(display, tmp_path) as (process, path):
        press(display, "i", "period", "period", "1", "Up", "2", "5")
        process.wait_for(lambda: path.exists() and "must" in path.read_text("utf-8"))
        assert read_labels(path).intervals == (
            Interval(0.0, 0.5, UPRIGHT),  # two frames of a clip with four a second
            Interval(0.5, 10.5, SLOUCHING, Duty.MUST),
        )
        for what, rgb in (("alert", (230, 159, 0)), ("state", (86, 180, 233)), ("shirt", (106, 52, 52))):
            wait_until(  # the upright half second is 7 pixels wide
                lambda rgb=rgb: share(screenshot(display, tmp_path / "a.png"), rgb) > 0.00005, what
            )
        press(display, "u")
        process.wait_for(lambda: "must" not in path.read_text("utf-8"))
        ask(display, "wmctrl", "-F", "-c", "Posture labels")
        assert process.finish(30) == 0
        assert f"2 labels in {path}" in process.text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_loses_nothing(display, tmp_path, number, code):
    with labelling(display, tmp_path, FIXTURES / "s202_laptop.npz") as (process, path):
        press(display, "i", "Up", "2")
        process.wait_for(path.exists)
        process.popen.send_signal(number)
        assert process.finish(30) == code
        assert f"Interrupted: 1 label in {path}" in process.text
        assert read_labels(path).intervals == (Interval(0.0, 10.0, SLOUCHING),)
    wait_until(lambda: not find_window(display), "the window to go")


def test_a_click_on_the_bands_goes_there_and_the_end_of_the_screen_loses_nothing(tmp_path):
    with contextlib.ExitStack() as stack:
        screen = stack.enter_context(contextlib.ExitStack())
        name = screen.enter_context(x_display("900x800"))
        process, path = stack.enter_context(labelling(name, tmp_path))
        (window,) = find_window(name)
        told = ask(name, "xdotool", "getwindowgeometry", "--shell", window)
        size = {key: int(value) for key, value in (line.split("=") for line in told.split())}
        before, y = screenshot(name, tmp_path / "a.png"), size["HEIGHT"] - 130
        ask(name, "xdotool", "mousemove", "--window", window, str(58 + (640 - 70) // 2), str(y), "click", "1")
        wait_until(lambda: changed(name, tmp_path / "a.png", before), "the position to move")
        press(name, "i", "Right", "1")
        process.wait_for(path.exists)
        assert read_labels(path).intervals[0].start_s == pytest.approx(19.9, abs=0.2)
        screen.close()
        assert process.finish(30) == 1
        assert f"posture: the window is gone (has the screen ended?); 1 label in {path}" in process.text


def test_without_a_screen_the_labeller_says_so(tmp_path):
    env = home_env(tmp_path / "home")
    done = posture("label", FRONT, "--labels", tmp_path / "a.toml", env=env, code=1)
    assert (
        done.stderr == "posture: the labeller needs a window: there is no screen here (DISPLAY is not set)\n"
    )
    done = posture("label", FRONT, env={**env, "DISPLAY": ":4711"}, code=1)
    assert "no window can be opened on DISPLAY=:4711 (x11 not available); nothing was labelled" in done.stderr
    assert not Path(f"{FRONT}.labels.toml").exists()


def test_what_cannot_be_labelled_is_said_before_a_window_opens(tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    clip = tmp_path / "a.mp4"

    def refusal():
        with pytest.raises(PostureError) as caught:
            run_label(str(clip), None, [])
        return str(caught.value)

    for content, said in ((None, "no such file"), (b"", "is empty"), (b"text", "is text, not a video")):
        if content is not None:
            clip.write_bytes(content)
        assert said in refusal()
    clip.write_bytes(FRONT.read_bytes())
    (tmp_path / "a.labels.toml").write_text("format = 1\nperso = 'x'\n", "utf-8")
    assert "unknown key 'perso'; did you mean person?" in refusal()
    (tmp_path / "a.mp4.labels.toml").touch()
    assert "two label files" in refusal()


def test_a_folder_that_cannot_be_written_to_is_said_before_any_work():
    with shared_folder() as folder, as_nobody():
        assert os.getuid() != 0
        clip = folder / "a.mp4"
        with pytest.raises(LabelError, match=r"cannot write into .*; give --labels FILE elsewhere"):
            Keeper(clip)
