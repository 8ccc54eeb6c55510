# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted, what is there, and the plan between them."""

from collections.abc import Mapping
from pathlib import Path

from kubexms.cluster import Cluster, control_plane_hosts, max_unavailable, worker_hosts
from kubexms.context import Context
from kubexms.errors import RunActive
from kubexms.inventory.render import digests
from kubexms.inventory.variables import fixed_settings
from kubexms.plan.model import Plan, Segment, Step
from kubexms.plan.observation import Look, Observation, Unreachable
from kubexms.plan.planner import Wanted, make_plan
from kubexms.plan.refusals import Identity, refuse
from kubexms.plan.stages import RESET
from kubexms.service.model import Options, Planned, Prepared, Progress
from kubexms.service.prepare import prepare
from kubexms.service.probing import probe
from kubexms.settings import Settings
from kubexms.store.store import Store


def plan_deploy(
    ctx: Context, file: Path, options: Options, settings: Settings, store: Store, progress: Progress
) -> Planned:
    """Return the plan that makes the hosts as cluster.yaml says. Nothing is changed on any host."""
    prepared = prepare(ctx, file, settings, store, progress)
    refuse_beside_active(ctx, store, prepared.cluster_id)
    progress.report(f"looking at {len(prepared.cluster.spec.hosts)} hosts")
    looks = probe(ctx, prepared, settings)
    lost = _lost_id(prepared, looks) if options.adopt else ""
    if lost:
        store.clusters.adopt(ctx, prepared.cluster.metadata.name, lost)
        prepared = prepare(ctx, file, settings, store, progress)
        looks = probe(ctx, prepared, settings)
    wanted = _wanted(ctx, prepared, options, store)
    plan = make_plan(wanted, looks, digests(prepared.inventory))
    return Planned("deploy", prepared, plan, options, _machine_ids(looks))


def plan_reset(
    ctx: Context, file: Path, options: Options, settings: Settings, store: Store, progress: Progress
) -> Planned:
    """Return the plan that takes the cluster off every host that answers."""
    prepared = prepare(ctx, file, settings, store, progress)
    refuse_beside_active(ctx, store, prepared.cluster_id)
    progress.report(f"looking at {len(prepared.cluster.spec.hosts)} hosts")
    looks = probe(ctx, prepared, settings, (RESET.name,))
    wanted = _wanted(ctx, prepared, options, store)
    refuse(wanted.identity, wanted.version, looks)
    found = [look for look in looks.values() if isinstance(look, Observation)]
    steps = tuple(
        Step(RESET.name, look.host, f"{len(differences)} things to undo", differences)
        for look in found
        if (differences := look.stages[RESET.name].differences)
    )
    hosts = tuple(step.host for step in steps)
    plan = Plan(
        cluster=wanted.identity.name,
        steps=steps,
        segments=(Segment(RESET.name, ((RESET.name, hosts),)),) if hosts else (),
        delegate="",
        is_new=False,
        unreachable=tuple(look for look in looks.values() if isinstance(look, Unreachable)),
    )
    return Planned(RESET.name, prepared, plan, options, _machine_ids(looks))


def refuse_beside_active(ctx: Context, store: Store, cluster_id: str) -> None:
    """Raise RunActive where the cluster has a run that is not over."""
    active = store.runs.active(ctx, cluster_id)
    if active is not None:
        raise RunActive(
            f"run {active.id} ({active.verb}) of this cluster is {active.state}",
            run_id=active.id,
            hint=f"watch it with: kubexms runs events {active.id} --follow",
        )


def _wanted(ctx: Context, prepared: Prepared, options: Options, store: Store) -> Wanted:
    cluster = prepared.cluster
    leaders = tuple(host.name for host in control_plane_hosts(cluster))
    workers = tuple(host.name for host in worker_hosts(cluster) if host.name not in leaders)
    return Wanted(
        identity=_identity(ctx, prepared, options, store, cluster),
        version=cluster.spec.kubernetes.version,
        control_plane=leaders,
        workers=workers,
        max_unavailable=max_unavailable(cluster),
    )


def _identity(ctx: Context, prepared: Prepared, options: Options, store: Store, cluster: Cluster) -> Identity:
    recorded = store.hosts.list(ctx, store.clusters.get(ctx, cluster.metadata.name).id)
    return Identity(
        name=cluster.metadata.name,
        id=prepared.cluster_id,
        fixed=fixed_settings(cluster),
        machine_ids={host.name: host.machine_id for host in recorded if host.machine_id},
        accepted=options.accepted_hosts,
    )


def _lost_id(prepared: Prepared, looks: Mapping[str, Look]) -> str:
    """Return the one id of a cluster of our name that the hosts carry and we do not; else an empty text."""
    ids = {
        str(look.cluster["id"])
        for look in looks.values()
        if isinstance(look, Observation)
        and look.cluster
        and look.cluster.get("name") == prepared.cluster.metadata.name
    }
    return ids.pop() if len(ids) == 1 and prepared.cluster_id not in ids else ""


def _machine_ids(looks: Mapping[str, Look]) -> dict[str, str]:
    return {name: look.machine_id for name, look in looks.items() if isinstance(look, Observation)}
