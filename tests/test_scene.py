"""A moved camera is told from a moved person, on rooms drawn here."""

from __future__ import annotations

import subprocess
import sys
import weakref
from itertools import pairwise
from math import hypot, isnan, nan

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posture.camera_move import CameraMoveJudge
from posture.errors import ShapeError
from posture.scene import REFERENCE_S, WIDTH_PX, SceneShift, SceneWatch

W, H, ROOM_MARGIN = 640, 480, 200
TOLERANCE_RATIO = 0.005  # 0.4 pixels of the picture that is looked at; the judge's threshold is 0.012
PEAK_TOLERANCE_RATIO = 0.008  # between two pixels the peak's place is good to half of one (0.00625)
FPS = 4


def draw_room(seed=1, n_objects=14):
    """A wall with pictures and shelves, larger than what the camera sees of it."""
    rng = np.random.default_rng(seed)
    room = np.full((H + 2 * ROOM_MARGIN, W + 2 * ROOM_MARGIN, 3), 150, np.uint8)
    for _ in range(n_objects):
        x, y = (int(v) for v in rng.uniform((0, 0), (room.shape[1], room.shape[0])))
        w, h = (int(v) for v in rng.uniform(60, 200, 2))
        cv2.rectangle(room, (x, y), (x + w, y + h), [int(v) for v in rng.uniform(20, 240, 3)], -1)
    return room


ROOM = draw_room()
GRAIN = np.tile(np.random.default_rng(0).standard_normal(H * W * 3, np.float32), 2)


def landmarks_of(x=0.5, y=0.3, size=0.26):
    """Head at (x, y), shoulders `size` apart, all in image widths."""
    xyzv = np.zeros((33, 4))
    xyzv[:, :2] = (x, y)
    for left, right, dx, dy in ((7, 8, 0.2, 0), (11, 12, 0.5, 0.65), (13, 14, 0.65, 1.5), (15, 16, 0.6, 2)):
        xyzv[left, :2], xyzv[right, :2] = (x + dx * size, y + dy * size), (x - dx * size, y + dy * size)
    xyzv[:23, 3] = 1.0
    return xyzv


def see(room=ROOM, shift_px=(0, 0), person=None, gain=1.0, noise=2.0, seed=0):
    """What the camera sees when the content has moved by `shift_px`, the person drawn over it."""
    x, y = ROOM_MARGIN - shift_px[0], ROOM_MARGIN - shift_px[1]
    image = room[y : y + H, x : x + W].copy()
    if person is not None:
        at = person[:, :2] * W
        size = at[11, 0] - at[12, 0]
        neck = (at[11] + at[12]) / 2
        cv2.ellipse(
            image,
            _pixel((neck[0], neck[1] + 2 * size)),
            _pixel((0.62 * size, 2.05 * size)),
            0,
            0,
            360,
            (60, 40, 160),
            -1,
        )
        cv2.circle(image, _pixel(at[0] - (0, 0.05 * size)), int(0.33 * size), (200, 160, 140), -1)
        cv2.circle(image, _pixel(at[0] - (0.1 * size, 0.1 * size)), int(0.05 * size), (20, 20, 20), -1)
    start = 7919 * seed % image.size
    grain = GRAIN[start : start + image.size].reshape(image.shape)
    return cv2.addWeighted(image, gain, grain, noise, 0.0, dtype=cv2.CV_8U)


def _pixel(xy):
    return int(xy[0]), int(xy[1])


def watch_calibrated(person=None, **how):
    """A watch that has seen 2.25 s of the still room."""
    watch, person = SceneWatch(), landmarks_of() if person is None else person
    for i in range(int(REFERENCE_S * FPS) + 2):
        watch.step(i / FPS, see(person=person, seed=i, **how), person)
    return watch


def move(person, shift_px):
    moved = person.copy()
    moved[:, :2] += np.asarray(shift_px) / W
    return moved


def size_of(shift: SceneShift) -> float:
    return hypot(shift.dx_ratio, shift.dy_ratio)


@pytest.fixture(scope="module")
def calibrated():
    return watch_calibrated()


