"""The fitted estimator's numbers, shipped with the program: read once, when first needed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np

from posture.bundled import asset_path
from posture.deviation import Coefficients, NetworkCoefficients
from posture.errors import ModelFileError

ESTIMATOR_NAME = "estimator.npz"
"""The network for the pose landmarks alone."""
FACE_ESTIMATOR_NAME = "estimator_face.npz"
"""The one for pose landmarks and face."""


@cache
def packaged_coefficients() -> Coefficients:
    """Return the coefficients that come with the program.

    Returns
    -------
    Coefficients
        Read from the package's own file once.

    Raises
    ------
    ModelFileError
        If a file is missing or damaged.
    """
    return Coefficients(*(load_coefficients(asset_path(n)) for n in (ESTIMATOR_NAME, FACE_ESTIMATOR_NAME)))


def load_coefficients(path: Path) -> NetworkCoefficients:
    """Read coefficients that ``models/fit_estimator.py`` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing or damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            arrays = {f.name: archive[f.name].astype(np.float64) for f in fields(NetworkCoefficients)}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("a number in it is not finite")
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            f"{path}: the estimator's coefficients are missing or damaged; install posture again"
        ) from error
    return NetworkCoefficients(**arrays)
