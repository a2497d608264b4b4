"""What is tried: every combination that was asked for, the settings in force first, and nothing that cannot be.

Claimed: spans and lists mean what they say; a combination is what `--set` would give; bad sweeps are one line that
names what is wrong, also those too many to be counted out; what is written makes the settings those that were tried.
"""

import pytest

from posture.config import load_settings
from posture.config_edit import store_values
from posture.errors import OutputError, OverrideError
from posture.tuning.sweep import DEFAULT_SWEEPS, MAX_SETTINGS, make_sweep


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Return the configuration file of a fresh user; it is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "posture" / "config.toml"


def values(sweep):
    return [sweep.values(candidate) for candidate in sweep.candidates]


def test_a_span_has_both_ends_and_plain_numbers():
    sweep = make_sweep(["judge.neck_deg=6:7:0.1"])
    assert values(sweep) == [("10",), *((f"{6 + i / 10:g}",) for i in range(11))]
    assert sweep.candidates[4].judge.neck_deg == 6.3
    assert values(make_sweep(["judge.neck_deg=6:9:2"]))[1:] == [("6",), ("8",)]


def test_every_combination_is_tried_once_and_the_settings_in_force_come_first():
    sweep = make_sweep(["judge.neck_deg=8,10,8.0", "alert.sustain_s=30,60"], ["alert.cooldown_s=10"])
    assert values(sweep) == [("10", "60"), ("8", "30"), ("8", "60"), ("10", "30")]
    assert all(candidate.alert.cooldown_s == 10.0 for candidate in sweep.candidates)


@pytest.mark.parametrize(
    ("sweeps", "overrides"),
    [
        (["preset=gentle,strict", "judge.neck_deg=9,11"], []),
        (["judge.neck_deg=9,11", "preset=gentle,strict"], ["judge.sink_ratio=0.1"]),
        (["alert.max_per_hour=1:3:1"], ["preset=strict"]),
    ],
)
def test_a_combination_is_what_set_gives(sweeps, overrides):
    sweep = make_sweep(sweeps, overrides)
    assert len(sweep.candidates) > 2
    for candidate in sweep.candidates:
        changes = [f"{key}={value}" for key, value in candidate.changes]
        expected = load_settings(overrides=[*overrides, *changes])
        assert (candidate.judge, candidate.alert) == (expected.judge, expected.alert)


def test_thresholds_are_scaled_together_after_everything_else():
    sweep = make_sweep(["thresholds=0.5,1.1", "preset=strict"])
    half, more = (candidate.judge for candidate in sweep.candidates[1:])
    assert (half.neck_deg, half.thoracic_deg, half.flexion_deg, half.sink_ratio) == (4.0, 3.25, 7.0, 0.02)
    assert more.neck_deg == 8.8
    assert sweep.n_out_of_range == 0
    low = make_sweep(["thresholds=0.2,1,2"])
    assert (len(low.candidates), low.n_out_of_range) == (2, 1), "1 is as it is, and 0.2 may not be"


def test_the_default_is_of_a_size_that_is_quick():
    assert 150 <= len(make_sweep([]).candidates) <= 250
    assert make_sweep([]).candidates == make_sweep(DEFAULT_SWEEPS).candidates


@pytest.mark.parametrize(
    ("sweeps", "said"),
    [
        (["judge.nek_deg=6:16:2"], "did you mean judge.neck_deg?"),
        (["camera.rate_hz=1,2"], "camera.rate_hz cannot be swept"),
        (["alert.quiet_hours=1"], "alert.quiet_hours cannot be swept"),
        (["judge.neck_deg"], "expected KEY=A:B:STEP"),
        (["judge.neck_deg=1,8"], "--sweep judge.neck_deg=1: judge.neck_deg: expected a number >= 3.0"),
        (["judge.neck_deg=50:70:10"], "--sweep judge.neck_deg=70: judge.neck_deg: expected a number <= 60.0"),
        (["alert.max_per_hour=1.5"], "expected a whole number"),
        (["judge.neck_deg=a,b"], "expected a number, got text"),
        (["judge.neck_deg=6,,8"], "an empty value"),
        (["judge.neck_deg=16:6:2"], "from low to high"),
        (["judge.neck_deg=6:16:0"], "from low to high"),
        (["judge.neck_deg=6:16:-2"], "from low to high"),
        (["judge.neck_deg=6:inf:1"], "from low to high"),
        (["judge.neck_deg=6:16"], "from low to high"),
        (["thresholds=zero"], "not a positive number"),
        (["thresholds=-1,1"], "not a positive number"),
        (["preset=gentle,mild"], "--sweep preset=mild"),
        (["judge.neck_deg=6", "judge.neck_deg=8"], "swept twice"),
        (["judge.neck_deg=3:60:0.057", "alert.sustain_s=1:1000:1"], "combinations, at most 10,000"),
        (["judge.neck_deg=3:60:1e-30"], "combinations, at most 10,000"),
    ],
)
def test_a_bad_sweep_is_one_line_that_names_it(sweeps, said):
    with pytest.raises(OverrideError) as caught:
        make_sweep(sweeps)
    assert said in str(caught.value)
    assert str(caught.value).startswith("--sweep")
    assert "\n" not in str(caught.value)
    assert MAX_SETTINGS == 10_000


@pytest.mark.parametrize(
    "before",
    [None, "", '# mine\npreset = "gentle" # calm\n\n[judge]\n# neck_deg = 10.0\nneck_deg = 9 # was 10\n'],
)
@pytest.mark.parametrize(
    "sweeps",
    [["thresholds=0.8", "alert.sustain_s=45"], ["preset=strict"], ["preset=strict", "judge.neck_deg=9"]],
)
def test_what_is_written_makes_the_settings_those_that_were_tried(home, before, sweeps):
    if before is not None:
        home.parent.mkdir(parents=True)
        home.write_text(before, "utf-8")
    sweep = make_sweep(sweeps)
    for candidate in sweep.candidates[1:]:
        store_values(home, candidate.written(sweep.current), "a new file")
        settings = load_settings()
        assert (settings.judge, settings.alert, settings.preset) == (
            candidate.judge,
            candidate.alert,
            candidate.preset,
        )
    text = home.read_text("utf-8")
    assert (text.startswith("# a new file")) == (before is None)
    if before:
        assert "# mine" in text
        assert "# was 10" in text
        assert "# calm" in text


def test_a_file_that_is_not_toml_is_left_as_it_is(home):
    home.parent.mkdir(parents=True)
    for content in (b"[judge\n", b"\xff\xfe"):
        home.write_bytes(content)
        with pytest.raises(OutputError, match="not a TOML file"):
            store_values(home, {"judge.neck_deg": 9.0})
        assert home.read_bytes() == content