def test_importing_does_not_load_opencv():
    code = "import sys, posture.scene; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_is_measured_until_there_is_a_reference():
    watch, person = SceneWatch(), landmarks_of()
    assert isnan(watch.step(0.0, see(person=person), person).dx_ratio)
    assert not watch.has_reference
    assert watch_calibrated().has_reference


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.3, 1.3])
def test_a_still_camera_measures_no_shift_in_any_light(calibrated, gain):
    shift = calibrated.step(9.0, see(person=landmarks_of(), gain=gain, seed=99), landmarks_of())
    assert size_of(shift) < TOLERANCE_RATIO
    assert shift.confidence > 0.9


@settings(max_examples=60, deadline=None)
@given(dx_px=st.integers(-110, 110), dy_px=st.integers(-110, 110), gain=st.sampled_from([1.0, 0.5]))
def test_shifting_the_whole_picture_gives_that_shift(calibrated, dx_px, dy_px, gain):
    person = move(landmarks_of(), (dx_px, dy_px))
    shift = calibrated.step(9.0, see(shift_px=(dx_px, dy_px), person=person, gain=gain), person)
    if not shift.confidence:  # the person may have come to cover too much of the background
        return
    assert shift.dx_ratio == pytest.approx(dx_px / W, abs=PEAK_TOLERANCE_RATIO)
    assert shift.dy_ratio == pytest.approx(dy_px / W, abs=PEAK_TOLERANCE_RATIO)


@pytest.mark.parametrize("shift_px", [(0, 30), (0, -60), (0, 100), (40, 0), (-90, 0), (30, 30)])
def test_moves_of_three_to_ten_degrees_are_measured_confidently(calibrated, shift_px):
    person = move(landmarks_of(), shift_px)
    assert calibrated.step(9.0, see(shift_px=shift_px, person=person), person).confidence > 0.9


@pytest.mark.parametrize("size", [(320, 240), (160, 120), (1280, 960)])
def test_the_picture_size_does_not_matter_and_may_change_on_the_way(calibrated, size):
    person = move(landmarks_of(), (24, 40))
    image = see(shift_px=(24, 40), person=person)
    large, small = (
        calibrated.step(9.0, image, person),
        calibrated.step(9.0, cv2.resize(image, size, interpolation=cv2.INTER_AREA), person),
    )
    assert large.confidence > 0.9
    assert (small.dx_ratio, small.dy_ratio) == pytest.approx((large.dx_ratio, large.dy_ratio), abs=0.002)
    assert small.confidence == pytest.approx(large.confidence, abs=0.1)


def test_another_picture_shape_begins_a_new_reference():
    watch, person = watch_calibrated(), landmarks_of()
    assert isnan(watch.step(9.0, see(person=person)[60:-60], person).dx_ratio)
    assert not watch.has_reference


def test_a_mirrored_picture_gives_the_mirrored_shift(calibrated):
    def mirrored(person):
        return np.column_stack([1.0 - person[:, 0], person[:, 1:]])

    watch, person = SceneWatch(), landmarks_of()
    for i in range(int(REFERENCE_S * FPS) + 2):
        watch.step(i / FPS, np.ascontiguousarray(see(person=person, seed=i)[:, ::-1]), mirrored(person))
    person = move(person, (45, -20))
    image = see(shift_px=(45, -20), person=person)
    plain, mirror = calibrated.step(9.0, image, person), watch.step(9.0, image[:, ::-1], mirrored(person))
    assert plain.dx_ratio > 0.05
    assert (-mirror.dx_ratio, mirror.dy_ratio) == pytest.approx((plain.dx_ratio, plain.dy_ratio), abs=0.002)


@settings(max_examples=60, deadline=None)
@given(x=st.floats(0.25, 0.75), y=st.floats(0.15, 0.5), size=st.floats(0.18, 0.4))
def test_moving_only_the_person_gives_no_shift(calibrated, x, y, size):
    person = landmarks_of(x, y, size)
    shift = calibrated.step(9.0, see(person=person), person)
    assert shift.confidence < 0.5 or size_of(shift) < TOLERANCE_RATIO


def test_a_person_in_front_of_a_plain_wall_is_no_background():
    """All that moves is the person's outline: there is nothing to say about the camera."""
    wall, watch = np.full_like(ROOM, 170), SceneWatch()
    for i in range(40):
        person = landmarks_of(0.5 + (0.05 if i > 20 else 0.0))
        shift = watch.step(i / FPS, see(wall, person=person, seed=i), person)
        assert shift.confidence == 0.0
    assert not watch.has_reference


