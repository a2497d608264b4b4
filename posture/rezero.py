"""A quick re-zero: the baseline moved to how a person sits upright now, without taking all of it anew. Pure; no I/O.

A lid pushed back or a camera nudged shifts what upright looks like; how restless somebody is, and how far their usual
slouch lies from upright, stays. So three seconds are enough: they give the new centres, the rest is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from posture.baseline import Baseline
from posture.calibration_run import CalibrationResult
from posture.errors import CalibrationError
from posture.fit import fit

SECONDS: Final = 3.0
"""Seconds of sitting upright: a whole calibration's shortest, 12 pictures at 4 a second."""
COUNTDOWN_S: Final = 2.0
"""Seconds to sit up before it, at most (our choice: whoever asks for it is ready)."""


def rezero(old: Baseline, taken: CalibrationResult) -> Baseline:
    """Return `old` moved to the upright of some new frames.

    Parameters
    ----------
    old : Baseline
        What has been judged against; its spreads, usual slouch and number of frames are kept.
    taken : CalibrationResult
        The new frames and the baseline they would make.

    Raises
    ------
    CalibrationError
        If they show another view or person: what is known of the old one says nothing about it.
    """
    found = fit(old, taken.landmarks)
    if found.is_misfit:
        raise CalibrationError(f"no re-zero: {found.why}; take a whole baseline instead")
    new = taken.baseline
    return replace(
        old,
        cue_centre=new.cue_centre,
        place_centre=new.place_centre,
        luminance=new.luminance,
        created_utc=new.created_utc,
    )
