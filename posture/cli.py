"""The command line: all commands together, logging, and how the program ends.

Commands are imported when they run, so that ``posture --help`` loads neither OpenCV nor MediaPipe.
Exit codes: 0 ok, 1 failure, 2 usage, 130 Ctrl-C, 143 SIGTERM before the command was done.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from typing import Annotated

import typer

from posture import __version__
from posture.commands import (
    autostart,
    config,
    control,
    history,
    labels,
    laboratory,
    machine,
    person,
    profiles,
    recordings,
    trace,
    tune,
    watching,
)
from posture.errors import OverrideError, PostureError
from posture.redaction import harmless, redact

app = typer.Typer(
    name="posture",
    help="A quiet posture monitor: your webcam, your own upright, and a word only when a slouch lasts.\n\n"
    "No picture is stored or sent. Comfort and movement advice; not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Redacting(logging.Formatter):
    """Keep the passwords of addresses, and a terminal's commands, out of the log, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return harmless(redact(super().format(record)))


def _show_version(wanted: bool) -> None:
    """Print the version and exit."""
    if wanted:
        print(f"posture {__version__}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what happens, to standard error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Configure logging."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("posture: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler])


for command in (
    watching.run,
    watching.calibrate,
    recordings.replay,
    recordings.record,
    laboratory.evaluate,
    labels.label,
    watching.demo,
    control.status,
    person.break_,
    control.pause,
    control.resume,
    control.snooze,
    control.recalibrate,
    control.rezero,
    control.stop,
    control.tray,
    person.report,
    machine.cameras,
    machine.doctor,
    recordings.bench,
    tune.tune,
    person.why,
    person.wrong,
):
    app.command(command.__name__.rstrip("_"))(command)
for name, group in (
    ("config", config.app),
    ("history", history.app),
    ("autostart", autostart.app),
    ("profiles", profiles.app),
    ("trace", trace.app),
    ("labels", labels.app),
):
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line and exit."""
    code = 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # "●" must not end the program where the encoding lacks it
            stream.reconfigure(errors="replace")
    try:
        app(standalone_mode=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # whoever read our output has gone, as head(1) does
        code = 1
    except (PostureError, OSError) as error:
        print(harmless(redact(f"posture: {error}")), file=sys.stderr)
        code = 2 if isinstance(error, OverrideError) else 1
    _leave(code)


def _leave(code: int) -> None:
    """Exit, even while a capture thread is stuck inside the camera driver, and without a word about lost output.

    The interpreter would abort the process when such a thread comes back during its shutdown.
    """
    import threading

    # The interpreter's shutdown restores the default handlers: a second Ctrl-C would kill it and spoil the code.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:  # a full disk or a closed pipe; the interpreter would try again, and complain
            code = code or 1
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stuck = ("posture-capture", "posture-check")
    if any(thread.name in stuck and thread.is_alive() for thread in threading.enumerate()):
        os._exit(code)
    sys.exit(code)
