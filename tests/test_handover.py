"""Handing pictures to another process: to the bit, whatever the way, and a picture never in a place with a name."""

import os
import pickle
import sys
import threading
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import FIXTURES

from posture.angles import measure_rows
from posture.calibration import fit_baseline
from posture.landmarks import no_person
from posture.pipeline import Pipeline
from posture.settings import Settings
from posture.trace import load_trace
from posture.view import handover
from posture.view.handover import N_FILES, make_handover
from posture.view.moment import Moment, Prompt
from posture.view.sketch import Sketch, Sketcher, from_row, to_row

TRACE = load_trace(FIXTURES / "front_upright_slouch.npz")
BASELINE = fit_baseline(TRACE[:24], Settings().judge)
RESULT = next(iter(Pipeline(Settings(), BASELINE).run(TRACE[24:25])))
SKETCHES = [
    Sketcher(Settings()).sketch(moment, baseline)
    for moment, baseline in (
        (Moment(None, TRACE[40:41], RESULT), BASELINE),
        (Moment(None, TRACE[40:41], None, Prompt("hold still", "too dark", False)), BASELINE),
        (Moment(None, None, RESULT), None),
        (Moment(None, no_person(1.0), None), None),
        (Moment(None, next(measure_rows(TRACE[24:25])), RESULT), None),
    )
]
linux = pytest.mark.skipif(sys.platform != "linux", reason="memfd_create is Linux's")


def picture(value, height=48, width=64):
    image = np.full((height, width, 3), value, np.uint8)
    image[0, 0] = 255 - value
    return image


@pytest.fixture(params=["memory", "pipe"])
def ends(request, monkeypatch):
    """A giver and a taker, by each way."""
    if request.param == "pipe":
        monkeypatch.setattr(handover, "_make_shelf", lambda: None)
    elif sys.platform != "linux":
        pytest.skip("memfd_create is Linux's")
    giver, taker = make_handover(get_context("spawn"))
    assert (giver._shelf is None) == (request.param == "pipe")
    yield giver, taker
    giver.close()
    taker.close()


@pytest.mark.parametrize("sketch", SKETCHES)
def test_a_sketch_in_plain_values_is_the_same(sketch):
    row = to_row(sketch)
    again = from_row(pickle.loads(pickle.dumps(row)))
    assert repr(again) == repr(sketch), "NaN too"
    assert not {type(value).__module__ for value in row} - {"builtins"}


def test_what_is_given_is_taken(ends):
    giver, taker = ends
    images = [
        picture(1),
        None,
        picture(2, 96, 128),  # larger
        picture(3, 20, 30),  # smaller
        picture(4)[:, ::-1],  # not contiguous
    ]
    for image, sketch in zip(images, SKETCHES, strict=True):
        giver.give(image, sketch)
        assert taker.poll(0)
        taken, drawn = taker.take()
        assert np.array_equal(taken, image) if image is not None else taken is None
        assert repr(drawn) == repr(sketch)
    assert not taker.poll(0)


def test_the_end_of_the_giver_is_told(ends):
    giver, taker = ends
    giver.close()
    assert taker.poll(0)
    with pytest.raises(EOFError):
        taker.take()


@linux
def test_a_picture_that_is_looked_at_is_not_written_over():
    giver, taker = make_handover(get_context("spawn"))
    giver.give(picture(0), Sketch())
    looked_at = taker.take()[0]
    giver.give(picture(1), Sketch())  # on its way
    given = threading.Event()

    def give_another():
        giver.give(picture(2), Sketch())
        given.set()

    thread = threading.Thread(target=give_another)
    thread.start()
    try:
        assert not given.wait(0.05), "no file is free"
        assert np.array_equal(looked_at, picture(0))
        assert np.array_equal(taker.take()[0], picture(1))
        assert given.wait(20)
        assert np.array_equal(taker.take()[0], picture(2))
    finally:
        giver.wake()
        thread.join(20)
        giver.close()
        taker.close()


@linux
def test_whoever_waits_for_room_can_be_woken():
    giver, taker = make_handover(get_context("spawn"))
    for value in range(N_FILES):
        giver.give(picture(value), Sketch())
    thread = threading.Thread(target=giver.wait_for_room)
    thread.start()
    giver.wake()
    thread.join(20)
    assert not thread.is_alive()
    giver.close()
    taker.close()


def echo(taker, answers):
    """Another process: say what is seen, and which of its files have a name."""
    image, _ = taker.take()
    places = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.exists()]
    answers.send((int(image.sum()), image.flags.writeable, places))


@linux
def test_the_picture_lies_in_memory_that_has_no_name_and_is_only_looked_at():
    context = get_context("spawn")
    giver, taker = make_handover(context)
    told, answers = context.Pipe(duplex=False)
    process = context.Process(target=echo, args=(taker, answers))
    process.start()
    taker.close()
    image = picture(7, 480, 640)
    giver.give(image, Sketch())
    total, is_writable, places = told.recv()
    process.join(20)
    giver.close()
    assert (total, is_writable) == (int(image.sum()), False)
    assert sum("memfd:posture-preview" in place for place in places) >= N_FILES  # a mapping has one more
    assert not [place for place in places if place.startswith("/dev/shm")]


@linux
@pytest.mark.parametrize("call", ["memfd_create", "eventfd"])
def test_where_there_is_no_such_memory_the_pipe_does_it(monkeypatch, call):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, call, refuse)
    before = len(list(Path("/proc/self/fd").iterdir()))
    giver, taker = make_handover(get_context("spawn"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 2, "the pipe's ends and nothing else"
    giver.give(picture(9), SKETCHES[0])
    assert np.array_equal(taker.take()[0], picture(9))
    giver.close()
    taker.close()
