# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lock file says about files and images at hand: what it demands, and what it will say next."""

from collections.abc import Mapping

from kubexms.artifacts.cache import Entry
from kubexms.artifacts.catalogue import Selection
from kubexms.artifacts.lock import Lock, LockedFile, LockedImage, image_key
from kubexms.artifacts.model import Architecture, Item
from kubexms.errors import DigestMismatch


def pinned_file(pinned: Lock, item: Item) -> str:
    """Return the digest a file must have, empty where the lock does not know it."""
    locked = pinned.files.get(item.name)
    return locked.sha256 if locked else ""


def assembled(pinned: Lock, key: str, entry: Entry) -> LockedImage:
    """Return an assembled image as the lock will have it; raise DigestMismatch if it pins another content."""
    locked = pinned.images.get(key)
    if locked is not None and locked.content not in {None, entry.content}:
        raise DigestMismatch(
            file=key, expected=str(locked.content), found=entry.content, source="the assembly on this machine"
        )
    return LockedImage(
        digest=entry.manifest,
        content=entry.content,
        archive=entry.sha256,
        size=entry.size,
        source=entry.source,
    )


def pulled(pinned: Lock, key: str) -> LockedImage | None:
    """Return an image that is pinned as one that hosts pull; one assembled here has another digest."""
    locked = pinned.images.get(key)
    return locked if locked is not None and locked.content is None else None


def updated(
    pinned: Lock,
    entries: Mapping[Item, Entry],
    images: Mapping[tuple[str, Architecture], LockedImage],
    selection: Selection,
) -> Lock:
    """Return the lock with what it did not pin yet, and with images as they are in use."""
    files = {
        item.name: LockedFile(sha256=entry.sha256, size=entry.size, source=entry.source)
        for item, entry in entries.items()
    }
    made = {image_key(selection.reference(name), arch): image for (name, arch), image in images.items()}
    return pinned.model_copy(update={"files": {**files, **pinned.files}, "images": {**pinned.images, **made}})
