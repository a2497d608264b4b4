"""Many machines: a real scheduler and real workers on the loopback address, and all that goes wrong with them."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cli_helpers import FIXTURES, fails, home_env, posture, running
from desktop import require
from job_kinds import square, work

from posture.errors import JobsError
from posture.jobs import cluster, scheduler
from posture.jobs.cluster import run_on_cluster
from posture.jobs.processes import run_jobs

ROOT = Path(__file__).parents[1]
NUMBERS = itertools.count()


def wait_until(condition, timeout_s=300.0):
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    return value


class Site:
    """A scheduler and its workers, as processes of their own."""

    def __init__(self, folder, *, preload=None, **env):
        self._folder, self._env = folder, {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", **env}
        self._processes = []
        place = folder / "scheduler.json"
        more = () if preload is None else ("--preload", preload)
        self._start("scheduler", "--port", "0", "--scheduler-file", place, *more)
        try:
            wait_until(lambda: place.exists() and place.stat().st_size)
            self.address = json.loads(place.read_text())["address"]
        except BaseException:
            self.close()
            raise

    def _start(self, *args):
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, args), "--host", "127.0.0.1", "--no-dashboard"],
            env=self._env,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    @contextlib.contextmanager
    def workers(self, n, *args):
        """Have `n` workers for the time of a `with` block; yield their processes."""
        from distributed import Client

        names = {f"{id(self)}-{next(NUMBERS)}" for _ in range(n)}
        options = ("--nthreads", "1", *(args if "--nanny" in args else ("--no-nanny", *args)))
        processes = [self._start("worker", self.address, *options, "--name", name) for name in names]
        try:
            with Client(self.address, set_as_default=False, timeout=60) as client:
                wait_until(
                    lambda: names <= {w["name"] for w in client.scheduler_info(-1)["workers"].values()}
                )
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.wait(60)

    def kill_scheduler(self):
        self._processes[0].kill()

    def close(self):
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(20)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A scheduler; tests bring their workers."""
    with contextlib.closing(Site(tmp_path_factory.mktemp("site"))) as site:
        yield site


@pytest.fixture
def env(tmp_path):
    return home_env(tmp_path / "home")


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def outcomes(generator):
    return sorted(((o.index, o.value, o.error) for o in generator), key=lambda o: o[0])


def test_items_fare_as_they_do_on_this_machine_and_one_that_kills_its_worker_has_failed(site, monkeypatch):
    monkeypatch.setattr(cluster, "MAX_DEATHS", 0)
    items = [("bad", "a.mp4"), ("wrong",), ("memory",), ("unpicklable",)]
    told = []
    with site.workers(2):
        assert outcomes(run_on_cluster(work, items, site.address)) == outcomes(run_jobs(work, items, 1))
        run = run_on_cluster(square, range(5), site.address, on_progress=told.append)
        assert outcomes(run) == [(n, n * n, "") for n in range(5)]
        assert {progress.index for progress in told} <= set(range(5))
        assert told
        done = outcomes(run_on_cluster(work, [("killed",), ("fine",), ("fine",)], site.address))
    assert done[0] == (0, None, "the worker that had it died (out of memory?)")
    assert all(value and not error for _, value, error in done[1:])


def test_a_killed_worker_costs_nothing_but_time_and_the_files_are_those_of_this_machine(tmp_path, env, site):
    folder, here, there = tmp_path / "in", tmp_path / "here", tmp_path / "there"
    folder.mkdir()
    for name in ("a.npz", "d.npz"):
        shutil.copyfile(FIXTURES / "s200_side.npz", folder / name)
    for name in ("b.mp4", "c.mp4"):
        shutil.copyfile(FIXTURES / "two_people.mp4", folder / name)
    (folder / "e.mp4").write_bytes(b"no clip")
    command = ("replay", folder, "--calibrate", "0:3", "--output")
    with site.workers(2) as workers, running(*command, there, "--scheduler", site.address, env=env) as run:
        run.wait_for("[1/5]", 300.0)
        workers[0].send_signal(signal.SIGKILL)
        assert run.finish(400.0) == 1, run.text
    assert "4 judged, 0 finished earlier, 1 failed" in run.text
    assert "e.mp4: is text" in run.text
    posture(*command, here, "--jobs", "2", env=env, code=1, timeout_s=400.0)
    assert content(there) == content(here)
    assert len(content(here)) == 4 * 2 + 5 + 1


def test_a_worker_that_runs_out_of_memory_is_told_and_the_one_after_it_does_the_rest(site, monkeypatch):
    monkeypatch.setattr(cluster, "MAX_DEATHS", 0)
    with site.workers(1, "--nanny", "--memory-limit", "300MB"):  # whose nanny ends it at 95 % of that
        done = outcomes(run_on_cluster(work, [("greedy",), ("fine",)], site.address))
    assert done[0] == (0, None, "the worker that had it died (out of memory?)")
    assert done[1][1]
    assert done[1][2] == ""


HIDE = """
import importlib.metadata, sys
import distributed.versions as versions
real = importlib.metadata.version
def version(name):
    if name == "posture":
        {what}
    return real(name)
versions.version = version
versions._version_cached.cache_clear()
"""


