# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that answers what the test says, in the place of the service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kubexms.cli import client as client_module
from kubexms.cli.main import run
from kubexms.errors import KubexmsError
from kubexms.plan.model import Plan, Step
from kubexms.plan.observation import ControlPlaneView, Difference, Look, NodeView, Observation, Unreachable
from kubexms.plan.states import RunState, StepState
from kubexms.service.model import Options, Planned, Prepared
from kubexms.store.records import Event, Failure, Page, Run
from kubexms.store.records import Step as StepRecord
from tests.unit.inventory.fakes import cluster_of, rendered

SPEC = """\
  hosts: [{name: cp-1, address: 192.0.2.1}, {name: w-1, address: 192.0.2.2}]
  roleGroups: {control-plane: [cp-1], worker: [w-1]}
"""
RUN = Run("run-1", "id-1", "deploy", RunState.RUNNING, "trace-1", Path("/runs/run-1"), created_at=1000.0)
DONE = replace(RUN, state=RunState.DONE, finished_at=1012.5, result={"changed": 1})


def plan_of(*steps: tuple[str, str], **changes: Any) -> Plan:
    differences = (Difference("a", "1", "2"), Difference("b", "", "3"))
    planned = tuple(Step(stage, host, "a: 1 -> 2 and 1 more", differences) for stage, host in steps)
    return Plan("demo", planned, (), "cp-1", False, **changes)


@dataclass
class FakeClient:
    """Every answer is an attribute; every call is noted."""

    plan_answer: Plan = field(default_factory=plan_of)
    run_answer: Run = DONE
    events_answer: tuple[Event, ...] = ()
    steps_answer: tuple[StepRecord, ...] = ()
    looks: dict[str, Look] = field(default_factory=dict)
    error: KubexmsError | None = None
    interrupt: bool = False
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def plan(self, ctx: Any, file: Path, options: Options, progress: Any) -> Planned:
        self._note("plan", options)
        progress.report("looking at 2 hosts")
        prepared = Prepared(file, cluster_of(SPEC), "id-1", (), None, rendered(SPEC), "")  # type: ignore[arg-type]
        return Planned("deploy", prepared, self.plan_answer, options)

    plan_resume = plan_reset = plan

    def start(self, ctx: Any, planned: Planned) -> Run:
        self._note("start", planned)
        return RUN

    def follow(self, ctx: Any, run_id: str, after: int = 0) -> Iterator[Event]:
        yield from self.events_answer
        if self.interrupt:
            raise KeyboardInterrupt

    def cancel(self, ctx: Any, run_id: str) -> Run:
        self._note("cancel", run_id)
        return self.run_answer

    def run(self, ctx: Any, run_id: str) -> Run:
        self._note("run", run_id)
        return self.run_answer

    def runs(self, ctx: Any, cluster: str = "", limit: int = 20, cursor: str | None = None) -> Page[Run]:
        return Page((self.run_answer,))

    def steps(self, ctx: Any, run_id: str) -> tuple[StepRecord, ...]:
        return self.steps_answer

    def events(self, ctx: Any, run_id: str, after: int = 0, **_: Any) -> tuple[Event, ...]:
        return tuple(event for event in self.events_answer if event.seq > after)

    def look(self, ctx: Any, file: Path, progress: Any) -> dict[str, Look]:
        self._note("look", file)
        return self.looks

    def cluster_name(self, file: Path) -> str:
        return "demo"

    def kubeconfig(self, ctx: Any, file: Path, progress: Any) -> str:
        self._note("kubeconfig", file)
        return "apiVersion: v1\n"

    def inventory(self, ctx: Any, file: Path, progress: Any) -> str:
        return "all: {}\n"

    def _note(self, name: str, value: Any) -> None:
        self.calls.append((name, value))
        if self.error is not None:
            raise self.error


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    fake = FakeClient()

    @contextmanager
    def opened(ctx: Any) -> Iterator[FakeClient]:
        yield fake

    for name in ("plan", "deploy", "status", "runs", "kubeconfig", "inventory"):
        monkeypatch.setattr(f"kubexms.cli.{name}.open_client", opened)
    assert client_module.open_client is not opened
    return fake


@pytest.fixture
def kubexms(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line; return its exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


FAILED_STEP = StepRecord(
    "run-1",
    "join",
    "w-1",
    StepState.FAILED,
    started_at=1001.0,
    finished_at=1003.0,
    error=Failure("timeout", "w-1 did not become Ready", "look at the kubelet", ("last line",)),
)
LOOKS: dict[str, Look] = {
    "cp-1": Observation(
        "cp-1",
        joined=True,
        is_control_plane=True,
        kubelet_version="v1.36.3",
        control_plane=ControlPlaneView(
            True, nodes=(NodeView("cp-1", True, "v1.36.3", ""), NodeView("w-2", False, "v1.36.3", ""))
        ),
    ),
    "w-1": Observation("w-1"),
    "w-2": Observation("w-2", joined=True, kubelet_version="v1.36.3"),
    "w-3": Unreachable("w-3", "unreachable", "timed out"),
}
