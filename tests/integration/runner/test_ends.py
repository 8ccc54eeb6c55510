# SPDX-License-Identifier: GPL-3.0-or-later
"""How runs end before their time: cancelled, killed, abandoned. Nothing of them may be left."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.runner import Segment, cancel, is_alive, reap, start
from kubexms.runner.processes import MARKER, find

SEGMENT = Segment("s", (("alpha", ("a", "b")), ("beta", ("a", "b"))))
LIMIT_SECONDS = 2.0


def processes_of(bench: Any) -> set[int]:
    """Return the processes that carry the mark of the run, however they are related."""
    mark = f"{MARKER}={bench.run}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in environment.split(b"\0") and find(int(entry.name)):
                found.add(int(entry.name))
    return found


@pytest.fixture
def busy(bench: Any) -> Any:
    """Return a bench with a run in the middle of stage beta: a is done there, b waits for ever."""
    bench.hosts = {"a": {}, "b": {"act_beta": {"wait_for": str(bench.gate)}}}
    bench.lease = bench.start(SEGMENT)
    bench.wait_for("step.done beta a")
    bench.until(lambda: "beta b" in bench.journal)
    return bench


def assert_gone(bench: Any) -> None:
    assert processes_of(bench) == set()
    assert not Path(bench.lease.sockets).exists()
    assert not is_alive(bench.run)


def test_cancel_leaves_no_process_and_a_finished_spool(busy: Any) -> None:
    assert len(processes_of(busy)) >= 4, "guard, supervisor, playbook, worker"
    began = time.monotonic()
    cancel(Context(), busy.run)
    assert time.monotonic() - began < LIMIT_SECONDS
    assert_gone(busy)
    assert busy.short()[-3:] == ["run.cancelling", "step.interrupted beta b", "run.finished"]
    assert busy.events()[-1].data == {"state": "cancelled", "failed_hosts": [], "blocked_hosts": []}
    count = len(busy.events())
    cancel(Context(), busy.run)
    assert len(busy.events()) == count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_supervisor_is_a_cancel(busy: Any, number: signal.Signals) -> None:
    os.kill(busy.lease.pid, number)
    assert busy.finish()["state"] == "cancelled"
    busy.until(lambda: not processes_of(busy))


def test_cancel_right_after_the_start(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {}}
    bench.lease = bench.start(SEGMENT)
    cancel(Context(), bench.run)
    assert_gone(bench)
    assert bench.events()[-1].data["state"] == "cancelled"


def test_cancel_ends_what_ignores_signals(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {"act_alpha": {"wait_for": str(bench.gate), "stubborn": True}}}
    bench.lease = bench.start(SEGMENT)
    bench.until(lambda: "alpha b" in bench.journal)
    began = time.monotonic()
    cancel(Context(), bench.run)
    assert time.monotonic() - began < LIMIT_SECONDS
    assert_gone(bench)
    assert bench.events()[-1].data["state"] == "cancelled"


def test_a_killed_supervisor_takes_its_processes_along(busy: Any) -> None:
    os.kill(busy.lease.pid, signal.SIGKILL)
    busy.until(lambda: not processes_of(busy))
    assert reap(busy.run) == 0
    assert_gone(busy)
    assert "step.done beta a" in busy.short()
    assert busy.short()[-1] != "run.finished"


def test_a_killed_supervisor_and_guard_leave_nothing_that_goes_on(busy: Any) -> None:
    guard = find(busy.lease.pid)
    assert guard is not None
    os.kill(guard.parent, signal.SIGKILL)
    os.kill(busy.lease.pid, signal.SIGKILL)
    busy.until(lambda: not is_alive(busy.run))
    reap(busy.run)
    assert_gone(busy)
    assert "step.done beta a" in busy.short()
    busy.gate.touch()
    assert "beta b" not in busy.journal[busy.journal.index("beta b") + 1 :]


def test_a_playbook_alone_ends_by_itself(busy: Any) -> None:
    """Kill guard and supervisor and reap nothing: the playbook must see that nobody listens."""
    guard = find(busy.lease.pid)
    assert guard is not None
    os.kill(guard.parent, signal.SIGKILL)
    os.kill(busy.lease.pid, signal.SIGKILL)
    busy.until(lambda: not processes_of(busy))


def test_a_killed_guard_does_not_stop_the_run(busy: Any) -> None:
    guard = find(busy.lease.pid)
    assert guard is not None
    os.kill(guard.parent, signal.SIGKILL)
    busy.gate.touch()
    assert busy.finish()["state"] == "done"
    assert processes_of(busy) == set()


def test_a_killed_playbook_fails_its_hosts_and_the_run_ends(busy: Any) -> None:
    playbooks = [pid for pid in processes_of(busy) if find(pid) and find(pid).parent == busy.lease.pid]
    for pid in playbooks:
        os.kill(pid, signal.SIGKILL)
    assert busy.finish() == {"state": "partial", "failed_hosts": ["b"], "blocked_hosts": []}
    assert busy.error("beta", "b")["code"] == "internal"


def test_a_run_goes_on_in_the_same_directory(busy: Any) -> None:
    os.kill(busy.lease.pid, signal.SIGKILL)
    busy.until(lambda: not processes_of(busy))
    spool = busy.run / "spool.jsonl"
    spool.write_bytes(spool.read_bytes()[:-20])
    busy.gate.touch()
    busy.lease = start(Context(), busy.job(SEGMENT), busy.run)
    assert busy.finish()["state"] == "done"
    numbers = [event.seq for event in busy.events()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_supervisor_outlives_who_started_it(bench: Any) -> None:
    bench.hosts = {"a": {}, "b": {}}
    starter = os.fork()
    if not starter:
        bench.start(SEGMENT)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(starter, 0)
    assert bench.finish()["state"] == "done"
