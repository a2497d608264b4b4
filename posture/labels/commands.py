"""What the commands about labels do: import, check, show. They return the exit code and raise PostureError."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from posture.console import make_console
from posture.errors import LabelError, OutputError, PostureError
from posture.labels.editing import DUTIES, moment_text
from posture.labels.elan import parse_elan
from posture.labels.files import SUFFIXES, find_clip, find_labels, read_labels, read_text, write_labels
from posture.labels.footage import measure_duration
from posture.labels.foreign import Foreign, Meaning, translate
from posture.labels.label_studio import parse_label_studio
from posture.labels.labels import Labels, check_labels
from posture.labels.timeline import DUTY_SYMBOLS, draw_timeline
from posture.words import ASCII_SYMBOLS, STATES, needs_ascii

MIN_WIDTH: Final = 40
"""Letters of a timeline at least, however narrow the terminal is (our choice)."""


def import_labels(
    file: Path,
    output: Path | None,
    tiers: Sequence[str],
    rules: Mapping[str, Meaning],
    rate_hz: float | None,
    *,
    overwrites: bool,
) -> int:
    """Write what another program labelled as label files, one for each clip; nothing if one of them cannot be."""
    console = make_console()
    text = read_text(file)
    try:
        found = parse_label_studio(text, rate_hz) if text.lstrip()[:1] in ("[", "{") else parse_elan(text)
        made = [(foreign, _translated(foreign, rules, tiers, is_named=len(found) > 1)) for foreign in found]
    except LabelError as error:
        raise LabelError(f"{file}: {error}") from error
    targets = _targets(file, output, found)
    for path in targets:
        if path.exists() and not overwrites:
            raise OutputError(
                f"{path} exists already; give --force to replace it, or another name with --output"
            )
    for path, (foreign, labels) in zip(targets, made, strict=True):
        write_labels(path, labels)
        for note in foreign.notes:
            console.print(f"note: {note}", style="bold")
        console.print(f"{_count(labels)} in {path}")
    return 0


def check_paths(paths: list[Path]) -> int:
    """Print what is wrong with label files, a line each; 1 if anything is."""
    console, errors = make_console(), make_console(is_stderr=True)
    files, problems = [], []
    for path in paths:
        try:
            files += _label_files(path)
        except PostureError as error:
            problems.append(str(error))
    n_good = 0
    for file in dict.fromkeys(files):
        found = _problems(file)
        problems += found
        n_good += not found
    for problem in dict.fromkeys(problems):
        errors.print(f"posture: {problem}")
    if n_good:
        console.print(f"{n_good} label file{'' if n_good == 1 else 's'} without fault")
    return 1 if problems else 0


def show_labels(clip: Path) -> int:
    """Print the labels of a clip, or of a label file, as a timeline and a table."""
    console = make_console()
    path = clip if clip.name.endswith(SUFFIXES) else find_labels(clip)
    if path is None:
        raise LabelError(f"{clip}: no labels beside it; 'posture label {clip}' makes them")
    labels = read_labels(path)
    duration_s = _duration(path, labels) or max((one.end_s for one in labels.intervals), default=0.0)
    console.print(Text(str(path), style="bold"))
    facts = [("clip", labels.clip), ("person", labels.person), ("camera", labels.camera)]
    if labels.baseline_s is not None:
        facts.append(("baseline", " to ".join(moment_text(t_s) for t_s in labels.baseline_s)))
    if labels.angles is not None:
        facts.append(("true angles", f"{len(labels.angles)} moments"))
    for name, value in facts:
        if value:
            console.print(Text.assemble((f"{name:<12}", "dim"), value))
    if not labels.intervals:
        console.print("no intervals")
        return 0
    is_ascii = needs_ascii(console.encoding, os.environ)
    console.print()
    width = max(console.width - 8, MIN_WIDTH)
    for name, runs in draw_timeline(labels, max(duration_s, 1e-3), width, is_ascii=is_ascii):
        console.print(Text.assemble(f"{name:<7}", *((run.text, run.colour) for run in runs)), soft_wrap=True)
    console.print()
    console.print(_interval_table(labels, is_ascii=is_ascii))
    return 0


def _translated(
    foreign: Foreign, rules: Mapping[str, Meaning], tiers: Sequence[str], *, is_named: bool
) -> Labels:
    """Return one clip's labels; an error names the clip where there are several."""
    try:
        return translate(foreign, rules, tiers)
    except LabelError as error:
        raise (
            LabelError(f"{foreign.clip or 'a clip without a name'}: {error}") if is_named else error
        ) from error


