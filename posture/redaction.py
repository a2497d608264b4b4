"""What must not be told: passwords in addresses. The one place that takes them out of a text. Pure; no I/O.

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
