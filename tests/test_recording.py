"""A recording gives the events of the run again, keeps what was written whatever happens, and holds no picture.

Claimed: everything a pipeline takes in is in the file, in order; what is kept comes back bit for bit; a file cut or
damaged anywhere is used as far as it is whole, and said; anything else is one line; every byte is accounted for.
"""

import dataclasses
import errno
import functools
import gzip
import json
import math
import os
import re
import stat
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import FIXTURES, FRONT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic import without_person
from unprivileged import as_nobody, shared_folder

from posture.attention import Attention
from posture.calibration import fit_baseline
from posture.config import load_settings, restore_settings
from posture.duty import DutyCycle
from posture.errors import OutputError, SettingsError, TraceError
from posture.landmarks import N_FACE, Landmarks, concatenate, no_person
from posture.monitor import run_monitor
from posture.pipeline import Pipeline
from posture.recording import records
from posture.recording.codec import MAX_MEMBER_BYTES, encode
from posture.recording.player import TraceObserver, TraceSource
from posture.recording.reader import TraceReader, looks_recorded
from posture.recording.records import POINTS, WORLD_POINTS, Chunk, End, Rebase, SeenFrame, Snooze, TimeOfDay
from posture.recording.writer import RecordedPipeline, TraceWriter, make_header, recording_path
from posture.settings import AlertSettings, JudgeSettings, Settings
from posture.slouch import EventKind, Reason
from posture.sources import PacedSource, open_source
from posture.trace import load_trace
from posture.watching import _spaced

DOCS = Path(__file__).parents[1] / "docs" / "traces.md"
UPRIGHT_SLOUCH = load_trace(FIXTURES / "front_upright_slouch.npz")
SETTINGS = Settings(
    alert=AlertSettings(sustain_s=5.0, cooldown_s=10.0), judge=JudgeSettings(onset_dwell_s=1.0)
)


@functools.cache
def baseline_of(start=0, end=24):
    return fit_baseline(UPRIGHT_SLOUCH[start:end], SETTINGS.judge, "2026-01-02T03:04:05+00:00")


class Collector:
    def __init__(self):
        self.results = []

    def handle(self, result):
        self.results.append(result)


class Camera:
    """What the duty cycle sets the rate of."""

    rate_hz = None


class Recorded:
    """An observer that knows the landmarks of every frame, and shows the background now and then."""

    condition = Reason.NONE

    def seek(self, baseline):
        pass

    def detect(self, frame):
        row = int(np.searchsorted(UPRIGHT_SLOUCH.t_s, frame.t_s - 1e-6))
        shift = [0.0, 0.0, 1.0] if row % 2 else [np.nan, np.nan, 0.0]
        return dataclasses.replace(UPRIGHT_SLOUCH[row : row + 1], scene_shift=np.array([shift]))


class Commands:
    """Stands before an observer, covers the lens for some frames and tells the pipeline things in between."""

    def __init__(self, observer, pipeline, orders, covered=range(0)):
        self._observer, self._pipeline, self._orders, self._covered = observer, pipeline, orders, covered
        self._n = -1
        self.condition = Reason.NONE

    def seek(self, baseline):
        self._observer.seek(baseline)

    def detect(self, frame):
        self._n += 1
        for order in self._orders.get(self._n, ()):
            order(self._pipeline)
        if self._n in self._covered:
            self.condition = Reason.CAMERA_COVERED
            return no_person(frame.t_s, 0.01)
        landmarks = self._observer.detect(frame)
        self.condition = self._observer.condition
        return landmarks


class Clock:
    """A clock that only waiting moves."""

    now_s = 0.0

    def read(self):
        return self.now_s

    def wait(self, seconds):
        self.now_s += seconds


