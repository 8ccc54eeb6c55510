# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is in a cluster, and the cluster as a control-plane host sees it."""

from __future__ import annotations

import re

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_membership as membership
from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._errors import StageError
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import admin_api
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_etcd import etcd_api, members
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_nodes import unready
from ansible_collections.kubexms.cluster.plugins.module_utils._record import Record

_VERSION = re.compile(r"v?\d+\.\d+\.\d+")


def kubernetes(client, identity):
    """Return whether this host is joined and how. A join that was cut off does not count as one.

    ``foreign`` means that it is part of a cluster and carries no identity of ours.
    """
    state = Record().stage(membership.RECORD).get("state")
    there = membership.joined()
    whole = there and state != "started"
    return {
        "joined": whole,
        "control_plane": whole and membership.control_plane(),
        "foreign": there and identity is None and state is None,
        "kubelet_version": _version(client, paths.KUBELET_BINARY) if there else "",
        "containerd_version": _version(client, "containerd") if client.which("containerd") else "",
    }


def _version(client, program):
    """Return the word that starts with v in what ``--version`` prints, such as ``Kubernetes v1.36.3``.

    containerd writes its version without the letter where it was not built by its makers.
    """
    words = client.run([program, "--version"], check=False).stdout.split()
    found = [word for word in words if _VERSION.match(word)]
    return "v" + found[0].lstrip("v") if found else ""


def control_plane():
    """Return the cluster as this control-plane host sees it."""
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
