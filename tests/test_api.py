"""The Python interface: one call each for a clip, a recording, landmarks and a camera; tables and charts of them.

Claimed: a replay is the command's replay, whatever form its source has; what is found can be had as columns that data
frames take; what a notebook shows is escaped; charts go into the axes given; what is wrong is one line; a watch lets go
of its source.
"""

import csv
import dataclasses
import math
import shutil
import sys
import threading
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cli_helpers import FIXTURES, home_env
from cli_helpers import posture as command
from mjpeg_server import MjpegServer
from synthetic import without_person

import posture
from posture.live import LiveSource
from posture.recording.writer import RecordedPipeline, TraceWriter, make_header
from posture.settings import AlertSettings
from posture.sinks import TraceSink

FRONT = FIXTURES / "front_upright_slouch.npz"
EMPTY = FIXTURES / "empty_room.mp4"
TRACES = sorted(FIXTURES.glob("*_upright_slouch.npz"))
LANDMARKS = posture.load_trace(FRONT)
TEN_S = posture.make_settings({"alert.sustain_s": 10})


@pytest.fixture(scope="module")
def result():
    """A replay of somebody who sits upright, and then does not."""
    return posture.replay(FRONT, calibrate=(0, 6), settings=TEN_S)


@pytest.fixture(scope="module")
def baseline():
    return posture.fit_baseline(LANDMARKS[:24], TEN_S.judge)


@pytest.fixture
def pyplot():
    """Matplotlib's global figures, drawn to nowhere."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def same(columns, others):
    return columns.keys() == others.keys() and all(
        np.array_equal(columns[k], others[k], equal_nan=columns[k].dtype.kind == "f") for k in columns
    )


def test_a_replay_is_the_command_s_replay(result, tmp_path):
    trace = tmp_path / "t.csv"
    command(
        *("replay", FRONT, "--calibrate", "0:6", "--set", "alert.sustain_s=10", "--trace", trace),
        env=home_env(tmp_path / "home"),
    )
    with trace.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = result.columns()
    assert tuple(columns)[: len(TraceSink.COLUMNS)] == TraceSink.COLUMNS
    assert len(rows) == len(result) == len(columns["t_s"])
    for name in TraceSink.COLUMNS:
        told = [row[name] for row in rows]
        if columns[name].dtype.kind == "U":
            assert told == columns[name].tolist()
        else:
            numbers = np.array([float(cell) if cell else np.nan for cell in told])
            np.testing.assert_allclose(numbers, columns[name], atol=6e-4)
    assert [e.kind for e in result.events].count("alert") == len(result.alerts) == 1


def test_a_trace_its_landmarks_and_a_text_for_its_name_are_the_same_replay(result):
    for source in (LANDMARKS, str(FRONT)):
        again = posture.replay(source, calibrate=(0, 6), settings=TEN_S)
        assert same(again.columns(), result.columns())
        assert again.events == result.events


def test_a_baseline_may_be_given_as_its_file(result, baseline, tmp_path):
    file = tmp_path / "me.json"
    posture.save_baseline(str(file), baseline)
    by_file = posture.replay(LANDMARKS, baseline=str(file), settings=TEN_S)
    assert same(by_file.columns(), posture.replay(LANDMARKS, baseline=baseline, settings=TEN_S).columns())
    assert by_file.notes == ()


def test_without_an_upright_the_first_seconds_are_taken_and_it_says_so(result):
    told = posture.replay(LANDMARKS, settings=posture.make_settings({"calibration.seconds": 6}))
    assert told.notes == ("no baseline given: the first 6 s are taken as upright",)
    assert np.array_equal(told.baseline.cue_centre, result.baseline.cue_centre)
    assert result.notes == ()


def test_a_recording_is_judged_as_it_was_unless_told_otherwise(baseline, tmp_path):
    path = tmp_path / "day.posture"
    header = make_header("somewhere", settings=TEN_S, baseline=baseline, profile="me", start_of_day_s=None)
    with TraceWriter(path, header) as writer:
        pipeline = RecordedPipeline(TEN_S, baseline, writer, start_of_day_s=None)
        run = []
        for i in range(len(LANDMARKS)):
            if i == 150:
                pipeline.use_baseline(posture.fit_baseline(LANDMARKS[80:120], TEN_S.judge))
            run.append(pipeline.step(LANDMARKS[i : i + 1]))
    again = posture.replay(path)
    assert same(again.columns(), posture.step_columns(run))
    assert again.settings.alert.sustain_s == 10
    assert again.notes == ()
    other = posture.replay(path, settings=posture.make_settings({"alert.sustain_s": 60}))
    assert again.alerts and not other.alerts
    spanned = posture.replay(path, calibrate=(0, 6))
    assert spanned.steps[0].reason is posture.Reason.NOT_CALIBRATED
    np.testing.assert_allclose(spanned.baseline.cue_centre, baseline.cue_centre, atol=1e-6)
    assert not np.allclose(again.baseline.cue_centre, baseline.cue_centre, atol=1e-3), "another one since 150"


def test_every_step_is_handed_on_as_it_comes(result):
    seen = []
    posture.replay(LANDMARKS, calibrate=(0, 6), settings=TEN_S, on_step=seen.append)
    assert same(posture.step_columns(seen), result.columns())


@pytest.mark.parametrize("name", ["columns", "event_columns", "bout_columns"])
def test_columns_make_data_frames(result, name):
    columns = getattr(result, name)()
    assert len({len(values) for values in columns.values()}) == 1
    frame, other, table = pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns)
    assert list(frame) == other.columns == table.column_names == list(columns)
    for key, values in columns.items():
        assert values.dtype.kind in "Ufi", key
        for told in (frame[key].to_numpy(), other[key].to_numpy(), table[key].to_numpy()):
            assert repr(told.tolist()) == repr(values.tolist())


def test_nothing_makes_empty_columns_of_the_same_kinds(result):
    empty = posture.replay(posture.Landmarks.empty(), baseline=result.baseline)
    for name in ("columns", "event_columns", "bout_columns"):
        none, some = getattr(empty, name)(), getattr(result, name)()
        assert [(key, v.dtype.kind, len(v)) for key, v in none.items()] == [
            (key, v.dtype.kind, 0) for key, v in some.items()
        ]
    assert "frames" in empty._repr_html_()
    assert empty.summary.bouts == empty.bouts == ()


class Tags(HTMLParser):
    """The tags and the text of a piece of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_what_a_notebook_shows_is_escaped_and_says_what_happened(result):
    name, note = "<script>alert('x')</script> & \"co\"", "</td><img src=x>"
    page = dataclasses.replace(result, source=name, notes=(note,))._repr_html_()
    seen = Tags(page)
    assert not seen.tags & {"script", "img"}
    assert name in seen.text
    assert note in seen.text
    for words in ("slouching", "upright", "calibrating", "front"):
        assert words in seen.text
    assert repr(result) == "<ReplayResult of 'front_upright_slouch.npz': 160 frames, alerts: 1>"


