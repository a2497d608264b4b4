"""Measure the judged person's face more finely than the pose model can: a face mesh network, run by OpenCV.

The pose model looks at the whole body, and at a face that is 40 px wide to it; this network looks at a crop of the
face alone and places 468 points, of which nine numbers are kept (:class:`posture.landmarks.Face`). The crop follows
from the pose landmarks of the same picture, so it is always the judged person's face, and nothing is remembered: the
same picture and landmarks give the same bits.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from posture.bundled import FACE_MODEL_NAME, asset_path
from posture.capture import import_cv2
from posture.errors import LandmarkerError
from posture.face import CROP_PX, crop_matrix, face_crop, fit_face, mesh_in_picture
from posture.landmarks import N_FACE, FloatArray, UInt8Array
from posture.model_file import read_face_model

N_POINTS: Final = 468
MESH, PRESENCE = "conv2d_21", "conv2d_31"
"""The network's outputs: x, y and z of every point in crop pixels; the logit of "there is a face"."""
MIN_PRESENCE_LOGIT: Final = 0.0
"""A face is there when it is likelier than not, as MediaPipe's own graph has it (0.5)."""


class FaceNetwork:
    """MediaPipe's face mesh network for one face, picture by picture, on the CPU.

    Raises
    ------
    ModelFileError
        If the network's file is missing or altered.
    LandmarkerError
        If OpenCV cannot load it.
    """

    def __init__(self) -> None:
        path = asset_path(FACE_MODEL_NAME)
        content = read_face_model(path)
        self._cv2 = cv2 = import_cv2()
        try:
            self._net = _load(cv2, str(path), content)
            self._has_both = {MESH, PRESENCE} <= set(self._net.getUnconnectedOutLayersNames())
            self._run(np.zeros((CROP_PX, CROP_PX, 3), np.uint8))
        except (cv2.error, AttributeError) as error:
            raise LandmarkerError(
                f"face network: OpenCV {cv2.__version__} cannot run {path} ({_one_line(error)}): "
                "update opencv-python-headless, or do without it by pose.face = false"
            ) from error

    def measure(self, image_rgb: UInt8Array, xyzv: FloatArray) -> FloatArray:
        """Return the face of one person.

        Parameters
        ----------
        image_rgb : UInt8Array
            (H, W, 3) picture.
        xyzv : FloatArray
            (33, 4) their pose landmarks in it, image widths.

        Returns
        -------
        FloatArray
            (9,) one number per :class:`~posture.landmarks.Face`, float32 values as the network's own; all NaN without
            a person, or where their face is not seen: too small, turned away or hidden.

        Raises
        ------
        LandmarkerError
            If OpenCV fails on this picture.
        """
        nothing = np.full(N_FACE, np.nan)
        width_px = image_rgb.shape[1]
        crop = face_crop(xyzv[:, :2] * width_px)
        if crop is None:
            return nothing
        cv2 = self._cv2
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        try:
            face_rgb = cv2.warpAffine(image_rgb, crop_matrix(crop), (CROP_PX, CROP_PX), flags=flags)
            mesh, logit = self._run(face_rgb)
        except cv2.error as error:
            raise LandmarkerError(f"face network: OpenCV failed on a picture: {_one_line(error)}") from error
        if not logit > MIN_PRESENCE_LOGIT or not np.isfinite(mesh).all():
            return nothing
        fit = fit_face(mesh_in_picture(mesh, crop), width_px)
        return np.asarray(fit.astype(np.float32).astype(np.float64))

    def _run(self, face_rgb: UInt8Array) -> tuple[FloatArray, float]:
        """Return the (468, 3) points in crop pixels, and the logit of there being a face."""
        self._net.setInput(self._cv2.dnn.blobFromImage(face_rgb, 1.0 / 255.0))
        if self._has_both:
            mesh, presence = self._net.forward([MESH, PRESENCE])
        else:
            mesh, presence = self._net.forward(MESH).copy(), self._net.forward(PRESENCE)
        return mesh.reshape(N_POINTS, 3).astype(np.float64), float(presence.reshape(-1)[0])


def _load(cv2: Any, path: str, content: bytes) -> Any:
    """Return the network.

    OpenCV 5's newer engine knows only one of the two outputs, and would have to run twice for both: the older one is
    asked for where there is a choice. Loading from memory ignores that (5.0), and Windows opens only ASCII paths.
    """
    classic = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
    if classic is not None and path.isascii():
        return cv2.dnn.readNetFromTFLite(path, classic)
    return cv2.dnn.readNetFromTFLite(np.frombuffer(content, np.uint8))


def _one_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