ORDERS = {
    "nothing": {},
    "a snooze": {70: [lambda p: p.snooze(30.0)]},
    "a snooze without an end, and its end": {
        50: [lambda p: p.snooze(math.inf)],
        130: [lambda p: p.snooze(-1.0)],
    },
    "a new baseline": {60: [lambda p: p.use_baseline(baseline_of(100, 140))]},
    "not to be disturbed": {60: [lambda p: p.set_muted(True)], 140: [lambda p: p.set_muted(False)]},
    "an end to a snooze": {0: [lambda p: p.snooze(1000.0)], 130: [lambda p: p.unsnooze()]},
    "all at once": {
        60: [
            lambda p: p.use_baseline(baseline_of(100, 140)),
            lambda p: p.snooze(25.0),
            lambda p: p.set_muted(True),
        ]
    },
    "standing for a while": {60: [lambda p: p.set_standing(True)], 120: [lambda p: p.set_standing(False)]},
    "a snooze before the first frame": {0: [lambda p: p.snooze(35.0)]},
}


def watch(path, orders, used=SETTINGS, covered=range(40, 50), start_of_day_s=None):
    """Return the results of the live loop over a clip's pictures, recorded to `path`."""
    clock, collector = Clock(), Collector()
    header = make_header(
        "a camera", settings=used, baseline=baseline_of(), profile="me", start_of_day_s=start_of_day_s
    )
    with (
        TraceWriter(path, header) as writer,
        PacedSource(open_source(str(FRONT)), clock=clock.read, wait=clock.wait) as source,
    ):
        pipeline = RecordedPipeline(used, baseline_of(), writer, start_of_day_s=start_of_day_s)
        attention = Attention(Recorded(), Camera(), DutyCycle(used))
        before = Commands(attention, pipeline, orders, covered)
        run_monitor(source, before, pipeline, [collector, attention], threading.Event())
    return collector.results


def play(path, used=SETTINGS):
    """Return the results of a recording's replay."""
    collector = Collector()
    with TraceSource(path) as source:
        header = source.header
        pipeline = Pipeline(used, header.baseline, start_of_day_s=header.start_of_day_s)
        observer = TraceObserver(pipeline, has_own_baseline=True)
        run_monitor(source, observer, pipeline, [collector], threading.Event())
        assert source.notes == ()
    return collector.results


@pytest.mark.parametrize("kind", ORDERS)
def test_a_replay_gives_every_result_of_the_live_loop(tmp_path, kind):
    live = watch(tmp_path / "a.posture", ORDERS[kind])
    again = play(tmp_path / "a.posture")
    assert repr(again) == repr(live)  # NaN equals NaN here
    assert len(live) == 160
    reasons = {result.reason for result in live}
    assert {Reason.NONE, Reason.CAMERA_COVERED} <= reasons
    with TraceReader(tmp_path / "a.posture") as reader:
        own = np.concatenate([record.is_own for record in reader if isinstance(record, Chunk)])
    assert 20 < own.sum() < 120, "the duty cycle repeats many rows"


def test_what_the_pipeline_was_told_makes_a_difference(tmp_path):
    told = {}
    for kind, orders in ORDERS.items():
        watch(tmp_path / kind, orders)
        results = play(tmp_path / kind)
        told[kind] = [(event.kind, event.confirmed_s) for result in results for event in result.events]
    assert EventKind.ALERT in {kind for kind, _ in told["nothing"]}
    assert len({repr(events) for events in told.values()}) >= 4


def test_whatever_a_pipeline_can_be_told_is_recorded():
    public = {name for name in vars(Pipeline) if not name.startswith("_")}
    asks_only = {"finish", "run", "snoozed_until_s", "thresholds", "followed"}  # `run` is a fold of `step`
    before_the_first_frame = {"reset"}
    assert public - asks_only - before_the_first_frame <= set(vars(RecordedPipeline))


def test_quiet_hours_are_those_of_the_recording(tmp_path):
    quiet = with_alert(quiet_hours=("22:00-06:00",))
    n_alerts = {}
    for hour in (12, 23):
        path = tmp_path / str(hour)
        live = watch(path, {}, quiet, start_of_day_s=hour * 3600.0)
        assert repr(play(path, quiet)) == repr(live)
        n_alerts[hour] = sum(result.alert is not None for result in live)
    assert n_alerts[12] > 0
    assert n_alerts[23] == 0


