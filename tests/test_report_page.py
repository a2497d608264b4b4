"""The report's page in a real browser.

Claimed: it loads nothing but itself, and its policy would stop it from doing so; its figures are the database's; it
is whole without JavaScript, on a phone, in the dark, on paper, by keyboard and to a screen reader; what people wrote
stands there as they wrote it.
"""

import http.server
import re
import threading
from datetime import date
from itertools import pairwise

import pytest
from browser import DESKTOP, PHONE, chromium
from synthetic_history import make_year

from posture.history.rows import BoutRow, FeedbackRow, SessionRow
from posture.history.store import History
from posture.report.ledger import DAY_MS
from posture.report.page import PageRows, render_page
from posture.report.reading import read_report
from posture.report.words import day_name, to_day
from posture.slouch import Reason, SlouchState

A4, LETTER = (8.27, 11.69), (8.5, 11.0)
LAST = date(2026, 10, 30)  # daylight saving ended on the 25th
HOSTILE = "</li></style><script>document.title='!'</script><img src=x onerror=alert(1)>&amp;\"'"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "history.sqlite"
    with History(path, is_writable=True) as history:
        make_year(history, days=90, last_day=LAST)
        alert = history.last_alerts(1)[0]
        history.put(FeedbackRow(0, alert.id, alert.at_utc_ms + 1, 3600, "wrong", HOSTILE))
        at = (to_day(LAST) * 24 + 20) * 3_600_000
        session = history.put(SessionRow(0, at, at + 1000, 3600, HOSTILE, HOSTILE, "side"))
        history.put(BoutRow(0, session, SlouchState.UPRIGHT, Reason.NONE, at, at + 1000, 3600, *(1.0,) * 6))
    return path


def write_page(database, path, n_days=7, last=LAST, **options):
    with History(database) as history:
        report = read_report(history, to_day(last) - n_days + 1, to_day(last), 120.0)
    rows = PageRows(report.sessions, report.alerts, report.feedback)
    path.write_text(render_page(report.figures, report.courses, rows, made="now", **options), "utf-8")
    return report


@pytest.fixture(scope="module")
def pages(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    write_page(database, folder / "week.html")
    write_page(database, folder / "month.html", 28)
    write_page(database, folder / "season.html", 90)
    write_page(database, folder / "summary.html", 28, is_summary=True)
    write_page(database, folder / "empty.html", 7, date(2020, 1, 1), empty=["Nothing yet.", "Do this."])
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


NAMES = ["week", "month", "season", "summary", "empty"]


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, True), (PHONE, False), ((320, 568), False)])
@pytest.mark.parametrize("name", NAMES)
def test_it_loads_only_itself_without_complaint_and_fits(browser, pages, name, size, dark):
    path = pages / f"{name}.html"
    browser.open(path, size, dark=dark)
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.title.startswith("Posture ")
    widest = browser.execute_script("""
        for (const d of document.querySelectorAll('details')) d.open = true;
        return document.documentElement.scrollWidth""")
    assert widest <= size[0]


def test_the_policy_stops_whatever_would_be_smuggled_in(browser, pages, tmp_path):
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        smuggled = f"""<img src="{address}/image"><script>document.title = "!"</script>
            <script src="{address}/script"></script><link rel="stylesheet" href="{address}/style">
            <iframe src="{address}/frame"></iframe><style>body {{ background: url({address}/back) }}</style>
            <p style="color: red" onclick="document.title='!'" id="smuggled">x</p>"""
        page = (pages / "week.html").read_text("utf-8")
        for text, reached in ((page, []), (re.sub(r"<meta http-equiv[^>]*>", "", page), ["/image"])):
            hits.clear()
            (tmp_path / "page.html").write_text(text.replace("</main>", smuggled + "</main>"), "utf-8")
            browser.open(tmp_path / "page.html")
            browser.execute_script("document.getElementById('smuggled').click()")
            assert [h for h in hits if h == "/image"] == reached, "without the policy it is really asked for"
            assert (browser.title == "!") == bool(reached)
            if not reached:
                assert hits == []
        server.shutdown()


def test_hostile_names_and_notes_are_shown_as_they_are(browser, pages):
    browser.open(pages / "week.html")
    text = browser.execute_script("return document.body.innerText")
    assert text.count(HOSTILE) == 2, "the note and the profile"
    assert browser.execute_script("return document.querySelectorAll('script, img').length") == 0
    assert "camera 0" not in text, "an address of a camera may hold a password"


def table(browser, name):
    """Rows of a table of the page: the first cell's words, the others' values."""
    return browser.execute_script(
        """return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(r => [
            r.querySelector('th').textContent.trim(), ...[...r.querySelectorAll('td')].map(c =>
            c.querySelector('data') ? Number(c.querySelector('data').value) : null)])""",
        name,
    )


