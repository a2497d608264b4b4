"""The configuration file and `--set`, through the command line and, for the property tests, the functions."""

import re
import tomllib

import msgspec
import pytest
from cli_helpers import fails, home_env, posture
from hypothesis import given
from hypothesis import strategies as st

from posture.config import load_settings, render_settings
from posture.errors import SettingsError
from posture.settings import PRESETS, Settings

DEFAULTS = msgspec.to_builtins(Settings())
SECTIONS = [name for name, value in DEFAULTS.items() if isinstance(value, dict)]
KEYS = [f"{section}.{key}" for section in SECTIONS for key in DEFAULTS[section]] + ["preset"]


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "home/.config/posture/config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_init_writes_what_show_reads_back(env, tmp_path):
    path = tmp_path / "home/.config/posture/config.toml"
    assert posture("config", "path", env=env).stdout.strip() == str(path)
    before = posture("config", "show", env=env).stdout
    assert posture("config", "init", env=env).stdout == f"wrote {path}\n"
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {section: {} for section in SECTIONS}
    assert posture("config", "show", env=env).stdout == before
    assert tomllib.loads(before) == DEFAULTS
    path.write_text(before, encoding="utf-8")
    assert posture("config", "show", env=env).stdout == before
    assert "exists already" in fails("config", "init", env=env)
    assert path.read_text(encoding="utf-8") == before
    posture("config", "init", "--force", env=env)
    assert path.read_text(encoding="utf-8") == render_settings()


def test_every_line_uncommented_alone_is_a_valid_file(tmp_path):
    lines = render_settings().splitlines()
    settings = [i for i, line in enumerate(lines) if re.match(r"# \w+ = ", line)]
    names = [lines[i][2:].partition(" = ")[0] for i in settings]
    assert sorted(names) == sorted(key.rpartition(".")[2] for key in KEYS)
    for i in settings:
        path = tmp_path / f"{i}.toml"
        path.write_text("\n".join([*lines[:i], lines[i][2:], *lines[i + 1 :]]), encoding="utf-8")
        assert load_settings(path) == Settings(), lines[i]


SCHEMA = msgspec.json.schema(Settings)["$defs"]


def bounds(key: str) -> dict:
    """JSON schema of a setting, for its range."""
    section, _, name = key.rpartition(".")
    owner = {s: type(getattr(Settings(), s)).__name__ for s in SECTIONS}.get(section, "Settings")
    return SCHEMA[owner]["properties"][name]


NUMBERS = [key for key in KEYS if bounds(key).get("type") in ("number", "integer")]


@given(st.data())
def test_any_value_in_range_comes_back_and_any_outside_names_key_and_range(data):
    key = data.draw(st.sampled_from(NUMBERS))
    low, high = (
        bounds(key).get(end, bounds(key).get(f"exclusive{end.title()}")) for end in ("minimum", "maximum")
    )
    kind = int if bounds(key)["type"] == "integer" else float
    numbers = st.integers if kind is int else st.floats
    options = {f"exclude_{end}": f"exclusive{end.title()}imum" in bounds(key) for end in ("min", "max")}
    value = data.draw(numbers(min_value=low, max_value=high, **({} if kind is int else options)))
    section, _, name = key.rpartition(".")
    settings = load_settings(overrides=[f"{key}={value!r}"])
    assert getattr(getattr(settings, section), name) == value
    again = tomllib.loads(render_settings(settings))
    assert msgspec.convert(again, Settings) == settings
    outside = numbers(max_value=low - 1) | numbers(min_value=high + 1)
    wrong = data.draw(outside if kind is int else outside | st.just(float("nan")))
    with pytest.raises(SettingsError) as caught:
        load_settings(overrides=[f"{key}={wrong!r}"])
    assert key in str(caught.value)
    assert f"{low:g} <" in str(caught.value)
    assert f" {high:g})" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.sampled_from(KEYS), st.text(max_size=40) | st.just("[" * 5000) | st.just("9" * 5000))
