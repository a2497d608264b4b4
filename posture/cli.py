"""The command line: the only module that prints, configures logging and exits.

Commands are imported when they run, so that ``posture --help`` loads neither OpenCV nor MediaPipe.
Exit codes: 0 ok, 1 failure, 2 usage, 130 Ctrl-C, 143 SIGTERM before the command was done.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from posture import __version__
from posture.errors import OverrideError, PostureError
from posture.redaction import redact

app = typer.Typer(
    name="posture",
    help="A quiet posture monitor: your webcam, your own upright, and a word only when a slouch lasts.\n\n"
    "No picture is stored or sent. Comfort and movement advice; not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Show, find or write the configuration file.", no_args_is_help=True)
app.add_typer(config_app, name="config")
history_app = typer.Typer(
    help="What has been kept of the days: export, import, delete.", no_args_is_help=True
)
app.add_typer(history_app, name="history")
autostart_app = typer.Typer(help="Start the monitor when you log in.", no_args_is_help=True)
app.add_typer(autostart_app, name="autostart")
profiles_app = typer.Typer(help="List, show, rename or delete stored baselines.", no_args_is_help=True)
app.add_typer(profiles_app, name="profiles")
trace_app = typer.Typer(
    help="Look at what 'posture record' and 'posture run --record' wrote.", no_args_is_help=True
)
app.add_typer(trace_app, name="trace")

SourceOption = Annotated[
    str | None,
    typer.Option("--source", "-s", help="Camera index or name, clip, folder or URL.", show_default=False),
]
ProfileOption = Annotated[
    str, typer.Option("--profile", "-p", help="Whose or which upright: a baseline's name.")
]
PreviewOption = Annotated[
    bool, typer.Option("--preview", help="Show a window with what the camera sees and what is judged.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, e.g. alert.sustain_s=30.", show_default=False
    ),
]


class _Redacting(logging.Formatter):
    """Keep the passwords of addresses out of the log, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redact(super().format(record))


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


@app.command()
def run(
    source: SourceOption = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            "-p",
            help="A baseline's name.",
            show_default="the one that fits what the camera sees",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A baseline file instead of a profile.", show_default=False)
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="For a clip: times real time.")] = 1.0,
    set_: SetOption = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="OUT.csv", help="Write one row per frame looked at.", show_default=False),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Write one JSON object per event.", show_default=False),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Events as lines instead of the live panel; good for screen readers."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the landmarks (no picture) for 'posture replay'; in a folder, named after the time.",
            show_default=False,
        ),
    ] = None,
    preview: PreviewOption = False,
) -> None:
    """Watch the camera and tell about a slouch that lasts. Ctrl-C ends it.

    Without a baseline it takes one first: sit upright for the countdown.
    """
    from posture.watching import run_live

    _exit(
        run_live(
            source,
            profile,
            baseline,
            speed,
            set_ or [],
            trace,
            events,
            record,
            is_plain=plain,
            is_quiet=quiet,
            preview=preview,
        )
    )


@app.command()
def calibrate(
    source: SourceOption = None,
    profile: ProfileOption = "default",
    seconds: Annotated[
        float | None, typer.Option(min=3, max=120, help="How long to sit upright.", show_default="8")
    ] = None,
    slouch: Annotated[
        bool, typer.Option("--slouch", help="Then show your usual slouch: it sharpens the thresholds.")
    ] = False,
    set_: SetOption = None,
    preview: PreviewOption = False,
) -> None:
    """Record your upright: sit tall, look at the screen, hold still for a few seconds."""
    from posture.calibrating import run_calibrate

    _exit(run_calibrate(source, profile, seconds, slouch, set_ or [], preview=preview))


def _parse_span(text: str | None) -> tuple[float, float] | None:
    """Return the seconds of ``A:B``."""
    if text is None:
        return None
    try:
        start_s, end_s = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not START:END in seconds, for example 0:8") from None
    if not 0 <= start_s < end_s < float("inf"):
        raise typer.BadParameter(f"{text!r}: the start must come before the end, and neither before 0")
    return start_s, end_s


@app.command()
def replay(
    clips: Annotated[
        list[str],
        typer.Argument(metavar="CLIP...", help="Clips, folders of pictures, or recorded landmarks."),
    ],
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="A:B",
            help="Fit the baseline on these seconds of each clip.",
            show_default="0:8, or a recording's own baseline",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Judge against this baseline file.", show_default=False)
    ] = None,
    set_: SetOption = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv", help="Write one row per frame; a folder for several clips.", show_default=False
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.jsonl",
            help="Write one JSON object per event; a folder for several clips.",
            show_default=False,
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.mp4",
            help="Write the clip with everything drawn on it; a folder for several clips.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.png|.svg|.html",
            help="Write a chart of the whole clip; a folder for several clips.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Judge recorded clips exactly as the live monitor would have."""
    if calibrate is not None and baseline is not None:
        raise typer.BadParameter("give either --calibrate or --baseline, not both")
    span_s = _parse_span(calibrate)
    from posture.replaying import run_replay

    _exit(run_replay(clips, span_s, baseline, set_ or [], trace, events, annotate, plot))


