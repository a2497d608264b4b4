"""Wrong input of every kind: one clear line that names it, exit status 1, nothing else."""

import os
import shutil
import socket
from pathlib import Path

import pytest
from cli_helpers import EMPTY, FIXTURES, FRONT, fails, front_baseline, home_env, posture
from desktop import require

from posture import config
from posture.bundled import MODEL_NAME, asset_path
from posture.errors import SettingsError


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture
def ordinary():
    """A wrapper under which permissions bind also for root: its power to ignore them is taken away."""
    if os.getuid() != 0:
        return ()
    setpriv = require("setpriv")
    return (setpriv, "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search")


def make(kind: str, folder: Path) -> Path:
    """Put something bad into `folder` and return its path."""
    path = folder / f"{kind.replace(' ', '_')}.mp4"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a film\n" * 100, encoding="utf-8")
    elif kind == "noise":
        path.write_bytes(os.urandom(50_000))
    elif kind == "no index":
        shutil.copyfile(FIXTURES / "video" / "no_index.mp4", path)
    elif kind == "header only":
        shutil.copyfile(FIXTURES / "video" / "header_only.mp4", path)
    elif kind == "sound only":
        shutil.copyfile(FIXTURES / "video" / "audio_only.mp4", path)
    elif kind == "folder without pictures":
        path.mkdir()
        (path / "notes.txt").write_text("nothing to see", encoding="utf-8")
    elif kind == "folder of broken pictures":
        path.mkdir()
        (path / "1.jpg").write_bytes(b"broken")
    elif kind == "pipe":
        os.mkfifo(path)
    return path


CLIPS = {
    "empty": "is empty",
    "text": "is text, not a video",
    "noise": "is damaged, or not a video",
    "no index": "cut short",
    "header only": "no frame can be decoded",
    "sound only": "sound but no picture",
    "missing": "no such file",
    "folder without pictures": "no pictures in this folder",
    "folder of broken pictures": "none of its 1 pictures can be read",
    "pipe": "is not a file",
}


@pytest.mark.parametrize("kind", CLIPS)
def test_a_clip_that_is_none(env, tmp_path, kind):
    path = make(kind, tmp_path)
    told = fails("replay", path, "--baseline", front_baseline(), env=env)
    assert path.name in told
    assert CLIPS[kind] in told


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0", "camera 0: no such camera"),
        ("-1", "camera -1: not a camera number"),
        ("999999", "camera 999999: "),
        ("99999999999999999999", "99999999999999999999"),
        ("/dev/video77", "camera 77: "),
        ("Logitech HD Pro", "Logitech HD Pro: no such file or folder, and no camera of that name"),
        ("ftp://example.invalid/clip.mp4", "cannot read ftp:// addresses"),
        ("http://", "not a valid address"),
        ("http://user:secret@127.0.0.1:{port}/", "http://user:***@127.0.0.1"),
        ("rtsp://127.0.0.1:{port}/", "connection refused"),
        ("", "empty"),
    ],
)
def test_a_source_that_is_none(env, source, expected):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        source = source.format(port=closed.getsockname()[1])
        told = fails("run", "--baseline", front_baseline(), "--set", f"camera.source={source!r}", env=env)
        assert expected in told
        assert "secret" not in told


@pytest.mark.parametrize("command", ["run", "calibrate"])
def test_no_camera_is_said_the_same_way_by_every_command(env, command, tmp_path):
    assert "camera 9: no such camera" in fails(command, "--source", "9", env=env)
    assert not list((tmp_path / "home").rglob("*.json"))


def test_a_clip_without_permission(env, tmp_path, ordinary):
    clip = tmp_path / "private.mp4"
    shutil.copyfile(EMPTY, clip)
    clip.chmod(0)
    told = fails("replay", clip, "--baseline", front_baseline(), env=env, wrapper=ordinary)
    assert f"{clip}: permission denied" in told


