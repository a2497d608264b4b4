"""What all commands share: the console, a source and an observer with the settings applied, checks of outputs."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from posture.errors import OutputError, SourceError
from posture.face_network import FaceNetwork
from posture.landmarker import PoseLandmarker
from posture.observer import Observer
from posture.recording.reader import looks_recorded
from posture.session import StopSignals
from posture.settings import Settings
from posture.sources import FrameSource, open_source
from posture.view.preview import Preview


def make_console(*, is_stderr: bool = False, is_quiet: bool = False) -> Console:
    """Return the console of a command's own words: wrapped at words on a terminal, not at all in a file.

    A quiet one shows nothing at all: errors don't go through it. What looks like markup is printed as it is: it may
    be a file's name.
    """
    console = Console(stderr=is_stderr, quiet=is_quiet, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console


def model_path(settings: Settings) -> Path | None:
    """Return where the chosen model is; None = the packaged one."""
    # not Path.expanduser, which raises where there is no such home: what is left is a path that does not exist
    return Path(os.path.expanduser(settings.model.path)) if settings.model.path else None  # noqa: PTH111


def make_observer(settings: Settings) -> Observer:
    """Return a fresh observer with the chosen models."""
    path = model_path(settings)
    is_quiet = not logging.getLogger().isEnabledFor(logging.DEBUG)
    face_network = (
        FaceNetwork() if settings.pose.face else None
    )  # first: what fails, fails before a model runs
    landmarker = PoseLandmarker(path, min_confidence=settings.model.min_confidence, quiet=is_quiet)
    return Observer(landmarker, settings.judge, face_network)


def open_with_settings(spec: str, settings: Settings, signals: StopSignals) -> FrameSource:
    """Return the source `spec` with the camera settings applied.

    Raises
    ------
    SourceError
        As :func:`open_source`, or if it is a recording, which has no pictures.
    """
    if looks_recorded(Path(spec)):
        raise SourceError(f"{spec}: a recording of landmarks has no pictures; 'posture replay' judges it")
    c = settings.camera
    return open_source(
        spec,
        mirror=c.mirror,
        rotate_deg=c.rotate_deg,
        width_px=c.width_px,
        height_px=c.height_px,
        rate_hz=c.rate_hz,
        stop=signals.stop,
    )


def check_outputs(inputs: list[str], outputs: list[Path | None]) -> None:
    """Raise if a file to write is one to read, or is to be written twice."""
    seen = {os.path.realpath(spec) for spec in inputs}
    for path in outputs:
        place = os.devnull if path is None else os.path.realpath(path)
        if place in seen:
            raise OutputError(f"{path}: would overwrite a clip or another result; name another file")
        seen |= {place} - {os.devnull}


def print_notes(console: Console, source: FrameSource) -> None:
    """Tell what a source could not read."""
    for note in source.notes:
        console.print(f"note: {note}", style="yellow")


@contextlib.contextmanager
def open_preview(settings: Settings, console: Console, *, takes_commands: bool) -> Iterator[Preview]:
    """Open the preview window for the time of a ``with`` block."""
    window = Preview(
        settings, takes_commands=takes_commands, on_note=lambda text: console.print(text, style="yellow")
    )
    with contextlib.closing(window):
        yield window
