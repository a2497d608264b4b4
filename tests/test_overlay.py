"""The overlay: relations that drawing keeps, whatever the picture, its size and whoever is in it."""

from dataclasses import replace

import numpy as np
import pytest
import synthetic
from cli_helpers import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st

from posture.angles import compute_angles
from posture.baseline import Baseline
from posture.calibration import fit_baseline
from posture.clips import VideoFileSource
from posture.judging import make_thresholds
from posture.landmarks import Landmarks, no_person
from posture.pipeline import Pipeline
from posture.settings import Settings
from posture.trace import load_trace
from posture.view import board, person
from posture.view.canvas import Canvas, colour_of
from posture.view.figure import find_figure, mirror
from posture.view.gauges import Gauge, make_gauges
from posture.view.lettering import letter
from posture.view.moment import Moment, Prompt
from posture.view.overlay import BLUR_CELLS, blur, draw_sketch
from posture.view.sketch import Sketcher
from posture.words import BLUE, ORANGE

SETTINGS = Settings()
CLIP = "front_upright_slouch"
TRACE = load_trace(FIXTURES / f"{CLIP}.npz")
BASELINE: Baseline = fit_baseline(TRACE[:24], SETTINGS.judge)
RESULTS = list(Pipeline(SETTINGS, BASELINE).run(TRACE[24:120]))
SKETCHER = Sketcher(SETTINGS)


def draw(moment, baseline, **options):
    """The picture of a moment that was judged against `baseline`, with all that is drawn on it."""
    return draw_sketch(moment.image_rgb, SKETCHER.sketch(moment, baseline), **options)


@pytest.fixture(scope="module")
def picture():
    """A frame of the clip in which the person slouches, and which frame it is."""
    n = 24 + 60
    for i, frame in enumerate(VideoFileSource(FIXTURES / f"{CLIP}.mp4")):
        if i == n:
            return frame.image_rgb, TRACE[n : n + 1], RESULTS[60]
    raise AssertionError


def grey(height=480, width=640, value=120):
    return np.full((height, width, 3), value, np.uint8)


def points(figure):
    return np.concatenate(
        (figure.face, figure.shoulders, figure.neck, figure.trunk, [figure.head.centre], figure.ghost.neck)
    )


def test_the_mirrored_drawing_is_drawn_from_the_mirrored_geometry():
    figure = find_figure(TRACE[80:81], BASELINE)
    assert np.allclose(points(mirror(figure))[:, 0], 1.0 - points(figure)[:, 0])
    assert np.array_equal(points(mirror(figure))[:, 1], points(figure)[:, 1])
    assert np.allclose(points(mirror(mirror(figure))), points(figure))


def test_lines_are_mirrored_and_words_are_not(picture):
    _, landmarks, result = picture
    flat = grey()
    drawn = Moment(flat, landmarks, replace(result, reason="camera_moved"), None)  # no labels at the lines
    plain = draw(drawn, None)
    mirrored = draw(drawn, None, is_mirrored=True)
    words = np.s_[8:90, 8:300]  # where the card is, and no line
    assert np.array_equal(plain[words], mirrored[words])
    assert not np.array_equal(plain[words], plain[:, ::-1][words])
    lines = np.s_[100:470, 8:-8]
    differ = np.abs(plain[:, ::-1][lines].astype(int) - mirrored[lines]).max(axis=2) > 60
    assert (plain[lines] != 120).any()
    assert differ.mean() < 0.004, "the same but for rounding at edges"


def test_drawing_leaves_the_picture_alone(picture):
    image, landmarks, result = picture
    before = image.copy()
    for is_mirrored in (False, True):
        for is_blurred in (False, True):
            drawn = draw(
                Moment(image, landmarks, result), BASELINE, is_mirrored=is_mirrored, is_blurred=is_blurred
            )
            assert not np.shares_memory(drawn, image)
            assert not np.array_equal(drawn, image)
    assert np.array_equal(image, before)


def test_drawing_again_into_the_same_memory_leaves_nothing_of_the_last(picture):
    image, landmarks, result = picture
    nobody = Moment(grey(), no_person(0.0), None)
    page = draw(Moment(image, landmarks, result), BASELINE)
    again = draw(nobody, BASELINE, out=page)
    assert again is page
    assert np.array_equal(again, draw(nobody, BASELINE))


@pytest.mark.parametrize("is_blurred", [False, True])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_the_order_of_the_channels_changes_nothing_else(picture, is_mirrored, is_blurred):
    image, landmarks, result = picture
    rgb, bgr = (
        draw(
            Moment(image, landmarks, result),
            BASELINE,
            is_mirrored=is_mirrored,
            is_blurred=is_blurred,
            hint="b blur",
            is_bgr=is_bgr,
        )
        for is_bgr in (False, True)
    )
    assert np.array_equal(rgb, bgr[:, :, ::-1])


KEPT = (
    board._card,
    board._table,
    board._full_bar,
    board._column,
    person.make_sign,
    person._ghost,
    person._plumb,
)


