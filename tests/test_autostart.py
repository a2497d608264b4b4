"""What is written for each system to start the monitor, on every platform as text, read back by other readers."""

import configparser
import os
import plistlib
import shlex
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from cli_helpers import fails, home_env, posture
from desktop import require, wait_until
from hypothesis import given
from hypothesis import strategies as st

from posture.autostart.desktop_entry import render_desktop_entry
from posture.autostart.launch_agent import render_launch_agent
from posture.autostart.macos import MacStarter
from posture.autostart.ours import read_ours
from posture.autostart.program import Program, mark, marked_command
from posture.autostart.task import render_task
from posture.autostart.unit import render_unit
from posture.autostart.windows import WindowsStarter
from posture.errors import AutostartError

ODD = "a b/c \"d\" 'e' \\f %h $HOME `id` ;&|<>() ü# ~*?[x]{y}= --"
PYTHON = f"/opt/{ODD}/python"
SIMPLE = Program(("/opt/venv/bin/python", "-P", "-m", "posture", "run"))
# Whatever a file may be called, control characters apart.
names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=30
).filter(lambda name: name not in (".", ".."))
words = st.lists(names, max_size=4)


def renderings(program):
    return [
        render_unit(program),
        render_desktop_entry(program),
        render_launch_agent(program),
        render_task(program, "PC\\me"),
    ]


# -- what they have in common -------------------------------------------------------------------------


@given(names.filter(lambda name: "%" not in name), words)
def test_every_file_tells_its_command_to_us(name, arguments):
    program = Program((f"/opt/{name}/python", *(word.replace("%", "") for word in arguments)))
    for text in renderings(program):
        assert marked_command(text) == program.command


def test_the_mark_is_one_line_that_xml_can_have_in_a_comment():
    text = mark(Program(("/a--b", "--c")))
    assert "--" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "text", ["", "[Service]\nExecStart=/bin/true\n", "written by 'posture autostart'", mark(SIMPLE)[:-3]]
)
def test_a_file_of_somebody_else_has_no_mark(text):
    assert marked_command(text) is None


@pytest.mark.parametrize("bad", ["a\nExecStartPre=/bin/evil", "a\rb", "a\0b", "a\x85b", "\udc80"])
def test_a_line_break_in_a_path_is_refused_and_cannot_add_a_line(bad):
    for program in (
        lambda: Program((f"/opt/{bad}",)),
        lambda: Program(("/p", bad)),
        lambda: Program(("/p",), (("A", bad),)),
        lambda: Program(("/p",), (), (f"/{bad}",)),
    ):
        with pytest.raises(AutostartError) as refused:
            program()
        assert "\n" not in str(refused.value)


# -- Linux: the unit ----------------------------------------------------------------------------------


def value_lines(unit, key):
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{key}=")]