@pytest.mark.parametrize(
    ("what", "told"),
    [("raise ImportError", "has no package posture"), ("return '0.0.1'", "has posture 0.0.1, here it is")],
)
def test_a_worker_that_has_another_version_or_none_gets_no_work(site, tmp_path, monkeypatch, what, told):
    monkeypatch.setattr(cluster, "PATIENCE_S", 1.0)
    preload, notes = tmp_path / "hide.py", []
    preload.write_text(HIDE.format(what=what), encoding="utf-8")
    with site.workers(1, "--preload", preload):
        with pytest.raises(JobsError, match="no worker that can do this") as raised:
            list(run_on_cluster(work, [("fine",)], site.address, on_note=notes.append))
        assert told in str(raised.value)
        assert told in notes[0]
        with site.workers(1):
            assert outcomes(run_on_cluster(work, [("fine",)], site.address))[0][2] == ""


def test_the_last_worker_may_die_and_another_one_goes_on_and_without_any_it_ends(site, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 300.0)
    mark, items = tmp_path / "mark", [("killed once", str(tmp_path / "mark")), ("fine",)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(site.workers(1))
        run = run_on_cluster(work, items, site.address)
        bring = threading.Thread(
            target=lambda: (wait_until(mark.exists), stack.enter_context(site.workers(1)))
        )
        bring.start()
        assert outcomes(run)[0] == (0, "well", "")
        bring.join(60)
    monkeypatch.setattr(cluster, "PATIENCE_S", 1.0)
    with pytest.raises(JobsError, match="there is no worker; what is finished is kept"):
        list(run_on_cluster(work, [("fine",)], site.address))


def test_a_scheduler_of_another_version_is_one_clear_line(tmp_path):
    preload = tmp_path / "hide.py"
    preload.write_text(HIDE.format(what="return '0.0.1'"), encoding="utf-8")
    with (
        contextlib.closing(Site(tmp_path, preload=preload)) as site,
        site.workers(1),
        pytest.raises(JobsError, match=r"the scheduler has posture 0\.0\.1, here it is .*: install the same"),
    ):
        list(run_on_cluster(work, [("fine",)], site.address))


def test_whoever_stops_has_the_workers_stop_and_a_scheduler_that_is_gone_is_told(tmp_path):
    with contextlib.closing(Site(tmp_path)) as site, site.workers(1):
        stop = threading.Event()
        items = [("reporting", str(tmp_path / "ended"))]
        run = run_on_cluster(work, items, site.address, on_progress=lambda _: stop.set(), stop=stop)
        assert list(run) == []
        wait_until((tmp_path / "ended").exists)
        items = [("reporting", str(tmp_path / "again"))]
        with pytest.raises(JobsError, match="the scheduler is gone; what is finished is kept"):
            list(run_on_cluster(work, items, site.address, on_progress=lambda _: site.kill_scheduler()))


def test_the_scheduler_is_the_only_host_ever_called_and_no_picture_is_sent_to_it(site, tmp_path, env):
    log, clip = tmp_path / "strace.log", tmp_path / "clip.mp4"
    shutil.copyfile(FIXTURES / "two_people.mp4", clip)
    options = ("-f", "-qq", "-e", "trace=connect,bind,listen,sendto,sendmsg,open,openat", "-o", str(log))
    with site.workers(1):
        posture(
            *(
                "replay",
                clip,
                "--calibrate",
                "0:3",
                "--output",
                tmp_path / "out",
                "--scheduler",
                site.address,
            ),
            env=env,
            wrapper=(require("strace"), *options),
            timeout_s=400.0,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    called = set(re.findall(r"sin_port=htons\((\d+)\), sin_addr=inet_addr\(\"([^\"]*)\"\)", text))
    assert {f"tcp://{host}:{port}" for port, host in called} == {site.address}
    assert "AF_INET6" not in text
    assert not re.search(r"\blisten\(", text), "no dashboard"
    assert str(clip) not in text, "the clip is read where it is judged"


@pytest.mark.parametrize(
    ("greeting", "told"), [(b"SSH-2.0-x\r\n", "something else is there"), (b"", "no answer within 0.2 s")]
)
def test_something_else_at_the_address_is_one_clear_line(monkeypatch, greeting, told):
    monkeypatch.setattr(scheduler, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            with contextlib.suppress(OSError):
                peer, _ = server.accept()
                with peer:
                    peer.sendall(greeting)
                    peer.recv(1)

        thread = threading.Thread(target=greet)
        thread.start()
        port = server.getsockname()[1]
        with pytest.raises(
            JobsError, match=re.escape(f"tcp://127.0.0.1:{port}: no scheduler answers there ({told})")
        ):
            list(run_on_cluster(square, [1], f"tcp://127.0.0.1:{port}"))
        thread.join(10)


def test_addresses_that_lead_nowhere_are_one_clear_line(tmp_path, env):
    out = ("--output", tmp_path / "out")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = fails("replay", FIXTURES, *out, "--scheduler", f"tcp://127.0.0.1:{port}", env=env)
    assert told.startswith(f"tcp://127.0.0.1:{port}: no scheduler answers there (Connection refused)")
    for address in ("http://127.0.0.1:1", "tcp://127.0.0.1", "127.0.0.1:1", "tcp://:1", "tcp://h:99999"):
        with pytest.raises(JobsError, match="give tcp://HOST:PORT"):
            list(run_on_cluster(square, [1], address))
    assert "needs --output" in posture("replay", FIXTURES, "--scheduler", "tcp://h:1", env=env, code=2).stderr


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(JobsError, match=r"pip install distributed"):
        list(run_on_cluster(square, [1], "tcp://127.0.0.1:1"))
