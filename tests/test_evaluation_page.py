"""The page of an evaluation in a real browser.

Claimed: it loads nothing but itself, and its policy would stop it; what stands in labels and file names stands there
as it is; its figures are those of the result; it fits a phone, is whole without JavaScript and has words for charts.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from browser import DESKTOP, PHONE, chromium

from posture.evaluation.comparison import compare
from posture.evaluation.course import STATES, Course
from posture.evaluation.page import MAX_STRIPS, render_page
from posture.evaluation.result import Failure, Result
from posture.evaluation.scoring import score_run
from posture.labels.labels import Duty, Interval, Labels, TrueAngles
from posture.slouch import EventKind, SlouchEvent, SlouchState

HOSTILE = "</li></style><script>document.title='!'</script><img src=x onerror=alert(1)>&amp;\"'"
U, S = SlouchState.UPRIGHT, SlouchState.SLOUCHING


def score(name, alerts, *, camera="laptop", person="p", posture="slump"):
    t_s = np.arange(800) / 4.0
    state = np.where((t_s >= 102) & (t_s < 143), STATES.index(S), STATES.index(U)).astype(np.int8)
    neck = 10.0 + 5.0 * np.sin(t_s)
    events = tuple(SlouchEvent(EventKind.ALERT, t, t) for t in alerts)
    course = Course(t_s, state, np.zeros(800, dtype=np.int8), neck, neck / 2, events)
    intervals = (
        Interval(0, 100, U, posture="work"),
        Interval(100, 140, S, Duty.MUST, posture),
        Interval(140, 200, U, Duty.MUST_NOT, "chat"),
    )
    settled = np.ones(800, dtype=bool)
    angles = TrueAngles(t_s, 20.0 + neck + 1.0, neck, settled, ("",) * 800)
    labels = Labels(person=person, camera=camera, baseline_s=(0.0, 10.0), intervals=intervals, angles=angles)
    return score_run(course, labels, clip=name, sustain_s=10.0)


@pytest.fixture(scope="module")
def result():
    scores = [
        score(f"clip{i}.mp4", [112.0], camera=("side", "laptop")[i % 2], person=f"p{i}") for i in range(7)
    ]
    scores.append(score("false.mp4", [111.0, 142.0, 170.0]))
    scores.append(score(HOSTILE, [], camera=HOSTILE, person=HOSTILE, posture=HOSTILE))
    return Result(HOSTILE, tuple(scores), (Failure(HOSTILE, HOSTILE),))


@pytest.fixture(scope="module")
def pages(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    other = Result("other", tuple(replace(s, tally=replace(s.tally, n_false=2)) for s in result.scores))
    (folder / "full.html").write_text(render_page(result, compare(result, other), (HOSTILE,)), "utf-8")
    bare = Result(
        "your settings", (replace(result.scores[0], truth=(), camera="", person="", by_posture={}),)
    )
    (folder / "bare.html").write_text(render_page(bare), "utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True), ((320, 568), False)])
@pytest.mark.parametrize("name", ["full", "bare"])
def test_it_loads_only_itself_without_complaint_and_fits(browser, pages, name, size, dark):
    path = pages / f"{name}.html"
    browser.open(path, size, dark=dark)
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.title.startswith("Posture evaluation, ")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]


def test_the_policy_stops_what_would_be_smuggled_in(browser, pages, tmp_path):
    page = (pages / "bare.html").read_text("utf-8")
    smuggled = page.replace(
        "</main>", "<script>document.title = '!'</script><p style='color:red' id='x'>x</p></main>"
    )
    for text, is_stopped in ((smuggled, True), (re.sub(r"<meta http-equiv[^>]*>", "", smuggled), False)):
        (tmp_path / "page.html").write_text(text, "utf-8")
        browser.open(tmp_path / "page.html")
        assert (browser.title == "!") != is_stopped


def test_hostile_names_stand_there_as_they_are(browser, pages):
    browser.open(pages / "full.html")
    text = browser.execute_script("return document.body.innerText")
    assert text.count(HOSTILE) >= 8, "settings, limit, failure and its clip, strip, camera, posture, clip"
    assert browser.execute_script("return document.querySelectorAll('script, img').length") == 0


def test_its_figures_are_the_results(browser, pages, result):
    browser.open(pages / "full.html")
    cells = browser.execute_script("""
        return [...document.querySelectorAll('#overall tbody tr')].map(r => [...r.children].map(c => c.innerText))""")
    rows = {cells_[0]: cells_[1:] for cells_ in cells}
    tally = result.overall
    assert rows["False alerts per hour"][0] == f"{tally.false_per_hour:.2f}"
    assert rows["False alerts per hour"][2] == f"1 in {tally.watched_h:.2f} h watched"
    assert rows["Recall"][0] == f"{100 * 8 / 9:.0f} %"
    assert rows["Neck error"][0] == f"{tally.neck.mae_deg:.1f}°"
    by_clip = browser.execute_script("return document.querySelectorAll('#by-clip tbody tr').length")
    assert by_clip == len(result.scores)
    pairs = browser.execute_script("return document.querySelector('#pairs tbody tr').innerText").split("\t")
    assert pairs[0] == "false alerts per hour" and "worse" in pairs


def test_a_strip_has_the_states_and_marks_of_its_clip(browser, pages):
    browser.open(pages / "full.html")
    drawn = browser.execute_script("""
        return [...document.querySelectorAll('.strip')].map(s => [s.querySelector('h3').innerText,
            [...s.querySelectorAll('.band')].map(b => [b.getAttribute('class').split(' ')[1],
                parseFloat(b.getAttribute('x')), parseFloat(b.getAttribute('width'))]),
            [...s.querySelectorAll('.alert')].map(a => a.textContent)])""")
    by_name = {name: (bands, marks) for name, bands, marks in drawn}
    assert {drawn[0][0], drawn[1][0]} == {"false.mp4", HOSTILE}, "those with mistakes come first"
    bands, marks = by_name["false.mp4"]
    assert bands == [
        ["upright", 0, 50],
        ["slouching", 50, 20],
        ["upright", 70, 30],
        ["upright", 0, 51],
        ["slouching", 51, 20.5],
        ["upright", 71.5, 28.5],
    ]
    assert marks == ["▼", "▽", "✕"]
    assert len(drawn) == 9 <= MAX_STRIPS


def test_it_is_the_same_without_javascript_and_has_words_for_charts(browser, pages, tmp_path):
    shots = []
    for script in (True, False):
        browser.open(pages / "full.html", script=script)
        browser.screenshot(tmp_path / "shot.png")
        shots.append((tmp_path / "shot.png").read_bytes())
    assert shots[0] == shots[1]
    browser.open(pages / "full.html")
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    shown = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]
    assert all(words for role, words in shown if role in ("region", "table", "heading"))
    images = [words for role, words in shown if role in ("image", "img")]
    assert len(images) == 9 == len(set(images))
    ids = [e.get_attribute("id") for e in browser.find_elements("css selector", "[id]")]
    assert len(ids) == len(set(ids))
