# SPDX-License-Identifier: GPL-3.0-or-later
"""Local programs that builds need: started, watched against the context, reported with elapsed time."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubexms.artifacts.progress import Progress
from kubexms.context import Context
from kubexms.errors import CommandFailed, NotSupported

_REPORT_SECONDS = 5.0
_TAIL = 20


def require_program(name: str, hint: str) -> Path:
    """Return where a program is; raise NotSupported where it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise NotSupported(f"{name} is not installed on the controller", hint=hint)
    return Path(found)


def run(
    ctx: Context,
    argv: Sequence[str],
    *,
    what: str,
    progress: Progress,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end, reporting every few seconds; raise CommandFailed with its last lines.

    It has its own process group, which is ended when the context is cancelled or out of time.
    """
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = _watch(ctx, process, what, started, progress)
        except BaseException:
            _end(process)
            raise
        if status != 0:
            log.seek(0)
            lines = log.read().decode(errors="replace").splitlines()
            raise CommandFailed(argv, status, lines[-_TAIL:])


def _watch(
    ctx: Context, process: subprocess.Popen[bytes], what: str, started: float, progress: Progress
) -> int:
    while True:
        progress.report(f"{what}, {time.monotonic() - started:.0f} s")
        deadline = time.monotonic() + _REPORT_SECONDS
        while time.monotonic() < deadline:
            try:
                return process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                ctx.check()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all it started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
