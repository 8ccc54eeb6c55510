# SPDX-License-Identifier: GPL-3.0-or-later
"""From the catalogue's images and cached binaries to cached archives, each assembled once."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubexms.artifacts.cache import Claim, Entry
from kubexms.artifacts.catalogue import Selection
from kubexms.artifacts.images import pack
from kubexms.artifacts.images.oci import FORMAT, Blueprint, assemble
from kubexms.artifacts.images.segments import chunks
from kubexms.artifacts.model import Architecture, Item
from kubexms.artifacts.sources import Desk
from kubexms.context import Context


@dataclass(frozen=True)
class Assembler:
    """Assembles the images of a release; ``inputs`` are the cached files it has."""

    selection: Selection
    inputs: Mapping[Item, Entry]
    desk: Desk

    def archive(self, ctx: Context, name: str, arch: Architecture) -> Entry:
        """Return the archive of an image; made now unless the cache has one of the same inputs."""
        key = f"images/{self._key(name, arch)}"
        entry = self.desk.cache.lookup(ctx, key)
        if entry is not None:
            return entry
        reference = self.selection.reference(name)
        self.desk.progress.report(f"assemble {reference} for {arch}")
        partial = self.desk.cache.partial
        partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=partial) as scratch:
            made = assemble(self._blueprint(name, arch), pack.packing(ctx, Path(scratch)))
            claim = Claim(key, "assembled", manifest=made.manifest, content=made.content)
            return self.desk.cache.add(ctx, chunks(made.segments), claim)

    def _key(self, name: str, arch: Architecture) -> str:
        """Return a digest of everything that decides the archive's bytes."""
        image = self.selection.images[name]
        digests = [self.inputs[item].sha256 for item in self.selection.image_items(image, arch)]
        parts = [FORMAT, pack.label(), self.selection.reference(name), arch, image.model_dump(mode="json")]
        return hashlib.sha256(json.dumps([*parts, digests], sort_keys=True).encode()).hexdigest()

    def _blueprint(self, name: str, arch: Architecture) -> Blueprint:
        image = self.selection.images[name]
        items = self.selection.image_items(image, arch)
        paths = [self.desk.cache.path(self.inputs[item].sha256) for item in items]
        base = paths.pop(0) if image.base else None
        return Blueprint(
            reference=self.selection.reference(name),
            arch=arch,
            base=base,
            files=dict(zip(image.files, paths, strict=True)),
            capabilities=image.capabilities,
            entrypoint=image.entrypoint,
            environment=image.environment,
            user=image.user,
        )
