"""What runs already: the monitor, and whether it will run after the next login."""

from __future__ import annotations

from collections.abc import Iterator

from posture.checks.finding import Finding, fine, warning
from posture.starting import find_problem, make_starter
from posture.status import Status
from posture.words import REASONS, STATES


def check_monitor(monitor: Status | None) -> Iterator[Finding]:
    """Tell what the running monitor says of itself."""
    if monitor is None:
        yield fine("monitor", "none is running; 'posture run' starts one")
        return
    words = [STATES[monitor.state][1], REASONS[monitor.reason]]
    text = f"running as process {monitor.pid}: {', '.join(word for word in words if word)}"
    if monitor.notifications_failed and monitor.last_notification_error:
        yield warning("monitor", f"{text}; notifications fail: {monitor.last_notification_error}")
    else:
        yield fine("monitor", text)


def check_autostart() -> Iterator[Finding]:
    """Tell whether the monitor starts at login, and whether that would work."""
    registration = make_starter().status()
    problem = find_problem(registration)
    if problem:
        yield warning("autostart", problem)
    elif registration.paths:
        yield fine("autostart", f"enabled: {registration.kind}")
    else:
        yield fine("autostart", "not enabled; 'posture autostart enable' starts the monitor at login")
