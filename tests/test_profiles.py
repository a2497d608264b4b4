"""Baselines kept by name: exact, private, whole or not at all, and refused in one line when damaged."""

import dataclasses
import json
import math
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import FIXTURES, FRONT, fails, front_baseline, home_env, posture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unprivileged import as_nobody, shared_folder

from posture import baseline as baseline_module
from posture import files, profile_json
from posture.angles import N_PLACE
from posture.baseline import Baseline
from posture.calibration import CalibrationQuality
from posture.cues import CUE_NAMES, N_CUES, N_POSE_CUES
from posture.deviation import Measure
from posture.errors import OutputError, ProfileError
from posture.history.rows import BoutRow, SessionRow
from posture.history.store import History
from posture.profile_folder import delete_profile, profile_names, rename_profile
from posture.profile_json import Profile
from posture.profiles import age_text, load_baseline, profile_path, read_profile, save_baseline, save_profile
from posture.receipt import Drift
from posture.slouch import Reason, SlouchState

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
        slouch_centre=draw(st.none() | st.just(vector(FINITE, len(Measure)))),
    )


MAYBE = FINITE | st.just(math.nan)
PROFILES = st.builds(
    Profile,
    baselines(),
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.none()
    | st.builds(
        CalibrationQuality,
        st.integers(0, 99),
        st.integers(0, 99),
        MAYBE,
        MAYBE,
        st.just(math.nan),
        st.just(()),
    ),
    st.none() | st.builds(Drift, MAYBE, MAYBE, MAYBE, st.sampled_from(["", "2026-01-02T03:04:05+00:00"])),
)


def simple(created_utc: str = "") -> Baseline:
    ones = np.ones(N_CUES)
    return Baseline(ones, ones, np.ones(N_PLACE), np.ones(len(Measure)), 0.5, 32, 8.0, created_utc)


@given(PROFILES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_is_loaded_is_what_was_saved(tmp_path, profile):
    path = tmp_path / "b.json"
    save_profile(path, profile)
    read = read_profile(path)
    baseline, loaded = profile.baseline, read.baseline
    assert read.camera == profile.camera
    assert repr(read.drift) == repr(profile.drift)
    assert (read.quality is None) == (profile.quality is None)
    if read.quality is not None:
        assert repr(read.quality.sway_ratio) == repr(profile.quality.sway_ratio)
        assert read.quality.n_used == profile.quality.n_used
    assert (loaded.slouch_centre is None) == (baseline.slouch_centre is None)
    for name in ("cue_centre", "cue_spread", "place_centre", "deviation_spread", "slouch_centre"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(baseline, name))
    for name in ("luminance", "n_frames", "duration_s", "created_utc"):
        assert getattr(loaded, name) == getattr(baseline, name)


@pytest.fixture
def two_face_cues(monkeypatch):
    """Let there be two cues that need a face, whatever the estimator of now uses."""
    monkeypatch.setattr(profile_json, "CUE_NAMES", (*CUE_NAMES[:N_POSE_CUES], "face_one", "face_two"))
    monkeypatch.setattr(baseline_module, "N_CUES", N_POSE_CUES + 2)


def with_cues(values, luminance=0.5):
    cues = np.array(values, dtype=np.float64)
    return Baseline(cues, np.abs(cues), np.ones(N_PLACE), np.ones(len(Measure)), luminance, 32, 8.0, "")


def test_a_baseline_from_before_faces_were_measured_is_read_and_says_so(tmp_path, two_face_cues):
    body = np.linspace(0.1, 0.9, N_POSE_CUES)
    path = tmp_path / "b.json"
    save_baseline(path, with_cues([*body, 2.0, 3.0]))
    new = json.loads(path.read_bytes())
    assert load_baseline(path).has_face
    assert load_baseline(path).cue_centre[-2:].tolist() == [2.0, 3.0]
    old = new | {"cues": {name: new["cues"][name] for name in CUE_NAMES[:N_POSE_CUES]}}
    path.write_text(json.dumps(old), encoding="utf-8")
    loaded = load_baseline(path)
    assert not loaded.has_face
    assert loaded.cue_centre[:N_POSE_CUES].tolist() == body.tolist()
    assert np.isnan(loaded.cue_centre[N_POSE_CUES:]).all()
    assert np.isnan(loaded.cue_spread[N_POSE_CUES:]).all()
    save_baseline(path, loaded)
    assert json.loads(path.read_bytes()) == old, "what was never measured is not made up"


@pytest.mark.parametrize(
    "change",
    [
        lambda cues: cues.pop(CUE_NAMES[N_POSE_CUES - 1]),
        lambda cues: cues["face_one"].update(centre=None),
        lambda cues: cues["face_two"].update(spread=-1.0),
    ],
)
def test_a_baseline_with_faces_is_checked_like_any_other(tmp_path, two_face_cues, change):
    path = tmp_path / "b.json"
    save_baseline(path, with_cues(np.ones(N_POSE_CUES + 2)))
    content = json.loads(path.read_bytes())
    change(content["cues"])
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ProfileError, match="take it again"):
        load_baseline(path)


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
    with pytest.raises(ProfileError, match=r"profile name .* letters from a to z"):
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
    "slouch without neck": lambda: damaged(lambda c: c.update(slouch={"thoracic_deg": 1})),
    "slouch as number": lambda: damaged(lambda c: c.update(slouch=3)),
    "huge slouch": lambda: damaged(
        lambda c: c.update(slouch={m.name.lower(): 0 for m in Measure} | {"neck_deg": "huge"})
    ).replace(b'"huge"', b"1e999"),
    "camera as number": lambda: damaged(lambda c: c.update(camera=3)),
    "odd quality": lambda: damaged(lambda c: c.update(quality={"n_frames": 1})),
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


