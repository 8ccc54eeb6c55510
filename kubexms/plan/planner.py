# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted minus found: the steps that each host still needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kubexms.errors import ConnectionFailed
from kubexms.plan.model import Digests, Plan, Step
from kubexms.plan.observation import Look, Observation, StageLook, Unreachable
from kubexms.plan.refusals import Identity, refuse
from kubexms.plan.segments import Layout, arrange
from kubexms.plan.stages import PREPARATION


@dataclass(frozen=True)
class Wanted:
    """The cluster as the planner needs it: hosts by role in the order of the file, and limits.

    ``max_unavailable`` is how many workers may be restarted at the same time.
    """

    identity: Identity
    version: str
    control_plane: tuple[str, ...]
    workers: tuple[str, ...]
    max_unavailable: int = 1

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts, control plane first."""
        return self.control_plane + self.workers


def make_plan(wanted: Wanted, looks: Mapping[str, Look], digests: Digests) -> Plan:
    """Return the plan that takes the hosts from what was found to what is wanted.

    ``looks`` has one entry per host of ``wanted``. Raises Refused (and its kinds) where nothing may
    be touched, ConnectionFailed where too few hosts answered to go on.
    """
    refuse(wanted.identity, wanted.version, looks)
    silent = {name for name, look in looks.items() if isinstance(look, Unreachable)}
    found = {
        name: _without_silent(look, silent) for name, look in looks.items() if isinstance(look, Observation)
    }
    delegate, is_new = _choose_delegate(wanted, looks)
    steps = tuple(
        Step(step.stage, step.host, step.reason, step.differences, digests.get((step.stage, step.host), ""))
        for step in _steps(wanted, found, delegate, is_new)
    )
    layout = Layout(
        joined=frozenset(name for name, look in found.items() if look.joined),
        control_plane=wanted.control_plane,
        max_unavailable=wanted.max_unavailable,
        delegate=delegate,
        is_new=is_new,
    )
    return Plan(
        cluster=wanted.identity.name,
        steps=steps,
        segments=arrange(steps, layout),
        delegate=delegate,
        is_new=is_new,
        unreachable=tuple(look for look in looks.values() if isinstance(look, Unreachable)),
        warnings=tuple(_warnings(wanted, found)),
    )


def _without_silent(look: Observation, silent: set[str]) -> Observation:
    """Leave out what the stage ``nodes`` misses of hosts that did not answer: it cannot be mended now."""
    seen = look.stages.get("nodes")
    if seen is None or not silent:
        return look
    kept = tuple(
        item for item in seen.differences if item.path.split()[1:2] not in [[name] for name in silent]
    )
    return replace(look, stages={**look.stages, "nodes": replace(seen, differences=kept)})


def _choose_delegate(wanted: Wanted, looks: Mapping[str, Look]) -> tuple[str, bool]:
    """Return the control-plane host that acts for the cluster, and whether the cluster is new.

    A healthy member is best, any member next; without one the first host of the file starts a new
    cluster, unless a worker says that a cluster exists whose control plane does not answer.
    """
    found = [looks[name] for name in wanted.control_plane if isinstance(looks[name], Observation)]
    members = [look for look in found if isinstance(look, Observation) and look.joined]
    healthy = [look.host for look in members if look.control_plane and look.control_plane.healthy]
    if members:
        return (healthy or [members[0].host])[0], False
    first = looks[wanted.control_plane[0]]
    joined = [look.host for look in looks.values() if isinstance(look, Observation) and look.joined]
    if joined or isinstance(first, Unreachable):
        silent = [look for look in looks.values() if isinstance(look, Unreachable)]
        raise ConnectionFailed(
            "no control-plane host answers that could start or change the cluster: "
            + "; ".join(f"{look.host}: {look.message}" for look in silent),
            hint="bring the first control-plane host back, then deploy again",
        )
    return first.host, True


def _steps(wanted: Wanted, found: Mapping[str, Observation], delegate: str, is_new: bool) -> Iterator[Step]:
    for host in (name for name in wanted.hosts if name in found):
        look = found[host]
        for stage in PREPARATION:
            yield from _step(stage.name, look)
        if is_new and host == delegate:
            yield from _step("init", look)
        elif host in wanted.control_plane and look.joined:
            yield from _step("control-plane", look)
        else:
            yield from _step("join", look)
    yield from _cluster_steps(wanted, found, delegate, is_new)


def _cluster_steps(
    wanted: Wanted, found: Mapping[str, Observation], delegate: str, is_new: bool
) -> Iterator[Step]:
    joining = [name for name in wanted.hosts if name in found and not found[name].joined]
    yield from _step("addons", found[delegate], "the cluster is new" if is_new else "")
    yield from _step("nodes", found[delegate], f"{', '.join(joining)} to join" if joining else "")


def _step(stage: str, look: Observation, because: str = "") -> Iterator[Step]:
    """Yield the stage's step on a host where it is needed: ``because``, by a difference, or by an error."""
    seen = look.stages.get(stage, StageLook())
    if because:
        yield Step(stage, look.host, because)
    elif seen.differences:
        more = len(seen.differences) - 1
        reason = str(seen.differences[0]) + (f" and {more} more" if more else "")
        yield Step(stage, look.host, reason, seen.differences)
    elif seen.error:
        yield Step(stage, look.host, f"could not be compared: {seen.error}")


def _warnings(wanted: Wanted, found: Mapping[str, Observation]) -> Iterator[str]:
    names = {node.name for look in found.values() if look.control_plane for node in look.control_plane.nodes}
    for name in sorted(names - set(wanted.hosts)):
        yield (
            f"node {name} is in the cluster and not in the file; it is left alone: "
            "take it out of the cluster by hand, or put it back into the file"
        )
