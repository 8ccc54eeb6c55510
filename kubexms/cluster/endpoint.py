# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.controlPlaneEndpoint: the address by which nodes and users reach the API servers."""

from typing import Literal

from kubexms.cluster.base import Section
from kubexms.cluster.types import Address, Port

LoadBalancerType = Literal[
    "none",
    "internal-haproxy",
    "internal-nginx",
    "kube-vip",
    "keepalived-haproxy",
    "keepalived-nginx",
    "external",
]


class LoadBalancer(Section):
    """What balances load to the API servers."""

    type: LoadBalancerType = "none"
    """Kind of load balancer. With none, the endpoint is the given address or the first control-plane host."""


class ControlPlaneEndpoint(Section):
    """The address of the API servers. It cannot change on a running cluster."""

    address: Address | None = None
    """IPv4 address or DNS name; that of the first control-plane host when absent."""
    port: Port = 6443
    """Port of the API servers."""
    load_balancer: LoadBalancer = LoadBalancer()
    """What balances load to the API servers."""
