"""What came of trying settings as one self-contained page, in the report's style: nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence

from posture.report.sheet import make_sheet
from posture.tuning.choice import CURRENT
from posture.tuning.curve_svg import curve_chart, swatch
from posture.tuning.figures import against_current, bounds
from posture.tuning.finding import Finding
from posture.tuning.sweep import Sweep
from posture.tuning.telling import cells, headline, to_value


def render_page(finding: Finding, sweep: Sweep, notes: Sequence[str] = ()) -> str:
    """Return the page.

    Parameters
    ----------
    finding : Finding
        What is told.
    sweep : Sweep
        What was tried.
    notes : sequence of str
        What else to know.
    """
    environment = make_sheet("posture.tuning", "tune.css")
    choice = finding.choice
    compared, proposal = [], []
    if choice is not None:
        compared = [
            ("yours as they are", cells(choice.current, bounds(choice.current))),
            ("proposed: expected, on people left out", cells(choice.held_out, bounds(choice.held_out))),
            ("proposed: where it was chosen (too good)", cells(choice.seen, bounds(choice.seen))),
        ]
        written = sweep.candidates[choice.chosen].written(sweep.current)
        proposal = [f"{key} = {to_value(value)}" for key, value in written.items()]
    return environment.get_template("tune.html").render(
        f=finding,
        choice=choice,
        is_current=choice is not None and choice.chosen == CURRENT,
        headline=headline(finding),
        chart=curve_chart(finding) if finding.front else None,
        swatch=swatch,
        front=[(finding.names[s], cells(finding.total(s), bounds(finding.total(s)))) for s in finding.front],
        compared=compared,
        proposal=proposal,
        against=against_current(finding) if choice is not None and choice.chosen != CURRENT else "",
        folds=[finding.names[s] for s in choice.by_fold] if choice is not None else [],
        recordings=[
            (trial.name, trial.person, trial.n_must, float(trial.watched_s[CURRENT]) / 3600.0,
             int(trial.n_met[CURRENT]), int(trial.n_false[CURRENT]))
            for trial in finding.trials
        ],
        notes=[*finding.warnings, *notes],
    )  # fmt: skip
