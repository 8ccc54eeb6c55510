# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, watch and stop supervisors from another process."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

from kubexms.context import Context
from kubexms.errors import CommandFailed, DeadlineExceeded, KubexmsError
from kubexms.runner import lease, processes
from kubexms.runner.events import Kind
from kubexms.runner.job import Job
from kubexms.runner.lease import Lease, write_private
from kubexms.runner.playbook import inherited
from kubexms.runner.spool import read_events

JOB = "job.json"
LOG = "supervisor.log"
SEGMENTS = "segments"
_START_SECONDS = 30.0
_END_SECONDS = 10.0
_TAIL_LINES = 20
_CANCEL = ((SIGINT, 4.0), (SIGTERM, 1.0), (SIGKILL, 1.0))


def start(ctx: Context, job: Job, directory: Path) -> Lease:
    """Start a supervisor for ``job`` in its run directory; it outlives the caller.

    Returns when the supervisor holds its lease. Raises KubexmsError when one is there already, and
    CommandFailed when it does not come up.
    """
    ctx.check()
    directory = directory.resolve()
    _make_way(ctx, job, directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / lease.LEASE).unlink(missing_ok=True)
    write_private(directory / JOB, job.to_json())
    argv = [sys.executable, "-P", "-m", "kubexms.runner", str(directory)]
    secrets = {name: os.environ[name] for name in job.environment if name in os.environ}
    environment = inherited(os.environ) | secrets | {processes.MARKER: str(directory)}
    status = _run(ctx, argv, environment, directory)
    held = lease.read(directory)
    if status != 0 or held is None:
        raise CommandFailed(argv, status, _log(directory), hint=f"see {directory / LOG}")
    return held


def _make_way(ctx: Context, job: Job, directory: Path) -> None:
    """Let a supervisor that has said its last word end, and clear away what a dead one left.

    Raises KubexmsError when one is at work.
    """
    held = lease.read(directory)
    if held is not None and held.is_held():
        events, _ = read_events(directory)
        if not events or events[-1].kind != Kind.RUN_FINISHED:
            raise KubexmsError(f"run {job.run_id} has a supervisor already", hint="cancel it first")
        _wait_until_gone(ctx, held, _END_SECONDS)
    reap(directory)


def _run(ctx: Context, argv: list[str], environment: dict[str, str], directory: Path) -> int:
    """Run the command that leaves a supervisor behind; return its exit status."""
    remaining = ctx.remaining()
    log = os.open(directory / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(log, "ab") as output:
        try:
            done = subprocess.run(
                argv,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                timeout=_START_SECONDS if remaining is None else min(_START_SECONDS, remaining),
                check=False,
            )
        except subprocess.TimeoutExpired as cause:
            reap(directory)
            raise DeadlineExceeded("the supervisor did not come up in time") from cause
    return done.returncode


def _log(directory: Path) -> list[str]:
    return (directory / LOG).read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]


def is_alive(directory: Path) -> bool:
    """Tell whether the run in this directory has a living supervisor."""
    held = lease.read(directory)
    return held is not None and held.is_held()


def cancel(ctx: Context, directory: Path) -> None:
    """Stop a run. Afterwards no process of it is left and its spool is no longer written to.

    The supervisor is asked first and has 4 s to end its processes and write run.finished.
    """
    directory = directory.resolve()
    held = lease.read(directory)
    for number, seconds in _CANCEL:
        if held is None or not held.is_held():
            break
        held.process.signal(number)
        _wait_until_gone(ctx, held, seconds)
    reap(directory)


def _wait_until_gone(ctx: Context, held: Lease, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while held.is_held() and time.monotonic() < deadline:
        ctx.wait(0.02)


def reap(directory: Path) -> int:
    """End what a dead supervisor left and return the number of processes; does nothing to a living one."""
    directory = directory.resolve()
    held = lease.read(directory)
    if held is not None and held.is_held():
        return 0
    sockets = Path(held.sockets) if held is not None and held.sockets else directory / "sockets"
    count = processes.end(lambda: processes.marked(directory, sockets))
    shutil.rmtree(sockets, ignore_errors=True)
    shutil.rmtree(directory / SEGMENTS, ignore_errors=True)
    return count
