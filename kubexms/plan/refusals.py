# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons to refuse a plan before anything is touched. Each raises; none changes anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubexms.errors import ConnectionFailed, IdentityMismatch, ImmutableChanged, NotSupported, Refused
from kubexms.plan.observation import Look, Observation, Unreachable


@dataclass(frozen=True)
class Identity:
    """Who the cluster is: name, generated id, and the settings that a running cluster cannot change.

    ``fixed`` maps the path in cluster.yaml to its value as text. ``machine_ids`` are those recorded
    for the hosts when they were first seen; ``accepted`` names hosts whose new machine is welcome.
    """

    name: str
    id: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    machine_ids: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()


def refuse(identity: Identity, version: str, looks: Mapping[str, Look]) -> None:
    """Raise the first reason not to go on; ``version`` is the Kubernetes version wanted (v1.36.3)."""
    found = [look for look in looks.values() if isinstance(look, Observation)]
    _refuse_silence(looks)
    _refuse_one_machine_twice(found)
    _refuse_other_machines(identity, found)
    _refuse_other_clusters(identity, found)
    _refuse_fixed_changes(identity, found)
    _refuse_version_moves(version, found)


def _refuse_silence(looks: Mapping[str, Look]) -> None:
    silent = [look for look in looks.values() if isinstance(look, Unreachable)]
    if looks and len(silent) == len(looks):
        causes = "; ".join(f"{look.host}: {look.message}" for look in silent[:5])
        raise ConnectionFailed(
            f"none of the {len(silent)} hosts could be probed: {causes}",
            hint="check addresses, spec.ssh and that the hosts are up",
        )


def _refuse_one_machine_twice(found: Iterable[Observation]) -> None:
    seen: dict[str, str] = {}
    for look in found:
        other = seen.setdefault(look.machine_id, look.host)
        if other != look.host:
            raise IdentityMismatch(
                f"hosts {other} and {look.host} are one machine (machine id {look.machine_id})",
                hint="give each host its own address; cloned machines need a new /etc/machine-id",
            )


def _refuse_other_machines(identity: Identity, found: Iterable[Observation]) -> None:
    for look in found:
        recorded = identity.machine_ids.get(look.host)
        if recorded and recorded != look.machine_id and look.host not in identity.accepted:
            raise IdentityMismatch(
                f"host {look.host} is not the machine recorded: machine id {look.machine_id}, was {recorded}",
                hint=f"check its address; if it was reinstalled on purpose, add --accept-host {look.host}",
            )


def _refuse_other_clusters(identity: Identity, found: Iterable[Observation]) -> None:
    for look in found:
        if look.foreign:
            raise IdentityMismatch(
                f"host {look.host} belongs to a Kubernetes cluster that kubexms did not make",
                hint="reset that host by the means that made it, or take it out of the file",
            )
        mine = look.cluster
        if mine and mine.get("name") != identity.name:
            raise IdentityMismatch(
                f"host {look.host} belongs to cluster {mine.get('name')!r}, not to {identity.name!r}",
                hint="use that cluster's file, or reset the host with it first",
            )
        if mine and mine.get("id") != identity.id:
            raise IdentityMismatch(
                f"host {look.host} belongs to another cluster named {identity.name!r} (id {mine.get('id')})",
                hint="if this is that cluster and its records were lost, take it over with --adopt",
            )


def _refuse_fixed_changes(identity: Identity, found: Iterable[Observation]) -> None:
    for look in found:
        if not look.joined:
            continue
        recorded: Mapping[str, Any] = (look.cluster or {}).get("fixed", {})
        changed = {
            path: (recorded[path], value)
            for path, value in identity.fixed.items()
            if path in recorded and recorded[path] != value
        }
        if changed:
            text = "; ".join(f"{path} is {old}, the file says {new}" for path, (old, new) in changed.items())
            raise ImmutableChanged(
                f"cannot change on a running cluster: {text} (recorded on {look.host})",
                hint="put the recorded values back, or make a new cluster",
            )


def minor(version: str) -> tuple[int, int]:
    """Return (major, minor) of a Kubernetes version such as v1.36.3."""
    major, minor_, *_ = version.removeprefix("v").split(".")
    return int(major), int(minor_)


def _patch(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("-")[0].split("."))


def _refuse_version_moves(version: str, found: Iterable[Observation]) -> None:
    """Kubernetes supports no downgrade, and one minor version a step (version skew policy)."""
    for look in found:
        if not look.joined or not look.kubelet_version:
            continue
        current = look.kubelet_version
        if _patch(version) < _patch(current):
            raise Refused(
                f"host {look.host} runs {current}; going down to {version} is not possible",
                hint=f"set spec.kubernetes.version to {current} or newer",
            )
        if minor(version)[1] > minor(current)[1] + 1:
            raise Refused(
                f"host {look.host} runs {current}; going to {version} would skip a minor version",
                hint="upgrade one minor version at a time",
            )
        if _patch(version) > _patch(current):
            raise NotSupported(
                f"host {look.host} runs {current}; upgrading to {version} is not supported yet",
                hint=f"set spec.kubernetes.version to {current}",
            )
