# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of this room."""

from dataclasses import dataclass
from typing import Literal

Architecture = Literal["amd64", "arm64"]
Role = Literal["control-plane", "worker"]
NetworkPlugin = Literal["flannel", "none"]


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One file of one component. Its ``name`` is its path in every source, in the cache and in the lock."""

    component: str
    version: str
    arch: Architecture
    file: str

    @property
    def name(self) -> str:
        """Return ``component/version/os-arch/file``."""
        return f"{self.component}/{self.version}/linux-{self.arch}/{self.file}"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a cluster needs: a release for hosts of some roles and architectures."""

    kubernetes_version: str
    hosts: frozenset[tuple[Role, Architecture]]
    network: NetworkPlugin = "flannel"


@dataclass(frozen=True, slots=True)
class FileArtifact:
    """A file for a host: where it lies there, its digest (hexadecimal), size in bytes and octal mode."""

    path: str
    sha256: str
    size: int
    mode: str


@dataclass(frozen=True, slots=True)
class ImageArtifact:
    """An image for a host: full reference and manifest digest (``sha256:...``).

    The archive is an OCI layout in a tar, to be imported; without one the host pulls by name.
    """

    name: str
    digest: str
    archive_sha256: str | None = None
    archive_size: int | None = None
