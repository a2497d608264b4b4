"""The commands that only look: status, cameras, bench. They return the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from rich.text import Text

from posture.bundled import DEMO_CLIP_NAME, asset_path
from posture.config import state_path
from posture.console import make_console
from posture.status import read_status
from posture.words import REASONS, STATES, clock


def show_status(as_json: bool) -> int:
    """Print the running monitor's status."""
    console = make_console()
    status = read_status(state_path())
    if status is None:
        console.print(
            json.dumps({"running": False}) if as_json else "no monitor is running; 'posture run' starts one"
        )
        return 1
    if as_json:
        console.print(json.dumps({"running": True} | msgspec.to_builtins(status)))
        return 0
    symbol, word, colour = STATES[status.state]
    line = Text.assemble((f"{symbol} {word}", f"bold {colour}"), f"  {REASONS[status.reason]}")
    if status.rest_detail:
        line.append(f" ({status.rest_detail})")
    console.print(line)
    console.print(f"watching {status.source}, baseline {status.profile!r}, process {status.pid}")
    console.print(
        f"sat for {clock(status.sat_s)}, slouched for {clock(status.slouched_s)}, alerts: {status.alerts}"
    )
    rate = "" if status.judged_hz is None else f", {status.judged_hz:.1f} pictures judged a second"
    console.print(f"camera {status.camera}{rate}")
    console.print(
        f"notifications: {status.notifications_sent} sent, {status.notifications_failed} failed, "
        f"{status.notifications_dropped} dropped"
    )
    if status.history:
        console.print(f"the history is not being kept: {status.history}", style="bold")
    if status.last_notification_error:
        console.print(f"last failure: {status.last_notification_error}", style="bold")
    for what, seconds in (("paused", status.paused_for_s), ("snoozed", status.snoozed_for_s)):
        if seconds is not None:
            console.print(f"{what} for another {clock(seconds)}")
    if status.is_late:
        console.print(f"no picture has been dealt with for {status.age_s:.0f} s: does it hang?", style="bold")
    return 0


def show_cameras() -> int:
    """Print the cameras found."""
    from posture.cameras import list_cameras

    console = make_console()
    found = list_cameras()
    for camera in found:
        console.print(f"{camera.index}  {camera.name}  {camera.path or ''}")
    if not found:
        console.print("no cameras found; is one plugged in, and may this user open it?")
    return 0


def run_bench(clip: Path | None, repeat: int) -> int:
    """Print speed ratios measured here and now."""
    from posture.bench import measure

    console = make_console()
    for line in measure(asset_path(DEMO_CLIP_NAME) if clip is None else clip, repeat):
        console.print(line)
    return 0