NEW_KEYS = ("slouch", "camera", "quality", "drift")


def test_a_file_of_the_first_kind_can_still_be_read(tmp_path):
    path = tmp_path / "old.json"
    path.write_bytes(damaged(lambda c: [c.pop(key, None) for key in NEW_KEYS]))
    profile = read_profile(path)
    assert (profile.camera, profile.quality, profile.drift) == ("", None, None)
    assert profile.baseline.slouch_centre is None
    save_baseline(path, profile.baseline)
    assert not set(json.loads(path.read_bytes())) & set(NEW_KEYS), "what is not known is not written"


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "home/.local/share/posture/profiles"


@pytest.fixture
def stored(folder):
    """Three good profiles and a damaged one."""
    names = ("default", "Home office", "desk-2")
    for name in names:
        save_profile(
            folder / f"{name}.json", Profile(load_baseline(front_baseline()), camera=f"cam <{name}>")
        )
    (folder / "broken.json").write_bytes(b"{}")
    (folder / ".hidden.json").write_bytes(b"{}")
    (folder / "no profile (copy).json").write_bytes(b"{}")
    return names


def test_without_profiles_the_list_says_how_to_make_one(env):
    assert "posture calibrate" in posture("profiles", "list", env=env).stdout
    assert json.loads(posture("profiles", "list", "--json", env=env).stdout) == []


def test_the_list_has_every_profile_and_says_which_is_damaged(env, stored):
    told = posture("profiles", "list", env=env).stdout.splitlines()
    assert told[1].startswith("default"), "the default comes first"
    assert len(told) == 1 + len(stored) + 1
    assert "damaged" in next(line for line in told if line.startswith("broken"))
    data = {
        entry["name"]: entry for entry in json.loads(posture("profiles", "list", "--json", env=env).stdout)
    }
    assert set(data) == {*stored, "broken"}
    assert "posture calibrate" in data["broken"]["error"]
    assert data["Home office"]["camera"] == "cam <Home office>"


def test_show_tells_what_counts_as_a_slouch_with_the_settings_in_force(env, stored, tmp_path):
    told = posture("profiles", "show", "Home office", env=env).stdout
    assert "neck +10°" in told
    assert "to do better" not in told
    config = tmp_path / "home/.config/posture/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('preset = "strict"\n', encoding="utf-8")
    assert "neck +8°" in posture("profiles", "show", "Home office", env=env).stdout
    data = json.loads(posture("profiles", "show", "Home office", "--json", env=env).stdout)
    assert data["thresholds"]["neck_deg"] == 8.0
    assert data["grade"] == "good"
    assert "broken.json" in fails("profiles", "show", "broken", env=env)


@pytest.mark.parametrize(
    ("profile", "began_h", "minutes", "neck_deg", "told"),
    [
        ("default", 2.0, 60, 2.0, "neck +2° and trunk +1° on average (the newest 1.0 h)"),
        ("default", 2.0, 60, 6.0, "'posture calibrate' takes a fresh one"),
        ("default", 2.0, 20, 6.0, ""),
        ("default", -2.0, 60, 6.0, ""),
        ("other", 2.0, 60, 6.0, ""),
    ],
)
def test_show_tells_how_far_upright_has_drifted_since(env, folder, profile, began_h, minutes, neck_deg, told):
    """Bouts of this profile since the baseline was taken, and enough of them."""
    taken = datetime.now(UTC) - timedelta(hours=5)
    baseline = dataclasses.replace(
        load_baseline(front_baseline()), created_utc=taken.isoformat(timespec="seconds")
    )
    save_baseline(folder / "default.json", baseline)
    start = round((taken.timestamp() + began_h * 3600) * 1000)
    end = start + minutes * 60_000
    with History(folder.parent / "history.sqlite", is_writable=True) as history:
        session = history.put(SessionRow(0, start, end + 9, 0, "camera 0", profile, "front"))
        values = (neck_deg, 9.0, 1.0, 9.0, 0.5, 0.9)
        history.put(BoutRow(0, session, SlouchState.UPRIGHT, Reason.NONE, start, end, 0, *values))
        history.put(BoutRow(0, session, SlouchState.SLOUCHING, Reason.NONE, end, end + 9, 0, *[80.0] * 6))
    shown = posture("profiles", "show", env=env).stdout
    assert ("since then" in shown) == bool(told)
    assert told in shown
    since = json.loads(posture("profiles", "show", "--json", env=env).stdout)["since"]
    assert since == ({"neck_deg": neck_deg, "thoracic_deg": 1.0, "upright_s": 3600.0} if told else None)


