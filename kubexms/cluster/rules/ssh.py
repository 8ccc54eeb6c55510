# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections: every stage needs root, and every host its own key."""

from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.effective import effective_ssh
from kubexms.cluster.finding import Finding

_HINT = "become: true, or user: root"


def can_become_root(cluster: Cluster) -> Iterator[Finding]:
    """Find hosts whose user is not root and does not become root; hosts that inherit it are named once."""
    common = cluster.spec.ssh
    inherited = common.user != "root" and not common.become
    if inherited and any(host.ssh.user is None and host.ssh.become is None for host in cluster.spec.hosts):
        yield Finding(("spec", "ssh", "user"), "is not root and does not become root", _HINT)
    for index, host in enumerate(cluster.spec.hosts):
        own = host.ssh.user is not None or host.ssh.become is not None
        effective = effective_ssh(cluster, host)
        if own and effective.user != "root" and not effective.become:
            key = "user" if host.ssh.user is not None else "become"
            path = ("spec", "hosts", index, "ssh", key)
            yield Finding(path, f"{effective.user} is not root and does not become root", _HINT)


def host_keys_differ(cluster: Cluster) -> Iterator[Finding]:
    """Warn about two hosts with one key: one machine twice, or a copied image."""
    first: dict[str, str] = {}
    for index, host in enumerate(cluster.spec.hosts):
        key = host.ssh.host_key
        if key is not None and (other := first.setdefault(key, host.name)) != host.name:
            path = ("spec", "hosts", index, "ssh", "hostKey")
            hint = "a key of its own; `ssh-keygen -A` makes new ones"
            yield Finding(path, f"is the key of {other} too", hint, warning=True)
