"""How Sphinx makes the documentation site: ``sphinx-build -W -c docs/site . build/site``.

The pages are those that a code host shows, where they are: the source folder is the whole project, so that a link from
one to another works in both. Navigation is the table of docs/README.md. Nothing is fetched, by the build or by a page.
"""

import re
from pathlib import Path
from typing import Any

import msgspec
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import posture

ROOT = Path(__file__).parents[2]

project = "Posture"
author = "the Posture developers"
version = release = posture.__version__
html_title = f"Posture {version}"

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "README"
include_patterns = [
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/**", "models/README.md", "benchmarks/README.md"),
]
exclude_patterns = ["docs/site"]

# A heading's anchor is the one that a code host gives it.
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "signature"
# Arrays keep their short names; the reference's first page tells what they are.
ARRAYS = ("FloatArray", "Float32Array", "BoolArray", "UInt8Array", "ArrayLike", "Columns")
autodoc_type_aliases = {name: name for name in ARRAYS}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
nitpicky = True
# Types of other projects, whose pages nobody is sent to.
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|matplotlib|pathlib|os|threading|collections|typing|types|datetime)\..*"),
    ("py:.*", "|".join((*ARRAYS, "Axes", "Figure", "NDArray", "TypeAliasForwardRef"))),
]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_additional_pages = {"index": "index.html"}
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_domain_indices = False
html_use_index = True
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#005b8e", "color-brand-content": "#005b8e"},
    "dark_css_variables": {"color-brand-primary": "#56b4e9", "color-brand-content": "#7cc4ee"},
}

ROW = re.compile(r"^\| (?:\*\*(?P<group>[^*]+)\*\*|(?P<links>\[.*?)) \|", re.MULTILINE)


def navigation() -> str:
    """Return the groups of docs/README.md's table as hidden tables of contents."""
    parts, group, pages = [], "", []

    def flush() -> None:
        if pages:
            lines = "\n".join(pages)
            parts.append(f"```{{toctree}}\n:hidden:\n:caption: {group.capitalize()}\n\n{lines}\n```\n")
            pages.clear()

    for row in ROW.finditer((ROOT / "docs" / "README.md").read_text("utf-8")):
        if row["group"]:
            flush()
            group = row["group"]
            continue
        for target in re.findall(r"\]\(([^)]+)\)", row["links"]):
            page = (Path("docs") / target).as_posix().replace("docs/../", "").removesuffix(".md")
            if page != root_doc:
                pages.append(f"/{page.removesuffix('.rst')}")
    flush()
    return "\n".join(parts)


def add_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the navigation below the first page, where no code host shows it."""
    if docname == root_doc:
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n\n/docs/README\n```\n\n{navigation()}"


def add_settings(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Add the keys of a section of the settings to its documentation: they are described in their types."""
    if not (isinstance(thing, type) and issubclass(thing, msgspec.Struct)):
        return
    from posture.config import describe_fields

    lines += [
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - key",
        "     - default",
        "     - what it is",
    ]
    for key, default, text in describe_fields(thing):
        lines += [f"   * - ``{key}``", f"     - {f'``{default}``' if default else ''}", f"     - {text}"]
    lines.append("")


def setup(app: Sphinx) -> None:
    """Connect the above."""
    app.add_lexer("csv", TextLexer)  # Pygments has none
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-docstring", add_settings)
