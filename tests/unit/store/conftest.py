# SPDX-License-Identifier: GPL-3.0-or-later
"""A real store on a real file for each test."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubexms.context import Context
from kubexms.plan.states import RunState
from kubexms.store.records import Cluster, Event, Run
from kubexms.store.store import Store

EventMaker = Callable[..., Event]


@pytest.fixture
def ctx() -> Context:
    return Context()


@pytest.fixture
def store(ctx: Context, tmp_path: Path) -> Iterator[Store]:
    with Store.open(ctx, tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def cluster(ctx: Context, store: Store) -> Cluster:
    return store.clusters.put(ctx, "prod", path="/etc/prod/cluster.yaml", definition_digest="sha256:a")


@pytest.fixture
def run(ctx: Context, store: Store, cluster: Cluster, tmp_path: Path) -> Run:
    """A run that is under way."""
    made = store.runs.create(ctx, cluster.id, "deploy", tmp_path / "runs")
    return store.runs.transition(ctx, made.id, RunState.RUNNING)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what sets the time that the store sees."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: seconds)

    return set_to


@pytest.fixture
def make_event(run: Run) -> EventMaker:
    """Return what makes an event of the run: one that happens ``seq`` seconds after 1000."""

    def make(seq: int, kind: str, stage: str = "host", host: str = "n1", **data: object) -> Event:
        return Event(run.id, seq, 1000.0 + seq, kind, stage, host, data=data)

    return make
