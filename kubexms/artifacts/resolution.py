# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a cluster needs to files and images with digests, all of them in the cache."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kubexms.artifacts import catalogue, lock, pins
from kubexms.artifacts.cache import Cache, Entry, disk_faults
from kubexms.artifacts.images.assembler import Assembler
from kubexms.artifacts.model import Architecture, FileArtifact, ImageArtifact, Item, Needs, Role
from kubexms.artifacts.progress import Progress
from kubexms.artifacts.registry import Registry
from kubexms.artifacts.sources import Desk, Source, Wanted, fetch_all
from kubexms.artifacts.sources.build import BuildSource
from kubexms.artifacts.sources.cached import CacheSource
from kubexms.artifacts.sources.directory import DirectorySource
from kubexms.artifacts.sources.mirror import MirrorSource
from kubexms.artifacts.sources.official import OfficialSource
from kubexms.context import Context
from kubexms.settings import Settings

ImageId = tuple[str, Architecture]

_AT_ONCE = 2
"""Images made at a time: hashing and packing leave Python's lock, so each has a core of its own."""


@dataclass(frozen=True)
class Resolved:
    """The answer: every file and image of a cluster, each with its digest, its bytes in the cache."""

    needs: Needs
    selection: catalogue.Selection
    entries: Mapping[Item, Entry]
    made: Mapping[ImageId, ImageArtifact]
    cache: Cache

    def files(self, role: Role, arch: Architecture) -> list[FileArtifact]:
        """Return the files of a host, in the catalogue's order."""
        found = []
        for component, file, placed in self.selection.host_files(role, self.needs.network):
            entry = self.entries[self.selection.item(component, file, arch)]
            found.append(FileArtifact(placed.path, entry.sha256, entry.size, placed.mode))
        return found

    def images(self, role: Role, arch: Architecture) -> list[ImageArtifact]:
        """Return the images of a host, those that are waited for before the others."""
        return [self.made[name, arch] for name, _ in self.selection.role_images(role, self.needs.network)]

    def image(self, name: str) -> str:
        """Return the full reference of an image by its name in the catalogue, such as ``kube-proxy``."""
        return self.selection.reference(name)

    def version(self, component: str) -> str:
        """Return the version of a component, such as ``etcd`` or ``containerd``."""
        return self.selection.versions[component]

    def blobs(self) -> dict[str, Path]:
        """Return digest -> path of everything that hosts may ask for."""
        digests = {one.sha256 for role, arch in self.needs.hosts for one in self.files(role, arch)}
        digests |= {one.archive_sha256 for one in self.made.values() if one.archive_sha256}
        return {digest: self.cache.path(digest) for digest in sorted(digests)}

    @property
    def directory(self) -> Path:
        """Return the folder that holds every blob at ``{digest[:2]}/{digest}``."""
        return self.cache.blobs


def resolve(
    ctx: Context, needs: Needs, settings: Settings, lock_path: Path | None, progress: Progress
) -> Resolved:
    """Return everything ``needs`` asks for, fetched, assembled, verified and pinned in the lock file.

    With a full cache this reads names, sizes and times only. Without a lock path nothing is pinned.
    Raises DigestMismatch where a source has other bytes than the lock pins, ArtifactFailed where no
    source has a file, NotSupported for a version that is not in the catalogue.
    """
    selection = catalogue.load().select(needs.kubernetes_version)
    with disk_faults(settings.cache_dir):
        pinned = lock.read(lock_path) if lock_path else lock.Lock()
        desk = Desk(Cache(settings.cache_dir), progress)
        items = needed_items(needs, settings, selection)
        wanted = [Wanted(item, pins.pinned_file(pinned, item)) for item in items]
        entries = fetch_all(ctx, wanted, sources(settings, selection), desk)
        images = _images(ctx, needs, settings, Assembler(selection, entries, desk), pinned)
        updated = pins.updated(pinned, entries, images, selection)
        if lock_path is not None and updated != pinned:
            lock.write(lock_path, updated)
    made = {
        (name, arch): ImageArtifact(selection.reference(name), image.digest, image.archive, image.size)
        for (name, arch), image in images.items()
    }
    return Resolved(needs, selection, entries, made, desk.cache)


def needed_items(needs: Needs, settings: Settings, selection: catalogue.Selection) -> list[Item]:
    """Return every file that is needed, on hosts and inside the images that are assembled."""
    found = selection.host_items(needs)
    if settings.image_source == "assemble":
        for name, arch in selection.images_of(needs):
            found.update(selection.image_items(selection.images[name], arch))
    return sorted(found)


def sources(settings: Settings, selection: catalogue.Selection) -> list[Source]:
    """Return the places to look in, in order, as the settings allow them."""
    found: list[Source] = [CacheSource()]
    if settings.artifact_directory is not None:
        found.append(DirectorySource(settings.artifact_directory))
    if settings.artifact_mirror is not None:
        found.append(MirrorSource(settings.artifact_mirror))
    if not settings.artifact_offline:
        found += [OfficialSource(selection), BuildSource(selection)]
    return found


def _images(
    ctx: Context, needs: Needs, settings: Settings, assembler: Assembler, pinned: lock.Lock
) -> dict[ImageId, lock.LockedImage]:
    """Return every image that is needed, assembled or looked up in its registry, and as it is pinned."""
    registry = Registry(settings.image_registry)

    def make(one: ImageId) -> lock.LockedImage:
        name, arch = one
        key = lock.image_key(assembler.selection.reference(name), arch)
        if settings.image_source == "assemble":
            return pins.assembled(pinned, key, assembler.archive(ctx, name, arch))
        return pins.pulled(pinned, key) or registry.image(ctx, assembler.selection.reference(name))

    ids = assembler.selection.images_of(needs)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return dict(zip(ids, pool.map(make, ids), strict=True))