def test_what_is_kept_is_what_would_be_drawn_anew(picture):
    """Whoever sits there, in whatever size, colours and state, after whatever has been drawn before."""
    image, _, _ = picture
    cases = [
        (Moment(image, TRACE[24 + i : 25 + i], RESULTS[i]), size_px, is_bgr)
        for i in (2, 30, 60, 90)
        for size_px in ((640, 480), (500, 375))
        for is_bgr in (False, True)
    ]
    drawn = [draw(moment, BASELINE, size_px=size, is_bgr=bgr) for moment, size, bgr in cases]
    for (moment, size, bgr), before in zip(cases, drawn, strict=True):
        for kept in KEPT:
            kept.cache_clear()
        assert np.array_equal(draw(moment, BASELINE, size_px=size, is_bgr=bgr), before)


def test_a_ghost_keeps_its_shape_wherever_the_person_sits(picture):
    """Moved by whole pixels it is the same to the bit."""
    figure = find_figure(picture[1], BASELINE)
    moved = figure._replace(rows=[(x + 40 / 640, y + 24 / 640) for x, y in figure.rows])
    pages = [grey(), grey()]
    for page, one in zip(pages, (figure, moved), strict=True):
        person.draw_ghost(Canvas(page), one)
    assert (pages[0] != 120).any()
    assert np.array_equal(pages[0][: 480 - 24, : 640 - 40], pages[1][24:, 40:])


@pytest.mark.parametrize("unit", [1.0, 1.3, 2.25])
@pytest.mark.parametrize("share", [-0.5, 0.0, 0.4, 0.9, 1.3, 5.0, np.nan])
def test_a_bar_is_as_long_as_its_share(unit, share):
    """Of its track, which ends beyond the boundary; boundaries stay in sight."""
    page = grey(round(480 * unit), round(640 * unit))
    gauge = Gauge("neck", "+4°", "10°", share, True)
    options = {"is_judged": True, "release_ratio": 0.75, "sustain_s": 60.0}
    board.draw_gauges(Canvas(page), (gauge,), 0.0, **options)
    tones = [colour_of(ORANGE if share >= 1.0 else BLUE), (190, 194, 200), (255, 255, 255)]
    row = page[page.shape[0] - round((12 + 48 - 7 - 7) * unit), round(92 * unit) : round(212 * unit)]
    bar, *boundaries = [np.flatnonzero((row == tone).all(axis=1)) for tone in tones]
    assert all(len(boundary) for boundary in boundaries)
    length = bar.max() + 1 if len(bar) else 0
    want = 120 * unit * min(max(np.nan_to_num(share) / 1.6, 0.0), 1.0)
    assert length == pytest.approx(want, abs=1.6 * unit)


def test_nobody_is_drawn_where_nobody_is(picture):
    image, _, result = picture
    drawn = draw(Moment(image, no_person(0.0, 0.5, 0.75), result), BASELINE)
    assert np.array_equal(drawn, draw(Moment(image, None, result), BASELINE))


def test_the_ghost_is_where_the_person_is_while_they_sit_as_in_the_baseline():
    figure = find_figure(TRACE[12:13], BASELINE)
    assert figure.ghost is not None
    size = figure.head.half[1]
    assert np.abs(figure.ghost.neck - figure.neck).max() < 0.2 * size
    assert np.abs(figure.ghost.head.centre - figure.head.centre).max() < 0.2 * size
    assert np.abs(figure.ghost.head.half / figure.head.half - 1.0).max() < 0.1
    slouched = find_figure(TRACE[84:85], BASELINE)
    assert slouched.neck[1, 1] - slouched.ghost.neck[1, 1] > 0.2 * size, "the head is lower than the ghost's"


def test_the_ghost_goes_with_the_chair():
    """Whoever rolls aside and nearer takes it along."""
    row = TRACE[84:85]
    moved = row.xyzv.copy()
    moved[:, :, :2] = moved[:, :, :2] * 1.3 + (0.1, -0.05)
    near, far = find_figure(replace(row, xyzv=moved), BASELINE), find_figure(row, BASELINE)
    assert np.allclose(near.ghost.neck, far.ghost.neck * 1.3 + (0.1, -0.05), atol=1e-9)
    assert np.allclose(near.ghost.head.half, far.ghost.head.half * 1.3)


def test_a_gauge_is_full_at_the_boundary():
    limits = make_thresholds(SETTINGS.judge, BASELINE)
    result = replace(
        RESULTS[60],
        neck_deviation_deg=limits.neck_deg,
        thoracic_deviation_deg=limits.neck_deg - limits.flexion_deg,
        sink_ratio=limits.sink_ratio,
        driver="neck",
    )
    neck, trunk, poke, sink = make_gauges(result, limits)
    assert [neck.share, poke.share, sink.share] == pytest.approx([1.0, 1.0, 1.0])
    assert trunk.share < 0
    assert [gauge.is_driver for gauge in (neck, trunk, poke, sink)] == [True, False, False, False]
    nothing = replace(RESULTS[60], neck_deviation_deg=np.nan, sink_ratio=np.nan)
    trunk_text = f"{round(nothing.thoracic_deviation_deg):+d}°"
    assert [gauge.value for gauge in make_gauges(nothing, limits)] == ["-", trunk_text, "-", "-"]


