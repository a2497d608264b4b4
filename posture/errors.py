"""What can go wrong, one class per kind.

Every error a person can cause derives from :class:`PostureError` and from the builtin it
specialises. Its text is one line that names the thing and says what to do; the command line
prints that line and exits with status 1.
"""


class PostureError(Exception):
    """Base of every error raised on purpose by this package."""


class ShapeError(PostureError, ValueError):
    """Error raised when an array does not have the documented shape."""


class TimestampError(PostureError, ValueError):
    """Error raised when timestamps are not finite or go backwards."""


class SettingsError(PostureError, ValueError):
    """Error raised when a setting is unknown, of the wrong type or out of its range."""


class OverrideError(SettingsError):
    """Error raised when what was given to ``--set`` is wrong: a mistake in the command, exit status 2."""


class SourceError(PostureError, OSError):
    """Error raised when a camera, clip, folder or stream cannot be opened or read."""


class ModelFileError(PostureError, OSError):
    """Error raised when the pose model is missing, truncated, altered or not a model."""


class LandmarkerError(PostureError, RuntimeError):
    """Error raised when the pose model refuses a frame or cannot be started."""


class CalibrationError(PostureError, ValueError):
    """Error raised when frames are not good enough to make a baseline from."""


class ProfileError(PostureError, OSError):
    """Error raised when a stored baseline is missing, unreadable or of another version."""


class NotifyError(PostureError, RuntimeError):
    """Error raised when a desktop notification could not be delivered."""


class TraceError(PostureError, OSError):
    """Error raised when a landmark trace cannot be read or written."""


class WindowError(PostureError, RuntimeError):
    """Error raised when no window can be opened."""


class StretchError(PostureError, ValueError):
    """Error raised when a file of stretches is not as it has to be, or there is no stretch like the one asked for."""


class LabelError(PostureError, ValueError):
    """Error raised when a label file is missing, unreadable, or says what cannot be."""


class OutputError(PostureError, OSError):
    """Error raised when a result file cannot be written."""


class JobsError(PostureError, RuntimeError):
    """Error raised when work cannot be handed to other processes or machines."""


class AutostartError(PostureError, RuntimeError):
    """Error raised when starting at login cannot be arranged or taken back."""


class ControlError(PostureError, RuntimeError):
    """Error raised when a running monitor cannot be reached, or a command makes no sense."""


class AlreadyRunningError(PostureError, RuntimeError):
    """Error raised when a monitor of this user runs already."""


class TrayError(PostureError, RuntimeError):
    """Error raised when a tray icon cannot be shown."""


class HistoryError(PostureError, OSError):
    """Error raised when the history cannot be opened, read or written."""


class DamagedHistoryError(HistoryError):
    """Error raised when the content of the history's file cannot be relied on."""


class EvaluationError(PostureError, ValueError):
    """Error raised when there is nothing to evaluate, or what is to be compared with is none."""
