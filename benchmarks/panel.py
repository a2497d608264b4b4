"""What the live panel costs: processor time per hour of desk work, drawn on a terminal and as plain lines.

    python benchmarks/panel.py [TRACE.npz ...]

Plays landmark traces of desk sessions (default: the test fixtures') through pipeline and display as fast as it goes;
the clock that limits the drawing is set to frame time, so that as much is drawn as before a camera.
"""

from __future__ import annotations

import argparse
import os
import pty
import threading
import time
from pathlib import Path

from rich.console import Console

from posture import terminal
from posture.calibration import fit_baseline
from posture.history.today import Today
from posture.load import Load
from posture.panel_view import Surroundings
from posture.pipeline import Pipeline
from posture.settings import Settings
from posture.trace import load_trace

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"


class FrameClock:
    """`time`, with the frames' own time for a clock."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


def cost(path: Path, *, is_plain: bool) -> tuple[float, float, int]:
    """Return processor seconds with the display, those of the rest, and the times it drew."""
    settings, landmarks = Settings(), load_trace(path)
    results = list(Pipeline(settings, fit_baseline(landmarks[:48], settings.judge)).run(landmarks))
    pipeline = Pipeline(settings, fit_baseline(landmarks[:48], settings.judge))
    clock, load, today = FrameClock(), Load(), Today(None, 3.0)
    reader, writer = pty.openpty()
    threading.Thread(target=drain, args=(reader,), daemon=True).start()
    with os.fdopen(writer, "w", encoding="utf-8") as file:
        console = Console(file=file, force_terminal=True, color_system="truecolor", width=100, height=30)
        around = lambda: Surroundings("camera 0", "", 2.0, 0.9, 0.02, "0 sent", today.upright_ratio, "today")  # noqa: E731
        terminal.time = clock
        display = terminal.make_display(console, pipeline, around, is_plain=is_plain)
        drawn, start_s = 0, time.thread_time()
        shown = None
        for result in results:
            clock.now_s = result.t_s
            load.handle(result)
            today.handle(result)
            display.handle(result)
            drawn += getattr(display, "_shown", None) is not shown
            shown = getattr(display, "_shown", None)
        took_s = time.thread_time() - start_s
        display.close()
    return took_s, float(landmarks.t_s[-1]), drawn


def drain(reader: int) -> None:
    """Read what is drawn, as a terminal would."""
    try:
        while os.read(reader, 65536):
            pass
    except OSError:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces", nargs="*", type=Path, default=sorted(FIXTURES.glob("d30*.npz")))
    for path in parser.parse_args().traces:
        cost(path, is_plain=False)  # once to warm up
        told = []
        for is_plain in (True, False):
            took_s, span_s, drawn = min(cost(path, is_plain=is_plain) for _ in range(3))
            told.append(f"{'plain' if is_plain else 'panel'} {took_s * 3600.0 / span_s:.1f} s/h")
        each = f"{1e3 * took_s / max(drawn, 1):.1f} ms a draw, {drawn / span_s:.2f} draws/s"
        print(f"{path.stem:14s} {'   '.join(told)}   ({each})")


if __name__ == "__main__":
    main()
