# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators do with the cache themselves: look what is in it, check it, fill it from a directory."""

from dataclasses import dataclass
from pathlib import Path

from kubexms.artifacts import catalogue, lock, pins
from kubexms.artifacts.cache import Cache, disk_faults
from kubexms.artifacts.model import Needs
from kubexms.artifacts.progress import Progress
from kubexms.artifacts.resolution import needed_items
from kubexms.artifacts.sources import Desk
from kubexms.artifacts.sources.directory import SUMS, DirectorySource
from kubexms.context import Context
from kubexms.errors import NotFound
from kubexms.settings import Settings

_STALE_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Listed:
    """A file a cluster needs; digest, size and source are empty where the cache does not have it."""

    name: str
    cached: bool
    sha256: str = ""
    size: int = 0
    source: str = ""
    pinned: str = ""


@dataclass(frozen=True)
class Checked:
    """A name in the cache, and whether its blob still has its digest."""

    name: str
    sha256: str
    whole: bool


def survey(ctx: Context, needs: Needs, settings: Settings, lock_path: Path | None) -> list[Listed]:
    """Return every file that is needed and what the cache and the lock know of it; fetches nothing."""
    selection = catalogue.load().select(needs.kubernetes_version)
    pinned = lock.read(lock_path) if lock_path else lock.Lock()
    cache = Cache(settings.cache_dir)
    found = []
    for item in needed_items(needs, settings, selection):
        entry = cache.lookup(ctx, item.name)
        demanded = pins.pinned_file(pinned, item)
        if entry is None:
            found.append(Listed(item.name, cached=False, pinned=demanded))
        else:
            found.append(Listed(item.name, True, entry.sha256, entry.size, entry.source, demanded))
    return found


def verify(ctx: Context, settings: Settings, progress: Progress) -> list[Checked]:
    """Hash everything in the cache again; a broken blob is removed, so that it is fetched anew.

    Left-overs of interrupted work that are a day old are removed too.
    """
    cache = Cache(settings.cache_dir)
    results: dict[str, bool] = {}
    checked = []
    with disk_faults(settings.cache_dir):
        cache.sweep(_STALE_SECONDS)
        for name, entry in cache.entries():
            if entry.sha256 not in results:
                progress.report(f"verify {name}")
                results[entry.sha256] = cache.path(entry.sha256).exists() and cache.whole(ctx, entry.sha256)
            checked.append(Checked(name, entry.sha256, results[entry.sha256]))
    return checked


def import_path(ctx: Context, path: Path, settings: Settings, progress: Progress) -> list[str]:
    """Put everything that a directory's SHA256SUMS lists into the cache; return the names.

    The directory is laid out like an artifact directory. A path of one archive takes that one alone, by
    the list beside it. Raises NotFound where there is no list, or where listed files are not there.
    """
    directory = path if path.is_dir() else path.parent
    source = DirectorySource(directory)
    desk = Desk(Cache(settings.cache_dir), progress)
    with disk_faults(settings.cache_dir):
        listed = source.listed()
        if not listed:
            raise NotFound(f"{directory} has no {SUMS}", hint=f"write it: sha256sum */*/*/* > {SUMS}")
        if path != directory:
            return sorted(source.unpack(ctx, path, listed, desk))
        entries = source.store(ctx, list(listed), listed, desk)
    absent = sorted(listed.keys() - entries.keys())
    if absent:
        raise NotFound(f"{directory} lists files that it does not have: {', '.join(absent)}")
    return sorted(entries)