def test_a_person_nobody_found_does_not_become_the_reference():
    watch = SceneWatch()
    for i in range(20):
        watch.step(i / FPS, see(person=landmarks_of(), seed=i), None)
    assert not watch.has_reference


@pytest.mark.parametrize("is_found", [True, False])
def test_somebody_walking_past_or_sitting_down_moves_no_camera(is_found):
    watch, judge, person, n_measured = watch_calibrated(), CameraMoveJudge(), landmarks_of(), 0
    for i in range(32):
        passer = landmarks_of(-0.3 + 0.05 * i, 0.2, 0.3)
        image = see(person=passer, seed=i)
        shift = watch.step(9 + i / FPS, image, person if is_found else None)
        assert not judge.step(9 + i / FPS, shift.dx_ratio, shift.dy_ratio, shift.confidence)
        n_measured += shift.confidence >= judge.MIN_CONFIDENCE
    assert n_measured > 16


def test_reset_takes_the_moved_place_as_the_new_one():
    watch, person = watch_calibrated(), landmarks_of()
    watch.reset()
    for i in range(int(REFERENCE_S * FPS) + 2):
        watch.step(20 + i / FPS, see(shift_px=(50, 0), person=person, seed=i), person)
    assert size_of(watch.step(30.0, see(shift_px=(50, 0), person=person), person)) < TOLERANCE_RATIO


def sinking(px_per_minute, minutes, is_light_changing):
    """Shifts of a lid that sinks, one frame every 8 s, while half of the room's objects fade."""
    rooms = draw_room(), draw_room(seed=1, n_objects=9)
    watch, person, room, before = SceneWatch(), landmarks_of(), rooms[0], 0.0
    for i in range(int(minutes * 7.5)):
        t_s = 8.0 * i
        fade = min(1.0, t_s / 1200) if is_light_changing else 0.0
        if fade != before:
            room, before = cv2.addWeighted(rooms[0], 1 - fade, rooms[1], fade, 0), fade
        shift_px = (0, round(px_per_minute * t_s / 60))
        yield watch, shift_px, watch.step(t_s, see(room, shift_px, person, seed=i), person)


def test_the_reference_follows_the_light():
    shifts = [(watch._carried, shift) for watch, _, shift in sinking(0.0, 60, True)]
    assert len({carried for carried, _ in shifts}) > 1, "never renewed"
    assert min(s.score for _, s in shifts[-60:]) > 0.9
    assert max(size_of(s) for _, s in shifts[5:]) < TOLERANCE_RATIO


@pytest.mark.parametrize("is_light_changing", [True, False])
def test_a_slowly_sinking_lid_cannot_hide(is_light_changing):
    judge, is_moved = CameraMoveJudge(), False
    for i, (_, _, shift) in enumerate(sinking(0.25, 80, is_light_changing)):
        is_moved = judge.step(8.0 * i, shift.dx_ratio, shift.dy_ratio, shift.confidence)
    assert is_moved
    assert shift.dy_ratio == pytest.approx(0.25 * 80 / W, abs=0.35 * 0.25 * 80 / W)


def test_the_picture_is_let_go(calibrated):
    image = see(person=landmarks_of())
    alive = weakref.ref(image)
    calibrated.step(9.0, image, landmarks_of())
    del image
    assert alive() is None
    kept = [v for v in vars(calibrated).values() if isinstance(v, np.ndarray)]
    assert max(v.size for v in kept) <= 2 * WIDTH_PX * WIDTH_PX
    assert not any(v.dtype == np.uint8 for v in kept)


@pytest.mark.parametrize(
    "person",
    [None, np.full((33, 4), nan), np.zeros((33, 4)), np.full((33, 4), 1e30), np.full((33, 4), np.inf)],
)
def test_absurd_landmarks_do_no_harm(calibrated, person):
    shift = calibrated.step(9.0, see(), person)
    assert isnan(shift.dx_ratio) or size_of(shift) < TOLERANCE_RATIO


