"""Baselines kept by name: exact, private, whole or not at all, and refused in one line when damaged."""

import json
import math
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import fails, front_baseline, home_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posture import files
from posture.angles import N_PLACE
from posture.baseline import Baseline
from posture.cues import N_CUES
from posture.deviation import Measure
from posture.errors import OutputError, ProfileError
from posture.profiles import age_text, load_baseline, profile_path, save_baseline

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SPREAD = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


@st.composite
def baselines(draw):
    def vector(kind, n):
        return np.array(draw(st.lists(kind, min_size=n, max_size=n)))

    return Baseline(
        cue_centre=vector(FINITE, N_CUES),
        cue_spread=vector(SPREAD, N_CUES),
        place_centre=vector(FINITE, N_PLACE),
        deviation_spread=vector(SPREAD, len(Measure)),
        luminance=draw(st.floats(0, 1)),
        n_frames=draw(st.integers(1, 10_000)),
        duration_s=draw(st.floats(0, 1e6)),
        created_utc=draw(st.sampled_from(["", "2026-01-02T03:04:05+00:00"])),
    )


def simple(created_utc: str = "") -> Baseline:
    ones = np.ones(N_CUES)
    return Baseline(ones, ones, np.ones(N_PLACE), np.ones(len(Measure)), 0.5, 32, 8.0, created_utc)


@given(baselines())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_is_loaded_is_what_was_saved(tmp_path, baseline):
    path = tmp_path / "b.json"
    save_baseline(path, baseline)
    loaded = load_baseline(path)
    for name in ("cue_centre", "cue_spread", "place_centre", "deviation_spread"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(baseline, name))
    for name in ("luminance", "n_frames", "duration_s", "created_utc"):
        assert getattr(loaded, name) == getattr(baseline, name)


def test_only_the_owner_can_read_it(tmp_path):
    path = tmp_path / "data" / "profiles" / "b.json"
    save_baseline(path, simple())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    save_baseline(path, simple())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("broken", ["write", "fsync", "replace"])
def test_a_failing_write_leaves_the_old_one_and_no_litter(tmp_path, monkeypatch, broken):
    path = tmp_path / "b.json"
    save_baseline(path, simple("2026-01-02T03:04:05+00:00"))
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    where = {"write": (os, "fdopen"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[broken]
    with monkeypatch.context() as patch:
        patch.setattr(*where, fail)
        with pytest.raises(OutputError, match=r"b\.json: No space left on device"):
            save_baseline(path, simple())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_in_the_middle_is_not_seen_by_a_reader(tmp_path, monkeypatch):
    path = tmp_path / "b.json"
    save_baseline(path, simple())
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(files.os, "fsync", lambda fd: (seen.append(load_baseline(path).n_frames), fsync(fd)))
    save_baseline(path, simple())
    assert seen == [32]


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "",
        "a/b",
        "a\\b",
        ".",
        "..",
        ".hidden",
        "x" * 49,
        "a\nb",
        "a\0b",
        "ä",
        "-rf",
        " ",
        "/etc/passwd",
        "~",
    ],
)
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ProfileError, match="profile name"):
        profile_path(name)


@pytest.mark.parametrize("name", ["default", "Sitting at home", "standing_2", "x" * 48])
def test_an_ordinary_name_stays_inside_the_folder(name):
    assert profile_path(name).parent == profile_path("default").parent


def damaged(change) -> bytes:
    """A good file of the program's own, changed."""
    content = json.loads(front_baseline().read_bytes())
    change(content)
    return json.dumps(content).encode()


DAMAGE = {
    "empty": lambda: b"",
    "binary": lambda: b"\x89PNG\r\n\x1a\n\0\xff",
    "truncated": lambda: front_baseline().read_bytes()[:200],
    "list": lambda: b"[1, 2]",
    "number": lambda: b"3",
    "deep": lambda: b'{"a":' * 100_000,
    "foreign": lambda: b'{"name": "another program", "version": 1}',
    "other version": lambda: damaged(lambda c: c.update(posture_baseline=99)),
    "version as text": lambda: damaged(lambda c: c.update(posture_baseline="1")),
    "NaN": lambda: damaged(lambda c: c["cues"]["neck_y"].update(centre=math.nan)),
    "null": lambda: damaged(lambda c: c["cues"]["neck_y"].update(centre=None)),
    "huge": lambda: damaged(lambda c: c["cues"]["neck_y"].update(centre=0)).replace(
        b'"centre": 0', b'"centre": 1e999'
    ),
    "negative spread": lambda: damaged(lambda c: c["cues"]["neck_y"].update(spread=-1)),
    "negative noise": lambda: damaged(lambda c: c["deviation_spread"].update(neck_deg=-1)),
    "missing quantity": lambda: damaged(lambda c: c["cues"].pop("neck_y")),
    "missing measure": lambda: damaged(lambda c: c["deviation_spread"].clear()),
    "extra key": lambda: damaged(lambda c: c.update(extra=1)),
    "no frames": lambda: damaged(lambda c: c.update(n_frames=0)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_one_line_with_what_to_do(tmp_path, kind):
    path = tmp_path / "b.json"
    path.write_bytes(DAMAGE[kind]())
    with pytest.raises(ProfileError) as caught:
        load_baseline(path)
    assert str(path) in str(caught.value)
    assert "posture calibrate" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_line_says_the_same(tmp_path):
    path = tmp_path / "b.json"
    path.write_bytes(DAMAGE["foreign"]())
    told = fails("run", "--source", "x.mp4", "--baseline", path, env=home_env(tmp_path / "home"))
    assert str(path) in told


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "made just now"),
        (0.5, "made within the hour"),
        (5, "5 h old"),
        (49, "2 days old"),
        (240, "10 days old"),
    ],
)
def test_the_age_is_told_in_words(hours, text):
    created = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="seconds")
    assert age_text(simple(created)) == text
    assert age_text(simple(created.removesuffix("+00:00"))) == text


@pytest.mark.parametrize("created", ["", "yesterday", "2026-99-99"])
def test_an_age_nobody_knows_is_said_to_be_unknown(created):
    assert age_text(simple(created)) == "of unknown age"
