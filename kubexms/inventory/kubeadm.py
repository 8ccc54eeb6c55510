# SPDX-License-Identifier: GPL-3.0-or-later
"""kubeadm's ClusterConfiguration (kubeadm.k8s.io/v1beta4) from a cluster.

Field names and meanings: https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
"""

from collections.abc import Mapping
from typing import Any

from kubexms.cluster import Cluster, endpoint


def cluster_configuration(cluster: Cluster, etcd_image: str) -> dict[str, Any]:
    """Return the configuration without apiVersion and kind; ``etcd_image`` is a full image reference."""
    spec = cluster.spec
    kubernetes = spec.kubernetes
    gates = _feature_gates(kubernetes.feature_gates)
    repository, _, tag = etcd_image.rpartition(":")
    certificates = kubernetes.certificates
    return {
        "clusterName": cluster.metadata.name,
        "kubernetesVersion": kubernetes.version,
        "controlPlaneEndpoint": endpoint(cluster),
        "certificateValidityPeriod": certificates.duration,
        "caCertificateValidityPeriod": certificates.ca_duration,
        "networking": {
            "podSubnet": spec.network.pod_cidr,
            "serviceSubnet": spec.network.service_cidr,
            "dnsDomain": spec.dns.domain,
        },
        "apiServer": {
            "certSANs": list(kubernetes.api_server.cert_sans),
            "extraArgs": _arguments({**gates, **kubernetes.api_server.extra_args}),
        },
        "controllerManager": {"extraArgs": _arguments({**gates, **kubernetes.controller_manager.extra_args})},
        "scheduler": {"extraArgs": _arguments({**gates, **kubernetes.scheduler.extra_args})},
        "etcd": {"local": {"imageRepository": repository.rpartition("/")[0], "imageTag": tag}},
    }


def _arguments(arguments: Mapping[str, str]) -> list[dict[str, str]]:
    """Return kubeadm's list form, sorted so that the order in the file does not matter."""
    return [{"name": name, "value": arguments[name]} for name in sorted(arguments)]


def _feature_gates(gates: Mapping[str, bool]) -> dict[str, str]:
    if not gates:
        return {}
    return {"feature-gates": ",".join(f"{name}={str(gates[name]).lower()}" for name in sorted(gates))}
