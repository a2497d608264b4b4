"""Is the program whole: versions, one OpenCV and not two, a MediaPipe that keeps the promise, the models."""

from __future__ import annotations

import mmap
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata, util
from pathlib import Path

from posture import __version__
from posture.bundled import FACE_MODEL_NAME, MODEL_NAME, asset_path
from posture.capture import import_cv2
from posture.checks.finding import Finding, broken, fine, warning
from posture.model_file import check_model, read_face_model
from posture.settings import Settings

MEDIAPIPE_VERSION = "0.10.31"
"""What the package asks for: the last line without code that reports its use."""
_OPENCV = "opencv-python-headless"
_OPENCV_TWINS = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
_PYGAME, _PYGAME_TWINS = "pygame-ce", ("pygame",)
_RESOLVERS = (b"getaddrinfo", b"GetAddrInfo", b"gethostbyname")
"""How native code finds a host; a library that can send reports has at least one of the names in it."""
_NATIVE = {".so", ".dylib", ".dll", ".pyd"}


def check_versions() -> Iterator[Finding]:
    """Tell the versions; a bug report begins with them."""
    names = ("mediapipe", _OPENCV, "numpy")
    versions = {name: _version(name) for name in names}
    told = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    system = f"{platform.system()} {platform.machine()}"
    text = f"posture {__version__}, Python {platform.python_version()}, {told}, {system}"
    missing = [name for name, version in versions.items() if version is None and name != _OPENCV]
    if missing:
        yield broken("versions", text, f"python -m pip install {' '.join(missing)}")
    else:
        yield fine("versions", text)


def check_opencv() -> Iterator[Finding]:
    """Look whether OpenCV can be used, and is there once."""
    try:
        cv2 = import_cv2()
        cv2.VideoCapture  # noqa: B018 (half an installation is an empty module)
    except (ImportError, AttributeError) as error:
        yield broken("opencv", f"cannot be used: {error}", _reinstall(_OPENCV, _OPENCV_TWINS))
    else:
        yield from _check_alone("opencv", _OPENCV, _OPENCV_TWINS)


def check_pygame() -> Iterator[Finding]:
    """Look whether what opens windows is there, once; only the preview and the labeller need it."""
    if util.find_spec("pygame") is None:
        yield warning(
            "pygame", "is not installed: no preview, no labeller", _reinstall(_PYGAME, _PYGAME_TWINS)
        )
    else:
        yield from _check_alone("pygame", _PYGAME, _PYGAME_TWINS)


def check_no_reports() -> Iterator[Finding]:
    """Later MediaPipe versions report their use to a server: wrong version, or code that can find one."""
    remedy = f"python -m pip install --force-reinstall mediapipe=={MEDIAPIPE_VERSION}"
    version = _version("mediapipe")
    spec = util.find_spec("mediapipe")
    if version is None or spec is None or spec.origin is None:
        yield broken("mediapipe", "is not installed", remedy)
        return
    able = [path for path in _libraries(Path(spec.origin).parent) if _can_find_hosts(path)]
    if version != MEDIAPIPE_VERSION:
        text = f"version {version} may report its use to a server; {MEDIAPIPE_VERSION} has no code for it"
        yield broken("mediapipe", text, remedy)
    elif able:
        yield broken("mediapipe", f"{able[0].name} has code that looks up hosts", remedy)
    else:
        yield fine("mediapipe", f"{version}; its native library has no code that looks up hosts")


def check_pose_model(settings: Settings) -> Iterator[Finding]:
    """Check the packaged models' checksums, or that another pose model is whole."""
    packaged = asset_path(MODEL_NAME)
    path = Path(settings.model.path).expanduser() if settings.model.path else packaged
    check_model(path, path == packaged)
    names = MODEL_NAME
    if settings.pose.face:
        read_face_model(asset_path(FACE_MODEL_NAME))
        names += f" and {FACE_MODEL_NAME}"
    if path == packaged:
        yield fine("model", f"{names}, SHA-256 as published")
    else:
        yield warning("model", f"{path}: whole, but not the one that the figures were measured with")


def _check_alone(check: str, wanted: str, others: Sequence[str]) -> Iterator[Finding]:
    """Two distributions of one module overwrite each other's files, and removing one breaks the other."""
    twins = _installed(others)
    if twins and _version(wanted) is not None:
        text = f"{wanted} and {' and '.join(twins)} are both installed and overwrite each other"
        yield broken(check, text, _reinstall(wanted, others))
    elif twins:
        text = f"{twins[0]} {_version(twins[0])} instead of {wanted}"
        yield warning(check, text, _reinstall(wanted, others))
    else:
        yield fine(check, f"{wanted} {_version(wanted)}, alone")


def _reinstall(wanted: str, others: Sequence[str]) -> str:
    """Return what leaves one distribution of a module."""
    everything = " ".join([wanted, *_installed(others)])
    return f"python -m pip uninstall -y {everything}; python -m pip install {wanted}"


def _installed(distributions: Sequence[str]) -> list[str]:
    """Return those that are installed."""
    return [name for name in distributions if _version(name) is not None]


def _version(distribution: str) -> str | None:
    """Return the installed version; None = not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _libraries(package: Path) -> Iterator[Path]:
    """Yield the package's native libraries."""
    for path in package.rglob("*"):
        if path.suffix in _NATIVE and path.is_file():
            yield path


def _can_find_hosts(library: Path) -> bool:
    """Return whether a native library names a function that finds hosts."""
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(name) >= 0 for name in _RESOLVERS)
