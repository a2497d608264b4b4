"""A trace gives back exactly what was saved, and a bad file is one clear line."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posture.errors import TraceError
from posture.landmarks import N_FACE, Landmarks, concatenate, no_person
from posture.trace import TRACE_VERSION, load_trace, save_trace

FIXTURES = Path(__file__).resolve().parent / "fixtures"


def make(n: int, seed: int = 0, dtype: type = np.float32) -> Landmarks:
    rng = np.random.default_rng(seed)
    return Landmarks(
        np.cumsum(rng.random(n)),
        rng.normal(size=(n, 33, 4)).astype(dtype).astype(np.float64),
        rng.normal(size=(n, 33, 3)).astype(dtype).astype(np.float64),
        rng.random(n),
        np.full(n, 0.75),
        face=rng.normal(size=(n, N_FACE)).astype(dtype).astype(np.float64),
    )


def assert_same(a: Landmarks, b: Landmarks) -> None:
    for field in dataclasses.fields(Landmarks):
        x, y = getattr(a, field.name), getattr(b, field.name)
        assert x.dtype == y.dtype == np.float64
        np.testing.assert_array_equal(x, y)  # NaN equals NaN here


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 50])
def test_what_is_loaded_equals_what_was_saved(tmp_path, n, dtype):
    landmarks = make(n, dtype=dtype)
    save_trace(tmp_path / "a.npz", landmarks)
    assert_same(load_trace(tmp_path / "a.npz"), landmarks)


@given(values=arrays(np.float64, (2, 33, 4), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_any_value_survives(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "a.npz"
    landmarks = dataclasses.replace(make(2), xyzv=values)
    save_trace(path, landmarks)
    assert_same(load_trace(path), landmarks)


def test_frames_without_a_person_and_without_a_picture_are_kept(tmp_path):
    landmarks = concatenate([make(2), no_person(5.0, 0.25, 0.75), no_person(6.0)])
    save_trace(tmp_path / "a.npz", landmarks)
    assert_same(load_trace(tmp_path / "a.npz"), landmarks)


def test_what_the_model_gives_is_stored_in_float32(tmp_path):
    save_trace(tmp_path / "a.npz", load_trace(FIXTURES / "front_upright_slouch.npz"))
    with np.load(tmp_path / "a.npz") as archive:
        assert archive["xyzv"].dtype == np.float32
        assert archive["world_m"].dtype == np.float32
        assert archive["face"].dtype == np.float32
        assert archive["t_s"].dtype == np.float64


def test_every_fixture_loads():
    paths = sorted(FIXTURES.glob("*.npz"))
    assert len(paths) == 16
    for path in paths:
        landmarks = load_trace(path)
        assert len(landmarks) > 0
        assert (np.diff(landmarks.t_s) > 0).all()


def test_saving_again_replaces_the_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.npz"
    save_trace(path, make(3))
    save_trace(path, make(5, seed=1))
    assert_same(load_trace(path), make(5, seed=1))
    assert os.listdir(tmp_path) == ["a.npz"]  # noqa: PTH208


def test_a_failed_save_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    save_trace(path, make(3))

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(TraceError, match=r"a\.npz: .*No space left on device"):
        save_trace(path, make(5))
    monkeypatch.undo()
    assert_same(load_trace(path), make(3))
    assert os.listdir(tmp_path) == ["a.npz"]  # noqa: PTH208


def test_saving_makes_the_folder(tmp_path):
    save_trace(tmp_path / "new" / "a.npz", make(1))
    assert_same(load_trace(tmp_path / "new" / "a.npz"), make(1))


def test_saving_where_a_file_is_in_the_way_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TraceError, match="cannot be written"):
        save_trace(tmp_path / "file" / "a.npz", make(1))


def write_arrays(path: Path, **changes) -> None:
    fields = {f.name: getattr(make(3), f.name) for f in dataclasses.fields(Landmarks)}
    stored = {"version": np.array(TRACE_VERSION), **fields, **changes}
    np.savez(path, **{name: value for name, value in stored.items() if value is not None})


BAD = {
    "missing": (lambda p: None, "cannot be read"),
    "folder": (lambda p: p.mkdir(), "cannot be read"),
    "empty": (lambda p: p.write_bytes(b""), "not a landmark trace"),
    "text": (lambda p: p.write_text("t_s,x\n0,1\n"), "not a landmark trace"),
    "single array": (lambda p: p.write_bytes(b"\x93NUMPY"), "not a landmark trace"),
    "another archive": (lambda p: np.savez(p, a=np.zeros(3)), "not a landmark trace"),
    "later version": (lambda p: write_arrays(p, version=np.array(99)), "version 99"),
    "no version": (lambda p: write_arrays(p, version=None), "not a landmark trace"),
    "field missing": (lambda p: write_arrays(p, world_m=None), "not a landmark trace"),
    "face misshapen": (lambda p: write_arrays(p, face=np.zeros((3, 8))), "face has shape"),
    "field misshapen": (lambda p: write_arrays(p, xyzv=np.zeros((3, 33, 3))), "xyzv has shape"),
    "whole numbers": (lambda p: write_arrays(p, t_s=np.arange(3)), "not floating-point"),
    "objects": (lambda p: write_arrays(p, t_s=np.array([None] * 3)), "not a landmark trace"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_clear_line(tmp_path, kind):
    path = tmp_path / "bad.npz"
    make_bad, text = BAD[kind]
    make_bad(path)
    with pytest.raises(TraceError, match=text) as caught:
        load_trace(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_older_than_faces_has_none(tmp_path):
    write_arrays(tmp_path / "old.npz", face=None)
    loaded = load_trace(tmp_path / "old.npz")
    assert np.isnan(loaded.face).all()
    assert_same(loaded, dataclasses.replace(make(3), face=np.full((3, N_FACE), np.nan)))


def test_every_truncation_is_noticed(tmp_path):
    save_trace(tmp_path / "whole.npz", make(3))
    data = (tmp_path / "whole.npz").read_bytes()
    for n in range(0, len(data), 37):
        (tmp_path / "cut.npz").write_bytes(data[:n])
        with pytest.raises(TraceError):
            load_trace(tmp_path / "cut.npz")
