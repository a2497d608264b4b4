"""Tell a moved camera or laptop lid from a moved person, by where the background lies.

Directions of brightness edges outside the person, 80 px across, are compared with those of a reference. They
don't change with exposure or contrast (orientation correlation: Fitch et al., BMVC 2002), and each shift is
scored on those edges only that it leaves in view (masked correlation: Padfield, IEEE TIP 2012,
doi:10.1109/TIP.2011.2181402). The reference lives in memory only; no picture is kept or can be made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, nan
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posture.capture import import_cv2
from posture.errors import ShapeError
from posture.landmarks import N_LANDMARKS, FloatArray, UInt8Array
from posture.landmarks import PoseLandmark as P

_Array: TypeAlias = NDArray[np.floating]

# Experiments: 28 rendered desk and angle clips of still cameras (8,700 frames, walls with 2-7 objects), as
# they are and seen by a virtual camera that turns by 1-12 degrees, with noise, dimming and flicker.
WIDTH_PX = 80  # at 160 a still camera scores 0.7 instead of 0.9 (noise) and the cost doubles
HEIGHTS_PX = (20, 160)  # pictures from 4:1 to 1:2; others are not measured
SEARCH_PX = 23  # largest shift looked for: 0.29 widths, a lid turned by 20 degrees at 66 degrees of view
NOISE_FLOOR, NOISE_MEDIANS = 0.5, 2.0  # grey levels a pixel; most of a room is flat: its median edge is noise
CELL_PX, CELL_WEIGHT = 8, (1.0, 8.0)  # stray pixels are no edge, and one object must not outvote the room
MIN_COHERENCE = 0.6  # of the direction over the reference: noise, swaying hair and screens stay below
MIN_WEIGHT = 40.0  # edge pixels, 5 full cells; below 32 stray outlines of the person gave false moves
GAINED_CELLS, GAINED_SHARE, CLEARLY = (2.0, 4.0), (0.6, 0.85), 0.3  # places that speak for a shift
MIN_VISIBLE = 0.3  # share of the reference not behind the person, else not measured
SCORE = (0.35, 0.6)  # confidence 0 and 1: a still camera scores 0.6-1, a wrong shift below 0.3
SHIFT_COST, SHIFT_COST_MAX, TIE_COST = 0.04, 0.12, 0.004  # a pixel: what a shift must win by against none
REFERENCE_S = 2.0  # long enough for a swaying outline to blur, and any calibration is longer
REFRESH_S, REFRESH_SCORE, REFRESH_CONFIDENCE, REFRESH_PX = 300.0, 0.85, 0.8, 0.5  # see SceneWatch
HEAD_RADIUS, TORSO_MARGIN, ARM_WIDTH = 0.5, (0.22, 0.5), 0.4  # body sizes, incl. hair, sleeves, chair back
LIMBS = ((P.LEFT_SHOULDER, P.LEFT_ELBOW, P.LEFT_WRIST), (P.RIGHT_SHOULDER, P.RIGHT_ELBOW, P.RIGHT_WRIST))


@dataclass(frozen=True, slots=True)
class SceneShift:
    """How far the background has moved since the reference; NaN and confidence 0 = not measured."""

    dx_ratio: float
    """Picture widths, + = the content moved right (camera turned left)."""
    dy_ratio: float
    """Picture widths, + = the content moved down (camera tilted up)."""
    confidence: float
    """In [0, 1]."""
    score: float = nan
    """Share of the reference's edges found again, about [-1, 1]."""


UNMEASURED = SceneShift(nan, nan, 0.0)


