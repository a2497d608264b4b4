"""docs/api.md: every block of Python runs, in order, and prints what stands beneath it, numbers to within 1.

Other processors round the pose model's last digits otherwise; a page that is wrong is wrong by more.

Also: the example in the package's own docstring names nothing that is not there.
"""

import contextlib
import io
import re
import zlib
from pathlib import Path

import pytest

import posture
from posture.landmarker import PoseLandmarker

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
NUMBER = re.compile(r"[-+]?\b\d+(?:\.\d+)?\b")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """Return the blocks of Python of a page, each with what it is said to print and the number of its line."""
    fences = [(m[1], m[2], page[: m.start()].count("\n") + 2) for m in FENCE.finditer(page)]
    following = [*fences[1:], ("", "", 0)]
    return [
        (code, after if kind == "text" else "", line)
        for (language, code, line), (kind, after, _) in zip(fences, following, strict=True)
        if language == "python"
    ]


def is_the_same(printed, promised):
    """Return whether two texts have the same words, and numbers no more than 1 apart."""
    ours, theirs = NUMBER.split(printed), NUMBER.split(promised)
    if [" ".join(word.split()) for word in ours] != [" ".join(word.split()) for word in theirs]:
        return False
    numbers = zip(NUMBER.findall(printed), NUMBER.findall(promised), strict=True)
    return all(abs(float(a) - float(b)) <= 1.0 for a, b in numbers)


def run(page, name):
    """Run a page's blocks in one namespace and return each one's output beside the promised one."""
    namespace, seen = {"__name__": "example"}, []
    for code, promised, line in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * (line - 1) + code, name, "exec"), namespace)
        seen.append((line, printed.getvalue(), promised))
    return seen


def look_once(monkeypatch):
    """Have the model look at each picture once: the page reads the same clip four times, always from its beginning."""
    seen, detect = {}, PoseLandmarker.detect

    def remember(landmarker, frame):
        key = frame.t_s, zlib.crc32(frame.image_rgb)
        if key not in seen:
            seen[key] = detect(landmarker, frame)
        return seen[key]

    monkeypatch.setattr(PoseLandmarker, "detect", remember)


def test_the_page_does_what_it_says(tmp_path, monkeypatch):
    look_once(monkeypatch)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    seen = run(PAGE.read_text("utf-8"), str(PAGE))
    assert len(seen) >= 7
    for line, printed, promised in seen:
        assert is_the_same(printed, promised), f"{PAGE.name}, line {line}: {printed}"
    assert (tmp_path / "neck.png").stat().st_size > 10_000
    matplotlib.pyplot.close("all")


def test_the_runner_notices_a_wrong_line():
    page = "```python\nprint('a', 1)\n```\n\n```text\na 3\n```\n"
    ((line, printed, promised),) = run(page, "page")
    assert (line, printed, promised) == (2, "a 1\n", "a 3\n")
    assert not is_the_same(printed, promised)
    assert is_the_same(printed, "a 2")
    assert not is_the_same(printed, "b 1")
    assert not is_the_same(printed, "a 1 2")


def test_the_package_s_own_example_names_what_there_is():
    names = re.findall(r"posture\.(\w+)", posture.__doc__)
    assert names
    assert set(names) <= set(posture.__all__)