def test_junk_is_one_line_or_a_value(key, junk):
    for override in (f"{key}={junk}", f"{junk}={key}", junk):
        try:
            load_settings(overrides=[override])
        except SettingsError as error:
            assert str(error).startswith("--set")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("judge.nek_deg=3", "unknown setting judge.nek_deg; did you mean judge.neck_deg?"),
        ("sustain_s=10", "did you mean alert.sustain_s?"),
        ("judge.neck_deg=1000", "judge.neck_deg: expected a number <= 60.0"),
        ("judge.neck_deg=much", "judge.neck_deg: expected a number, got text"),
        ("camera.rotate_deg=45", "(one of 0, 90, 180, 270)"),
        ("preset=wild", '"balanced", "gentle", "strict"'),
        ("judge=3", "judge is a section"),
        ("judge.neck_deg", "expected KEY=VALUE"),
        ("=3", "expected KEY=VALUE"),
        ('alert.quiet_hours=["25:00-26:00"]', "alert.quiet_hours[0]"),
    ],
)
def test_a_wrong_override_names_itself_and_what_is_allowed(env, override, expected):
    told = fails("config", "show", "--set", override, env=env, code=2)
    assert told.startswith(f"--set {override}: ")
    assert expected in told


def test_precedence_is_default_preset_file_set(env, config):
    def shown(*args):
        return tomllib.loads(posture("config", "show", *args, env=env).stdout)

    strict = PRESETS["strict"]["judge"]
    config.write_text(
        'preset = "strict"\n[judge]\nneck_deg = 9.5\n[alert]\nsustain_s = 77\n', encoding="utf-8"
    )
    told = shown("--set", "alert.sustain_s=78")
    assert told["judge"]["neck_deg"] == 9.5  # the file over the preset
    assert told["judge"]["thoracic_deg"] == strict["thoracic_deg"]  # the preset over the default
    assert told["judge"]["recovery_s"] == Settings().judge.recovery_s
    assert told["alert"]["sustain_s"] == 78  # --set over the file
    told = shown("--set", "preset=gentle")
    assert told["judge"]["neck_deg"] == 9.5
    assert told["judge"]["thoracic_deg"] == PRESETS["gentle"]["judge"]["thoracic_deg"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[judge\nneck_deg = 3", "is not a TOML file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\xff", "is not a TOML file"),
        (b"a = " + b"[" * 100_000, "is not a TOML file"),
        (b"[judge]\nneck_deg = " + b"9" * 5000, "is not a TOML file"),
        (b"judge = 3\n", "judge is a section"),
        (b"[jugde]\nneck_deg = 9\n", "unknown setting jugde.neck_deg; did you mean judge.neck_deg?"),
        (b"[jugde]\n", "unknown setting jugde; did you mean"),
        (b"[judge]\nneck_deg = '9'\n", "judge.neck_deg: expected a number, got text"),
        (b"[preset]\n", "preset"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(env, config, content, expected):
    config.write_bytes(content)
    told = fails("config", "show", env=env)
    assert str(config) in told
    assert expected in told


def test_a_byte_order_mark_and_windows_line_ends_are_fine(env, config):
    config.write_bytes(b"\xef\xbb\xbf[judge]\r\nneck_deg = 12\r\n")
    assert tomllib.loads(posture("config", "show", env=env).stdout)["judge"]["neck_deg"] == 12


def test_a_file_that_is_a_folder_is_one_line(env, config):
    config.mkdir()
    assert str(config) in fails("config", "show", env=env)


def test_a_full_disk_leaves_the_old_file(env, config):
    import resource

    config.write_text("# mine\n", encoding="utf-8")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    told = fails("config", "init", "--force", env=env, preexec_fn=limit)
    assert str(config) in told
    assert config.read_text(encoding="utf-8") == "# mine\n"
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("key", PRESETS["gentle"]["judge"])
def test_gentle_needs_more_than_the_default_and_strict_less(key):
    gentle, balanced, strict = (
        getattr(load_settings(overrides=[f"preset={name}"]).judge, key)
        for name in ("gentle", "balanced", "strict")
    )
    assert gentle > balanced > strict
    assert set(PRESETS["strict"]["judge"]) == set(PRESETS["gentle"]["judge"])
