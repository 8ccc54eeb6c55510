# SPDX-License-Identifier: GPL-3.0-or-later
"""Local programs as argv lists, stopped when the context ends."""

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from kubexms.context import Context
from kubexms.errors import CommandFailed

Report = Callable[[str], None]
"""Takes one progress line."""

TAIL_LINES = 20
_LOOK_SECONDS = 0.2
_STOP_SECONDS = 10.0
_NOT_STARTED = 127


@dataclass(frozen=True)
class Result:
    """What a program that ran to its end left."""

    status: int
    stdout: str
    stderr: str


class Commands(Protocol):
    """The way to local programs; tests put a table in its place."""

    def capture(self, ctx: Context, argv: Sequence[str]) -> Result:
        """Run to the end, whatever the status."""
        ...

    def follow(self, ctx: Context, argv: Sequence[str], report: Report) -> None:
        """Run with every output line reported as it comes; raise CommandFailed unless the status is 0."""
        ...


def run(ctx: Context, commands: Commands, argv: Sequence[str]) -> str:
    """Run ``argv`` and return its output; raise CommandFailed with its last lines when it fails."""
    result = commands.capture(ctx, argv)
    if result.status != 0:
        raise CommandFailed(argv, result.status, (result.stderr or result.stdout).splitlines()[-TAIL_LINES:])
    return result.stdout


class Local:
    """Programs of this machine, in the C locale and without input."""

    def capture(self, ctx: Context, argv: Sequence[str]) -> Result:
        """Run to the end, whatever the status."""
        ctx.check()
        process = _popen(argv, stderr=subprocess.PIPE)
        try:
            while True:
                try:
                    stdout, stderr = process.communicate(timeout=_LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    ctx.check()
                    continue
                return Result(process.returncode, stdout, stderr)
        finally:
            _stop(process)

    def follow(self, ctx: Context, argv: Sequence[str], report: Report) -> None:
        """Run with every output line reported as it comes; raise CommandFailed unless the status is 0."""
        ctx.check()
        process = _popen(argv, stderr=subprocess.STDOUT)
        tail: list[str] = []
        try:
            for line in _lines(ctx, process):
                tail = [*tail[1 - TAIL_LINES :], line]
                report(line)
            status = process.wait()
        finally:
            _stop(process)
        if status != 0:
            raise CommandFailed(argv, status, tail)


def _popen(argv: Sequence[str], stderr: int) -> subprocess.Popen[str]:
    """Start ``argv``; a program that is not there fails like one that ended."""
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            process_group=0,
        )
    except OSError as cause:
        raise CommandFailed(argv, _NOT_STARTED, [str(cause)]) from cause


def _lines(ctx: Context, process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield output lines; a thread reads them, so that silence does not hide the end of the context."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    while True:
        try:
            line = lines.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            ctx.check()
            continue
        if line is None:
            reader.join()
            return
        yield line


def _read(stream: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Put every line of ``stream``, then None."""
    for line in stream:
        lines.put(line.rstrip())
    lines.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    """End a program that is still running, and what it started, first politely."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
