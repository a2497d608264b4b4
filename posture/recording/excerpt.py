"""A short stretch of a recording, judged again as it was."""

from __future__ import annotations

from pathlib import Path

from posture.config import restore_settings
from posture.pipeline import Pipeline
from posture.recording.player import TraceObserver, TraceSource
from posture.settings import Settings
from posture.step_result import StepResult


def judge_excerpt(path: Path, judged_from_s: float, from_s: float, to_s: float) -> list[StepResult]:
    """Return the results of a recording's frames between two frame times.

    Parameters
    ----------
    path : Path
        The recording.
    judged_from_s : float
        Frame time, seconds, from which on frames are judged: what was before cannot be known, such as slouched time.
    from_s, to_s : float
        Frame times, seconds, of what is returned.

    Raises
    ------
    TraceError
        If it is no recording, or its settings cannot be.
    """
    with TraceSource(path) as source:
        settings = Settings()
        if source.header.settings is not None:
            settings, _ = restore_settings(source.header.settings, settings, str(path))
        pipeline = Pipeline(settings, source.header.baseline, start_of_day_s=source.header.start_of_day_s)
        observer = TraceObserver(pipeline, has_own_baseline=True)
        results = []
        for frame in source:
            if frame.t_s > to_s:
                break
            landmarks = observer.detect(frame)  # also obeys what the pipeline was told
            if frame.t_s >= judged_from_s:
                result = pipeline.step(landmarks, observer.condition)
                if frame.t_s >= from_s:
                    results.append(result)
    return results