@app.command()
def record(
    trace: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Write to this new file; in a folder, one named after the time."),
    ],
    source: SourceOption = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End after this long.", show_default="until Ctrl-C")
    ] = None,
    set_: SetOption = None,
) -> None:
    """Record what the camera sees as landmarks, without a picture and without judging it.

    'posture replay FILE --calibrate A:B' judges it later.
    """
    from posture.tracing import run_record

    _exit(run_record(source, trace, seconds, set_ or []))


@trace_app.command("info")
def trace_info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell when, how long, with which baseline it was recorded, and whether it is whole."""
    from posture.tracing import show_trace_info

    _exit(show_trace_info(file, as_json))


@trace_app.command("export")
def trace_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.csv", help="The table to write.")],
) -> None:
    """Write the landmarks as a table: one row per frame."""
    from posture.tracing import export_trace

    _exit(export_trace(file, output))


@app.command()
def demo(
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Times real time.")] = 6.0,
) -> None:
    """Show the monitor at work on a packaged clip; no webcam needed."""
    from posture.watching import run_demo

    _exit(run_demo(speed))


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell what the running monitor sees; exit status 1 when none is running."""
    from posture.inspecting import show_status

    _exit(show_status(as_json))


@app.command(name="break")
def break_(
    name: Annotated[
        str | None,
        typer.Argument(help="Which stretch, or how its name begins.", show_default="what fits today"),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            "-g",
            metavar="GROUP",
            help="Only for neck, shoulders, upper_back, chest, hips, eyes or wrists.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option(min=1, max=3600, help="How long.", show_default="its own time")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name them all.")] = False,
) -> None:
    """Show a stretch with a countdown, then the next one. Ctrl-C ends it."""
    from posture.stretching import run_break

    _exit(run_break(name, group, seconds, is_list=list_))


@app.command()
def pause(
    duration: Annotated[
        str | None, typer.Argument(help="Such as 30m or 1h30m.", show_default="until you resume")
    ] = None,
) -> None:
    """Let the running monitor rest: nothing is judged, and the camera is let go."""
    from posture.controlling import run_pause

    _exit(run_pause(duration))


@app.command()
def resume() -> None:
    """End a pause or a snooze."""
    from posture.controlling import run_resume

    _exit(run_resume())


@app.command()
def snooze(duration: Annotated[str, typer.Argument(help="Such as 15m or 1h30m.")] = "15m") -> None:
    """Have the running monitor say nothing for a while; it goes on watching."""
    from posture.controlling import run_snooze

    _exit(run_snooze(duration))


@app.command()
def recalibrate(
    seconds: Annotated[
        float | None,
        typer.Option(min=3, max=120, help="How long to sit upright; 3 will do in a hurry.", show_default="8"),
    ] = None,
) -> None:
    """Have the running monitor take a new baseline: sit upright after the countdown."""
    from posture.controlling import run_recalibrate

    _exit(run_recalibrate(seconds))


@app.command()
def stop() -> None:
    """End the running monitor."""
    from posture.controlling import run_stop

    _exit(run_stop())


@app.command()
def tray(
    wait: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds to wait for the desktop's tray, as at login.")
    ] = 0.0,
) -> None:
    """Show an icon in the desktop's tray for the running monitor; needs the extra 'tray'."""
    from posture.tray.command import run_tray

    _exit(run_tray(wait))


@app.command()
def report(
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days, today included.")] = 7,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Where to write the page.",
            show_default="report.html in the data folder",
        ),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the report here instead.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="A page that prints on one sheet, to show to someone.")
    ] = False,
) -> None:
    """Look back: time upright and slouching, breaks, alerts and the trend, on one page for the browser.

    The page is one file that loads nothing and is readable by you only. Print it from the browser.
    """
    from posture.reporting import run_report

    _exit(run_report(days, output, open_, text, summary))


@app.command()
def cameras() -> None:
    """List the cameras found."""
    from posture.inspecting import show_cameras

    _exit(show_cameras())


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON array, an object per finding.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "--no-notify", help="Show no notification; only ask who would.")
    ] = False,
) -> None:
    """Check every part: camera, notifications, model, files, privacy; exit status 1 when something is broken."""
    from posture.doctor import run_doctor

    _exit(run_doctor(as_json, not quiet))


@app.command()
def bench(
    clip: Annotated[
        Path | None, typer.Argument(help="A clip to measure with.", show_default="the packaged one")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=50, help="Interleaved rounds.")] = 3,
) -> None:
    """Measure speed on this machine, as ratios taken in one run."""
    from posture.inspecting import run_bench

    _exit(run_bench(clip, repeat))