def stored_bouts(database):
    with History(database) as history:
        return history.bouts()


def test_the_strips_breaks_are_in_a_table(browser, pages, database):
    """In words, for whoever does not see the lines."""
    browser.open(pages / "week.html")
    rows = browser.execute_script(
        "return [...document.querySelectorAll('#by-day tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    with History(database) as history:
        breaks = [b for b in history.breaks() if b.kind == "taken"]
    for name, first, last, told in rows:
        expected = []
        for b in breaks:
            begin, end = (
                divmod(ms // 1000 + b.utc_offset_s, 86_400) for ms in (b.start_utc_ms, b.end_utc_ms)
            )
            if day_name(begin[0]) == name and begin[0] > to_day(LAST) - 7:
                clock = [f"{s // 3600}:{s // 60 % 60:02d}" for _, s in (begin, end)]
                expected.append("–".join(clock))
        assert told == ", ".join(expected)
        assert 8 <= int(first.split(":")[0]) < 10 < int(last.split(":")[0]) <= 21
    assert len(rows) == 5


@pytest.mark.parametrize(("name", "n_days"), [("week", 7), ("month", 28)])
def test_the_pages_figures_are_the_databases(browser, pages, database, name, n_days):
    days = range(to_day(LAST) - n_days + 1, to_day(LAST) + 1)
    expected = {day: dict.fromkeys(SlouchState, 0.0) for day in days}
    for b in stored_bouts(database):  # the made-up days end before midnight
        day = (b.start_utc_ms + b.utc_offset_s * 1000) // DAY_MS
        if day in expected:
            expected[day][b.state] += (b.end_utc_ms - b.start_utc_ms) / 1000
    with History(database) as history:
        alerts = [
            (a.at_utc_ms + a.utc_offset_s * 1000) // DAY_MS for a in history.alerts() if a.recovered_utc_ms
        ]
    browser.open(pages / f"{name}.html")
    rows = table(browser, "by-period")
    assert [row[0] for row in rows] == [day_name(day) for day in days]
    for row, (day, seconds) in zip(rows, expected.items(), strict=True):
        upright, slouching = seconds[SlouchState.UPRIGHT], seconds[SlouchState.SLOUCHING]
        assert row[1:3] == pytest.approx([upright, slouching], abs=1e-3)
        assert row[4:6] == pytest.approx([seconds[SlouchState.UNKNOWN], seconds[SlouchState.AWAY]], abs=1e-3)
        judged = upright + slouching
        assert row[3] == (pytest.approx(upright / judged, abs=1e-6) if judged else None)
        assert row[6] == alerts.count(day)
    totals = [sum(row[i] for row in rows) for i in (1, 2, 4, 5)]
    by_hour = table(browser, "by-hour")
    assert [sum(row[i] for row in by_hour) for i in (1, 2, 4, 5)] == pytest.approx(totals, abs=0.1)
    share = browser.execute_script("return document.getElementById('upright-share').textContent")
    assert share == f"{100 * totals[0] / (totals[0] + totals[1]):.0f}%"
    assert sum(n for _, n in table(browser, "by-response")) == sum(row[6] for row in rows)


def test_the_columns_are_as_high_as_the_figures(browser, pages):
    browser.open(pages / "week.html")
    heights = browser.execute_script("""
        return [...document.querySelectorAll('#time .chart g')].map(g =>
            ['upright', 'slouching', 'unknown', 'away'].map(c =>
                g.querySelector('.' + c).getBBox().height))""")
    rows = table(browser, "by-period")
    seconds = [[row[i] for i in (1, 2, 4, 5)] for row in rows]
    scale = sum(map(sum, heights)) / sum(map(sum, seconds))
    for drawn, true in zip(heights, seconds, strict=True):
        assert drawn == pytest.approx([scale * s for s in true], abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_without_javascript(browser, pages, tmp_path, name):
    shots = []
    for script in (True, False):
        browser.open(pages / f"{name}.html", script=script)
        browser.screenshot(tmp_path / "shot.png")
        shots.append((tmp_path / "shot.png").read_bytes())
    browser.open(pages / f"{name}.html")
    assert shots[0] == shots[1]


CONTRASTS = r"""
const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
const light = c => { const [r, g, b] = rgb(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
const ground = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
for (const d of document.querySelectorAll('details')) d.open = true;
const found = {};
for (const e of document.querySelectorAll('body *')) {
    const s = getComputedStyle(e), isSvg = e.namespaceURI.endsWith('svg');
    const hasWords = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (hasWords && e.tagName !== 'title' && e.tagName !== 'STYLE' && s.display !== 'none')
        (found[`text ${e.tagName} ${e.getAttribute('class') || ''}`] ??= []).push(
            ratio(isSvg ? s.fill : s.color, ground(e)));
    if (isSvg && e.closest('.swatch') && e.tagName !== 'svg' && e.tagName !== 'text') {
        const paints = [s.stroke, s.fill].filter(c => c.startsWith('rgb') && rgb(c)[3] !== 0);
        found[`mark ${e.getAttribute('class')}`] = [Math.max(...paints.map(c => ratio(c, ground(e))))];
    }
}
return Object.fromEntries(Object.entries(found).map(([k, v]) => [k, Math.min(...v)]));
"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_words_and_marks_stand_out(browser, pages, name, dark):
    """WCAG 2.2, 1.4.3 and 1.4.11: 4.5 to 1 for words, 3 to 1 for what a chart is read by."""
    browser.open(pages / f"{name}.html", dark=dark)
    found = browser.execute_script(CONTRASTS)
    assert any(key.startswith("text text") for key in found) or name == "empty"
    low = {key: value for key, value in found.items() if value < (4.5 if key.startswith("text") else 3.0)}
    assert not low
    page = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", page)[:3])) < 200) == dark


@pytest.mark.parametrize("name", NAMES)
def test_a_screen_reader_finds_its_way(browser, pages, name):
    browser.open(pages / f"{name}.html")
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    shown = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]
    roles = [role for role, _ in shown]
    for landmark in ("banner", "main", "contentinfo"):
        assert roles.count(landmark) == 1
    assert all(words for role, words in shown if role in ("region", "table", "heading"))
    levels = [int(h.tag_name[1]) for h in browser.find_elements("css selector", "h1, h2, h3")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = [e.get_attribute("id") for e in browser.find_elements("css selector", "[id]")]
    assert len(ids) == len(set(ids))
    n_charts = len(browser.find_elements("css selector", ".chart"))
    images = [words for role, words in shown if role in ("image", "img")]
    assert len(images) == n_charts == len(set(images))
    assert all(len(words) > 20 for words in images)
    unlabelled = browser.execute_script("""
        return [...document.querySelectorAll('table')].filter(t => !t.caption || [...t.querySelectorAll('th')].some(
            th => !th.scope)).length + [...document.querySelectorAll('[aria-labelledby]')].filter(
            e => !document.getElementById(e.getAttribute('aria-labelledby'))).length""")
    assert unlabelled == 0
    assert browser.execute_script("return document.documentElement.lang") == "en"


def test_the_keyboard_reaches_and_opens_every_table(browser, pages):
    from selenium.webdriver.common.keys import Keys

    browser.open(pages / "week.html")
    summaries = len(browser.find_elements("css selector", "summary"))
    opened = 0
    for _ in range(6 * summaries):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        at = browser.switch_to.active_element
        if at.tag_name == "body":
            break
        outline = at.value_of_css_property("outline-style"), at.value_of_css_property("outline-width")
        assert outline == ("solid", "2px")
        if at.tag_name == "summary" and not at.find_element("xpath", "..").get_attribute("open"):
            at.send_keys(Keys.ENTER)
            assert at.find_element("xpath", "..").get_attribute("open")
            opened += 1
    assert opened >= summaries - 1
    assert not browser.find_elements("css selector", "details:not([open])")


@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize(
    ("name", "most"), [("summary", 1), ("week", 2), ("month", 2), ("season", 2), ("empty", 1)]
)
def test_it_prints_on_few_pages(browser, pages, name, most, paper):
    browser.open(pages / f"{name}.html", dark=True)
    pdf, n_pages = browser.print_pdf(paper)
    assert 1 <= n_pages <= most
    assert len(pdf) < 1_000_000, "small enough to send"


def test_ten_years_are_one_readable_page(browser, tmp_path):
    """Nights, so that wherever the reading is cut there is a bout, or one begins."""
    path, last = tmp_path / "history.sqlite", to_day(LAST)
    with History(path, is_writable=True) as history, history.transaction():
        for day in range(last - 3649, last):
            at = day * DAY_MS + (23 if day % 4 < 2 else 22) * 3_600_000
            middle, end = at + 3_600_000, at + 4 * 3_600_000
            session = history.put(SessionRow(0, at, end, 0, "camera 0", "default", "front"))
            for state, a, b in ((SlouchState.SLOUCHING, at, middle), (SlouchState.UPRIGHT, middle, end)):
                history.put(BoutRow(0, session, state, Reason.NONE, a, b, 0, *(1.0,) * 6))
    report = write_page(path, tmp_path / "page.html", 3650)
    assert report.figures.total.total_s == 3649 * 4 * 3600, "none is missed or taken twice"
    assert report.figures.total.upright_share == 0.75
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    browser.open(tmp_path / "page.html", PHONE)
    assert browser.complaints() == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    assert len(table(browser, "by-period")) == 120