def test_charts_go_into_the_axes_given(result, pyplot):
    columns = result.columns()
    figure, axes = pyplot.subplots(3)
    plots = (posture.plot_deviations, posture.plot_slouch_ratio, posture.plot_states)
    for plot, ax in zip(plots, axes, strict=True):
        assert plot(result, ax) is ax
    assert pyplot.get_fignums() == [figure.number]
    lines = {line.get_label(): line for line in axes[0].get_lines()}
    judged = columns["reason"] == ""
    np.testing.assert_array_equal(
        lines["neck"].get_ydata(), np.where(judged, columns["neck_deviation_deg"], np.nan)
    )
    limit = f"neck limit {result.thresholds.neck_deg:.0f}°"
    assert set(lines[limit].get_ydata()) == {result.thresholds.neck_deg}
    np.testing.assert_array_equal(axes[1].get_lines()[0].get_ydata(), columns["slouch_ratio"])
    assert "alert" in [text.get_text() for text in axes[0].texts]
    assert "slouching" in [text.get_text() for text in axes[2].texts]


def test_what_was_not_judged_is_a_gap_in_a_chart(result, pyplot):
    dark = dataclasses.replace(result.steps[100], reason=posture.Reason.TOO_DARK)
    seen = dataclasses.replace(result, steps=(*result.steps[:100], dark, *result.steps[101:]))
    neck = posture.plot_deviations(seen).get_lines()[0].get_ydata()
    assert np.isnan(neck[100])
    assert not np.isnan(neck[[99, 101]]).any()


