"""Tell whether a file is the model that it should be, before a library is asked to load it."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from posture.errors import ModelFileError

MODEL_SHA256 = "6f573108a542298fb299d7adf37839f12a1933d3723807213b24eabc4899221e"
"""SHA-256 of the packaged pose model, as printed by `models/build_bundle.py`."""
FACE_MODEL_SHA256 = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
"""SHA-256 of the packaged face network, as it is in MediaPipe's own wheel."""

MODEL_MEMBERS = ("pose_detector.tflite", "pose_landmarks_detector.tflite")
"""What a pose bundle holds; the names are those that MediaPipe's Tasks API asks for."""

_TFLITE_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of a TFLite file; tensorflow/lite/schema/schema.fbs


def check_model(path: Path, is_packaged: bool) -> None:
    """Check that `path` is a whole pose model.

    Parameters
    ----------
    path : Path
        The `.task` file.
    is_packaged : bool
        Whether it must be the packaged model, byte for byte. Any other must be a zip that holds the two
        networks of :data:`MODEL_MEMBERS`, undamaged.

    Raises
    ------
    ModelFileError
        If it is not; the text names the file and says what to do.
    """
    cure = (
        "reinstall the package"
        if is_packaged
        else "name a MediaPipe pose .task file, or remove model.path to use the packaged one"
    )
    try:
        fault = _packaged_fault(path) if is_packaged else _bundle_fault(path)
    except FileNotFoundError:
        fault = "the pose model is missing"
    except OSError as error:
        fault = f"the pose model cannot be read ({error.strerror or error})"
    if fault is not None:
        raise ModelFileError(f"{path}: {fault}: {cure}")


def read_face_model(path: Path) -> bytes:
    """Return the face network `path`, which must be the packaged one, byte for byte.

    Raises
    ------
    ModelFileError
        If it is not; the text names the file and says what to do.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        fault = "the face network is missing"
    except OSError as error:
        fault = f"the face network cannot be read ({error.strerror or error})"
    else:
        if hashlib.sha256(data).hexdigest() == FACE_MODEL_SHA256:
            return data
        fault = f"the face network is {_altered(data)}"
    raise ModelFileError(f"{path}: {fault}: reinstall the package, or do without it by pose.face = false")


def _packaged_fault(path: Path) -> str | None:
    """Return what is wrong with the packaged model, or None."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() == MODEL_SHA256:
        return None
    return f"the pose model is {_altered(data)}"


def _altered(data: bytes) -> str:
    """Return what is wrong with a file that has another checksum."""
    return f"altered or cut short ({len(data):,} bytes, wrong SHA-256)"


def _bundle_fault(path: Path) -> str | None:
    """Return what is wrong with another bundle, or None."""
    try:
        with zipfile.ZipFile(path) as bundle:
            for name in MODEL_MEMBERS:
                if bundle.read(name)[4:8] != _TFLITE_IDENTIFIER:  # reading verifies the member's CRC
                    return f"not a pose model ({name} in it is not a TFLite network)"
    except KeyError as error:
        return f"not a pose model ({error.args[0]})"
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError):
        return "not a pose model, or cut short"
    return None
