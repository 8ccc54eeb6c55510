# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes in and out of the verbs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kubexms.artifacts import Resolved
from kubexms.cluster import Cluster
from kubexms.errors import Problem
from kubexms.inventory.model import Inventory
from kubexms.plan.model import Plan
from kubexms.store.records import Event, Page, Run, Step

__all__ = ["Event", "Options", "Page", "Planned", "Prepared", "Progress", "Run", "Step"]


class Progress(Protocol):
    """Where slow preparations report to. Called from several threads; quick, never raises."""

    def report(self, what: str, done: int = 0, total: int = 0) -> None:
        """Say that ``what`` is under way, at ``done`` of ``total`` bytes (zeros where that is unknown)."""


@dataclass(frozen=True)
class Options:
    """Choices of one request. The zero value touches nothing unusual and has no time limit of its own.

    ``timeout`` bounds a run in seconds (0: none). ``adopt`` takes over hosts of a cluster of the same
    name whose records were lost; ``accepted_hosts`` names hosts that may be another machine now.
    """

    timeout: float = 0.0
    adopt: bool = False
    accepted_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Prepared:
    """A cluster.yaml made ready: valid, artifacts resolved, inventory rendered."""

    file: Path
    cluster: Cluster
    cluster_id: str
    warnings: tuple[Problem, ...]
    resolved: Resolved
    inventory: Inventory
    known_hosts: str
    environment: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """A plan, and what is needed to carry it out. ``machine_ids`` are those of the hosts that answered."""

    verb: str
    prepared: Prepared
    plan: Plan
    options: Options = Options()
    machine_ids: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
