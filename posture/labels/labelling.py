"""The labeller's loop: keys to commands, commands to labels, every change to the file; and the command.

The window lives in another process. Whatever happens to it, the labels are in the file.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from rich.console import Console

from posture.capture import Orientation
from posture.config import load_settings
from posture.console import make_console
from posture.errors import LabelError, OutputError
from posture.labels.document import render_labels
from posture.labels.editing import (
    Draft,
    clear_marks,
    delete,
    edges,
    give,
    mark_end,
    mark_start,
    redo,
    set_baseline,
    undo,
)
from posture.labels.footage import Footage, Shot, open_footage
from posture.labels.keeper import Keeper
from posture.labels.keys import FAR_S, STEP_S, Action, action_of
from posture.labels.labels import Duty, check_labels
from posture.labels.playhead import Playhead
from posture.labels.view import make_view
from posture.labels.window import show_labels
from posture.session import INTERRUPTED, TERMINATED, StopSignals
from posture.slouch import SlouchState
from posture.view.child import CONTEXT, WindowProcess
from posture.view.pane import find_obstacle

TICK_S: Final = 0.02
"""Seconds between two looks at what the window tells (our choice)."""
MAX_STEP_S: Final = 0.25
"""Seconds that playing goes on by at most at once, whatever held it up (our choice)."""
_EDITS: Final[dict[Action, Callable[[Draft, float], Draft]]] = {
    Action.MARK_START: mark_start,
    Action.MARK_END: mark_end,
    Action.CLEAR_MARKS: lambda draft, _: clear_marks(draft),
    Action.BASELINE: set_baseline,
    Action.DELETE_STATE: lambda draft, t_s: delete(draft, "state", t_s),
    Action.DELETE_ALERT: lambda draft, t_s: delete(draft, "duty", t_s),
    Action.UNDO: lambda draft, _: undo(draft),
    Action.REDO: lambda draft, _: redo(draft),
}


class Labeller:
    """One clip being labelled, apart from its window.

    Parameters
    ----------
    footage : Footage
        What is looked at.
    keeper : Keeper
        The label file.
    """

    def __init__(self, footage: Footage, keeper: Keeper) -> None:
        self._footage, self._keeper = footage, keeper
        self.draft = Draft(keeper.labels)
        self.playhead = Playhead(footage.duration_s)
        self.trouble = ""
        """Why the newest labels are not in the file; empty = they are."""
        self.shot: Shot = footage.at(0.0)

    def press(self, action: Action | SlouchState | Duty) -> None:
        """Do what a key asks for; a change is written at once."""
        if isinstance(action, SlouchState | Duty):
            self.draft = give(self.draft, action, self.playhead.t_s)
        elif action in _EDITS:
            self.draft = _EDITS[action](self.draft, self.playhead.t_s)
        else:
            self.playhead = self._moved(action)
            self._look()
        if self.draft.labels != self._keeper.labels or action is Action.SAVE:
            self.save()
        if action is Action.SAVE and not self.trouble:
            self.draft = replace(self.draft, message=f"saved in {self._keeper.path.name}; so is every change")

    @property
    def alarm(self) -> str:
        """What the window says while the newest labels are not saved."""
        if not self.trouble:
            return ""
        path = self._keeper.path
        return f"{self.trouble.replace(str(path), path.name).partition(';')[0]}; s tries again"

    def seek(self, share: float) -> None:
        """Go to a share of the clip's length, 0 to 1."""
        self.playhead = self.playhead.moved(share * self.playhead.duration_s)
        self._look()

    def advance(self, passed_s: float) -> None:
        """Play on for so many seconds, if it plays."""
        if self.playhead.is_playing:
            self.playhead = self.playhead.advanced(min(passed_s, MAX_STEP_S))
            self._look()

    def save(self) -> None:
        """Write the labels; what is in the way is kept to be shown."""
        try:
            self._keeper.save(self.draft.labels)
        except (OutputError, LabelError) as error:
            self.trouble = f"not saved: {error}"
        else:
            self.trouble = ""

    def _look(self) -> None:
        """Fetch what there is to see; a clip that ends before the length it announced is that much shorter."""
        self.shot = self._footage.at(self.playhead.t_s)
        if self._footage.duration_s != self.playhead.duration_s:
            self.playhead = replace(self.playhead, duration_s=self._footage.duration_s)
            self.playhead = self.playhead.moved(self.playhead.t_s).advanced(0.0)

    def _moved(self, action: Action) -> Playhead:
        """Return where an action leads."""
        head, t_s = self.playhead, self.playhead.t_s
        match action:
            case Action.PLAY:
                return head.toggled()
            case Action.SLOWER | Action.FASTER:
                return head.paced(1 if action is Action.FASTER else -1)
            case Action.NEXT_FRAME | Action.PREVIOUS_FRAME:
                to_s = self._footage.step(t_s, is_back=action is Action.PREVIOUS_FRAME)
                return replace(head.moved(to_s), is_playing=False)
            case Action.FORWARD | Action.BACK:
                return head.moved(t_s + (STEP_S if action is Action.FORWARD else -STEP_S))
            case Action.FORWARD_FAR | Action.BACK_FAR:
                return head.moved(t_s + (FAR_S if action is Action.FORWARD_FAR else -FAR_S))
            case Action.BEGIN | Action.END:
                return head.moved(0.0 if action is Action.BEGIN else head.duration_s)
            case Action.NEXT_EDGE:
                return head.moved(
                    min((t for t in edges(self.draft.labels) if t > t_s), default=head.duration_s)
                )
            case Action.PREVIOUS_EDGE:
                return head.moved(max((t for t in edges(self.draft.labels) if t < t_s), default=0.0))
        return head


