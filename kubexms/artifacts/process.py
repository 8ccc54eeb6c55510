# SPDX-License-Identifier: GPL-3.0-or-later
"""Local programs that builds need: started, watched against the context, reported with elapsed time."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from kubexms.artifacts.progress import Progress
from kubexms.context import Context
from kubexms.errors import CommandFailed, NotSupported

_REPORT_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_END_SECONDS = 5.0
_TAIL = 20


@dataclass(frozen=True)
class Command:
    """A program to run: arguments, working folder, and what is added to the environment.

    ``counts`` says what a line on its standard error stands for, such as a package that was built.
    """

    argv: tuple[str, ...]
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    counts: str = ""


def require_program(name: str, hint: str) -> None:
    """Raise NotSupported where a program is not installed."""
    if shutil.which(name) is None:
        raise NotSupported(f"{name} is not installed on the controller", hint=hint)


def run(ctx: Context, command: Command, what: str, progress: Progress) -> str:
    """Run a program to its end and return what it printed; report ``what`` every few seconds.

    Raises CommandFailed with its last lines. It has its own process group, which is ended when the
    context is cancelled or out of time.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            status = _watch(ctx, process, lambda: _state(command, what, errors), progress)
        except BaseException:
            _end(process)
            raise
        output.seek(0)
        errors.seek(0)
        text = output.read().decode(errors="replace")
        if status != 0:
            lines = f"{text}\n{errors.read().decode(errors='replace')}".splitlines()
            raise CommandFailed(command.argv, status, lines[-_TAIL:])
        return text


def _state(command: Command, what: str, errors: IO[bytes]) -> str:
    """Return what a program is at, with the number of things done where it says so line by line."""
    if not command.counts:
        return what
    size = os.fstat(errors.fileno()).st_size
    lines = os.pread(errors.fileno(), size, 0).count(b"\n")
    return f"{what}: {lines} {command.counts}"


def _watch(
    ctx: Context, process: subprocess.Popen[bytes], state: Callable[[], str], progress: Progress
) -> int:
    """Wait for a program's end and return its status."""
    started = reported = time.monotonic()
    progress.report(state())
    while True:
        try:
            return process.wait(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            ctx.check()
        if time.monotonic() - reported >= _REPORT_SECONDS:
            reported = time.monotonic()
            progress.report(f"{state()}, {reported - started:.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started in its group."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
