"""The commands about landmarks in a file: record, trace info, trace export. They return the exit code."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from posture.attention import Attention
from posture.baseline import Baseline
from posture.config import load_settings
from posture.console import make_console
from posture.duty import SETTLE_S, DutyCycle
from posture.errors import SourceError
from posture.files import check_outputs
from posture.landmarks import Frame
from posture.monitor import FrameObserver, run_monitor
from posture.recording.reader import TraceReader
from posture.recording.records import Chunk, Header, Rebase, Snooze
from posture.recording.table import LandmarkTable
from posture.recording.writer import RecordedPipeline, TraceWriter, make_header, recording_path
from posture.session import StopSignals
from posture.sinks import Sink
from posture.slouch import Reason
from posture.sources import LiveSource
from posture.step_result import StepResult
from posture.tables import baseline_text
from posture.wiring import make_observer, open_with_settings, print_notes
from posture.words import REASONS, clock

HOUR_S = 3600.0


def run_record(spec: str | None, path: Path, seconds: float | None, overrides: list[str]) -> int:
    """Record what is seen, as landmarks, until the source ends, a signal comes or `seconds` have passed."""
    settings = load_settings(overrides=overrides)
    console = make_console()
    spec = spec or str(settings.camera.source)
    path = recording_path(path)
    check_outputs([spec], [path])
    signals = StopSignals()
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_with_settings(spec, settings, signals.stop))
        observer = stack.enter_context(make_observer(settings))
        stack.enter_context(signals)
        frames = iter(source)
        first = next(frames, None)  # opens a camera: no file is made before it has worked
        if first is None:
            if signals.stop.is_set():
                return signals.exit_code
            raise SourceError(f"{source.name}: no frame in it, nothing was recorded")
        rate_hz = settings.camera.rate_hz if source.is_live else None
        writer = stack.enter_context(TraceWriter(path, make_header(source.name, rate_hz=rate_hz)))
        pipeline = RecordedPipeline(settings, None, writer)
        watcher: FrameObserver = observer
        sinks: list[Sink] = [line := _RecordingLine(console, writer)]
        stack.callback(line.close)
        if isinstance(source, LiveSource):
            # In full at first, so that a baseline can be taken from it: --calibrate wants every frame.
            settle_s = max(SETTLE_S, settings.calibration.countdown_s + settings.calibration.seconds)
            watcher = attention = Attention(observer, source, DutyCycle(settings, settle_s=settle_s))
            sinks.append(attention)
        console.print(f"Recording {source.name} to {path}: landmarks, no picture. Ctrl-C ends it.")
        run_monitor(_until(chain([first], frames), seconds), watcher, pipeline, sinks, signals.stop)
        line.close()
        writer.close()
    console.print(
        f"{clock(line.span_s)} recorded: {writer.n_rows} frames, {writer.n_own} of them judged, "
        f"{_size(writer.n_bytes, line.span_s)}"
    )
    print_notes(console, source)
    return signals.exit_code


def _until(frames: Iterator[Frame], seconds: float | None) -> Iterator[Frame]:
    """Yield the frames of the first `seconds`; None = all."""
    start_s: float | None = None
    for frame in frames:
        start_s = frame.t_s if start_s is None else start_s
        if seconds is not None and frame.t_s - start_s >= seconds:
            return
        yield frame


class _RecordingLine:
    """Show how a recording is going, as one live line on a terminal; a sink."""

    def __init__(self, console: Console, writer: TraceWriter) -> None:
        self._console, self._writer = console, writer
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._start_s: float | None = None
        self.span_s = 0.0
        """From the first to the newest frame, seconds."""
        if console.is_terminal:
            self._live.start()

    def handle(self, result: StepResult) -> None:
        """Show one more frame."""
        self._start_s = result.t_s if self._start_s is None else self._start_s
        self.span_s = result.t_s - self._start_s
        if self._console.is_terminal:
            is_seen = result.reason in (Reason.NONE, Reason.NOT_CALIBRATED)
            seen = "you are in view" if is_seen else REASONS[result.reason]
            text = Text.assemble(
                ("●", "bold red"), (" recording", "bold"), f"  {clock(self.span_s)}  ", no_wrap=True
            )
            text.append(f"{self._writer.n_bytes / 1e3:.0f} kB  ", "dim")
            self._live.update(text.append(seen, "" if is_seen else "bold"), refresh=True)

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


@dataclass
class _Totals:
    """What a recording adds up to."""

    n_rows: int = 0
    n_own: int = 0
    n_seen: int = 0
    start_s: float | None = None
    end_s: float = 0.0
    conditions: Counter[Reason] = field(default_factory=Counter)
    baselines: list[Baseline] = field(default_factory=list)
    n_snoozes: int = 0

    @property
    def span_s(self) -> float:
        """From the first to the last frame, seconds."""
        return 0.0 if self.start_s is None else self.end_s - self.start_s

    def add(self, record: object) -> None:
        """Take one record in."""
        if isinstance(record, Rebase):
            self.baselines.append(record.baseline)
        elif isinstance(record, Snooze):
            self.n_snoozes += 1
        elif isinstance(record, Chunk):
            rows = record.landmarks
            self.n_rows += len(rows)
            self.n_own += int(record.is_own.sum())
            self.n_seen += int((rows.xyzv[:, 0, 0] == rows.xyzv[:, 0, 0]).sum())
            self.start_s = float(rows.t_s[0]) if self.start_s is None else self.start_s
            self.end_s = float(rows.t_s[-1])
            self.conditions.update(c for c in record.conditions if c is not Reason.NONE)


def show_trace_info(path: Path, as_json: bool) -> int:
    """Print what a recording is and whether it is whole."""
    console = make_console()
    totals = _Totals()
    with TraceReader(path) as reader:
        for record in reader:
            totals.add(record)
    header, share = reader.header, (totals.n_own / totals.n_rows if totals.n_rows else 0.0)
    per_hour = reader.n_bytes * HOUR_S / totals.span_s if totals.span_s else None
    if as_json:
        told: dict[str, Any] = {
            "is_whole": not reader.note,
            "note": reader.note,
            "program": header.program,
            "source": header.source,
            "start_utc_ms": header.start_utc_ms,
            "utc_offset_s": header.utc_offset_s,
            "duration_s": totals.span_s,
            "frames": totals.n_rows,
            "judged_ratio": share,
            "person_frames": totals.n_seen,
            "conditions": {reason.value: n for reason, n in totals.conditions.items()},
            "bytes": reader.n_bytes,
            "bytes_per_hour": per_hour,
            "profile": header.profile,
            "baseline_utc": None if header.baseline is None else header.baseline.created_utc,
            "rebased": len(totals.baselines),
            "snoozes": totals.n_snoozes,
            "has_settings": header.settings is not None,
        }
        console.print(json.dumps(told))
        return 0
    console.print(str(path), style="bold")
    console.print(_info_table(header, totals, share, _size(reader.n_bytes, totals.span_s)))
    if reader.note:
        console.print(f"note: it {reader.note}")
    return 0


def _info_table(header: Header, totals: _Totals, share: float, size: str) -> Table:
    """Return what is known of a recording, for people."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    if header.start_utc_ms is not None:
        zone = timezone(timedelta(seconds=header.utc_offset_s))
        began = datetime.fromtimestamp(header.start_utc_ms / 1000, UTC).astimezone(zone)
        table.add_row("began", f"{began:%Y-%m-%d %H:%M:%S %z}")
    table.add_row("source", Text(header.source))
    table.add_row("made by", f"posture {header.program}")
    table.add_row("lasts", clock(totals.span_s))
    table.add_row("frames", f"{totals.n_rows}, {share:.0%} of them judged, the rest repeats what was seen")
    n_not = totals.n_rows - totals.n_seen
    table.add_row("person", f"in {totals.n_seen} frames, not in {n_not}")
    for reason, n in totals.conditions.most_common():
        table.add_row("", f"{REASONS[reason]}: {n} frames")
    table.add_row("size", size)
    baseline = "none: replay it with --calibrate or --baseline"
    if header.baseline is not None:
        baseline = f"{header.profile!r}, {baseline_text(header.baseline)}"
    table.add_row("baseline", Text(baseline))
    for taken in totals.baselines:
        table.add_row("", f"taken anew: {baseline_text(taken)}")
    if totals.n_snoozes:
        table.add_row("snoozed", f"{totals.n_snoozes} times")
    table.add_row(
        "settings", "its own" if header.settings is not None else "those in force when it is replayed"
    )
    return table


def export_trace(path: Path, output: Path) -> int:
    """Write a recording, or a trace, as a table."""
    console = make_console(is_stderr=True)
    check_outputs([str(path)], [output])
    n_rows = 0
    with TraceReader(path) as reader, contextlib.closing(LandmarkTable(output)) as table:
        for record in reader:
            if isinstance(record, Chunk):
                table.add(record)
                n_rows += len(record.landmarks)
    console.print(f"{n_rows} frames written to {output}")
    if reader.note:
        console.print(f"note: {path.name} {reader.note}", style="bold")
    return 0


def _size(n_bytes: int, span_s: float) -> str:
    """Return a file's size, and what it comes to in an hour."""
    size = f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"
    return f"{size}, {n_bytes * HOUR_S / span_s / 1e6:.2f} MB an hour" if span_s else size
