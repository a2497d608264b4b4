"""Open every page of the built site in Chromium, as a phone and as a desktop, and tell what is wrong with it.

``python docs/site/check_site.py build/site``; needs the extra ``test`` and Debian's chromium and chromium-driver. Wrong
is: anything asked for outside the site's folder, anything asked for that is not there, a word in the console, a page
that scrolls sideways, a search that finds nothing.
"""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from browser import DESKTOP, PHONE, Browser, chromium

SEARCH_S = 20.0  # a search is over in a tenth of a second; a loaded machine may take longer


def faults(browser: Browser, site: Path, page: Path) -> list[str]:
    """Return what is wrong with one page."""
    found = []
    for size in (PHONE, DESKTOP):
        browser.open(page, size)
        for address in browser.requests():
            parts = urlsplit(address)
            file = Path(unquote(parts.path))
            if parts.scheme == "data":
                continue
            if parts.scheme != "file" or not file.is_relative_to(site):
                found.append(f"asks for {address}")
            elif not file.is_file():
                found.append(f"{file.relative_to(site)} is missing")
        found += browser.complaints()
        wide_px = browser.execute_script("return document.documentElement.scrollWidth")
        if wide_px > size[0]:  # not innerWidth, which grows with what sticks out
            found.append(f"is {wide_px} pixels wide where there are {size[0]}")
    return found


def main(site: Path) -> int:
    """Check the site; return 1 if something is wrong."""
    pages = sorted(page for page in site.rglob("*.html") if "_static" not in page.parts)
    n_faults = 0
    with chromium() as browser:
        for page in pages:
            for fault in faults(browser, site, page):
                n_faults += 1
                print(f"{page.relative_to(site)}: {fault}")
        browser.get(f"{(site / 'search.html').as_uri()}?q=replay")
        browser.set_script_timeout(SEARCH_S)
        n_found = browser.execute_async_script(
            "const done = arguments[0];"
            "(function look() { const n = document.querySelectorAll('#search-results li').length;"
            "n ? done(n) : setTimeout(look, 100); })();"
        )
    print(f"{len(pages)} pages, {n_found} found by a search, {n_faults} faults")
    return 1 if n_faults or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
