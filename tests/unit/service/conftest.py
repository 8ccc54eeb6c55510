# SPDX-License-Identifier: GPL-3.0-or-later
"""A real store, a real spool, and a supervisor that does what the test says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubexms import runner
from kubexms.context import Context
from kubexms.plan.model import Plan, Segment, Step
from kubexms.plan.observation import Unreachable
from kubexms.runner.events import Draft, Kind
from kubexms.runner.spool import Spool
from kubexms.service.model import Options, Planned, Prepared
from kubexms.settings import Settings
from kubexms.store.store import Store
from tests.unit.inventory.fakes import cluster_of, rendered

SPEC = """\
  hosts: [{name: cp-1, address: 192.0.2.1}, {name: w-1, address: 192.0.2.2}]
  roleGroups: {control-plane: [cp-1], worker: [w-1]}
"""


@dataclass
class FakeSupervisor:
    """Stands in for the supervisor process of every run directory."""

    alive: bool = True
    jobs: list[runner.Job] = field(default_factory=list)
    reaped: list[Path] = field(default_factory=list)
    cancelled: list[Path] = field(default_factory=list)
    fails: Exception | None = None

    def start(self, ctx: Context, job: runner.Job, directory: Path) -> None:
        if self.fails is not None:
            raise self.fails
        self.jobs.append(job)
        (directory / "job.json").write_text(job.to_json())
        self.write(directory, Draft(Kind.RUN_STARTED))

    def write(self, directory: Path, *drafts: Draft) -> None:
        with Spool(directory, directory.name) as spool:
            for draft in drafts:
                spool.append(draft)

    def is_alive(self, directory: Path) -> bool:
        return self.alive

    def reap(self, directory: Path) -> int:
        self.reaped.append(directory)
        return 0

    def cancel(self, ctx: Context, directory: Path) -> None:
        self.cancelled.append(directory)
        self.alive = False
        self.write(directory, Draft(Kind.RUN_FINISHED, data={"state": "cancelled", "failed_hosts": []}))


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> FakeSupervisor:
    fake = FakeSupervisor()
    for name in ("start", "is_alive", "reap", "cancel"):
        monkeypatch.setattr(runner, name, getattr(fake, name))
    return fake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state", cache_dir=tmp_path / "cache")


@pytest.fixture
def ctx() -> Context:
    return Context()


@pytest.fixture
def store(ctx: Context, settings: Settings) -> Iterator[Store]:
    with Store.open(ctx, settings.state_dir) as opened:
        yield opened


def planned(store: Store, *steps: tuple[str, str], **changes: Any) -> Planned:
    """Return a plan of (stage, host) steps for the cluster of SPEC, registered in the store."""
    ctx = Context()
    record = store.clusters.put(ctx, "demo", path="/demo.yaml", definition_digest="d")
    prepared = Prepared(
        file=Path("/demo.yaml"),
        cluster=cluster_of(SPEC),
        cluster_id=record.id,
        warnings=(),
        resolved=SimpleNamespace(blobs=lambda: {"aa": Path("/cache/aa")}),
        inventory=rendered(SPEC),
        known_hosts="",
    )
    plan = Plan(
        cluster="demo",
        steps=tuple(Step(stage, host, "because", digest="d") for stage, host in steps),
        segments=tuple(Segment(f"{stage}-{host}", ((stage, (host,)),)) for stage, host in steps),
        delegate="cp-1",
        is_new=False,
        unreachable=tuple(Unreachable(name, "unreachable", "gone") for name in changes.pop("silent", ())),
    )
    values = {"machine_ids": {"cp-1": "m1"}, "options": Options(), **changes}
    return Planned("deploy", prepared, plan, **values)
