"""Many items in several processes: all of them are dealt with, whatever happens to one of them."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from job_kinds import square, work

from posture.errors import JobsError
from posture.jobs.attempt import ONE_THREAD
from posture.jobs.outcome import Progress
from posture.jobs.processes import run_jobs


def by_index(outcomes):
    return {outcome.index: outcome for outcome in outcomes}


def is_alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, timeout_s=30.0):
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return value


def test_every_item_is_done_once_and_progress_names_worker_and_item():
    told = []
    outcomes = list(run_jobs(square, range(7), 2, on_progress=told.append))
    assert sorted((o.index, o.value, o.error) for o in outcomes) == [(n, n * n, "") for n in range(7)]
    assert {p.index for p in told if p.value is None} == set(range(7)), "each start is told"
    assert {p.worker for p in told} <= {0, 1}
    assert {(p.index, p.value) for p in told if p.value is not None} <= {(n, n) for n in range(7)}
    assert all(isinstance(p, Progress) for p in told)


def test_no_items_need_no_processes():
    assert list(run_jobs(square, [], 4)) == []


def test_what_goes_wrong_is_told_of_its_item_and_the_rest_goes_on(tmp_path):
    items = [
        ("bad", "a.mp4"),
        ("wrong",),
        ("memory",),
        ("killed",),
        ("segfault",),
        ("unpicklable",),
        ("killed once", str(tmp_path / "mark")),
        *[("fine",)] * 4,
    ]
    done = by_index(run_jobs(work, items, 2))
    assert sorted(done) == list(range(len(items)))
    errors = [done[n].error for n in range(6)]
    assert errors[0] == "a.mp4: cannot be read"
    assert errors[1] == "ZeroDivisionError: by zero"
    assert errors[2].startswith("out of memory")
    assert errors[3] == "the process working on it was killed (out of memory?), twice"
    assert errors[4] == "the process working on it crashed (SIGSEGV), twice"
    assert "pickle" in errors[5]
    assert done[6].value == "well", "an innocent one gets another chance"
    assert all(done[n].error == "" and done[n].value for n in range(7, 11))
    assert all(done[n].value is None for n in range(6))


def test_an_item_that_cannot_be_sent_has_failed_alone():
    done = by_index(run_jobs(work, [lambda: None, ("fine",)], 1))
    assert "cannot be sent" in done[0].error
    assert done[1].value


def test_workers_keep_their_libraries_to_one_thread():
    (outcome,) = run_jobs(work, [("environment", tuple(ONE_THREAD))], 1)
    assert outcome.value == ONE_THREAD


def test_being_stopped_kills_the_workers_at_once(tmp_path):
    stop = threading.Event()
    outcomes = []

    def on_progress(progress):
        if progress.value == "going" and len(list(tmp_path.iterdir())) == 2:
            stop.set()

    outcomes += run_jobs(work, [("slow", str(tmp_path))] * 3, 2, on_progress=on_progress, stop=stop)
    assert outcomes == []
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


def test_leaving_the_loop_ends_the_workers(tmp_path):
    outcomes = run_jobs(work, [("fine",), ("slow", str(tmp_path))], 2)
    first = next(outcomes)
    outcomes.close()
    assert not is_alive(first.value)
    assert not any(is_alive(int(path.name)) for path in tmp_path.iterdir())


def test_work_that_no_other_process_can_load_is_one_clear_error(monkeypatch):
    gone = functools.partial(square)
    monkeypatch.setattr(square, "__module__", "job_kinds_gone")
    monkeypatch.setitem(sys.modules, "job_kinds_gone", sys.modules["job_kinds"])
    with pytest.raises(JobsError, match="cannot load the work: No module named 'job_kinds_gone'"):
        list(run_jobs(gone, [1], 1))


STARTER = """
import sys
sys.path[:0] = {path!r}
from job_kinds import work
from posture.jobs.processes import run_jobs
if __name__ == "__main__":
    list(run_jobs(work, [("slow", {folder!r})] * 2, 2))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_whoever_started_them_and_are_silent_about_it(tmp_path, number):
    folder, script = tmp_path / "pids", tmp_path / "starter.py"
    folder.mkdir()
    script.write_text(STARTER.format(path=sys.path, folder=str(folder)), encoding="utf-8")
    starter = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    wait_until(lambda: len(list(folder.iterdir())) == 2)
    pids = [int(path.name) for path in folder.iterdir()]
    if number == signal.SIGINT:  # as a terminal does: to all of them
        os.killpg(starter.pid, number)
    else:
        starter.kill()
    _, errors = starter.communicate(timeout=30)
    wait_until(lambda: not any(map(is_alive, pids)))
    assert errors.count("Traceback") == (number == signal.SIGINT), errors
