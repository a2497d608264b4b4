"""Gates say why a frame is not judged, and nobody near a limit flickers.

Claimed, for every gate: well inside the limit it is open, well beyond it is shut with its own reason; a quantity that
wavers about its limit by less than the margin changes the answer once; coming back by the margin opens it; whoever
comes after nobody was there meets open gates, and who was missed in a frame or two the same ones; near a limit is
where a small movement changes the answer.
"""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import HEIGHT_RATIO, person, scaled, steady_times, without_person

from posture.angles import compute_angles
from posture.calibration import fit_baseline
from posture.gates import MARGIN, Gates
from posture.landmarks import PoseLandmark, concatenate
from posture.people import FARTHER_LOG
from posture.settings import JudgeSettings
from posture.slouch import Reason

JUDGE = JudgeSettings()
P = PoseLandmark
BASELINE = fit_baseline(person(np.array(steady_times(4, 8.0)), noise=3e-4), JUDGE)
ONE = person(np.array([0.0]))
WIDTH = float(BASELINE.place_centre[2])
HEAD_TOP = float(ONE.xyzv[0, [P.NOSE, P.LEFT_EAR, P.MOUTH_LEFT], 1].min())


def moved(landmarks, dx, dy):
    xyzv = landmarks.xyzv.copy()
    xyzv[..., 0] += dx
    xyzv[..., 1] += dy
    return dataclasses.replace(landmarks, xyzv=xyzv)


def seen(visibility):
    xyzv = ONE.xyzv.copy()
    xyzv[..., 3] = visibility
    return dataclasses.replace(ONE, xyzv=xyzv)


def smaller(share):
    """Return somebody whose face is smaller by `share` of what the gate allows, in the same place."""
    factor = float(np.exp(-share * FARTHER_LOG))
    there = scaled(ONE, factor)
    shoulders = [v.xyzv[0, [P.LEFT_SHOULDER, P.RIGHT_SHOULDER], :2].mean(axis=0) for v in (ONE, there)]
    return moved(there, *(shoulders[0] - shoulders[1]))


def step(gates, landmarks, yaw_deg=0.0):
    return gates.step(landmarks, compute_angles(landmarks), yaw_deg, BASELINE, False)


# share of the limit -> what the gate is shown: the frame, and the head's yaw
GATES = {
    Reason.TOO_DARK: lambda share: (
        dataclasses.replace(ONE, luminance=np.array([JUDGE.min_luminance / share])),
        0.0,
    ),
    Reason.OUT_OF_PLACE: lambda share: (moved(ONE, share * JUDGE.max_offset_ratio * WIDTH, 0.0), 0.0),
    "far": lambda share: (smaller(share), 0.0),
    Reason.LOW_CONFIDENCE: lambda share: (seen(JUDGE.min_visibility / share), 0.0),
    Reason.TURNED_AWAY: lambda share: (ONE, share * JUDGE.max_yaw_deg),
    "turned right": lambda share: (ONE, -share * JUDGE.max_yaw_deg),
    # 0.13 image widths of head room, and the edge's margin is 0.02 of them
    Reason.PARTLY_OUT: lambda share: (moved(ONE, 0.0, -HEAD_TOP - 0.1 * (share - 1.0)), 0.0),
}
EXPECTED = {"far": Reason.OUT_OF_PLACE, "turned right": Reason.TURNED_AWAY}


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_shuts_beyond_its_limit_and_opens_well_inside(gate):
    expected = EXPECTED.get(gate, gate)
    gates = Gates(JUDGE)
    assert step(gates, *GATES[gate](0.98)) is Reason.NONE
    assert step(gates, *GATES[gate](1.02)) is expected
    assert step(gates, *GATES[gate](0.98)) is expected, "not yet"
    assert step(gates, *GATES[gate](0.75)) is Reason.NONE
    assert step(gates, *GATES[gate](0.98)) is Reason.NONE, "and open it stays"


@pytest.mark.parametrize("gate", GATES)
@settings(max_examples=20, deadline=None)
@given(wobble=st.lists(st.floats(0.93, 1.05), min_size=2, max_size=40))
def test_who_wavers_about_a_limit_does_not_flicker(gate, wobble):
    gates = Gates(JUDGE)
    answers = [step(gates, *GATES[gate](share)) for share in wobble]
    assert sum(a is not b for a, b in pairwise(answers)) <= 1


@settings(max_examples=50, deadline=None)
@given(shares=st.lists(st.floats(0.2, 2.0), min_size=1, max_size=40))
def test_the_answer_is_that_of_the_last_clear_value(shares):
    gates, expected = Gates(JUDGE), Reason.NONE
    for share in shares:
        if share > 1.001:
            expected = Reason.TURNED_AWAY
        elif share < 1.0 - MARGIN - 0.001:
            expected = Reason.NONE
        elif share > 0.999 or share < 1.0 - MARGIN + 0.001:
            return
        assert step(gates, ONE, share * JUDGE.max_yaw_deg) is expected


