"""What comes of one item of the work, and how far it is on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Report: TypeAlias = Callable[[Any], None]
"""What work calls with anything that tells how far it is; most calls cost nothing and go nowhere."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What came of one item."""

    index: int
    """Which item, counted from 0."""
    value: R | None
    """What the work returned; None if it failed."""
    error: str = ""
    """Why it failed, in one line; empty = it did not."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one worker is."""

    worker: int
    """Which worker, counted from 0."""
    index: int
    """The item it has."""
    value: Any
    """What the work reported; None = it has just been given the item."""


def one_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]