def test_files_of_ours_without_permission(env, tmp_path, ordinary):
    home = tmp_path / "home"
    for path in (home / ".config/posture/config.toml", home / ".local/share/posture/profiles/default.json"):
        path.parent.mkdir(parents=True)
        path.write_text("", encoding="utf-8")
        path.chmod(0)
        assert str(path) in fails("run", "--source", FRONT, env=env, wrapper=ordinary)
        path.chmod(0o600)
        path.parent.chmod(0)
        named = path if path.suffix == ".toml" else path.parent  # which profiles there are is asked first
        assert str(named) in fails("run", "--source", FRONT, env=env, wrapper=ordinary)
        if path.suffix == ".toml":
            assert str(path) in fails("config", "init", env=env, wrapper=ordinary)
        path.parent.chmod(0o700)
        path.unlink()


def test_a_data_folder_that_cannot_be_written(env, tmp_path, ordinary):
    data = tmp_path / "home/.local/share"
    data.mkdir(parents=True)
    data.chmod(0o500)
    clip = FIXTURES / "two_people.mp4"
    told = fails("calibrate", "--source", clip, "--seconds", "3", env=env, wrapper=ordinary)
    assert str(data) in told
    assert "Permission denied" in told
    data.chmod(0o700)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated", "folder", "unknown home"])
def test_a_model_that_is_none(env, tmp_path, kind):
    path = tmp_path / "model.task"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("a model", encoding="utf-8")
    elif kind == "truncated":
        path.write_bytes(asset_path(MODEL_NAME).read_bytes()[:1_000_000])
    elif kind == "folder":
        path.mkdir()
    elif kind == "unknown home":
        path = Path("~nobody-of-this-name/model.task")
    told = fails("replay", EMPTY, "--baseline", front_baseline(), "--set", f"model.path={path}", env=env)
    assert str(path) in told
    assert "model" in told


def test_a_profile_nobody_has(env, tmp_path):
    told = fails("run", "--source", FRONT, "--profile", "stnading", env=env)
    assert told.startswith("no profile 'stnading' (there is none yet)")
    folder = tmp_path / "home/.local/share/posture/profiles"
    folder.mkdir(parents=True)
    shutil.copyfile(front_baseline(), folder / "standing.json")
    assert "(there are: standing)" in fails("run", "--source", FRONT, "--profile", "stnading", env=env)
    for name in ("../x", "a/b", ""):
        assert f"profile name {name!r}" in fails("run", "--source", FRONT, "--profile", name, env=env)


def test_a_baseline_of_another_program(env, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"baseline": [1, 2, 3]}', encoding="utf-8")
    for command in (("run", "--source", EMPTY), ("replay", EMPTY)):
        told = fails(*command, "--baseline", other, env=env)
        assert str(other) in told
        assert "missing.json" in fails(*command, "--baseline", tmp_path / "missing.json", env=env)
        assert str(tmp_path) in fails(*command, "--baseline", tmp_path, env=env)


def test_calibrating_on_nobody_is_refused_and_keeps_the_old_baseline(env, tmp_path):
    profile = tmp_path / "home/.local/share/posture/profiles/default.json"
    profile.parent.mkdir(parents=True)
    shutil.copyfile(front_baseline(), profile)
    done = posture("calibrate", "--source", EMPTY, "--seconds", "3", env=env, code=1)
    assert "nobody in view" in done.stderr
    assert profile.read_bytes() == front_baseline().read_bytes()


def test_a_user_without_home(env):
    del env["HOME"]
    path = posture("config", "path", env=env).stdout.strip()
    assert Path(path).is_absolute()


def test_a_user_without_any_home_is_told_to_name_one(monkeypatch):
    def unknown(uid):
        raise KeyError(uid)

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    for place in (config.config_path, config.data_path, config.state_path):
        with pytest.raises(SettingsError, match="HOME"):
            place()