def run_label(clip: str, labels: Path | None, overrides: list[str]) -> int:
    """Label a clip in a window; return the exit code."""
    console, errors = make_console(), make_console(is_stderr=True)
    obstacle = find_obstacle(os.environ, sys.platform)
    if obstacle:
        raise LabelError(f"the labeller needs a window: {obstacle}")
    camera = load_settings(overrides=overrides).camera
    path = Path(clip)
    with contextlib.closing(open_footage(path, Orientation(rotate_deg=camera.rotate_deg))) as footage:
        keeper = Keeper(path, labels)
        for problem in check_labels(keeper.labels, footage.duration_s, path.name):
            errors.print(f"note: {keeper.path.name}: {problem}", style="bold")
        labeller = Labeller(footage, keeper)
        with StopSignals() as signals:
            ending = _run_window(labeller, path.name, signals.stop)
        labeller.save()
    return _conclude(labeller, keeper, ending, signals, console)


def _run_window(labeller: Labeller, name: str, stop: threading.Event) -> str:
    """Show the labeller in a window until it is closed; return why there is none any more, or nothing."""
    theirs, ours = CONTEXT.Pipe(duplex=False)
    child = WindowProcess(show_labels, "posture-labels", theirs)
    pages: queue.Queue[tuple[object, Shot]] = queue.Queue(maxsize=1)
    threading.Thread(target=_send_pages, args=(pages, ours), name="posture-labels", daemon=True).start()
    has_opened = False
    shown: object = None
    before_s = time.monotonic()
    try:
        while not stop.is_set():
            now_s = time.monotonic()
            labeller.advance(now_s - before_s)
            before_s = now_s
            view = make_view(name, labeller.playhead, labeller.draft, labeller.shot.landmarks, labeller.alarm)
            if (view, labeller.shot.t_s) != shown and not pages.full():
                pages.put_nowait((view, labeller.shot))
                shown = view, labeller.shot.t_s
            while child.told.poll(TICK_S):
                kind, value = child.told.recv()
                has_opened = has_opened or kind == "opened"
                if kind in ("closed", "failed"):
                    return str(value) if kind == "failed" else ""
                action = action_of(value) if kind == "key" else None
                if action is Action.CLOSE:
                    return ""
                if kind == "seek":
                    labeller.seek(value)
                if action is not None:
                    labeller.press(action)
                break
    except (EOFError, OSError):
        if has_opened:
            return "the window is gone (has the screen ended?)"
        return "no window could be opened (can DISPLAY be reached?)"
    finally:
        child.end()
    return ""


def _send_pages(pages: queue.Queue[tuple[object, Shot]], window: Connection) -> None:
    """Hand pages over as fast as the window takes them, and keep nobody waiting for it."""
    with contextlib.suppress(OSError):  # the window has gone
        while True:
            view, shot = pages.get()
            window.send((view, shot.image_rgb))


def _conclude(labeller: Labeller, keeper: Keeper, ending: str, signals: StopSignals, console: Console) -> int:
    """Tell where the labels are, and return the exit code."""
    if labeller.trouble:
        console.print(render_labels(labeller.draft.labels), end="")
        raise LabelError(f"{labeller.trouble}; the labels are printed above: keep them")
    n = len(keeper.labels.intervals)
    where = (
        f"{n} label{'' if n == 1 else 's'} in {keeper.path}" if not keeper.is_new else "nothing was labelled"
    )
    if ending:
        raise LabelError(f"{ending}; {where}")
    console.print(f"Interrupted: {where}" if signals.received is not None else where[0].upper() + where[1:])
    if keeper.note:
        console.print(keeper.note)
    if signals.received is None:
        return 0
    return INTERRUPTED if signals.received == signal.SIGINT else TERMINATED
