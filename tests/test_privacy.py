"""Nothing leaves the machine and no picture reaches the disk, whatever the program does."""

import base64
import contextlib
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_helpers import (
    EMPTY,
    FIXTURES,
    FRONT,
    POSTURE,
    assert_own_words,
    fails,
    front_baseline,
    home_env,
    posture,
    running,
    status,
)
from desktop import require, x_display
from mjpeg_server import MjpegServer

from posture.sources import open_source

# Runs in the program's process before anything else of it.
AUDIT = """
import ipaddress, os, sys

def _is_local(address):
    if not isinstance(address, tuple):
        return True  # a path: AF_UNIX
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False

def _watch(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.bind", "socket.sendmsg"):
        if _is_local(args[1]):
            return
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request"):
        return
    _tell(f"{event} {args}")

def _tell(line):
    with open(os.environ["AUDIT_LOG"], "a") as log:
        print(line, file=log)

_tell("watching")
sys.addaudithook(_watch)
"""


def audited(env, folder: Path) -> tuple[dict[str, str], Path]:
    (folder / "audit").mkdir(exist_ok=True)
    (folder / "audit" / "sitecustomize.py").write_text(AUDIT, encoding="utf-8")
    log = folder / "audit.log"
    path = ":".join(filter(None, [str(folder / "audit"), env.get("PYTHONPATH")]))
    return env | {"PYTHONPATH": path, "AUDIT_LOG": str(log)}, log