@pytest.mark.parametrize("hours", [-11, 11])
def test_a_clock_put_forward_or_back_is_in_the_recording(tmp_path, hours):
    """At noon, and at one frame it is 23 or 1 o'clock, which is quiet; and back."""
    quiet = with_alert(quiet_hours=("22:00-06:00",))

    def shows(hours):
        return lambda p: p.set_time_of_day(12.5, (12 + hours) * 3600.0 + 12.5)

    noon = 12 * 3600.0
    n_alerts = []
    for orders in ({50: [shows(hours)]}, {50: [shows(0)]}, {50: [shows(hours)], 120: [shows(0)]}):
        path = tmp_path / str(len(n_alerts))
        live = watch(path, orders, quiet, start_of_day_s=noon)
        assert repr(play(path, quiet)) == repr(live)
        n_alerts.append(sum(result.alert is not None for result in live))
        with TraceReader(path) as reader:
            told = [record for record in reader if isinstance(record, TimeOfDay)]
        assert len(told) == sum(len(v) for v in orders.values()) if len(n_alerts) != 2 else not told
    assert n_alerts[0] == 0
    assert n_alerts[0] < n_alerts[2] <= n_alerts[1]


def with_alert(**changes):
    return Settings(alert=AlertSettings(sustain_s=5.0, cooldown_s=10.0, **changes), judge=SETTINGS.judge)


def kept(landmarks):
    """Return what a recording keeps of landmarks."""
    xyzv, world_m = np.full_like(landmarks.xyzv, np.nan), np.full_like(landmarks.world_m, np.nan)
    with np.errstate(over="ignore"):
        xyzv[:, POINTS] = landmarks.xyzv[:, POINTS].astype(np.float32)
        world_m[:, WORLD_POINTS] = landmarks.world_m[:, WORLD_POINTS].astype(np.float32)
        face = landmarks.face.astype(np.float32).astype(np.float64)
    return dataclasses.replace(landmarks, xyzv=xyzv, world_m=world_m, face=face)


def assert_same(a, b):
    for field in dataclasses.fields(Landmarks):
        x, y = getattr(a, field.name), getattr(b, field.name)
        assert x.dtype == y.dtype == np.float64
        np.testing.assert_array_equal(x, y)  # NaN equals NaN here


def write(path, landmarks, conditions=None, **header):
    with TraceWriter(path, make_header("a clip", **header)) as writer:
        for t in range(len(landmarks)):
            writer.add(landmarks[t : t + 1], Reason.NONE if conditions is None else conditions[t])
    return path


def read(path):
    """Return all landmarks and conditions of a recording, and the note at its end."""
    with TraceReader(path) as reader:
        chunks = [record for record in reader if isinstance(record, Chunk)]
    conditions = [condition for chunk in chunks for condition in chunk.conditions]
    landmarks = concatenate([chunk.landmarks for chunk in chunks]) if chunks else Landmarks.empty()
    return landmarks, conditions, reader.note


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def runs(draw):
    """Any landmarks, some rows without anybody, some repeated as the duty cycle repeats them."""
    n = draw(st.integers(1, 6))
    times = sorted(draw(st.lists(st.floats(0, 1e9), min_size=n, max_size=n)))
    parts, conditions = [], []
    for t_s in times:
        kind = draw(st.sampled_from(["own", "sparse", "nobody", "no picture", "repeat"]))
        if kind == "repeat" and parts:
            row = parts[-1]
        elif kind == "own":
            row = Landmarks(
                np.zeros(1),
                draw(arrays(np.float64, (1, 33, 4), elements=NUMBERS)),
                draw(arrays(np.float64, (1, 33, 3), elements=NUMBERS)),
                draw(arrays(np.float64, 1, elements=NUMBERS)),
                draw(arrays(np.float64, 1, elements=NUMBERS)),
            )
        elif kind == "sparse":
            row = no_person(0.0, 0.5, 0.75)
            row.xyzv[0, draw(st.integers(0, 32)), draw(st.integers(0, 3))] = draw(NUMBERS)
        else:
            row = no_person(0.0, *((0.3, 0.75) if kind == "nobody" else ()))
        if kind in ("own", "nobody") and draw(st.booleans()):
            row = dataclasses.replace(row, face=draw(arrays(np.float64, (1, N_FACE), elements=NUMBERS)))
        shift = draw(arrays(np.float64, (1, 3), elements=NUMBERS))
        parts.append(dataclasses.replace(row, t_s=np.array([t_s]), scene_shift=shift))
        conditions.append(draw(st.sampled_from(list(Reason))))
    return concatenate(parts), conditions


