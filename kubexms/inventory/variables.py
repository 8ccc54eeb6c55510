# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable of each stage, one function per stage, in the shape that the stage's module takes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubexms.cluster import (
    Cluster,
    Host,
    Registry,
    SecretRef,
    control_plane_hosts,
    dns_address,
    endpoint,
    internal_address,
    role_members,
)
from kubexms.inventory.images import Images
from kubexms.inventory.kubeadm import cluster_configuration
from kubexms.inventory.model import Expression

NAME = Expression("{{ inventory_hostname }}")
NODE_ADDRESS = Expression("{{ kubexms_node_address }}")
ARTIFACT_URL = Expression(
    "{{ 'http://' ~ kubexms_controller_address ~ ':' ~ kubexms_artifact_port"
    " if kubexms_artifact_port is defined else kubexms_artifact_mirror | default('') }}"
)
ARTIFACT_DIRECTORY = Expression("{{ kubexms_artifact_directory }}")

_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
}
"""What Kubernetes expects of a node's network; the kubelet sets what it needs of vm and kernel itself.

https://kubernetes.io/docs/setup/production-environment/container-runtimes/
"""

_ROLE = "node-role.kubernetes.io"
_MODULES = ("overlay", "br_netfilter")


def fixed_settings(cluster: Cluster) -> dict[str, str]:
    """Return the settings that a running cluster cannot change: path in cluster.yaml -> value."""
    spec = cluster.spec
    return {
        "spec.kubernetes.type": spec.kubernetes.type,
        "spec.etcd.type": spec.etcd.type,
        "spec.controlPlaneEndpoint": endpoint(cluster),
        "spec.network.plugin": spec.network.plugin,
        "spec.network.podCIDR": spec.network.pod_cidr,
        "spec.network.serviceCIDR": spec.network.service_cidr,
        "spec.dns.domain": spec.dns.domain,
    }


def host(cluster: Cluster, cluster_id: str) -> dict[str, Any]:
    """Return the variable of stage ``host``, the same text for every host.

    The hosts block names this host and the control plane only, so that a new worker changes no
    other host.
    """
    system = cluster.spec.system
    entries: list[dict[str, Any]] = []
    if system.hosts_file == "managed":
        entries = [
            {"address": internal_address(item), "names": [item.name]} for item in control_plane_hosts(cluster)
        ]
        entries.append({"address": NODE_ADDRESS, "names": [NAME]})
    return {
        "cluster": {"name": cluster.metadata.name, "id": cluster_id, "fixed": fixed_settings(cluster)},
        "hostname": NAME,
        "hosts": entries,
        "sysctls": {**_SYSCTLS, **system.sysctls},
        "kernel_modules": sorted({*_MODULES, *system.modules}),
        "swap": system.swap,
        "packages": sorted(system.packages),
    }


def runtime(cluster: Cluster, images: Images, directory: Path) -> dict[str, Any]:
    """Return the variable of stage ``runtime``; files are relative to ``directory``."""
    settings = cluster.spec.container_runtime
    return {
        "sandbox_image": images.image("pause"),
        "restrict_oom_score_adj": settings.restrict_oom_score_adj,
        "registries": [_registry(item, directory) for item in settings.registries],
        "extra_config": settings.extra_config,
    }


def _registry(registry: Registry, directory: Path) -> dict[str, Any]:
    mirrors = [
        {
            "url": mirror.url,
            "capabilities": list(mirror.capabilities),
            "skip_verify": mirror.skip_verify,
            "override_path": mirror.override_path,
        }
        for mirror in registry.mirrors
    ]
    found: dict[str, Any] = {"host": registry.host, "mirrors": mirrors}
    if registry.auth is not None:
        found["username"] = registry.auth.username
        found["password"] = secret_expression(registry.auth.password, directory)
    if registry.ca_file is not None:
        found["ca"] = _lookup("file", str(directory / registry.ca_file))
    return found


def secret_expression(reference: SecretRef, directory: Path) -> Expression:
    """Return the expression by which Ansible reads a secret when a task needs it, and nothing keeps it."""
    if reference.env is not None:
        return _lookup("env", reference.env)
    return _lookup("file", str(directory / (reference.file or "")))


