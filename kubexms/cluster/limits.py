# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of fields that exist in the schema and are not acted on yet.

A field of the table that has another value than its default, or one of those listed, is an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.finding import Finding
from kubexms.cluster.introspect import value_and_default
from kubexms.cluster.places import Path


@dataclass(frozen=True)
class Limit:
    """A field (``[]`` is any item of a list), what may stand there, other values than the default."""

    path: str
    supported: str = ""
    values: tuple[str, ...] = ()


LIMITS: tuple[Limit, ...] = (
    Limit("spec.ssh.bastion"),
    Limit("spec.roleGroups.etcd", "the control-plane hosts, by leaving it out"),
    Limit("spec.roleGroups.loadbalancer"),
    Limit("spec.roleGroups.registry"),
    Limit("spec.kubernetes.type", "kubeadm"),
    Limit("spec.kubernetes.apiServer.certSANs"),
    Limit("spec.kubernetes.kubeProxy.enabled", "true"),
    Limit("spec.kubernetes.kubeProxy.mode", "nftables, iptables", ("iptables",)),
    Limit("spec.kubernetes.encryption"),
    Limit("spec.kubernetes.audit"),
    Limit("spec.kubernetes.certificates"),
    Limit("spec.etcd.type", "stacked"),
    Limit("spec.etcd.dataDir", "/var/lib/etcd"),
    Limit("spec.etcd.extraArgs"),
    Limit("spec.etcd.external"),
    Limit("spec.controlPlaneEndpoint.loadBalancer.type", "none"),
    Limit("spec.containerRuntime.type", "containerd"),
    Limit("spec.containerRuntime.registries[].auth.password.vault", "env or file"),
    Limit("spec.network.plugin", "flannel"),
    Limit("spec.dns.upstreamServers"),
    Limit("spec.dns.nodeLocalCache", "false"),
    Limit("spec.storage"),
    Limit("spec.registry"),
    Limit("spec.addons"),
    Limit("spec.system.ntp"),
    Limit("spec.system.timezone"),
    Limit("spec.system.hooks"),
    Limit("spec.preflight"),
    Limit("spec.artifacts", "the settings KUBEXMS_ARTIFACT_DIRECTORY, _MIRROR and _OFFLINE"),
    Limit("spec.rollout.drain"),
    Limit("spec.rollout.pause", "0"),
)


def limit_of(path: str) -> Limit | None:
    """Return the limit that a field, written as in the table, falls under by itself or by a parent."""
    return next(
        (item for item in LIMITS if path == item.path or path.startswith((item.path + ".", item.path + "["))),
        None,
    )


def not_supported_yet(cluster: Cluster) -> Iterator[Finding]:
    """Find the fields that are set and not acted on."""
    for limit in LIMITS:
        for path, value, default in _values(cluster, (), limit.path.replace("[]", ".[]").split(".")):
            if value != default and value not in limit.values:
                named = f"{path[-1]} {value}" if isinstance(value, str) else str(path[-1])
                hint = f"supported: {limit.supported}" if limit.supported else "leave it out"
                yield Finding(path, f"not supported yet: {named}", hint)


def _values(node: Any, path: Path, keys: list[str]) -> Iterator[tuple[Path, Any, Any]]:
    """Yield path, value and default of the field at the end of ``keys``, for every item of lists."""
    key, *rest = keys
    if key == "[]":
        for index, item in enumerate(node):
            yield from _values(item, (*path, index), rest)
        return
    value, default = value_and_default(node, key)
    here = (*path, key)
    if not rest:
        yield here, value, default
    elif value is not None:
        yield from _values(value, here, rest)
