# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster.yaml of 1,000 hosts: how long load, validate, render and plan take.

Run as ``python -m bench.scale`` in a process of its own; prints the seconds of its parts as JSON.
"""

import itertools
import json
import tempfile
import time
from pathlib import Path

import yaml

from bench import BenchFailed
from kubexms.cluster import control_plane_hosts, load, worker_hosts
from kubexms.context import Context
from kubexms.inventory.render import digests
from kubexms.plan.observation import Difference, Look, Observation, StageLook
from kubexms.plan.planner import Wanted, make_plan
from kubexms.plan.refusals import Identity
from kubexms.plan.stages import PREPARATION
from kubexms.service.jobs import write_files
from kubexms.service.model import Prepared
from kubexms.service.prepare import prepare
from kubexms.settings import Settings
from kubexms.store.store import Store

HOSTS = 1000
CONTROL_PLANES = 3


class Quiet:
    """A Progress that tells nobody."""

    def report(self, what: str, done: int = 0, total: int = 0) -> None:
        """Do nothing."""


def definition() -> dict[str, object]:
    """Return the cluster.yaml: hosts one after the other in 10.64.0.0/16, each with a label."""
    names = [f"host{number:04d}" for number in range(1, HOSTS + 1)]
    hosts = [
        {
            "name": name,
            "address": f"10.64.{index // 250}.{index % 250 + 1}",
            "labels": {"rack": f"r{index // 40}"},
        }
        for index, name in enumerate(names)
    ]
    return {
        "apiVersion": "kubexms.io/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": "thousand"},
        "spec": {
            "hosts": hosts,
            "roleGroups": {"control-plane": names[:CONTROL_PLANES], "worker": names[CONTROL_PLANES:]},
            "controlPlaneEndpoint": {"address": "10.64.0.1"},
            "network": {"podCIDR": "10.128.0.0/10"},
        },
    }


def empty_host(name: str) -> Look:
    """Return what a probe finds on a host with nothing on it."""
    missing = StageLook((Difference("everything", "", "present"),))
    stages = {stage.name: missing for stage in PREPARATION}
    return Observation(name, machine_id=f"machine-of-{name}", stages=stages)


def wanted(prepared: Prepared) -> Wanted:
    """Return what the planner is to reach."""
    leaders = tuple(host.name for host in control_plane_hosts(prepared.cluster))
    workers = tuple(host.name for host in worker_hosts(prepared.cluster))
    identity = Identity(prepared.cluster.metadata.name, prepared.cluster_id)
    return Wanted(identity, prepared.cluster.spec.kubernetes.version, leaders, workers)


def measure(file: Path, state: Path) -> dict[str, float]:
    """Return seconds: load alone, render (prepare without its load), plan, and the whole."""
    ctx = Context()
    settings = Settings(state_dir=state)
    times = [time.perf_counter()]
    load(file)
    times.append(time.perf_counter())
    with Store.open(ctx, state) as store:
        prepared = prepare(ctx, file, settings, store, Quiet())
        write_files(prepared, state)
    times.append(time.perf_counter())
    looks = {host.name: empty_host(host.name) for host in prepared.cluster.spec.hosts}
    plan = make_plan(wanted(prepared), looks, digests(prepared.inventory))
    times.append(time.perf_counter())
    if len(plan.hosts()) != HOSTS:
        raise BenchFailed("the plan leaves hosts out")
    loading, preparing, planning = (later - earlier for earlier, later in itertools.pairwise(times))
    return {"load": loading, "render": preparing - loading, "plan": planning, "whole": preparing + planning}


def main() -> None:
    """Measure in a directory that goes away."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "cluster.yaml"
        file.write_text(yaml.safe_dump(definition(), sort_keys=False))
        print(json.dumps(measure(file, Path(directory) / "state")))


if __name__ == "__main__":
    main()
