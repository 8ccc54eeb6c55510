# SPDX-License-Identifier: GPL-3.0-or-later
"""Who supervises a run: a process named so exactly that a reused process id cannot be taken for it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from kubexms.runner.processes import Process, find

LEASE = "lease.json"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Lease:
    """The supervisor of a run: this boot of the machine, process id, start time in clock ticks after boot.

    ``sockets`` is the short directory outside the run's own that holds its sockets.
    """

    boot_id: str
    pid: int
    start_time: int
    sockets: str = ""

    @property
    def process(self) -> Process:
        """The supervisor's process, on this boot."""
        return Process(self.pid, self.start_time)

    def is_held(self) -> bool:
        """Tell whether the process that took the lease still runs."""
        found = find(self.pid)
        return self.boot_id == boot_id() and found is not None and found.start_time == self.start_time


def boot_id() -> str:
    """Return the id that the kernel gave to this boot."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def take(directory: Path, sockets: Path) -> Lease:
    """Write the lease of the calling process into the run directory."""
    own = find(os.getpid())
    if own is None:
        raise ProcessLookupError("this process is not in /proc")
    lease = Lease(boot_id(), own.pid, own.start_time, str(sockets))
    write_private(directory / LEASE, json.dumps(asdict(lease)))
    return lease


def read(directory: Path) -> Lease | None:
    """Return the lease in a run directory, or None when there is none (or a half-written one)."""
    try:
        return Lease(**json.loads((directory / LEASE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(file)
    temporary.replace(path)
