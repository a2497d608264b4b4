"""Nothing leaves the machine and no picture reaches the disk, whatever the program does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_helpers import EMPTY, FIXTURES, POSTURE, assert_own_words, front_baseline, home_env, posture
from desktop import require

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
def env(tmp_path):
    (tmp_path / "temporary").mkdir()
    return home_env(tmp_path / "home", TMPDIR=str(tmp_path / "temporary"))


def test_no_command_asks_the_network_for_anything(env, tmp_path):
    audited_env, log = audited(env, tmp_path)
    done = posture("demo", "--speed", "100", env=audited_env)
    assert "alert" in done.stdout
    assert done.stdout.count("Notifications do not arrive") == 1  # no desktop here: said once
    posture("calibrate", "--source", FIXTURES / "front_upright_slouch.mp4", "--seconds", "5", env=audited_env)
    posture("replay", EMPTY, "--baseline", front_baseline(), env=audited_env)
    posture("cameras", env=audited_env)
    posture("status", env=audited_env, code=1)
    posture("config", "init", env=audited_env)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines == ["watching"] * 6


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


def test_the_demo_runs_without_a_network_and_no_thread_of_it_wants_one(env, tmp_path):
    strace = require("strace")
    unshare = require("unshare")
    log = tmp_path / "strace.log"
    calls = (
        "socket,connect,sendto,sendmsg,sendmmsg,bind,open,openat,creat,rename,renameat,renameat2,memfd_create"
    )
    wrapper = [
        strace,
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        f"trace={calls}",
        "-e",
        "signal=none",
        "-o",
        str(log),
    ]
    isolated = [unshare, "-rn"]
    if subprocess.run([*isolated, "true"], capture_output=True, timeout=30).returncode == 0:
        wrapper = [*isolated, *wrapper]
    work = tmp_path / "work"
    work.mkdir()
    posture("demo", "--speed", "100", env=env, wrapper=tuple(wrapper), cwd=work)
    text = log.read_text(encoding="utf-8", errors="replace")
    assert "demo.mp4" in text, "strace saw nothing"
    wanted = re.findall(r".*AF_(?:INET|PACKET|VSOCK).*", text)
    assert not wanted, wanted
    written = {
        match[1]
        for line in text.splitlines()
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT", line)
        and " = -1 " not in line
        and (match := re.search(r'"([^"]*)"', line))
    }
    strange = [path for path in written if not path.startswith(KERNEL)]
    assert not strange, strange
    assert written, "not even the null device was seen being opened"
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not list(work.iterdir())
    assert not list((tmp_path / "temporary").iterdir())


PICTURES = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"BM",
    b"RIFF",
    b"GIF8",
    b"\0\0\0\x1cftyp",
    b"\0\0\0 ftyp",
    b"\x1aE\xdf\xa3",
)


def test_every_file_left_behind_is_a_documented_text(env, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    clip = shutil.copyfile(FIXTURES / "two_people.mp4", work / "clip.mp4")
    posture("config", "init", env=env, cwd=work)
    posture("calibrate", "--source", clip, "--seconds", "3", env=env, cwd=work)
    posture("run", "--source", clip, "--speed", "100", env=env, cwd=work)
    posture(
        "replay", clip, "--calibrate", "0:3", "--trace", "t.csv", "--events", "e.jsonl", env=env, cwd=work
    )
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
        "work/t.csv",
        "work/e.jsonl",
    }
    for name, content in left.items():
        assert len(content) < 20_000, name
        content.decode("ascii" if name.endswith(("csv", "json", "jsonl")) else "utf-8")
        assert not content.startswith(PICTURES), name
    assert_own_words(left["work/e.jsonl"].decode())
