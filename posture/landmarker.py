"""Find the joints of a person in a picture. The only module that imports MediaPipe.

The import happens when a :class:`PoseLandmarker` is made, so that importing this module costs nothing.
Pictures go to the model and are dropped; nothing is stored and nothing touches the network.
"""

from __future__ import annotations

import atexit
import math
import sys
import threading
from pathlib import Path
from typing import Any, Self

import numpy as np

from posture.bundled import MODEL_NAME, asset_path
from posture.errors import LandmarkerError, ModelFileError, ShapeError, TimestampError
from posture.landmarks import Frame, Landmarks, UInt8Array, no_person
from posture.model_file import check_model
from posture.stderr import quiet_stderr

MAX_TIME_S = 1e12
"""Latest time accepted, in seconds: MediaPipe counts microseconds in 64 bits."""

MAX_PEOPLE = 4
"""People looked for in a single picture (our choice: a colleague at either side, and one more who walks past)."""
LUMINANCE_STEP_PX = 8  # a 640x480 picture still gives 4,800 samples: the mean is good to a few 0.001
LUMA_RGB = (0.299, 0.587, 0.114)  # ITU-R BT.601-7, section 2.5.1

_open_natives: list[Any] = []
"""Native landmarkers in use. Held here because one that the garbage collector finds closes itself in the
middle of whatever runs, which is a deadlock if that is a call of another one (mediapipe 0.10.31)."""
_importing = threading.Lock()


