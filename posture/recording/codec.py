r"""The bytes of a recording: one gzip member per record, JSON and plain arrays inside. docs/traces.md has it in full.

::

    gzip member    {"record":"header","posture_trace":1,...}\n
    gzip member    {"record":"rows","first":0,"rows":21,...}\n  t_s flags condition luminance height shift points ...
    ...
    gzip member    {"record":"end","rows":57600}\n

gzip (RFC 1952) because it is everywhere, may be appended to, tells where a member ends and carries a checksum of each.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

from posture.profile_json import encode_baseline
from posture.recording.records import (
    FACE,
    POINTS,
    WORLD_POINTS,
    Command,
    End,
    Header,
    Mute,
    Rebase,
    Snooze,
    Stand,
    TimeOfDay,
)
from posture.slouch import Reason

VERSION: Final = 2
"""Written into every header; a change to what a record means, or a new kind of record, raises it."""
READABLE: Final = (1, VERSION)
"""Versions that can be read; the first had no faces."""
MAGIC: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
"""How a member begins: gzip, deflate, no flags, no time."""
HEADER_START: Final = b'{"record":"header"'
MAX_MEMBER_BYTES: Final = 1 << 20
"""Of one record, unpacked; ours stay below 200 kB. A file that holds more was not written by this program."""
_GZIP = 31  # zlib's wbits for a gzip member
_LEVEL = 6
_BLOCK_BYTES = 1 << 15


class CutError(ValueError):
    """Error raised when a file ends in the middle of a member; the reader makes a note of it."""


class DamageError(ValueError):
    """Error raised when bytes are not what was written; the reader makes a note of it."""


def encode(line: dict[str, Any], arrays: bytes = b"") -> bytes:
    """Return the gzip member of one record."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(msgspec.json.encode(line) + b"\n" + arrays) + packer.flush()


def encode_header(header: Header) -> bytes:
    """Return the first member of a file."""
    line = {"record": "header", "posture_trace": VERSION}
    line |= {
        name: getattr(header, name)
        for name in ("program", "source", "start_utc_ms", "utc_offset_s", "start_of_day_s", "rate_hz")
    }
    line |= {"points": POINTS, "world_points": WORLD_POINTS, "face": FACE, "conditions": list(Reason)}
    line |= {"profile": header.profile, "baseline": None, "settings": header.settings}
    if header.baseline is not None:
        line["baseline"] = msgspec.Raw(encode_baseline(header.baseline))
    return encode(line)


def encode_command(record: Command) -> bytes:
    """Return the member of something that the pipeline is told."""
    match record:
        case Rebase(baseline=baseline):
            return encode({"record": "baseline", "baseline": msgspec.Raw(encode_baseline(baseline))})
        case Snooze(until_s=until_s):
            # Before the first frame is as good as at it; JSON has no infinity, and msgspec writes null for it.
            return encode({"record": "snooze", "until_s": max(until_s, 0.0)})
        case Mute(is_muted=is_muted):
            return encode({"record": "mute", "is_muted": is_muted})
        case Stand(is_standing=is_standing):
            return encode({"record": "stand", "is_standing": is_standing})
        case TimeOfDay(t_s=t_s, time_of_day_s=time_of_day_s):
            return encode({"record": "time_of_day", "t_s": t_s, "time_of_day_s": time_of_day_s})


def encode_end(record: End) -> bytes:
    """Return the last member of a file."""
    return encode({"record": "end", "rows": record.n_rows})


def read_members(file: BinaryIO) -> Iterator[bytes]:
    """Yield what every gzip member of `file` holds; a member is given when its checksum is right.

    Raises
    ------
    CutError
        If the file ends inside a member.
    DamageError
        If a member is damaged, is not one of ours or holds absurdly much.
    """
    data = b""
    while True:
        while len(data) < len(MAGIC) and (more := file.read(_BLOCK_BYTES)):
            data += more
        if not data:
            return
        if data[: len(MAGIC)] != MAGIC[: len(data)]:
            raise DamageError
        unpacker, content = zlib.decompressobj(_GZIP), bytearray()
        while not unpacker.eof:
            if not data and not (data := file.read(_BLOCK_BYTES)):
                raise CutError
            try:
                content += unpacker.decompress(data, MAX_MEMBER_BYTES + 1 - len(content))
            except zlib.error as error:
                raise DamageError from error
            if len(content) > MAX_MEMBER_BYTES:
                raise DamageError
            data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        yield bytes(content)


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the line and the arrays of one member.

    Raises
    ------
    DamageError
        If it does not begin with a line of JSON.
    """
    text, newline, arrays = content.partition(b"\n")
    try:
        line = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamageError from error
    if not newline or line.get("bytes", 0) != len(arrays):
        raise DamageError
    return line, arrays
