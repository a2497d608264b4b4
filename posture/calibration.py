"""Make a baseline from a few seconds of sitting upright, or say why not. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posture.angles import Angles, Place, compute_angles
from posture.baseline import Baseline
from posture.coefficients import packaged_coefficients
from posture.deviation import compute_deviation, make_estimator
from posture.errors import CalibrationError
from posture.landmarks import BoolArray, FloatArray, Landmarks
from posture.settings import JudgeSettings

MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
MIN_FRAMES = 8
"""Frames; with fewer, one odd frame moves a median noticeably (our choice)."""
MIN_VISIBLE_RATIO = 0.7
"""Share of the frames in which shoulders, nose and an ear are seen (our choice)."""
MAX_SWAY_RATIO = 0.12
"""Shoulder widths; breathing and fidgeting stay under 0.03 on the bench's clips, shifting about does not."""
MAX_TURN_DEG = 12.0
"""Degrees; spread of the head's direction. Looking around the screen stays under it (our choice)."""
EDGE_RATIO = 0.03
"""Image widths; shoulders or face closer to the picture's edge than this are about to leave it (our choice)."""

PARTLY_OUT = "partly out of the picture: move back or turn the camera until face and shoulders are in"


@dataclass(frozen=True, slots=True)
class CalibrationQuality:
    """How good the frames of a calibration are."""

    n_frames: int
    """Frames looked at."""
    n_used: int
    """Frames in which the person was measured."""
    sway_ratio: float
    """How much the shoulders moved, shoulder widths (robust standard deviation); NaN = not measured."""
    turn_deg: float
    """How much the head turned, degrees (robust standard deviation); NaN = not measured."""
    luminance: float
    """Median brightness of the pictures in [0, 1]; NaN = no picture."""
    problems: tuple[str, ...]
    """Why these frames make no baseline, each with what to do; empty = they do."""

    @property
    def visible_ratio(self) -> float:
        """Share of the frames in which the person was measured."""
        return self.n_used / self.n_frames if self.n_frames else 0.0


def robust_spread(values: FloatArray) -> FloatArray:
    """Return the robust standard deviation of `values` over axis 0, ignoring NaN; T >= 1."""
    centre = np.nanmedian(values, axis=0)
    return np.asarray(MAD_TO_SD * np.nanmedian(np.abs(values - centre), axis=0))


def find_problem(landmarks: Landmarks, angles: Angles, settings: JudgeSettings) -> str | None:
    """Return what is wrong with the newest frame as advice to the person, or None when it is fine."""
    luminance = float(landmarks.luminance[-1])
    place = angles.place[-1]
    if np.isnan(luminance):
        return "no picture from the camera"
    if not angles.is_measured[-1]:
        is_dark = luminance < settings.min_luminance
        return "too dark to see you: add light" if is_dark else "nobody in view: sit before the camera"
    if place[Place.VISIBILITY] < settings.min_visibility:
        return "shoulders or face hidden: show both, turn towards the camera"
    height = float(landmarks.height_ratio[-1])
    x, y = place[Place.SHOULDER_X], place[Place.SHOULDER_Y]
    # a cropped forehead does no harm, ears and shoulders must be seen
    if not EDGE_RATIO < x < 1 - EDGE_RATIO or y > height or place[Place.EAR_Y] < EDGE_RATIO:
        return PARTLY_OUT
    if luminance < settings.min_luminance:
        return "too dark: add light in front of you"
    return None