def test_absurd_pictures_are_not_measured(calibrated):
    watch, person = watch_calibrated(), landmarks_of()
    assert isnan(watch.step(9.0, None, person).dx_ratio)
    assert isnan(watch.step(9.0, np.zeros((2, 900, 3), np.uint8), person).dx_ratio)
    for level in (0, 255):
        assert watch.step(9.0, np.full((H, W, 3), level, np.uint8), person).confidence == 0.0
    assert watch.step(9.0, see(draw_room(seed=7), person=person), person).confidence < 0.5
    assert watch.has_reference
    with pytest.raises(ShapeError):
        watch.step(9.0, np.zeros((H, W), np.uint8), person)
    with pytest.raises(ShapeError):
        watch.step(9.0, see(), person[:12])


def test_the_same_frames_give_the_same_bits():
    person = move(landmarks_of(), (30, 10))
    image = see(shift_px=(30, 10), person=person)
    assert watch_calibrated().step(9.0, image, person) == watch_calibrated().step(9.0, image, person)


def judged(rows):
    judge = CameraMoveJudge()
    return [judge.step(*row) for row in rows]


@pytest.mark.parametrize("fps", [1, 4, 30])
def test_a_move_is_judged_after_the_same_time_at_every_frame_rate(fps):
    rows = [(i / fps, 0.0, 0.08 if i >= 10 * fps else 0.0, 1.0) for i in range(20 * fps)]
    first_s = judged(rows).index(True) / fps
    assert 10 + CameraMoveJudge.SUSTAIN_S <= first_s < 10 + CameraMoveJudge.SUSTAIN_S + 1 / fps + 1e-9


@given(
    st.lists(
        st.tuples(st.floats(0.01, 20), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0, 1)),
        max_size=60,
    )
)
def test_no_answer_changes_without_evidence_for_the_whole_time(rows):
    t_s, frames = 0.0, []
    for dt_s, dx, dy, confidence in rows:
        t_s += dt_s
        frames.append((t_s, dx, dy, confidence))
    answers = [False, *judged(frames)]
    changes = [frames[i][0] for i, (a, b) in enumerate(pairwise(answers)) if a != b]
    assert all(b - a >= CameraMoveJudge.SUSTAIN_S for a, b in pairwise([0.0, *changes]))


@pytest.mark.parametrize(
    "row",
    [(0.0, 0.011, 1.0), (0.0, 0.08, 0.49), (nan, nan, 0.0), (nan, 0.08, 1.0), (0.08, 0.0, nan)],
    ids=["small", "unsure", "not measured", "half measured", "no confidence"],
)
def test_no_move_is_judged_from(row):
    assert not any(judged([(i / 4, *row) for i in range(100)]))


def test_shifts_that_contradict_each_other_are_no_move():
    assert not any(judged([(i / 4, 0.05 * (-1) ** i, 0.0, 1.0) for i in range(100)]))
    assert not any(judged([(i / 4, 0.05 if i % 4 else 0.0, 0.0, 1.0) for i in range(100)]))


def test_frames_that_measure_nothing_neither_help_nor_hinder_but_a_long_gap_does():
    def rows(gap_s):
        return [(0.0, 0.0, 0.05, 1.0), (gap_s / 2, nan, nan, 0.0), (gap_s, 0.0, 0.05, 1.0)]

    assert judged(rows(2.0)) == [False, False, True]
    assert not any(judged(rows(CameraMoveJudge.GAP_S + 1)))


def test_a_camera_put_back_is_no_longer_moved_and_not_measuring_changes_nothing():
    rows = [(i / 4, 0.0, 0.05 if i < 20 else 0.0, 1.0) for i in range(40)]
    answers = judged(rows)
    assert answers[19] and not answers[-1] and sum(a != b for a, b in pairwise(answers)) == 2
    assert all(judged([*rows[:20], *((5 + i / 4, nan, nan, 0.0) for i in range(20))])[-20:])


def test_one_frame_costs_less_than_a_millisecond(benchmark):
    """At 160 x 120, one core; run with --benchmark-enable."""
    watch, person = watch_calibrated(), landmarks_of()
    image = cv2.resize(
        see(shift_px=(0, 40), person=move(person, (0, 40))), (160, 120), interpolation=cv2.INTER_AREA
    )
    assert benchmark(watch.step, 9.0, image, person).dy_ratio > 0.05
    if benchmark.enabled:
        assert benchmark.stats.stats.median < 1e-3