def test_a_chart_makes_its_own_figure_and_changes_no_style(result, pyplot):
    before = dict(matplotlib.rcParams)
    for plot in (posture.plot_deviations, posture.plot_slouch_ratio, posture.plot_states):
        assert plot(result).figure.number in pyplot.get_fignums()
    assert len(posture.plot_replay(result).axes) == 3
    assert len(pyplot.get_fignums()) == 4
    given = matplotlib.figure.Figure()
    assert posture.plot_replay(result, given) is given
    assert dict(matplotlib.rcParams) == before


def test_a_chart_of_nothing_is_an_empty_chart(result, pyplot):
    empty = posture.replay(posture.Landmarks.empty(), baseline=result.baseline)
    for plot in (
        posture.plot_deviations,
        posture.plot_slouch_ratio,
        posture.plot_states,
        posture.plot_replay,
    ):
        plot(empty)


def test_a_chart_without_matplotlib_is_one_line(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(posture.OutputError, match="pip install matplotlib"):
        posture.plot_states(result)


def test_mediapipe_s_own_landmarks_are_read_as_they_are(result):
    shape = [1.0, 0.75, 1.0, 1.0]  # 640 x 480
    points = LANDMARKS.xyzv / shape
    given = points.copy()
    mine = posture.landmarks_from_mediapipe(
        LANDMARKS.t_s,
        points,
        width_px=640,
        height_px=480,
        world_m=LANDMARKS.world_m,
        luminance=LANDMARKS.luminance,
    )
    np.testing.assert_allclose(mine.xyzv, LANDMARKS.xyzv, rtol=1e-12)
    np.testing.assert_array_equal(mine.height_ratio, LANDMARKS.height_ratio)
    again = posture.replay(mine, calibrate=(0, 6), settings=TEN_S)
    assert [e.kind for e in again.events] == [e.kind for e in result.events]
    np.testing.assert_array_equal(points, given, "what was given is left alone")
    mine.xyzv[:] = 0.0
    mine.world_m[:] = 0.0
    np.testing.assert_array_equal(points, given, "and shares no memory")


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.stem)
def test_without_world_landmarks_the_deviations_are_nearly_the_same(trace):
    whole = posture.load_trace(trace)
    whole = dataclasses.replace(
        whole, face=np.full_like(whole.face, np.nan)
    )  # points alone have no face either
    bare = posture.landmarks_from_mediapipe(
        whole.t_s, whole.xyzv / [1.0, 0.75, 1.0, 1.0], width_px=640, height_px=480
    )
    results = [posture.replay(seen, calibrate=(0, 6)) for seen in (whole, bare)]
    columns = [result.columns() for result in results]
    for name in ("neck_deviation_deg", "thoracic_deviation_deg"):
        assert np.nanmean(np.abs(columns[0][name] - columns[1][name])) < 1.6
    assert np.mean(columns[0]["state"] == columns[1]["state"]) > 0.95


def test_a_row_without_a_person_and_one_without_a_picture_are_told_apart():
    points = np.full((2, 33, 4), np.nan)
    seen = posture.landmarks_from_mediapipe(
        [0.0, 1.0], points, width_px=4, height_px=3, luminance=[0.5, np.nan]
    )
    pipeline = posture.Pipeline(posture.Settings())
    assert [step.reason for step in pipeline.run(seen)] == [
        posture.Reason.NO_PERSON,
        posture.Reason.NO_PICTURE,
    ]


def test_a_deviation_from_itself_is_0_and_has_an_error(baseline):
    deviation = posture.measure_deviation(LANDMARKS, baseline)
    neck = deviation[posture.Measure.NECK_DEG]
    assert neck.shape == (len(LANDMARKS),)
    assert abs(np.median(neck[:24])) < 0.5
    assert np.all(deviation.standard_error[:24] > 0.0)
    assert np.isnan(posture.measure_deviation(without_person(LANDMARKS, slice(None)), baseline).values).all()