def _lookup(plugin: str, argument: str) -> Expression:
    """Return a lookup; the argument is written as JSON, which is how Jinja writes texts too."""
    return Expression(f"{{{{ lookup('ansible.builtin.{plugin}', {json.dumps(argument)}) }}}}")


def kubelet(cluster: Cluster) -> dict[str, Any]:
    """Return the variable of stage ``kubelet``, the same text for every host."""
    return {
        "node_ip": NODE_ADDRESS,
        "extra_args": dict(cluster.spec.kubernetes.kubelet.extra_args),
        "configuration": _kubelet_configuration(cluster),
    }


def _kubelet_configuration(cluster: Cluster) -> dict[str, Any]:
    """Return the fields of KubeletConfiguration that the user set, typed ones and free ones together."""
    settings = cluster.spec.kubernetes.kubelet
    typed = settings.model_dump(by_alias=True, exclude_defaults=True, exclude={"extra_args", "configuration"})
    return _with_gates({**settings.configuration, **typed}, cluster.spec.kubernetes.feature_gates)


def kubeadm(cluster: Cluster, images: Images, *, control_plane: bool) -> dict[str, Any]:
    """Return the variable of stages ``init``, ``join`` and ``control-plane`` for a role."""
    return {
        "control_plane": control_plane,
        "node_name": NAME,
        "advertise_address": NODE_ADDRESS,
        "endpoint": endpoint(cluster),
        "version": cluster.spec.kubernetes.version,
        "ignore_preflight": list(cluster.spec.kubernetes.ignore_preflight_errors),
        "cluster_configuration": cluster_configuration(cluster, images.image("etcd")),
    }


def addons(cluster: Cluster, images: Images) -> dict[str, Any]:
    """Return the variable of stage ``addons``."""
    spec = cluster.spec
    proxy = spec.kubernetes.kube_proxy
    network: dict[str, Any] = {"plugin": spec.network.plugin, "pod_cidr": spec.network.pod_cidr}
    if spec.network.plugin == "flannel":
        network.update(
            backend=spec.network.flannel.backend,
            backend_port=spec.network.flannel.port,
            image=images.image("flannel"),
        )
    return {
        "network": network,
        "kube_proxy": {
            "mode": proxy.mode,
            "pod_cidr": spec.network.pod_cidr,
            "endpoint": endpoint(cluster),
            "image": images.image("kube-proxy"),
            "version": spec.kubernetes.version,
            "configuration": _with_gates(proxy.configuration, spec.kubernetes.feature_gates),
        },
        "dns": {
            "service_address": dns_address(cluster),
            "domain": spec.dns.domain,
            "image": images.image("coredns"),
            "replicas": spec.dns.replicas,
            "cache_seconds": spec.dns.cache_seconds,
        },
    }


def _with_gates(configuration: Mapping[str, Any], gates: Mapping[str, bool]) -> dict[str, Any]:
    return {**configuration, "featureGates": dict(gates)} if gates else dict(configuration)


def nodes(cluster: Cluster) -> dict[str, Any]:
    """Return the variable of stage ``nodes``: what each Node object is to carry."""
    leaders = set(role_members(cluster, "control-plane"))
    workers = set(role_members(cluster, "worker"))
    return {
        "nodes": [
            _node(item, is_worker=item.name in workers, is_leader=item.name in leaders)
            for item in cluster.spec.hosts
        ]
    }


def _node(item: Host, *, is_worker: bool, is_leader: bool) -> dict[str, Any]:
    """Return one node's entry. Control-plane hosts that are not workers too repel ordinary pods."""
    taints = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in item.taints]
    if is_leader and not is_worker:
        taints.append({"key": f"{_ROLE}/control-plane", "value": "", "effect": "NoSchedule"})
    return {
        "name": item.name,
        "labels": {**({f"{_ROLE}/worker": ""} if is_worker else {}), **item.labels},
        "annotations": dict(item.annotations),
        "taints": taints,
    }