def _targets(file: Path, output: Path | None, found: Sequence[Foreign]) -> list[Path]:
    """Return where each clip's labels are to be written."""
    if len(found) == 1 and output is not None and not output.is_dir():
        if output.suffix.lower() not in (".toml", ".csv"):
            raise OutputError(f"{output}: give a name that ends in .labels.toml or .labels.csv")
        return [output]
    if output is not None and output.suffix and not output.is_dir():
        raise OutputError(
            f"{output}: {file.name} has labels of {len(found)} clips; give a folder to write to"
        )
    folder = file.parent if output is None else output
    targets = [folder / ((one.clip or file.stem) + SUFFIXES[0]) for one in found]
    if len(set(targets)) < len(targets):
        twice = next(one for one in targets if targets.count(one) > 1)
        raise LabelError(
            f"{file}: two clips would have their labels in {twice.name}; export one of them alone"
        )
    return targets


def _label_files(path: Path) -> list[Path]:
    """Return the label files that a path stands for: itself, those in a folder, or that of a clip."""
    if path.name.endswith(SUFFIXES):
        return [path]
    if path.is_dir():
        inside = sorted(one for one in path.rglob("*") if one.name.endswith(SUFFIXES) and one.is_file())
        beside = find_labels(path)
        if not inside and beside is None:
            raise LabelError(f"{path}: no label files in it; they end in {' or '.join(SUFFIXES)}")
        return inside if beside is None else [beside, *inside]
    if not path.exists():
        raise LabelError(f"{path}: no such file or folder")
    found = find_labels(path)
    if found is None:
        raise LabelError(f"{path}: no labels beside it; 'posture label {path}' makes them")
    return [found]


def _problems(file: Path) -> list[str]:
    """Return what is wrong with a label file, a line each."""
    try:
        labels = read_labels(file)
        clip = find_clip(file, labels)
        find_labels(clip)  # says if there are two
        return [f"{file}: {one}" for one in check_labels(labels, measure_duration(clip), clip.name)]
    except PostureError as error:
        return [str(error)]


def _duration(file: Path, labels: Labels) -> float | None:
    """Return how long the clip of a label file lasts; None if there is none to be asked."""
    try:
        return measure_duration(find_clip(file, labels))
    except PostureError:
        return None


def _count(labels: Labels) -> str:
    """Return how many labels there are."""
    n = len(labels.intervals)
    return f"{n} label{'' if n == 1 else 's'}"


def _interval_table(labels: Labels, *, is_ascii: bool) -> Table:
    """Return the intervals as rows."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("start", "end", "lasts"):
        table.add_column(name, justify="right")
    for name in ("state", "alert", "posture", "note"):
        table.add_column(name)
    for one in labels.intervals:
        state, duty = Text(""), Text("")
        if one.state is not None:
            symbol, _, colour = STATES[one.state]
            state = Text(f"{ASCII_SYMBOLS[one.state] if is_ascii else symbol} {one.state.value}", colour)
        if one.duty is not None:
            symbol, colour = DUTY_SYMBOLS[one.duty]
            duty = Text(f"{symbol} {DUTIES[one.duty]}", colour)
        lasts = f"{one.end_s - one.start_s:.1f} s"
        table.add_row(
            moment_text(one.start_s),
            moment_text(one.end_s),
            lasts,
            state,
            duty,
            Text(one.posture),
            Text(one.note),
        )
    return table
