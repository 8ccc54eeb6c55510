# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a cluster needs to files and images with digests, all of them in the cache."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kubexms.artifacts import catalogue, lock
from kubexms.artifacts.cache import Cache, Entry
from kubexms.artifacts.images.assemble import assembled
from kubexms.artifacts.model import Architecture, FileArtifact, ImageArtifact, Item, Needs, Role
from kubexms.artifacts.progress import Progress
from kubexms.artifacts.sources import Source, Wanted, fetch_all
from kubexms.artifacts.sources.build import BuildSource
from kubexms.artifacts.sources.cached import CacheSource
from kubexms.artifacts.sources.directory import DirectorySource
from kubexms.context import Context
from kubexms.errors import DigestMismatch
from kubexms.settings import Settings

ImageId = tuple[str, Architecture]


@dataclass(frozen=True)
class Resolved:
    """The answer: every file and image of a cluster, each with its digest and its bytes in the cache."""

    needs: Needs
    selection: catalogue.Selection
    entries: Mapping[Item, Entry]
    pinned_images: Mapping[ImageId, ImageArtifact]
    cache: Cache

    def files(self, role: Role, arch: Architecture) -> list[FileArtifact]:
        """Return the files of a host, in the catalogue's order."""
        return [
            self._file(self.entries[self.selection.item(component, file, arch)], placed)
            for component, file, placed in self.selection.host_files(role, self.needs.network)
        ]

    def images(self, role: Role, arch: Architecture) -> list[ImageArtifact]:
        """Return the images of a host, those that are waited for first before the others."""
        return [
            self.pinned_images[name, arch] for name, _ in self.selection.role_images(role, self.needs.network)
        ]

    def image(self, name: str) -> str:
        """Return the full reference of an image by its catalogue name, such as ``pause`` or ``kube-proxy``."""
        return self.selection.reference(name)

    def version(self, component: str) -> str:
        """Return the version of a component, such as ``etcd`` or ``containerd``."""
        return self.selection.versions[component]

    def blobs(self) -> dict[str, Path]:
        """Return digest -> path of everything that hosts may ask for."""
        digests = {one.sha256 for role, arch in self.needs.hosts for one in self.files(role, arch)}
        digests |= {one.archive_sha256 for one in self.pinned_images.values() if one.archive_sha256}
        return {digest: self.cache.path(digest) for digest in sorted(digests)}

    @cached_property
    def directory(self) -> Path:
        """Return the folder that holds every blob at ``{digest[:2]}/{digest}``."""
        return self.cache.blobs

    @staticmethod
    def _file(entry: Entry, placed: catalogue.HostFile) -> FileArtifact:
        return FileArtifact(placed.path, entry.sha256, entry.size, placed.mode)


def resolve(ctx: Context, needs: Needs, settings: Settings, lock_path: Path, progress: Progress) -> Resolved:
    """Return everything ``needs`` asks for, fetched, assembled, verified and pinned in the lock file.

    With a full cache this reads names, sizes and times only. Raises DigestMismatch where a source has
    other bytes than the lock pins, ArtifactFailed where no source has a file.
    """
    selection = catalogue.load().select(needs.kubernetes_version)
    pinned = lock.read(lock_path)
    cache = Cache(settings.cache_dir)
    wanted = [Wanted(item, _pinned_digest(pinned, item)) for item in selection.items(needs)]
    entries = fetch_all(ctx, wanted, sources(settings, selection), cache, progress)
    images = _assemble_all(ctx, needs, selection, entries, cache, progress)
    _enforce_images(selection, images, pinned)
    _update_lock(lock_path, pinned, entries, images, selection)
    archives = {
        (name, arch): ImageArtifact(selection.reference(name), entry.manifest, entry.sha256, entry.size)
        for (name, arch), entry in images.items()
    }
    return Resolved(needs, selection, entries, archives, cache)


def sources(settings: Settings, selection: catalogue.Selection) -> list[Source]:
    """Return the places to look in, in order, as the settings allow them."""
    found: list[Source] = [CacheSource()]
    if settings.artifact_directory is not None:
        found.append(DirectorySource(settings.artifact_directory))
    if not settings.artifact_offline:
        found.append(BuildSource(selection))
    return found


def _pinned_digest(pinned: lock.Lock, item: Item) -> str:
    locked = pinned.files.get(item.name)
    return locked.sha256 if locked else ""


def _assemble_all(
    ctx: Context,
    needs: Needs,
    selection: catalogue.Selection,
    entries: Mapping[Item, Entry],
    cache: Cache,
    progress: Progress,
) -> dict[ImageId, Entry]:
    """Return the archive of every image; two are assembled at a time, since hashing leaves Python's lock."""
    if needs.pull_images:
        return {}
    ids: dict[ImageId, None] = {}
    for role, arch in sorted(needs.hosts):
        ids.update({(name, arch): None for name, _ in selection.role_images(role, needs.network)})

    def make(one: ImageId) -> Entry:
        return assembled(ctx, selection, *one, entries, cache, progress)

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(ids, pool.map(make, ids), strict=True))


def _enforce_images(
    selection: catalogue.Selection, images: Mapping[ImageId, Entry], pinned: lock.Lock
) -> None:
    for (name, arch), entry in images.items():
        key = lock.image_key(selection.reference(name), arch)
        locked = pinned.images.get(key)
        if locked is not None and locked.digest != entry.manifest:
            raise DigestMismatch(file=key, expected=locked.digest, found=entry.manifest, source=entry.source)


def _update_lock(
    path: Path,
    pinned: lock.Lock,
    entries: Mapping[Item, Entry],
    images: Mapping[ImageId, Entry],
    selection: catalogue.Selection,
) -> None:
    """Add what is not pinned yet; the file is left alone when nothing is."""
    files = {
        item.name: lock.LockedFile(sha256=entry.sha256, size=entry.size, source=entry.source)
        for item, entry in entries.items()
    }
    archives = {
        lock.image_key(selection.reference(name), arch): lock.LockedImage(
            digest=entry.manifest, archive=entry.sha256, size=entry.size, source=entry.source
        )
        for (name, arch), entry in images.items()
    }
    updated = pinned.model_copy(
        update={"files": {**files, **pinned.files}, "images": {**archives, **pinned.images}}
    )
    if updated != pinned:
        lock.write(path, updated)