NameArgument = Annotated[str, typer.Argument(help="A profile's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


@profiles_app.command("list")
def profiles_list(as_json: JsonOption = False) -> None:
    """List the stored profiles."""
    from posture.managing import list_profiles

    _exit(list_profiles(as_json))


@profiles_app.command("show")
def profiles_show(name: NameArgument = "default", as_json: JsonOption = False) -> None:
    """Tell how good a profile is, what counts as a slouch with it, and what would make it better."""
    from posture.managing import show_profile

    _exit(show_profile(name, as_json))


@profiles_app.command("rename")
def profiles_rename(
    name: NameArgument, new: Annotated[str, typer.Argument(help="What it is to be called.")]
) -> None:
    """Give a profile another name; one that is there already is not overwritten."""
    from posture.managing import rename

    _exit(rename(name, new))


@profiles_app.command("delete")
def profiles_delete(
    name: NameArgument, yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False
) -> None:
    """Delete a profile, after asking."""
    from posture.managing import delete, describe

    what = describe(name)
    if not yes:
        typer.confirm(f"Delete profile {what}?", abort=True)
    _exit(delete(name))


@config_app.command("path")
def config_path() -> None:
    """Print where the configuration file is."""
    from posture.config import config_path

    print(config_path())


@config_app.command("show")
def config_show(set_: SetOption = None) -> None:
    """Print the settings in force, with units and ranges; a camera's password is shown as ***."""
    from posture.config import load_settings, render_settings

    print(redact(render_settings(load_settings(overrides=set_))), end="")


@config_app.command("init")
def config_init(force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False) -> None:
    """Write a configuration file with every setting commented out."""
    from posture.config import config_path, write_defaults

    write_defaults(config_path(), overwrite=force)
    print(f"wrote {config_path()}")


DayOption = typer.Option(metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], show_default=False)


@history_app.command("info")
def history_info() -> None:
    """Print where the history is, and how much is in it."""
    from posture.history.commands import run_info

    _exit(run_info())


@history_app.command("export")
def history_export(
    kind: Annotated[
        Literal["csv", "json", "parquet"], typer.Option("--format", help="Of the file.")
    ] = "json",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", show_default="standard output")
    ] = None,
    since: Annotated[datetime | None, DayOption] = None,
    until: Annotated[datetime | None, DayOption] = None,
) -> None:
    """Write the history to a file; --since and --until are days, both included."""
    from posture.history.commands import run_export

    _exit(run_export(kind, output, since and since.date(), until and until.date()))


@history_app.command("import")
def history_import(
    file: Annotated[Path, typer.Argument(help="Written by 'posture history export' as json or csv.")],
) -> None:
    """Merge an exported file into the history; what is there already stays once."""
    from posture.history.commands import run_import

    _exit(run_import(file))


@history_app.command("delete")
def history_delete(
    before: Annotated[datetime, DayOption],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete what ended before a day, for good."""
    from posture.history.commands import run_delete

    _exit(run_delete(before.date(), lambda text: yes or typer.confirm(text)))


AlertArgument = Annotated[
    int, typer.Argument(min=1, metavar="[N]", help="Which alert, counted back from the newest.")
]


@app.command()
def why(n: AlertArgument = 1) -> None:
    """Tell why you were alerted: what was measured, against what, and what came after."""
    from posture.history.commands import explain_alert

    _exit(explain_alert(n))


@app.command()
def wrong(
    n: AlertArgument = 1,
    reason: Annotated[str, typer.Option(help="In your own words.", show_default=False)] = "",
    right: Annotated[bool, typer.Option("--right", help="It was right after all.")] = False,
) -> None:
    """Say that an alert was wrong; after a few a better setting is proposed, never applied."""
    from posture.history.commands import answer_alert

    _exit(answer_alert(n, reason, is_right=right))


@autostart_app.command("enable")
def autostart_enable(
    profile: ProfileOption = "default",
    now: Annotated[bool, typer.Option("--now", help="Start it at once as well.")] = False,
) -> None:
    """Start the monitor at every login, shut in as far as this system can."""
    from posture.starting import enable

    _exit(enable(profile, now))


@autostart_app.command("disable")
def autostart_disable() -> None:
    """Take that back; nothing that posture has not written is touched."""
    from posture.starting import disable

    _exit(disable())


@autostart_app.command("status")
def autostart_status() -> None:
    """Tell whether it is enabled and would work; exit status 1 when not."""
    from posture.starting import show_status

    _exit(show_status())


def _exit(code: int) -> None:
    """End the command with `code`."""
    if code:
        raise typer.Exit(code)


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
        print(redact(f"posture: {error}"), file=sys.stderr)
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
