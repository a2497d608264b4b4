"""What a replay writes for people to look at: the annotated clip and the chart, if they are asked for."""

from __future__ import annotations

from pathlib import Path

from posture.monitor import FrameObserver
from posture.pipeline import Pipeline
from posture.sinks import Sink
from posture.sources import FrameSource
from posture.view.annotate import AnnotateSink
from posture.view.onlooker import Onlooker
from posture.view.plot import PlotSink

_RATE_HZ = 25.0  # of a clip that tells neither its length nor its number of frames


class Views:
    """The sinks of one replay and the observer that they need.

    Parameters
    ----------
    source : FrameSource
        The open clip.
    observer : FrameObserver
        Fresh for this clip.
    pipeline : Pipeline
        Judges it.
    annotate, plot : Path or None
        Files to write.

    Raises
    ------
    OutputError
        If a file's name is of a kind that is not written, or what writes it is not installed.
    """

    def __init__(
        self,
        source: FrameSource,
        observer: FrameObserver,
        pipeline: Pipeline,
        annotate: Path | None,
        plot: Path | None,
    ) -> None:
        self.observer: FrameObserver = observer
        """To judge with: the one given, or one that remembers what it saw."""
        self.sinks: list[Sink] = []
        """To be handed every result, and closed."""
        self._video: AnnotateSink | None = None
        if plot is not None:
            self.sinks.append(PlotSink(plot, source.name, lambda: pipeline.baseline, pipeline.settings.judge))
        if annotate is not None:
            self.observer = onlooker = Onlooker(observer)
            rate_hz = (
                source.n_frames / source.duration_s if source.n_frames and source.duration_s else _RATE_HZ
            )
            self._video = AnnotateSink(
                annotate, onlooker, lambda: pipeline.baseline, pipeline.settings, source.duration_s, rate_hz
            )
            self.sinks.append(self._video)

    @property
    def notes(self) -> list[str]:
        """What a person should know about the files written, one line each."""
        return [self._video.note] if self._video is not None and self._video.note else []
