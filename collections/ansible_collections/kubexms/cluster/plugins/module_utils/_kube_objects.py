# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects as dicts: where the API keeps them, and those that every addon needs. Pure.

All are labelled ``app.kubernetes.io/managed-by: kubexms``.
"""

from __future__ import annotations

import hashlib
import json

MANAGED = {"app.kubernetes.io/managed-by": "kubexms"}
_RBAC = "rbac.authorization.k8s.io"

# kind -> (plural, whether in a namespace), for the kinds that addons consist of
_KINDS = {
    "ClusterRole": ("clusterroles", False),
    "ClusterRoleBinding": ("clusterrolebindings", False),
    "ConfigMap": ("configmaps", True),
    "DaemonSet": ("daemonsets", True),
    "Deployment": ("deployments", True),
    "Namespace": ("namespaces", False),
    "PodDisruptionBudget": ("poddisruptionbudgets", True),
    "Role": ("roles", True),
    "RoleBinding": ("rolebindings", True),
    "Service": ("services", True),
    "ServiceAccount": ("serviceaccounts", True),
}


def api_path(item):
    """Return the path of an object in the API, such as ``/api/v1/namespaces/kube-system/services/x``."""
    plural, namespaced = _KINDS[item["kind"]]
    version = item["apiVersion"]
    root = "/apis/" + version if "/" in version else "/api/" + version
    scope = "/namespaces/" + item["metadata"]["namespace"] if namespaced else ""
    return "{0}{1}/{2}/{3}".format(root, scope, plural, item["metadata"]["name"])


def revision(item):
    """Return a text that changes when someone edits the object, and not when its status changes.

    Empty for kinds that tell nothing of the sort.
    """
    metadata = item["metadata"]
    if item["kind"] == "ConfigMap":
        return metadata["resourceVersion"]
    return str(metadata.get("generation", ""))


def digest(value):
    """Return the SHA-256 of JSON data as hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8")).hexdigest()


def item(api_version, kind, name, namespace=None, labels=None, **content):
    """Return an object with the project's label beside ``labels``; ``content`` is everything else."""
    metadata = {"name": name, "labels": dict(labels or {}, **MANAGED)}
    if namespace:
        metadata["namespace"] = namespace
    return dict(content, apiVersion=api_version, kind=kind, metadata=metadata)


def config_map(namespace, name, data, labels=None):
    """Return a ConfigMap."""
    return item("v1", "ConfigMap", name, namespace, labels, data=data)


def service_account(namespace, name, labels=None):
    """Return a ServiceAccount."""
    return item("v1", "ServiceAccount", name, namespace, labels)


def cluster_role(name, rules, labels=None):
    """Return a ClusterRole; ``rules`` are (API group, resources, verbs)."""
    listed = [{"apiGroups": [group], "resources": names, "verbs": verbs} for group, names, verbs in rules]
    return item(_RBAC + "/v1", "ClusterRole", name, labels=labels, rules=listed)


def cluster_role_binding(name, role, namespace, account, labels=None):
    """Return a ClusterRoleBinding of a ClusterRole to a ServiceAccount."""
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return item(
        _RBAC + "/v1", "ClusterRoleBinding", name, labels=labels, roleRef=reference, subjects=[subject]
    )


def field_variable(name, path):
    """Return an environment variable whose value is a field of the Pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def host_volume(name, path, kind=""):
    """Return a volume that is a path of the host; ``kind`` is a hostPath type such as FileOrCreate."""
    return {"name": name, "hostPath": dict({"path": path}, **({"type": kind} if kind else {}))}
