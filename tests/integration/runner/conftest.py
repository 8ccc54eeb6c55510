# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a small stand-in collection on "hosts" that are this machine."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubexms.context import Context
from kubexms.runner import Event, Job, Kind, Lease, Segment, cancel, is_alive, read_events, reap, start

COLLECTIONS = Path(__file__).parent / "collections"
WAIT_SECONDS = 60.0


@dataclass
class Bench:
    """A directory with an inventory, a run directory, and what it takes to watch a run there."""

    path: Path
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def gate(self) -> Path:
        """A file that hosts wait for when told to."""
        return self.path / "gate"

    @property
    def journal(self) -> list[str]:
        """What the modules did: "stage host" for each time one ran, in order."""
        path = self.path / "journal"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def job(self, *segments: Segment, **fields: Any) -> Job:
        """Write the inventory and return a job."""
        common = {"ansible_connection": "local", "journal": str(self.path / "journal")}
        inventory = {"all": {"vars": common | self.variables, "hosts": self.hosts}}
        (self.path / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
        return Job(
            run_id="r1",
            trace_id="t1",
            verb="deploy",
            inventory_file=str(self.path / "inventory.yml"),
            collections_path=str(COLLECTIONS),
            segments=segments,
            **fields,
        )

    def start(self, *segments: Segment, **fields: Any) -> Lease:
        return start(Context(), self.job(*segments, **fields), self.run)

    def events(self) -> list[Event]:
        return read_events(self.run)[0]

    def short(self) -> list[str]:
        """Return the events as "kind stage host"."""
        return [" ".join(filter(None, (event.kind, event.stage, event.host))) for event in self.events()]

    def wait_for(self, event: str) -> None:
        self.until(lambda: event in self.short())

    def finish(self) -> dict[str, Any]:
        """Wait until the supervisor has ended; return what run.finished says."""
        self.until(lambda: not is_alive(self.run))
        last = self.events()[-1]
        assert last.kind == Kind.RUN_FINISHED, self.log()
        return last.data

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not in time: {self.short()} {self.log()}"
            time.sleep(0.02)

    def log(self) -> str:
        return (self.run / "supervisor.log").read_text(encoding="utf-8")

    def error(self, stage: str, host: str) -> dict[str, Any]:
        """Return the error of the step that failed for good."""
        found = [event for event in self.events() if event.kind == Kind.STEP_FAILED]
        return next(event.data["error"] for event in found if (event.stage, event.host) == (stage, host))


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Return a bench; whatever a test leaves running is ended after it."""
    path = Path(tempfile.mkdtemp(prefix="kubexms-test-"))
    found = Bench(path)
    yield found
    cancel(Context(), found.run)
    reap(found.run)
    shutil.rmtree(path)
