"""A recording as a table that any program opens: one row a frame, one column a coordinate."""

from __future__ import annotations

import csv
from math import isnan
from pathlib import Path

from posture.landmarks import PoseLandmark
from posture.recording.records import FACE, POINTS, WORLD_POINTS, Chunk
from posture.sinks import TextSink

_OTHER_NAMES = {
    17: "left_pinky",
    18: "right_pinky",
    19: "left_index",
    20: "right_index",
    21: "left_thumb",
    22: "right_thumb",
}
"""Of the points that nothing in this program uses."""


def _name(point: int) -> str:
    """Return what a column calls a point."""
    return _OTHER_NAMES[point] if point in _OTHER_NAMES else PoseLandmark(point).name.lower()


class LandmarkTable(TextSink):
    """A CSV file of landmarks; an empty cell = not measured.

    Parameters
    ----------
    path : Path
        Overwritten; its folder is made.

    Raises
    ------
    OutputError
        If it cannot be opened, or later written.
    """

    COLUMNS = (
        *("t_s", "is_own", "condition", "luminance", "height_ratio"),
        *("shift_x_ratio", "shift_y_ratio", "shift_confidence"),
        *(f"{_name(p)}_{c}" for p in POINTS for c in ("x", "y", "z", "visibility")),
        *(f"{_name(p)}_world_{c}_m" for p in WORLD_POINTS for c in "xyz"),
        *(f"face_{column}" for column in FACE),
    )

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._write(self.COLUMNS)

    def add(self, chunk: Chunk) -> None:
        """Write some frames."""
        rows = chunk.landmarks
        for t in range(len(rows)):
            numbers = [
                *(float(rows.luminance[t]), float(rows.height_ratio[t]), *rows.scene_shift[t].tolist()),
                *rows.xyzv[t, POINTS].ravel().tolist(),
                *rows.world_m[t, WORLD_POINTS].ravel().tolist(),
                *rows.face[t].tolist(),
            ]
            cells = ["" if isnan(value) else f"{value:.7g}" for value in numbers]
            first = f"{rows.t_s[t]:.6f}", str(int(chunk.is_own[t])), chunk.conditions[t].value
            self._write((*first, *cells))

    def _write(self, cells: tuple[str, ...]) -> None:
        """Write one row."""
        try:
            self._writer.writerow(cells)
        except OSError as error:
            raise self._failure(error) from error
