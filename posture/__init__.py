"""A quiet posture monitor: neck and thoracic inclination against your own upright baseline.

The whole of it, for a clip::

    import posture

    result = posture.replay("clip.mp4", calibrate=(0, 8))
    frame = pandas.DataFrame(result.columns())

and for a camera::

    baseline = posture.calibrate(0)
    with posture.watch(0, baseline) as steps:
        for step in steps:
            print(step.t_s, step.state, step.neck_deviation_deg)

What :data:`__all__` names is public, and nothing else is; docs/api.md tells how long it stays.
Importing this package loads neither OpenCV nor MediaPipe nor numpy; a name is loaded when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posture.alerts import Alert as Alert
    from posture.alerts import Urgency as Urgency
    from posture.angles import Angles as Angles
    from posture.angles import Place as Place
    from posture.angles import compute_angles as compute_angles
    from posture.api.camera import Watch as Watch
    from posture.api.camera import calibrate as calibrate
    from posture.api.camera import watch as watch
    from posture.api.clip import detect_landmarks as detect_landmarks
    from posture.api.clip import replay as replay
    from posture.api.columns import bout_columns as bout_columns
    from posture.api.columns import event_columns as event_columns
    from posture.api.columns import step_columns as step_columns
    from posture.api.evaluation import EvaluationResult as EvaluationResult
    from posture.api.evaluation import evaluate as evaluate
    from posture.api.measure import measure_deviation as measure_deviation
    from posture.api.result import ReplayResult as ReplayResult
    from posture.api.tuning import TuneFigures as TuneFigures
    from posture.api.tuning import TuneResult as TuneResult
    from posture.api.tuning import tune as tune
    from posture.baseline import Baseline as Baseline
    from posture.baseline import Placement as Placement
    from posture.bundled import demo_clip as demo_clip
    from posture.calibration import fit_baseline as fit_baseline
    from posture.calibration_run import CalibrationTick as CalibrationTick
    from posture.coefficients import packaged_coefficients as packaged_coefficients
    from posture.config import load_settings as load_settings
    from posture.config import make_settings as make_settings
    from posture.cues import CUES as CUES
    from posture.deviation import Coefficients as Coefficients
    from posture.deviation import Deviation as Deviation
    from posture.deviation import Estimator as Estimator
    from posture.deviation import Measure as Measure
    from posture.deviation import Network as Network
    from posture.deviation import NetworkCoefficients as NetworkCoefficients
    from posture.deviation import compute_deviation as compute_deviation
    from posture.deviation import make_estimator as make_estimator
    from posture.errors import CalibrationError as CalibrationError
    from posture.errors import EvaluationError as EvaluationError
    from posture.errors import LandmarkerError as LandmarkerError
    from posture.errors import ModelFileError as ModelFileError
    from posture.errors import OutputError as OutputError
    from posture.errors import PostureError as PostureError
    from posture.errors import ProfileError as ProfileError
    from posture.errors import SettingsError as SettingsError
    from posture.errors import ShapeError as ShapeError
    from posture.errors import SourceError as SourceError
    from posture.errors import TimestampError as TimestampError
    from posture.errors import TraceError as TraceError
    from posture.evaluation.figures import AngleFigures as AngleFigures
    from posture.evaluation.figures import Estimate as Estimate
    from posture.evaluation.figures import Figures as Figures
    from posture.face_network import FaceNetwork as FaceNetwork
    from posture.judging import Thresholds as Thresholds
    from posture.landmarker import PoseLandmarker as PoseLandmarker
    from posture.landmarks import Face as Face
    from posture.landmarks import Frame as Frame
    from posture.landmarks import Landmarks as Landmarks
    from posture.landmarks import PoseLandmark as PoseLandmark
    from posture.landmarks import landmarks_from_mediapipe as landmarks_from_mediapipe
    from posture.measured import Measured as Measured
    from posture.monitor import FrameObserver as FrameObserver
    from posture.monitor import run_monitor as run_monitor
    from posture.observer import Observer as Observer
    from posture.pipeline import Pipeline as Pipeline
    from posture.profiles import load_baseline as load_baseline
    from posture.profiles import profile_path as profile_path
    from posture.profiles import save_baseline as save_baseline
    from posture.settings import AlertSettings as AlertSettings
    from posture.settings import BreakSettings as BreakSettings
    from posture.settings import CalibrationSettings as CalibrationSettings
    from posture.settings import CameraSettings as CameraSettings
    from posture.settings import HistorySettings as HistorySettings
    from posture.settings import JudgeSettings as JudgeSettings
    from posture.settings import ModelSettings as ModelSettings
    from posture.settings import NotifySettings as NotifySettings
    from posture.settings import PauseSettings as PauseSettings
    from posture.settings import PoseSettings as PoseSettings
    from posture.settings import PowerSettings as PowerSettings
    from posture.settings import Settings as Settings
    from posture.settings import ViewSettings as ViewSettings
    from posture.sinks import Sink as Sink
    from posture.slouch import EventKind as EventKind
    from posture.slouch import Reason as Reason
    from posture.slouch import SlouchEvent as SlouchEvent
    from posture.slouch import SlouchState as SlouchState
    from posture.sources import FrameSource as FrameSource
    from posture.sources import open_source as open_source
    from posture.step_result import StepResult as StepResult
    from posture.summary import Bout as Bout
    from posture.summary import Summarizer as Summarizer
    from posture.summary import Summary as Summary
    from posture.trace import load_trace as load_trace
    from posture.trace import save_trace as save_trace
    from posture.view.charts import plot_deviations as plot_deviations
    from posture.view.charts import plot_replay as plot_replay
    from posture.view.charts import plot_slouch_ratio as plot_slouch_ratio
    from posture.view.charts import plot_states as plot_states

__version__ = "0.1.0"

_HOME = {
    # Run
    "replay": "api.clip",
    "detect_landmarks": "api.clip",
    "calibrate": "api.camera",
    "watch": "api.camera",
    "Watch": "api.camera",
    "ReplayResult": "api.result",
    "step_columns": "api.columns",
    "event_columns": "api.columns",
    "bout_columns": "api.columns",
    "demo_clip": "bundled",
    # Plots
    "plot_replay": "view.charts",
    "plot_deviations": "view.charts",
    "plot_slouch_ratio": "view.charts",
    "plot_states": "view.charts",
    # Judge
    "Pipeline": "pipeline",
    "StepResult": "step_result",
    "Measured": "measured",
    "SlouchState": "slouch",
    "Reason": "slouch",
    "SlouchEvent": "slouch",
    "EventKind": "slouch",
    "Alert": "alerts",
    "Urgency": "alerts",
    "Thresholds": "judging",
    "Summarizer": "summary",
    "Summary": "summary",
    "Bout": "summary",
    "run_monitor": "monitor",
    "FrameObserver": "monitor",
    "Sink": "sinks",
    # Estimate
    "measure_deviation": "api.measure",
    "Deviation": "deviation",
    "Measure": "deviation",
    "Baseline": "baseline",
    "Placement": "baseline",
    "fit_baseline": "calibration",
    "CalibrationTick": "calibration_run",
    "compute_angles": "angles",
    "CUES": "cues",
    "Angles": "angles",
    "Place": "angles",
    "compute_deviation": "deviation",
    "make_estimator": "deviation",
    "Estimator": "deviation",
    "Coefficients": "deviation",
    "Network": "deviation",
    "NetworkCoefficients": "deviation",
    "packaged_coefficients": "coefficients",
    # Landmarks and where they come from
    "Landmarks": "landmarks",
    "PoseLandmark": "landmarks",
    "Face": "landmarks",
    "landmarks_from_mediapipe": "landmarks",
    "Frame": "landmarks",
    "FrameSource": "sources",
    "open_source": "sources",
    "PoseLandmarker": "landmarker",
    "FaceNetwork": "face_network",
    "Observer": "observer",
    # Evaluate
    "evaluate": "api.evaluation",
    "EvaluationResult": "api.evaluation",
    "Figures": "evaluation.figures",
    "Estimate": "evaluation.figures",
    "AngleFigures": "evaluation.figures",
    "tune": "api.tuning",
    "TuneResult": "api.tuning",
    "TuneFigures": "api.tuning",
    # Files
    "load_baseline": "profiles",
    "save_baseline": "profiles",
    "profile_path": "profiles",
    "load_trace": "trace",
    "save_trace": "trace",
    # Settings
    "Settings": "settings",
    "make_settings": "config",
    "load_settings": "config",
    "CameraSettings": "settings",
    "ModelSettings": "settings",
    "PoseSettings": "settings",
    "CalibrationSettings": "settings",
    "JudgeSettings": "settings",
    "AlertSettings": "settings",
    "BreakSettings": "settings",
    "NotifySettings": "settings",
    "PowerSettings": "settings",
    "HistorySettings": "settings",
    "PauseSettings": "settings",
    "ViewSettings": "settings",
    # Errors
    "PostureError": "errors",
    "ShapeError": "errors",
    "TimestampError": "errors",
    "SettingsError": "errors",
    "SourceError": "errors",
    "ModelFileError": "errors",
    "LandmarkerError": "errors",
    "CalibrationError": "errors",
    "ProfileError": "errors",
    "TraceError": "errors",
    "OutputError": "errors",
    "EvaluationError": "errors",
}
"""Where each public name lives. A new one is also named in the block above and on a page of docs/reference."""
__all__ = [*_HOME, "__version__"]


if not TYPE_CHECKING:  # or a type checker would take any name for one of these

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used."""
        if name not in _HOME:
            raise AttributeError(f"module 'posture' has no attribute {name!r}")
        return getattr(importlib.import_module(f"posture.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
