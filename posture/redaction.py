"""What must not be shown: passwords in addresses, and a terminal's commands. Takes them out of texts. Pure; no I/O.

Whatever comes from an address goes through here before it is shown, logged or stored. In doubt too much is
taken out: a host that cannot be read costs a question, a password in a log costs more.
"""

from __future__ import annotations

import re

MASK = "***"
# A user and a password, or a token in the user's place, up to the last @ of the word: a password may itself have
# an @, a slash or a question mark that nobody has escaped. What looks like a port and a path is not one.
_USER = re.compile(r"(?<=://)([^\s/?#@:]*):(?!\d{1,5}(?:[/?#]|$))[^\s\"'<>]*@")
_TOKEN = re.compile(r"(?<=://)[^\s/?#@:\"'<>]+@")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_SECRET = re.compile(
    r"(?i)((?:pass|pwd|pw|token|key|secret|auth|sig|credential)[^=&?\s]*=)[^&#\s\"'<>]*(?<![:;,.)])"
)


def mask_url(url: str) -> str:
    """Return an address with its password, and secrets in its query, replaced by ***."""
    url = re.sub(
        r"(?<=://)([^/?#@:]*):[^/?#]*@", rf"\1:{MASK}@", url
    )  # the plain case, where blanks are no end
    url = _TOKEN.sub(f"{MASK}@", _USER.sub(rf"\1:{MASK}@", url)) if "@" in url else url
    return _SECRET.sub(rf"\1{MASK}", url)


def redact(text: str) -> str:
    """Return a text with every address in it masked; a text without one is returned as it is."""
    if "://" not in text:
        return text
    text = _USER.sub(rf"\1:{MASK}@", text)
    return _ADDRESS.sub(lambda match: mask_url(match[0]), text)


# C0 but for tab and newline, DEL and C1 (ECMA-48), and what turns the direction of writing (Unicode TR36, 3.1).
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return a text without what a terminal would obey instead of showing; lines stay lines."""
    return _COMMANDS.sub("", text)
