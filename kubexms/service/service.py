# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door of the room: every verb, with context first."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from kubexms.cluster import load
from kubexms.context import Context
from kubexms.errors import NotFound, Refused
from kubexms.plan.observation import Look
from kubexms.plan.stages import RESET
from kubexms.plan.states import RunState
from kubexms.service import access, planning, runs
from kubexms.service.model import Options, Planned, Prepared, Progress
from kubexms.service.prepare import prepare
from kubexms.service.probing import probe
from kubexms.settings import Settings
from kubexms.store.records import Event, Page, Run, Step
from kubexms.store.store import Store


@dataclass(frozen=True)
class Service:
    """The verbs on one store. Open with :meth:`open` and close it, or use ``with``."""

    settings: Settings
    store: Store

    @classmethod
    def open(cls, ctx: Context, settings: Settings) -> Self:
        """Open the store of the settings' state directory and settle runs that others left behind."""
        service = cls(settings, Store.open(ctx, settings.state_dir))
        runs.refresh_all(ctx, service.store)
        return service

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()

    def prepare(self, ctx: Context, file: Path, progress: Progress) -> Prepared:
        """Validate a cluster.yaml, resolve its artifacts, render its inventory."""
        return prepare(ctx, file, self.settings, self.store, progress)

    def plan(self, ctx: Context, file: Path, options: Options, progress: Progress) -> Planned:
        """Return the plan that makes the hosts as the file says; nothing is changed."""
        return planning.plan_deploy(ctx, file, options, self.settings, self.store, progress)

    def plan_resume(self, ctx: Context, file: Path, options: Options, progress: Progress) -> Planned:
        """Return what is left of the cluster's last run. Raises NotFound, Refused where nothing is."""
        prepared_name = self.cluster_name(file)
        record = self.store.clusters.get(ctx, prepared_name)
        page = self.store.runs.list(ctx, cluster_id=record.id, limit=1)
        if not page.items:
            raise NotFound(f"cluster {prepared_name} has no run", hint="start one: kubexms deploy FILE")
        last = page.items[0]
        if last.state is RunState.DONE:
            raise Refused(
                f"run {last.id} of cluster {prepared_name} is done; nothing is left to resume",
                hint="deploy again to bring changes of the file to the hosts",
            )
        plan = self.plan_reset if last.verb == RESET.name else self.plan
        return replace(plan(ctx, file, options, progress), run_id=last.id)

    def plan_reset(self, ctx: Context, file: Path, options: Options, progress: Progress) -> Planned:
        """Return the plan that takes the cluster off its hosts."""
        return planning.plan_reset(ctx, file, options, self.settings, self.store, progress)

    def start(self, ctx: Context, planned: Planned) -> Run:
        """Begin (or go on with) the run of a plan."""
        return runs.start(ctx, planned, self.settings, self.store)

    def follow(self, ctx: Context, run_id: str, after: int = 0) -> Iterator[Event]:
        """Yield a run's events until it is over."""
        return runs.follow(ctx, run_id, self.store, after)

    def cancel(self, ctx: Context, run_id: str) -> Run:
        """Stop a run and leave it resumable."""
        return runs.cancel(ctx, run_id, self.store)

    def run(self, ctx: Context, run_id: str) -> Run:
        """Return a run by its id."""
        return runs.refresh(ctx, run_id, self.store)

    def runs(self, ctx: Context, cluster: str = "", limit: int = 20, cursor: str | None = None) -> Page[Run]:
        """Return a page of runs, newest first, of one cluster (by name) or of all."""
        cluster_id = self.store.clusters.get(ctx, cluster).id if cluster else ""
        return self.store.runs.list(ctx, cluster_id=cluster_id, limit=limit, cursor=cursor)

    def steps(self, ctx: Context, run_id: str) -> tuple[Step, ...]:
        """Return the steps of a run."""
        return self.store.steps.list(ctx, run_id)

    def events(
        self, ctx: Context, run_id: str, after: int = 0, hosts: Collection[str] = (), limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return events of a run, numbered above ``after``."""
        return self.store.events.list(ctx, run_id, after=after, hosts=hosts, limit=limit)

    def look(self, ctx: Context, file: Path, progress: Progress) -> dict[str, Look]:
        """Probe every host of a cluster and return what was found."""
        return probe(ctx, self.prepare(ctx, file, progress), self.settings)

    def kubeconfig(self, ctx: Context, file: Path, progress: Progress) -> str:
        """Return the administrator's kubeconfig of a deployed cluster."""
        return access.kubeconfig(ctx, self.prepare(ctx, file, progress))

    def inventory(self, ctx: Context, file: Path, progress: Progress) -> str:
        """Return the inventory for plain ansible-playbook."""
        return self.prepare(ctx, file, progress).inventory.as_yaml()

    @staticmethod
    def cluster_name(file: Path) -> str:
        """Return the name in a cluster.yaml. Raises ValidationFailed."""
        return load(file).cluster.metadata.name
