# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping supervisors, as far as it goes without Ansible."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubexms.context import Context
from kubexms.errors import Cancelled, CommandFailed, DeadlineExceeded, KubexmsError
from kubexms.runner import control, lease
from kubexms.runner.control import cancel, is_alive, reap, start
from kubexms.runner.events import Draft, Kind
from kubexms.runner.job import Job, Segment
from kubexms.runner.lease import LEASE
from kubexms.runner.processes import MARKER
from kubexms.runner.spool import Spool

JOB = Job("r1", "t1", "deploy", "/none.yml", "/c", (Segment("s", (("host", ("a",)),)),))
SLEEPER = "import signal; print(flush=True); signal.pause()"
PASSING = "import signal; print(flush=True); signal.sigtimedwait([], 0.3)"
OBEDIENT = "import os, signal; signal.signal(2, lambda *_: os._exit(0)); print(flush=True); signal.pause()"


def launch(code: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a Python process; return when it is ready."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, env=os.environ | environment
    )
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()
    return child


def hold_lease(directory: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a child hold the lease of a run."""
    monkeypatch.setattr(lease.os, "getpid", lambda: child.pid)
    lease.take(directory, directory)
    monkeypatch.undo()


def test_nothing_is_alive_where_nothing_was_started(tmp_path: Path) -> None:
    assert not is_alive(tmp_path)
    assert not is_alive(tmp_path / "missing")
    assert reap(tmp_path) == 0
    cancel(Context(), tmp_path)


def test_a_supervisor_that_does_not_come_up_tells_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "to_json", lambda self: "nonsense")
    with pytest.raises(CommandFailed, match="the job cannot be read") as caught:
        start(Context(), JOB, tmp_path / "run")
    assert caught.value.status == 1
    assert not is_alive(tmp_path / "run")


def test_a_start_out_of_time_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_START_SECONDS", 0.001)
    with pytest.raises(DeadlineExceeded):
        start(Context(), JOB, tmp_path / "run")
    assert reap(tmp_path / "run") == 0


def test_a_cancelled_context_starts_nothing(tmp_path: Path) -> None:
    ctx = Context()
    ctx.cancelled.set()
    with pytest.raises(Cancelled):
        start(ctx, JOB, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_has_one_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with launch(SLEEPER) as child:
        hold_lease(tmp_path, child, monkeypatch)
        with pytest.raises(KubexmsError, match="has a supervisor already"):
            start(Context(), JOB, tmp_path)
        assert reap(tmp_path) == 0, "a living supervisor is left alone"
        assert is_alive(tmp_path)
        child.kill()


def test_a_supervisor_that_said_its_last_word_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(ctx: Context, argv: list[str], environment: dict[str, str], directory: Path) -> int:
        assert child.poll() is not None, "the old one is gone before a new one is started"
        lease.take(directory, directory / "sockets")
        return 0

    with Spool(tmp_path, "r1") as spool:
        spool.append(Draft(Kind.RUN_FINISHED))
    with launch(PASSING) as child:
        hold_lease(tmp_path, child, monkeypatch)
        monkeypatch.setattr(control, "_run", run)
        assert start(Context(), JOB, tmp_path).pid == os.getpid()


@pytest.mark.parametrize(("code", "status"), [(OBEDIENT, {0}), (SLEEPER, {1, -2})])
def test_cancel_asks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: set[int]
) -> None:
    with launch(code) as child:
        hold_lease(tmp_path, child, monkeypatch)
        cancel(Context(), tmp_path)
        assert child.wait(10) in status
    assert not is_alive(tmp_path)


def test_reaping_ends_what_carries_the_mark_and_removes_what_calls_left(tmp_path: Path) -> None:
    (tmp_path / "segments" / "1").mkdir(parents=True)
    sockets = tmp_path / "elsewhere"
    sockets.mkdir()
    (tmp_path / LEASE).write_text(
        json.dumps({"boot_id": "b", "pid": 1, "start_time": 0, "sockets": str(sockets)})
    )
    with launch(SLEEPER, **{MARKER: str(tmp_path)}) as child:
        assert reap(tmp_path) == 1
        assert child.wait(10) != 0
    assert not sockets.exists()
    assert not (tmp_path / "segments").exists()