@given(run=runs(), rows=st.integers(1, 4), seconds=st.floats(0.0, 100.0))
@settings(deadline=None)
def test_whatever_is_seen_comes_back_bit_for_bit(run, rows, seconds, tmp_path_factory):
    landmarks, conditions = run
    path = tmp_path_factory.mktemp("trace") / "a.posture"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("posture.recording.writer.CHUNK_ROWS", rows)
        patch.setattr("posture.recording.writer.CHUNK_S", seconds)
        write(path, landmarks, conditions)
    found, found_conditions, note = read(path)
    assert_same(found, kept(landmarks))
    assert found_conditions == conditions
    assert note == ""
    assert_same(load_trace(path), found)


def test_a_recording_of_nothing_is_whole(tmp_path):
    landmarks, conditions, note = read(write(tmp_path / "a", Landmarks.empty()))
    assert (len(landmarks), conditions, note) == (0, [], "")
    assert len(load_trace(tmp_path / "a")) == 0


def test_rows_of_the_model_lose_nothing_that_a_pipeline_uses(tmp_path):
    for path in sorted(FIXTURES.glob("*.npz")):
        landmarks = load_trace(path)[:120]
        back, _, _ = read(write(tmp_path / path.name, landmarks))
        span = {"calibrate_span_s": (0.0, float(landmarks.t_s[30]))} if "slouch" in path.name else {}
        pipelines = Pipeline(Settings(), **span), Pipeline(Settings(), **span)
        assert repr(list(pipelines[0].run(landmarks))) == repr(list(pipelines[1].run(back)))


def test_what_differs_in_the_face_alone_is_no_repetition(tmp_path):
    row = UPRIGHT_SLOUCH[5:6]
    rows = [
        row,
        dataclasses.replace(row, face=row.face * 1.01),
        dataclasses.replace(row, face=row.face * np.nan),
    ]
    path = write(tmp_path / "a", concatenate(rows))
    assert_same(read(path)[0], kept(concatenate(rows)))
    with TraceReader(path) as reader:
        assert next(iter(reader)).is_own.all()


def test_a_recording_of_the_version_without_faces_gives_its_run_again(tmp_path):
    """`version_1.posture` was made by the program as it was: every third frame of the clip, up to 30 s."""
    path = FIXTURES / "version_1.posture"
    landmarks, _, note = read(path)
    assert note == ""
    assert np.isnan(landmarks.face).all()
    expected = dataclasses.replace(UPRIGHT_SLOUCH[0:120:3], face=landmarks.face)
    assert_same(landmarks, kept(expected))
    assert_same(load_trace(path), landmarks)
    events = [(event.kind, event.onset_s) for result in play(path) for event in result.events]
    assert EventKind.SLOUCH_STARTED in dict(events)
    again = write(tmp_path / "again.posture", landmarks)
    assert_same(read(again)[0], landmarks)


def test_a_repeated_row_costs_its_time_and_little_else(tmp_path):
    n = 2000
    moving = concatenate([UPRIGHT_SLOUCH] * 13)[:n]
    still = concatenate([UPRIGHT_SLOUCH[5:6]] * n)
    t_s = np.arange(n) * 0.5 + np.random.default_rng(0).normal(0, 0.01, n).cumsum() * 0.01
    sizes = [
        write(tmp_path / name, dataclasses.replace(rows, t_s=np.sort(t_s))).stat().st_size / n
        for name, rows in (("moving", moving), ("still", still))
    ]
    assert sizes[0] > 300
    assert sizes[1] < 30


