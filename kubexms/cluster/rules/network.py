# SPDX-License-Identifier: GPL-3.0-or-later
"""Address ranges of pods and services."""

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.finding import Finding
from kubexms.cluster.places import Path
from kubexms.cluster.rules.addresses import ipv4

NODE_PREFIX = 24
"""Every host gets a /24 of the pod network: the default of kube-controller-manager."""
MAX_PODS = 253
"""Addresses of a /24 without network, broadcast and the bridge's own."""

_POD: Path = ("spec", "network", "podCIDR")
_SERVICE: Path = ("spec", "network", "serviceCIDR")
_PREFIXES = {"podCIDR": (8, NODE_PREFIX), "serviceCIDR": (12, 27)}
"""Largest and smallest networks; kubeadm refuses service networks larger than a /12."""


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _networks(cluster: Cluster) -> dict[Path, IPv4Network]:
    settings = cluster.spec.network
    both = {_POD: _network(settings.pod_cidr), _SERVICE: _network(settings.service_cidr)}
    return {path: network for path, network in both.items() if network is not None}


def cidrs_are_networks(cluster: Cluster) -> Iterator[Finding]:
    """Find ranges that are not networks, are IPv6 or dual stack, or have an unusable size."""
    settings = cluster.spec.network
    for path, text in ((_POD, settings.pod_cidr), (_SERVICE, settings.service_cidr)):
        network, (largest, smallest) = _network(text), _PREFIXES[str(path[-1])]
        if "," in text:
            yield Finding(path, "not supported yet: dual stack", "supported: one IPv4 network")
        elif ":" in text:
            yield Finding(path, "not supported yet: IPv6", "supported: one IPv4 network")
        elif network is None:
            yield Finding(path, "is not a network", "a network without host bits, such as 10.244.0.0/16")
        elif not largest <= network.prefixlen <= smallest:
            yield Finding(path, f"/{network.prefixlen} is not usable", f"from /{largest} to /{smallest}")
        elif network.is_loopback or network.is_multicast or network.is_reserved or network.is_link_local:
            yield Finding(path, "is not a range for hosts", "a private range, such as 10.244.0.0/16")


def cidrs_do_not_overlap(cluster: Cluster) -> Iterator[Finding]:
    """Find ranges that share addresses with each other, with a host or with the endpoint."""
    networks = _networks(cluster)
    if len(networks) == 2 and networks[_POD].overlaps(networks[_SERVICE]):
        message = f"overlaps podCIDR {networks[_POD]}"
        yield Finding(_SERVICE, message, "a range that nothing else uses")
    used = [("the control-plane endpoint", cluster.spec.control_plane_endpoint.address)]
    for host in cluster.spec.hosts:
        used += [(host.name, host.address), (host.name, host.internal_address)]
    addresses = [(name, address) for name, text in used if text and (address := ipv4(text))]
    for path, network in networks.items():
        inside = dict.fromkeys(f"{address} of {name}" for name, address in addresses if address in network)
        if inside:
            more = f" and {len(inside) - 1} more" if len(inside) > 1 else ""
            yield Finding(path, f"contains {next(iter(inside))}{more}", "a range that no host is in")


def pods_have_room(cluster: Cluster) -> Iterator[Finding]:
    """Find pod networks too small for the hosts, and hosts with more pods than addresses."""
    network, hosts = _network(cluster.spec.network.pod_cidr), len(cluster.spec.hosts)
    if network and network.prefixlen <= NODE_PREFIX < 32 and 2 ** (NODE_PREFIX - network.prefixlen) < hosts:
        needed = NODE_PREFIX - (hosts - 1).bit_length()
        message = f"has room for {2 ** (NODE_PREFIX - network.prefixlen)} hosts of {hosts}, a /24 each"
        yield Finding(_POD, message, f"/{needed} or larger")
    wanted = cluster.spec.kubernetes.kubelet.max_pods
    if wanted is not None and wanted > MAX_PODS:
        path = ("spec", "kubernetes", "kubelet", "maxPods")
        yield Finding(path, "is more than the addresses of a host", f"at most {MAX_PODS}")
