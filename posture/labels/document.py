"""Labels as TOML: read strictly, written so that reading gives the same.

Written by hand rather than by a library: a value's text is Python's or JSON's, and how tables are laid out is what
people read.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, TypeVar, get_args, get_type_hints

import msgspec
import numpy as np

from posture.errors import LabelError
from posture.labels.labels import Duty, Interval, Labels, TrueAngles
from posture.slouch import SlouchState

FORMAT: Final = 1
"""Version of the file; one that means something else by a key gets the next number."""
_STATES: Final = ", ".join(SlouchState)
_DUTIES: Final = ", ".join(Duty)
_WIDTH: Final = 100  # characters of a line of numbers
Keys = TypeVar("Keys", bound=msgspec.Struct)


class IntervalKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One interval as a file has it; the descriptions are what an error says."""

    start_s: Annotated[float, msgspec.Meta(description="seconds since the clip's first frame")]
    end_s: Annotated[float, msgspec.Meta(description="seconds since the clip's first frame")]
    state: Annotated[SlouchState | None, msgspec.Meta(description=f"one of {_STATES}")] = None
    alert: Annotated[Duty | None, msgspec.Meta(description=f"one of {_DUTIES}")] = None
    posture: Annotated[str, msgspec.Meta(description="text")] = ""
    note: Annotated[str, msgspec.Meta(description="text")] = ""


class _AngleKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The true angles as a file has them."""

    file: Annotated[str, msgspec.Meta(description="the name of a CSV file")] = ""
    t_s: Annotated[list[float], msgspec.Meta(description="a list of seconds")] = []
    neck_deg: Annotated[
        list[float] | None, msgspec.Meta(description="a list of degrees, nan = not known")
    ] = None
    thoracic_deg: Annotated[
        list[float] | None, msgspec.Meta(description="a list of degrees, nan = not known")
    ] = None
    settled: Annotated[list[bool] | None, msgspec.Meta(description="a list of true and false")] = None
    posture: Annotated[list[str] | None, msgspec.Meta(description="a list of texts")] = None


class LabelKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole file."""

    format: Annotated[int, msgspec.Meta(description=f"{FORMAT}")]
    clip: Annotated[str, msgspec.Meta(description="the clip's name")] = ""
    person: Annotated[str, msgspec.Meta(description="text")] = ""
    camera: Annotated[str, msgspec.Meta(description="text")] = ""
    baseline_s: Annotated[tuple[float, float] | None, msgspec.Meta(description="[START, END] in seconds")] = (
        None
    )
    intervals: Annotated[
        list[dict[str, Any]], msgspec.Meta(description="tables, each begun with [[intervals]]")
    ] = []
    angles: Annotated[dict[str, Any] | None, msgspec.Meta(description="a table, [angles]")] = None