def test_a_frame_that_the_pipeline_refuses_is_not_recorded(tmp_path):
    path = tmp_path / "a"
    with TraceWriter(path, make_header("x")) as writer:
        pipeline = RecordedPipeline(Settings(), None, writer)
        pipeline.step(no_person(5.0))
        with pytest.raises(ValueError, match=r"4"):
            pipeline.step(no_person(4.0))
        pipeline.step(no_person(6.0))
    assert read(path)[0].t_s.tolist() == [5.0, 6.0]


# -- damage ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A short recording with everything in it: its bytes and its rows."""
    path = tmp_path_factory.mktemp("small") / "a.posture"
    rows = concatenate([UPRIGHT_SLOUCH[:2], no_person(1.0, 0.2, 0.75), UPRIGHT_SLOUCH[6:8]])
    rows = dataclasses.replace(rows, t_s=np.array([0.0, 0.5, 6.0, 12.0, 12.5]))
    with TraceWriter(path, make_header("x")) as writer:
        for t in range(5):
            writer.add(rows[t : t + 1])
            if t == 2:
                writer.tell(Snooze(30.0))
                writer.tell(Rebase(baseline_of(1, 25)))
    return path.read_bytes(), kept(rows)


def test_a_file_cut_at_any_byte_is_used_as_far_as_it_is_whole(tmp_path, small):
    data, rows = small
    path = tmp_path / "cut.posture"
    path.write_bytes(data)
    assert read(path)[2] == ""
    counts, n_without_header = [], 0
    for n in reversed(range(len(data))):
        os.truncate(path, n)
        try:
            found, _, note = read(path)
        except TraceError as error:
            assert str(path) in str(error)
            assert "\n" not in str(error)
            n_without_header += 1
            continue
        assert n_without_header == 0, "the header is whole, the rest is used"
        assert note
        assert_same(found, rows[: len(found)])
        counts.append(len(found))
    assert counts == sorted(counts, reverse=True)
    assert set(counts) == {0, 2, 3, 5}
    assert n_without_header == len(members(data)[0])


def test_any_bit_that_flips_is_noticed_or_means_nothing(tmp_path, small):
    data, rows = small
    path = tmp_path / "flipped.posture"
    path.write_bytes(data)
    n_harmless = 0
    with path.open("r+b", buffering=0) as file:
        for n in range(len(data)):
            os.pwrite(file.fileno(), bytes([data[n] ^ 1 << n % 8]), n)
            try:
                found, _, note = read(path)
            except TraceError as error:
                assert "\n" not in str(error)
            else:
                assert_same(found, rows[: len(found)])
                assert note or len(found) == 5
                n_harmless += not note
            os.pwrite(file.fileno(), data[n : n + 1], n)
    # of a member's head the compression's level and the kind of computer, and the padding after its last bit
    assert n_harmless <= 3 * len(members(data))


def members(data):
    """Return the gzip members of a file."""
    parts = []
    while data:
        unpacker = zlib.decompressobj(31)
        unpacker.decompress(data)
        parts.append(data[: len(data) - len(unpacker.unused_data)])
        data = unpacker.unused_data
    return parts


REPEATED_ROW = bytes(8) + b"\1\0" + b"\0\0\0"  # time, flags, condition, and three bytes too many


