"""One chart of a whole clip: deviations with their boundaries, what was judged, states, reasons and events.

The parts are drawn by :mod:`posture.view.axes`.
"""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from posture.baseline import Baseline
from posture.errors import OutputError
from posture.files import write_atomically
from posture.judging import Thresholds, make_thresholds
from posture.settings import JudgeSettings
from posture.slouch import EventKind, SlouchEvent
from posture.step_result import StepResult
from posture.view.axes import draw_all, import_matplotlib
from posture.words import EVENTS, REASONS, clock

KINDS: Final = (".png", ".svg", ".html")
_SIZE_IN, _DPI = (12.0, 6.6), 150
_STYLE: Final = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "axes.titlelocation": "left",
    "font.size": 10,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "posture",  # the same clip gives the same file
    "xtick.color": "#333333",
    "ytick.color": "#333333",
}


class PlotSink:
    """Gather every step and write the chart at the end.

    Parameters
    ----------
    path : Path
        The file to write: ``.png``, ``.svg`` or ``.html``, a page that needs nothing else.
    title : str
        What was judged; may be any text.
    baseline : callable
        Return the upright that is judged against now.
    judge : JudgeSettings
        The boundaries.

    Raises
    ------
    OutputError
        If the file's name is of another kind or Matplotlib is missing; from :meth:`close` if it cannot be written.
    """

    def __init__(
        self, path: Path, title: str, baseline: Callable[[], Baseline | None], judge: JudgeSettings
    ) -> None:
        check_plot_name(path)
        import_matplotlib("--plot")
        self._path, self._title, self._baseline, self._judge = path, title, baseline, judge
        self._steps: list[StepResult] = []

    def handle(self, result: StepResult) -> None:
        """Take in one step."""
        self._steps.append(result)

    def close(self) -> None:
        """Write the chart; nothing if there was no step."""
        if not self._steps:
            return
        baseline = self._baseline()
        limits = None if baseline is None else make_thresholds(self._judge, baseline)
        kind = self._path.suffix.lower().removeprefix(".")
        drawn = _draw(
            self._steps, limits, self._judge.release_ratio, self._title, "png" if kind == "png" else "svg"
        )
        if kind == "html":
            events = [event for step in self._steps for event in step.events]
            drawn = _page(drawn.decode(), self._title, events).encode()
        write_atomically(self._path, drawn, is_durable=False)


def check_plot_name(path: Path) -> None:
    """Raise OutputError unless the end of the file's name tells a kind of chart that is written."""
    if path.suffix.lower() not in KINDS:
        raise OutputError(f"{path}: a plot is {', '.join(KINDS[:-1])} or {KINDS[-1]}: name such a file")


def _draw(
    steps: list[StepResult], limits: Thresholds | None, release_ratio: float, title: str, kind: str
) -> bytes:
    """Return the chart as the content of a file."""
    matplotlib = import_matplotlib("--plot")
    with matplotlib.rc_context(_STYLE):
        figure = matplotlib.figure.Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
        draw_all(figure, steps, limits, release_ratio, title)
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return content.getvalue()


def _page(svg: str, title: str, events: list[SlouchEvent]) -> str:
    """Return a page with the chart and the events as a table, for whoever does not see charts."""
    svg = svg[svg.index("<svg") :]
    rows = "".join(
        f"<tr><td>{clock(event.onset_s)}</td><td>{clock(event.confirmed_s)}</td><td>{EVENTS[event.kind]}"
        f"{': ' + REASONS[event.reason] if event.kind is EventKind.UNKNOWN_STARTED else ''}</td></tr>\n"
        for event in events
    )
    name = html.escape(title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222;
  background: #fff; }}
figure {{ margin: 0; overflow-x: auto; }}
svg {{ display: block; width: 100%; min-width: 60rem; height: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem 1rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd; }}
</style>
</head>
<body>
<main>
<figure tabindex="0" role="img" aria-label="Deviations, states and events of {name}; the events are in the table below">
{svg}</figure>
<table>
<caption>Events</caption>
<thead><tr><th scope="col">began</th><th scope="col">certain at</th><th scope="col">what</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</main>
</body>
</html>
"""
