# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool: events as JSON lines in one file that only grows. One writer, any number of readers.

Every event is one write at the file's end, so a reader sees it at once; ``sync`` puts it on the
disk. A crash can leave a last line without its newline: readers do not see such a line, and the
next writer cuts it off before it goes on.
"""

import os
import time
from pathlib import Path
from typing import Self

from kubexms.errors import KubexmsError
from kubexms.runner.events import Draft, Event

SPOOL = "spool.jsonl"


class SpoolDamaged(KubexmsError):
    """A complete line of a spool is no event: something else wrote to the file."""

    code = "spool-damaged"


class Spool:
    """The writing end of a run's spool."""

    def __init__(self, directory: Path, run_id: str) -> None:
        self._run_id = run_id
        self._path = directory / SPOOL
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._seq = self._recover()
        self._dirty = False

    def _recover(self) -> int:
        """Cut off a torn last line and return the number of the last event, 0 for none."""
        events, end = _read(self._path, 0)
        if os.fstat(self._file).st_size != end:
            os.ftruncate(self._file, end)
        return events[-1].seq if events else 0

    @property
    def resumed(self) -> bool:
        """Whether events are there already."""
        return self._seq > 0

    def append(self, draft: Draft) -> Event:
        """Write one event for all readers to see."""
        event = Event.of(draft, seq=self._seq + 1, time=round(time.time(), 6), run_id=self._run_id)
        line = event.to_line()
        written = os.write(self._file, line)
        while written < len(line):
            written += os.write(self._file, line[written:])
        self._seq = event.seq
        self._dirty = True
        return event

    def sync(self) -> None:
        """Return when everything written so far is on the disk."""
        if self._dirty:
            os.fdatasync(self._file)
            self._dirty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sync()
        os.close(self._file)


def read_events(directory: Path, after_offset: int = 0) -> tuple[list[Event], int]:
    """Return the complete events that stand after a byte offset, and the offset to ask with next.

    No spool yet gives no events. Raises SpoolDamaged on a complete line that is no event.
    """
    try:
        return _read(directory / SPOOL, after_offset)
    except FileNotFoundError:
        return [], after_offset


def _read(path: Path, offset: int) -> tuple[list[Event], int]:
    """Return the events between ``offset`` and the last newline of the file, and that newline's end."""
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    end = content.rfind(b"\n") + 1
    events = []
    for line in content[:end].splitlines():
        try:
            events.append(Event.from_line(line))
        except ValueError as cause:
            raise SpoolDamaged(f"{path} has a line that is no event: {line[:80]!r}") from cause
    return events, offset + end