def test_rename_moves_and_never_overwrites(env, stored, folder):
    before = (folder / "desk-2.json").read_bytes()
    assert "already" in fails("profiles", "rename", "desk-2", "default", env=env)
    assert "already" in fails("profiles", "rename", "desk-2", "desk-2", env=env)
    assert "profile name" in fails("profiles", "rename", "desk-2", "../away", env=env)
    assert "Home office" in fails("profiles", "rename", "nobody", "x", env=env)
    assert (folder / "desk-2.json").read_bytes() == before
    posture("profiles", "rename", "desk-2", "Standing", env=env)
    assert (folder / "Standing.json").read_bytes() == before
    assert not (folder / "desk-2.json").exists()


def test_delete_asks_and_takes_no_silence_for_a_yes(env, stored, folder):
    done = posture("profiles", "delete", "desk-2", env=env, code=1)
    assert "Delete profile 'desk-2'" in done.stdout
    assert (folder / "desk-2.json").exists()
    posture("profiles", "delete", "desk-2", "--yes", env=env)
    posture("profiles", "delete", "broken", "--yes", env=env)
    assert not (folder / "desk-2.json").exists()
    assert not (folder / "broken.json").exists()
    assert "no profile 'desk-2'" in fails("profiles", "delete", "desk-2", "--yes", env=env)


def test_a_folder_that_may_not_be_changed_is_one_line(monkeypatch):
    with shared_folder() as home:
        monkeypatch.setenv("XDG_DATA_HOME", str(home))
        save_baseline(profile_path("a"), simple())
        folder = profile_path("a").parent
        for part in (folder.parent, folder):
            part.chmod(0o555)
        with as_nobody():
            for attempt in (lambda: rename_profile("a", "b"), lambda: delete_profile("a")):
                with pytest.raises(
                    ProfileError, match=r"a\.json: Permission denied; check the folder"
                ) as caught:
                    attempt()
                assert "\n" not in str(caught.value)
        folder.chmod(0o300)
        with as_nobody(), pytest.raises(ProfileError, match="check its"):
            profile_names()
        assert profile_path("a").exists()


def test_a_run_takes_the_profile_that_fits_and_says_why(env, folder):
    side = FIXTURES / "side_upright_slouch.mp4"
    save_baseline(folder / "default.json", load_baseline(front_baseline()))
    posture("calibrate", "--source", side, "--profile", "side", "--seconds", "6", env=env)
    told = posture("run", "--source", side, "--speed", "200", env=env).stdout
    assert "Profile 'side': " in told
    assert "baseline 'side'" in told
    assert "does not fit" not in told
    told = posture("run", "--source", side, "--profile", "default", "--speed", "200", env=env).stdout
    assert "does not fit this view" in told, "what was named is used, and said not to fit"
    empty = posture("run", "--source", FIXTURES / "empty_room.mp4", "--speed", "200", env=env).stdout
    assert "Profile 'default', unseen: nobody was in view." in empty


def test_the_only_profile_is_taken_whatever_its_name(env, folder):
    save_baseline(folder / "desk.json", load_baseline(front_baseline()))
    told = posture("run", "--source", FIXTURES / "empty_room.mp4", "--speed", "200", env=env).stdout
    assert "baseline 'desk'" in told


def test_calibrating_again_tells_the_drift(env, folder):
    path = folder / "default.json"
    save_baseline(path, load_baseline(front_baseline()))
    posture("calibrate", "--source", FRONT, "--seconds", "6", env=env)
    profile = read_profile(path)
    assert abs(profile.drift.neck_deg) < 0.5
    assert profile.camera == FRONT.name
    assert "since the last one" in posture("profiles", "show", env=env).stdout
    path.write_bytes(b"{}")
    posture("calibrate", "--source", FRONT, "--seconds", "3", env=env)
    assert read_profile(path).drift is None, "what cannot be read is not compared with"
