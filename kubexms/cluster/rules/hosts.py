# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and addresses of hosts."""

from collections.abc import Hashable, Iterable, Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.effective import effective_ssh, internal_address
from kubexms.cluster.finding import Finding
from kubexms.cluster.places import Path
from kubexms.cluster.rules.addresses import fault, ipv4

_RESERVED = frozenset({"all", "localhost", "ungrouped"})
"""Names that mean something else to Ansible or to the host itself."""


def names_are_unique(cluster: Cluster) -> Iterator[Finding]:
    """Find names that stand twice."""
    names = [host.name for host in cluster.spec.hosts]
    for index, first in _repeated(names):
        yield Finding(_host(index, "name"), f"is the name of spec.hosts[{first}] too", "a name of its own")


def names_are_free(cluster: Cluster) -> Iterator[Finding]:
    """Find names that have another meaning."""
    for index, host in enumerate(cluster.spec.hosts):
        if host.name in _RESERVED:
            yield Finding(_host(index, "name"), f"the name {host.name} is reserved", "another name")
        elif ipv4(host.name):
            yield Finding(_host(index, "name"), "is an address, not a name", "a name such as node1")


def addresses_are_usable(cluster: Cluster) -> Iterator[Finding]:
    """Find addresses that no host can have, and hosts without an IPv4 address for the cluster."""
    for index, host in enumerate(cluster.spec.hosts):
        for key, address in (("address", host.address), ("internalAddress", host.internal_address)):
            if address is None:
                continue
            if wrong := fault(address):
                yield Finding(_host(index, key), *wrong)
            elif key == "internalAddress" and ipv4(address) is None:
                yield Finding(_host(index, key), "is a name", "an IPv4 address")
        if host.internal_address is None and not fault(host.address) and ipv4(host.address) is None:
            yield Finding(_host(index, "address"), "is a name", "with a name, internalAddress is required")


def addresses_are_unique(cluster: Cluster) -> Iterator[Finding]:
    """Find two hosts that are reached at one address and port, or have one internal address."""
    hosts = cluster.spec.hosts
    reached = [(host.address, effective_ssh(cluster, host).port) for host in hosts]
    repeated = dict(_repeated(reached))
    for index, first in repeated.items():
        yield Finding(
            _host(index, "address"), f"{hosts[index].address} is the address of {hosts[first].name} too", _OWN
        )
    for index, first in _repeated([internal_address(host) for host in hosts]):
        if index not in repeated:
            key = "internalAddress" if hosts[index].internal_address else "address"
            shared = internal_address(hosts[index])
            yield Finding(_host(index, key), f"{shared} is the address of {hosts[first].name} too", _OWN)


_OWN = "an address of its own"


def _repeated(values: Iterable[Hashable]) -> Iterator[tuple[int, int]]:
    """Yield index, and index of the first one, of every value that is there already."""
    first: dict[Hashable, int] = {}
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            yield index, first[value]


def _host(index: int, key: str) -> Path:
    return ("spec", "hosts", index, key)
