# SPDX-License-Identifier: GPL-3.0-or-later
"""Artifacts that are never fetched, and clusters in a few lines."""

from dataclasses import dataclass
from pathlib import Path

from kubexms.cluster import Cluster, parse
from kubexms.inventory.images import Architecture, Role
from kubexms.inventory.model import Inventory
from kubexms.inventory.render import Given, render

HEAD = "apiVersion: kubexms.io/v1alpha1\nkind: Cluster\nmetadata: {name: demo}\n"


@dataclass(frozen=True)
class FakeFile:
    path: str
    sha256: str
    size: int = 3
    mode: str = "0755"


@dataclass(frozen=True)
class FakeImage:
    name: str
    digest: str
    archive_sha256: str | None
    archive_size: int | None


class FakeImages:
    """A kubelet for everybody, kubectl for control planes, one image each."""

    def image(self, name: str) -> str:
        return f"registry.k8s.io/{name}:1.2-3"

    def files(self, role: Role, arch: Architecture) -> list[FakeFile]:
        files = [FakeFile("/usr/local/bin/kubelet", f"{arch}-kubelet")]
        return [*files, FakeFile("/usr/local/bin/kubectl", "k")] if role == "control-plane" else files

    def images(self, role: Role, arch: Architecture) -> list[FakeImage]:
        pulled = FakeImage("registry.k8s.io/pulled:1", "sha256:22", None, None)
        return [FakeImage("registry.k8s.io/pause:3", "sha256:11", "aa", 7), pulled]


def cluster_of(spec: str) -> Cluster:
    return parse(HEAD + "spec:\n" + spec).cluster


def rendered(spec: str, **given: object) -> Inventory:
    values = {"cluster_id": "id-1", "directory": Path("/clusters/demo"), **given}
    return render(cluster_of(spec), FakeImages(), Given(**values))