def assess(landmarks: Landmarks, angles: Angles, settings: JudgeSettings) -> CalibrationQuality:
    """Judge whether frames can make a baseline.

    Parameters
    ----------
    landmarks, angles : Landmarks, Angles
        The same T frames; T = 0 is allowed.
    settings : JudgeSettings
        Visibility and brightness limits.
    """
    problems = [
        find_problem(landmarks[t : t + 1], angles[t : t + 1], settings) for t in range(len(landmarks))
    ]
    used = _usable(angles, settings)
    n_used = int(used.sum())
    sway = turn = luminance = float("nan")
    found: list[str] = []
    if np.isfinite(landmarks.luminance).any():
        luminance = float(np.nanmedian(landmarks.luminance))
    if n_used < max(MIN_FRAMES, MIN_VISIBLE_RATIO * len(landmarks)):
        named = [p for p in problems if p is not None]
        why = (
            max(set(named), key=named.count)
            if named
            else f"the calibration is too short: it takes {MIN_FRAMES} pictures, so give it more seconds"
        )
        found.append(f"{why} (seen well in {n_used} of {len(landmarks)} frames)")
    if n_used >= MIN_FRAMES:
        seen = angles[used]
        x, y, width = (seen.place[:, k] for k in (Place.SHOULDER_X, Place.SHOULDER_Y, Place.SHOULDER_WIDTH))
        sway = float(np.hypot(robust_spread(x), robust_spread(y)) / np.median(width))
        turn = float(robust_spread(seen.head_yaw_deg))
        n_out = problems.count(PARTLY_OUT)
        if n_out > (1 - MIN_VISIBLE_RATIO) * len(landmarks) and not found:
            found.append(f"{PARTLY_OUT} ({n_out} of {len(landmarks)} frames)")
        if sway > MAX_SWAY_RATIO:
            found.append(
                f"you moved about ({sway:.2f} shoulder widths, at most {MAX_SWAY_RATIO:.2f}): sit still"
            )
        if turn > MAX_TURN_DEG:
            found.append(
                f"your head turned about ({turn:.0f} degrees, at most {MAX_TURN_DEG:.0f}): look at the screen"
            )
        if luminance < settings.min_luminance:
            found.append(
                f"too dark (brightness {luminance:.2f}, at least {settings.min_luminance:.2f}): add light"
            )
    return CalibrationQuality(len(landmarks), n_used, sway, turn, luminance, tuple(found))


def fit_baseline(landmarks: Landmarks, settings: JudgeSettings, created_utc: str = "") -> Baseline:
    """Fit a baseline to frames of a person sitting upright.

    Parameters
    ----------
    landmarks : Landmarks
        T frames, about 5-12 s of them.
    settings : JudgeSettings
        Visibility and brightness limits.
    created_utc : str
        ISO 8601 time in UTC to record; empty for a recorded clip.

    Returns
    -------
    Baseline
        Medians and robust spreads over the frames in which the person was measured.

    Raises
    ------
    CalibrationError
        If the frames are too few, too dark, too restless or do not show the person; the text says which.
    """
    angles = compute_angles(landmarks)
    quality = assess(landmarks, angles, settings)
    if quality.problems:
        raise CalibrationError("calibration refused: " + "; ".join(quality.problems))
    seen = angles[_usable(angles, settings)]
    centre, spread = _centre_and_spread(seen.cues)
    estimator = make_estimator(centre, packaged_coefficients())
    own = compute_deviation(seen.cues, estimator).values
    is_measured = np.isfinite(own).all(axis=1)
    if is_measured.sum() < MIN_FRAMES:
        raise CalibrationError(
            "calibration refused: this view of you is unlike anything the estimator knows; "
            "move the camera in front of you or to your side, at about eye level"
        )
    return Baseline(
        cue_centre=centre,
        cue_spread=spread,
        place_centre=np.asarray(np.median(seen.place, axis=0)),
        deviation_spread=robust_spread(own[is_measured]),
        luminance=quality.luminance,
        n_frames=len(seen),
        duration_s=float(seen.t_s[-1] - seen.t_s[0]),
        created_utc=created_utc,
    )


def _centre_and_spread(cues: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the (Q,) median and robust spread of every cue; NaN for what was measured in too few of the frames."""
    is_known = np.isfinite(cues).mean(axis=0) >= MIN_VISIBLE_RATIO  # a face may turn away now and then
    centre, spread = np.full(cues.shape[1], np.nan), np.full(cues.shape[1], np.nan)
    centre[is_known] = np.nanmedian(cues[:, is_known], axis=0)
    spread[is_known] = robust_spread(cues[:, is_known])
    return centre, spread


def _usable(angles: Angles, settings: JudgeSettings) -> BoolArray:
    """Return (T,) bool: frames in which everything was measured and believed."""
    with np.errstate(invalid="ignore"):
        return np.asarray(angles.is_measured & (angles.place[:, Place.VISIBILITY] >= settings.min_visibility))
