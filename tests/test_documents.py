"""The documentation: links lead somewhere, every command of the README exists, pictures stay small."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.main import get_command

from posture.cli import app

ROOT = Path(__file__).parents[1]
FOLDERS = (".", "docs", "docs/validation", "models", "benchmarks", "tests/fixtures")
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.[ps][nv]g"))
# What must stay small for the first look at the project: our choice.
MAX_PICTURE_BYTES, MAX_PICTURES_BYTES = 150_000, 600_000

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def prose(page):
    """Text of a page without its blocks and spans of code."""
    return re.sub(r"`[^`\n]*`", lambda span: span[0] if "](" in span[0] else "x", FENCE.sub("", read(page)))


def read(page):
    return page.read_text(encoding="utf-8")


def anchors(page):
    """Fragments that GitHub gives the headings of a page."""
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", FENCE.sub("", read(page)), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", LINK.sub(r"\1", heading).lower()).replace(" ", "-")
        repeat = sum(1 for name in found if re.fullmatch(rf"{re.escape(words)}(-\d+)?", name))
        found.add(f"{words}-{repeat}" if repeat else words)
    return found


def commands():
    """Every command and subcommand, as one types it after the program's name."""
    found = {}
    for name, command in get_command(app).commands.items():
        found[name] = set(getattr(command, "commands", {}))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(prose(page)):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        assert file.is_relative_to(ROOT), f"{page.name} links out of the project: {target}"
        if fragment:
            assert fragment in anchors(file), f"{page.name} links to {target}: no such heading"


def test_the_index_names_every_page_of_its_folder():
    named = set(LINK.findall(read(ROOT / "docs" / "README.md")))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert pages - named == {"README.md"}


def test_the_table_of_commands_is_the_programs():
    section = read(ROOT / "README.md").partition("## Commands")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`posture ([a-z]+)", " ".join(first_cells)))
    assert named == set(commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_mentioned_exists(page):
    known = commands()
    # At the beginning of a line of code or of a span; a trailing colon or word of prose is not one.
    for first, second in re.findall(r"(?:^|`|&& )posture +([a-z]+)(?: +([a-z]+))?", read(page), re.MULTILINE):
        assert first in known, f"{page.name}: posture {first}"
        if known[first] and second:
            assert second in known[first], f"{page.name}: posture {first} {second}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_after_a_command_exists(page):
    group = get_command(app)
    for line in re.findall(r"(?:^|`|&& )(posture +[a-z][^`\n|#]*)", read(page), re.MULTILINE):
        words = line.split("#")[0].split()[1:]
        command = group.commands.get(words[0])
        if command is not None and getattr(command, "commands", None):
            command = command.commands.get(words[1] if len(words) > 1 else "")
        if command is None:
            continue
        options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        used = {re.split(r"[=,;)]", word)[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= options | {"--help"}, f"{page.name}: {line}"


def test_every_setting_that_is_mentioned_exists():
    from posture.settings import Settings

    settings = Settings()
    sections = {name: getattr(settings, name) for name in settings.__struct_fields__}
    for page in PAGES:
        if page.name == "design.md":  # names modules, which look alike
            continue
        # history.sqlite is a file
        for section, key in re.findall(r"`([a-z]+)\.([a-z_]+)(?: = [^`]*)?`", read(page)):
            if key != "sqlite" and hasattr(sections.get(section), "__struct_fields__"):
                assert key in sections[section].__struct_fields__, f"{page.name}: {section}.{key}"


def test_nobody_is_told_to_install_another_program_of_this_name():
    """What package registries call posture is not this one."""
    texts = [*PAGES, *(ROOT / "posture").rglob("*.py")]
    told = [
        path.name
        for path in texts
        if re.search(r"(?:pip|pipx) install +(?:-\S+ +)*['\"]?posture\b", read(path))
    ]
    assert told == []


def test_pictures_are_small_and_used():
    sizes = {picture.name: picture.stat().st_size for picture in PICTURES}
    assert sizes
    assert max(sizes.values()) <= MAX_PICTURE_BYTES
    assert sum(sizes.values()) <= MAX_PICTURES_BYTES
    texts = "".join(read(page) for page in PAGES)
    assert [name for name in sizes if name not in texts] == []


def test_every_picture_has_words_for_those_who_do_not_see_it():
    for page in PAGES:
        for words in re.findall(r"!\[([^\]]*)\]", read(page)):
            assert len(words) > 20, f"{page.name}: {words!r}"
