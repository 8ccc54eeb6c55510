# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of the controller's processes while a deployment runs, sampled from /proc.

The proportional set size (PSS, proc_pid_smaps(5)) shares a page's size among the processes that map it,
so the sum over processes is what they cost together; the resident set size (RSS) counts shared pages
in each. ansible-playbook forks a worker for each host, so the two differ much.
"""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_INTERVAL_SECONDS = 1.0


class Sampler:
    """Samples in a thread while its ``with`` block runs. Peaks are in MiB, each of one sample's sum."""

    def __init__(self, state: Path) -> None:
        """Watch the processes that work with files below the state directory ``state``."""
        self.peak_pss = 0.0
        self.peak_rss = 0.0
        self._state = f"{state}/"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_INTERVAL_SECONDS):
            sizes = [size for process in self._processes() if (size := _sizes(process.pid))]
            self.peak_pss = max(self.peak_pss, sum(pss for pss, _ in sizes))
            self.peak_rss = max(self.peak_rss, sum(rss for _, rss in sizes))

    def _processes(self) -> set[psutil.Process]:
        """Return the command line, its supervisors (which have left its process tree), and all below.

        The one names the cluster's file, the others their run's directory in their arguments.
        """
        found: set[psutil.Process] = set()
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or [""]
            ours = any(word.startswith(self._state) for word in words)
            if ours and Path(words[0]).name.startswith("python"):
                found |= {process, *_below(process)}
        return found


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _sizes(pid: int) -> tuple[float, float] | None:
    """Return PSS and RSS of a process in MiB, or None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
    pss, rss = (int(fields[name].split()[0]) / 1024 for name in ("Pss", "Rss"))
    return pss, rss
