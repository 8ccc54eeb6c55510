# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verbs ask for. The one implementation calls the service in this process."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kubexms.context import Context
    from kubexms.plan.observation import Look
    from kubexms.service.model import Event, Options, Page, Planned, Progress, Run, Step


class Client(Protocol):
    """The verbs of the service, as the command line uses them."""

    def plan(self, ctx: "Context", file: Path, options: "Options", progress: "Progress") -> "Planned":
        """Return what a deployment would do."""

    def plan_resume(self, ctx: "Context", file: Path, options: "Options", progress: "Progress") -> "Planned":
        """Return what is left of the last run."""

    def plan_reset(self, ctx: "Context", file: Path, options: "Options", progress: "Progress") -> "Planned":
        """Return what a reset would do."""

    def start(self, ctx: "Context", planned: "Planned") -> "Run":
        """Begin the run of a plan."""

    def follow(self, ctx: "Context", run_id: str, after: int = 0) -> "Iterator[Event]":
        """Yield a run's events until it is over."""

    def cancel(self, ctx: "Context", run_id: str) -> "Run":
        """Stop a run."""

    def run(self, ctx: "Context", run_id: str) -> "Run":
        """Return a run."""

    def runs(
        self, ctx: "Context", cluster: str = "", limit: int = 20, cursor: str | None = None
    ) -> "Page[Run]":
        """Return a page of runs, newest first."""

    def steps(self, ctx: "Context", run_id: str) -> "tuple[Step, ...]":
        """Return the steps of a run."""

    def events(
        self, ctx: "Context", run_id: str, after: int = 0, hosts: Collection[str] = (), limit: int = 1000
    ) -> "tuple[Event, ...]":
        """Return events of a run."""

    def look(self, ctx: "Context", file: Path, progress: "Progress") -> "Mapping[str, Look]":
        """Probe every host of a cluster."""

    def cluster_name(self, file: Path) -> str:
        """Return the name in a cluster.yaml."""

    def kubeconfig(self, ctx: "Context", file: Path, progress: "Progress") -> str:
        """Return the administrator's kubeconfig."""

    def inventory(self, ctx: "Context", file: Path, progress: "Progress") -> str:
        """Return the inventory's text."""


@contextmanager
def open_client(ctx: "Context") -> Iterator[Client]:
    """Give a client for the settings of the environment."""
    from kubexms.service.service import Service
    from kubexms.settings import Settings

    with Service.open(ctx, Settings()) as service:
        yield service
