# SPDX-License-Identifier: GPL-3.0-or-later
"""Local programs: what they print, how they fail, and that nothing of them survives."""

import sys
import threading
import time
from pathlib import Path

import pytest

from kubexms.artifacts import process
from kubexms.artifacts.process import Command, require_program, run
from kubexms.artifacts.progress import Silent
from kubexms.context import Context
from kubexms.errors import Cancelled, CommandFailed, DeadlineExceeded, NotSupported


def python(text: str, **more: object) -> Command:
    return Command((sys.executable, "-c", text), **more)  # type: ignore[arg-type]


def test_output_folder_and_environment(ctx: Context, tmp_path: Path) -> None:
    command = python(
        "import os; print(os.getcwd(), os.environ['X'], os.environ['LC_ALL'])",
        folder=tmp_path,
        environment={"X": "1"},
    )
    assert run(ctx, command, "x", Silent()).split() == [str(tmp_path), "1", "C.UTF-8"]


def test_a_failure_carries_status_and_last_lines(ctx: Context) -> None:
    text = "import sys; print('out'); [print('line', i, file=sys.stderr) for i in range(50)]; sys.exit(7)"
    with pytest.raises(CommandFailed) as raised:
        run(ctx, python(text), "x", Silent())
    assert raised.value.status == 7
    assert raised.value.tail[-1] == "line 49"
    assert len(raised.value.tail) == 20


def test_progress_has_elapsed_time_and_what_was_done(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(process, "_LOOK_SECONDS", 0.02)
    said: list[str] = []

    class Told:
        def report(self, what: str, done: int = 0, total: int = 0) -> None:
            said.append(what)

    text = "import sys, time; print('a\\nb', file=sys.stderr, flush=True); time.sleep(0.5)"
    run(ctx, python(text, counts="packages"), "build", Told())
    assert said[0].startswith("build: ")
    assert said[-1].startswith("build: 2 packages, ")


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid} ")
time.sleep(60)
"""


def test_cancelling_ends_the_whole_group(ctx: Context, tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def cancel() -> None:
        deadline = time.monotonic() + 10
        while not (pids.exists() and pids.read_text().endswith(" ")) and time.monotonic() < deadline:
            ctx.cancelled.wait(0.02)
        ctx.cancelled.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        run(ctx, Command((sys.executable, "-c", CHILD, str(pids))), "x", Silent())
    thread.join()
    deadline = time.monotonic() + 10
    while any(alive(int(pid)) for pid in pids.read_text().split()) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


def test_a_program_that_ignores_the_signal_is_killed(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_END_SECONDS", 0.1)
    text = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        run(ctx.with_timeout(1), python(text), "x", Silent())
    assert time.monotonic() - started < 20


def test_a_missing_program_is_named() -> None:
    require_program("sh", "")
    with pytest.raises(NotSupported, match=r"no-such-program is not installed on the controller \(do this\)"):
        require_program("no-such-program", "do this")
