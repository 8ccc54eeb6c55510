# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user wrote: the models of cluster.yaml, their defaults and rules, and what they mean.

Neighbours: every room above reads a Cluster; this room imports only errors. Its one input is the file
itself, in :func:`load`. Files: one per section, ``reader`` (YAML with places), ``problems`` (words for
errors), ``rules`` (between fields), ``limits`` (not supported yet), ``effective`` (what it means).
"""

from kubexms.cluster.cluster import API_VERSION, KIND, Cluster, Spec
from kubexms.cluster.effective import (
    ROLES,
    Connection,
    Endpoint,
    Role,
    connection,
    control_plane_hosts,
    dns_address,
    endpoint,
    first_control_plane,
    hosts_with_role,
    internal_address,
    kubelet_configuration,
    max_unavailable,
    node_taints,
    role_members,
    roles_by_host,
    worker_hosts,
)
from kubexms.cluster.endpoint import ControlPlaneEndpoint, LoadBalancer
from kubexms.cluster.etcd import Etcd, ExternalEtcd
from kubexms.cluster.extras import Addon, Chart, ImageRegistry, Storage
from kubexms.cluster.hosts import Host, RoleGroups, Taint
from kubexms.cluster.kubernetes import (
    ApiServer,
    Audit,
    Certificates,
    ControllerManager,
    Encryption,
    Kubelet,
    KubeProxy,
    Kubernetes,
    Scheduler,
)
from kubexms.cluster.load import Loaded, load, parse
from kubexms.cluster.metadata import Metadata
from kubexms.cluster.network import Dns, Flannel, Network
from kubexms.cluster.rollout import Artifacts, Drain, Rollout
from kubexms.cluster.runtime import ContainerRuntime, Mirror, Registry, RegistryAuth
from kubexms.cluster.secret import SecretRef
from kubexms.cluster.ssh import Bastion, HostSsh, Ssh
from kubexms.cluster.system import Hooks, Ntp, Preflight, System
from kubexms.cluster.versions import DEFAULT_VERSION, SUPPORTED_VERSIONS

__all__ = [
    "API_VERSION",
    "DEFAULT_VERSION",
    "KIND",
    "ROLES",
    "SUPPORTED_VERSIONS",
    "Addon",
    "ApiServer",
    "Artifacts",
    "Audit",
    "Bastion",
    "Certificates",
    "Chart",
    "Cluster",
    "Connection",
    "ContainerRuntime",
    "ControlPlaneEndpoint",
    "ControllerManager",
    "Dns",
    "Drain",
    "Encryption",
    "Endpoint",
    "Etcd",
    "ExternalEtcd",
    "Flannel",
    "Hooks",
    "Host",
    "HostSsh",
    "ImageRegistry",
    "KubeProxy",
    "Kubelet",
    "Kubernetes",
    "LoadBalancer",
    "Loaded",
    "Metadata",
    "Mirror",
    "Network",
    "Ntp",
    "Preflight",
    "Registry",
    "RegistryAuth",
    "Role",
    "RoleGroups",
    "Rollout",
    "Scheduler",
    "SecretRef",
    "Spec",
    "Ssh",
    "Storage",
    "System",
    "Taint",
    "connection",
    "control_plane_hosts",
    "dns_address",
    "endpoint",
    "first_control_plane",
    "hosts_with_role",
    "internal_address",
    "kubelet_configuration",
    "load",
    "max_unavailable",
    "node_taints",
    "parse",
    "role_members",
    "roles_by_host",
    "worker_hosts",
]
