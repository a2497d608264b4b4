"""What is opened with the settings applied, for commands and for Python: a source, an observer, the preview."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from posture.errors import SourceError
from posture.face_network import FaceNetwork
from posture.landmarker import PoseLandmarker
from posture.observer import Observer
from posture.recording.reader import looks_recorded
from posture.settings import Settings
from posture.sources import FrameSource, open_source
from posture.view.preview import Preview


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


def open_with_settings(
    spec: str, settings: Settings, stop: threading.Event, *, judge: str = "'posture replay'"
) -> FrameSource:
    """Return the source `spec` with the camera settings applied; `judge` is what to use for a recording instead.

    Raises
    ------
    SourceError
        As :func:`open_source`, or if it is a recording, which has no pictures.
    """
    if looks_recorded(Path(spec)):
        raise SourceError(f"{spec}: a recording of landmarks has no pictures; {judge} judges it")
    c = settings.camera
    return open_source(
        spec,
        mirror=c.mirror,
        rotate_deg=c.rotate_deg,
        width_px=c.width_px,
        height_px=c.height_px,
        rate_hz=c.rate_hz,
        stop=stop,
    )


def print_notes(console: Console, source: FrameSource) -> None:
    """Tell what a source could not read."""
    for note in source.notes:
        console.print(f"note: {note}", style="bold")


@contextlib.contextmanager
def open_preview(settings: Settings, console: Console, *, takes_commands: bool) -> Iterator[Preview]:
    """Open the preview window for the time of a ``with`` block."""
    window = Preview(
        settings, takes_commands=takes_commands, on_note=lambda text: console.print(text, style="bold")
    )
    with contextlib.closing(window):
        yield window
