# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster.yaml of a lab: its hosts, and the settings that only a container as a host needs."""

from typing import Any

import yaml

from kubexms.lab.model import Lab

KUBERNETES_VERSION = "v1.36.3"
_HEADER = """\
# Written by "kubexms lab up", which writes it anew: copy this file to change it.
"""


def cluster_text(lab: Lab) -> str:
    """Return the text of the lab's cluster.yaml."""
    return _HEADER + yaml.safe_dump(cluster_document(lab), sort_keys=False)


def cluster_document(lab: Lab) -> dict[str, Any]:
    """Return the lab's cluster.yaml as plain data (kind Cluster, kubexms.io/v1alpha1)."""
    control_planes = [host for host in lab.hosts if host.control_plane]
    return {
        "apiVersion": "kubexms.io/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": lab.cluster or lab.name},
        "spec": {
            "ssh": {
                "user": "root",
                "port": 22,
                "privateKeyFile": str(lab.private_key),
                "knownHostsFile": str(lab.known_hosts),
                "connectTimeout": 10,
            },
            "hosts": [{"name": host.name, "address": host.address} for host in lab.hosts],
            "roleGroups": {
                "control-plane": [host.name for host in control_planes],
                "worker": [host.name for host in lab.hosts if not host.control_plane],
            },
            "controlPlaneEndpoint": {
                "address": control_planes[0].address,
                "port": 6443,
                "loadBalancer": {"type": "none"},
            },
            **_lab_settings(),
        },
    }


def _lab_settings() -> dict[str, Any]:
    """Return what hosts need that share a kernel, its cgroups and swap; never defaults of the product."""
    return {
        "kubernetes": {
            "version": KUBERNETES_VERSION,
            "type": "kubeadm",
            "kubelet": {"configuration": {"failCgroupV1": False, "failSwapOn": False}},
            "kubeProxy": {
                "mode": "nftables",
                "configuration": {"conntrack": {"maxPerCore": 0, "min": 0}},
            },
            "ignorePreflightErrors": [
                "SystemVerification",
                "Swap",
                "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables",
            ],
        },
        "containerRuntime": {"type": "containerd", "restrictOOMScoreAdj": True},
        "system": {"swap": "unmanaged"},
    }
