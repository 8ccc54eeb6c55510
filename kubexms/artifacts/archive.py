# SPDX-License-Identifier: GPL-3.0-or-later
"""An image archive (OCI image layout in a tar) seen as a registry with that one image.

containerd pulls from a registry with a fraction of the work that an import costs: it fetches, hashes
and unpacks in its own process, where an import hands every byte through a client first. Which name
and tag are asked for does not matter: an archive has one image.
Formats: OCI image layout 1.1, OCI distribution 1.1 (end-1, end-2, end-3).
"""

import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubexms.errors import ArtifactFailed

_BLOBS = "blobs/sha256/"
_OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Part:
    """Where in the archive a blob lies, and what it is."""

    digest: str
    offset: int
    size: int
    media_type: str = _OCTETS


@dataclass(frozen=True)
class ImageArchive:
    """The blobs of an archive by digest, and the manifest that its image's name stands for."""

    root: Part
    parts: Mapping[str, Part]

    def find(self, resource: str) -> Part | None:
        """Return what ``NAME/manifests/REFERENCE`` or ``NAME/blobs/DIGEST`` means; None for anything else."""
        kind, _, reference = resource.rpartition("/")
        if kind.endswith("/manifests"):
            return self.root if ":" not in reference else self.parts.get(reference)
        return self.parts.get(reference) if kind.endswith("/blobs") else None


def read_archive(path: Path) -> ImageArchive:
    """Read an archive's table of contents; raise ArtifactFailed when it is none with exactly one image."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = [member for member in tar if member.isreg()]
            index = _json(tar, next(member for member in members if member.name == "index.json"))
            (descriptor,) = index["manifests"]
            parts = dict(_part(tar, member) for member in members if member.name.startswith(_BLOBS))
        root = parts[descriptor["digest"]]
    except (tarfile.TarError, StopIteration, ValueError, KeyError, TypeError) as cause:
        raise ArtifactFailed(f"{path} is no OCI archive of one image: {cause!r}") from cause
    named = Part(root.digest, root.offset, root.size, descriptor["mediaType"])
    return ImageArchive(named, {**parts, named.digest: named})


_JSON_LIMIT = 1024 * 1024
"""No manifest is larger: registries refuse those of more than 4 MiB, and ours have a few hundred bytes."""


def _part(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, Part]:
    digest = "sha256:" + member.name.removeprefix(_BLOBS)
    return digest, Part(digest, member.offset_data, member.size, _media_type(tar, member))


def _media_type(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """Return what a manifest calls itself; everything else is octets to a registry."""
    if member.size > _JSON_LIMIT:
        return _OCTETS
    try:
        content = _json(tar, member)
    except ValueError:
        return _OCTETS
    found = content.get("mediaType") if isinstance(content, dict) else None
    return found if isinstance(found, str) else _OCTETS


def _json(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, list[dict[str, str]]]:
    stream = tar.extractfile(member)
    content: dict[str, list[dict[str, str]]] = json.loads(stream.read() if stream else b"")
    return content