def test_a_missing_exchanged_or_added_piece_is_noticed(tmp_path, small):
    header, *pieces, end = members(small[0])
    path = tmp_path / "a.posture"
    for wrong, n_rows in (
        ([header, *pieces[1:], end], 0),
        ([header, pieces[0], pieces[0], end], 2),
        ([header, *pieces, end, pieces[0]], 5),
        ([header, *pieces, header, *pieces, end], 5),
        ([header, *pieces, encode({"record": "end", "rows": 4})], 5),
        ([header, *pieces, encode({"record": "picture"}, b""), end], 5),
        ([header, *pieces, encode({"record": "snooze", "until_s": "x"}), end], 5),
        ([header, *pieces, encode({"record": "mute", "is_muted": 1}), end], 5),
        ([header, *pieces, encode({"record": "baseline", "baseline": {}}), end], 5),
        (
            [header, *pieces, encode({"record": "rows", "first": 5, "rows": 2, "bytes": 40}, bytes(40)), end],
            5,
        ),
        ([header, *pieces, encode({"record": "rows", "first": 5, "rows": 2, "bytes": 9}, bytes(9)), end], 5),
        ([header, *pieces, gzip.compress(b"[]\n", mtime=0), end], 5),
        ([header, *pieces, gzip.compress(bytes(MAX_MEMBER_BYTES + 1), mtime=0), end], 5),
        ([header, *pieces, end, b"\0" * 20], 5),
        ([header, *pieces, end, end], 5),
        ([header, *pieces, end, encode({"record": "snooze", "until_s": 1.0})], 5),
        (
            [
                header,
                *pieces,
                encode({"record": "rows", "first": 5, "rows": 1, "bytes": 13}, REPEATED_ROW),
                end,
            ],
            5,
        ),
    ):
        path.write_bytes(b"".join(wrong))
        landmarks, _, note = read(path)
        assert len(landmarks) == n_rows
        assert "damaged" in note, (n_rows, note)


def changed_header(data, **changes):
    """Return a file whose header says something else."""
    first, *rest = members(data)
    line = json.loads(gzip.decompress(first)) | changes
    return b"".join([encode(line), *rest])