def parse_labels(text: str) -> tuple[Labels, str]:
    """Return the labels in a TOML text, and the name of the file that their true angles stand in.

    The angles of such a file are left for the caller to read; without one the name is empty.

    Raises
    ------
    LabelError
        If it is not TOML, or a key is unknown or has a value that cannot be; one line.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"not a TOML file: {' '.join(str(error).split())}") from error
    if content.get("format", FORMAT) != FORMAT and isinstance(content["format"], int):
        raise LabelError(f"labels of format {content['format']}, this program reads format {FORMAT}")
    read = checked(content, LabelKeys)
    intervals = tuple(
        to_interval(entry, f"interval {number}") for number, entry in enumerate(read.intervals, start=1)
    )
    angles, file = (None, "") if read.angles is None else _angles(checked(read.angles, _AngleKeys, "angles"))
    return Labels(read.clip, read.person, read.camera, read.baseline_s, intervals, angles), file


def to_interval(entry: Any, where: str) -> Interval:
    """Return one interval of a file.

    Raises
    ------
    LabelError
        Beginning with `where`, if a key is unknown or missing, a value cannot be, or nothing is said.
    """
    keys = checked(entry, IntervalKeys, where)
    if keys.state is None and keys.alert is None and not keys.posture:
        raise LabelError(
            f"{where}: {keys.start_s:g} to {keys.end_s:g} s says nothing; give state, alert or posture"
        )
    try:
        return Interval(keys.start_s, keys.end_s, keys.state, keys.alert, keys.posture, keys.note)
    except LabelError as error:
        raise LabelError(f"{where}: {error}") from error


def checked(given: Any, kind: type[Keys], where: str = "", *, is_strict: bool = True) -> Keys:
    """Return what a file gives as the keys of `kind`.

    Parameters
    ----------
    given : any
        A table, if the file is right.
    kind : type
        Says which keys there are.
    where : str
        What an error begins with.
    is_strict : bool
        Whether a number has to be one; False = its text will do, as in a CSV file.

    Raises
    ------
    LabelError
        Naming the key, and what it may have or the nearest one.
    """
    before = f"{where}: " if where else ""
    if not isinstance(given, dict):
        raise LabelError(f"{before}is no table")
    known = kind.__struct_fields__
    forbid_unknown(given, known, where)
    for key in known[: len(known) - len(kind.__struct_defaults__)]:
        if key not in given:
            raise LabelError(f"{before}{key} is missing; give {_allowed(kind, key)}")
    try:
        return msgspec.convert(given, kind, strict=is_strict)
    except msgspec.ValidationError as error:
        key = str(error).partition(" - at `$.")[2].strip("`").partition("[")[0]
        raise LabelError(f"{before}{key}: {_shown(given.get(key))}; give {_allowed(kind, key)}") from error


def forbid_unknown(given: Iterable[str], known: Sequence[str], where: str = "", what: str = "key") -> None:
    """Raise a LabelError that begins with `where` if a name is not known, naming the nearest one."""
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            before = f"{where}: " if where else ""
            raise LabelError(f"{before}unknown {what} {name[:40]!r}; did you mean {near[0]}?")


def _shown(value: object) -> str:
    """Return a value for a message, not too long."""
    text = repr(str(value) if isinstance(value, str) else value)
    return text if len(text) <= 40 else text[:37] + "..."


def _allowed(kind: type[msgspec.Struct], key: str) -> str:
    """Return what a key may have."""
    metas = get_args(get_type_hints(kind, include_extras=True).get(key))
    return next((str(m.description) for m in metas if isinstance(m, msgspec.Meta)), "something else")


def _angles(keys: _AngleKeys) -> tuple[TrueAngles | None, str]:
    """Return the angles that stand in the file itself, or the name of the one they stand in."""
    if keys.file:
        if keys.t_s or keys.neck_deg or keys.thoracic_deg or keys.settled or keys.posture:
            raise LabelError("angles: give either file, or t_s with neck_deg and thoracic_deg, not both")
        return None, keys.file
    n = len(keys.t_s)
    return TrueAngles(
        np.array(keys.t_s, dtype=np.float64),
        np.full(n, np.nan) if keys.neck_deg is None else np.array(keys.neck_deg, dtype=np.float64),
        np.full(n, np.nan) if keys.thoracic_deg is None else np.array(keys.thoracic_deg, dtype=np.float64),
        np.ones(n, np.bool_) if keys.settled is None else np.array(keys.settled, dtype=np.bool_),
        ("",) * n if keys.posture is None else tuple(keys.posture),
    ), ""


def render_labels(labels: Labels) -> str:
    """Return the labels as TOML; :func:`parse_labels` gives the same back."""
    lines = _pairs(
        format=FORMAT,
        clip=labels.clip,
        person=labels.person,
        camera=labels.camera,
        baseline_s=None if labels.baseline_s is None else list(labels.baseline_s),
    )
    for interval in labels.intervals:
        lines += ["", "[[intervals]]"]
        lines += _pairs(
            start_s=interval.start_s,
            end_s=interval.end_s,
            state=interval.state,
            alert=interval.duty,
            posture=interval.posture,
            note=interval.note,
        )
    if labels.angles is not None:
        lines += ["", "[angles]", *_angle_lines(labels.angles)]
    return "\n".join(lines) + "\n"


def _angle_lines(angles: TrueAngles) -> list[str]:
    """Return the lines of the table of angles."""
    if angles.file:
        return _pairs(file=angles.file)
    return _pairs(
        t_s=angles.t_s.tolist(),
        neck_deg=angles.neck_deg.tolist(),
        thoracic_deg=angles.thoracic_deg.tolist(),
        settled=None if angles.is_settled.all() else angles.is_settled.tolist(),
        posture=list(angles.posture) if any(angles.posture) else None,
    )


def _pairs(**values: object) -> list[str]:
    """Return a line for every value that says something."""
    return [
        f"{key} = {toml_text(value)}" for key, value in values.items() if value is not None and value != ""
    ]


def toml_text(value: object) -> str:
    """Return a value as TOML; a long list of numbers goes over several lines."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # JSON's texts are TOML's basic strings but for one character
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    assert isinstance(value, Sequence)
    items = [toml_text(item) for item in value]
    if sum(len(item) + 2 for item in items) <= _WIDTH:
        return f"[{', '.join(items)}]"
    lines: list[str] = []
    line = ""
    for item in items:
        if line and len(line) + len(item) + 2 > _WIDTH:
            lines.append(line)
            line = ""
        line += f" {item},"
    return "\n".join(["[", *(f"   {one}" for one in [*lines, line]), "]"])
