"""The workers of a scheduler: which there are, and which of them can do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from posture.errors import JobsError
from posture.jobs.scheduler import lost_scheduler, scheduler_lost

SAME = ("posture", "distributed", "mediapipe", "numpy", "opencv-python-headless")
"""Packages whose versions have to be those of this machine."""


class Workers:
    """Which workers there are, and which of them can do the work."""

    def __init__(self, client: Any, address: str, notify: Callable[[str], None]) -> None:
        self._client, self._address, self._notify = client, address, notify
        self._faults: dict[str, str] = {}
        self._told: set[str] = set()
        self.present: frozenset[str] = frozenset()
        self.able: frozenset[str] = frozenset()

    def look(self) -> None:
        """See who is there; of a newcomer, whether it is of the same versions as this machine.

        Raises
        ------
        JobsError
            If the scheduler is not, or is gone.
        """
        with scheduler_lost(self._address):
            info = self._client.scheduler_info(n_workers=-1).get("workers")
            if info is None or self._client.status != "running":  # it tries to find it again
                raise lost_scheduler(self._address)
            if set(info) - set(self._faults):
                self._check(info)
        self.present = frozenset(info)
        self.able = frozenset(worker for worker in info if self._faults.get(worker) == "")

    def why_none(self) -> str:
        """Return why no worker can do the work."""
        faults = sorted({fault for worker, fault in self._faults.items() if fault and worker in self.present})
        return f"no worker that can do this ({'; '.join(faults)})" if faults else "there is no worker"

    def _check(self, info: Mapping[str, Any]) -> None:
        """Compare versions."""
        versions = self._client.get_versions(packages=list(SAME))
        ours = versions["client"]["packages"]
        if fault := _difference(versions["scheduler"]["packages"], ours):
            raise JobsError(f"{self._address}: the scheduler {fault}: install the same there as here")
        for worker, told in versions["workers"].items():
            if worker in self._faults or not isinstance(told, Mapping):
                continue
            self._faults[worker] = fault = _difference(told["packages"], ours)
            if fault:
                self._tell(f"worker {worker} {fault}: it gets no work")
            elif (n_threads := info.get(worker, {}).get("nthreads", 1)) > 1:
                self._tell(
                    f"worker {worker} has {n_threads} threads and uses one: start it with --nthreads 1, "
                    "and --nworkers for more"
                )

    def _tell(self, text: str) -> None:
        """Say something once."""
        if text not in self._told:
            self._told.add(text)
            self._notify(text)


def _difference(theirs: Mapping[str, str | None], ours: Mapping[str, str | None]) -> str:
    """Return how an installation differs from this one, as a predicate; empty = it does not."""
    for name in SAME:
        if theirs.get(name) is None:
            return f"has no package {name}"
        if theirs[name] != ours.get(name):
            return f"has {name} {theirs[name]}, here it is {ours.get(name)}"
    python_there, python_here = (_minor(packages.get("python")) for packages in (theirs, ours))
    return "" if python_there == python_here else f"has Python {python_there}, here it is {python_here}"


def _minor(version: str | None) -> str:
    """Return 3.12 of 3.12.1.final.0."""
    return ".".join((version or "").split(".")[:2])