class PoseLandmarker:
    """MediaPipe's pose landmarker for one person, frame after frame (VIDEO mode, on the CPU).

    Use it as a context manager, or call :meth:`close`; one that is forgotten is closed at exit. One
    object serves one stream: MediaPipe tracks the person from frame to frame and smooths with their
    times (one-euro filter). Not for use from several threads at once.

    Parameters
    ----------
    model_path : Path or None
        Another `.task` bundle; None takes the packaged one, whose checksum is verified.
    min_confidence : float
        In [0, 1], for detection, presence and tracking alike; MediaPipe's own default is 0.5.
    quiet : bool
        Keep MediaPipe's log lines off the terminal. They can be caught only at descriptor 2, so that is
        pointed to nowhere while the model starts and until it has found its first person (its last line
        comes then). False leaves the descriptor alone.

    Raises
    ------
    ModelFileError
        If the model is missing, truncated, altered or not a pose model.
    LandmarkerError
        If MediaPipe cannot be loaded or started.
    """

    def __init__(
        self, model_path: Path | None = None, *, min_confidence: float = 0.5, quiet: bool = True
    ) -> None:
        packaged = asset_path(MODEL_NAME)
        self._model_path = (packaged if model_path is None else model_path).absolute()
        self._is_packaged = self._model_path == packaged
        check_model(self._model_path, self._is_packaged)
        self._mediapipe, self._vision = _import_mediapipe()
        self._min_confidence = min_confidence
        self._quiet = quiet
        self._last_t_s = -math.inf
        self._last_ms = -1
        self._is_closed = False
        self._size_px: tuple[int, ...] | None = None
        self._native: Any = None
        self._still: Any = None  # made when it is first needed, as it seldom is
        self._start()

    def detect(self, frame: Frame) -> Landmarks:
        """Return the landmarks of the person in `frame`, or an all-NaN row if there is none.

        Parameters
        ----------
        frame : Frame
            Its time must not be before that of the previous call. Its picture is (H, W, 3) uint8 RGB of
            any size; views (mirrored, cropped) are fine. A change of size starts the model afresh, which
            takes about 0.15 s.

        Returns
        -------
        Landmarks
            One frame (T = 1). `xyzv` and `world_m` hold float32 values, so that a trace of them in
            float32 is exact. A picture without a person keeps `luminance` and `height_ratio`; without a
            picture those are NaN as well.

        Raises
        ------
        TimestampError
            If `frame.t_s` is not a time, or goes backwards.
        ShapeError
            If the picture is not (H, W, 3) uint8.
        LandmarkerError
            If the landmarker is closed, or MediaPipe fails on this picture twice, the second time
            after a fresh start.
        """
        if self._is_closed:
            raise LandmarkerError("landmarker: detect was called after close: make a new PoseLandmarker")
        timestamp_ms = self._next_timestamp_ms(frame.t_s)
        if frame.image_rgb is None:
            return no_person(frame.t_s)
        image = _checked(frame.image_rgb)
        people = _read(self._run(image, timestamp_ms), frame.t_s, image)
        if not people:
            return no_person(frame.t_s, mean_luminance(image), image.shape[0] / image.shape[1])
        self._is_quiet_needed = False
        return people[0]

    def detect_all(self, frame: Frame) -> list[Landmarks]:
        """Find up to `MAX_PEOPLE` people.

        The picture is looked at by itself (IMAGE mode): no tracking, no smoothing, and 1.5 times the time of
        :meth:`detect`, whose tracking it leaves alone.

        Parameters
        ----------
        frame : Frame
            Its time only stamps the result.

        Returns
        -------
        list of Landmarks
            T = 1 each; empty where nobody is, or without a picture.

        Raises
        ------
        ShapeError
            If the picture is not (H, W, 3) uint8.
        LandmarkerError
            If the landmarker is closed, or MediaPipe fails on this picture.
        """
        if self._is_closed:
            raise LandmarkerError("landmarker: detect_all was called after close: make a new PoseLandmarker")
        if frame.image_rgb is None:
            return []
        image = _checked(frame.image_rgb)
        mp_image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=image)
        try:
            with quiet_stderr(self._quiet):
                if self._still is None:
                    self._still = self._make(self._vision.RunningMode.IMAGE, MAX_PEOPLE)
                return _read(self._still.detect(mp_image), frame.t_s, image)
        except (ValueError, RuntimeError) as error:
            raise LandmarkerError(
                f"landmarker: mediapipe failed on the picture at {frame.t_s} s: {_one_line(error)}"
            ) from error

    def close(self) -> None:
        """Free the model; calling it again does nothing."""
        self._is_closed = True
        self._stop()
        still, self._still = self._still, None
        if still is not None:
            _open_natives.remove(still)
            _free(still)

    def __enter__(self) -> Self:
        """Return the landmarker itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the landmarker."""
        self.close()

    def _next_timestamp_ms(self, t_s: float) -> int:
        """Return the time as MediaPipe wants it: whole milliseconds, later than any before."""
        if not 0.0 <= t_s <= MAX_TIME_S:
            raise TimestampError(f"frame: its time is {t_s} s, which is not a time since the first frame")
        if t_s < self._last_t_s:
            raise TimestampError(f"frame: its time {t_s} s is before the previous {self._last_t_s} s")
        self._last_t_s = t_s
        self._last_ms = max(round(t_s * 1000), self._last_ms + 1)
        return self._last_ms

    def _run(self, image: UInt8Array, timestamp_ms: int) -> Any:
        """Return MediaPipe's result, after one fresh start if the first attempt fails."""
        size_px = image.shape[:2]
        if self._size_px not in (None, size_px):
            self._stop()  # MediaPipe smooths in pixels: its memory of another size would pull points away
        self._size_px = size_px
        if self._native is None:  # or an earlier fresh start failed
            self._start()
        try:
            return self._detect_native(image, timestamp_ms)
        except (ValueError, RuntimeError):
            self._stop()  # after an error in its graph the landmarker refuses every further frame
            self._start()
        try:
            return self._detect_native(image, timestamp_ms)
        except (ValueError, RuntimeError) as error:
            raise LandmarkerError(
                f"landmarker: mediapipe failed on the picture at {self._last_t_s} s: {_one_line(error)}"
            ) from error

    def _detect_native(self, image: UInt8Array, timestamp_ms: int) -> Any:
        mp_image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=image)
        with quiet_stderr(self._quiet and self._is_quiet_needed):
            return self._native.detect_for_video(mp_image, timestamp_ms)

    def _start(self) -> None:
        """Make the native landmarker."""
        self._is_quiet_needed = True
        try:
            with quiet_stderr(self._quiet):
                self._native = self._make(self._vision.RunningMode.VIDEO, 1)
        except (ValueError, RuntimeError, OSError) as error:
            if self._is_packaged:
                raise LandmarkerError(f"landmarker: mediapipe cannot start: {_one_line(error)}") from error
            raise ModelFileError(
                f"{self._model_path}: mediapipe cannot load this pose model ({_one_line(error)}):"
                " download it again, or remove model.path to use the packaged one"
            ) from error

    def _make(self, mode: Any, num_poses: int) -> Any:
        """Return a native landmarker, which is freed at exit if it is not before."""
        base_options = self._mediapipe.tasks.BaseOptions
        # By path the file is mapped, which saves 25 MB; but MediaPipe on Windows opens only ASCII paths.
        if str(self._model_path).isascii():
            base = base_options(model_asset_path=str(self._model_path))
        else:
            base = base_options(model_asset_buffer=self._model_path.read_bytes())
        options = self._vision.PoseLandmarkerOptions(
            base_options=base,
            running_mode=mode,
            num_poses=num_poses,
            min_pose_detection_confidence=self._min_confidence,
            min_pose_presence_confidence=self._min_confidence,
            min_tracking_confidence=self._min_confidence,
        )
        native = self._vision.PoseLandmarker.create_from_options(options)
        _open_natives.append(native)
        atexit.unregister(_free_all)
        atexit.register(_free_all)
        return native

    def _stop(self) -> None:
        """Free the native landmarker."""
        native, self._native = self._native, None
        if native is not None:
            _open_natives.remove(native)
            _free(native)


