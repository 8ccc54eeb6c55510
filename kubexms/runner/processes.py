# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of a run, read from /proc, and their end.

A process of a run is a descendant of its guard (which adopts orphans, see ``adopt_orphans``), or, once
no guard is left, one whose environment names the run directory. ssh's connection masters overwrite
their environment with a title; that names their socket in the run's socket directory.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubexms.errors import KubexmsError

MARKER = "KUBEXMS_RUN_DIRECTORY"
ESCALATION: tuple[tuple[signal.Signals, float], ...] = (
    (signal.SIGINT, 0.3),
    (signal.SIGTERM, 0.3),
    (signal.SIGKILL, 2.0),
)
_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.02
_PROC = Path("/proc")


class ProcessesLeft(KubexmsError):
    """Processes outlived SIGKILL: they hang in the kernel or belong to another user."""

    code = "processes-left"


@dataclass(frozen=True)
class Process:
    """A process and its start (clock ticks after boot): together they are unique on one boot."""

    pid: int
    start_time: int
    parent: int = 0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is gone or its id now belongs to another one."""
        found = find(self.pid)
        if found is not None and found.start_time == self.start_time:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def parse_stat(text: str) -> Process | None:
    """Return the process of a /proc/PID/stat line (proc_pid_stat(5), fields 3, 4, 22), None for a zombie."""
    pid, _, rest = text.partition(" (")
    fields = rest.rpartition(") ")[2].split()
    return None if fields[0] in "ZX" else Process(int(pid), int(fields[19]), int(fields[1]))


def find(pid: int) -> Process | None:
    """Return the running process with this id, or None; zombies count as gone."""
    try:
        return parse_stat((_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def running() -> list[Process]:
    """Return all processes of the machine but zombies."""
    found = (find(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [process for process in found if process is not None]


def below(root: int, processes: Iterable[Process]) -> list[Process]:
    """Return the descendants of process ``root``, without itself."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    tree, parents = [], [root]
    while parents:
        level = children.get(parents.pop(), [])
        tree += level
        parents += [process.pid for process in level]
    return tree


def with_environment(entry: str) -> list[Process]:
    """Return the processes that were started with this entry (NAME=value) in their environment."""
    wanted = entry.encode()
    return [process for process in running() if wanted in _read(process.pid, "environ").split(b"\0")]


def marked(directory: Path, sockets: Path) -> list[Process]:
    """Return the processes that carry the marks of the run in ``directory``, but never the caller."""
    environment = f"{MARKER}={directory}".encode()
    title = b"ssh: " + os.fsencode(sockets) + b"/"

    def belongs(pid: int) -> bool:
        return environment in _read(pid, "environ").split(b"\0") or _read(pid, "cmdline").startswith(title)

    return [process for process in running() if process.pid != os.getpid() and belongs(process.pid)]


def family(guard: int, directory: Path, sockets: Path) -> list[Process]:
    """Return the processes of the run whose supervisor calls this, but not the supervisor and its guard.

    They are the guard's descendants, since it adopts orphans. Should it be gone, orphans are found by
    their marks.
    """
    root = guard if os.getppid() == guard else os.getpid()
    found = below(root, running()) + marked(directory, sockets)
    return [process for process in found if process.pid not in (guard, os.getpid())]


def end(
    look: Callable[[], Sequence[Process]],
    escalation: Sequence[tuple[signal.Signals, float]] = ESCALATION,
) -> int:
    """End all processes that ``look`` finds, new ones included, each signal with its time to work.

    Returns how many there were. Raises ProcessesLeft when some outlive the last signal.
    """
    seen: set[tuple[int, int]] = set()
    for number, seconds in escalation:
        deadline = time.monotonic() + seconds
        told: set[tuple[int, int]] = set()
        while found := look():
            for process in found:
                key = (process.pid, process.start_time)
                if key not in told:
                    process.signal(number)
                told.add(key)
            seen |= told
            if time.monotonic() >= deadline:
                break
            time.sleep(_POLL_SECONDS)
        else:
            return len(seen)
    left = ", ".join(str(process.pid) for process in look())
    if left:
        raise ProcessesLeft(f"processes {left} are still there after SIGKILL")
    return len(seen)


def adopt_orphans() -> None:
    """Make this process the new parent of descendants whose parent ends (prctl(2))."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _read(pid: int, name: str) -> bytes:
    """Return a file of /proc/PID, empty when the process is gone or not ours to look into."""
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
