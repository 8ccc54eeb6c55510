# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user wrote: the models of cluster.yaml, their defaults and rules, and what they mean.

Neighbours: every room above reads a Cluster; this room imports only errors. Its one input is the file
itself, in :func:`load`. Files: one per section, ``reader`` (YAML with places), ``problems`` (words for
errors), ``rules`` (between fields), ``limits`` (not supported yet), ``effective`` (what it means).
"""

from kubexms.cluster.cluster import API_VERSION, KIND, Cluster, Spec
from kubexms.cluster.effective import (
    ROLES,
    EffectiveSsh,
    Role,
    control_plane_hosts,
    dns_address,
    effective_ssh,
    endpoint,
    endpoint_host,
    first_control_plane,
    hosts_by_name,
    hosts_with_role,
    internal_address,
    max_unavailable,
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
    "ContainerRuntime",
    "ControlPlaneEndpoint",
    "ControllerManager",
    "Dns",
    "Drain",
    "EffectiveSsh",
    "Encryption",
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
    "control_plane_hosts",
    "dns_address",
    "effective_ssh",
    "endpoint",
    "endpoint_host",
    "first_control_plane",
    "hosts_by_name",
    "hosts_with_role",
    "internal_address",
    "load",
    "max_unavailable",
    "parse",
    "role_members",
    "roles_by_host",
    "worker_hosts",
]
