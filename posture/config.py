"""The configuration file: TOML in the platform's folder, defaults < preset < file < ``--set``.

The only module that reads or writes the configuration file.
"""

from __future__ import annotations

import difflib
import functools
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as msgspec_inspect
from platformdirs import user_config_path, user_data_path, user_state_path

from posture.errors import OutputError, OverrideError, SettingsError
from posture.files import write_atomically
from posture.settings import PRESETS, Settings

APP = "posture"
FILE_NAME = "config.toml"
_KINDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "object": "a section",
    "array": "a list",
}


def config_path() -> Path:
    """Return where the configuration file is, whether it exists or not."""
    return _folder(user_config_path) / FILE_NAME


def data_path() -> Path:
    """Return the folder of profiles and history, whether it exists or not."""
    return _folder(user_data_path)


def history_path() -> Path:
    """Return where the history is, whether it exists or not."""
    return data_path() / "history.sqlite"


def state_path() -> Path:
    """Return the folder by which a running monitor is found, whether it exists or not."""
    return _folder(user_state_path)


def _folder(find: Callable[..., Path]) -> Path:
    """Return a platform folder; a user without a home has none, or by older platformdirs one below ``./~``."""
    try:
        folder = find(APP, appauthor=False)
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():
        raise SettingsError(f"{folder}: no absolute path to keep files in; set HOME or the XDG variables")
    return folder


def load_settings(path: str | os.PathLike[str] | None = None, overrides: list[str] | None = None) -> Settings:
    """Return the settings: defaults, then the preset's, then the file's, then the overrides.

    Parameters
    ----------
    path : str, path or None
        Configuration file; None = the platform's, which need not exist.
    overrides : list of str, optional
        ``section.key=value`` as given to ``--set``; the value in TOML, or bare text.

    Returns
    -------
    Settings
        Checked: every value is in its range.

    Raises
    ------
    SettingsError
        If the file is not TOML, or a key is unknown, or a value is of the wrong type or out of range. The
        text names the key and where it was given. In an override it is the subclass OverrideError.
    """
    file = config_path() if path is None else Path(path)
    given = _read(file, must_exist=path is not None)
    _check(given, str(file))
    return _layered(given, overrides, str(file))


def change_settings(settings: Settings, overrides: list[str]) -> Settings:
    """Return settings with overrides on top, as if what they have beside their preset stood in a file; none is read.

    Parameters
    ----------
    settings : Settings
        Another preset among the overrides leaves what they have of their own.
    overrides : list of str
        As for :func:`load_settings`.

    Raises
    ------
    OverrideError, SettingsError
        As :func:`load_settings`.
    """
    start = msgspec.to_builtins(_layered({"preset": settings.preset}, None, "settings"))
    own: dict[str, Any] = {"preset": settings.preset}
    for section, told in msgspec.to_builtins(settings).items():
        if isinstance(told, dict):
            own[section] = {key: value for key, value in told.items() if value != start[section][key]}
    return _layered(own, overrides, "settings")


def make_settings(changes: Mapping[str, object] | None = None, *, preset: str = "balanced") -> Settings:
    """Return the settings that come with the program, some of them changed; no file is read.

    Parameters
    ----------
    changes : mapping, optional
        Full names of settings and their values, as in ``{"alert.sustain_s": 30, "judge.neck_deg": 12}``.
    preset : {"gentle", "balanced", "strict"}
        What they begin with.

    Returns
    -------
    Settings
        Checked: every value is in its range.

    Raises
    ------
    SettingsError
        If a name is unknown, or a value is of the wrong type or out of range. The text names it.
    """
    layers: dict[str, Any] = {"preset": preset}
    _check(layers, "settings")
    for key, value in (changes or {}).items():
        plain = value.item() if hasattr(value, "item") else value  # NumPy's scalars
        layer = _nested(key.split("."), plain)
        _check(layer, "settings")
        layers = _merge(layers, layer)
    return _convert(_merge(PRESETS[layers["preset"]], layers), "settings")


def check_settings(settings: Settings) -> Settings:
    """Return `settings` if every value is in its range, however they were made.

    Parameters
    ----------
    settings : Settings
        Perhaps put together by hand, which checks nothing.

    Returns
    -------
    Settings
        The same values.

    Raises
    ------
    SettingsError
        As :func:`make_settings`.
    """
    return _convert(msgspec.to_builtins(settings), "settings")


