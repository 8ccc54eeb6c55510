# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.hosts and spec.roleGroups: the machines and what they are for."""

from typing import Literal, Self

from pydantic import Field, model_validator

from kubexms.cluster.base import Section, refused
from kubexms.cluster.ranges import MAX_HOSTS, length
from kubexms.cluster.ssh import HostSsh
from kubexms.cluster.types import (
    Address,
    Annotations,
    Architecture,
    HostName,
    HostPattern,
    Labels,
    LabelValue,
    QualifiedName,
)

Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Taint(Section):
    """A taint of a node."""

    key: QualifiedName
    """Key of the taint."""
    value: LabelValue = ""
    """Value of the taint."""
    effect: Effect
    """What happens to pods that do not tolerate the taint."""


class Host(Section):
    """One machine."""

    name: HostName
    """Host name and Node name of the machine; a DNS-1123 name of at most 63 characters."""
    address: Address
    """Address that the controller connects to: an IPv4 address or a DNS name."""
    internal_address: Address | None = None
    """IPv4 address that the cluster uses; the address when absent. Required when that is a DNS name."""
    arch: Architecture = "amd64"
    """Processor architecture."""
    labels: Labels = Field(default_factory=dict)
    """Labels of the Node."""
    annotations: Annotations = Field(default_factory=dict)
    """Annotations of the Node."""
    taints: tuple[Taint, ...] = ()
    """Taints of the Node, besides the one of control-plane hosts that are not workers."""
    ssh: HostSsh = HostSsh()
    """What differs from spec.ssh for this host."""


class RoleGroups(Section):
    """Which hosts have which role. Members are host names or ranges such as ``node[1:3]``."""

    control_plane: tuple[HostPattern, ...] = Field(default=(), alias="control-plane")
    """Hosts that run the control plane. Those that are not workers too get its NoSchedule taint."""
    worker: tuple[HostPattern, ...] = ()
    """Hosts that run workloads."""
    etcd: tuple[HostPattern, ...] = ()
    """Hosts that run etcd; the control-plane hosts when empty."""
    loadbalancer: tuple[HostPattern, ...] = ()
    """Hosts that balance load to the API servers."""
    registry: tuple[HostPattern, ...] = ()
    """Hosts that run an image registry."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        groups = (self.control_plane, self.worker, self.etcd, self.loadbalancer, self.registry)
        for group in groups:
            if sum(map(length, group)) > MAX_HOSTS:
                raise refused("a group names too many hosts", f"at most {MAX_HOSTS}")
        return self