def _free(native: Any) -> None:
    """Close a native landmarker, also one whose graph has failed or whose interpreter is ending."""
    try:
        native.close()
    except (ValueError, RuntimeError):
        native._handle = None  # or its __del__ closes it again, with modules that exit has emptied
        native._dispatcher.close()
        native._lib.close()


def _free_all() -> None:
    """Free every native landmarker that was never closed."""
    while _open_natives:
        _free(_open_natives.pop())


def _read(result: Any, t_s: float, image: UInt8Array) -> list[Landmarks]:
    """Return MediaPipe's result, one frame (T = 1) a person."""
    if not result.pose_landmarks:
        return []
    luminance, height_ratio = mean_luminance(image), image.shape[0] / image.shape[1]
    people = []
    for found, found_m in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
        # MediaPipe divides x by the width, y by the height, and scales z like x.
        points = [(p.x, p.y * height_ratio, p.z, p.visibility) for p in found]
        world = [(p.x, p.y, p.z) for p in found_m]
        people.append(
            Landmarks(
                np.array([t_s], dtype=np.float64),
                np.array([points], dtype=np.float32).astype(np.float64),
                np.array([world], dtype=np.float32).astype(np.float64),
                np.array([luminance]),
                np.array([height_ratio]),
            )
        )
    return people


def mean_luminance(image_rgb: UInt8Array) -> float:
    """Return the mean luma of an (H, W, 3) uint8 picture in [0, 1], from every eighth pixel each way."""
    samples = image_rgb[::LUMINANCE_STEP_PX, ::LUMINANCE_STEP_PX]
    return sum(weight * float(samples[..., k].mean()) for k, weight in enumerate(LUMA_RGB)) / 255.0


def _checked(image: UInt8Array) -> UInt8Array:
    """Return `image` laid out as MediaPipe reads it, which looks at the memory and not at the strides."""
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0 or image.dtype != np.uint8:
        raise ShapeError(f"frame: picture is {image.shape} {image.dtype}, expected (H, W, 3) uint8")
    return np.ascontiguousarray(image)


def _import_mediapipe() -> tuple[Any, Any]:
    """Import MediaPipe and its vision tasks, one thread at a time.

    Its audio part, unused here, imports sounddevice, which starts the system's audio or, where there is
    none, has ctypes run a compiler; MediaPipe gets along without. Hidden for this import only.
    """
    with _importing:
        sounddevice = sys.modules.setdefault("sounddevice", None)  # type: ignore[arg-type]
        try:
            import mediapipe
            from mediapipe.tasks.python import vision
        except (ImportError, OSError) as error:
            raise LandmarkerError(
                f"mediapipe cannot be loaded ({_one_line(error)}): reinstall it with"
                " python -m pip install --force-reinstall mediapipe==0.10.31"
            ) from error
        finally:
            if sounddevice is None:
                del sys.modules["sounddevice"]
    return mediapipe, vision


def _one_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
