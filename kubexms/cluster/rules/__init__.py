# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules between fields, as one table. A rule reads a Cluster and yields what it finds.

``reads`` are the fields that a rule depends on: where one of them was refused already, the rule is not
asked, so that one mistake is not reported twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.finding import Finding
from kubexms.cluster.places import Path
from kubexms.cluster.repair import touches
from kubexms.cluster.rules import components, endpoint, groups, hosts, network, nodes, runtime, ssh, system


@dataclass(frozen=True)
class Rule:
    """A check, and the fields it depends on."""

    check: Callable[[Cluster], Iterator[Finding]]
    reads: tuple[str, ...]


_NAMES = "spec.hosts[].name"
_ADDRESSES = ("spec.hosts[].address", "spec.hosts[].internalAddress")
_GROUPS = "spec.roleGroups"
_ENDPOINT = "spec.controlPlaneEndpoint"
_NETWORK = "spec.network"
_ROOT = ("spec.ssh.user", "spec.ssh.become", "spec.hosts[].ssh.user", "spec.hosts[].ssh.become")
_PORTS = ("spec.ssh.port", "spec.hosts[].ssh.port")

RULES: tuple[Rule, ...] = (
    Rule(hosts.names_are_unique, (_NAMES,)),
    Rule(hosts.names_are_free, (_NAMES,)),
    Rule(hosts.addresses_are_usable, _ADDRESSES),
    Rule(hosts.addresses_are_unique, (_NAMES, *_ADDRESSES, *_PORTS)),
    Rule(ssh.can_become_root, _ROOT),
    Rule(
        ssh.host_keys_differ,
        (
            _NAMES,
            "spec.hosts[].ssh.hostKey",
        ),
    ),
    Rule(nodes.labels_are_free, ("spec.hosts[].labels", "spec.hosts[].annotations")),
    Rule(nodes.taints_are_free, ("spec.hosts[].taints",)),
    Rule(groups.members_exist, (_NAMES, _GROUPS)),
    Rule(groups.members_stand_once, (_GROUPS,)),
    Rule(groups.hosts_have_a_role, (_NAMES, _GROUPS)),
    Rule(groups.there_is_a_control_plane, (_GROUPS,)),
    Rule(groups.etcd_members_are_odd, (_GROUPS, "spec.etcd.type")),
    Rule(endpoint.load_balancer_has_hosts, (_ENDPOINT, _GROUPS)),
    Rule(endpoint.load_balancer_has_address, (_ENDPOINT,)),
    Rule(endpoint.address_is_usable, (_ENDPOINT,)),
    Rule(endpoint.address_serves_the_api, (_ENDPOINT, _GROUPS, _NAMES, *_ADDRESSES)),
    Rule(endpoint.first_host_is_a_single_point, (_ENDPOINT, _GROUPS)),
    Rule(network.cidrs_are_networks, (_NETWORK,)),
    Rule(network.cidrs_do_not_overlap, (_NAMES, _NETWORK, _ENDPOINT, *_ADDRESSES)),
    Rule(network.pods_have_room, (_NETWORK, "spec.hosts", "spec.kubernetes.kubelet")),
    Rule(components.version_is_supported, ("spec.kubernetes.version",)),
    Rule(components.flags_are_free, ("spec.kubernetes",)),
    Rule(components.kubelet_fields_are_known, ("spec.kubernetes.kubelet",)),
    Rule(components.kube_proxy_fields_are_known, ("spec.kubernetes.kubeProxy",)),
    Rule(components.preflight_is_not_off, ("spec.kubernetes.ignorePreflightErrors",)),
    Rule(runtime.registries_are_unique, ("spec.containerRuntime.registries",)),
    Rule(runtime.transport_is_safe, ("spec.containerRuntime.registries",)),
    Rule(runtime.extra_config_is_toml, ("spec.containerRuntime.extraConfig",)),
    Rule(system.sysctls_are_free, ("spec.system.sysctls",)),
    Rule(system.swap_fits_the_kubelet, ("spec.system.swap", "spec.kubernetes.kubelet")),
)


def findings(cluster: Cluster, gone: frozenset[Path]) -> Iterator[Finding]:
    """Return what all rules find, leaving out those that read a part that is gone."""
    for rule in RULES:
        if not any(touches(gone, reads) for reads in rule.reads):
            yield from rule.check(cluster)
