# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is between making a run and its supervisor being up: a lock that the kernel frees on death.

Without it nobody could tell a queued run that is about to start from one whose starter was killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "starting.lock"


@contextmanager
def starting(state_dir: Path) -> Iterator[None]:
    """Hold the lock while a run is started; others who start one wait their turn of a second."""
    descriptor = _open(state_dir)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_starting(state_dir: Path) -> bool:
    """Tell whether some process is starting a run right now."""
    descriptor = _open(state_dir)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open(state_dir: Path) -> int:
    return os.open(state_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
