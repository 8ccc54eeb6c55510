# SPDX-License-Identifier: GPL-3.0-or-later
"""What this room needs to know of artifacts: small protocols that the artifacts room fulfils."""

from collections.abc import Sequence
from typing import Literal, Protocol

Role = Literal["control-plane", "worker"]
Architecture = Literal["amd64", "arm64"]


class File(Protocol):
    """A file for a host."""

    @property
    def path(self) -> str:
        """Where it lies on the host."""

    @property
    def sha256(self) -> str:
        """Digest in hexadecimal digits."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    @property
    def mode(self) -> str:
        """Permission bits in octal digits."""


class Image(Protocol):
    """An image for a host."""

    @property
    def name(self) -> str:
        """Full reference."""

    @property
    def digest(self) -> str:
        """Digest of the manifest, ``sha256:...``."""

    @property
    def archive_sha256(self) -> str | None:
        """Digest of the archive in hexadecimal digits; None where hosts pull by name."""

    @property
    def archive_size(self) -> int | None:
        """Size of the archive in bytes."""


class Images(Protocol):
    """Resolved artifacts of one Kubernetes version."""

    def image(self, name: str) -> str:
        """Return the full reference of an image such as ``etcd`` or ``kube-proxy``."""

    def files(self, role: Role, arch: Architecture) -> Sequence[File]:
        """Return the files for a role and architecture."""

    def images(self, role: Role, arch: Architecture) -> Sequence[Image]:
        """Return the images for a role and architecture, most urgent first."""