@pytest.mark.parametrize("gate", [Reason.OUT_OF_PLACE, "far", Reason.LOW_CONFIDENCE, Reason.TURNED_AWAY])
def test_whoever_comes_after_nobody_meets_open_gates(gate):
    gates, empty = Gates(JUDGE), without_person(ONE, slice(None))
    shut = step(gates, *GATES[gate](1.02))
    assert shut is not Reason.NONE
    t_s = 0.0
    for seconds in (0.0, 0.9 * JUDGE.away_after_s, JUDGE.away_after_s):
        for passed_s in {0.0, seconds}:
            t_s += passed_s
            nobody = dataclasses.replace(empty, t_s=np.array([t_s]))
            assert step(gates, nobody) is Reason.NO_PERSON
        landmarks, yaw_deg = GATES[gate](0.98)
        back = step(gates, dataclasses.replace(landmarks, t_s=np.array([t_s])), yaw_deg)
        assert back is (Reason.NONE if seconds == JUDGE.away_after_s else shut), (
            "somebody else, or just missed"
        )


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("is_shut", [False, True])
def test_near_a_limit_is_where_a_small_movement_changes_the_answer(gate, is_shut):
    gates = Gates(JUDGE)
    is_moving = gate not in (Reason.TOO_DARK, Reason.LOW_CONFIDENCE)
    for share, is_near in ((0.7, False), (0.98, is_moving), (1.1, False), (0.7, False)):
        step(gates, *GATES[gate](1.1 if is_shut else 0.5))
        step(gates, *GATES[gate](share))
        assert gates.is_near_limit is is_near, share


def test_a_dim_room_does_not_flicker_while_nobody_is_there_either():
    empty = without_person(ONE, slice(None))
    gates, answers = Gates(JUDGE), []
    for share in (0.9, 1.02, 0.98, 1.02, 0.95, 0.5):
        dark = dataclasses.replace(empty, luminance=np.array([JUDGE.min_luminance / share]))
        answers.append(step(gates, dark))
    dark, lit = Reason.TOO_DARK, Reason.NO_PERSON
    assert answers == [lit, dark, dark, dark, dark, lit]


@pytest.mark.parametrize("side", ["left", "right", "above", "below"])
def test_whoever_is_cut_by_the_edge_is_told_so(side):
    """Wherever the calibrated place is, so that it is not for the place."""
    y = ONE.xyzv[0, :13, 1]
    dx, dy = {
        "left": (-0.52, 0.0),
        "right": (0.52, 0.0),
        "above": (0.0, -float(y.min()) - 0.06),
        "below": (0.0, HEIGHT_RATIO - float(y.max()) + 0.15),
    }[side]
    there = moved(ONE, dx, dy)
    place = BASELINE.place_centre.copy()
    place[:2] += dx, dy
    own = dataclasses.replace(BASELINE, place_centre=place)
    assert Gates(JUDGE).step(there, compute_angles(there), 0.0, own, False) is Reason.PARTLY_OUT


def test_shoulders_a_little_below_the_picture_are_judged_and_if_unsure_are_out_of_it():
    y = ONE.xyzv[0, P.LEFT_SHOULDER, 1]
    there = moved(ONE, 0.0, HEIGHT_RATIO - float(y) + 0.04)
    place = BASELINE.place_centre.copy()
    place[1] += HEIGHT_RATIO - float(y) + 0.04
    own = dataclasses.replace(BASELINE, place_centre=place)
    assert Gates(JUDGE).step(there, compute_angles(there), 0.0, own, False) is Reason.NONE
    there.xyzv[:, P.LEFT_SHOULDER : P.LEFT_ELBOW, 3] = 0.1
    assert Gates(JUDGE).step(there, compute_angles(there), 0.0, own, False) is Reason.PARTLY_OUT


def test_the_frame_rate_does_not_matter():
    yaw_deg = 19.0 + 3.0 * np.sin(np.arange(0.0, 60.0, 1 / 30))
    fast, slow = Gates(JUDGE), Gates(JUDGE)
    many = [step(fast, ONE, yaw) for yaw in yaw_deg]
    few = [step(slow, ONE, yaw) for yaw in yaw_deg[::10]]
    assert sum(a is not b for a, b in zip(many[::10], few, strict=True)) <= 2
    changes = [sum(a is not b for a, b in pairwise(r)) for r in (many, few)]
    assert changes[0] == changes[1] > 10


def test_gates_look_at_one_frame_after_the_other_only():
    shares = np.linspace(0.8, 1.1, 12)
    rows = concatenate([GATES[Reason.OUT_OF_PLACE](share)[0] for share in shares])
    a, b = Gates(JUDGE), Gates(JUDGE)
    angles = compute_angles(rows)
    for t in range(len(rows)):
        one = slice(t, t + 1)
        assert a.step(rows[one], angles[one], 0.0, BASELINE, False) is step(b, rows[one])