BAD = {
    "missing": (lambda p, d: None, "cannot be read"),
    "a folder": (lambda p, d: p.mkdir(), "cannot be read"),
    "empty": (lambda p, d: p.write_bytes(b""), "not a landmark trace"),
    "text": (lambda p, d: p.write_text("t_s,x\n0,1\n"), "not a landmark trace"),
    "a zipped text": (lambda p, d: p.write_bytes(gzip.compress(b"hello\n", mtime=0)), "not a landmark trace"),
    "a bomb": (lambda p, d: p.write_bytes(changed_header(d, x="x" * (1 << 20))), "not a landmark trace"),
    "headless": (lambda p, d: p.write_bytes(b"".join(members(d)[1:])), "not a landmark trace"),
    "npz": (lambda p, d: p.write_bytes((FIXTURES / "dim.npz").read_bytes()), "an .npz trace"),
    "newer": (
        lambda p, d: p.write_bytes(changed_header(d, posture_trace=3)),
        "version 3.* reads versions up to 2",
    ),
    "other faces": (lambda p, d: p.write_bytes(changed_header(d, face=["x"])), "not a landmark trace"),
    "odd version": (lambda p, d: p.write_bytes(changed_header(d, posture_trace=None)), "version None"),
    "other points": (lambda p, d: p.write_bytes(changed_header(d, points=[1])), "not a landmark trace"),
    "no source": (lambda p, d: p.write_bytes(changed_header(d, source=3)), "not a landmark trace"),
    "conditions": (lambda p, d: p.write_bytes(changed_header(d, conditions=["x"])), "knows more conditions"),
    "baseline": (lambda p, d: p.write_bytes(changed_header(d, baseline={"a": 1})), "its baseline"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_clear_line(tmp_path, kind, small):
    path = tmp_path / "bad.posture"
    make_bad, text = BAD[kind]
    make_bad(path, small[0])
    with pytest.raises((TraceError, OSError), match=text) as caught:
        TraceReader(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_condition_that_an_older_program_did_not_have_is_no_hindrance(tmp_path, small):
    path = tmp_path / "old.posture"
    path.write_bytes(changed_header(small[0], conditions=[reason.value for reason in list(Reason)[:3]]))
    assert read(path)[2] == ""


# -- writing --------------------------------------------------------------------------------------------


def test_only_the_owner_may_read_it_and_nothing_is_overwritten(tmp_path):
    path = write(tmp_path / "new" / "a.posture", UPRIGHT_SLOUCH[:3])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        TraceWriter(path, make_header("x"))
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists already"):
        TraceWriter(tmp_path / "link", make_header("x"))
    assert path.read_bytes() == before
    with pytest.raises(OutputError, match="cannot write"):
        TraceWriter(path / "below", make_header("x"))


def test_what_may_not_be_read_or_written_is_one_line():
    with shared_folder() as folder:
        path = write(folder / "a.posture", UPRIGHT_SLOUCH[:3])
        path.chmod(0)
        with as_nobody():
            assert looks_recorded(path), "by its name"
            with pytest.raises(TraceError, match="Permission denied"):
                TraceReader(path)
            for wrong in (folder / "b.posture", folder / "new" / "b.posture"):
                with pytest.raises(OutputError, match="Permission denied"):
                    TraceWriter(wrong, make_header("x"))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.posture")
    assert not looks_recorded(tmp_path / "pipe.posture")


def test_in_a_folder_it_is_named_after_the_time(tmp_path):
    path = recording_path(tmp_path)
    assert path.parent == tmp_path
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.posture", path.name)
    assert recording_path(tmp_path / "a") == tmp_path / "a"


def test_rows_are_in_the_file_after_some_seconds_and_what_is_told_at_once(tmp_path):
    path = tmp_path / "a"
    writer = TraceWriter(path, make_header("x"))
    sizes = [path.stat().st_size]
    for t in range(25):
        writer.add(UPRIGHT_SLOUCH[t : t + 1])
        sizes.append(path.stat().st_size)
    assert np.flatnonzero(np.diff(sizes)).tolist() == [20]  # at 4 frames a second
    writer.tell(Snooze(9.0))
    landmarks, _, note = read(path)
    assert len(landmarks) == 25
    assert "no end after 25 frames, 6.0 s" in note
    writer.close()
    writer.close()
    assert read(path)[2] == ""


@pytest.mark.parametrize("room", [0, 1, 100, 300, 4000, 5000, 7000])
def test_a_full_disk_is_one_line_and_what_was_written_stays(tmp_path, monkeypatch, room):
    path = tmp_path / "a"
    real = os.write

    def write_some(file, data):
        left = room - os.fstat(file).st_size
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:left])  # short, as a real one may be

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(OutputError, match=r"No space left.*free space") as caught:
        write(path, concatenate([UPRIGHT_SLOUCH[:40]]))
    monkeypatch.undo()
    assert "\n" not in str(caught.value)
    if not path.exists():
        assert room < 1000
        return
    landmarks, _, note = read(path)
    assert_same(landmarks, kept(UPRIGHT_SLOUCH[: len(landmarks)]))
    assert "has no end" in note, "no half member is left"
    assert "what was recorded so far is kept" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("http://me:secret@cam.local:8080/video?token=secret#secret", "http://cam.local:8080/video"),
        ("rtsp://me:***@10.0.0.1/live", "rtsp://10.0.0.1/live"),
        ("/home/secret/clip.mp4", "clip.mp4"),
        ("camera 0", "camera 0"),
        ("http://[secret", "a stream"),
    ],
)
def test_a_source_is_named_without_what_is_private(source, told):
    assert make_header(source).source == told


def test_every_byte_of_a_file_is_accounted_for_and_none_is_a_picture(tmp_path):
    watch(tmp_path / "a", ORDERS["all at once"])
    data = (tmp_path / "a").read_bytes()
    known = {
        "header": {
            *("record", "posture_trace", "program", "source", "start_utc_ms", "utc_offset_s"),
            *("start_of_day_s", "rate_hz", "points", "world_points", "face", "conditions", "profile"),
            *("baseline", "settings"),
        },
        "rows": {"record", "first", "rows", "bytes"},
        "baseline": {"record", "baseline"},
        "snooze": {"record", "until_s"},
        "mute": {"record", "is_muted"},
        "end": {"record", "rows"},
    }
    kinds, has_faces = [], False
    for member in members(data):
        text, _, rest = gzip.decompress(member).partition(b"\n")
        line = json.loads(text)
        kinds.append(line["record"])
        assert set(line) == known[line["record"]]
        assert len(text) < 6000
        n = line["rows"] if line["record"] == "rows" else 0
        flags = np.frombuffer(rest[8 * n : 9 * n], np.uint8)
        n_own, n_shifts = int((flags & 1 == 0).sum()), int((flags & 4 > 0).sum())
        n_seen = int((flags & 3 == 2).sum())
        n_faces = int((flags & 9 == 8).sum())
        assert len(rest) == 10 * n + 16 * n_own + 24 * n_shifts + 448 * n_seen + 36 * n_faces
        has_faces |= n_faces > 0
    assert has_faces
    assert set(kinds) == set(known)
    assert (kinds[0], kinds[-1]) == ("header", "end")


