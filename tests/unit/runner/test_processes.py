# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: reading /proc, finding those of a run, ending them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kubexms.runner import processes
from kubexms.runner.processes import (
    MARKER,
    Process,
    ProcessesLeft,
    below,
    end,
    find,
    marked,
    parse_stat,
    running,
)

STUBBORN = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
signal.pause()
"""
QUIET = "import signal; print(flush=True); signal.pause()"
TITLED = """
import os, signal, sys
if len(sys.argv) > 1:
    os.execv(sys.executable, [sys.argv[1], "-S", "-c", "import signal; print(flush=True); signal.pause()"])
"""
FAST = ((signal.SIGINT, 0.1), (signal.SIGTERM, 0.1), (signal.SIGKILL, 5.0))


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return a function that starts a Python process and waits until it is ready."""
    with ExitStack() as stack:

        def start(code: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
            child = subprocess.Popen(
                [sys.executable, "-S", "-c", code, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | environment,
            )
            stack.callback(child.__exit__, None, None, None)
            stack.callback(child.kill)
            assert child.stdout is not None
            child.stdout.readline()
            return child

        yield start


@pytest.mark.parametrize(
    ("line", "process"),
    [
        ("12 (bash) S 7 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9876 0", Process(12, 9876, 7)),
        ("12 (a) b (c) R 1 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 55 0", Process(12, 55, 1)),
        ("12 (x) Z 7 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9876 0", None),
        ("12 (x) X 7 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9876 0", None),
    ],
)
def test_stat_lines(line: str, process: Process | None) -> None:
    assert parse_stat(line) == process


def test_descendants_are_found_at_any_depth() -> None:
    tree = [Process(2, 0, 1), Process(3, 0, 2), Process(4, 0, 3), Process(5, 0, 1), Process(6, 0, 5)]
    assert {process.pid for process in below(2, tree)} == {3, 4}
    assert {process.pid for process in below(1, tree)} == {2, 3, 4, 5, 6}
    assert below(9, tree) == []


def test_this_process_is_found_and_a_dead_one_is_not(spawn: Callable[..., subprocess.Popen[bytes]]) -> None:
    own = find(os.getpid())
    assert own is not None
    assert own.parent == os.getppid()
    assert own in running()
    child = spawn(QUIET)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert find(child.pid) is None, "a zombie counts as gone"
    child.wait()
    assert find(child.pid) is None


def test_no_signal_reaches_a_reused_process_id(spawn: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = spawn(QUIET)
    found = find(child.pid)
    assert found is not None
    Process(child.pid, found.start_time - 1).signal(signal.SIGKILL)
    assert child.poll() is None
    found.signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    found.signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("code", "status"),
    [(QUIET, {-signal.SIGINT, 1}), (STUBBORN, {-signal.SIGKILL})],
    ids=["quiet", "stubborn"],
)
def test_signals_escalate(spawn: Callable[..., subprocess.Popen[bytes]], code: str, status: set[int]) -> None:
    child = spawn(code)
    count = end(lambda: [process for process in running() if process.pid == child.pid], FAST)
    assert count == 1
    assert child.wait(10) in status


def test_nothing_to_end_is_fine() -> None:
    assert end(list, FAST) == 0


def test_what_outlives_every_signal_is_an_error() -> None:
    ghost = Process(2**22 + 1, 0)
    with pytest.raises(ProcessesLeft, match=str(ghost.pid)):
        end(lambda: [ghost], ((signal.SIGTERM, 0.0), (signal.SIGKILL, 0.0)))


def test_marked_processes_are_found_by_environment_and_by_title(
    tmp_path: Path, spawn: Callable[..., subprocess.Popen[bytes]]
) -> None:
    sockets = tmp_path / "sockets"
    ours = spawn(QUIET, **{MARKER: str(tmp_path)})
    titled, copied = (
        spawn(TITLED, text) for text in (f"ssh: {sockets}/ab [mux]", f"ssh: {sockets}2/ab [mux]")
    )
    other = spawn(QUIET, f"{sockets}/x", **{MARKER: str(tmp_path / "other")})
    found = {process.pid for process in marked(tmp_path, sockets)}
    assert found == {ours.pid, titled.pid}
    assert not {other.pid, copied.pid} & found
    assert ours.pid in {process.pid for process in processes.with_environment(f"{MARKER}={tmp_path}")}


ORPHAN = """
import os, sys
from kubexms.runner import processes
processes.adopt_orphans()
read, write = os.pipe()
if not os.fork():
    if not os.fork():
        os.read(read, 1)
        os._exit(7)
    os._exit(0)
os.wait()
os.write(write, b"x")
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_orphans_are_adopted() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN], check=True, capture_output=True, timeout=30)
    assert done.stdout == b"7\n"


def test_a_kernel_that_refuses_adoption_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PR_SET_CHILD_SUBREAPER", 123456)
    with pytest.raises(OSError, match="Invalid argument"):
        processes.adopt_orphans()


def test_a_file_of_proc_that_is_not_ours_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert processes.with_environment("X=1") == []
