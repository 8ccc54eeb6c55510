# SPDX-License-Identifier: GPL-3.0-or-later
"""The control-plane endpoint and its load balancer."""

from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.effective import internal_address, role_members
from kubexms.cluster.finding import Finding
from kubexms.cluster.places import Path
from kubexms.cluster.rules.addresses import fault

API_PORT = 6443
"""Where kubeadm's API servers listen."""

_ENDPOINT: Path = ("spec", "controlPlaneEndpoint")
_TYPE: Path = (*_ENDPOINT, "loadBalancer", "type")
_OWN_ADDRESS = ("external", "kube-vip", "keepalived-haproxy", "keepalived-nginx")
_OWN_HOSTS = ("keepalived-haproxy", "keepalived-nginx")


def load_balancer_has_hosts(cluster: Cluster) -> Iterator[Finding]:
    """Find load balancers with nothing to balance, or without hosts to run on."""
    kind = cluster.spec.control_plane_endpoint.load_balancer.type
    if kind not in ("none", "external") and len(role_members(cluster, "control-plane")) == 1:
        yield Finding(
            _TYPE, "a load balancer with one control-plane host", "none, or more control-plane hosts"
        )
    if kind in _OWN_HOSTS and not cluster.spec.role_groups.loadbalancer:
        yield Finding(_TYPE, f"{kind} has no hosts to run on", "hosts in spec.roleGroups.loadbalancer")


def load_balancer_has_address(cluster: Cluster) -> Iterator[Finding]:
    """Find load balancers whose address must be given."""
    settings = cluster.spec.control_plane_endpoint
    if settings.load_balancer.type in _OWN_ADDRESS and settings.address is None:
        path = (*_ENDPOINT, "address")
        yield Finding(path, "is missing", f"required with loadBalancer {settings.load_balancer.type}")


def address_is_usable(cluster: Cluster) -> Iterator[Finding]:
    """Find addresses that nothing can be reached at."""
    address = cluster.spec.control_plane_endpoint.address
    if address is not None and (wrong := fault(address)):
        yield Finding((*_ENDPOINT, "address"), *wrong)


def address_serves_the_api(cluster: Cluster) -> Iterator[Finding]:
    """Find endpoints on a host, or on a port, where no API server listens."""
    settings = cluster.spec.control_plane_endpoint
    if settings.load_balancer.type != "none":
        return
    control_plane = set(role_members(cluster, "control-plane"))
    owners = {
        address: host for host in cluster.spec.hosts for address in (host.address, internal_address(host))
    }
    owner = owners.get(settings.address) if settings.address else None
    if owner and owner.name not in control_plane:
        hint = "the address of a control-plane host, or of a load balancer"
        yield Finding((*_ENDPOINT, "address"), f"is that of {owner.name}, which runs no API server", hint)
    elif settings.port != API_PORT and (owner or settings.address is None):
        hint = f"{API_PORT}; another port needs the address of a load balancer"
        yield Finding((*_ENDPOINT, "port"), "no API server listens there", hint)


def first_host_is_a_single_point(cluster: Cluster) -> Iterator[Finding]:
    """Warn where several control-plane hosts are reached through the first only."""
    settings = cluster.spec.control_plane_endpoint
    several = len(role_members(cluster, "control-plane")) > 1
    if several and settings.load_balancer.type == "none" and settings.address is None:
        message = "every node reaches the API through the first control-plane host only"
        yield Finding(
            (*_ENDPOINT, "address"), message, "a DNS name that can point at another host", warning=True
        )