def test_the_few_lines_of_the_documentation_read_it(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    watch(tmp_path / "day.posture", ORDERS["all at once"])
    names = {}
    exec(compile(code.replace("day.posture", str(tmp_path / "day.posture")), "docs", "exec"), names)
    landmarks, conditions, _ = read(tmp_path / "day.posture")
    np.testing.assert_array_equal(names["t_s"], landmarks.t_s)
    np.testing.assert_array_equal(names["xyzv"], landmarks.xyzv[:, POINTS].astype(np.float32))
    assert names["condition"] == [condition.value for condition in conditions]


# -- replaying ------------------------------------------------------------------------------------------


def test_an_npz_is_a_clip_too(tmp_path):
    with TraceSource(FIXTURES / "person_leaving.npz") as source:
        frames = list(source)
    landmarks = load_trace(FIXTURES / "person_leaving.npz")
    assert source.n_frames == len(frames) == len(landmarks)
    assert source.duration_s == landmarks.t_s[-1]
    assert all(isinstance(frame, SeenFrame) and frame.image_rgb is None for frame in frames)
    assert_same(concatenate([frame.landmarks for frame in frames]), landmarks)


def test_a_recording_is_read_piece_by_piece(tmp_path):
    path = write(tmp_path / "a", concatenate([UPRIGHT_SLOUCH] * 20))
    with TraceReader(path) as reader:
        sizes = [len(r.landmarks) for r in reader if not isinstance(r, End)]
    assert sum(sizes) == 20 * len(UPRIGHT_SLOUCH)
    assert max(sizes) <= records.CHUNK_ROWS


def test_closing_ends_the_frames_but_is_no_wish_to_stop():
    stop = threading.Event()
    source = TraceSource(FIXTURES / "person_leaving.npz", stop=stop)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []
    assert not stop.is_set()


def test_settings_come_back_and_what_is_asked_for_is_on_top():
    recorded = json.loads(json.dumps(make_header("x", settings=SETTINGS).settings))
    mine = Settings(alert=AlertSettings(sustain_s=99.0), judge=JudgeSettings(neck_deg=33.0))
    assert restore_settings(recorded, mine, "x") == (SETTINGS, ())
    found, _ = restore_settings(recorded, mine, "x", ["alert.sustain_s=7"])
    assert found.alert == AlertSettings(sustain_s=7.0, cooldown_s=10.0)
    strict, _ = restore_settings(recorded, mine, "x", ["preset=strict", "judge.neck_deg=5"])
    assert (strict.judge.neck_deg, strict.judge.thoracic_deg) == (5.0, 6.5)
    recorded["alert"]["wave"] = 3
    assert restore_settings(recorded, mine, "x") == (SETTINGS, ("alert.wave",))
    recorded["alert"]["sustain_s"] = -3
    with pytest.raises(SettingsError, match=r"x.*alert\.sustain_s"):
        restore_settings(recorded, mine, "x")


def test_settings_as_a_camera_that_is_let_go_has_them_come_back():
    class Live:
        is_live = True

    used = _spaced(load_settings(overrides=["camera.release_between_checks_s=90"]), Live())
    assert used.judge.max_gap_s > 90
    recorded = json.loads(json.dumps(make_header("x", settings=used).settings))
    assert restore_settings(recorded, Settings(), "x")[0].judge == used.judge


def test_rows_without_a_person_stay_so(tmp_path):
    rows = without_person(UPRIGHT_SLOUCH[:9], slice(3, 6))
    back, _, _ = read(write(tmp_path / "a", rows))
    assert np.isnan(back.xyzv[:, 0, 0]).tolist() == [False] * 3 + [True] * 3 + [False] * 3