class SceneWatch:
    """Measure the background's shift, frame by frame.

    The reference is taken over the first 2 s with a person after construction or :meth:`reset` (somebody whom
    the landmarks miss would become background); if they show too few edges around the person, over the next
    2 s, and so on. Then it stays. Only when the light has changed so much that it fits badly is it renewed, from
    5 min of frames with a person to leave out and no new shift; their mean shift is carried over, so that a lid
    sinking slowly cannot hide in it. A picture of another size but the same shape goes on with the same reference,
    another shape begins a new one. Along a direction that the background does not show (a single straight edge,
    say) the shift reads 0.
    """

    def __init__(self) -> None:
        self._cv2 = import_cv2()  # here, so that importing this module costs nothing
        self._shape = (0, 0)
        self.reset()

    def reset(self) -> None:
        """Forget the reference; the next frames make a new one."""
        self.has_reference = False
        """Whether there is something to measure against; False for long = too plain a background."""
        self._carried = (0.0, 0.0)
        self._start_s: float | None = None

    def step(self, t_s: float, image_rgb: UInt8Array | None, xyzv: FloatArray | None) -> SceneShift:
        """Return the shift in one frame; not measured while the reference is made or too little is in view.

        Parameters
        ----------
        t_s : float
            Frame time, seconds, never decreasing.
        image_rgb : UInt8Array or None
            (H, W, 3); None = no picture: not measured.
        xyzv : FloatArray or None
            (33, 4) landmarks of the person to leave out, image widths, see
            :attr:`posture.landmarks.Landmarks.xyzv`; None or NaN = nobody there.

        Raises
        ------
        ShapeError
            If the picture or the landmarks do not have the documented shape.
        """
        if image_rgb is None:
            return UNMEASURED
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or 0 in image_rgb.shape:
            raise ShapeError(f"scene: picture has shape {image_rgb.shape}, expected (H, W, 3)")
        if xyzv is not None and xyzv.shape != (N_LANDMARKS, 4):
            raise ShapeError(f"scene: landmarks have shape {xyzv.shape}, expected ({N_LANDMARKS}, 4)")
        shape = (round(WIDTH_PX * image_rgb.shape[0] / image_rgb.shape[1]), WIDTH_PX)
        if not HEIGHTS_PX[0] <= shape[0] <= HEIGHTS_PX[1]:
            return UNMEASURED
        if shape != self._shape:
            self._prepare(shape)
        mask, is_person = self._mask(xyzv)
        edges = self._edges(image_rgb) * mask[..., None]
        if not self.has_reference:
            if is_person and self._add(t_s, edges, mask, UNMEASURED) >= REFERENCE_S and self._n > 1:
                self._make_reference(1.0)
            return UNMEASURED
        shift = self._measure(edges, mask)
        if is_person and shift.confidence >= REFRESH_CONFIDENCE:
            self._refresh(t_s, edges, mask, shift)
        dx_ratio, dy_ratio = shift.dx_ratio + self._carried[0], shift.dy_ratio + self._carried[1]
        return SceneShift(dx_ratio, dy_ratio, shift.confidence, shift.score)

    def _prepare(self, shape: tuple[int, int]) -> None:
        """Start afresh for pictures of `shape`."""
        self.reset()
        self._shape, self._reach = shape, (min(SEARCH_PX, shape[0] // 2), SEARCH_PX)
        y, x = np.ogrid[tuple(slice(-r, r + 1) for r in self._reach)]
        self._index, size = (y, x), np.hypot(x, y)
        self._cost = np.minimum(SHIFT_COST * size, SHIFT_COST_MAX) + TIE_COST * size
        self._padded = tuple(
            self._cv2.getOptimalDFTSize(n + r) for n, r in zip(shape, self._reach, strict=True)
        )

    def _edges(self, image_rgb: UInt8Array) -> _Array:
        """Return (h, w, 2): the direction of the brightness gradient, of length 1 where it is strong."""
        cv2 = self._cv2
        small = cv2.resize(image_rgb, self._shape[::-1], interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        gx, gy = (cv2.Sobel(grey, cv2.CV_32F, i, 1 - i, ksize=3, scale=0.25) for i in (1, 0))
        power = gx * gx + gy * gy
        noise = NOISE_FLOOR + NOISE_MEDIANS * float(np.sqrt(np.median(power)))
        gain = 1.0 / np.sqrt(power + noise * noise)
        edges: _Array = cv2.merge((gx * gain, gy * gain))
        return edges

    def _mask(self, xyzv: FloatArray | None) -> tuple[_Array, bool]:
        """Return (h, w), 1 = background and 0 = person or border, and whether there is a person."""
        cv2, (height, width) = self._cv2, self._shape
        mask = np.zeros(self._shape, np.uint8)
        mask[1:-1, 1:-1] = 1
        if xyzv is None or not np.isfinite(xyzv[: P.LEFT_HIP, :2]).all():
            return mask.astype(np.float32), False
        at = np.clip(xyzv[:, :2], -2.0, 3.0) * width
        left, right = at[P.LEFT_SHOULDER], at[P.RIGHT_SHOULDER]
        neck, ears = (left + right) / 2, (at[P.LEFT_EAR] + at[P.RIGHT_EAR]) / 2
        # the body's size is the shoulder width: from the side it is told by the head instead
        lengths = (left - right, 2.2 * (at[P.NOSE] - ears), 1.3 * (ears - neck))
        size = max(4.0, *(float(hypot(*v)) for v in lengths))
        head = (ears + at[P.NOSE]) / 2
        cv2.circle(mask, _point(head), int(HEAD_RADIUS * size + 1.5), 0, -1)
        cv2.line(mask, _point(head), _point(neck), 0, int(0.6 * size))
        (x0, y0), x1 = np.minimum(left, right), max(left[0], right[0])
        near, wide = TORSO_MARGIN[0] * size, TORSO_MARGIN[1] * size
        half = [(x1 + near, y0 - near), (x1 + wide, y0 + 0.6 * size), (x1 + wide, height + 1)]
        torso = [*half, *((x0 + x1 - x, y) for x, y in reversed(half))]
        cv2.fillPoly(mask, [np.array(torso).round().astype(np.int32)], 0)
        for joints in LIMBS:
            if xyzv[joints[-1], 3] > 0.3:
                cv2.polylines(mask, [at[list(joints)].astype(np.int32)], False, 0, int(ARM_WIDTH * size))
        return mask.astype(np.float32), True

    def _add(self, t_s: float, edges: _Array, mask: _Array, shift: SceneShift) -> float:
        """Add one frame to the next reference and return how many seconds it spans."""
        if self._start_s is None:
            self._start_s, self._n, self._shifts = t_s, 0, np.zeros(3)
            self._edge_sum, self._seen = np.zeros_like(edges), np.zeros_like(mask)
        self._n += 1
        self._edge_sum += edges
        self._seen += mask
        self._shifts += (shift.dx_ratio, shift.dy_ratio, shift.score)
        return t_s - self._start_s

    def _make_reference(self, min_seen: float) -> bool:
        """Make the frames added the reference, if they have edges enough; forget them anyhow."""
        self._start_s = None
        mean = self._edge_sum / np.maximum(self._seen, 1.0)[..., None]
        weight = np.hypot(mean[..., 0], mean[..., 1])
        direction = mean / np.maximum(weight, 1e-6)[..., None]
        weight[(weight < MIN_COHERENCE) | (self._seen < min_seen * self._n)] = 0.0
        cells = self._cells(weight)
        low, high = CELL_WEIGHT
        share = np.where(cells < low, 0.0, high / np.maximum(cells, high)).astype(np.float32)
        weight *= share.repeat(CELL_PX, 0).repeat(CELL_PX, 1)[: weight.shape[0], : weight.shape[1]]
        total = float(weight.sum())
        if total < MIN_WEIGHT:
            return False
        self.has_reference, self._total = True, total
        self._weight, self._reference = weight, direction * weight[..., None]
        self._spectra = self._spectrum(self._reference), self._spectrum(weight)
        return True

    def _cells(self, values: _Array) -> _Array:
        """Return the sums of (h, w) `values` over cells of 8 x 8 pixels."""
        height, width = (-(-n // CELL_PX) for n in values.shape)
        whole = np.zeros((height * CELL_PX, width * CELL_PX), np.float32)
        whole[: values.shape[0], : values.shape[1]] = values
        cells: _Array = whole.reshape(height, CELL_PX, width, CELL_PX).sum((1, 3))
        return cells

    def _spectrum(self, values: _Array) -> _Array:
        """Return the padded Fourier transform of an (h, w) or (h, w, 2 = complex) picture."""
        padded = np.zeros((*self._padded, 2), np.float32)
        target = padded[: values.shape[0], : values.shape[1]]
        target[..., : 2 if values.ndim == 3 else 1] = values.reshape(*values.shape[:2], -1)
        spectrum: _Array = self._cv2.dft(padded)
        return spectrum

    def _correlate(self, values: _Array, reference: _Array) -> _Array:
        """Return the sum of products of `values` with the shifted reference, for every shift looked for."""
        cv2 = self._cv2
        product = cv2.mulSpectrums(self._spectrum(values), reference, 0, conjB=True)
        sums: _Array = cv2.dft(product, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)[..., 0][self._index]
        return sums

    def _measure(self, edges: _Array, mask: _Array) -> SceneShift:
        """Return the shift since the reference, without what is carried over."""
        found, visible = self._correlate(edges, self._spectra[0]), self._correlate(mask, self._spectra[1])
        if visible[self._reach] < MIN_VISIBLE * self._total:
            return UNMEASURED
        scores = found / np.maximum(visible, 0.5 * self._total)
        y, x = (int(i) for i in np.unravel_index(np.argmax(scores - self._cost), scores.shape))
        score, dy, dx = float(scores[y, x]), y - self._reach[0], x - self._reach[1]
        confidence = _ramp(score, *SCORE)
        if dx or dy:
            gained, lost = self._compare_cells(edges, mask, dy, dx)
            confidence *= _ramp(gained, *GAINED_CELLS) * _ramp(gained / max(1, gained + lost), *GAINED_SHARE)
        column, row = scores[:, x], scores[y]
        return SceneShift(
            (dx + _peak(row, x)) / WIDTH_PX, (dy + _peak(column, y)) / WIDTH_PX, confidence, score
        )

    def _compare_cells(self, edges: _Array, mask: _Array, dy: int, dx: int) -> tuple[int, int]:
        """Return in how many places the shift explains the picture clearly better, and worse, than none."""
        (found, visible), (found_0, visible_0) = (self._match(edges, mask, *d) for d in ((dy, dx), (0, 0)))
        gain = found / np.maximum(visible, 1e-6) - found_0 / np.maximum(visible_0, 1e-6)
        gain[np.minimum(visible, visible_0) < CELL_WEIGHT[0]] = 0.0
        return int((gain > CLEARLY).sum()), int((gain < -CLEARLY).sum())

    def _match(self, edges: _Array, mask: _Array, dy: int, dx: int) -> tuple[_Array, _Array]:
        """Return per cell the reference's edges found again at a shift, and those that could be."""
        (height, width), both = self._shape, np.zeros_like(self._reference)
        there = slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx))
        here = slice(max(0, -dy), height + min(0, -dy)), slice(max(0, -dx), width + min(0, -dx))
        both[here][..., 0] = (self._reference[here] * edges[there]).sum(-1)
        both[here][..., 1] = self._weight[here] * mask[there]
        return self._cells(both[..., 0]), self._cells(both[..., 1])

    def _refresh(self, t_s: float, edges: _Array, mask: _Array, shift: SceneShift) -> None:
        """Gather a next reference while nothing has moved, and change over if the present one fits badly."""
        if hypot(shift.dx_ratio, shift.dy_ratio) * WIDTH_PX > REFRESH_PX:
            return
        if self._add(t_s, edges, mask, shift) >= REFRESH_S:
            dx_ratio, dy_ratio, score = self._shifts / self._n
            if score < REFRESH_SCORE and self._make_reference(0.5):
                self._carried = self._carried[0] + dx_ratio, self._carried[1] + dy_ratio
            self._start_s = None


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 below `low`, 1 above `high` and a straight line between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _point(xy: FloatArray) -> tuple[int, int]:
    """Return the pixel at `xy`."""
    return int(xy[0]), int(xy[1])


def _peak(scores: _Array, i: int) -> float:
    """Return where the parabola through i - 1, i, i + 1 peaks, pixels from i in [-0.5, 0.5]."""
    if not 0 < i < len(scores) - 1:
        return 0.0
    before, here, after = (float(s) for s in scores[i - 1 : i + 2])
    bend = before - 2.0 * here + after
    return min(0.5, max(-0.5, 0.5 * (before - after) / bend)) if bend < -1e-3 else 0.0