def test_blurred_nobody_can_be_recognised(picture):
    """What was in the cells of the face does not matter any more, and nothing of its pattern is left."""
    image, landmarks, result = picture
    moment = Moment(image, landmarks, result)
    drawn = draw(moment, BASELINE, is_blurred=True)
    head = find_figure(landmarks, BASELINE).head
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] / image.shape[1]
    inside = ((x - head.centre[0]) / head.half[0]) ** 2 + ((y - head.centre[1]) / head.half[1]) ** 2 < 0.95
    assert 2 * head.half[0] * BLUR_CELLS < 4, "cells across the head"
    # The silhouette hides what is left; what is drawn there would be drawn on any picture.
    other = draw(Moment(grey(), landmarks, result), BASELINE, is_blurred=True)
    assert np.array_equal(drawn[inside], other[inside])
    sharp = [draw(Moment(one, landmarks, result), BASELINE) for one in (image, grey())]
    assert not np.array_equal(sharp[0][inside], sharp[1][inside])
    # Nor can a face that the landmarks have missed: fine detail is gone from the whole picture.
    fine = blur(image).astype(float).mean(axis=2)
    detail = image.astype(float).mean(axis=2)
    detail -= np.add.outer(detail.mean(axis=1), detail.mean(axis=0) - detail.mean())
    steps = [np.abs(np.diff(fine, axis=axis)).max() for axis in (0, 1)]
    assert max(steps) <= 3.0, "grey levels from pixel to pixel"
    assert np.abs(np.diff(detail, axis=1)).max() > 30.0


@settings(max_examples=40)
@given(
    width=st.one_of(st.integers(64, 900), st.sampled_from([1920, 3840])),
    height=st.one_of(st.integers(64, 700), st.sampled_from([1080, 2160])),
    scale=st.sampled_from([0.0, 1e-6, 0.3, 1.0, 2.5, 50.0, 1e30, np.inf, np.nan]),
    shift=st.floats(-3, 3),
    is_mirrored=st.booleans(),
    is_blurred=st.booleans(),
    kind=st.sampled_from(["judged", "prompt", "none"]),
)
def test_no_picture_and_no_person_makes_it_fail(width, height, scale, shift, is_mirrored, is_blurred, kind):
    image = grey(height, width)
    row = TRACE[84:85]
    with np.errstate(all="ignore"):
        xyzv = row.xyzv * scale + shift
    moment = Moment(
        image,
        replace(row, xyzv=xyzv),
        RESULTS[60] if kind == "judged" else None,
        Prompt("hold still", "a" * 80, False) if kind == "prompt" else None,
    )
    drawn = draw(moment, BASELINE, is_mirrored=is_mirrored, is_blurred=is_blurred, hint="h" * 60)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == 120).all()


@settings(max_examples=20)
@given(yaw=st.floats(-40, 40), azimuth=st.sampled_from([0.0, 40.0, 90.0]), neck=st.floats(-20, 40))
def test_anybody_can_be_drawn(yaw, azimuth, neck):
    times = np.arange(0, 8.0, 0.5)
    upright = synthetic.person(times, azimuth_deg=azimuth)
    angles = compute_angles(upright)
    assert angles.is_measured.all()
    row = synthetic.person(np.array([0.0]), azimuth_deg=azimuth, neck_deg=neck, yaw_deg=yaw)
    figure = find_figure(row, None)
    assert figure is not None
    assert draw(Moment(grey(), row, None), None).shape == (480, 640, 3)


def test_no_picture_is_drawn_as_one():
    drawn = draw(Moment(None, None, RESULTS[0]), BASELINE)
    assert drawn.shape == (480, 640, 3)
    assert len(np.unique(drawn)) > 10
    assert draw(Moment(None, None, None), None, size_px=(320, 240)).shape == (240, 320, 3)


@pytest.mark.parametrize("character", "°·%+-0123456789?/:abcXYZ")
def test_the_font_has_every_letter_that_is_written(character):
    """A box stands for what it lacks."""
    assert not np.array_equal(
        letter(character, 30), letter("\N{SNOWMAN}", 30)[:, : letter(character, 30).shape[1]]
    )
    assert letter(character, 30).max() > 100


def test_letters_grow_with_the_picture(picture):
    """Twice the picture is twice the drawing: for small windows and for sharp screens."""
    image, landmarks, result = picture
    moment = Moment(image, landmarks, result)
    small = draw(moment, BASELINE)
    large = draw(moment, BASELINE, size_px=(1280, 960))
    halved = large.reshape(480, 2, 640, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 4.0


def test_an_empty_row_is_nobody():
    empty = Landmarks(
        *(getattr(no_person(0.0), name) for name in ("t_s", "xyzv", "world_m", "luminance", "height_ratio"))
    )
    assert find_figure(empty, BASELINE) is None
