# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole inventory of a cluster, and the digest of what each stage gets on each host."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubexms.cluster import Cluster, Host, control_plane_hosts, internal_address, worker_hosts
from kubexms.inventory import variables
from kubexms.inventory.connection import connection_variables
from kubexms.inventory.images import Architecture, Images, Role
from kubexms.inventory.model import CONTROL_PLANE, WORKER, Group, Inventory
from kubexms.plan.stages import STAGES

_LOCAL = ("kubexms_node_address",)
"""Host variables that change a stage's input although the stage's own text is the same."""


@dataclass(frozen=True)
class Given:
    """What the controller adds to the cluster.

    ``directory`` is that of cluster.yaml, ``controller_addresses`` the controller's address as each
    host sees it, ``known_hosts`` the file of host keys pinned in cluster.yaml,
    ``artifact_directory`` the folder of blobs for hosts that cannot fetch over HTTP.
    """

    cluster_id: str
    directory: Path
    controller_addresses: Mapping[str, str] = field(default_factory=dict)
    known_hosts: Path | None = None
    artifact_directory: Path | None = None


def render(cluster: Cluster, images: Images, given: Given) -> Inventory:
    """Return the inventory: groups by role, variables as high up as they are the same."""
    leaders = {item.name: item for item in control_plane_hosts(cluster)}
    others = {item.name: item for item in worker_hosts(cluster) if item.name not in leaders}
    return Inventory(
        variables={
            "ansible_python_interpreter": "/usr/bin/python3",
            "kubexms_artifact_directory": str(given.artifact_directory or ""),
            "kubexms_host": variables.host(cluster, given.cluster_id),
            "kubexms_runtime": variables.runtime(cluster, images, given.directory),
            "kubexms_kubelet": variables.kubelet(cluster),
            "kubexms_reset": {"cluster": {"name": cluster.metadata.name, "id": given.cluster_id}},
        },
        groups={
            CONTROL_PLANE: Group(
                _hosts(cluster, leaders, given, images, "control-plane"),
                {
                    **_artifacts(images, "control-plane", "amd64"),
                    "kubexms_kubeadm": variables.kubeadm(cluster, images, control_plane=True),
                    "kubexms_addons": variables.addons(cluster, images),
                    "kubexms_nodes": variables.nodes(cluster),
                },
            ),
            WORKER: Group(
                _hosts(cluster, others, given, images, "worker"),
                {
                    **_artifacts(images, "worker", "amd64"),
                    "kubexms_kubeadm": variables.kubeadm(cluster, images, control_plane=False),
                },
            ),
        },
    )


def _hosts(
    cluster: Cluster, items: Mapping[str, Host], given: Given, images: Images, role: Role
) -> dict[str, dict[str, Any]]:
    return {name: _host(cluster, item, given, images, role) for name, item in items.items()}


def _host(cluster: Cluster, item: Host, given: Given, images: Images, role: Role) -> dict[str, Any]:
    found = connection_variables(cluster, item, given.directory, given.known_hosts)
    found["kubexms_node_address"] = internal_address(item)
    if item.name in given.controller_addresses:
        found["kubexms_controller_address"] = given.controller_addresses[item.name]
    if item.arch != "amd64":
        found.update(_artifacts(images, role, item.arch))
    return found


def _artifacts(images: Images, role: Role, arch: Architecture) -> dict[str, Any]:
    source = {"url": variables.ARTIFACT_URL, "directory": variables.ARTIFACT_DIRECTORY}
    files = [
        {"path": file.path, "sha256": file.sha256, "size": file.size, "mode": file.mode}
        for file in images.files(role, arch)
    ]
    wanted = []
    for image in images.images(role, arch):
        entry: dict[str, Any] = {"name": image.name, "digest": image.digest}
        if image.archive_sha256 is not None:
            entry["archive"] = {"sha256": image.archive_sha256, "size": image.archive_size}
        wanted.append(entry)
    return {
        "kubexms_files": {"files": files, **source},
        "kubexms_images": {"images": wanted, **source},
    }


def digests(inventory: Inventory) -> dict[tuple[str, str], str]:
    """Return (stage, host) -> SHA-256 of the stage's variable on the host, as hexadecimal digits."""
    found: dict[tuple[str, str], str] = {}
    texts: dict[int, str] = {}
    for group in inventory.groups.values():
        for host, own in group.hosts.items():
            merged = {**inventory.variables, **group.variables, **own}
            local = {name: merged.get(name) for name in _LOCAL} | {"host": host}
            for stage in STAGES:
                if stage.variable in merged:
                    found[stage.name, host] = _digest(merged[stage.variable], local, texts)
    return found


def _digest(value: Any, local: Mapping[str, Any], texts: dict[int, str]) -> str:
    """Hash a variable with a host's own values; the text of a shared variable is made once."""
    text = texts.get(id(value))
    if text is None:
        text = texts[id(value)] = json.dumps(value, sort_keys=True)
    return hashlib.sha256((text + json.dumps(local, sort_keys=True)).encode()).hexdigest()
