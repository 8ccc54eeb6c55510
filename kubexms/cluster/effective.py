# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster.yaml means: roles, connections, endpoint and addresses with all defaults applied.

Pure functions for the rooms above. They take a Cluster that :func:`kubexms.cluster.load` returned.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.hosts import Host
from kubexms.cluster.ranges import expand

Role = Literal["control-plane", "worker", "etcd", "loadbalancer", "registry"]
ROLES: tuple[Role, ...] = ("control-plane", "worker", "etcd", "loadbalancer", "registry")

DNS_ADDRESS_INDEX = 10
"""The tenth address of the service network is that of the cluster's DNS, as kubeadm has it."""


@dataclass(frozen=True)
class EffectiveSsh:
    """How one host is reached. Files are as written in cluster.yaml; timeout in seconds."""

    address: str
    user: str
    port: int
    private_key_file: str | None
    known_hosts_file: str | None
    host_key: str | None
    become: bool
    connect_timeout: int


def role_members(cluster: Cluster, role: Role) -> tuple[str, ...]:
    """Return the host names of a role, ranges expanded, each once, in the order of the group.

    The etcd role of stacked etcd is that of the control plane.
    """
    groups = cluster.spec.role_groups
    patterns = {
        "control-plane": groups.control_plane,
        "worker": groups.worker,
        "etcd": groups.etcd or (groups.control_plane if cluster.spec.etcd.type == "stacked" else ()),
        "loadbalancer": groups.loadbalancer,
        "registry": groups.registry,
    }[role]
    return tuple(dict.fromkeys(name for pattern in patterns for name in expand(pattern)))


def hosts_by_name(cluster: Cluster) -> dict[str, Host]:
    """Return all hosts by name, in the order of the file."""
    return {host.name: host for host in cluster.spec.hosts}


def hosts_with_role(cluster: Cluster, role: Role) -> tuple[Host, ...]:
    """Return the hosts of a role in the order of the group."""
    by_name = hosts_by_name(cluster)
    return tuple(by_name[name] for name in role_members(cluster, role))


def control_plane_hosts(cluster: Cluster) -> tuple[Host, ...]:
    """Return the control-plane hosts in the order of the group."""
    return hosts_with_role(cluster, "control-plane")


def worker_hosts(cluster: Cluster) -> tuple[Host, ...]:
    """Return the hosts of the group worker; control-plane hosts that are workers too are among them."""
    return hosts_with_role(cluster, "worker")


def first_control_plane(cluster: Cluster) -> Host:
    """Return the host on which a new cluster is made."""
    return control_plane_hosts(cluster)[0]


def roles_by_host(cluster: Cluster) -> dict[str, tuple[Role, ...]]:
    """Return the roles of every host by its name, in the order of the file."""
    members = {role: set(role_members(cluster, role)) for role in ROLES}
    return {host.name: tuple(r for r in ROLES if host.name in members[r]) for host in cluster.spec.hosts}


def effective_ssh(cluster: Cluster, host: Host) -> EffectiveSsh:
    """Return how a host is reached: its own ssh settings over those of spec.ssh."""
    common, own = cluster.spec.ssh, host.ssh
    return EffectiveSsh(
        address=host.address,
        user=own.user or common.user,
        port=own.port or common.port,
        private_key_file=own.private_key_file or common.private_key_file,
        known_hosts_file=common.known_hosts_file,
        host_key=own.host_key,
        become=common.become if own.become is None else own.become,
        connect_timeout=own.connect_timeout or common.connect_timeout,
    )


def internal_address(host: Host) -> str:
    """Return the IPv4 address by which the cluster knows a host."""
    return host.internal_address or host.address


def endpoint_host(cluster: Cluster) -> str:
    """Return name or address of the API servers: the given one, else that of the first control-plane host."""
    return cluster.spec.control_plane_endpoint.address or internal_address(first_control_plane(cluster))


def endpoint(cluster: Cluster) -> str:
    """Return the control-plane endpoint as ``host:port``."""
    return f"{endpoint_host(cluster)}:{cluster.spec.control_plane_endpoint.port}"


def dns_address(cluster: Cluster) -> str:
    """Return the address of the cluster's DNS service: the tenth of the service network."""
    return str(IPv4Network(cluster.spec.network.service_cidr)[DNS_ADDRESS_INDEX])


def max_unavailable(cluster: Cluster) -> int:
    """Return how many workers may be out of service at once; a percentage is of all workers, at least 1."""
    wanted = cluster.spec.rollout.max_unavailable
    if isinstance(wanted, int):
        return wanted
    return max(1, len(role_members(cluster, "worker")) * int(wanted.rstrip("%")) // 100)