def verify(unit: Path):
    """Run systemd's own reader over a unit; it also looks for the program."""
    return subprocess.run(
        [require("systemd-analyze"), "verify", "--user", "--man=no", str(unit)],
        env={**os.environ, "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": str(unit.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("needs_network", [False, True])
@pytest.mark.parametrize("has_namespaces", [False, True])
@pytest.mark.parametrize(
    "name", ["plain", "with space", "50%h", "$HOME", "ümläut", ";#&", "q\"uo'te", "back\\n"]
)
def test_systemd_accepts_the_unit_and_finds_the_program(tmp_path, name, has_namespaces, needs_network):
    program = tmp_path / name / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    unit = tmp_path / "posture.service"
    parts = Program((str(program), "-P"), (("A", ODD),), (str(program.parent),), needs_network)
    unit.write_text(render_unit(parts, has_namespaces=has_namespaces), encoding="utf-8")
    done = verify(unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_tell_of_a_bad_unit(tmp_path):
    unit = tmp_path / "posture.service"
    unit.write_text(render_unit(Program(("/nowhere/python",))), encoding="utf-8")
    assert verify(unit).returncode != 0
    unit.write_text(render_unit(SIMPLE).replace("MemoryMax=1G", "MemoryMax=plenty"), encoding="utf-8")
    assert "plenty" in verify(unit).stderr


def test_the_network_is_shut_unless_the_camera_is_an_address():
    shut, open_ = render_unit(SIMPLE), render_unit(Program(SIMPLE.command, needs_network=True))
    assert value_lines(shut, "RestrictAddressFamilies") == ["AF_UNIX"]
    assert "AF_INET" in value_lines(open_, "RestrictAddressFamilies")[0]
    assert "network stays open" in open_


def test_the_pause_grows_where_systemd_can():
    assert "RestartSteps" in render_unit(SIMPLE, systemd_version=254)
    for version in (None, 240, 253):
        assert "RestartSteps" not in render_unit(SIMPLE, systemd_version=version)


def test_a_program_in_a_temporary_folder_still_sees_it():
    assert "PrivateTmp=yes" in render_unit(SIMPLE)
    assert "PrivateTmp=yes" not in render_unit(Program(("/tmp/venv/bin/python",)))


# -- Linux: the autostart entry -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["plain", "with space", "50%f %%", "$HOME `id`", "ü;#&", "q\"uo'te", "b\\a\\\\ck"]
)
def test_the_entry_starts_the_program_with_its_arguments_and_variables(tmp_path, name):
    program = tmp_path / name / "python"
    program.parent.mkdir()
    told = tmp_path / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$MARK" "$@" >"{told}.new"; mv "{told}.new" "{told}"\n')
    program.chmod(0o755)
    arguments = ("-P", "--profile", ODD, 'x"y', "$z", "%u", "a\\b")
    entry = tmp_path / "posture.desktop"
    entry.write_text(
        render_desktop_entry(Program((str(program), *arguments), (("MARK", ODD),))), encoding="utf-8"
    )
    done = subprocess.run([require("gio"), "launch", str(entry)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    wait_until(told.exists, "the program")
    assert told.read_text(encoding="utf-8").splitlines() == [ODD, *arguments]


def test_the_entry_is_valid(tmp_path):
    entry = tmp_path / "posture.desktop"
    for program in (SIMPLE, Program((PYTHON.replace("=", ""), "-P"), (("A", "b c"),))):
        entry.write_text(render_desktop_entry(program), encoding="utf-8")
        done = subprocess.run([require("desktop-file-validate"), str(entry)], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")


def test_gnome_and_kde_make_a_service_of_the_entry(tmp_path):
    """systemd-xdg-autostart-generator is what both use."""
    require("systemd-analyze")
    generator = "/usr/lib/systemd/user-generators/systemd-xdg-autostart-generator"
    program = tmp_path / "with space" / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    (tmp_path / "autostart").mkdir()
    entry = tmp_path / "autostart/posture.desktop"
    entry.write_text(render_desktop_entry(Program((str(program), "-P"))), encoding="utf-8")
    for folder in ("normal", "early", "late"):
        (tmp_path / folder).mkdir()
    subprocess.run(
        [generator, *(str(tmp_path / folder) for folder in ("normal", "early", "late"))],
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none")},
        check=True,
        timeout=60,
    )
    made = (tmp_path / "late/app-posture@autostart.service").read_text(encoding="utf-8")
    start = value_lines(made, "ExecStart")[0]
    assert shlex.split(start.removeprefix(":")) == [str(program), "-P"]


# -- macOS --------------------------------------------------------------------------------------------


@given(names, words, names)
def test_the_launch_agent_reads_back(name, arguments, value):
    program = Program((f"/opt/{name}", *arguments), (("A", value),))
    content = plistlib.loads(render_launch_agent(program).encode())
    assert content["ProgramArguments"] == list(program.command)
    assert content["EnvironmentVariables"]["A"] == value
    assert content["RunAtLoad"] is True
    assert content["KeepAlive"] == {"SuccessfulExit": False}
    assert content["Umask"] == 0o077


def test_the_launch_agent_is_put_there_and_taken_away(tmp_path):
    starter = MacStarter(tmp_path / "LaunchAgents")
    assert not starter.status().is_enabled
    for _ in range(2):
        starter.enable(SIMPLE, is_now=False)
    status = starter.status()
    assert (status.is_enabled, status.command, status.paths) == (True, SIMPLE.command, (starter.agent,))
    assert starter.disable() == [f"removed {starter.agent}"]
    assert starter.disable() == []
    starter.agent.write_text("<plist/>")
    assert "left alone" in starter.disable()[0]
    assert starter.status().foreign == (starter.agent,)
    with pytest.raises(AutostartError, match="not written by posture"):
        starter.enable(SIMPLE, is_now=False)
    assert starter.agent.read_text() == "<plist/>"


# -- Windows ------------------------------------------------------------------------------------------

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def split_windows(text):
    """Split as CommandLineToArgvW and the C runtime do: 2n backslashes and a quote are n and a quote mark."""
    words, word, is_quoted, is_begun, backslashes = [], "", False, False, 0
    for character in text:
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            word += "\\" * (backslashes // 2)
            is_begun = True
            if backslashes % 2:
                word += '"'
            else:
                is_quoted = not is_quoted
        else:
            word += "\\" * backslashes
            is_begun |= backslashes > 0
            if character in " \t" and not is_quoted:
                words += [word] if is_begun else []
                word, is_begun = "", False
            else:
                word, is_begun = word + character, True
        backslashes = 0
    word += "\\" * backslashes
    return words + ([word] if is_begun or word else [])


@given(names, words, names)
def test_the_task_reads_back(name, arguments, user):
    arguments = [word.replace("%", "") for word in arguments]
    path = f"C:\\Users\\{name.replace('%', '')}\\pythonw.exe"
    text = render_task(Program((path, *arguments)), f"PC\\{user}")
    root = ElementTree.fromstring(text.encode("utf-16"))
    action = root.find(f"{TASK}Actions/{TASK}Exec")
    assert action.findtext(f"{TASK}Command") == path
    assert split_windows(action.findtext(f"{TASK}Arguments") or "") == arguments
    assert root.findtext(f"{TASK}Triggers/{TASK}LogonTrigger/{TASK}UserId") == f"PC\\{user}"
    assert root.findtext(f"{TASK}Settings/{TASK}ExecutionTimeLimit") == "PT0S"  # not ended after 3 days


def test_a_percent_sign_is_refused_which_the_scheduler_would_expand():
    with pytest.raises(AutostartError, match="percent"):
        render_task(Program(("C:\\%TEMP%\\pythonw.exe",)), "PC\\me")


SCHTASKS = """#!/bin/sh
echo "$@" >>"{log}"
case "$1" in /Create) touch "{made}" ;; /Delete) rm "{made}" ;; /Query) test -f "{made}" ;; esac
"""


def test_the_task_is_made_from_the_file_and_deleted(tmp_path, monkeypatch):
    log, made = tmp_path / "log", tmp_path / "made"
    tool = tmp_path / "bin/schtasks"
    tool.parent.mkdir()
    tool.write_text(SCHTASKS.format(log=log, made=made))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("USERNAME", "me")
    starter = WindowsStarter(tmp_path / "folder")
    assert not starter.status().is_enabled
    starter.enable(SIMPLE, is_now=True)
    assert f"/Create /TN Posture /XML {starter.xml} /F" in log.read_text()
    assert starter.status().is_enabled
    assert starter.status().command == SIMPLE.command
    made.unlink()
    assert not starter.status().is_enabled  # somebody has deleted it in the Task Scheduler
    starter.disable()
    assert not starter.xml.exists()
    assert read_ours(starter.xml, "utf-16") == (None, False)


# -- the command, where there is no user manager ------------------------------------------------------


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


@pytest.fixture
def entry(tmp_path):
    return tmp_path / "home/.config/autostart/posture.desktop"


def test_without_a_user_manager_the_desktop_starts_it(env, entry):
    assert "not enabled" in posture("autostart", "status", env=env, code=1).stdout
    told = posture("autostart", "enable", "--profile", "at home", env=env).stdout
    assert "no systemd user manager" in told
    assert 'calibrate --profile "at home"' in told
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(entry.read_text(encoding="utf-8"))
    assert '"run" "--profile" "at home"' in parser["Desktop Entry"]["Exec"]
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert "XDG autostart entry" in posture("autostart", "status", env=env).stdout
    before = entry.read_bytes()
    posture("autostart", "enable", "--profile", "at home", env=env)
    assert entry.read_bytes() == before
    assert "removed" in posture("autostart", "disable", env=env).stdout
    assert "nothing to remove" in posture("autostart", "disable", env=env).stdout
    assert not entry.exists()


def test_an_interpreter_that_is_gone_is_told(env, entry):
    posture("autostart", "enable", env=env)
    entry.write_text(entry.read_text().replace(sys.executable, "/gone/python").replace("bin\\u002d", ""))
    told = posture("autostart", "status", env=env, code=1).stdout
    assert "/gone/python, which is gone" in told


def test_what_is_in_the_way_is_said_in_one_line(env, entry):
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nType=Application\n")
    assert "not written by posture" in fails("autostart", "enable", env=env)
    assert "left alone" in posture("autostart", "disable", env=env).stdout
    assert entry.exists()
    entry.unlink()
    entry.parent.rmdir()
    entry.parent.write_text("a file")
    assert str(entry) in fails("autostart", "enable", env=env)
    entry.parent.unlink()
    entry.mkdir(parents=True)
    assert "directory" in fails("autostart", "status", env=env)
    assert "set HOME" in fails("autostart", "enable", env={**env, "HOME": "relative"})
