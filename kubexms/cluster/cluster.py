# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole document: apiVersion, kind, metadata, spec."""

from typing import Annotated, Literal

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.endpoint import ControlPlaneEndpoint
from kubexms.cluster.etcd import Etcd
from kubexms.cluster.extras import Addon, ImageRegistry, Storage
from kubexms.cluster.hosts import Host, RoleGroups
from kubexms.cluster.kubernetes import Kubernetes
from kubexms.cluster.metadata import Metadata
from kubexms.cluster.network import Dns, Network
from kubexms.cluster.ranges import MAX_HOSTS
from kubexms.cluster.rollout import Artifacts, Rollout
from kubexms.cluster.runtime import ContainerRuntime
from kubexms.cluster.ssh import Ssh
from kubexms.cluster.system import Preflight, System

API_VERSION = "kubexms.io/v1alpha1"
KIND = "Cluster"


class Spec(Section):
    """What the cluster shall be."""

    ssh: Ssh = Ssh()
    """How hosts are reached."""
    hosts: Annotated[tuple[Host, ...], Field(min_length=1, max_length=MAX_HOSTS)]
    """The machines."""
    role_groups: RoleGroups
    """Which hosts have which role."""
    kubernetes: Kubernetes = Kubernetes()
    """Version and settings of Kubernetes."""
    etcd: Etcd = Etcd()
    """Settings of etcd."""
    control_plane_endpoint: ControlPlaneEndpoint = ControlPlaneEndpoint()
    """The address of the API servers."""
    container_runtime: ContainerRuntime = ContainerRuntime()
    """Settings of the container runtime."""
    network: Network = Network()
    """Network of pods and services."""
    dns: Dns = Dns()
    """Names inside the cluster."""
    storage: Storage = Storage()
    """Storage classes."""
    registry: ImageRegistry = ImageRegistry()
    """An image registry of the cluster's own."""
    addons: tuple[Addon, ...] = ()
    """Charts and manifests to install."""
    system: System = System()
    """Settings of the operating system."""
    preflight: Preflight = Preflight()
    """What a host must have."""
    artifacts: Artifacts = Artifacts()
    """Where files and images come from."""
    rollout: Rollout = Rollout()
    """How changes reach the hosts."""


class Cluster(Section):
    """The whole file: one Cluster. In Python it comes from ``kubexms.cluster.load`` only."""

    api_version: Literal["kubexms.io/v1alpha1"]
    """Version of this format: kubexms.io/v1alpha1."""
    kind: Literal["Cluster"]
    """Kind of the document: Cluster."""
    metadata: Metadata
    """Who the cluster is."""
    spec: Spec
    """What the cluster shall be."""