def test_settings_are_checked_whoever_makes_them():
    made = posture.make_settings(
        {"alert.sustain_s": np.int64(30), "judge.neck_deg": np.float64(12)}, preset="strict"
    )
    given = posture.load_settings("/dev/null", ["preset=strict", "alert.sustain_s=30", "judge.neck_deg=12"])
    assert made == given
    assert posture.make_settings() == posture.Settings()
    by_hand = posture.Settings(alert=AlertSettings(sustain_s=-1.0))
    for use in (
        lambda: posture.replay(LANDMARKS, calibrate=(0, 6), settings=by_hand),
        lambda: posture.watch(posture.demo_clip(), "nobody.json", settings=by_hand),
        lambda: posture.calibrate(posture.demo_clip(), settings=by_hand),
        lambda: posture.detect_landmarks(posture.demo_clip(), settings=by_hand),
    ):
        with pytest.raises(posture.SettingsError, match=r"alert\.sustain_s"):
            use()


NOT_LANDMARKS = np.zeros((2, 33, 3))
WRONG = {
    "a clip that is not there": (lambda: posture.replay("gone.mp4"), posture.SourceError, "gone.mp4"),
    "a camera to replay": (
        lambda: posture.replay("rtsp://me:secret@127.0.0.1:1/"),
        posture.SourceError,
        r"rtsp://me:\*\*\*@127.*posture\.watch",
    ),
    "both uprights": (
        lambda: posture.replay(LANDMARKS, calibrate=(0, 6), baseline="me.json"),
        posture.CalibrationError,
        "not both",
    ),
    "a span that ends first": (
        lambda: posture.replay(LANDMARKS, calibrate=(6, 0)),
        posture.CalibrationError,
        r"\(6, 0\)",
    ),
    "a span that is no number": (
        lambda: posture.replay(LANDMARKS, calibrate=(0, math.nan)),
        posture.CalibrationError,
        "nan",
    ),
    "a span beyond the end": (
        lambda: posture.replay(LANDMARKS, calibrate=(0, 600)),
        posture.CalibrationError,
        "frames end at 39.8 s",
    ),
    "an empty room": (
        lambda: posture.calibrate(EMPTY, seconds=3),
        posture.CalibrationError,
        "nobody in view",
    ),
    "no time": (lambda: posture.calibrate(EMPTY, seconds=0), posture.CalibrationError, "seconds is 0"),
    "no baseline": (lambda: posture.watch(EMPTY, None), posture.CalibrationError, "NoneType"),
    "a baseline that is not there": (
        lambda: posture.watch(EMPTY, "gone.json"),
        posture.ProfileError,
        "gone.json",
    ),
    "a recording to watch": (lambda: posture.calibrate(FRONT), posture.SourceError, "posture.replay"),
    "an unknown setting": (
        lambda: posture.make_settings({"alert.sustain": 1}),
        posture.SettingsError,
        "mean alert.sustain_s",
    ),
    "a setting out of range": (
        lambda: posture.make_settings({"judge.neck_deg": 0}),
        posture.SettingsError,
        r"judge\.neck_deg.*3 <= value",
    ),
    "an unknown preset": (lambda: posture.make_settings(preset="hard"), posture.SettingsError, "hard"),
    "landmarks without visibility": (
        lambda: posture.landmarks_from_mediapipe([0, 1], NOT_LANDMARKS, width_px=4, height_px=3),
        posture.ShapeError,
        r"\(2, 33, 3\), expected \(T, 33, 4\)",
    ),
    "landmarks and times of other lengths": (
        lambda: posture.landmarks_from_mediapipe([0], np.zeros((2, 33, 4)), width_px=4, height_px=3),
        posture.ShapeError,
        r"\(2, 33, 4\), expected \(1,",
    ),
    "ragged landmarks": (
        lambda: posture.landmarks_from_mediapipe([0], [[1, 2], [3]], width_px=4, height_px=3),
        posture.ShapeError,
        "points is not an array",
    ),
    "a picture without a size": (
        lambda: posture.landmarks_from_mediapipe([0], np.zeros((1, 33, 4)), width_px=0, height_px=3),
        posture.ShapeError,
        "0 x 3",
    ),
    "time that goes back": (
        lambda: posture.replay(LANDMARKS[::-1], baseline=posture.fit_baseline(LANDMARKS[:24], TEN_S.judge)),
        posture.TimestampError,
        "backwards",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    use, error, words = WRONG[case]
    with pytest.raises(error, match=words) as caught:
        use()
    assert isinstance(caught.value, posture.PostureError)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


LABELLED = FIXTURES / "s202_laptop.npz"


def test_an_evaluation_is_a_row_of_figures_for_every_clip(tmp_path):
    shutil.copy(FRONT, tmp_path / "bare.npz")
    (tmp_path / "bare.npz.labels.toml").write_text("format = 2\n")
    told = []
    done = posture.evaluate([LABELLED, str(tmp_path)], on_progress=lambda i, share: told.append((i, share)))
    columns = done.columns()
    assert columns["clip"].tolist() == list(done.by_clip) == ["s202_laptop.npz"]
    assert columns["neck_mae_deg"][0] == done.figures.neck.mae_deg < 8.0
    assert columns["recall_low"][0] == done.figures.recall.low
    assert {len(values) for values in columns.values()} == {1}
    assert len(pd.DataFrame(columns)) == 1
    assert list(done.by_camera) == ["laptop"] and list(done.by_person) == ["s202"]
    (problem,) = done.failures.values()
    assert "bare.npz" in problem
    assert told[-1] == (0, 1.0)
    assert repr(done).startswith("<EvaluationResult: 1 clips, 0 false alerts")


def test_an_evaluation_uses_the_settings_and_the_baseline_given(baseline, tmp_path):
    path = tmp_path / "day.posture"
    header = make_header("somewhere", settings=TEN_S, baseline=baseline, profile="me", start_of_day_s=None)
    with TraceWriter(path, header) as writer:
        pipeline = RecordedPipeline(TEN_S, baseline, writer, start_of_day_s=None)
        for i in range(len(LANDMARKS)):
            pipeline.step(LANDMARKS[i : i + 1])
    slouch = '[[intervals]]\nstart_s = 13\nend_s = 36\nstate = "slouching"\nalert = "must"\n'
    path.with_name("day.posture.labels.toml").write_text(f"format = 1\n\n{slouch}")
    assert posture.evaluate(path).figures.n_met == 1, "by the settings it was made with"
    late = posture.make_settings({"alert.sustain_s": 60})
    assert posture.evaluate(path, settings=late).figures.n_met == 0
    elsewhere = posture.fit_baseline(LANDMARKS[80:120], TEN_S.judge)
    assert posture.evaluate(path, baseline=elsewhere).figures.n_met == 0


def test_nothing_to_evaluate_is_one_line(tmp_path):
    for paths, words in ((tmp_path, "no labelled clip"), ([], "no labelled clip"), ("gone.npz", "gone.npz")):
        with pytest.raises(posture.EvaluationError, match=words):
            posture.evaluate(paths)


def test_a_watch_follows_a_camera_and_lets_it_go(baseline, actor):
    with MjpegServer() as server:
        taken = posture.calibrate(server.url, seconds=3, countdown_s=0)
        assert taken.created_utc
        with posture.watch(server.url, taken) as steps:
            seen = []
            for step in steps:
                seen.append(step)
                if step.state is posture.SlouchState.UPRIGHT:
                    break
        assert seen[-1].reason is posture.Reason.NONE
        assert abs(seen[-1].neck_deviation_deg) < 5.0
        source = steps._source
        assert isinstance(source, LiveSource)
        source._thread.join(10)
        assert not source._thread.is_alive()
        with pytest.raises(posture.SourceError, match="watched already"):
            iter(steps)


def test_a_watch_of_a_clip_is_its_replay_and_can_be_ended_from_outside(baseline):
    clip = FIXTURES / "empty_room.mp4"
    replayed = posture.replay(clip, baseline=baseline)
    assert same(posture.step_columns(posture.watch(clip, baseline)), replayed.columns())
    watched = posture.watch(clip, baseline)
    seen = []
    for step in watched:
        seen.append(step)
        thread = threading.Thread(target=watched.stop)
        thread.start()
        thread.join()
    assert len(seen) == 1
    assert watched.name == "empty_room.mp4"
    assert watched.notes == ()
    left = posture.watch(clip, baseline)
    for _ in left:
        break
    assert left._stop.is_set(), "also by a loop that is left without a with block"


def test_a_camera_that_is_not_there_is_said_by_the_first_step(baseline):
    with (
        posture.watch("http://127.0.0.1:9/none", baseline) as steps,
        pytest.raises(posture.SourceError, match="127"),
    ):
        next(iter(steps))
