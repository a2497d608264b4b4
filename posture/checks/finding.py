"""What a check has found, and how one is run so that whatever happens in it stays its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import Enum

from posture.errors import PostureError
from posture.redaction import redact

THREAD_NAME = "posture-check"


class Verdict(Enum):
    """How a part is; the values are what ``posture doctor --json`` says."""

    FINE = "fine"
    WARNING = "warning"
    """It works, but not as well as it could, or not for long."""
    BROKEN = "broken"
    """Something a person asked for does not work."""
    SKIPPED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    """Which part, in a word or two; the same on every machine."""
    verdict: Verdict
    found: str
    """What was seen, one line."""
    remedy: str = ""
    """What to do about it; empty when there is nothing, or `found` says it."""

    def as_plain(self) -> dict[str, str]:
        """Return it as an object of ``--json``: `check`, `verdict`, `found`, `remedy`, all text."""
        return asdict(self) | {"verdict": self.verdict.value}


def fine(check: str, found: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, Verdict.FINE, found)


def warning(check: str, found: str, remedy: str = "") -> Finding:
    """Return the finding that something could be better."""
    return Finding(check, Verdict.WARNING, found, remedy)


def broken(check: str, found: str, remedy: str = "") -> Finding:
    """Return the finding that something does not work."""
    return Finding(check, Verdict.BROKEN, found, remedy)


def skipped(check: str, found: str) -> Finding:
    """Return the finding that there was nothing to look at, or no wish to."""
    return Finding(check, Verdict.SKIPPED, found)


def examine(check: str, look: Callable[[], Iterable[Finding]], limit_s: float) -> list[Finding]:
    """Return what `look` finds; its error, or its silence, is a finding called `check`.

    Parameters
    ----------
    check : str
        What to call a failure of the check itself.
    look : callable
        Yields findings; runs on a thread of its own, which is left behind when it does not come back.
    limit_s : float
        Seconds after which it has hung.
    """
    found: list[Finding] = []

    def run() -> None:
        try:
            for finding in look():
                found.append(finding)
        except PostureError as error:  # its text names the thing and says what to do
            found.append(broken(check, str(error)))
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            found.append(broken(check, f"could not be checked: {text}"))

    thread = threading.Thread(target=run, name=THREAD_NAME, daemon=True)
    thread.start()
    thread.join(limit_s)
    told = [Finding(f.check, f.verdict, redact(f.found), redact(f.remedy)) for f in list(found)]
    if thread.is_alive():
        told.append(broken(check, f"did not answer within {limit_s:g} s"))
    return told
