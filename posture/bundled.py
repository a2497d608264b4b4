"""Where the files that come with the package are. Pure path logic; nothing is opened."""

from __future__ import annotations

from pathlib import Path

MODEL_NAME = "pose_landmarker_full.task"
FACE_MODEL_NAME = "face_landmark.tflite"
DEMO_CLIP_NAME = "demo.mp4"

_PACKAGE_FOLDER = Path(__file__).resolve().parent


def asset_path(name: str, package_folder: Path = _PACKAGE_FOLDER) -> Path:
    """Return where the bundled file `name` is.

    An installed package holds its files in `posture/assets`; in a checkout the model stays in the
    top-level `models` folder and only the wheel puts it into `assets`.

    Parameters
    ----------
    name : str
        File name without folders, such as :data:`MODEL_NAME`.
    package_folder : Path
        Folder of the package; only a test has a reason to give it.

    Returns
    -------
    Path
        Absolute path. The first place that holds a file of that name; where none does, the place in
        `posture/assets`, so that an error names the one that an installation should have.
    """
    in_package = package_folder / "assets" / name
    in_checkout = package_folder.parent / "models" / name
    return in_checkout if in_checkout.is_file() and not in_package.is_file() else in_package


def demo_clip() -> Path:
    """Return the clip that comes with the program, to try things on.

    Returns
    -------
    Path
        A video of 60 seconds at 4 frames a second: a rendered person upright, slouching, upright again.
    """
    return asset_path(DEMO_CLIP_NAME)
