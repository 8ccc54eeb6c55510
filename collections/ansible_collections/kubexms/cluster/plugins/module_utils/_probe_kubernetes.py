# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is in a cluster, and the cluster as a control-plane host sees it."""

from __future__ import annotations

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_membership as membership
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import admin_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_etcd import etcd_api, members
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_nodes import unready
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record


def kubernetes(client, identity):
    """Return whether this host is joined and how. A join that was cut off does not count as one.

    ``foreign`` means that it is part of a cluster and carries no identity of ours.
    """
    state = Record().stage(membership.RECORD).get("state")
    is_joined = membership.joined()
    return {
        "joined": is_joined and state == "done",
        "control_plane": membership.control_plane(),
        "foreign": is_joined and identity is None and state is None,
        "kubelet_version": _kubelet_version(client) if is_joined else "",
    }


def _kubelet_version(client):
    """``kubelet --version`` prints ``Kubernetes v1.36.3``."""
    result = client.run([paths.KUBELET_BINARY, "--version"], check=False)
    return result.stdout.split()[-1] if result.status == 0 and result.stdout.split() else ""


def control_plane():
    """Return the cluster as this host sees it, or None on a host that is no control plane."""
    if not membership.control_plane():
        return None
    try:
        nodes = admin_api().get("/api/v1/nodes")["items"]
        etcd = members(etcd_api())
    except (StageError, OSError) as error:
        return {"healthy": False, "error": str(error), "nodes": [], "etcd_members": []}
    return {
        "healthy": True,
        "error": "",
        "nodes": [_node(node) for node in nodes],
        "etcd_members": [{"name": one.name, "started": one.started, "learner": one.learner} for one in etcd],
    }


def _node(node):
    addresses = {item["type"]: item["address"] for item in node["status"].get("addresses", [])}
    return {
        "name": node["metadata"]["name"],
        "ready": not unready(node),
        "kubelet_version": node["status"]["nodeInfo"]["kubeletVersion"],
        "internal_address": addresses.get("InternalIP", ""),
    }
