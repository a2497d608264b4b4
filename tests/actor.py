"""Somebody before the camera who does as the test says, over a real MJPEG stream."""

from __future__ import annotations

import cv2
from cli_helpers import FRONT


def frames(start_s: float, end_s: float):
    """Return pictures (BGR) of a span of FRONT."""
    capture = cv2.VideoCapture(str(FRONT))
    pictures = [capture.read()[1] for _ in range(round(end_s * 4))]
    capture.release()
    return pictures[round(start_s * 4) :]


class Actor:
    """Sits upright until told to slouch, or to go away."""

    def __init__(self):
        self.upright, self.slouched = frames(0, 6), frames(20, 32)
        self.now = self.upright

    def picture(self, number: int):
        """Give what the camera sees; four pictures in a row are the same, as the camera is faster than the clip."""
        return self.now[number // 4 % len(self.now)]
