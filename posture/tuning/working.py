"""One labelled recording on which settings are tried: what a process of its own does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posture.errors import LabelError
from posture.evaluation.cases import Case
from posture.labels.labels import check_labels
from posture.settings import AlertSettings, JudgeSettings, Settings
from posture.tuning.reading import read_tape
from posture.tuning.tape import Tape
from posture.tuning.trial import Trial, try_settings


@dataclass(frozen=True, slots=True)
class Task:
    """What is done with every recording."""

    settings: Settings
    """Those in force."""
    candidates: tuple[tuple[JudgeSettings, AlertSettings], ...]
    """S settings to try."""

    def __call__(self, case: Case, report: Callable[[float], None]) -> tuple[Trial, str]:
        """Try all settings on a recording; return the counts, and what is wrong with its file, if anything.

        Raises
        ------
        PostureError
            If it cannot be read or measured, or the labels are not its own. One line.
        """
        note = ""

        def measure(judge: JudgeSettings) -> Tape:
            nonlocal note
            tape, note = read_tape(case.clip, self.settings, judge, case.labels.baseline_s)
            if problems := check_labels(case.labels, float(tape.t_s[-1]), case.clip.name):
                raise LabelError(f"{case.clip}: {problems[0]}")
            return tape

        return try_settings(case.name, case.labels, self.candidates, measure, report), note