@pytest.fixture
def tmp_path():
    """A folder whose name leaves room: a local socket's path must stay under 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="posture-") as folder:
        yield Path(folder)


@pytest.fixture
def env(tmp_path):
    (tmp_path / "temporary").mkdir()
    return home_env(tmp_path / "home", TMPDIR=str(tmp_path / "temporary"))


def test_no_command_asks_the_network_for_anything(env, tmp_path):
    audited_env, log = audited(env, tmp_path)
    done = posture("demo", "--speed", "100", env=audited_env)
    assert "alert" in done.stdout
    assert done.stdout.count("Notifications do not arrive") == 1  # no desktop here: said once
    posture("calibrate", "--source", FRONT, "--seconds", "5", env=audited_env)
    posture("run", "--source", EMPTY, "--speed", "100", "--baseline", front_baseline(), env=audited_env)
    posture("replay", EMPTY, "--baseline", front_baseline(), env=audited_env)
    posture("doctor", env=audited_env, code=1)  # no desktop, no camera
    posture("autostart", "enable", env=audited_env)
    posture("autostart", "status", env=audited_env)
    posture("autostart", "disable", env=audited_env)
    posture("cameras", env=audited_env)
    posture("status", env=audited_env, code=1)
    posture("config", "init", env=audited_env)
    posture("config", "show", env=audited_env)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines == ["watching"] * 12


def test_the_audit_would_notice(env, tmp_path):
    audited_env, log = audited(env, tmp_path)
    told = subprocess.run(
        [POSTURE, "run", "--source", "http://posture.invalid/", "--baseline", str(front_baseline())],
        env=audited_env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 1
    assert "posture.invalid" in log.read_text(encoding="utf-8")


# Where processes of Linux talk to the kernel, not to a disk.
KERNEL = ("/dev/null", "/dev/tty", "/proc/", "/dev/shm/")
CALLS = "socket,connect,sendto,sendmsg,sendmmsg,bind,open,openat,creat,rename,renameat,renameat2,memfd_create"


def straced(log: Path) -> tuple[str, ...]:
    """Command that writes down every call for sockets and files of the program and all its threads."""
    options = ("-f", "-qq", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(log))
    return (require("strace"), *options)


def written(log: Path) -> set[str]:
    """Return the paths that were opened for writing, by the words of `straced`."""
    return {
        match[1]
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT", line)
        and " = -1 " not in line
        and (match := re.search(r'"([^"]*)"', line))
    }


STATE = ("home/.local/state/posture/monitor.lock", "home/.local/state/posture/control.key")
# What each command may write, below the folder of the test; a temporary name is that of its file with a suffix.
MAY_WRITE = {
    "demo": (),
    "calibrate": ("home/.local/share/posture/profiles/default.json",),
    "run": (*STATE, "work/t.csv", "work/e.jsonl"),
    "run --preview": STATE,
    "replay": ("work/t.csv", "work/e.jsonl"),
    "replay --jobs 2": (
        "work/out/_done/.lock",
        "work/out/clips.csv",
        *(f"work/out/_done/{n}.mp4.json" for n in ("a", "b")),
        *(f"work/out/{table}/clip={n}.mp4/part.csv" for table in ("trace", "events") for n in ("a", "b")),
    ),
    "record": ("work/r.posture",),
    "report": ("work/r.html",),
    "doctor": (),
    "status": (),
}


@pytest.mark.parametrize("command", MAY_WRITE)
def test_without_a_network_all_works_no_thread_wants_one_and_only_documented_files_are_opened(
    env, tmp_path, command
):
    log = tmp_path / "strace.log"
    wrapper = straced(log)
    isolated = (require("unshare"), "-rn")
    if subprocess.run([*isolated, "true"], capture_output=True, timeout=30).returncode == 0:
        wrapper = (*isolated, *wrapper)
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copyfile(FIXTURES / "two_people.mp4", tmp_path / "in" / name)
    outputs = ("--trace", work / "t.csv", "--events", work / "e.jsonl")
    options = {
        "demo": ("--speed", "100"),
        "calibrate": ("--source", FRONT, "--seconds", "5"),
        "run": ("--source", EMPTY, "--speed", "100", "--baseline", front_baseline(), *outputs),
        "run --preview": (
            "--source",
            FRONT,
            "--speed",
            "3",
            "--baseline",
            front_baseline(),
            "--set",
            "notify.enabled=false",
        ),
        "replay": (EMPTY, "--baseline", front_baseline(), *outputs),
        "replay --jobs 2": (
            tmp_path / "in",
            "--calibrate",
            "0:3",
            "--output",
            work / "out",
            "--format",
            "csv",
        ),
        "record": ("--source", EMPTY, "--trace", work / "r.posture"),
        "report": ("-o", work / "r.html"),
    }
    code = {"doctor": 1, "status": 1}.get(command, 0)
    with x_display() if "preview" in command else contextlib.nullcontext() as display:
        env = {**env, "DISPLAY": display} if display else env
        posture(*command.split(), *options.get(command, ()), env=env, wrapper=wrapper, cwd=work, code=code)
    text = log.read_text(encoding="utf-8", errors="replace")
    assert "site-packages" in text, "strace saw nothing"
    wanted = re.findall(r".*AF_(?:INET|PACKET|VSOCK).*", text)
    assert not wanted, wanted
    in_memory = re.findall(r"memfd_create\(\"([^\"]*)", text)
    assert in_memory == ["posture-preview"] * 2 * ("preview" in command), (
        "the window's pictures, and nothing else"
    )
    assert ("X11-unix" in text) == ("preview" in command)
    opened = written(log)
    allowed = [re.escape(str(tmp_path / name)) for name in MAY_WRITE[command]]
    temporary = [re.sub(r"([^/]+)$", r"\\.\1\\.[^/]+", name) for name in allowed]
    # filelock makes its file without a name first, which reads as if the folder were opened
    unnamed = {str((tmp_path / name).parent) for name in MAY_WRITE[command] if name.endswith(".lock")}
    strange = [
        path
        for path in opened - unnamed
        if not path.startswith(KERNEL)
        and not any(re.fullmatch(rule, path) for rule in [*allowed, *temporary])
    ]
    assert not strange, strange
    assert not allowed or opened - {path for path in opened if path.startswith(KERNEL)}, (
        "nothing seen written"
    )
    left = {
        str(path.relative_to(tmp_path))
        for folder in ("home", "work", "temporary")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    }
    assert left == set(MAY_WRITE[command])


def test_a_live_camera_is_the_only_host_ever_called(env, tmp_path):
    log = tmp_path / "strace.log"
    with MjpegServer(rate_hz=15) as server:
        command = [*straced(log), POSTURE, "run", "--source", server.url, "--baseline", str(front_baseline())]
        program = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server.wait_for_connections(1, 30.0)
            told = json.loads(posture("status", "--json", env=env).stdout)
            os.kill(told["pid"], signal.SIGTERM)
            program.wait(20)
        finally:
            program.kill()
            program.wait(10)
    text = log.read_text(encoding="utf-8", errors="replace")
    called = set(re.findall(r"sin_port=htons\((\d+)\), sin_addr=inet_addr\(\"([^\"]*)\"\)", text))
    assert called == {(str(server.port), "127.0.0.1")}
    assert "AF_INET6" not in text


# How files of pictures and videos begin, wherever in another file they may have been put.
MAGIC = re.compile(
    rb"\xff\xd8\xff[\xc0-\xfe]|\x89PNG|GIF8[79]a|RIFF....(?:AVI|WEBP)|ftyp(?:isom|mp4|avc|qt|heic|avif)|\x1aE\xdf\xa3|"
    rb"\ABM....\0\0\0\0|\AP[1-7]\s|\AII\*\0|\AMM\0\*|\x93NUMPY",
    re.DOTALL,
)


def picture_pieces(clip: Path, step: int = 40) -> set[bytes]:
    """Return 48 byte pieces of the clip's pictures, as any plain way of writing pixels would have them."""
    pieces: set[bytes] = set()
    with open_source(str(clip)) as source:
        for frame in islice(source, 0, None, step):
            rgb = frame.image_rgb
            for image in (rgb, rgb[..., ::-1], rgb.mean(-1).astype(np.uint8), *np.moveaxis(rgb, -1, 0)):
                rows = np.ascontiguousarray(image).reshape(image.shape[0], -1)
                middle = rows.shape[1] // 2
                for row in rows[:: max(1, len(rows) // 40)]:
                    piece = row[middle - 24 : middle + 24].tobytes()
                    if len(set(piece)) > 12:  # an even wall is no picture
                        pieces |= {piece, base64.b64encode(piece), piece.hex().encode()}
                        pieces.add(", ".join(map(str, piece[:16])).encode())
    assert len(pieces) > 300
    return pieces


def pictures_in(content: bytes, pieces: set[bytes]) -> list[object]:
    """Return what in a file is, or could be, part of a picture."""
    found: list[object] = MAGIC.findall(content)
    for encoded in re.findall(rb"[A-Za-z0-9+/]{64,}", content):
        found += MAGIC.findall(base64.b64decode(encoded[: len(encoded) // 4 * 4]))
    return found + [piece for piece in pieces if piece in content]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".gif", ".npy", ".raw", ".b64", ".json"])
def test_the_search_for_pictures_would_find_one(suffix):
    pieces = picture_pieces(FRONT)
    with open_source(str(FRONT)) as source:
        image = np.ascontiguousarray(next(iter(source)).image_rgb[60:180])
    if suffix == ".npy":
        written_ = io.BytesIO()
        np.save(written_, image)
        content = written_.getvalue()
    elif suffix in (".raw", ".json"):
        content = image.tobytes() if suffix == ".raw" else json.dumps(image.ravel().tolist()).encode()
    else:
        done, encoded = cv2.imencode({".b64": ".jpg"}.get(suffix, suffix), image)
        assert done
        content = base64.b64encode(encoded.tobytes()) if suffix == ".b64" else encoded.tobytes()
    start = "" if suffix in (".bmp",) else "some text before "
    assert pictures_in(start.encode() + content, pieces)
    assert not pictures_in(b"t_s,state\n0.0,upright\n" * 100, pieces)


def test_every_file_left_behind_is_a_documented_text(env, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    clip = shutil.copyfile(FIXTURES / "two_people.mp4", work / "clip.mp4")
    posture("config", "init", env=env, cwd=work)
    posture("calibrate", "--source", clip, "--seconds", "3", env=env, cwd=work)
    posture("run", "--source", clip, "--speed", "100", env=env, cwd=work)
    posture("doctor", env=env, cwd=work, code=1)
    posture("demo", "--speed", "100", env=env, cwd=work)
    posture(
        "replay", clip, "--calibrate", "0:3", "--trace", "t.csv", "--events", "e.jsonl", env=env, cwd=work
    )
    pieces = picture_pieces(clip)
    clip.unlink()
    left = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for folder in ("home", "temporary", "work")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    }
    assert set(left) == {
        "home/.config/posture/config.toml",
        "home/.local/share/posture/profiles/default.json",
        *STATE,
        "work/t.csv",
        "work/e.jsonl",
    }
    for name, content in left.items():
        assert len(content) < 20_000, name
        if name not in STATE:  # a random key
            content.decode("ascii" if name.endswith(("csv", "json", "jsonl")) else "utf-8")
        assert not pictures_in(content, pieces), name
    assert_own_words(left["work/e.jsonl"].decode())


@pytest.mark.parametrize("mask", [0, 0o077], ids=oct)
def test_files_are_for_their_owner_alone_whatever_the_umask(env, tmp_path, mask):
    work = tmp_path / "work"
    work.mkdir()
    outputs = ("--trace", work / "new/deep/t.csv", "--events", work / "new/deep/e.jsonl")
    options = {"env": env, "cwd": work, "umask": mask}
    posture("config", "init", **options)
    posture("calibrate", "--source", FRONT, "--seconds", "5", **options)
    posture("replay", EMPTY, "--baseline", front_baseline(), *outputs, **options)
    posture("autostart", "enable", **options)
    run = ("run", "--source", FRONT, "--baseline", front_baseline(), "--trace", work / "r/t.csv")
    with running(*run, env=env, cwd=work, umask=mask) as process:
        process.wait_for("Watching")
        there = [path for folder in ("home", "work") for path in (tmp_path / folder).rglob("*")]
        assert len([path for path in there if path.is_file()]) >= 7
        for path in there:
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path
        process.stop(signal.SIGTERM)


def test_a_library_user_gets_the_same_files_without_the_umask(tmp_path):
    from posture.files import write_atomically

    before = os.umask(0)
    try:
        write_atomically(tmp_path / "a/b/c.json", b"{}")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").rglob("*")}
    assert modes == {"b": 0o700, "c.json": 0o600}
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_the_password_of_a_camera_is_never_told_and_never_written(env, tmp_path):
    """Not on the terminal, in the log, the status, an error, a result or a unit; only in the user's own file."""
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    config = home / ".config/posture/config.toml"
    config.parent.mkdir(parents=True, mode=0o700)
    told = []
    with MjpegServer(rate_hz=15) as server:
        address = server.url.replace("http://", "http://me:s3cret@") + "?auth_token=t0ken"
        config.write_text(f'[camera]\nsource = "{address}"\n', encoding="utf-8")
        outputs = ("--trace", work / "t.csv", "--events", work / "e.jsonl")
        run = ("--verbose", "run", "--baseline", front_baseline(), *outputs)
        with running(*run, env=env) as process:
            process.wait_for("Watching")
            told += [posture("status", *option, env=env).stdout for option in ((), ("--json",))]
            told.append(posture("doctor", "--json", "--quiet", env=env, code=1).stdout)
            server.close()
            process.wait_for(lambda: "lost" in status(env)["camera"])
            told += [posture("status", *option, env=env).stdout for option in ((), ("--json",))]
            told += [path.read_text(encoding="utf-8") for path in work.iterdir()]
            process.popen.send_signal(signal.SIGINT)
            assert process.popen.wait(20) == 130
            told.append(process.text)  # --verbose lets the libraries speak, too
        told.append(posture("doctor", "--quiet", env=env, code=1).stdout)
        told.append(fails("run", "--baseline", front_baseline(), env=env))  # the camera is gone
        server.start()
    told.append(fails("--verbose", "run", "--source", address.replace("http", "gopher"), env=env))
    told.append(fails("run", "--source", address.replace("127.0.0.1", "no such"), env=env))
    told.append(fails("config", "show", "--set", f"camera.sorce={address}", env=env, code=2))
    told.append(fails("config", "show", "--set", f"camera.width_px={address}", env=env, code=2))
    told.append(posture("config", "show", env=env).stdout)
    told.append(posture("autostart", "enable", env=env).stdout)
    told += [
        path.read_bytes().decode("utf-8", "replace")
        for folder in (home, work, tmp_path / "temporary")
        for path in folder.rglob("*")
        if path.is_file() and path != config
    ]
    for text in told:
        assert "s3cret" not in text, text
        assert "t0ken" not in text, text
    assert sum("me:***@" in text for text in told) >= 8, "the address itself may be told"


PAGE = Path(__file__).parents[1] / "docs" / "privacy.md"


def test_every_promise_of_the_page_names_tests_that_exist():
    promises = PAGE.read_text(encoding="utf-8").partition("## What is written")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 8
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, f"no test holds: {row}"
        for path, test in named:
            source = PAGE.parents[1].joinpath(path).read_text(encoding="utf-8")
            assert re.search(rf"^def {test}\(", source, re.MULTILINE), f"{path}::{test}"
