"""What every page is made on: its style inside it, nothing fetched, and a policy that forbids that anything be."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from posture import __version__

BASE = "posture.report"
"""The package with the template that pages extend, ``sheet.html``, and the style that they have in common."""


def make_sheet(package: str = BASE, style_name: str = "") -> Environment:
    """Return the templates of a package of pages; all of them know `style`, its `digest` and the program's `version`.

    Parameters
    ----------
    package : str
        Whose ``templates`` they are; those of :data:`BASE` are there as well.
    style_name : str
        A style sheet among them that goes after the common one; empty = none.
    """
    sheets = [(BASE, "page.css"), *([(package, style_name)] if style_name else [])]
    style = "\n".join(
        files(owner).joinpath("templates", name).read_text(encoding="utf-8").strip() for owner, name in sheets
    )
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(BASE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        style=Markup(style),
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        version=__version__,
    )
    return environment
