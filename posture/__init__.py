"""A quiet posture monitor: neck and thoracic inclination against your own upright baseline.

The pieces, in the order in which data flows through them::

    from posture import FaceNetwork, Observer, Pipeline, PoseLandmarker, Settings, open_source

    pipeline = Pipeline(Settings(), calibrate_span_s=(0, 8))
    observer = Observer(PoseLandmarker(), face_network=FaceNetwork())
    with open_source("clip.mp4") as source, observer:
        for frame in source:
            result = pipeline.step(observer.detect(frame))
            print(result.t_s, result.state, result.neck_deviation_deg)

Importing this package loads neither OpenCV nor MediaPipe nor numpy; a name is loaded when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posture.alerts import Alert as Alert
    from posture.angles import Angles as Angles
    from posture.angles import Place as Place
    from posture.angles import compute_angles as compute_angles
    from posture.baseline import Baseline as Baseline
    from posture.baseline import Placement as Placement
    from posture.calibration import fit_baseline as fit_baseline
    from posture.coefficients import packaged_coefficients as packaged_coefficients
    from posture.config import load_settings as load_settings
    from posture.deviation import Deviation as Deviation
    from posture.deviation import Measure as Measure
    from posture.deviation import compute_deviation as compute_deviation
    from posture.deviation import make_estimator as make_estimator
    from posture.errors import PostureError as PostureError
    from posture.face_network import FaceNetwork as FaceNetwork
    from posture.landmarker import PoseLandmarker as PoseLandmarker
    from posture.landmarks import Frame as Frame
    from posture.landmarks import Landmarks as Landmarks
    from posture.landmarks import PoseLandmark as PoseLandmark
    from posture.monitor import run_monitor as run_monitor
    from posture.observer import Observer as Observer
    from posture.pipeline import Pipeline as Pipeline
    from posture.pipeline import StepResult as StepResult
    from posture.profiles import load_baseline as load_baseline
    from posture.profiles import save_baseline as save_baseline
    from posture.settings import Settings as Settings
    from posture.slouch import EventKind as EventKind
    from posture.slouch import Reason as Reason
    from posture.slouch import SlouchEvent as SlouchEvent
    from posture.slouch import SlouchState as SlouchState
    from posture.sources import FrameSource as FrameSource
    from posture.sources import open_source as open_source
    from posture.summary import Bout as Bout
    from posture.summary import Summarizer as Summarizer
    from posture.summary import Summary as Summary
    from posture.trace import load_trace as load_trace
    from posture.trace import save_trace as save_trace

__version__ = "0.1.0"

_HOME = {
    "Alert": "alerts",
    "Angles": "angles",
    "Baseline": "baseline",
    "Bout": "summary",
    "Deviation": "deviation",
    "EventKind": "slouch",
    "FaceNetwork": "face_network",
    "Frame": "landmarks",
    "FrameSource": "sources",
    "Landmarks": "landmarks",
    "Measure": "deviation",
    "Observer": "observer",
    "Pipeline": "pipeline",
    "Place": "angles",
    "Placement": "baseline",
    "PoseLandmark": "landmarks",
    "PoseLandmarker": "landmarker",
    "PostureError": "errors",
    "Reason": "slouch",
    "Settings": "settings",
    "SlouchEvent": "slouch",
    "SlouchState": "slouch",
    "StepResult": "pipeline",
    "Summarizer": "summary",
    "Summary": "summary",
    "compute_angles": "angles",
    "compute_deviation": "deviation",
    "fit_baseline": "calibration",
    "load_baseline": "profiles",
    "load_settings": "config",
    "load_trace": "trace",
    "make_estimator": "deviation",
    "open_source": "sources",
    "packaged_coefficients": "coefficients",
    "run_monitor": "monitor",
    "save_baseline": "profiles",
    "save_trace": "trace",
}
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'posture' has no attribute {name!r}")
    return getattr(importlib.import_module(f"posture.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
