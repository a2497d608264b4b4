"""`posture break` as a user runs it: plain text in a pipe, a countdown in a terminal, one clear line when it cannot.

Claimed: everything of a stretch is shown; the countdown runs and ends; the next stretch is of another group; Ctrl-C is
130 at any moment; what was edited badly is named; the stretch that a reminder named is the one shown.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest
from cli_helpers import POSTURE, assert_own_words, fails, home_env, posture

from posture.bundled import asset_path
from posture.slouch import Reason, SlouchState
from posture.status import Status
from posture.stretch_file import FILE_NAME, read_stretches
from posture.stretches import SEE_SOMEONE
from posture.stretching import first_stretch

STRETCHES = read_stretches(asset_path(FILE_NAME))


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


class Terminal:
    """The program on a terminal of its own; `text` grows with what it prints, without colours and movements."""

    def __init__(self, *args, env):
        self._fd, inner = pty.openpty()
        self.popen = subprocess.Popen(
            [POSTURE, *args],
            env={**env, "TERM": "xterm", "COLUMNS": "120", "LINES": "30"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(inner)
        self.text = ""

    def wait_for(self, pattern, timeout_s=60.0):
        deadline_s = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline_s, f"waited for {pattern}:\n{self.text}"
            assert self._read(), f"ended:\n{self.text}"
        return found

    def _read(self):
        if select.select([self._fd], [], [], 0.05)[0]:
            try:
                part = os.read(self._fd, 65_536)
            except OSError:  # the other end is closed
                return False
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", part.decode("utf-8", "replace"))
            return bool(part)
        return True

    def type(self, text):
        os.write(self._fd, text.encode())

    def finish(self):
        deadline_s = time.monotonic() + 30.0
        while self._read() and self.popen.poll() is None:
            assert time.monotonic() < deadline_s, f"does not end:\n{self.text}"
        code = self.popen.wait(30)
        assert_own_words(self.text)
        return code

    def close(self):
        self.popen.kill()
        self.popen.wait(10)
        os.close(self._fd)


@contextlib.contextmanager
def terminal(*args, env):
    with contextlib.closing(Terminal("break", *args, env=env)) as opened:
        yield opened


def test_in_a_pipe_it_is_plain_text_and_does_not_wait(env):
    stretch = next(s for s in STRETCHES if s.name == "Long step")
    lines = posture("break", "long STEP", env=env).stdout.splitlines()
    assert lines[0].split() == [
        "Long",
        "step",
        "hips,",
        "60",
        "s,",
        *["the", "second", "half", "for", "the", "other", "side"],
    ]
    assert lines[1] == stretch.purpose
    assert lines[3:-2] == [f"{n}. {step}" for n, step in enumerate(stretch.steps, start=1)]
    assert lines[-1] == SEE_SOMEONE


def test_the_list_names_them_all_once_by_group(env):
    rows = [re.split(r"\s{2,}", line) for line in posture("break", "--list", env=env).stdout.splitlines()]
    assert sorted(row[0] for row in rows) == sorted(stretch.name for stretch in STRETCHES)
    groups = [row[1] for row in rows]
    assert len(set(groups)) == sum(a != b for a, b in zip([None, *groups], groups, strict=False))
    few = posture("break", "--list", "--group", "Upper back", env=env).stdout.splitlines()
    assert {re.split(r"\s{2,}", line)[1] for line in few} == {"upper back"}


def test_the_first_letters_are_enough_and_what_is_unclear_is_said(env):
    assert posture("break", "fore", env=env).stdout.startswith("Forearm stretch ")
    assert fails("break", "seated", env=env).startswith("'seated' could be Seated cat or Seated twist or")
    assert fails("break", "", env=env).startswith("no stretch ''")
    assert "posture break --list" in fails("break", "\x1b[31mx\n", env=env)
    assert "neck, shoulders, upper_back" in fails("break", "--group", "knees", env=env)
    assert "no stretch 'far'" in fails("break", "--group", "neck", "far", env=env)
    posture("break", "--seconds", "0", env=env, code=2)


def test_a_badly_edited_file_is_named_with_entry_and_key(env, tmp_path):
    own = tmp_path / "home/.config/posture/stretches.toml"
    own.parent.mkdir(parents=True)
    own.write_text('[[stretch]]\nname = "Mine"\ngroup = "nek"\n', encoding="utf-8")
    for arguments in ([], ["--list"], ["chin"]):
        assert fails("break", *arguments, env=env).startswith(
            f"{own}: stretch 1 ('Mine'): seconds is missing"
        )


def test_ones_own_stretch_is_shown(env, tmp_path):
    own = tmp_path / "home/.config/posture/stretches.toml"
    own.parent.mkdir(parents=True)
    text = asset_path(FILE_NAME).read_text("utf-8").replace("Chin slide", "[bold]Mine[/]")
    own.write_text(text, encoding="utf-8")
    assert posture("break", "[bold]", env=env).stdout.startswith("[bold]Mine[/] "), "markup is text here"


def test_what_the_reminder_named_is_shown():
    status = Status(
        pid=1,
        age_s=0.1,
        source="0",
        profile="default",
        state=SlouchState.UPRIGHT,
        reason=Reason.NONE,
        neck_deviation_deg=None,
        thoracic_deviation_deg=None,
        slouch_ratio=None,
        slouched_s=0.0,
        sat_s=1.0,
        alerts=0,
        stretch="Doorway",
        slouched={"sink": 3.0},
    )
    assert first_stretch(STRETCHES, None, status).name == "Doorway"
    assert first_stretch(STRETCHES, "chin", status).name == "Chin slide", "what was asked for goes first"
    assert first_stretch([s for s in STRETCHES if s.group == "eyes"], None, status).group == "eyes"
    assert first_stretch(STRETCHES, None, None) in STRETCHES


def test_on_a_terminal_it_counts_down_changes_sides_and_goes_on_to_another_group(env):
    groups = {stretch.name: stretch.group for stretch in STRETCHES}
    with terminal("Ear to shoulder", "--seconds", "2", env=env) as shown:
        shown.wait_for(r"2 s .*first side")
        shown.wait_for(r"1 s .*now the other side")
        shown.wait_for(r"Done\.")
        following = shown.wait_for(r"Next: (.+) \(\d+ s\)\. Enter to go on, q to end: ")[1]
        assert groups[following] is not groups["Ear to shoulder"]
        shown.type("\n")
        shown.wait_for(rf"\n{re.escape(following)} +{groups[following].words}")
        shown.type("\x03")
        assert shown.finish() == 130


@pytest.mark.parametrize(("keys", "code"), [("q\n", 0), ("\x04", 0), ("\x03", 130)])
def test_it_ends_when_asked_to(env, keys, code):
    with terminal("Chin slide", "--seconds", "1", env=env) as shown:
        shown.wait_for("Enter to go on")
        shown.type(keys)
        assert shown.finish() == code
        assert shown.text.count("Chin slide") == 1


@pytest.mark.parametrize("moment", ["Chin slide", r"\d s "])
def test_ctrl_c_ends_the_countdown(env, moment):
    with terminal("Chin slide", env=env) as shown:
        shown.wait_for(moment)
        os.killpg(shown.popen.pid, signal.SIGINT)
        assert shown.finish() == 130
