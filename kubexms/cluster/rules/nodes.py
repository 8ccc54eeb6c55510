# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and taints of Nodes."""

from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.components import OWNED_ANNOTATIONS, OWNED_LABELS
from kubexms.cluster.finding import Finding

_ROLE_PREFIX = "node-role.kubernetes.io/"
_CONDITION_PREFIXES = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


def labels_are_free(cluster: Cluster) -> Iterator[Finding]:
    """Find labels and annotations that Kubernetes or kubexms sets."""
    for index, host in enumerate(cluster.spec.hosts):
        for key in host.labels:
            path = ("spec", "hosts", index, "labels", key)
            if key in OWNED_LABELS.names:
                yield Finding(path, "is not free", OWNED_LABELS.instead, at_key=True)
            elif key in (f"{_ROLE_PREFIX}control-plane", f"{_ROLE_PREFIX}worker"):
                yield Finding(path, "is not free", "use spec.roleGroups", at_key=True)
        for key in host.annotations:
            if key in OWNED_ANNOTATIONS.names:
                path = ("spec", "hosts", index, "annotations", key)
                yield Finding(path, "is not free", OWNED_ANNOTATIONS.instead, at_key=True)


def taints_are_free(cluster: Cluster) -> Iterator[Finding]:
    """Find taints that stand twice, or that Kubernetes or role groups decide."""
    for index, host in enumerate(cluster.spec.hosts):
        seen: set[tuple[str, str]] = set()
        for number, taint in enumerate(host.taints):
            path = ("spec", "hosts", index, "taints", number)
            if (taint.key, taint.effect) in seen:
                yield Finding(path, "stands twice", "key and effect once in a host")
            seen.add((taint.key, taint.effect))
            if taint.key == f"{_ROLE_PREFIX}control-plane":
                hint = "control-plane hosts that are not in roleGroups.worker get it"
                yield Finding((*path, "key"), "is not free", hint)
            elif taint.key.startswith(_CONDITION_PREFIXES):
                yield Finding((*path, "key"), "is not free", "leave it out: Kubernetes sets it")
