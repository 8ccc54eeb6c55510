# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests of the runner need: short socket directories and waits on conditions."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WAIT_SECONDS = 20.0


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Return a directory whose path is short enough for sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="kx"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Return a function that waits until a condition holds, and fails when it does not in time."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.01)

    return wait
