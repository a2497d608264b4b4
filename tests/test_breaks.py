"""The sitting clock counts what was seen of sitting, and reminds when that is long.

Claimed: short absences do not count as a break, long ones, suspends and standing up do; where nobody can tell, it is
neither sitting nor a break; a passer-by changes nothing, be the chair empty or taken; standing is not sitting;
reminders keep their distance; neither the frame rate nor how the frames fall matters.
"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from posture.breaks import LEFT_S, RETURN_S, BreakKind, SittingClock
from posture.judging import Presence
from posture.settings import BreakSettings

SETTINGS = BreakSettings(interval_s=600, repeat_s=200, away_s=60, micro_interval_s=0)
SEATED, ELSEWHERE, NOBODY, UNSEEN = Presence
MICRO, MOVEMENT = BreakKind


def run(frames, settings=SETTINGS, held=(), **options):
    """Return ([sat_s], [t_s of movement reminders]) of frames (t_s, presence)."""
    clock = SittingClock(settings, **options)
    sat, due = [], []
    for t_s, presence in frames:
        if clock.step(t_s, presence, is_held=any(a <= t_s < b for a, b in held)) is MOVEMENT:
            due.append(t_s)
        sat.append(clock.position_s)
    return sat, due


def reminders(frames, settings, held=()):
    """Return [(t_s, kind)] of all reminders."""
    clock = SittingClock(settings)
    found = [(t, clock.step(t, p, is_held=any(a <= t < b for a, b in held))) for t, p in frames]
    return [(t_s, kind) for t_s, kind in found if kind is not None]


def spell(pieces, step_s=1.0, start_s=0.0):
    """Return frames of (duration_s, presence) pieces."""
    frames, t_s = [], start_s
    for duration_s, presence in pieces:
        for _ in range(round(duration_s / step_s)):
            frames.append((t_s, presence))
            t_s += step_s
    return frames


PIECE = st.tuples(st.integers(1, 130), st.sampled_from([SEATED, SEATED, NOBODY, NOBODY, ELSEWHERE, UNSEEN]))
PIECES = st.lists(PIECE, min_size=2, max_size=14)


@given(pieces=PIECES, start_s=st.sampled_from([0.0, -3.0, 1e6]))
def test_it_never_counts_more_than_was_seen_and_reminds_nobody_who_is_not_there(pieces, start_s):
    frames = spell(pieces, start_s=start_s)
    clock = SittingClock(BreakSettings(interval_s=60, repeat_s=60, away_s=60, micro_interval_s=7))
    most_s = 0.0
    for (t_s, presence), (_, was) in zip(frames, [(0.0, UNSEEN), *frames], strict=False):
        most_s += presence in (SEATED, ELSEWHERE) and was in (SEATED, ELSEWHERE)
        kind = clock.step(t_s, presence)
        assert 0.0 <= clock.sat_s <= most_s
        assert kind is None or presence in (SEATED, ELSEWHERE)


@given(pieces=PIECES, n=st.integers(2, 5))
def test_frames_in_between_that_show_the_same_change_nothing(pieces, n):
    frames = spell(pieces)
    split = []
    for (t_s, presence), (_, following) in zip(frames, [*frames[1:], (0.0, None)], strict=True):
        split += [(t_s + k / n, presence) for k in range(n if following is presence else 1)]
    coarse, fine = (
        dict(zip(frames, run(frames)[0], strict=True)),
        dict(zip(split, run(split)[0], strict=True)),
    )
    assert [fine[frame] for frame in frames] == pytest.approx([coarse[frame] for frame in frames], abs=1e-6)


@given(pieces=PIECES, by=st.integers(-(10**5), 10**5))
def test_only_differences_of_time_matter(pieces, by):
    frames = spell(pieces)
    moved = [(t_s + by, presence) for t_s, presence in frames]
    assert run(moved)[0] == pytest.approx(run(frames)[0], abs=1e-3)


PASSER_BY = st.one_of(
    st.tuples(st.integers(1, int(RETURN_S)), st.just(SEATED)),
    st.tuples(st.integers(1, 50), st.just(ELSEWHERE)),
)
LULL = st.tuples(st.integers(int(LEFT_S) + 1, 30), st.just(NOBODY))


@given(
    visits=st.lists(st.tuples(LULL, PASSER_BY), min_size=1, max_size=5), last=LULL, sat_s=st.integers(20, 500)
)
def test_whoever_passes_the_empty_chair_changes_nothing(visits, last, sat_s):
    """The frame that first shows an empty chair again ends a visit and counts as absence."""
    absence = [piece for visit in visits for piece in visit] + [last]
    total_s = sum(duration_s for duration_s, _ in absence)
    assume(abs(total_s - SETTINGS.away_s) > 2 * len(visits) + 1)  # two steps of each visit belong to neither
    before, after = (sat_s, SEATED), (100, SEATED)
    visited = run(spell([before, *absence, after]))[0]
    empty = run(spell([before, (total_s, NOBODY), after]))[0]
    assert visited[-1] == empty[-1]
    assert max(visited[sat_s : sat_s + total_s]) == visited[sat_s - 1], "nobody sat meanwhile"


@given(pieces=st.lists(st.tuples(st.integers(1, 130), st.sampled_from([SEATED, ELSEWHERE])), min_size=1))
def test_whoever_passes_the_person_changes_nothing(pieces):
    total_s = sum(duration_s for duration_s, _ in pieces)
    assert run(spell(pieces)) == run(spell([(total_s, SEATED)]))


def test_somebody_who_stays_elsewhere_as_long_as_a_break_is_no_passer_by():
    sat, _ = run(spell([(100, SEATED), (70, NOBODY), (61, ELSEWHERE)]))
    assert sat[100 + 70 + 59] == 0
    assert sat[-1] == 60, "counted from the first moment"


def test_whoever_comes_back_is_counted_from_the_first_moment():
    sat, _ = run(spell([(100, SEATED), (70, NOBODY), (20, SEATED)]))
    assert sat[170 + int(RETURN_S) - 1] == 0
    assert sat[170 + int(RETURN_S)] == RETURN_S
    assert sat[-1] == 19


def test_a_detection_missed_now_and_then_is_no_absence():
    frames = spell(40 * [(7, SEATED), (2, NOBODY)])
    sat, _ = run(frames)
    assert sat[-1] == 40 * 6
    assert SittingClock(SETTINGS).step(0.0, NOBODY) is None


@pytest.mark.parametrize("start_s", [0.0, 500.0])
def test_a_break_is_due_after_sitting_and_again_while_not_taken(start_s):
    sat, due = run(spell([(1100, SEATED)], start_s=start_s))
    assert due == [start_s + 600, start_s + 800, start_s + 1000]
    assert sat[-1] == 1099


def test_a_break_taken_starts_it_all_again():
    _, due = run(spell([(650, SEATED), (61, NOBODY), (700, SEATED)]))
    assert due == [600, 650 + 61 + 600]


def test_absences_shorter_than_a_break_stop_the_clock_and_no_more():
    sat, due = run(spell([(300, SEATED), (59, NOBODY), (400, SEATED)]))
    assert due == [300 + 59 + 301], "one second of sitting is lost at either end of the absence"
    assert sat[358] == sat[299] == 299


def test_many_short_absences_do_not_add_up_to_a_break():
    sat, _ = run(spell(10 * [(30, SEATED), (50, NOBODY)] + [(30, SEATED)]))
    assert sat[-1] == 11 * 29


def test_a_suspend_is_a_break_and_a_shorter_hole_is_not():
    before = spell([(590, SEATED)])
    assert run(before + spell([(100, SEATED)], start_s=5000.0))[0][-1] == 99
    assert run(before + spell([(100, SEATED)], start_s=600.0))[1] == [600]


def test_a_passer_by_just_after_a_suspend_has_not_come_back():
    sat, _ = run(spell([(590, SEATED)]) + spell([(5, SEATED), (50, NOBODY)], start_s=5000.0))
    assert sat[590:] == [0.0] * 55


@pytest.mark.parametrize("after", [SEATED, NOBODY])
def test_what_nobody_can_tell_is_neither_sitting_nor_a_break(after):
    sat, due = run(spell([(300, SEATED), (5000, UNSEEN), (1, after), (10, SEATED)]))
    assert due == []
    assert sat[5299] == 299
    assert sat[-1] == pytest.approx(299 + 10, abs=1)


def test_the_steps_into_and_out_of_not_knowing_are_not_absence():
    times = [
        (0, SEATED),
        (10, SEATED),
        (60, UNSEEN),
        (110, NOBODY),
        (125, NOBODY),
        (126, SEATED),
        (136, SEATED),
    ]
    assert run(times)[0][-1] == 20.0, "15 s of absence were seen"


def test_an_absence_goes_on_across_frames_that_cannot_tell():
    sat, _ = run(spell([(300, SEATED), (40, NOBODY), (5, UNSEEN), (40, NOBODY), (11, SEATED)]))
    assert sat[-1] == 10


def test_when_disabled_it_counts_and_never_reminds():
    settings = BreakSettings(interval_s=600, away_s=60, micro_interval_s=60, enabled=False)
    assert reminders(spell([(1000, SEATED)]), settings) == []
    assert run(spell([(1000, SEATED)]), settings)[0][-1] == 999


@pytest.mark.parametrize("rate_hz", [0.5, 2.0, 3.7, 10.0, 30.0])
def test_the_frame_rate_does_not_matter(rate_hz):
    pieces = [(1100, SEATED), (40, NOBODY), (6, SEATED), (40, NOBODY), (700, SEATED)]
    _, due = run(spell(pieces, step_s=1 / rate_hz))
    assert due == pytest.approx([600, 800, 1000, 1186 + 600], abs=4 / rate_hz + 1e-6)


MANY = BreakSettings(interval_s=2700, repeat_s=900, away_s=120, micro_interval_s=1200, micro_away_s=30)


def test_micro_breaks_come_between_movement_breaks_and_not_just_before_one():
    assert reminders(spell([(3700, SEATED)]), MANY) == [(1200, MICRO), (2700, MOVEMENT), (3600, MOVEMENT)]
    close = BreakSettings(interval_s=2700, repeat_s=900, micro_interval_s=800)
    assert reminders(spell([(2750, SEATED)]), close) == [(800, MICRO), (1600, MICRO), (2700, MOVEMENT)]


def test_a_pause_taken_unasked_is_credited():
    frames = spell([(1100, SEATED), (31, NOBODY), (1150, SEATED)])
    assert reminders(frames, MANY) == [], "micro-break taken; the movement break is not yet due"
    short = spell([(1100, SEATED), (20, NOBODY), (1150, SEATED)])
    assert reminders(short, MANY) == [(1100 + 20 + 101, MICRO)]
    long = spell([(2600, SEATED), (121, NOBODY), (2600, SEATED)])
    assert [kind for _, kind in reminders(long, MANY)] == [MICRO, MICRO], "one in each stretch of sitting"


def test_what_is_due_at_a_bad_moment_waits_for_a_good_one_and_comes_once():
    held = [(1190, 1300), (2690, 2800)]
    assert reminders(spell([(3000, SEATED)]), MANY, held) == [(1300, MICRO), (2800, MOVEMENT)]
    both = [(1190, 2800)]
    assert reminders(spell([(3000, SEATED)]), MANY, both) == [(2800, MOVEMENT)], (
        "the greater one stands for both"
    )
    away = spell([(2750, SEATED), (121, NOBODY), (200, SEATED)])
    assert reminders(away, MANY, [(1190, 2760)]) == [], "taken meanwhile"


@given(pieces=PIECES, held=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), max_size=3))
def test_nothing_is_said_while_held_and_counting_goes_on(pieces, held):
    settings = BreakSettings(interval_s=60, repeat_s=60, away_s=60, micro_interval_s=30)
    frames = spell(pieces)
    assert not [t for t, _ in reminders(frames, settings, held) if any(a <= t < b for a, b in held)]
    assert run(frames, settings, held)[0] == run(frames, settings)[0]


STAND = BreakSettings(interval_s=600, standing_interval_s=300, repeat_s=200, away_s=60, micro_interval_s=0)


def test_standing_is_not_sitting_and_has_its_own_interval():
    clock = SittingClock(STAND, is_standing=True)
    due = [t_s for t_s, p in spell([(550, SEATED)]) if clock.step(t_s, p)]
    assert due == [300, 500]
    assert (clock.sat_s, clock.stood_s) == (0.0, 549.0)


def test_changing_between_sitting_and_standing_begins_anew():
    clock = SittingClock(STAND)
    for t_s, presence in spell([(590, SEATED)]):
        assert clock.step(t_s, presence) is None
    clock.set_standing(False)
    assert clock.sat_s == 589, "no change, nothing begins"
    clock.set_standing(True)
    assert (clock.sat_s, clock.stood_s) == (0.0, 0.0)
    due = [t_s for t_s, p in spell([(310, SEATED)], start_s=590.0) if clock.step(t_s, p)]
    assert due == [590 + 299], "300 s stood, the first of them from the last frame seated"
    clock.set_standing(False)
    due = [t_s for t_s, p in spell([(610, SEATED)], start_s=900.0) if clock.step(t_s, p)]
    assert due == [900 + 599]


def test_the_same_again_after_reset():
    frames = spell([(650, SEATED), (61, NOBODY), (70, UNSEEN), (5, ELSEWHERE), (20, NOBODY), (700, SEATED)])
    clock = SittingClock(MANY)
    first = [(clock.step(*frame), clock.sat_s) for frame in frames]
    clock.reset()
    assert vars(clock) == vars(SittingClock(MANY))
    assert [(clock.step(*frame), clock.sat_s) for frame in frames] == first