def read_overrides(path: Path) -> list[str]:
    """Return what a configuration file sets, as overrides: it then goes before a recording's own settings too.

    Raises
    ------
    SettingsError
        If there is no such file, it is not TOML, or a setting in it is wrong.
    """
    given = _read(path, must_exist=True)
    _check(given, str(path))
    flat = []
    for name, value in given.items():
        entries = value.items() if isinstance(value, dict) else [("", value)]
        flat += [f"{name}.{key}={_toml(v)}" if key else f"{name}={_toml(v)}" for key, v in entries]
    return flat


def settings_overrides(settings: Settings) -> tuple[str, ...]:
    """Return all that judging depends on as overrides, so that it goes before a recording's own settings."""
    told = msgspec.to_builtins(settings)
    return tuple(
        f"{section}.{key}={_toml(value)}"
        for section in ("judge", "alert", "breaks")
        for key, value in told[section].items()
    )


def restore_settings(
    recorded: dict[str, Any], current: Settings, where: str, overrides: list[str] | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings that a recording was made with, and the keys in it that this program does not have.

    Parameters
    ----------
    recorded : dict
        Whole sections, as :func:`msgspec.to_builtins` gives them; they replace those of `current`.
    current : Settings
        All that was not recorded.
    where : str
        What an error's text calls the recording.
    overrides : list of str
        On top of both; a preset asked for here comes before the other overrides.

    Raises
    ------
    SettingsError
        As :func:`load_settings`.
    """
    hints = _hints()
    known = {
        section: {key: value for key, value in values.items() if f"{section}.{key}" in hints}
        for section, values in recorded.items()
        if isinstance(values, dict)
    }
    unknown = [f"{a}.{b}" for a in known for b in recorded[a] if b not in known[a]]
    layers = _merge(msgspec.to_builtins(current), known)
    asked = _overridden({}, overrides)
    layers = _merge(_merge(layers, PRESETS.get(asked.get("preset", ""), {})), asked)
    return _convert(layers, where), tuple(unknown)


def _layered(given: dict[str, Any], overrides: list[str] | None, where: str) -> Settings:
    """Return the settings: defaults, then the preset's, then what is given, then the overrides."""
    layers = _overridden(given, overrides)
    return _convert(_merge(PRESETS[layers.get("preset", "balanced")], layers), where)


def _overridden(layers: dict[str, Any], overrides: list[str] | None) -> dict[str, Any]:
    """Return `layers` with every ``section.key=value`` on top."""
    for override in overrides or []:
        try:
            key, value = _parse_override(override)
            layer = _nested(key, value)
            _check(layer, f"--set {override}")
        except SettingsError as error:
            raise OverrideError(str(error)) from error
        layers = _merge(layers, layer)
    return layers


def render_settings(current: Settings | None = None) -> str:
    """Return a configuration file with every setting, its unit and range.

    Parameters
    ----------
    current : Settings or None
        Its values are shown; None = the defaults, commented out, as a file to begin with.
    """
    shown = msgspec.to_builtins(Settings() if current is None else current)
    mark = "# " if current is None else ""
    lines = ["# Settings of posture, as they are in force.", ""]
    if current is None:
        lines = [
            "# Settings of posture. Remove the '#' before a line to change it; a line left commented out",
            "# follows the default, also when a later version changes it.",
            "",
        ]
    for field in _fields(Settings):
        if not isinstance(field.type, msgspec_inspect.StructType):
            lines += [f"# {_describe(field)}", f"{mark}{field.name} = {_toml(shown[field.name])}"]
    for field in _fields(Settings):
        if isinstance(field.type, msgspec_inspect.StructType):
            summary = (field.type.cls.__doc__ or "").strip()
            lines += ["", f"[{field.name}]  # {summary}"]
            for inner in field.type.fields:
                value = _toml(shown[field.name][inner.name])
                lines += [f"# {_describe(inner)}", f"{mark}{inner.name} = {value}"]
    return "\n".join(lines) + "\n"


def describe_fields(section: type[msgspec.Struct]) -> list[tuple[str, str, str]]:
    """Return key, default in TOML and description of every setting of a section, or of :class:`Settings`.

    A section within it has no default, and its class's summary as its description.
    """
    shown = msgspec.to_builtins(section())
    rows = []
    for field in _fields(section):
        if isinstance(field.type, msgspec_inspect.StructType):
            rows.append((field.name, "", (field.type.cls.__doc__ or "").strip()))
        else:
            rows.append((field.name, _toml(shown[field.name]), _describe(field)))
    return rows


def write_defaults(path: Path, *, overwrite: bool = False) -> None:
    """Write a documented configuration file.

    Raises
    ------
    OutputError
        If it exists already and `overwrite` is false, or cannot be written; what was there is untouched.
    """
    try:
        is_there = path.exists()
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; check the folder's permissions") from error
    if is_there and not overwrite:
        raise OutputError(f"{path} exists already; edit it, or give --force to start afresh")
    write_atomically(path, render_settings().encode())


def _read(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """Return the tables of a TOML file; a missing one is empty unless it must exist."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Notepad puts a byte order mark first
    except FileNotFoundError:
        if must_exist:
            raise SettingsError(f"no configuration file {path}; 'posture config init' writes one") from None
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not a TOML file: not text in UTF-8; save it as such") from error
    except (ValueError, RecursionError) as error:  # not TOML, a number too long, nested too deep
        raise SettingsError(f"{path} is not a TOML file: {error}") from error
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error


def _parse_override(text: str) -> tuple[list[str], Any]:
    """Return the key's parts and the value of ``a.b=value``."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f"--set {text}: expected KEY=VALUE, for example --set alert.sustain_s=30")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        parsed = value.strip()  # bare text, so that nobody has to quote twice in a shell
    return key.strip().split("."), parsed


def _nested(key: list[str], value: Any) -> dict[str, Any]:
    """Return ``{a: {b: value}}`` for the key ``a.b``."""
    for part in reversed(key):
        value = {part: value}
    return dict(value)


def _merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Return `lower` with the values of `upper` on top, table by table."""
    result = dict(lower)
    for key, value in upper.items():
        old = result.get(key)
        result[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _check(given: dict[str, Any], where: str) -> None:
    """Raise if a key is unknown, naming the nearest one, or if a value does not fit."""
    sections = {f.name: f.type for f in _fields(Settings)}
    known = list(_hints())
    for name, value in given.items():
        is_section = isinstance(sections.get(name), msgspec_inspect.StructType)
        if is_section and not isinstance(value, dict):
            raise SettingsError(f"{where}: {name} is a section; write its keys as {name}.KEY")
        is_table = isinstance(value, dict) and (is_section or value)
        for key in [f"{name}.{inner}" for inner in value] if is_table else [name]:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
                raise SettingsError(f"{where}: unknown setting {key}; did you mean {near[0]}?")
    _convert(given, where)


def _convert(given: dict[str, Any], where: str) -> Settings:
    """Return the settings, or raise with the key and what is allowed."""
    try:
        return msgspec.convert(given, Settings)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        text = "expected HH:MM-HH:MM" if "matching regex" in text else text
        for kind, words in _KINDS.items():
            text = text.replace(f"`{kind}`", words)
        key = at.strip("`").lstrip(".").replace("[...]", "")
        hint = _hints().get(key.partition("[")[0], "")
        raise SettingsError(f"{where}: {key or 'settings'}: {text[0].lower()}{text[1:]} - {hint}") from error


@functools.cache
def _fields(struct: type[msgspec.Struct]) -> tuple[msgspec_inspect.Field, ...]:
    """Return the described fields of a settings struct."""
    described = msgspec_inspect.type_info(struct)
    assert isinstance(described, msgspec_inspect.StructType)
    return described.fields


def _hints() -> dict[str, str]:
    """Return every setting's full name with its description."""
    hints = {}
    for field in _fields(Settings):
        if isinstance(field.type, msgspec_inspect.StructType):
            hints.update({f"{field.name}.{inner.name}": _describe(inner) for inner in field.type.fields})
        else:
            hints[field.name] = _describe(field)
    return hints


def _describe(field: msgspec_inspect.Field) -> str:
    """Return the description, unit and range of a setting, one line."""
    kind = field.type
    text = ""
    if isinstance(kind, msgspec_inspect.Metadata):
        text = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    if isinstance(kind, msgspec_inspect.LiteralType):
        return f"{text} (one of {', '.join(_toml(v) for v in kind.values)})"
    if isinstance(kind, msgspec_inspect.IntType | msgspec_inspect.FloatType):
        low = f"{kind.ge:g} <= " if kind.ge is not None else f"{kind.gt:g} < " if kind.gt is not None else ""
        high = f" <= {kind.le:g}" if kind.le is not None else f" < {kind.lt:g}" if kind.lt is not None else ""
        return f"{text} ({low}value{high})" if low or high else text
    return text


def _toml(value: Any) -> str:
    """Return `value` as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return msgspec.json.encode(value).decode()  # TOML's basic strings and numbers are JSON's
