# SPDX-License-Identifier: GPL-3.0-or-later
"""spec.kubernetes: version and settings of the Kubernetes components."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from kubexms.cluster.base import Section
from kubexms.cluster.secret import SecretRef
from kubexms.cluster.types import (
    Address,
    CamelName,
    Duration,
    ExtraArgs,
    FeatureGates,
    FilePath,
    PreflightCheck,
    Quantity,
    ResourceName,
    Version,
)
from kubexms.cluster.versions import DEFAULT_VERSION

Configuration = dict[CamelName, JsonValue]
Quantities = dict[ResourceName, Quantity]


class ApiServer(Section):
    """Settings of kube-apiserver."""

    extra_args: ExtraArgs = Field(default_factory=dict)
    """Additional flags: name without dashes, and value as text."""
    cert_sans: tuple[Address, ...] = ()
    """Additional names and addresses in the serving certificate."""


class ControllerManager(Section):
    """Settings of kube-controller-manager."""

    extra_args: ExtraArgs = Field(default_factory=dict)
    """Additional flags: name without dashes, and value as text."""


class Scheduler(Section):
    """Settings of kube-scheduler."""

    extra_args: ExtraArgs = Field(default_factory=dict)
    """Additional flags: name without dashes, and value as text."""


class Kubelet(Section):
    """Settings of the kubelet on every host."""

    extra_args: ExtraArgs = Field(default_factory=dict)
    """Additional flags: name without dashes, and value as text."""
    max_pods: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most pods on a host; 110 when absent."""
    pod_pids_limit: Annotated[int, Field(ge=-1)] | None = None
    """Most processes of a pod; -1 is no limit of its own."""
    kube_reserved: Quantities = Field(default_factory=dict)
    """Resources kept for Kubernetes, such as cpu, memory, ephemeral-storage."""
    system_reserved: Quantities = Field(default_factory=dict)
    """Resources kept for the system."""
    eviction_hard: Quantities = Field(default_factory=dict)
    """Limits at which pods are evicted at once, such as memory.available: 200Mi."""
    container_log_max_size: Quantity | None = None
    """Size at which a container's log is rotated."""
    container_log_max_files: Annotated[int, Field(ge=2, le=100)] | None = None
    """Most log files of a container."""
    configuration: Configuration = Field(default_factory=dict)
    """Further fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1)."""


class KubeProxy(Section):
    """Settings of kube-proxy."""

    enabled: bool = True
    """Run kube-proxy. Off for network plugins that replace it."""
    mode: Literal["nftables", "iptables", "ipvs"] = "nftables"
    """How services are turned into packet rules."""
    configuration: Configuration = Field(default_factory=dict)
    """Further fields of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1)."""


class Encryption(Section):
    """Encryption of secrets at rest."""

    enabled: bool = False
    """Encrypt secrets in etcd."""
    provider: Literal["secretbox", "aescbc", "aesgcm"] = "secretbox"
    """Kind of encryption."""
    key: SecretRef | None = None
    """The key; made on the first control-plane host when absent."""


class Audit(Section):
    """Audit log of the API servers."""

    enabled: bool = False
    """Write an audit log."""
    policy_file: FilePath | None = None
    """Audit policy on the controller; metadata of every request when absent."""
    max_age: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days to keep a log file."""
    max_backups: Annotated[int, Field(ge=1, le=1000)] = 10
    """Most rotated log files."""
    max_size: Annotated[int, Field(ge=1, le=10000)] = 100
    """Megabytes at which a log file is rotated."""


class Certificates(Section):
    """Certificates of the cluster."""

    ca_duration: Duration = "87600h"
    """How long certificate authorities are valid."""
    duration: Duration = "8760h"
    """How long other certificates are valid."""
    auto_renew: bool = False
    """Renew certificates before they expire."""


class Kubernetes(Section):
    """Version and settings of Kubernetes."""

    version: Version = DEFAULT_VERSION
    """Kubernetes version, with or without the leading v."""
    type: Literal["kubeadm", "binary"] = "kubeadm"
    """How the control plane is installed."""
    feature_gates: FeatureGates = Field(default_factory=dict)
    """Feature gates of all components."""
    api_server: ApiServer = ApiServer()
    """Settings of kube-apiserver."""
    controller_manager: ControllerManager = ControllerManager()
    """Settings of kube-controller-manager."""
    scheduler: Scheduler = Scheduler()
    """Settings of kube-scheduler."""
    kubelet: Kubelet = Kubelet()
    """Settings of the kubelet."""
    kube_proxy: KubeProxy = KubeProxy()
    """Settings of kube-proxy."""
    encryption: Encryption = Encryption()
    """Encryption of secrets at rest."""
    audit: Audit = Audit()
    """Audit log."""
    certificates: Certificates = Certificates()
    """Certificates of the cluster."""
    ignore_preflight_errors: tuple[PreflightCheck, ...] = ()
    """kubeadm preflight checks whose errors become warnings."""
