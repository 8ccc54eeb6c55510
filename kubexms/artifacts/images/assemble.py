# SPDX-License-Identifier: GPL-3.0-or-later
"""From the catalogue's images and cached binaries to cached archives, each assembled once."""

import hashlib
import json
from collections.abc import Mapping

from kubexms.artifacts.cache import Cache, Entry
from kubexms.artifacts.catalogue import Image, Selection
from kubexms.artifacts.images.oci import FORMAT, Blueprint
from kubexms.artifacts.images.oci import assemble as assemble_archive
from kubexms.artifacts.images.segments import chunks
from kubexms.artifacts.model import Architecture, Item
from kubexms.artifacts.progress import Progress
from kubexms.context import Context

_LABEL = "assembled"


def assembled(
    ctx: Context,
    selection: Selection,
    name: str,
    arch: Architecture,
    inputs: Mapping[Item, Entry],
    cache: Cache,
    progress: Progress,
) -> Entry:
    """Return the archive of an image; made now unless the cache has one of the same inputs."""
    image = selection.images[name]
    reference = selection.reference(name)
    key = f"images/{_key(selection, image, reference, arch, inputs)}"
    entry = cache.lookup(ctx, key)
    if entry is not None and entry.manifest:
        return entry
    progress.report(f"assemble {reference} ({arch})")
    archive = assemble_archive(_blueprint(selection, image, reference, arch, inputs, cache))
    return cache.add(ctx, chunks(archive.segments), name=key, source=_LABEL, manifest=archive.manifest)


def _key(
    selection: Selection, image: Image, reference: str, arch: Architecture, inputs: Mapping[Item, Entry]
) -> str:
    """Return a digest of everything that decides the archive's bytes."""
    digests = [inputs[item].sha256 for item in selection.image_items(image, arch)]
    parts = [FORMAT, reference, arch, image.model_dump(mode="json"), digests]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _blueprint(
    selection: Selection,
    image: Image,
    reference: str,
    arch: Architecture,
    inputs: Mapping[Item, Entry],
    cache: Cache,
) -> Blueprint:
    paths = [cache.path(inputs[item].sha256) for item in selection.image_items(image, arch)]
    base = paths.pop(0) if image.base else None
    return Blueprint(
        reference=reference,
        arch=arch,
        base=base,
        files=dict(zip(image.files, paths, strict=True)),
        capabilities=image.capabilities,
        entrypoint=image.entrypoint,
        environment=image.environment,
        user=image.user,
    )
