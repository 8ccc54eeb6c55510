# SPDX-License-Identifier: GPL-3.0-or-later
"""Role groups and their members."""

from collections.abc import Iterator

from kubexms.cluster.cluster import Cluster
from kubexms.cluster.effective import ROLES, hosts_by_name, role_members
from kubexms.cluster.finding import Finding
from kubexms.cluster.introspect import attributes_of
from kubexms.cluster.places import Path
from kubexms.cluster.ranges import expand
from kubexms.cluster.words import did_you_mean

_GROUPS = ("spec", "roleGroups")
_MOST_NAMED = 3
_MOST_COMPARED = 50


def _members(cluster: Cluster) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield path and host names of every entry of every group."""
    groups = cluster.spec.role_groups
    for key, attribute in attributes_of(type(groups)).items():
        for index, pattern in enumerate(getattr(groups, attribute)):
            yield (*_GROUPS, key, index), expand(pattern)


def members_exist(cluster: Cluster) -> Iterator[Finding]:
    """Find members that are not in spec.hosts."""
    known = hosts_by_name(cluster)
    missing = [
        (path, unknown)
        for path, names in _members(cluster)
        if (unknown := [name for name in names if name not in known])
    ]
    for index, (path, unknown) in enumerate(missing):
        shown = ", ".join(unknown[:_MOST_NAMED]) + (" and more" if len(unknown) > _MOST_NAMED else "")
        near = did_you_mean(unknown[0], known) if index < _MOST_COMPARED else None
        yield Finding(path, f"there is no host {shown}", near or "names of spec.hosts")


def members_stand_once(cluster: Cluster) -> Iterator[Finding]:
    """Find hosts that stand twice in one group."""
    seen: set[tuple[str | int, str]] = set()
    for path, names in _members(cluster):
        twice = [name for name in names if (path[2], name) in seen]
        seen.update((path[2], name) for name in names)
        if twice:
            yield Finding(path, f"{twice[0]} stands twice in the group", "every host once")


def hosts_have_a_role(cluster: Cluster) -> Iterator[Finding]:
    """Find hosts that are in no group."""
    members = {name for role in ROLES for name in role_members(cluster, role)}
    for index, host in enumerate(cluster.spec.hosts):
        if host.name not in members:
            path = ("spec", "hosts", index, "name")
            yield Finding(path, f"{host.name} is in no role group", f"one of {', '.join(ROLES)}")


def there_is_a_control_plane(cluster: Cluster) -> Iterator[Finding]:
    """Find a cluster without control plane."""
    if not cluster.spec.role_groups.control_plane:
        yield Finding((*_GROUPS, "control-plane"), "there is no control-plane host", "1, 3 or 5 hosts")


def etcd_members_are_odd(cluster: Cluster) -> Iterator[Finding]:
    """Warn about an even number of etcd members, one of which adds nothing but risk."""
    count = len(role_members(cluster, "etcd"))
    if count and count % 2 == 0:
        key = "etcd" if cluster.spec.role_groups.etcd else "control-plane"
        message = f"{count} etcd members survive no more failures than {count - 1}"
        yield Finding((*_GROUPS, key), message, "an odd number", warning=True)
