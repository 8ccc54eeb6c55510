# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.network and spec.dns: addresses and names inside the cluster."""

from typing import Annotated, Literal

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.types import Address, Cidr, DnsName, Port


class Flannel(Section):
    """Settings of flannel."""

    backend: Literal["vxlan", "host-gw"] = "vxlan"
    """How pods of different hosts reach each other; host-gw needs all hosts in one network segment."""
    port: Port = 8472
    """UDP port of VXLAN."""


class Network(Section):
    """Network of pods and services. The address ranges cannot change on a running cluster."""

    plugin: Literal["flannel", "calico", "cilium", "none"] = "flannel"
    """The network plugin."""
    pod_cidr: Cidr = "10.244.0.0/16"
    """Addresses of pods; each host gets a /24 of it."""
    service_cidr: Cidr = "10.96.0.0/12"
    """Addresses of services; the tenth is that of the cluster's DNS."""
    flannel: Flannel = Flannel()
    """Settings of flannel."""


class Dns(Section):
    """Names inside the cluster, served by CoreDNS."""

    domain: DnsName = "cluster.local"
    """Domain of the cluster. It cannot change on a running cluster."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """Pods of CoreDNS."""
    cache_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    """How long answers are cached; 0 is not at all."""
    upstream_servers: tuple[Address, ...] = ()
    """Servers to forward other names to; those of the host when empty."""
    node_local_cache: bool = False
    """Run a DNS cache on every host."""
