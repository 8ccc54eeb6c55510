# SPDX-License-Identifier: GPL-3.0-or-later
"""OCI archives: a tar of an OCI image layout with one image in it, which ``ctr images import`` reads.

Rules: opencontainers/image-spec 1.1 (image-layout, manifest, config); containerd names an imported
image by the ``io.containerd.image.name`` annotation of its descriptor in index.json.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubexms.artifacts.images.segments import END, Segments, folders, member, sha256, size
from kubexms.artifacts.model import Architecture

FORMAT = 1
"""Raised when the same inputs are assembled into other bytes than before."""

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_INDEX = "application/vnd.oci.image.index.v1+json"

_CAPABILITY_BITS = {"net_bind_service": 10}


@dataclass(frozen=True)
class Blueprint:
    """An image to assemble: its name and configuration, its base layer and the files of its own layer."""

    reference: str
    arch: Architecture
    files: Mapping[str, Path]
    base: Path | None = None
    capabilities: Mapping[str, Sequence[str]] | None = None
    entrypoint: Sequence[str] = ()
    environment: Sequence[str] = ()
    user: str = ""


@dataclass(frozen=True)
class Archive:
    """An assembled image: its archive's bytes, and the digests of its manifest and configuration.

    The configuration names what is in the layers, however they are packed.
    """

    segments: Segments
    manifest: str
    content: str


@dataclass(frozen=True)
class Packing:
    """How layers are stored: a function from plain to packed bytes, and what their media type ends in."""

    suffix: str
    pack: Callable[[Segments], Segments]


PLAIN = Packing("", lambda segments: segments)


def assemble(blueprint: Blueprint, packing: Packing = PLAIN) -> Archive:
    """Return the archive of an image; reads every input to know the layers' digests."""
    layers = [layer(blueprint.files, blueprint.capabilities or {})]
    if blueprint.base is not None:
        layers.insert(0, (blueprint.base,))
    packed = {sha256(one): one for one in map(packing.pack, layers)}
    config = _json(_config(blueprint, [sha256(one) for one in layers]))
    config_digest = sha256((config,))
    kind = f"{_LAYER}{packing.suffix}"
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config_digest, len(config)),
            "layers": [_descriptor(kind, digest, size(content)) for digest, content in packed.items()],
        }
    )
    manifest_digest = sha256((manifest,))
    blobs: dict[str, Segments] = {**packed, config_digest: (config,), manifest_digest: (manifest,)}
    index = _json(_index(blueprint, manifest_digest, len(manifest)))
    return Archive(_layout(blobs, index), f"sha256:{manifest_digest}", f"sha256:{config_digest}")


def layer(files: Mapping[str, Path], capabilities: Mapping[str, Sequence[str]]) -> Segments:
    """Return a layer that holds ``files`` (absolute path in the image -> file here), all executable."""
    names = {path.lstrip("/"): path for path in sorted(files)}
    segments = list(folders(names))
    for name, path in names.items():
        pax = _capability_attribute(capabilities[path]) if path in capabilities else None
        segments += member(name, (files[path],), mode=0o755, pax=pax)
    return (*segments, END)


def _capability_attribute(names: Sequence[str]) -> dict[str, str]:
    """Return the PAX record of a file's permitted and effective capabilities (linux/capability.h, v2)."""
    permitted = sum(1 << _CAPABILITY_BITS[name] for name in names)
    words = (0x02000001, permitted, 0, 0, 0)
    value = b"".join(word.to_bytes(4, "little") for word in words)
    return {"SCHILY.xattr.security.capability": value.decode("ascii")}


def _config(blueprint: Blueprint, layers: Sequence[str]) -> dict[str, Any]:
    run: dict[str, Any] = {"Env": list(blueprint.environment), "WorkingDir": "/"}
    if blueprint.entrypoint:
        run["Entrypoint"] = list(blueprint.entrypoint)
    if blueprint.user:
        run["User"] = blueprint.user
    return {
        "architecture": blueprint.arch,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "kubexms"} for _ in layers],
    }


def _index(blueprint: Blueprint, digest: str, length: int) -> dict[str, Any]:
    annotations = {
        "io.containerd.image.name": blueprint.reference,
        "org.opencontainers.image.ref.name": blueprint.reference.rpartition(":")[2],
    }
    described = _descriptor(_MANIFEST, digest, length)
    described |= {"platform": {"architecture": blueprint.arch, "os": "linux"}, "annotations": annotations}
    return {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [described]}


def _layout(blobs: Mapping[str, Segments], index: bytes) -> Segments:
    segments = [
        *member("oci-layout", (_json({"imageLayoutVersion": "1.0.0"}),)),
        *member("index.json", (index,)),
    ]
    segments += folders(["blobs/sha256/x"])
    for digest in sorted(blobs):
        segments += member(f"blobs/sha256/{digest}", blobs[digest])
    return (*segments, END)


def _descriptor(kind: str, digest: str, length: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": length}


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
