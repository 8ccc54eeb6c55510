# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as the probe may find them, for tests of the planner."""

from collections.abc import Mapping
from typing import Any

from kubexms.plan.observation import (
    ControlPlaneView,
    Difference,
    NodeView,
    Observation,
    StageLook,
)
from kubexms.plan.planner import Wanted
from kubexms.plan.refusals import Identity

VERSION = "v1.36.3"
IDENTITY = Identity(name="demo", id="id-1", fixed={"spec.network.podCIDR": "10.244.0.0/16"})
FRESH = ("host", "files", "runtime", "images", "kubelet", "init", "join", "addons", "nodes")


def differing(*stages: str) -> dict[str, StageLook]:
    """Return a look with one difference in each of the stages."""
    return {stage: StageLook((Difference(f"{stage} thing", "old", "new"),)) for stage in stages}


def fresh(host: str, **changes: Any) -> Observation:
    """Return a host that was never touched."""
    return Observation(host=host, machine_id=f"machine-{host}", stages=differing(*FRESH), **changes)


def joined(
    host: str,
    *stages: str,
    leader: bool = False,
    healthy: bool = True,
    nodes: tuple[str, ...] = (),
    cluster: Mapping[str, Any] | None = None,
    version: str = VERSION,
) -> Observation:
    """Return a member of the cluster that differs in the given stages."""
    views = tuple(NodeView(name, True, version, "") for name in nodes)
    return Observation(
        host=host,
        machine_id=f"machine-{host}",
        joined=True,
        is_control_plane=leader,
        kubelet_version=version,
        cluster=cluster or {"name": "demo", "id": "id-1", "fixed": dict(IDENTITY.fixed)},
        control_plane=ControlPlaneView(healthy, nodes=views) if leader else None,
        stages=differing(*stages),
    )


def wanted(leaders: int = 1, workers: int = 2, **changes: Any) -> Wanted:
    """Return a cluster of cp-1.. and w-1.. hosts."""
    return Wanted(
        identity=changes.pop("identity", IDENTITY),
        version=changes.pop("version", VERSION),
        control_plane=tuple(f"cp-{number}" for number in range(1, leaders + 1)),
        workers=tuple(f"w-{number}" for number in range(1, workers + 1)),
        **changes,
    )
